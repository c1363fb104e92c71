/**
 * A consumer's copy of one book, kept equal to the node's by snapshot and deltas, and proven equal
 * by the hash that every message carries. Prices and sizes are exact mantissas; text on demand.
 * Hot in a client; makes objects only where a caller asks for them.
 */
import { BookState, StateReason, bookStateName, stateReasonName } from '../domain/book-state.js';
import { formatDecimal } from '../domain/decimal.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, levelHashLane } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import { BookSide } from './book-side.js';
import { Level } from './level.js';

/** Totals of the levels up to a rank, for a depth chart: parallel arrays of mantissas, best first. */
export interface DepthCurve {
  readonly prices: Float64Array;
  readonly sizesSummed: Float64Array;
}

export class LocalBook {
  readonly bids = new BookSide(Side.Bid);
  readonly asks = new BookSide(Side.Ask);
  priceDecimals = 0;
  sizeDecimals = 0;
  /** Levels a side that the stream carries; 0 is the full book. */
  depth = 0;
  /** As the node says it. Only a Live book is proven; see `whole` too. */
  state: BookState = BookState.Syncing;
  reason: StateReason = StateReason.Starting;
  epoch = 0;
  sequence = 0;
  venueSequence = 0;
  /** False before the first snapshot and in the middle of a venue event that spans messages. */
  whole = false;
  private hashLow = 0;
  private hashHigh = 0;

  get isLive(): boolean {
    return this.whole && this.state === BookState.Live;
  }

  get stateName(): string {
    return bookStateName(this.state);
  }

  get reasonName(): string {
    return stateReasonName(this.reason);
  }

  /** The hash over all levels (domain/level-hash.ts) as sixteen hex digits. */
  get hash(): string {
    return hashText(this.hashHigh, this.hashLow);
  }

  hashEquals(low: number, high: number): boolean {
    return (low | 0) === (this.hashLow | 0) && (high | 0) === (this.hashHigh | 0);
  }

  /** Forgets every level: a snapshot follows. */
  clear(): void {
    this.bids.clear();
    this.asks.clear();
    this.hashLow = 0;
    this.hashHigh = 0;
    this.whole = false;
  }

  /** Applies (price, size) pairs, bids first; size 0 removes. The array is only read during the call. */
  apply(levels: Float64Array, bidsCount: number, asksCount: number): void {
    let at = 0;
    for (let i = 0; i < bidsCount; i++, at += 2) this.set(Side.Bid, levels[at]!, levels[at + 1]!);
    for (let i = 0; i < asksCount; i++, at += 2) this.set(Side.Ask, levels[at]!, levels[at + 1]!);
  }

  set(side: Side, price: number, size: number): void {
    const before = (side === Side.Bid ? this.bids : this.asks).set(price, size);
    if (before === size) return;
    if (before !== 0) this.mix(side, price, before);
    if (size !== 0) this.mix(side, price, size);
  }

  /** The best level of a side, or null if it is empty. */
  best(side: Side): Level | null {
    const of = side === Side.Bid ? this.bids : this.asks;
    return of.count === 0 ? null : this.levelAt(of, 0);
  }

  get bestBid(): Level | null {
    return this.best(Side.Bid);
  }

  get bestAsk(): Level | null {
    return this.best(Side.Ask);
  }

  /** Difference of the best prices as a mantissa, or null if a side is empty. */
  get spread(): number | null {
    if (this.bids.count === 0 || this.asks.count === 0) return null;
    return this.asks.priceAt(0) - this.bids.priceAt(0);
  }

  /** The best `count` levels of a side, best first. */
  levels(side: Side, count = Infinity): Level[] {
    const of = side === Side.Bid ? this.bids : this.asks;
    const levels: Level[] = [];
    for (let rank = 0; rank < of.count && rank < count; rank++) levels.push(this.levelAt(of, rank));
    return levels;
  }

  /** Sizes summed from the best outward. */
  depthCurve(side: Side, count = Infinity): DepthCurve {
    const of = side === Side.Bid ? this.bids : this.asks;
    const length = Math.min(of.count, count);
    const prices = new Float64Array(length);
    const sizesSummed = new Float64Array(length);
    let sum = 0;
    for (let rank = 0; rank < length; rank++) {
      sum += of.sizeAt(rank);
      prices[rank] = of.priceAt(rank);
      sizesSummed[rank] = sum;
    }
    return { prices, sizesSummed };
  }

  priceText(price: number): string {
    return formatDecimal(price, this.priceDecimals);
  }

  sizeText(size: number): string {
    return formatDecimal(size, this.sizeDecimals);
  }

  private levelAt(of: BookSide, rank: number): Level {
    return new Level(of.priceAt(rank), of.sizeAt(rank), this.priceDecimals, this.sizeDecimals);
  }

  private mix(side: number, price: number, size: number): void {
    this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, size);
    this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
  }
}
