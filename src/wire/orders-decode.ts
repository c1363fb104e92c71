/**
 * Bytes to orders: the part of MessageDecoder that reads OrdersSnapshot, OrdersDelta and the parties
 * of trades. Hot in the broadcaster's mirror and in clients; no allocation per message.
 */
import { BEYOND_UNSIGNED, TWO_32 } from './int64.js';
import {
  BodyType,
  ORDER_BYTES,
  ORDER_CHANGE_BYTES,
  ORDER_CHANGE_FIELDS,
  ORDER_FIELDS,
  PARTIES_BYTES,
  PARTIES_FIELDS,
} from './message-layout.js';
import { DecodeError, TableReader } from './table-reader.js';

const OWNER_WORDS = 5;

export class OrderCells extends TableReader {
  /**
   * Of an OrdersSnapshot: ORDER_FIELDS doubles each; of an OrdersDelta: ORDER_CHANGE_FIELDS each (an
   * order, kind, size before or -1, id of the order it was placed before or 0).
   */
  orders = new Float64Array(ORDER_CHANGE_FIELDS * 16);
  ordersCount = 0;
  /** Of the whole snapshot that this is a part of. */
  ordersTotal = 0;
  /** PARTIES_FIELDS doubles a trade; `hasParties` says whether the message had them. */
  parties = new Float64Array(PARTIES_FIELDS * 16);
  hasParties = false;

  protected readSnapshotOrders(): number {
    const first = this.openVector(1, ORDER_BYTES);
    if (first < 0) return first;
    const count = this.vectorCount;
    this.makeOrderRoom(count * ORDER_FIELDS);
    this.ordersCount = count;
    let word = this.wordIndex(first);
    let beyond = 0;
    for (let i = 0; i < count; i++) {
      beyond |= readOrder(this.words, word, this.orders, i * ORDER_FIELDS);
      word += ORDER_BYTES / 4;
    }
    const totalAt = this.field(4);
    if (totalAt !== 0 && !this.holds(totalAt, 4)) return DecodeError.OutOfBounds;
    this.ordersTotal =
      totalAt === 0 ? count : this.words[this.wordIndex(this.table + totalAt)]! >>> 0;
    return beyond === 0 ? BodyType.OrdersSnapshot : DecodeError.Precision;
  }

  protected readChanges(): number {
    const first = this.openVector(1, ORDER_CHANGE_BYTES);
    if (first < 0) return first;
    const count = this.vectorCount;
    this.makeOrderRoom(count * ORDER_CHANGE_FIELDS);
    this.ordersCount = count;
    const { words, orders } = this;
    let word = this.wordIndex(first);
    let beyond = 0;
    for (let i = 0; i < count; i++) {
      const to = i * ORDER_CHANGE_FIELDS;
      beyond |= readOrder(words, word, orders, to);
      const more = word + ORDER_BYTES / 4;
      orders[to + ORDER_FIELDS] = words[more + 4]! & 0xff;
      orders[to + ORDER_FIELDS + 1] = words[more + 1]! * TWO_32 + (words[more]! >>> 0);
      beyond |= words[more + 3]! & BEYOND_UNSIGNED;
      orders[to + ORDER_FIELDS + 2] = words[more + 3]! * TWO_32 + (words[more + 2]! >>> 0);
      word += ORDER_CHANGE_BYTES / 4;
    }
    return beyond === 0 ? BodyType.OrdersDelta : DecodeError.Precision;
  }

  /** The optional parties of `count` trades. False if they are out of bounds or not as many. */
  protected readParties(field: number, count: number): boolean {
    this.hasParties = false;
    if (this.field(field) === 0) return true;
    const first = this.openVector(field, PARTIES_BYTES);
    if (first < 0 || this.vectorCount !== count) return false;
    if (count * PARTIES_FIELDS > this.parties.length) {
      this.parties = new Float64Array(2 ** Math.ceil(Math.log2(count * PARTIES_FIELDS)));
    }
    this.hasParties = true;
    let word = this.wordIndex(first);
    for (let i = 0; i < count; i++) {
      readTradeParties(this.words, word, this.parties, i * PARTIES_FIELDS);
      word += PARTIES_BYTES / 4;
    }
    return true;
  }

  private makeOrderRoom(doubles: number): void {
    if (doubles > this.orders.length) {
      this.orders = new Float64Array(2 ** Math.ceil(Math.log2(doubles)));
    }
  }
}

/** Not 0 if one of the numbers is beyond 2^53. */
function readOrder(words: Int32Array, word: number, orders: Float64Array, to: number): number {
  orders[to] = words[word + 18]! & 0xff;
  orders[to + 1] = words[word + 3]! * TWO_32 + (words[word + 2]! >>> 0);
  orders[to + 2] = words[word + 5]! * TWO_32 + (words[word + 4]! >>> 0);
  orders[to + 3] = words[word + 1]! * TWO_32 + (words[word]! >>> 0);
  orders[to + 4] = words[word + 7]! * TWO_32 + (words[word + 6]! >>> 0);
  orders[to + 5] = words[word + 17]! >>> 0;
  orders[to + 6] = words[word + 9]! >>> 0;
  orders[to + 7] = words[word + 8]! >>> 0;
  orders[to + 8] = words[word + 11]! >>> 0;
  orders[to + 9] = words[word + 10]! >>> 0;
  orders[to + 10] = words[word + 16]! >>> 0;
  orders[to + 11] = words[word + 13]! >>> 0;
  orders[to + 12] = words[word + 12]! >>> 0;
  orders[to + 13] = words[word + 15]! >>> 0;
  orders[to + 14] = words[word + 14]! >>> 0;
  const highs = words[word + 1]! | words[word + 3]! | words[word + 5]! | words[word + 7]!;
  return highs & BEYOND_UNSIGNED;
}

function readTradeParties(
  words: Int32Array,
  word: number,
  parties: Float64Array,
  to: number,
): void {
  for (let side = 0; side < 2; side++) {
    const at = word + 4 * side;
    const into = to + OWNER_WORDS * side;
    parties[into] = words[at + 1]! >>> 0;
    parties[into + 1] = words[at]! >>> 0;
    parties[into + 2] = words[at + 3]! >>> 0;
    parties[into + 3] = words[at + 2]! >>> 0;
    parties[into + 4] = words[word + 16 + side]! >>> 0;
  }
  for (let i = 0; i < 4; i++) {
    parties[to + 10 + 2 * i] = words[word + 9 + 2 * i]! >>> 0;
    parties[to + 11 + 2 * i] = words[word + 8 + 2 * i]! >>> 0;
  }
}
