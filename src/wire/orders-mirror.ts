/**
 * An order-by-order book rebuilt from the messages of an `orders` stream, and proven by the hash that
 * each message carries. Broadcast thread, replay and clients; hot.
 */
import { EventFlag } from '../domain/event-flags.js';
import { HashedLedger } from '../domain/hashed-ledger.js';
import { LedgerResult, type LevelSink } from '../domain/order-ledger.js';
import type { MessageDecoder } from './decode.js';
import { HeadField } from './head-fields.js';
import { ORDER_CHANGE_FIELDS, ORDER_FIELDS } from './message-layout.js';

const NEW = 0;
const UPDATE = 1;
const AT_END = -1;
const ORDERS_FIRST = 1024;

export class OrdersMirror {
  readonly orders: HashedLedger;
  /** A message contradicted the book: it is not the sender's until the next snapshot. */
  isBroken = true;
  isLoading = false;

  constructor(levels: LevelSink) {
    this.orders = new HashedLedger(levels, ORDERS_FIRST);
  }

  /** The OrdersSnapshot part that was decoded last. True if the snapshot is now whole and proven. */
  applySnapshot(decoder: MessageDecoder): boolean {
    const flags = decoder.head[HeadField.Flags]!;
    if ((flags & EventFlag.Snapshot) !== 0) {
      this.orders.clear();
      this.isBroken = false;
      this.isLoading = true;
    }
    if (!this.isLoading) return false;
    const { orders: fields } = decoder;
    for (let i = 0; i < decoder.ordersCount; i++) {
      const at = i * ORDER_FIELDS;
      const result = this.orders.add(
        fields[at + 3]!,
        fields[at]!,
        fields[at + 1]!,
        fields[at + 2]!,
        AT_END,
      );
      if (result === LedgerResult.Done) this.orders.identify(fields, at + 4);
      else this.isBroken = true;
    }
    if ((flags & EventFlag.Last) === 0) return false;
    this.isLoading = false;
    return this.prove(decoder);
  }

  /** The OrdersDelta that was decoded last. False if the book is not the sender's (any more). */
  applyDelta(decoder: MessageDecoder): boolean {
    if (this.isBroken || this.isLoading) return false;
    const { orders: fields } = decoder;
    for (let i = 0; i < decoder.ordersCount; i++) {
      if (this.applyChange(fields, i * ORDER_CHANGE_FIELDS) !== LedgerResult.Done)
        this.isBroken = true;
    }
    const isLast = (decoder.head[HeadField.Flags]! & EventFlag.Last) !== 0;
    return isLast ? this.prove(decoder) : !this.isBroken;
  }

  private applyChange(fields: Float64Array, at: number): LedgerResult {
    const side = fields[at]!;
    const price = fields[at + 1]!;
    const size = fields[at + 2]!;
    const id = fields[at + 3]!;
    const kind = fields[at + ORDER_FIELDS]!;
    if (kind === UPDATE) {
      return this.orders.change(id, side, price, fields[at + ORDER_FIELDS + 1]!, size);
    }
    if (kind !== NEW) return this.orders.remove(id, side, price);
    const before = fields[at + ORDER_FIELDS + 2]!;
    const result = this.orders.add(id, side, price, size, before === 0 ? AT_END : before);
    if (result === LedgerResult.Done) this.orders.identify(fields, at + 4);
    return result;
  }

  private prove(decoder: MessageDecoder): boolean {
    const { head } = decoder;
    const isSame =
      (head[HeadField.HashLow]! | 0) === this.orders.hashLow &&
      (head[HeadField.HashHigh]! | 0) === this.orders.hashHigh;
    if (!isSame) this.isBroken = true;
    return !this.isBroken;
  }
}
