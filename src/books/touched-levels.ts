/**
 * The levels that a block changed, each once: what the L2 delta of the block is made of. Books
 * thread; hot: one call an order event.
 */
import { IdTable, NOT_FOUND } from '../domain/id-table.js';
import type { BookLevels } from './book-levels.js';
import type { LevelSink } from '../domain/order-ledger.js';

const LEVELS_FIRST = 256;

export class TouchedLevels implements LevelSink {
  /** Where the changes go. */
  private readonly levels: BookLevels;
  private readonly seen = new IdTable(LEVELS_FIRST);
  /** (side, price) pairs in the order of their first change. */
  private touched = new Float64Array(2 * LEVELS_FIRST);
  private count = 0;
  private delta = new Float64Array(2 * LEVELS_FIRST);
  /** Of the last `collect`. */
  bids = 0;
  asks = 0;

  constructor(levels: BookLevels) {
    this.levels = levels;
  }

  set(side: number, price: number, size: number): number {
    const key = price * 2 + side;
    if (this.seen.get(key) === NOT_FOUND) {
      this.seen.set(key, 0);
      if (this.count * 2 === this.touched.length) this.grow();
      this.touched[this.count * 2] = side;
      this.touched[this.count * 2 + 1] = price;
      this.count++;
    }
    return this.levels.set(side as 0 | 1, price, size);
  }

  clear(): void {
    this.levels.clear();
    this.forget();
  }

  /** The block is told or does not count. */
  forget(): void {
    if (this.count === 0) return;
    this.seen.clear();
    this.count = 0;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** (price, size) pairs of all touched levels as they are now, bids first, from index 0. */
  collect(): Float64Array {
    if (this.delta.length < this.count * 2) this.delta = new Float64Array(this.touched.length);
    let to = 0;
    for (let side = 0; side < 2; side++) {
      const from = to;
      for (let i = 0; i < this.count; i++) {
        if (this.touched[i * 2] !== side) continue;
        const price = this.touched[i * 2 + 1]!;
        this.delta[to] = price;
        this.delta[to + 1] = this.levels.ladder.sizeAt(side as 0 | 1, price);
        to += 2;
      }
      if (side === 0) this.bids = (to - from) / 2;
      else this.asks = (to - from) / 2;
    }
    return this.delta;
  }

  private grow(): void {
    const wider = new Float64Array(this.touched.length * 2);
    wider.set(this.touched);
    this.touched = wider;
  }
}
