/**
 * The order-by-order (L4) book of one instrument: every resting order with its owner, in time
 * priority within its price. Books thread, hot: add, change and remove cost O(1) and allocate
 * nothing; the L2 ladder below it is kept by the same calls, so best price, level size and level
 * hash come for free and the L2 channels are derived, never computed anew.
 *
 *     ladder   price → total size, ordered, hashed          (L2)
 *     levels   price → level: order count, head, tail       (IdTable a side)
 *     slab     order → size, queue neighbours, owner, …     (IdTable oid → slot)
 */
import type { FrozenLedger } from './frozen-ledger.js';
import { IdTable, NOT_FOUND } from './id-table.js';
import { CLIENT_ID_WORDS, NO_SLOT, OWNER_WORDS, OrderSlab } from './order-slab.js';

/** What the ledger needs of the L2 book beneath it. */
export interface LevelSink {
  /** Sets the total size at a price (0 removes the level); returns the size before. */
  set(side: number, price: number, size: number): number;
  clear(): void;
}

export const LedgerResult = {
  Done: 0,
  /** `add`: the order id rests already. */
  Duplicate: -1,
  /** `change`, `remove`: no such order. */
  Unknown: -2,
  /** `change`: the size before, told by the venue, is not ours. */
  SizeMismatch: -3,
  /** `change`, `remove`: side or price told by the venue is not ours. */
  PlaceMismatch: -4,
  /** `add`: the order to insert before does not rest at this price. */
  AnchorUnknown: -5,
} as const;
export type LedgerResult = (typeof LedgerResult)[keyof typeof LedgerResult];

const LEVELS_FIRST = 1024;

export class OrderLedger {
  readonly slab: OrderSlab;
  private readonly ids: IdTable;
  private readonly levelIds: readonly [IdTable, IdTable];
  private levelPrice: Float64Array;
  private levelSize: Float64Array;
  private levelSide: Uint8Array;
  private levelOrders: Int32Array;
  private levelHead: Int32Array;
  private levelTail: Int32Array;
  private levelFree = NO_SLOT;
  private levelsUsed = 0;
  private readonly book: LevelSink;

  constructor(book: LevelSink, ordersFirst = 1024) {
    this.book = book;
    this.slab = new OrderSlab(ordersFirst);
    this.ids = new IdTable(ordersFirst);
    this.levelIds = [new IdTable(LEVELS_FIRST), new IdTable(LEVELS_FIRST)];
    this.levelPrice = new Float64Array(LEVELS_FIRST);
    this.levelSize = new Float64Array(LEVELS_FIRST);
    this.levelSide = new Uint8Array(LEVELS_FIRST);
    this.levelOrders = new Int32Array(LEVELS_FIRST);
    this.levelHead = new Int32Array(LEVELS_FIRST);
    this.levelTail = new Int32Array(LEVELS_FIRST);
  }

  /** Slot of the order last added, for setting its owner and attributes. */
  lastSlot = NO_SLOT;

  /**
   * Rests an order at the end of its price's queue, or directly before `beforeOid` (ABSENT, -1: at
   * the end). Done, Duplicate or AnchorUnknown (then nothing is changed).
   */
  add(oid: number, side: number, price: number, size: number, beforeOid: number): LedgerResult {
    if (this.ids.get(oid) !== NOT_FOUND) return LedgerResult.Duplicate;
    let before = NO_SLOT;
    if (beforeOid >= 0) {
      before = this.ids.get(beforeOid);
      if (before === NOT_FOUND) return LedgerResult.AnchorUnknown;
      const anchor = this.slab.level[before]!;
      if (this.levelPrice[anchor] !== price || this.levelSide[anchor] !== side) {
        return LedgerResult.AnchorUnknown;
      }
    }
    const slot = this.slab.take();
    const level = this.levelFor(side, price);
    this.slab.oid[slot] = oid;
    this.slab.size[slot] = size;
    this.slab.level[slot] = level;
    this.ids.set(oid, slot);
    this.link(slot, level, before);
    this.levelOrders[level] = this.levelOrders[level]! + 1;
    const total = this.levelSize[level]! + size;
    this.levelSize[level] = total;
    this.book.set(side, price, total);
    this.lastSlot = slot;
    return LedgerResult.Done;
  }

  /** Changes an order's size in place; it keeps its priority. `sizeBefore` < 0 is not checked. */
  change(oid: number, sizeBefore: number, sizeAfter: number): LedgerResult {
    const slot = this.ids.get(oid);
    if (slot === NOT_FOUND) return LedgerResult.Unknown;
    const held = this.slab.size[slot]!;
    if (sizeBefore >= 0 && held !== sizeBefore) return LedgerResult.SizeMismatch;
    const level = this.slab.level[slot]!;
    const total = this.levelSize[level]! + sizeAfter - held;
    this.slab.size[slot] = sizeAfter;
    this.levelSize[level] = total;
    this.book.set(this.levelSide[level]!, this.levelPrice[level]!, total);
    return LedgerResult.Done;
  }

  /** Takes an order out. `price` < 0 is not checked against ours. */
  remove(oid: number, side: number, price: number): LedgerResult {
    const slot = this.ids.get(oid);
    if (slot === NOT_FOUND) return LedgerResult.Unknown;
    const level = this.slab.level[slot]!;
    if (price >= 0 && (this.levelPrice[level] !== price || this.levelSide[level] !== side)) {
      return LedgerResult.PlaceMismatch;
    }
    this.ids.remove(oid);
    this.unlink(slot, level);
    const total = this.levelSize[level]! - this.slab.size[slot]!;
    const orders = this.levelOrders[level]! - 1;
    this.slab.give(slot);
    this.levelSize[level] = total;
    this.levelOrders[level] = orders;
    this.book.set(this.levelSide[level]!, this.levelPrice[level]!, total);
    if (orders === 0) this.dropLevel(level);
    return LedgerResult.Done;
  }

  clear(): void {
    this.slab.clear();
    this.ids.clear();
    this.levelIds[0].clear();
    this.levelIds[1].clear();
    this.levelFree = NO_SLOT;
    this.levelsUsed = 0;
    this.book.clear();
  }

  get orderCount(): number {
    return this.ids.count;
  }

  slotOf(oid: number): number {
    return this.ids.get(oid);
  }

  sideOf(slot: number): number {
    return this.levelSide[this.slab.level[slot]!]!;
  }

  priceOf(slot: number): number {
    return this.levelPrice[this.slab.level[slot]!]!;
  }

  /** Number of orders resting at a price, 0 if none. */
  orderCountAt(side: number, price: number): number {
    const level = this.levelIds[side]!.get(price);
    return level === NOT_FOUND ? 0 : this.levelOrders[level]!;
  }

  /** First order in time at a price, or NO_SLOT; go on with `slab.next`. */
  headAt(side: number, price: number): number {
    const level = this.levelIds[side]!.get(price);
    return level === NOT_FOUND ? NO_SLOT : this.levelHead[level]!;
  }

  get memoryBytes(): number {
    return (
      this.slab.memoryBytes +
      this.ids.memoryBytes +
      this.levelIds[0].memoryBytes +
      this.levelIds[1].memoryBytes +
      this.levelPrice.length * (8 + 8 + 1 + 4 + 4 + 4)
    );
  }

  /** Copies the owner (5 words) and client id (4 words) of an order into place. */
  setIdentity(slot: number, words: Int32Array, ownerAt: number, clientIdAt: number): void {
    const owner = slot * OWNER_WORDS;
    for (let i = 0; i < OWNER_WORDS; i++) this.slab.owner[owner + i] = words[ownerAt + i]!;
    const clientId = slot * CLIENT_ID_WORDS;
    for (let i = 0; i < CLIENT_ID_WORDS; i++) {
      this.slab.clientId[clientId + i] = words[clientIdAt + i]!;
    }
  }

  /** Copies what readers of the book as it now is need: some 75 bytes an order, at memory speed. */
  freezeInto(frozen: FrozenLedger): void {
    frozen.copy(this.slab, this.orderCount, this.levelIds, this.levelHead, this.levelsUsed);
  }

  private levelFor(side: number, price: number): number {
    const table = this.levelIds[side]!;
    const known = table.get(price);
    if (known !== NOT_FOUND) return known;
    let level = this.levelFree;
    if (level !== NO_SLOT) {
      this.levelFree = this.levelHead[level]!;
    } else {
      if (this.levelsUsed === this.levelPrice.length) this.growLevels();
      level = this.levelsUsed++;
    }
    this.levelPrice[level] = price;
    this.levelSide[level] = side;
    this.levelSize[level] = 0;
    this.levelOrders[level] = 0;
    this.levelHead[level] = NO_SLOT;
    this.levelTail[level] = NO_SLOT;
    table.set(price, level);
    return level;
  }

  private dropLevel(level: number): void {
    this.levelIds[this.levelSide[level]!]!.remove(this.levelPrice[level]!);
    this.levelHead[level] = this.levelFree;
    this.levelFree = level;
  }

  private link(slot: number, level: number, before: number): void {
    const slab = this.slab;
    if (before !== NO_SLOT) {
      const previous = slab.previous[before]!;
      slab.next[slot] = before;
      slab.previous[slot] = previous;
      slab.previous[before] = slot;
      if (previous === NO_SLOT) this.levelHead[level] = slot;
      else slab.next[previous] = slot;
      return;
    }
    const tail = this.levelTail[level]!;
    slab.next[slot] = NO_SLOT;
    slab.previous[slot] = tail;
    if (tail === NO_SLOT) this.levelHead[level] = slot;
    else slab.next[tail] = slot;
    this.levelTail[level] = slot;
  }

  private unlink(slot: number, level: number): void {
    const slab = this.slab;
    const next = slab.next[slot]!;
    const previous = slab.previous[slot]!;
    if (previous === NO_SLOT) this.levelHead[level] = next;
    else slab.next[previous] = next;
    if (next === NO_SLOT) this.levelTail[level] = previous;
    else slab.previous[next] = previous;
  }

  private growLevels(): void {
    const capacity = this.levelPrice.length * 2;
    const price = new Float64Array(capacity);
    const size = new Float64Array(capacity);
    const side = new Uint8Array(capacity);
    const orders = new Int32Array(capacity);
    const head = new Int32Array(capacity);
    const tail = new Int32Array(capacity);
    price.set(this.levelPrice);
    size.set(this.levelSize);
    side.set(this.levelSide);
    orders.set(this.levelOrders);
    head.set(this.levelHead);
    tail.set(this.levelTail);
    this.levelPrice = price;
    this.levelSize = size;
    this.levelSide = side;
    this.levelOrders = orders;
    this.levelHead = head;
    this.levelTail = tail;
  }
}
