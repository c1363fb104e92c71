/**
 * Records of 32 bytes, each found by a key: the memory under the order-by-order book. Whatever thread
 * holds the book; the hottest structure there is: once to three times an order event, no allocation
 * but when it doubles.
 *
 *     record (slot)       doubles[4·slot]  key  + 1 the owner's
 *                         words  [8·slot + 4 … + 7] the owner's
 *     index (place)       slots  [place] the slot, EMPTY if free
 *
 * A record stands in one half of a cache line, so to find an order and to change it costs two misses:
 * its place in the index and itself. The index holds nothing but slots: the record, which is wanted
 * anyway, tells whether it is the one. Linear probing over a power of two of places, at most a quarter
 * of them taken, so that the first one looked at nearly always decides: a branch that goes another way
 * than expected costs as much as the rest of the search. A removal shifts the followers of the run
 * back, so there are no tombstones and no slow decay.
 *
 * Keys are whole numbers from −2^53 to 2^53. They are handed in as places in a Float64Array: a double
 * beyond 31 bits, handed to a function that is not inlined, is an object on the heap. Constants are of
 * this module, here and in OrderLedger: an imported one is loaded and checked at every use. Indexes are
 * made by shift and or: a multiplication or an addition is checked for overflow.
 *
 * Free slots are chained through the record's first word and handed out again, the last freed first:
 * it is still in the cache.
 */
import { InvariantError, invariant } from '../faults/invariant.js';

const NOT_FOUND = -1;
const EMPTY = -1;
const RECORD_WORDS = 8;
/** The word of a free record that holds the next free slot: the first after its two doubles. */
const FREE_NEXT = 4;
/** Key of a free record: no whole number. */
const FREE_KEY = -0.5;
const GOLDEN = 0x9e3779b1;
const TWO_32 = 4294967296;
/** At least so many places for each record. */
const PLACES_PER_RECORD = 4;
/** Slots stay below this, so that the index of a word is a small integer. */
const RECORDS_MAX = 2 ** 26;

export class KeyedRecords {
  doubles: Float64Array;
  words: Int32Array;
  count = 0;
  /** Slots handed out so far, in use or free again: a walk over all records ends here. */
  usedSlots = 0;
  private free = NOT_FOUND;
  private capacity: number;
  private slots: Int32Array;
  private mask: number;
  private shift: number;
  /** Of the last `find`: where the key stands in the index, or where it would be put. */
  private place = 0;

  /** @param capacity records that fit before it grows for the first time */
  constructor(capacity: number) {
    invariant(capacity > 0, 'there is room for at least one record');
    this.capacity = capacity;
    this.words = new Int32Array(capacity * RECORD_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    const bits = Math.max(4, Math.ceil(Math.log2(capacity * PLACES_PER_RECORD)));
    this.mask = (1 << bits) - 1;
    this.shift = 32 - bits;
    this.slots = new Int32Array(2 ** bits).fill(EMPTY);
  }

  /** Slot of the record whose key stands at `keys[at]`, or -1. Hot. */
  find(keys: Float64Array, at: number): number {
    const { slots, doubles, mask } = this;
    const key = keys[at]!;
    let place = homeOf(key, this.shift);
    let slot = slots[place]!;
    while (slot !== EMPTY && doubles[slot << 2] !== key) {
      place = (place + 1) & mask;
      slot = slots[place]!;
    }
    this.place = place;
    return slot;
  }

  /** A record for the key that `find`, the call before, did not find. Its other fields are stale. */
  insertMissed(keys: Float64Array, at: number): number {
    let slot = this.free;
    if (slot !== NOT_FOUND) {
      this.free = this.words[(slot << 3) | FREE_NEXT]!;
    } else {
      if (this.usedSlots === this.capacity) this.growRecords();
      slot = this.usedSlots++;
    }
    this.doubles[slot << 2] = keys[at]!;
    this.slots[this.place] = slot;
    this.count++;
    if (this.count * PLACES_PER_RECORD > this.mask) this.growIndex();
    return slot;
  }

  /** Frees the record `slot`, which `find`, the call before, found. */
  removeFound(slot: number): void {
    this.doubles[slot << 2] = FREE_KEY;
    this.words[(slot << 3) | FREE_NEXT] = this.free;
    this.free = slot;
    this.count--;
    const { slots, doubles, mask, shift } = this;
    let hole = this.place;
    let place = hole;
    for (;;) {
      place = (place + 1) & mask;
      const follower = slots[place]!;
      if (follower === EMPTY) break;
      // A follower may move into the hole unless its home lies between the hole and itself.
      const home = homeOf(doubles[follower << 2]!, shift);
      if (((place - home) & mask) >= ((place - hole) & mask)) {
        slots[hole] = follower;
        hole = place;
      }
    }
    slots[hole] = EMPTY;
  }

  /** Becomes the same as `other`; allocates only where that one does not fit. */
  copyFrom(other: KeyedRecords): void {
    const words = other.usedSlots * RECORD_WORDS;
    if (this.words.length < words) {
      this.capacity = other.capacity;
      this.words = new Int32Array(other.words.length);
      this.doubles = new Float64Array(this.words.buffer);
    }
    this.words.set(other.words.subarray(0, words));
    if (this.slots.length === other.slots.length) this.slots.set(other.slots);
    else this.slots = other.slots.slice();
    this.mask = other.mask;
    this.shift = other.shift;
    this.count = other.count;
    this.usedSlots = other.usedSlots;
    this.free = other.free;
  }

  clear(): void {
    this.slots.fill(EMPTY);
    this.free = NOT_FOUND;
    this.usedSlots = 0;
    this.count = 0;
  }

  get memoryBytes(): number {
    return this.words.byteLength + this.slots.byteLength;
  }

  private growRecords(): void {
    if (this.capacity === RECORDS_MAX) throw new InvariantError('a book has at most 2^26 records');
    this.capacity = Math.min(this.capacity * 2, RECORDS_MAX);
    const words = new Int32Array(this.capacity * RECORD_WORDS);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }

  private growIndex(): void {
    const { slots, doubles } = this;
    this.mask = (this.mask << 1) | 1;
    this.shift -= 1;
    const wider = new Int32Array(slots.length * 2).fill(EMPTY);
    for (const slot of slots) {
      if (slot === EMPTY) continue;
      let place = homeOf(doubles[slot << 2]!, this.shift);
      while (wider[place] !== EMPTY) place = (place + 1) & this.mask;
      wider[place] = slot;
    }
    this.slots = wider;
  }
}

/** Where a key would stand in an index of 2^(32 − shift) places. */
function homeOf(key: number, shift: number): number {
  const low = (key | 0) ^ Math.imul((key / TWO_32) | 0, 0x85ebca6b);
  return (Math.imul(low ^ (low >>> 15), GOLDEN) >>> shift) | 0;
}
