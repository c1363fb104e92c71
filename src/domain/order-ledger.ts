/**
 * The order-by-order (L4) book of one instrument: every resting order, in time priority within its
 * price, and the levels they make. Books thread, broadcast thread and clients; hot: add, change and
 * remove cost O(1) and allocate nothing.
 *
 * Orders and levels are records of one KeyedRecords: orders by their id, levels by a negative number
 * made of price and side. So a level stands in the circle of its own queue, and whoever comes or goes
 * has two neighbours, always: no case is the first, the last or the only one.
 *
 *           ┌──▶ order ⇄ order ⇄ order ◀──┐        order   size, next, previous, level
 *           └─────────▶ level ◀───────────┘        level   total size, head, tail, order count, marks
 *                first in time … last in time
 *
 * Levels are told to the L2 book beneath (the sink) by `settle`, each that changed once, however many
 * of its orders did: a book may be read between blocks only, and a busy price changes often in one.
 * An emptied level stays until then. Identities (owner, client id) stand apart: only an add needs them.
 *
 * A change is handed in where it lies: `source[at …]` = side, price, size, size before, id, id to
 * insert before (OrderInput), the order in which ring records have them.
 */
import type { FrozenLedger } from './frozen-ledger.js';
import { KeyedRecords } from './keyed-records.js';
import { OrderIdentities } from './order-identities.js';
import { NO_SLOT, RestingOrders } from './resting-orders.js';

export { NO_SLOT };

/** What the ledger needs of the L2 book beneath it. */
export interface LevelSink {
  /**
   * Total sizes as they are now (0: the level is gone), as (price, size) pairs from `levels[at]` on:
   * `bids` of them, then `asks`, no price twice. Lent until the call returns.
   */
  apply(levels: Float64Array, at: number, bids: number, asks: number): void;
  clear(): void;
}

/** For a book that is asked for its orders only. */
export const NO_LEVELS: LevelSink = { apply() {}, clear() {} };

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
  /** An id, price or size that no order can have. */
  OutOfRange: -6,
} as const;
export type LedgerResult = (typeof LedgerResult)[keyof typeof LedgerResult];

/** Where the fields of a change stand, from the place that is handed in. */
export const OrderInput = {
  Side: 0,
  Price: 1,
  /** After the change. */
  Size: 2,
  /** `change`: checked against ours unless negative. */
  SizeBefore: 3,
  Id: 4,
  /** `add`: the order to be inserted in front of; negative: at the end of its price. */
  BeforeId: 5,
} as const;
export const ORDER_INPUT_DOUBLES = 6;

/** What follows is of this module for speed, see KeyedRecords; a test holds it against the exports. */
const IN_SIDE = 0;
const IN_PRICE = 1;
const IN_SIZE = 2;
const IN_SIZE_BEFORE = 3;
const IN_ID = 4;
const IN_BEFORE = 5;
const DONE = 0;
const NONE = -1;
/**
 * Fields of a record: `doubles[slot << 2 | …]`, `words[slot << 3 | …]`. A level's next and previous
 * are the first and the last of its queue.
 */
const SIZE = 1;
const NEXT = 4;
const PREVIOUS = 5;
/** Of an order: its level. */
const LEVEL = 6;
/** Of a level: how many orders; its side, twice, and 1 more if `settle` has to tell it. */
const ORDERS = 6;
const MARKS = 7;

/** Prices below this and their side fit into one double; ids and sizes are whole numbers below 2^53. */
const PRICE_END = 2 ** 52;
const NUMBER_END = 2 ** 53;
const LEVELS_FIRST = 256;
const TOUCHED_FIRST = 64;

export class OrderLedger extends RestingOrders {
  /** Size, before that, of the order last changed or removed. */
  readonly lastSize = new Float64Array(1);
  /** A level's total went beyond what is exact: the book must not be shown. Until `clear`. */
  hasOverflowed = false;
  /** Slot of the order last added. */
  lastSlot = NO_SLOT;
  /** What `settle` told last: (price, size) pairs, so many bids, then asks. Until the next call. */
  settled = new Float64Array(4 * TOUCHED_FIRST);
  settledBids = 0;
  settledAsks = 0;
  private readonly sink: LevelSink;
  /** Levels that changed: bids, then from the middle on asks, and how many of each. */
  private touched = new Int32Array(2 * TOUCHED_FIRST);
  private readonly touchedCount = new Int32Array(2);

  constructor(sink: LevelSink, ordersFirst = 1024) {
    super(new KeyedRecords(ordersFirst + LEVELS_FIRST), new OrderIdentities(ordersFirst));
    this.sink = sink;
  }

  /**
   * Rests an order at the end of its price's queue, or directly in front of another. Unless Done,
   * nothing is changed.
   */
  add(source: Float64Array, at: number): LedgerResult {
    const { records, key } = this;
    const side = source[at + IN_SIDE]!;
    const size = source[at + IN_SIZE]!;
    if (!isInRange(source, at)) return LedgerResult.OutOfRange;
    key[0] = -1 - 2 * source[at + IN_PRICE]! - side;
    let before = NONE;
    if (source[at + IN_BEFORE]! >= 0) before = records.find(source, at + IN_BEFORE);
    if (records.find(source, at + IN_ID) !== NONE) return LedgerResult.Duplicate;
    if (source[at + IN_BEFORE]! >= 0 && (before === NONE || this.keyAt(before) !== key[0]))
      return LedgerResult.AnchorUnknown;
    const slot = records.insertMissed(source, at + IN_ID);
    let level = records.find(key, 0);
    if (level === NONE) level = this.openLevel(side);
    const { doubles, words } = records;
    const next = before === NONE ? level : before;
    const previous = words[(next << 3) | PREVIOUS]!;
    words[(slot << 3) | NEXT] = next;
    words[(slot << 3) | PREVIOUS] = previous;
    words[(slot << 3) | LEVEL] = level;
    words[(next << 3) | PREVIOUS] = slot;
    words[(previous << 3) | NEXT] = slot;
    words[(level << 3) | ORDERS] = words[(level << 3) | ORDERS]! + 1;
    doubles[(slot << 2) | SIZE] = size;
    doubles[(level << 2) | SIZE] = doubles[(level << 2) | SIZE]! + size;
    this.touch(level);
    this.lastSlot = slot;
    return DONE;
  }

  /** Changes an order's size in place; it keeps its priority. Unless Done, nothing is changed. */
  change(source: Float64Array, at: number): LedgerResult {
    const { records } = this;
    const slot = source[at + IN_ID]! >= 0 ? records.find(source, at + IN_ID) : NONE;
    if (slot === NONE) return LedgerResult.Unknown;
    const { doubles, words } = records;
    const level = words[(slot << 3) | LEVEL]!;
    const size = source[at + IN_SIZE]!;
    const sizeBefore = source[at + IN_SIZE_BEFORE]!;
    const held = doubles[(slot << 2) | SIZE]!;
    if (doubles[level << 2] !== -1 - 2 * source[at + IN_PRICE]! - source[at + IN_SIDE]!)
      return LedgerResult.PlaceMismatch;
    if (sizeBefore >= 0 && held !== sizeBefore) return LedgerResult.SizeMismatch;
    if (!(size >= 0 && size < NUMBER_END)) return LedgerResult.OutOfRange;
    doubles[(slot << 2) | SIZE] = size;
    doubles[(level << 2) | SIZE] = doubles[(level << 2) | SIZE]! + size - held;
    this.touch(level);
    this.lastSize[0] = held;
    return DONE;
  }

  /** Takes an order out. Unless Done, nothing is changed. */
  remove(source: Float64Array, at: number): LedgerResult {
    const { records } = this;
    const slot = source[at + IN_ID]! >= 0 ? records.find(source, at + IN_ID) : NONE;
    if (slot === NONE) return LedgerResult.Unknown;
    const { doubles, words } = records;
    const level = words[(slot << 3) | LEVEL]!;
    if (doubles[level << 2] !== -1 - 2 * source[at + IN_PRICE]! - source[at + IN_SIDE]!)
      return LedgerResult.PlaceMismatch;
    const held = doubles[(slot << 2) | SIZE]!;
    const next = words[(slot << 3) | NEXT]!;
    const previous = words[(slot << 3) | PREVIOUS]!;
    words[(next << 3) | PREVIOUS] = previous;
    words[(previous << 3) | NEXT] = next;
    words[(level << 3) | ORDERS] = words[(level << 3) | ORDERS]! - 1;
    doubles[(level << 2) | SIZE] = doubles[(level << 2) | SIZE]! - held;
    this.touch(level);
    records.removeFound(slot);
    this.lastSize[0] = held;
    return DONE;
  }

  /** Tells the sink every level that changed since the last call: bids, then asks. */
  settle(): void {
    const { touchedCount } = this;
    const bids = touchedCount[0]!;
    const asks = touchedCount[1]!;
    touchedCount[0] = 0;
    touchedCount[1] = 0;
    this.settledBids = bids;
    this.settledAsks = asks;
    this.settleSide(0, bids, 0);
    this.settleSide(this.touched.length >>> 1, asks, 2 * bids);
    this.sink.apply(this.settled, 0, bids, asks);
  }

  clear(): void {
    this.records.clear();
    this.levelCount = 0;
    this.hasOverflowed = false;
    this.touchedCount.fill(0);
    this.settledBids = 0;
    this.settledAsks = 0;
    this.sink.clear();
  }

  /** Copies what readers of the book as it now is need: some 120 bytes an order, at memory speed. */
  freezeInto(frozen: FrozenLedger): void {
    frozen.copy(this.records, this.identities, this.levelCount);
  }

  override get memoryBytes(): number {
    return super.memoryBytes + this.touched.byteLength + this.settled.byteLength;
  }

  /** The level whose key was looked for last. */
  private openLevel(side: number): number {
    const level = this.records.insertMissed(this.key, 0);
    const { doubles, words } = this.records;
    doubles[(level << 2) | SIZE] = 0;
    words[(level << 3) | NEXT] = level;
    words[(level << 3) | PREVIOUS] = level;
    words[(level << 3) | ORDERS] = 0;
    words[(level << 3) | MARKS] = 2 * side;
    this.levelCount++;
    return level;
  }

  /** Notes that `settle` has to tell this level. */
  private touch(level: number): void {
    const { words } = this.records;
    const marks = words[(level << 3) | MARKS]!;
    if ((marks & 1) !== 0) return;
    words[(level << 3) | MARKS] = marks | 1;
    const side = marks >> 1;
    const count = this.touchedCount[side]!;
    if (count === this.touched.length >>> 1) this.growTouched();
    this.touched[side * (this.touched.length >>> 1) + count] = level;
    this.touchedCount[side] = count + 1;
  }

  private growTouched(): void {
    const { touched } = this;
    const middle = touched.length >>> 1;
    const wider = new Int32Array(4 * middle);
    wider.set(touched.subarray(0, middle));
    wider.set(touched.subarray(middle), 2 * middle);
    this.touched = wider;
    this.settled = new Float64Array(2 * wider.length);
  }

  /** Notes what levels are now, from `settled[to]` on, and lets go of those without orders. */
  private settleSide(from: number, count: number, to: number): void {
    const { touched, settled, records } = this;
    const { doubles, words } = records;
    for (let i = 0; i < count; i++) {
      const level = touched[from + i]!;
      const total = doubles[(level << 2) | SIZE]!;
      if (total >= NUMBER_END) this.hasOverflowed = true;
      settled[to + 2 * i] = Math.floor((-1 - doubles[level << 2]!) / 2);
      settled[to + 2 * i + 1] = total;
      words[(level << 3) | MARKS] = words[(level << 3) | MARKS]! & ~1;
      if (words[(level << 3) | ORDERS] !== 0) continue;
      records.find(doubles, level << 2);
      records.removeFound(level);
      this.levelCount--;
    }
  }
}

function isInRange(source: Float64Array, at: number): boolean {
  const price = source[at + IN_PRICE]!;
  const size = source[at + IN_SIZE]!;
  const id = source[at + IN_ID]!;
  return (
    price >= 0 && price < PRICE_END && size >= 0 && size < NUMBER_END && id >= 0 && id < NUMBER_END
  );
}
