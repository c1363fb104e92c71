/**
 * The levels of one side: a slab of levels (sum, order count, queue ends) and, over it, the levels
 * in order of price with the best at the end. Runs where its engine runs.
 *
 * Hot: the best is the last element; a level is found by galloping back from the best and then
 * halving, O(log distance from the touch), where nearly all activity is; putting one in or taking
 * one out moves only what is better than it (one memmove). Any distance is exact: prices are keys,
 * not indexes.
 */
import { Side } from '../domain/side.js';
import { NO_SLOT, grownDoubles, grownInts } from './order-slab.js';

export class LevelSide {
  count = 0;
  readonly side: Side;

  // the slab, by level number
  price: Float64Array;
  size: Float64Array;
  orders: Int32Array;
  head: Int32Array;
  tail: Int32Array;

  /** Ascending: +price for bids, -price for asks, so that the best of either is the last. */
  private keys: Float64Array;
  private levels: Int32Array;
  private readonly sign: number;
  private free = NO_SLOT;
  private used = 0;

  constructor(side: Side, capacity = 256) {
    this.side = side;
    this.sign = side === Side.Bid ? 1 : -1;
    this.price = new Float64Array(capacity);
    this.size = new Float64Array(capacity);
    this.orders = new Int32Array(capacity);
    this.head = new Int32Array(capacity);
    this.tail = new Int32Array(capacity);
    this.keys = new Float64Array(capacity);
    this.levels = new Int32Array(capacity);
  }

  /** Level number of the best price, or NO_SLOT. */
  get best(): number {
    return this.count === 0 ? NO_SLOT : this.levels[this.count - 1]!;
  }

  /** Level number at a rank counted from the best (0), or NO_SLOT. */
  at(rank: number): number {
    return rank < this.count ? this.levels[this.count - 1 - rank]! : NO_SLOT;
  }

  find(price: number): number {
    const index = this.lowerBound(price * this.sign);
    return index < this.count && this.keys[index] === price * this.sign
      ? this.levels[index]!
      : NO_SLOT;
  }

  /** The level at `price`, made empty if it is not there. */
  obtain(price: number): number {
    const key = price * this.sign;
    const index = this.lowerBound(key);
    if (index < this.count && this.keys[index] === key) return this.levels[index]!;
    if (this.count === this.keys.length) this.grow();
    if (index < this.count) {
      this.keys.copyWithin(index + 1, index, this.count);
      this.levels.copyWithin(index + 1, index, this.count);
    }
    let level = this.free;
    if (level !== NO_SLOT) this.free = this.head[level]!;
    else level = this.used++;
    this.keys[index] = key;
    this.levels[index] = level;
    this.count++;
    this.price[level] = price;
    this.size[level] = 0;
    this.orders[level] = 0;
    this.head[level] = NO_SLOT;
    this.tail[level] = NO_SLOT;
    return level;
  }

  /** Takes an empty level out. */
  remove(level: number): void {
    const index = this.lowerBound(this.price[level]! * this.sign);
    if (index < this.count - 1) {
      this.keys.copyWithin(index, index + 1, this.count);
      this.levels.copyWithin(index, index + 1, this.count);
    }
    this.count--;
    this.head[level] = this.free;
    this.free = level;
  }

  /** First index whose key is not below `key`. */
  private lowerBound(key: number): number {
    const keys = this.keys;
    let high = this.count;
    let step = 1;
    let low = high - 1;
    while (low >= 0 && keys[low]! >= key) {
      high = low;
      low -= step;
      step *= 2;
    }
    low = low < 0 ? 0 : low + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const length = this.keys.length * 2;
    this.price = grownDoubles(this.price, length);
    this.size = grownDoubles(this.size, length);
    this.orders = grownInts(this.orders, length);
    this.head = grownInts(this.head, length);
    this.tail = grownInts(this.tail, length);
    this.keys = grownDoubles(this.keys, length);
    this.levels = grownInts(this.levels, length);
  }
}
