/**
 * Orders in typed arrays: a slab of slots, each a node of its level's queue, and an open-addressing
 * table from order id to slot. Runs where its engine runs. Hot: no allocation but when it doubles.
 *
 *     slot     id  owner  open size  level  next  previous  flags
 *     table    hash(id) … linear probing over slot numbers, load ≤ 1/2, removal by shifting back,
 *              so that no tombstones gather however long it runs
 */
import { InvariantError, invariant } from '../faults/invariant.js';

export const NO_SLOT = -1;

/** Ids are whole numbers in 0 … 2^53 - 1: both halves take part. */
function hashOf(orderId: number): number {
  let h = Math.imul((orderId | 0) ^ Math.imul((orderId / 4294967296) | 0, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 13);
}

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
  private free = NO_SLOT;
  private used = 0;
  private table: Int32Array;
  private mask: number;

  constructor(countMax: number, capacity = 1024) {
    invariant(countMax > 0 && countMax <= 1 << 28, 'orders must be 1 … 2^28');
    const slots = Math.min(capacity, countMax);
    this.countMax = countMax;
    this.orderId = new Float64Array(slots);
    this.owner = new Int32Array(slots);
    this.size = new Float64Array(slots);
    this.level = new Int32Array(slots);
    this.next = new Int32Array(slots);
    this.previous = new Int32Array(slots);
    this.flags = new Uint8Array(slots);
    this.table = this.makeTable(slots);
    this.mask = this.table.length - 1;
  }

  get full(): boolean {
    return this.count >= this.countMax;
  }

  find(orderId: number): number {
    let at = hashOf(orderId) & this.mask;
    for (;;) {
      const slot = this.table[at]!;
      if (slot === NO_SLOT || this.orderId[slot] === orderId) return slot;
      at = (at + 1) & this.mask;
    }
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
    this.insert(orderId, slot);
    this.count++;
    return slot;
  }

  remove(slot: number): void {
    let hole = hashOf(this.orderId[slot]!) & this.mask;
    while (this.table[hole] !== slot) {
      if (this.table[hole] === NO_SLOT) throw new InvariantError('order is not in the table');
      hole = (hole + 1) & this.mask;
    }
    this.closeHole(hole);
    this.next[slot] = this.free;
    this.free = slot;
    this.count--;
  }

  /** Moves back every entry behind the hole that may stand nearer to its own place. */
  private closeHole(start: number): void {
    let hole = start;
    let at = (hole + 1) & this.mask;
    for (;;) {
      const slot = this.table[at]!;
      if (slot === NO_SLOT) break;
      const home = hashOf(this.orderId[slot]!) & this.mask;
      if (((at - home) & this.mask) >= ((at - hole) & this.mask)) {
        this.table[hole] = slot;
        hole = at;
      }
      at = (at + 1) & this.mask;
    }
    this.table[hole] = NO_SLOT;
  }

  private insert(orderId: number, slot: number): void {
    let at = hashOf(orderId) & this.mask;
    while (this.table[at] !== NO_SLOT) at = (at + 1) & this.mask;
    this.table[at] = slot;
  }

  private makeTable(slots: number): Int32Array {
    let length = 16;
    while (length < slots * 2) length *= 2;
    return new Int32Array(length).fill(NO_SLOT);
  }

  /** Cold: doubles everything. Only called when every slot is in use, so all of them go in again. */
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
    this.table = this.makeTable(slots);
    this.mask = this.table.length - 1;
    for (let slot = 0; slot < this.used; slot++) this.insert(this.orderId[slot]!, slot);
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
