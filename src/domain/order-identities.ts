/**
 * Whose each order is: 48 bytes an order, by its slot in the ledger. Kept apart from what adding and
 * removing neighbours reads, so that their records stay small. Warm: written once an order, read by
 * whoever prints it. Growth doubles it and is the only allocation.
 *
 *     word   0 1  placed, ms (a double)    2  attributes    3 … 7  owner    8 … 11  client id
 */

/** 32-bit words of an owner address (20 bytes) and of a client order id (16 bytes). */
export const OWNER_WORDS = 5;
export const CLIENT_ID_WORDS = 4;

const RECORD_WORDS = 12;
const RECORD_DOUBLES = 6;
const ATTRIBUTES = 2;
const OWNER = 3;
const CLIENT_ID = OWNER + OWNER_WORDS;

export class OrderIdentities {
  /** Owners and client ids are read from here: see `ownerAt`, `clientIdAt`. */
  words: Int32Array;
  private doubles: Float64Array;
  private capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.words = new Int32Array(capacity * RECORD_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
  }

  /**
   * Takes placed ms, attributes, five words of owner and four of client id from `source[at]` on: their
   * order in ring records and in messages alike.
   */
  set(slot: number, source: Float64Array, at: number): void {
    if (slot >= this.capacity) this.grow(slot);
    this.doubles[slot * RECORD_DOUBLES] = source[at]!;
    const to = slot * RECORD_WORDS + ATTRIBUTES;
    const { words } = this;
    for (let i = 0; i < RECORD_WORDS - ATTRIBUTES; i++) words[to + i] = source[at + 1 + i]!;
  }

  /** Puts them back, in the order in which `set` takes them. */
  copy(slot: number, target: Float64Array, at: number): void {
    target[at] = this.doubles[slot * RECORD_DOUBLES]!;
    const from = slot * RECORD_WORDS + ATTRIBUTES;
    const { words } = this;
    for (let i = 0; i < RECORD_WORDS - ATTRIBUTES; i++) target[at + 1 + i] = words[from + i]! >>> 0;
  }

  /** Takes over those of the first `slots`; allocates only where they do not fit. */
  copyFrom(other: OrderIdentities, slots: number): void {
    const words = Math.min(slots * RECORD_WORDS, other.words.length);
    if (this.words.length < words) {
      this.capacity = other.capacity;
      this.words = new Int32Array(other.words.length);
      this.doubles = new Float64Array(this.words.buffer);
    }
    this.words.set(other.words.subarray(0, words));
  }

  /** Milliseconds the venue stamps on the order; 0 if it did not say. */
  placedMs(slot: number): number {
    return this.doubles[slot * RECORD_DOUBLES]!;
  }

  /** Bits of OrderAttribute. */
  attributes(slot: number): number {
    return this.words[slot * RECORD_WORDS + ATTRIBUTES]!;
  }

  /** Where the owner's words begin in `words`. */
  ownerAt(slot: number): number {
    return slot * RECORD_WORDS + OWNER;
  }

  /** Where the client id's words begin in `words`. */
  clientIdAt(slot: number): number {
    return slot * RECORD_WORDS + CLIENT_ID;
  }

  get memoryBytes(): number {
    return this.words.byteLength;
  }

  private grow(slot: number): void {
    while (this.capacity <= slot) this.capacity *= 2;
    const words = new Int32Array(this.capacity * RECORD_WORDS);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}
