/**
 * One order event or snapshot order into a ledger, with its hash. Books thread; hot.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, orderHashLane } from '../domain/level-hash.js';
import {
  ORDER_ATTRIBUTES,
  ORDER_BEFORE_ID,
  ORDER_ID,
  ORDER_KIND,
  ORDER_PLACED_MS,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  ORDER_SIZE_BEFORE,
  OrderKind,
} from '../rings/record-types.js';
import { LedgerResult, type LevelSink, OrderLedger } from './order-ledger.js';
import { CLIENT_ID_WORDS, NO_SLOT, OWNER_WORDS } from './order-slab.js';

export class HashedLedger {
  readonly ledger: OrderLedger;
  /** XOR over the orders (domain/level-hash.ts). */
  hashLow = 0;
  hashHigh = 0;

  constructor(levels: LevelSink, ordersFirst: number) {
    this.ledger = new OrderLedger(levels, ordersFirst);
  }

  /** Applies the event at `record[at]`; anything but Done means that the book is not the venue's. */
  apply(record: Float64Array, at: number): LedgerResult {
    const kind = record[at + ORDER_KIND]!;
    const id = record[at + ORDER_ID]!;
    const { ledger } = this;
    if (kind === OrderKind.New) {
      const side = record[at + ORDER_SIDE]!;
      const price = record[at + ORDER_PRICE]!;
      const size = record[at + ORDER_SIZE]!;
      const result = ledger.add(id, side, price, size, record[at + ORDER_BEFORE_ID]!);
      if (result === LedgerResult.Done) {
        this.mix(side, price, size, id);
        this.identify(record, at + ORDER_PLACED_MS);
      }
      return result;
    }
    const slot = ledger.slotOf(id);
    if (slot === NO_SLOT) return LedgerResult.Unknown;
    const side = ledger.sideOf(slot);
    const price = ledger.priceOf(slot);
    const held = ledger.slab.size[slot]!;
    if (side !== record[at + ORDER_SIDE] || price !== record[at + ORDER_PRICE]) {
      return LedgerResult.PlaceMismatch;
    }
    this.mix(side, price, held, id);
    if (kind === OrderKind.Remove) return ledger.remove(id, side, price);
    const size = record[at + ORDER_SIZE]!;
    this.mix(side, price, size, id);
    return ledger.change(id, record[at + ORDER_SIZE_BEFORE]!, size);
  }

  /** Adds an order of a snapshot, at the end of its price: they come in queue order. */
  load(order: Float64Array, at: number): LedgerResult {
    const side = order[at]!;
    const price = order[at + 1]!;
    const size = order[at + 2]!;
    const id = order[at + 3]!;
    const result = this.ledger.add(id, side, price, size, NO_SLOT);
    if (result === LedgerResult.Done) {
      this.mix(side, price, size, id);
      this.identify(order, at + 4);
    }
    return result;
  }

  clear(): void {
    this.ledger.clear();
    this.hashLow = 0;
    this.hashHigh = 0;
  }

  private mix(side: number, price: number, size: number, id: number): void {
    this.hashLow ^= orderHashLane(HASH_SEED_LOW, side, price, size, id);
    this.hashHigh ^= orderHashLane(HASH_SEED_HIGH, side, price, size, id);
  }

  /** Placed ms, attributes, owner, client id stand in this order from `from`, in both layouts. */
  private identify(source: Float64Array, from: number): void {
    const { slab, lastSlot } = this.ledger;
    slab.placedMs[lastSlot] = source[from]!;
    slab.attributes[lastSlot] = source[from + (ORDER_ATTRIBUTES - ORDER_PLACED_MS)]!;
    const owner = lastSlot * OWNER_WORDS;
    for (let i = 0; i < OWNER_WORDS; i++) slab.owner[owner + i] = source[from + 2 + i]! | 0;
    const clientId = lastSlot * CLIENT_ID_WORDS;
    for (let i = 0; i < CLIENT_ID_WORDS; i++) {
      slab.clientId[clientId + i] = source[from + 2 + OWNER_WORDS + i]! | 0;
    }
  }
}
