/** Ring records into an order-by-order book. Books thread; hot. */
import type { HashedLedger } from '../domain/hashed-ledger.js';
import { LedgerResult, ORDER_INPUT_DOUBLES, OrderInput } from '../domain/order-ledger.js';
import {
  ABSENT,
  ORDER_KIND,
  ORDER_PLACED_MS,
  ORDER_SIDE,
  OrderKind,
} from '../rings/record-types.js';

/** Constants of this module are built into its code, imported ones are loaded at every use. */
const KIND = ORDER_KIND;
const SIDE = ORDER_SIDE;
const PLACED_MS = ORDER_PLACED_MS;
const REMOVE = OrderKind.Remove;
const UPDATE = OrderKind.Update;
const DONE = LedgerResult.Done;

/** An order of a snapshot as the ledger takes it; never held across calls. */
const input = new Float64Array(ORDER_INPUT_DOUBLES);
input[OrderInput.BeforeId] = ABSENT;

/** Applies an OrderEvent; anything but Done means that the book is not the venue's. */
export function applyOrderEvent(
  orders: HashedLedger,
  record: Float64Array,
  at: number,
): LedgerResult {
  const kind = record[at + KIND]!;
  // From its side on a record is what the ledger takes.
  const from = at + SIDE;
  if (kind === REMOVE) return orders.remove(record, from);
  if (kind === UPDATE) return orders.change(record, from);
  const result = orders.add(record, from);
  if (result === DONE) orders.identify(record, at + PLACED_MS);
  return result;
}

/** Adds an order of an OrderSnapshot, at the end of its price: they come in queue order. */
export function loadSnapshotOrder(
  orders: HashedLedger,
  order: Float64Array,
  at: number,
): LedgerResult {
  input[OrderInput.Side] = order[at]!;
  input[OrderInput.Price] = order[at + 1]!;
  input[OrderInput.Size] = order[at + 2]!;
  input[OrderInput.Id] = order[at + 3]!;
  const result = orders.add(input, 0);
  if (result === DONE) orders.identify(order, at + 4);
  return result;
}
