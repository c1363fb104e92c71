/**
 * What the simulated Hyperliquid says of a coin beside its book: made of the mid price of the last block
 * and of the trades so far, and remembered for a while, so that a test can ask whether it was ever said.
 * Simulator's thread; once a second a coin, but for `onTrade`.
 *
 * The oracle follows the mid some ticks away, the premium is what the mid lies above it, and funding is
 * an eighth of the premium. Volumes count from a day's worth of the past.
 */
import { formatShortDecimal } from '../domain/decimal.js';
import { isSpot } from './hyperliquid-specs.js';
import type { MarketSpec } from './market-specs.js';

type Values = Readonly<Record<string, string | null | readonly string[]>>;

const RATE_DECIMALS = 10;
const RATE_SCALE = 10n ** BigInt(RATE_DECIMALS);
/** Ticks that the oracle lies beside the mid, in turn. */
const ORACLE_TICKS = [-3, -1, 2, 1, 0, 3, -2] as const;
const ORACLE_STEP_MS = 7_000;
/** Contexts and mids that are remembered, over all coins. */
const SAID_MAX = 1 << 16;

/** Twice the mid as a mantissa at the price's decimals; null without both sides. */
export type TwiceMid = number | null;

export class CoinContext {
  private dayVolume: bigint;
  private dayNotional: bigint;
  private openInterest: number;

  constructor(private readonly spec: MarketSpec) {
    const { typicalLots, activity, openingPrice } = spec;
    this.dayVolume = BigInt(typicalLots) * BigInt(activity) * 86_400n;
    this.dayNotional = this.dayVolume * BigInt(openingPrice);
    this.openInterest = typicalLots * 10_000;
  }

  onTrade(price: number, size: number): void {
    this.dayVolume += BigInt(size);
    this.dayNotional += BigInt(size) * BigInt(price);
    this.openInterest += size % 2 === 0 ? size : -(size % this.openInterest);
  }

  /** In the venue's order of names. */
  valuesAt(timeMs: number, twiceMid: TwiceMid): Values {
    const { spec } = this;
    const { priceDecimals, sizeDecimals, tickSize, openingPrice } = spec;
    const mid = twiceMid === null ? null : formatShortDecimal(twiceMid * 5, priceDecimals + 1);
    const mark = twiceMid === null ? openingPrice : Math.floor(twiceMid / 2);
    const markPx = formatShortDecimal(mark, priceDecimals);
    const prevDayPx = formatShortDecimal(openingPrice, priceDecimals);
    const dayNtlVlm = wideText(this.dayNotional, priceDecimals + sizeDecimals);
    const dayBaseVlm = wideText(this.dayVolume, sizeDecimals);
    if (isSpot(spec.symbol)) {
      const supply = '597072459.9712300301';
      return { prevDayPx, dayNtlVlm, markPx, midPx: mid, circulatingSupply: supply, dayBaseVlm };
    }
    const turn = Math.floor(timeMs / ORACLE_STEP_MS) % ORACLE_TICKS.length;
    const oracle = Math.max(tickSize, mark + ORACLE_TICKS[turn]! * tickSize);
    const premium = (BigInt(mark - oracle) * RATE_SCALE) / BigInt(oracle);
    return {
      funding: wideText(premium / 8n, RATE_DECIMALS),
      openInterest: formatShortDecimal(this.openInterest, sizeDecimals),
      prevDayPx,
      dayNtlVlm,
      premium: mid === null ? null : wideText(premium, RATE_DECIMALS),
      oraclePx: formatShortDecimal(oracle, priceDecimals),
      markPx,
      midPx: mid,
      impactPxs: mid === null ? null : [markPx, markPx],
      dayBaseVlm,
    };
  }
}

/** As formatShortDecimal, beyond 2^53. */
function wideText(mantissa: bigint, decimals: number): string {
  const digits = String(mantissa < 0n ? -mantissa : mantissa).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const fraction = digits.slice(point).replace(/0+$/, '').padEnd(1, '0');
  return `${mantissa < 0n ? '-' : ''}${digits.slice(0, point)}.${fraction}`;
}

/** The contexts and mids that were sent lately; the oldest are forgotten. */
export class ContextTruths {
  private readonly said = new Set<string>();

  noteContext(symbol: string, values: Values): void {
    const { markPx, midPx, dayNtlVlm, funding } = values;
    this.note(keyOf(symbol, [markPx, midPx, dayNtlVlm, funding]));
  }

  noteMid(symbol: string, mid: string): void {
    this.note(`${symbol} ${mid}`);
  }

  /** Whether these values stood in one context. */
  wasSaid(
    symbol: string,
    markPx: string | null,
    midPx: string | null,
    dayNtlVlm: string | null,
    funding: string | null,
  ): boolean {
    return this.said.has(keyOf(symbol, [markPx, midPx, dayNtlVlm, funding]));
  }

  wasMid(symbol: string, mid: string): boolean {
    return this.said.has(`${symbol} ${mid}`);
  }

  private note(key: string): void {
    this.said.delete(key);
    this.said.add(key);
    if (this.said.size <= SAID_MAX) return;
    const [oldest] = this.said;
    this.said.delete(oldest!);
  }
}

/** A value that is not told is none. */
function keyOf(symbol: string, values: readonly unknown[]): string {
  return `${symbol} ${JSON.stringify(values.map((value) => value ?? null))}`;
}
