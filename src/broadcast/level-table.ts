/**
 * One side of a mirrored book without order: (price, size) as they stand on the wire, four words a
 * level, in an open-addressing table keyed by price. Broadcast thread, the hottest code of the room: a
 * level costs 6 to 10 ns, whatever the book's size, and is never turned into doubles.
 *
 * A removed level keeps its slot with size 0, so that nothing is ever shifted and a price that comes
 * back finds its place; when three quarters of the slots are taken, the table is made anew without
 * them. Memory: 16 bytes a slot, 21 to 64 bytes a level.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../domain/level-hash.js';
import type { Side } from '../domain/side.js';
import { isExactInt64, TWO_32 } from '../wire/int64.js';

const SLOTS_MIN = 16;
const SLOT_WORDS = 4;
/** Stands in the high word of a free slot's price: no exact price has it. */
const FREE = 0x7fff_ffff;

export class LevelTable {
  /** Levels, those of size 0 not counted. */
  count = 0;
  private readonly side: Side;
  private readonly levelsMax: number;
  private slots = new Int32Array(0);
  /** Index of the last word of the table: `x & mask` of a slot's first word stays within it. */
  private mask = 0;
  private shift = 0;
  /** Slots that hold a price, of whatever size. */
  private taken = 0;
  private takenMax = 0;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.levelsMax = levelsMax;
    this.allocate(SLOTS_MIN);
  }

  /** Empties it and gives its memory back. */
  clear(): void {
    this.count = 0;
    this.taken = 0;
    this.allocate(SLOTS_MIN);
  }

  /**
   * Sets the `levels` levels at `words[at]`, size 0 removes. False if a number is beyond 2^53 or the
   * side is full; those before it are set. Hot.
   */
  setAll(words: Int32Array, at: number, levels: number): boolean {
    const end = at + levels * SLOT_WORDS;
    for (let i = at; i < end; i += SLOT_WORDS) {
      const priceHigh = words[i + 1]!;
      const sizeHigh = words[i + 3]!;
      if ((priceHigh | sizeHigh) !== 0 && !(isExactInt64(priceHigh) && isExactInt64(sizeHigh))) {
        return false;
      }
      if (!this.setWords(words[i]!, priceHigh, words[i + 2]!, sizeHigh)) return false;
    }
    return true;
  }

  /** As `setAll`, for a level in doubles. */
  set(price: number, size: number): boolean {
    return this.setWords(
      price | 0,
      Math.floor(price / TWO_32),
      size | 0,
      Math.floor(size / TWO_32),
    );
  }

  /** XOR of one hash lane over all levels. Cold: proportional to their number. */
  hashLane(seed: number): number {
    const { slots, side } = this;
    let lane = 0;
    for (let at = 0; at < slots.length; at += SLOT_WORDS) {
      if ((slots[at + 2]! | slots[at + 3]!) === 0) continue;
      lane ^= levelHashLane(seed, side, doubleAt(slots, at), doubleAt(slots, at + 2));
    }
    return lane;
  }
  hashLow(): number {
    return this.hashLane(HASH_SEED_LOW);
  }
  hashHigh(): number {
    return this.hashLane(HASH_SEED_HIGH);
  }

  /** Prices and sizes of all levels, sorted by price × sign, least first. Cold. */
  copySorted(sign: number, prices: Float64Array, sizes: Float64Array): void {
    const { slots } = this;
    const keys = prices.subarray(0, this.count);
    let found = 0;
    for (let at = 0; at < slots.length; at += SLOT_WORDS) {
      if ((slots[at + 2]! | slots[at + 3]!) !== 0) keys[found++] = doubleAt(slots, at) * sign;
    }
    keys.sort();
    for (let i = 0; i < found; i++) {
      const price = keys[i]! * sign;
      keys[i] = price;
      sizes[i] = doubleAt(slots, this.find(price | 0, Math.floor(price / TWO_32)) + 2);
    }
  }

  private setWords(
    priceLow: number,
    priceHigh: number,
    sizeLow: number,
    sizeHigh: number,
  ): boolean {
    const at = this.find(priceLow, priceHigh);
    const { slots } = this;
    const isThere = (sizeLow | sizeHigh) !== 0;
    if (slots[at + 1] === FREE) {
      if (!isThere) return true;
      slots[at] = priceLow;
      slots[at + 1] = priceHigh;
      this.taken++;
      this.count++;
    } else {
      const wasThere = (slots[at + 2]! | slots[at + 3]!) !== 0;
      if (isThere !== wasThere) this.count += isThere ? 1 : -1;
    }
    slots[at + 2] = sizeLow;
    slots[at + 3] = sizeHigh;
    return this.taken < this.takenMax || this.renew();
  }

  /** First word of the price's slot, or of the free one where it would stand. Hot. */
  private find(priceLow: number, priceHigh: number): number {
    const { slots, mask } = this;
    const mixed = Math.imul(priceLow ^ Math.imul(priceHigh, 0x85ebca6b), 0x9e3779b1);
    let at = (mixed >>> this.shift) * SLOT_WORDS;
    for (;;) {
      const high = slots[at + 1]!;
      if ((high === priceHigh && slots[at] === priceLow) || high === FREE) return at;
      at = (at + SLOT_WORDS) & mask;
    }
  }

  /** Makes the table anew without what was removed, at most half full. False if it would be too large. */
  private renew(): boolean {
    if (this.count > this.levelsMax) return false;
    const before = this.slots;
    let slots = SLOTS_MIN;
    while (slots < this.count * 2) slots *= 2;
    this.taken = 0;
    this.count = 0;
    this.allocate(slots);
    for (let at = 0; at < before.length; at += SLOT_WORDS) {
      if ((before[at + 2]! | before[at + 3]!) === 0) continue;
      this.setWords(before[at]!, before[at + 1]!, before[at + 2]!, before[at + 3]!);
    }
    return true;
  }

  private allocate(slots: number): void {
    if (slots * SLOT_WORDS !== this.slots.length) this.slots = new Int32Array(slots * SLOT_WORDS);
    this.slots.fill(0);
    for (let at = 1; at < this.slots.length; at += SLOT_WORDS) this.slots[at] = FREE;
    this.mask = slots * SLOT_WORDS - 1;
    this.shift = 32 - Math.log2(slots);
    this.takenMax = (slots / 4) * 3;
  }
}

function doubleAt(words: Int32Array, at: number): number {
  return words[at + 1]! * TWO_32 + (words[at]! >>> 0);
}
