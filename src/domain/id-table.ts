/**
 * An open-addressing table from a positive whole number below 2^53 (order id, price mantissa) to a
 * 32-bit slot. Hot: books thread, twice an order event. No allocation except when it grows.
 *
 * Linear probing over a power of two of places; at most half full, so a probe is short. A removal
 * shifts the followers of the run back, so there are no tombstones and no slow decay.
 */
const EMPTY = -1;
export const NOT_FOUND = -1;

const GOLDEN = 0x9e3779b1;
const TWO_32 = 4294967296;

export class IdTable {
  private keys: Float64Array;
  private slots: Int32Array;
  private mask: number;
  private shift: number;
  private live = 0;

  /** @param capacity keys that fit before it grows for the first time */
  constructor(capacity: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(Math.max(1, capacity) * 2)));
    this.mask = (1 << bits) - 1;
    this.shift = 32 - bits;
    this.keys = new Float64Array(1 << bits);
    this.slots = new Int32Array(1 << bits).fill(EMPTY);
  }

  get count(): number {
    return this.live;
  }

  get memoryBytes(): number {
    return this.keys.byteLength + this.slots.byteLength;
  }

  /** The slot stored under `key`, or NOT_FOUND. */
  get(key: number): number {
    const keys = this.keys;
    const slots = this.slots;
    const mask = this.mask;
    let at = this.home(key);
    for (;;) {
      const slot = slots[at]!;
      if (slot === EMPTY || keys[at] === key) return slot;
      at = (at + 1) & mask;
    }
  }

  /** Stores `slot` (not negative) under `key`, replacing what was there. */
  set(key: number, slot: number): void {
    let at = this.home(key);
    while (this.slots[at] !== EMPTY) {
      if (this.keys[at] === key) {
        this.slots[at] = slot;
        return;
      }
      at = (at + 1) & this.mask;
    }
    this.keys[at] = key;
    this.slots[at] = slot;
    this.live++;
    if (this.live * 2 > this.mask) this.grow();
  }

  /** Removes `key` and returns the slot that was under it, or NOT_FOUND. */
  remove(key: number): number {
    const keys = this.keys;
    const slots = this.slots;
    const mask = this.mask;
    let hole = this.home(key);
    for (;;) {
      if (slots[hole] === EMPTY) return NOT_FOUND;
      if (keys[hole] === key) break;
      hole = (hole + 1) & mask;
    }
    const removed = slots[hole]!;
    this.live--;
    let at = hole;
    for (;;) {
      at = (at + 1) & mask;
      if (slots[at] === EMPTY) break;
      // A follower may move into the hole unless its home lies between the hole and itself.
      const home = this.home(keys[at]!);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        keys[hole] = keys[at]!;
        slots[hole] = slots[at]!;
        hole = at;
      }
    }
    slots[hole] = EMPTY;
    return removed;
  }

  clear(): void {
    this.slots.fill(EMPTY);
    this.live = 0;
  }

  private home(key: number): number {
    const high = key < TWO_32 ? 0 : (key / TWO_32) | 0;
    let h = (key | 0) ^ Math.imul(high, 0x85ebca6b);
    h ^= h >>> 15;
    return Math.imul(h, GOLDEN) >>> this.shift;
  }

  private grow(): void {
    const oldKeys = this.keys;
    const oldSlots = this.slots;
    const places = oldKeys.length * 2;
    this.mask = places - 1;
    this.shift -= 1;
    this.keys = new Float64Array(places);
    this.slots = new Int32Array(places).fill(EMPTY);
    this.live = 0;
    for (let i = 0; i < oldSlots.length; i++) {
      if (oldSlots[i] !== EMPTY) this.set(oldKeys[i]!, oldSlots[i]!);
    }
  }
}
