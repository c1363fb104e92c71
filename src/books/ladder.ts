/**
 * The price ladder of one instrument, both sides: price → size, exact at any distance from the
 * touch, best first. Prices and sizes are mantissas (whole numbers below 2^53). Books thread; hot.
 * How a side works, and its rule of memory, is told in ladder-side.ts: an instrument of 1,000 levels
 * a side takes at most 360 KB, one of 5,000 levels at most 2.6 MB, an empty one next to nothing.
 */
import { Side } from '../domain/side.js';
import { LadderSide } from './ladder-side.js';

export class Ladder {
  readonly bids: LadderSide;
  readonly asks: LadderSide;

  /** @param tickSize as a mantissa, 0 if unknown: then it is learned from the prices. */
  constructor(tickSize: number) {
    this.bids = new LadderSide(1, tickSize);
    this.asks = new LadderSide(-1, tickSize);
  }

  /** Sets or (size 0) removes a level. Returns the old size, 0 if there was none. Hot. */
  set(side: Side, price: number, size: number): number {
    return side === Side.Bid ? this.bids.set(price, size) : this.asks.set(price, size);
  }

  /** Best price of a side, -1 if it is empty. Hot. */
  best(side: Side): number {
    return side === Side.Bid ? this.bids.best() : this.asks.best();
  }

  /** Size at the best price, 0 if the side is empty. Hot. */
  bestSize(side: Side): number {
    return side === Side.Bid ? this.bids.bestSize() : this.asks.bestSize();
  }

  sizeAt(side: Side, price: number): number {
    return side === Side.Bid ? this.bids.sizeAt(price) : this.asks.sizeAt(price);
  }

  count(side: Side): number {
    return side === Side.Bid ? this.bids.count : this.asks.count;
  }

  /** Copies up to `max` levels, best first, as (price, size) pairs from `target[at]`. How many. */
  copyLevels(side: Side, max: number, target: Float64Array, at: number): number {
    return (side === Side.Bid ? this.bids : this.asks).copyLevels(max, target, at);
  }

  /** Levels of a side that lie outside its window: exact, but slower. */
  farCount(side: Side): number {
    return (side === Side.Bid ? this.bids : this.asks).farCount;
  }

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  get memoryBytes(): number {
    return this.bids.memoryBytes + this.asks.memoryBytes;
  }
}
