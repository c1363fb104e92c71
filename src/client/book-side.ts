/**
 * One side of a client's book: two parallel typed arrays, sorted from worst to best, so that the
 * touch is at the end and a change near it moves few elements. Hot in a client: no allocation but
 * when the arrays grow.
 *
 *     bids   price  [ 99.0  99.5  99.8  99.9 ]     asks   price  [ 101.2  100.7  100.3  100.1 ]
 *                     worst           best                         worst               best
 */
import { Side } from '../domain/side.js';

const CAPACITY_FIRST = 64;

export class BookSide {
  readonly side: Side;
  /** +1 where a better price is a higher one (bids), -1 where it is a lower one (asks). */
  private readonly direction: number;
  private prices = new Float64Array(CAPACITY_FIRST);
  private sizes = new Float64Array(CAPACITY_FIRST);
  private length = 0;

  constructor(side: Side) {
    this.side = side;
    this.direction = side === Side.Bid ? 1 : -1;
  }

  get count(): number {
    return this.length;
  }

  /** Price mantissa of the level `rank` steps from the best, 0 being the best; NaN beyond the last. */
  priceAt(rank: number): number {
    return rank < this.length ? this.prices[this.length - 1 - rank]! : Number.NaN;
  }

  /** Size mantissa of the level `rank` steps from the best; 0 beyond the last. */
  sizeAt(rank: number): number {
    return rank < this.length ? this.sizes[this.length - 1 - rank]! : 0;
  }

  /** Size at a price, 0 where there is no level. */
  sizeOf(price: number): number {
    const index = this.find(price);
    return index < this.length && this.prices[index] === price ? this.sizes[index]! : 0;
  }

  /** Sets the size at a price, 0 removes the level. Returns the size that stood there before. */
  set(price: number, size: number): number {
    const index = this.find(price);
    const exists = index < this.length && this.prices[index] === price;
    const before = exists ? this.sizes[index]! : 0;
    if (size === 0) {
      if (exists) this.removeAt(index);
    } else if (exists) {
      this.sizes[index] = size;
    } else {
      this.insertAt(index, price, size);
    }
    return before;
  }

  clear(): void {
    this.length = 0;
  }

  /** The first index whose price is not worse than `price`. */
  private find(price: number): number {
    const direction = this.direction;
    const wanted = price * direction;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.prices[middle]! * direction < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private insertAt(index: number, price: number, size: number): void {
    if (this.length === this.prices.length) this.grow();
    if (index < this.length) {
      this.prices.copyWithin(index + 1, index, this.length);
      this.sizes.copyWithin(index + 1, index, this.length);
    }
    this.prices[index] = price;
    this.sizes[index] = size;
    this.length += 1;
  }

  private removeAt(index: number): void {
    this.prices.copyWithin(index, index + 1, this.length);
    this.sizes.copyWithin(index, index + 1, this.length);
    this.length -= 1;
  }

  private grow(): void {
    const prices = new Float64Array(this.prices.length * 2);
    const sizes = new Float64Array(this.sizes.length * 2);
    prices.set(this.prices);
    sizes.set(this.sizes);
    this.prices = prices;
    this.sizes = sizes;
  }
}
