/**
 * Orders of one book in time priority within their price, as they are read: base of the OrderLedger,
 * which changes them and draws their records, and of its frozen copies. Any thread; warm.
 *
 * Keys of levels are −1 − 2 · price − side: bids −1, −3, −5 …, asks −2, −4, −6 …
 */
import type { KeyedRecords } from './keyed-records.js';
import type { OrderIdentities } from './order-identities.js';

export const NO_SLOT = -1;

const NONE = -1;
/** Fields of a record, as in OrderLedger: `doubles[slot << 2 | …]`, `words[slot << 3 | …]`. */
const SIZE = 1;
const NEXT = 4;
const PREVIOUS = 5;
const LEVEL = 6;
const ORDERS = 6;
const MARKS = 7;
const PRICE_END = 2 ** 52;

export class RestingOrders {
  readonly identities: OrderIdentities;
  protected readonly records: KeyedRecords;
  /** What is looked for by `records.find`. */
  protected readonly key = new Float64Array(1);
  protected levelCount = 0;

  constructor(records: KeyedRecords, identities: OrderIdentities) {
    this.records = records;
    this.identities = identities;
  }

  get orderCount(): number {
    return this.records.count - this.levelCount;
  }

  /** Slots handed out so far, to orders or not: a walk over all orders ends here. */
  get usedSlots(): number {
    return this.records.usedSlots;
  }

  /** True if an order rests in this slot. */
  isUsed(slot: number): boolean {
    return this.records.doubles[slot << 2]! >= 0;
  }

  /** Slot of a resting order, or NO_SLOT. */
  slotOf(oid: number): number {
    // Below 0 are keys of levels.
    if (!(oid >= 0)) return NO_SLOT;
    this.key[0] = oid;
    return this.records.find(this.key, 0);
  }

  idOf(slot: number): number {
    return this.records.doubles[slot << 2]!;
  }

  sizeOf(slot: number): number {
    return this.records.doubles[(slot << 2) | SIZE]!;
  }

  sideOf(slot: number): number {
    return this.records.words[(this.levelOf(slot) << 3) | MARKS]! >> 1;
  }

  priceOf(slot: number): number {
    return Math.floor((-1 - this.keyAt(slot)) / 2);
  }

  /** The order behind this one in the queue of their price, or NO_SLOT. */
  nextOf(slot: number): number {
    const next = this.records.words[(slot << 3) | NEXT]!;
    return this.isUsed(next) ? next : NO_SLOT;
  }

  /** The order in front of this one, or NO_SLOT. */
  previousOf(slot: number): number {
    const previous = this.records.words[(slot << 3) | PREVIOUS]!;
    return this.isUsed(previous) ? previous : NO_SLOT;
  }

  /** Number of orders resting at a price, 0 if none. */
  orderCountAt(side: number, price: number): number {
    const level = this.levelAt(side, price);
    return level === NONE ? 0 : this.records.words[(level << 3) | ORDERS]!;
  }

  /** First order in time at a price, or NO_SLOT; go on with `nextOf`. */
  headAt(side: number, price: number): number {
    const level = this.levelAt(side, price);
    return level === NONE ? NO_SLOT : this.nextOf(level);
  }

  get memoryBytes(): number {
    return this.records.memoryBytes + this.identities.memoryBytes;
  }

  protected levelAt(side: number, price: number): number {
    if (!(price >= 0 && price < PRICE_END)) return NONE;
    this.key[0] = -1 - 2 * price - side;
    return this.records.find(this.key, 0);
  }

  protected keyAt(slot: number): number {
    return this.records.doubles[this.levelOf(slot) << 2]!;
  }

  private levelOf(slot: number): number {
    return this.records.words[(slot << 3) | LEVEL]!;
  }
}
