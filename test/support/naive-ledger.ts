/** The naive twin of OrderLedger: one list of orders in time priority, searched from the front. */
import { LedgerResult } from '../../src/domain/order-ledger.js';

export interface NaiveOrder {
  readonly id: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

export class NaiveLedger {
  orders: NaiveOrder[] = [];

  add(order: NaiveOrder, beforeId: number): LedgerResult {
    if (this.orders.some(({ id }) => id === order.id)) return LedgerResult.Duplicate;
    if (beforeId < 0) {
      this.orders.push({ ...order });
      return LedgerResult.Done;
    }
    const at = this.orders.findIndex(({ id }) => id === beforeId);
    const anchor = this.orders[at];
    if (anchor === undefined || anchor.price !== order.price || anchor.side !== order.side)
      return LedgerResult.AnchorUnknown;
    this.orders.splice(at, 0, { ...order });
    return LedgerResult.Done;
  }

  change({ id, side, price, size }: NaiveOrder, sizeBefore: number): LedgerResult {
    const order = this.orders.find((other) => other.id === id);
    if (order === undefined) return LedgerResult.Unknown;
    if (order.side !== side || order.price !== price) return LedgerResult.PlaceMismatch;
    if (sizeBefore >= 0 && order.size !== sizeBefore) return LedgerResult.SizeMismatch;
    order.size = size;
    return LedgerResult.Done;
  }

  remove({ id, side, price }: NaiveOrder): LedgerResult {
    const order = this.orders.find((other) => other.id === id);
    if (order === undefined) return LedgerResult.Unknown;
    if (order.side !== side || order.price !== price) return LedgerResult.PlaceMismatch;
    this.orders = this.orders.filter((other) => other !== order);
    return LedgerResult.Done;
  }

  queue(side: number, price: number): NaiveOrder[] {
    return this.orders.filter((order) => order.side === side && order.price === price);
  }
}
