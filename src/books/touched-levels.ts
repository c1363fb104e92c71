/**
 * What the L2 delta of a block is made of: the levels that an order book settles go on to its L2 book
 * and are noted here, bids before asks, each once. Books thread; hot: once a level of a block.
 */
import type { LevelSink } from '../domain/order-ledger.js';
import type { BookLevels } from './book-levels.js';

const LEVELS_FIRST = 256;

export class TouchedLevels implements LevelSink {
  /** Where the changes go. */
  private readonly levels: BookLevels;
  /** (price, size) pairs as they are now, `bids` of them, then `asks`. */
  delta = new Float64Array(2 * LEVELS_FIRST);
  bids = 0;
  asks = 0;

  constructor(levels: BookLevels) {
    this.levels = levels;
  }

  set(side: number, price: number, size: number): number {
    const to = 2 * (this.bids + this.asks);
    if (to === this.delta.length) this.grow();
    this.delta[to] = price;
    this.delta[to + 1] = size;
    if (side === 0) this.bids++;
    else this.asks++;
    return this.levels.set(side as 0 | 1, price, size);
  }

  clear(): void {
    this.levels.clear();
    this.forget();
  }

  /** The block is told or does not count. */
  forget(): void {
    this.bids = 0;
    this.asks = 0;
  }

  private grow(): void {
    const wider = new Float64Array(this.delta.length * 2);
    wider.set(this.delta);
    this.delta = wider;
  }
}
