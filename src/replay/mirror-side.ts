/**
 * One side of a book as a sorted array, worst first, so that most changes are near its end. Written
 * apart from the books' ladder on purpose: a replay compares the two. Replay thread.
 */
import { Side } from '../domain/side.js';

const FIRST_CAPACITY = 1024;

export class MirrorSide {
  count = 0;
  /** Prices times `sign` rise along the array: the best stands last. */
  private readonly sign: number;
  private keys = new Float64Array(FIRST_CAPACITY);
  private sizes = new Float64Array(FIRST_CAPACITY);

  constructor(readonly side: Side) {
    this.sign = side === Side.Bid ? 1 : -1;
  }

  /** Rank 0 is the best. */
  priceAt(rank: number): number {
    return this.keys[this.count - 1 - rank]! * this.sign;
  }

  sizeAt(rank: number): number {
    return this.sizes[this.count - 1 - rank]!;
  }

  clear(): void {
    this.count = 0;
  }

  /** Sets the size at a price, 0 removes it; returns the size before. */
  set(price: number, size: number): number {
    const key = price * this.sign;
    const at = this.firstNotBelow(key);
    if (at < this.count && this.keys[at] === key) {
      const before = this.sizes[at]!;
      if (size !== 0) this.sizes[at] = size;
      else this.close(at);
      return before;
    }
    if (size !== 0) this.insert(at, key, size);
    return 0;
  }

  private firstNotBelow(key: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private insert(at: number, key: number, size: number): void {
    if (this.count === this.keys.length) this.grow();
    this.keys.copyWithin(at + 1, at, this.count);
    this.sizes.copyWithin(at + 1, at, this.count);
    this.keys[at] = key;
    this.sizes[at] = size;
    this.count++;
  }

  private close(at: number): void {
    this.keys.copyWithin(at, at + 1, this.count);
    this.sizes.copyWithin(at, at + 1, this.count);
    this.count--;
  }

  private grow(): void {
    const keys = new Float64Array(this.keys.length * 2);
    const sizes = new Float64Array(this.sizes.length * 2);
    keys.set(this.keys);
    sizes.set(this.sizes);
    this.keys = keys;
    this.sizes = sizes;
  }
}
