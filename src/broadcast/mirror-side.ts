/**
 * One side of a mirrored book: prices and sizes in two arrays, sorted with the best level at the end,
 * because nearly every change is near the best one: the search starts there and little has to move.
 * Broadcast thread, hot. Any distance from the touch is exact; memory is 16 bytes a level.
 */
import { Side } from '../domain/side.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../domain/level-hash.js';
import type { LevelTable } from './level-table.js';

const CAPACITY_MIN = 64;
/** Up to here moving by hand beats `copyWithin`. */
const MOVE_BY_HAND_MAX = 32;

export class MirrorSide {
  readonly side: Side;
  /** 1: larger prices are better (bids); -1: smaller ones (asks). */
  readonly sign: number;
  prices = new Float64Array(CAPACITY_MIN);
  sizes = new Float64Array(CAPACITY_MIN);
  count = 0;
  private readonly levelsMax: number;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.sign = side === Side.Bid ? 1 : -1;
    this.levelsMax = levelsMax;
  }

  clear(): void {
    this.count = 0;
  }

  /** Takes the levels of `table`, whatever stood here. Cold: sorts them. */
  load(table: LevelTable): void {
    let capacity = this.prices.length;
    while (capacity < table.count) capacity *= 2;
    this.allocate(capacity);
    this.count = table.count;
    table.copySorted(this.sign, this.prices, this.sizes);
  }

  /** Gives all levels to `table` and the memory back. */
  moveTo(table: LevelTable): void {
    for (let i = 0; i < this.count; i++) table.set(this.prices[i]!, this.sizes[i]!);
    this.count = 0;
    this.allocate(CAPACITY_MIN);
  }

  /** Price of the level at `rank`, 0 being the best; the caller knows that it exists. */
  priceAt(rank: number): number {
    return this.prices[this.count - 1 - rank]!;
  }
  sizeAt(rank: number): number {
    return this.sizes[this.count - 1 - rank]!;
  }

  /** Size at a price, 0 where there is no level. */
  sizeOf(price: number): number {
    const index = this.lowerBound(price);
    return index < this.count && this.prices[index] === price ? this.sizes[index]! : 0;
  }

  /** How many levels are as good as `price` or better. */
  countToPrice(price: number): number {
    return this.count - this.lowerBound(price);
  }

  /** Sets a level, 0 removes it; returns the size before, or -1 if the side is full. Hot. */
  set(price: number, size: number): number {
    const index = this.lowerBound(price);
    if (index < this.count && this.prices[index] === price) {
      const before = this.sizes[index]!;
      if (size === 0) this.remove(index);
      else this.sizes[index] = size;
      return before;
    }
    if (size === 0) return 0;
    if (this.count === this.prices.length && !this.grow()) return -1;
    this.insert(index, price, size);
    return 0;
  }

  /** XOR of one hash lane over all levels. Cold: proportional to their number. */
  hashLane(seed: number): number {
    let lane = 0;
    for (let i = 0; i < this.count; i++) {
      lane ^= levelHashLane(seed, this.side, this.prices[i]!, this.sizes[i]!);
    }
    return lane;
  }
  hashLow(): number {
    return this.hashLane(HASH_SEED_LOW);
  }
  hashHigh(): number {
    return this.hashLane(HASH_SEED_HIGH);
  }

  /** First index whose price is as good as `price` or better: gallops down from the best. */
  private lowerBound(price: number): number {
    const prices = this.prices;
    const key = price * this.sign;
    let high = this.count;
    let step = 1;
    let low = high - 1;
    while (low >= 0 && prices[low]! * this.sign >= key) {
      high = low;
      low -= step;
      step <<= 1;
    }
    low = low < 0 ? 0 : low + 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (prices[middle]! * this.sign >= key) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private insert(index: number, price: number, size: number): void {
    const { prices, sizes, count } = this;
    if (count - index <= MOVE_BY_HAND_MAX) {
      for (let i = count; i > index; i--) {
        prices[i] = prices[i - 1]!;
        sizes[i] = sizes[i - 1]!;
      }
    } else {
      prices.copyWithin(index + 1, index, count);
      sizes.copyWithin(index + 1, index, count);
    }
    prices[index] = price;
    sizes[index] = size;
    this.count = count + 1;
  }

  private remove(index: number): void {
    const { prices, sizes, count } = this;
    if (count - index <= MOVE_BY_HAND_MAX) {
      for (let i = index + 1; i < count; i++) {
        prices[i - 1] = prices[i]!;
        sizes[i - 1] = sizes[i]!;
      }
    } else {
      prices.copyWithin(index, index + 1, count);
      sizes.copyWithin(index, index + 1, count);
    }
    this.count = count - 1;
  }

  private allocate(capacity: number): void {
    if (capacity === this.prices.length) return;
    this.prices = new Float64Array(capacity);
    this.sizes = new Float64Array(capacity);
  }

  private grow(): boolean {
    const capacity = this.prices.length * 2;
    if (capacity > this.levelsMax * 2) return false;
    const prices = new Float64Array(capacity);
    const sizes = new Float64Array(capacity);
    prices.set(this.prices);
    sizes.set(this.sizes);
    this.prices = prices;
    this.sizes = sizes;
    return true;
  }
}
