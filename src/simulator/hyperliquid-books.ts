/**
 * The books of the simulated Hyperliquid as the last block left them, the texts that are made of them,
 * whole or aggregated, and the true hash of every book that was sent. Simulator's thread; once a block.
 */
import { formatShortDecimal } from '../domain/decimal.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, levelHashLane } from '../domain/level-hash.js';
import { aggregateLevels } from '../domain/price-bucket.js';
import { Side } from '../domain/side.js';
import type { Market } from './market.js';

export const LEVELS_FULL = 20;
export const LEVELS_FAST = 5;
/** Hashes kept, over all coins and depths. */
const TRUTHS_MAX = 1 << 16;

/** Price, size, orders. */
const DOUBLES_PER_LEVEL = 3;

/** `nSigFigs` and `mantissa` of a subscription. */
export interface Aggregation {
  readonly sigFigs: number;
  readonly mantissa: number;
}

/**
 * Null: no aggregation; undefined: one that the venue refuses. "nSigFigs: valid values are 2, 3, 4, 5,
 * and null"; "mantissa: only allowed if nSigFigs is 5. Accepts values of 1, 2 or 5".
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint#l2-book-snapshot
 */
export function aggregationOf(
  nSigFigs: unknown,
  mantissa: unknown,
): Aggregation | null | undefined {
  const isPlain = mantissa === null || mantissa === undefined;
  if (nSigFigs === null || nSigFigs === undefined) return isPlain ? null : undefined;
  if (nSigFigs !== 2 && nSigFigs !== 3 && nSigFigs !== 4 && nSigFigs !== 5) return undefined;
  if (isPlain) return { sigFigs: nSigFigs, mantissa: 1 };
  const isStep = mantissa === 1 || mantissa === 2 || mantissa === 5;
  return nSigFigs === 5 && isStep ? { sigFigs: nSigFigs, mantissa } : undefined;
}

/** A coin's levels after a block. */
export class BlockBook {
  /** By side, best first: DOUBLES_PER_LEVEL doubles each. */
  private readonly sides: readonly [Float64Array, Float64Array];

  constructor(
    readonly market: Market,
    readonly timeMs: number,
  ) {
    this.sides = [copySide(market, Side.Bid), copySide(market, Side.Ask)];
  }

  /** `{"coin":…,"time":…,"levels":[[…],[…]]}` */
  bookText(timeMs: number, levels: number, aggregation: Aggregation | null = null): string {
    const { symbol } = this.market.spec;
    const [bids, asks] = [Side.Bid, Side.Ask].map((side) =>
      this.sideText(side as Side, levels, aggregation),
    );
    return `{"coin":"${symbol}","time":${timeMs},"levels":[[${bids}],[${asks}]]}`;
  }

  private sideText(side: Side, levelsMax: number, aggregation: Aggregation | null): string {
    const { priceDecimals } = this.market.spec;
    let levels = this.sides[side];
    let count = Math.min(levelsMax, levels.length / DOUBLES_PER_LEVEL);
    if (aggregation !== null) {
      const { sigFigs, mantissa } = aggregation;
      const all = levels.length / DOUBLES_PER_LEVEL;
      const buckets = new Float64Array(levelsMax * DOUBLES_PER_LEVEL);
      count = aggregateLevels(
        side,
        levels,
        all,
        priceDecimals,
        sigFigs,
        mantissa,
        levelsMax,
        buckets,
      );
      levels = buckets;
    }
    return Array.from({ length: count }, (_, rank) => this.levelText(levels, rank)).join(',');
  }

  private levelText(levels: Float64Array, rank: number): string {
    const { priceDecimals, sizeDecimals } = this.market.spec;
    const at = rank * DOUBLES_PER_LEVEL;
    const px = formatShortDecimal(levels[at]!, priceDecimals);
    const sz = formatShortDecimal(levels[at + 1]!, sizeDecimals);
    return `{"px":"${px}","sz":"${sz}","n":${levels[at + 2]}}`;
  }

  /** The best of both sides as a bbo frame has them. */
  bestText(): string {
    const best = (side: Side): string =>
      this.sides[side].length === 0 ? 'null' : this.levelText(this.sides[side], 0);
    return `[${best(Side.Bid)},${best(Side.Ask)}]`;
  }

  /** Of the best prices; null without both sides. */
  twiceMid(): number | null {
    const [bids, asks] = this.sides;
    return bids.length === 0 || asks.length === 0 ? null : bids[0]! + asks[0]!;
  }

  /** Mid price as text; null without both sides. */
  midText(): string | null {
    const twice = this.twiceMid();
    if (twice === null) return null;
    return formatShortDecimal(twice * 5, this.market.spec.priceDecimals + 1);
  }

  hash(levels: number): string {
    let low = 0;
    let high = 0;
    for (const side of [Side.Bid, Side.Ask] as const) {
      const kept = this.sides[side].subarray(0, levels * DOUBLES_PER_LEVEL);
      for (let at = 0; at < kept.length; at += DOUBLES_PER_LEVEL) {
        low ^= levelHashLane(HASH_SEED_LOW, side, kept[at]!, kept[at + 1]!);
        high ^= levelHashLane(HASH_SEED_HIGH, side, kept[at]!, kept[at + 1]!);
      }
    }
    return hashText(high, low);
  }
}

function copySide(market: Market, side: Side): Float64Array {
  const levels = market.engine.book.sideOf(side);
  const copy = new Float64Array(levels.count * DOUBLES_PER_LEVEL);
  for (let rank = 0; rank < levels.count; rank++) {
    const level = levels.at(rank);
    const at = rank * DOUBLES_PER_LEVEL;
    copy[at] = levels.price[level]!;
    copy[at + 1] = levels.size[level]!;
    copy[at + 2] = levels.orders[level]!;
  }
  return copy;
}

/** The true hashes of books that were sent, by coin, time and depth; the oldest are forgotten. */
export class BookTruths {
  private readonly hashes = new Map<string, string>();

  note(book: BlockBook, timeMs: number, levels: number): void {
    this.hashes.set(keyOf(book.market.spec.symbol, timeMs, levels), book.hash(levels));
    if (this.hashes.size <= TRUTHS_MAX) return;
    const [oldest] = this.hashes.keys();
    this.hashes.delete(oldest!);
  }

  hashAt(symbol: string, timeMs: number, levels: number): string | null {
    return this.hashes.get(keyOf(symbol, timeMs, levels)) ?? null;
  }
}

function keyOf(symbol: string, timeMs: number, levels: number): string {
  return `${symbol} ${timeMs} ${levels}`;
}
