/**
 * Prices of one side that changed since the last frame of a stream: appended as they come, put in
 * order and freed of repeats when the frame is written. Simulator's thread; hot.
 */
import { grownDoubles } from '../matching/order-slab.js';

export class ChangeSet {
  private prices = new Float64Array(64);
  private appended = 0;

  add(price: number): void {
    if (this.appended === this.prices.length) this.makeRoom();
    this.prices[this.appended++] = price;
  }

  /** Ascending and without repeats from here to `clear`. Returns how many. */
  settle(): number {
    const { prices, appended } = this;
    if (appended < 2) return appended;
    if (appended === 2) {
      if (prices[0]! > prices[1]!) {
        const first = prices[1]!;
        prices[1] = prices[0]!;
        prices[0] = first;
      }
    } else {
      prices.subarray(0, appended).sort();
    }
    let kept = 1;
    for (let at = 1; at < appended; at++) {
      if (prices[at] !== prices[kept - 1]) prices[kept++] = prices[at]!;
    }
    this.appended = kept;
    return kept;
  }

  at(index: number): number {
    return this.prices[index]!;
  }

  clear(): void {
    this.appended = 0;
  }

  private makeRoom(): void {
    const kept = this.settle();
    if (kept > this.prices.length / 2) {
      this.prices = grownDoubles(this.prices, this.prices.length * 2);
    }
  }
}
