/**
 * An order-by-order book rebuilt from the messages of an `orders` stream, and proven by the hash that
 * each message carries. Broadcast thread, replay and clients; hot.
 */
import { EventFlag } from '../domain/event-flags.js';
import { HashedLedger } from '../domain/hashed-ledger.js';
import {
  LedgerResult,
  type LevelSink,
  ORDER_INPUT_DOUBLES,
  OrderInput,
} from '../domain/order-ledger.js';
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
  private readonly input = new Float64Array(ORDER_INPUT_DOUBLES);

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
      const result = this.orders.add(this.take(fields, at, AT_END), 0);
      if (result === LedgerResult.Done) this.orders.identify(fields, at + 4);
      else this.isBroken = true;
    }
    this.orders.settle();
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
    this.orders.settle();
    const isLast = (decoder.head[HeadField.Flags]! & EventFlag.Last) !== 0;
    return isLast ? this.prove(decoder) : !this.isBroken;
  }

  private applyChange(fields: Float64Array, at: number): LedgerResult {
    const kind = fields[at + ORDER_FIELDS]!;
    const before = fields[at + ORDER_FIELDS + 2]!;
    const input = this.take(fields, at, before === 0 ? AT_END : before);
    if (kind === UPDATE) {
      input[OrderInput.SizeBefore] = fields[at + ORDER_FIELDS + 1]!;
      return this.orders.change(input, 0);
    }
    if (kind !== NEW) return this.orders.remove(input, 0);
    const result = this.orders.add(input, 0);
    if (result === LedgerResult.Done) this.orders.identify(fields, at + 4);
    return result;
  }

  /** An order of a message as the ledger takes it. */
  private take(fields: Float64Array, at: number, beforeId: number): Float64Array {
    const { input } = this;
    input[OrderInput.Side] = fields[at]!;
    input[OrderInput.Price] = fields[at + 1]!;
    input[OrderInput.Size] = fields[at + 2]!;
    input[OrderInput.Id] = fields[at + 3]!;
    input[OrderInput.BeforeId] = beforeId;
    return input;
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
