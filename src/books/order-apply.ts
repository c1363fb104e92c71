/** Ring records into an order-by-order book. Books thread; hot. */
import type { HashedLedger } from '../domain/hashed-ledger.js';
import { LedgerResult } from '../domain/order-ledger.js';
import {
  ABSENT,
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

/** Applies an OrderEvent; anything but Done means that the book is not the venue's. */
export function applyOrderEvent(
  orders: HashedLedger,
  record: Float64Array,
  at: number,
): LedgerResult {
  const id = record[at + ORDER_ID]!;
  const side = record[at + ORDER_SIDE]!;
  const price = record[at + ORDER_PRICE]!;
  const kind = record[at + ORDER_KIND]!;
  if (kind === OrderKind.Remove) return orders.remove(id, side, price);
  const size = record[at + ORDER_SIZE]!;
  if (kind === OrderKind.Update) {
    return orders.change(id, side, price, record[at + ORDER_SIZE_BEFORE]!, size);
  }
  const result = orders.add(id, side, price, size, record[at + ORDER_BEFORE_ID]!);
  if (result === LedgerResult.Done) orders.identify(record, at + ORDER_PLACED_MS);
  return result;
}

/** Adds an order of an OrderSnapshot, at the end of its price: they come in queue order. */
export function loadSnapshotOrder(
  orders: HashedLedger,
  order: Float64Array,
  at: number,
): LedgerResult {
  const result = orders.add(order[at + 3]!, order[at]!, order[at + 1]!, order[at + 2]!, ABSENT);
  if (result === LedgerResult.Done) orders.identify(order, at + 4);
  return result;
}
