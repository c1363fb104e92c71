/**
 * Levels aggregated to significant figures, as Hyperliquid's `l2Book` with `nSigFigs` and `mantissa`
 * and as its public order_book_server do it: a bid goes down, an ask up, to a multiple of
 * `mantissa · 10^(digits − nSigFigs)`, where `digits` counts those of the price at 8 decimals; a level
 * joins the bucket that the one before it opened while it does not lie beyond that bucket's price.
 */
import { Side } from './side.js';

/** Prices of the rule are whole numbers at this many decimals. */
const RULE_DECIMALS = 8;

/** The step between bucket prices at `price` (a mantissa at `priceDecimals`), at least 1. */
export function bucketStep(
  price: number,
  priceDecimals: number,
  sigFigs: number,
  mantissa: number,
): number {
  const shift = RULE_DECIMALS - priceDecimals;
  const digits = String(price).length + shift;
  const exponent = Math.max(digits - sigFigs, 0) - shift;
  // Below 1 a step is finer than the instrument's own prices: every level keeps its own.
  return exponent < 0 ? 1 : mantissa * 10 ** exponent;
}

/** The bucket's price for a level: bids down, asks up. */
export function bucketPrice(side: Side, price: number, step: number): number {
  const rest = price % step;
  if (rest === 0) return price;
  return side === Side.Bid ? price - rest : price - rest + step;
}

/**
 * Aggregates one side, best first: `levels` holds `count` triples (price, size, orders); the buckets
 * are written to `target` likewise, at most `bucketsMax`. Returns their number. `sigFigs` 0 is no
 * aggregation.
 */
export function aggregateLevels(
  side: Side,
  levels: Float64Array,
  count: number,
  priceDecimals: number,
  sigFigs: number,
  mantissa: number,
  bucketsMax: number,
  target: Float64Array,
): number {
  let buckets = -1;
  let edge = 0;
  for (let i = 0; i < count; i++) {
    const price = levels[i * 3]!;
    const joins = buckets >= 0 && (side === Side.Bid ? price >= edge : price <= edge);
    if (!joins) {
      if (buckets + 1 === bucketsMax) break;
      buckets++;
      const step = sigFigs === 0 ? 1 : bucketStep(price, priceDecimals, sigFigs, mantissa);
      edge = bucketPrice(side, price, step);
      target[buckets * 3] = edge;
      target[buckets * 3 + 1] = 0;
      target[buckets * 3 + 2] = 0;
    }
    target[buckets * 3 + 1] = target[buckets * 3 + 1]! + levels[i * 3 + 1]!;
    target[buckets * 3 + 2] = target[buckets * 3 + 2]! + levels[i * 3 + 2]!;
  }
  return buckets + 1;
}
