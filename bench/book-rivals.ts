/** The structures that order books are commonly built on, each written with care. For benches. */
import type { Book } from './book-ladder.bench.js';

/** A Map of sizes and a sorted array of prices a side, best at the end. */
export class MapWithSortedKeys implements Book {
  private readonly sizes = [new Map<number, number>(), new Map<number, number>()] as const;
  private readonly keys: readonly [number[], number[]] = [[], []];

  set(side: number, price: number, size: number): number {
    const sizes = this.sizes[side as 0 | 1];
    const old = sizes.get(price) ?? 0;
    if (size !== 0) {
      sizes.set(price, size);
      if (old === 0) this.keys[side as 0 | 1].splice(this.find(side, price), 0, price);
    } else if (old !== 0) {
      sizes.delete(price);
      this.keys[side as 0 | 1].splice(this.find(side, price), 1);
    }
    return old;
  }

  best(side: number): number {
    return this.keys[side as 0 | 1].at(-1) ?? -1;
  }

  count(side: number): number {
    return this.keys[side as 0 | 1].length;
  }

  private find(side: number, price: number): number {
    const keys = this.keys[side as 0 | 1];
    const direction = side === 0 ? 1 : -1;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (direction * (keys[middle]! - price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Prices and sizes in two sorted typed arrays a side, best at the end, moved by copyWithin. */
export class SortedArrays implements Book {
  private readonly sides = [new SortedSide(1), new SortedSide(-1)] as const;

  set(side: number, price: number, size: number): number {
    return this.sides[side as 0 | 1].set(price, size);
  }

  best(side: number): number {
    return this.sides[side as 0 | 1].best();
  }

  count(side: number): number {
    return this.sides[side as 0 | 1].count;
  }
}

class SortedSide {
  count = 0;
  private prices = new Float64Array(16_384);
  private sizes = new Float64Array(16_384);

  constructor(private readonly direction: number) {}

  best(): number {
    return this.count === 0 ? -1 : this.prices[this.count - 1]!;
  }

  set(price: number, size: number): number {
    const { prices, sizes, direction } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (direction * (prices[middle]! - price) < 0) low = middle + 1;
      else high = middle;
    }
    const isThere = low < this.count && prices[low] === price;
    const old = isThere ? sizes[low]! : 0;
    if (size !== 0) {
      if (!isThere) {
        prices.copyWithin(low + 1, low, this.count);
        sizes.copyWithin(low + 1, low, this.count);
        prices[low] = price;
        this.count++;
      }
      sizes[low] = size;
    } else if (isThere) {
      prices.copyWithin(low, low + 1, this.count);
      sizes.copyWithin(low, low + 1, this.count);
      this.count--;
    }
    return old;
  }
}
