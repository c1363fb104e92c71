/**
 * The levels of one side that lie outside its ladder's window: price → size, exact, in an
 * open-addressing table over two typed arrays (linear probing, deletion by shifting back, so that no
 * tombstone is ever met). Unordered: order is asked for only when a whole book is copied or when the
 * window moves, and then it is made by one sort.
 *
 * Books thread; warm: a few per cent of the updates of a real book land here.
 * Memory: 16 bytes a slot, at most 3/4 full, so 21 to 43 bytes a level.
 */
import type { Scratch } from './scratch.js';

const EMPTY = -1;
const SLOTS_MIN = 16;
const TWO_32 = 4294967296;

export class FarLevels {
  count = 0;
  private prices = new Float64Array(SLOTS_MIN).fill(EMPTY);
  private sizes = new Float64Array(SLOTS_MIN);
  private mask = SLOTS_MIN - 1;

  get(price: number): number {
    const slot = this.find(price);
    return slot < 0 ? 0 : this.sizes[slot]!;
  }

  /** Sets a level; `size` is greater than 0. Returns the old size. */
  set(price: number, size: number): number {
    let slot = this.home(price);
    for (;;) {
      const present = this.prices[slot]!;
      if (present === price) {
        const old = this.sizes[slot]!;
        this.sizes[slot] = size;
        return old;
      }
      if (present === EMPTY) break;
      slot = (slot + 1) & this.mask;
    }
    this.prices[slot] = price;
    this.sizes[slot] = size;
    this.count++;
    if (this.count * 4 > (this.mask + 1) * 3) this.grow();
    return 0;
  }

  /** Removes a level. Returns the old size, 0 if there was none. */
  remove(price: number): number {
    let hole = this.find(price);
    if (hole < 0) return 0;
    const old = this.sizes[hole]!;
    // Shift back every later entry of the run whose home does not lie between the hole and itself.
    let slot = hole;
    for (;;) {
      slot = (slot + 1) & this.mask;
      const present = this.prices[slot]!;
      if (present === EMPTY) break;
      const distanceFromHome = (slot - this.home(present)) & this.mask;
      if (distanceFromHome >= ((slot - hole) & this.mask)) {
        this.prices[hole] = present;
        this.sizes[hole] = this.sizes[slot]!;
        hole = slot;
      }
    }
    this.prices[hole] = EMPTY;
    this.count--;
    return old;
  }

  /** The greatest (`direction` 1) or least (-1) price, or -1 if there is none. Cold: looks at all. */
  best(direction: number): number {
    let best = EMPTY;
    for (let slot = 0; slot <= this.mask; slot++) {
      const price = this.prices[slot]!;
      if (price !== EMPTY && (best === EMPTY || direction * (price - best) > 0)) best = price;
    }
    return best;
  }

  /** Moves all levels out, as (price, size) pairs in no order. Returns how many; `count` becomes 0. */
  drain(target: Scratch): number {
    const pairs = target.atLeast(this.count * 2);
    let at = 0;
    for (let slot = 0; slot <= this.mask; slot++) {
      const price = this.prices[slot]!;
      if (price === EMPTY) continue;
      pairs[at++] = price;
      pairs[at++] = this.sizes[slot]!;
    }
    this.prices.fill(EMPTY);
    this.count = 0;
    return at / 2;
  }

  /** Copies up to `max` levels, best first, as pairs from `target[at]`. Returns how many. Cold. */
  copySorted(direction: number, max: number, target: Float64Array, at: number): number {
    const sorted = new Float64Array(this.count);
    let found = 0;
    for (let slot = 0; slot <= this.mask; slot++) {
      if (this.prices[slot] !== EMPTY) sorted[found++] = this.prices[slot]!;
    }
    sorted.sort();
    const copied = Math.min(max, found);
    for (let i = 0; i < copied; i++) {
      const price = sorted[direction > 0 ? found - 1 - i : i]!;
      target[at + 2 * i] = price;
      target[at + 2 * i + 1] = this.get(price);
    }
    return copied;
  }

  /** Forgets everything and gives back what a large book made it take. */
  clear(): void {
    if (this.mask + 1 > SLOTS_MIN) this.allocate(SLOTS_MIN);
    else this.prices.fill(EMPTY);
    this.count = 0;
  }

  get memoryBytes(): number {
    return this.prices.byteLength + this.sizes.byteLength;
  }

  private find(price: number): number {
    let slot = this.home(price);
    for (;;) {
      const present = this.prices[slot]!;
      if (present === price) return slot;
      if (present === EMPTY) return -1;
      slot = (slot + 1) & this.mask;
    }
  }

  private home(price: number): number {
    const high = price < TWO_32 ? 0 : (price / TWO_32) | 0;
    let h = Math.imul((price | 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    h ^= h >>> 15;
    h = Math.imul(h, 0xc2b2ae35);
    return (h ^ (h >>> 13)) & this.mask;
  }

  private allocate(slots: number): void {
    this.prices = new Float64Array(slots).fill(EMPTY);
    this.sizes = new Float64Array(slots);
    this.mask = slots - 1;
  }

  private grow(): void {
    const { prices, sizes } = this;
    this.allocate(prices.length * 2);
    this.count = 0;
    for (let slot = 0; slot < prices.length; slot++) {
      if (prices[slot] !== EMPTY) this.set(prices[slot]!, sizes[slot]!);
    }
  }
}
