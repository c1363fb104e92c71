/**
 * Orders in typed arrays: a slab of slots, each a node of its level's queue, and a table from order
 * id to slot. Runs where its engine runs. Hot: no allocation but when it doubles.
 *
 *     slot     id  owner  open size  level  next  previous  flags       (about 50 bytes with its
 *                                                                        place in the table)
 */
import { IdTable, NOT_FOUND } from '../domain/id-table.js';
import { InvariantError, invariant } from '../faults/invariant.js';

export const NO_SLOT = NOT_FOUND;

export class OrderSlab {
  count = 0;
  orderId: Float64Array;
  owner: Int32Array;
  size: Float64Array;
  level: Int32Array;
  next: Int32Array;
  previous: Int32Array;
  flags: Uint8Array;

  private readonly countMax: number;
  private readonly table: IdTable;
  private free = NO_SLOT;
  private used = 0;

  constructor(countMax: number, capacity = 1024) {
    invariant(countMax > 0 && countMax <= 1 << 28, 'orders must be 1 … 2^28');
    const slots = Math.min(capacity, countMax);
    this.countMax = countMax;
    this.table = new IdTable(slots);
    this.orderId = new Float64Array(slots);
    this.owner = new Int32Array(slots);
    this.size = new Float64Array(slots);
    this.level = new Int32Array(slots);
    this.next = new Int32Array(slots);
    this.previous = new Int32Array(slots);
    this.flags = new Uint8Array(slots);
  }

  get full(): boolean {
    return this.count >= this.countMax;
  }

  /** Slot of a live order, or NO_SLOT. */
  find(orderId: number): number {
    return this.table.get(orderId);
  }

  /** A slot for a new id that is not in the table. The caller fills the other fields. */
  add(orderId: number): number {
    if (this.count >= this.countMax) throw new InvariantError('order slab over its limit');
    let slot = this.free;
    if (slot !== NO_SLOT) {
      this.free = this.next[slot]!;
    } else {
      if (this.used === this.orderId.length) this.grow();
      slot = this.used++;
    }
    this.orderId[slot] = orderId;
    this.table.set(orderId, slot);
    this.count++;
    return slot;
  }

  remove(slot: number): void {
    if (this.table.remove(this.orderId[slot]!) !== slot) {
      throw new InvariantError('the order is not in the table under its id');
    }
    this.next[slot] = this.free;
    this.free = slot;
    this.count--;
  }

  private grow(): void {
    const slots = Math.min(this.orderId.length * 2, this.countMax);
    this.orderId = grownDoubles(this.orderId, slots);
    this.owner = grownInts(this.owner, slots);
    this.size = grownDoubles(this.size, slots);
    this.level = grownInts(this.level, slots);
    this.next = grownInts(this.next, slots);
    this.previous = grownInts(this.previous, slots);
    const flags = new Uint8Array(slots);
    flags.set(this.flags);
    this.flags = flags;
  }
}

export function grownDoubles(from: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(length);
  to.set(from);
  return to;
}

export function grownInts(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
