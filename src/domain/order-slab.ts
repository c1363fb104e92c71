/**
 * Orders of one instrument in columns of typed arrays: the memory under the order-by-order book.
 * Books thread, hot. A slot is a whole number; freed slots are handed out again (a free list runs
 * through `next`). Growth doubles every column and is the only allocation.
 *
 *     oid ───────┐      price level                 per slot: 76 bytes
 *     IdTable    │      head ⇄ slot ⇄ slot ⇄ tail    (BTC, 51 k orders → 65,536 slots → 5 MB)
 *     oid → slot ┘      first in time … last in time
 */
import { invariant } from '../faults/invariant.js';

export const NO_SLOT = -1;

/** 32-bit words of an owner address (20 bytes) and of a client order id (16 bytes). */
export const OWNER_WORDS = 5;
export const CLIENT_ID_WORDS = 4;

export class OrderSlab {
  oid: Float64Array;
  size: Float64Array;
  /** Milliseconds the venue stamps on the order; 0 if it did not say. */
  placedMs: Float64Array;
  /** Neighbours in the level's queue, NO_SLOT at its ends. */
  next: Int32Array;
  previous: Int32Array;
  /** Level slot (see OrderLevels). */
  level: Int32Array;
  /** Venue-defined bits: time in force, order type, reduce-only, has a client id, … */
  attributes: Int32Array;
  owner: Int32Array;
  clientId: Int32Array;
  private free = NO_SLOT;
  private used = 0;
  private capacity: number;

  constructor(capacity: number) {
    invariant(capacity > 0, 'a slab has room for at least one order');
    this.capacity = capacity;
    this.oid = new Float64Array(capacity);
    this.size = new Float64Array(capacity);
    this.placedMs = new Float64Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.level = new Int32Array(capacity);
    this.attributes = new Int32Array(capacity);
    this.owner = new Int32Array(capacity * OWNER_WORDS);
    this.clientId = new Int32Array(capacity * CLIENT_ID_WORDS);
  }

  take(): number {
    const slot = this.free;
    if (slot !== NO_SLOT) {
      this.free = this.next[slot]!;
      return slot;
    }
    if (this.used === this.capacity) this.grow();
    return this.used++;
  }

  give(slot: number): void {
    this.oid[slot] = NO_SLOT;
    this.next[slot] = this.free;
    this.free = slot;
  }

  /** Slots handed out so far, whether in use or given back: a walk over all orders ends here. */
  get usedSlots(): number {
    return this.used;
  }

  isUsed(slot: number): boolean {
    return this.oid[slot] !== NO_SLOT;
  }

  clear(): void {
    this.free = NO_SLOT;
    this.used = 0;
  }

  get memoryBytes(): number {
    return this.capacity * (8 * 3 + 4 * 4 + 4 * OWNER_WORDS + 4 * CLIENT_ID_WORDS);
  }

  private grow(): void {
    this.capacity *= 2;
    this.oid = widen(this.oid);
    this.size = widen(this.size);
    this.placedMs = widen(this.placedMs);
    this.next = widenWords(this.next);
    this.previous = widenWords(this.previous);
    this.level = widenWords(this.level);
    this.attributes = widenWords(this.attributes);
    this.owner = widenWords(this.owner);
    this.clientId = widenWords(this.clientId);
  }
}

function widen(column: Float64Array): Float64Array {
  const wider = new Float64Array(column.length * 2);
  wider.set(column);
  return wider;
}

function widenWords(column: Int32Array): Int32Array {
  const wider = new Int32Array(column.length * 2);
  wider.set(column);
  return wider;
}
