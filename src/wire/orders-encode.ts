/**
 * Order-by-order messages to bytes: OrdersSnapshot, OrdersDelta, and trades with their parties. Hot:
 * books threads, once a block and instrument; no allocation, no BigInt. The same hand-made layout as
 * encode.ts, whose head it shares.
 *
 * Orders come as doubles (ORDER_FIELDS each): side, price, size, id, placed ms, attributes, then the
 * owner's five and the client id's four 32-bit words, most significant first.
 */
import { exponentsWord, MessageEncoder, writeString } from './encode.js';
import { storeInt64 } from './int64.js';
import {
  HEAD_WORD,
  ORDERS_DELTA_TEMPLATE,
  ORDERS_DELTA_WORD,
  ORDERS_SNAPSHOT_COUNT_WORD,
  ORDERS_SNAPSHOT_EXPONENTS_WORD,
  ORDERS_SNAPSHOT_INSTRUMENT_OFFSET_WORD,
  ORDERS_SNAPSHOT_TEMPLATE,
  ORDERS_SNAPSHOT_WORD,
  ORDER_BYTES,
  ORDER_CHANGE_BYTES,
  ORDER_CHANGE_FIELDS,
  ORDER_FIELDS,
  PARTIES_BYTES,
  PARTIES_FIELDS,
  TRADES_PARTIES_OFFSET_WORD,
} from './message-layout.js';

/** Constants of this module are built into its code, imported ones are loaded at every use. */
const ORDER_WORDS = ORDER_BYTES / 4;
const CHANGE_WORDS = ORDER_CHANGE_BYTES / 4;
const CHANGE_FIELDS = ORDER_CHANGE_FIELDS;
const FIELDS = ORDER_FIELDS;
const OWNER_WORDS = 5;
/** The vtable word whose upper half is the place of Trades.parties in its table (byte 136 of 40 …). */
const TRADES_VTABLE_WORD = 8;
const PARTIES_PLACE = TRADES_PARTIES_OFFSET_WORD * 4 - 40;

export class OrdersEncoder extends MessageEncoder {
  ordersSnapshotBytes(orders: number, instrumentNameBytes: number): number {
    const string = (4 + instrumentNameBytes + 1 + 7) & ~7;
    return ORDERS_SNAPSHOT_WORD * 4 + ORDER_BYTES * orders + string;
  }

  ordersDeltaBytes(changes: number): number {
    return ORDERS_DELTA_WORD * 4 + ORDER_CHANGE_BYTES * changes;
  }

  tradesWithPartiesBytes(count: number): number {
    return this.tradesBytes(count) + 8 + PARTIES_BYTES * count;
  }

  /** @param orders ORDER_FIELDS doubles each, in queue order; `orderCount` of the whole snapshot */
  writeOrdersSnapshot(
    words: Int32Array,
    at: number,
    head: Float64Array,
    orders: Float64Array,
    ordersAt: number,
    count: number,
    orderCount: number,
    priceDecimals: number,
    sizeDecimals: number,
    nameUtf8: Uint8Array,
  ): number {
    for (let i = 0; i < ORDERS_SNAPSHOT_WORD; i++) words[at + i] = ORDERS_SNAPSHOT_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    words[at + ORDERS_SNAPSHOT_WORD - 1] = count;
    let word = at + ORDERS_SNAPSHOT_WORD;
    for (let i = 0; i < count; i++) {
      writeOrder(words, word, orders, ordersAt + i * ORDER_FIELDS);
      word += ORDER_WORDS;
    }
    const nameOffset = at + ORDERS_SNAPSHOT_INSTRUMENT_OFFSET_WORD;
    words[at + ORDERS_SNAPSHOT_COUNT_WORD] = orderCount;
    words[nameOffset] = (word - nameOffset) * 4;
    words[at + ORDERS_SNAPSHOT_EXPONENTS_WORD] = exponentsWord(priceDecimals, sizeDecimals);
    return (writeString(words, word, nameUtf8) - at) * 4;
  }

  /** @param changes ORDER_CHANGE_FIELDS doubles each: an order, kind, size before, before id */
  writeOrdersDelta(
    words: Int32Array,
    at: number,
    head: Float64Array,
    changes: Float64Array,
    changesAt: number,
    count: number,
  ): number {
    for (let i = 0; i < ORDERS_DELTA_WORD; i++) words[at + i] = ORDERS_DELTA_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    words[at + ORDERS_DELTA_WORD - 1] = count;
    let word = at + ORDERS_DELTA_WORD;
    let from = changesAt;
    for (let i = 0; i < count; i++) {
      writeOrder(words, word, changes, from);
      const before = changes[from + FIELDS + 2]!;
      storeInt64(words, word + ORDER_WORDS, changes[from + FIELDS + 1]!);
      storeInt64(words, word + ORDER_WORDS + 2, before < 0 ? 0 : before);
      words[word + ORDER_WORDS + 4] = changes[from + FIELDS]!;
      words[word + ORDER_WORDS + 5] = 0;
      word += CHANGE_WORDS;
      from += CHANGE_FIELDS;
    }
    return (word - at) * 4;
  }

  /** As writeTrades, with PARTIES_FIELDS doubles a trade: buyer × 5, seller × 5, hash × 8. */
  writeTradesWithParties(
    words: Int32Array,
    at: number,
    head: Float64Array,
    trades: Float64Array,
    tradesAt: number,
    parties: Float64Array,
    partiesAt: number,
    count: number,
    priceDecimals: number,
    sizeDecimals: number,
  ): number {
    const bytes = this.writeTrades(
      words,
      at,
      head,
      trades,
      tradesAt,
      count,
      priceDecimals,
      sizeDecimals,
    );
    const vector = at + bytes / 4;
    const offset = at + TRADES_PARTIES_OFFSET_WORD;
    words[at + TRADES_VTABLE_WORD] =
      (words[at + TRADES_VTABLE_WORD]! & 0xffff) | (PARTIES_PLACE << 16);
    words[offset] = (vector + 1 - offset) * 4;
    words[vector] = 0;
    words[vector + 1] = count;
    let word = vector + 2;
    let from = partiesAt;
    for (let i = 0; i < count; i++) {
      writeParties(words, word, parties, from);
      word += PARTIES_BYTES / 4;
      from += PARTIES_FIELDS;
    }
    return (word - at) * 4;
  }
}

function writeOrder(words: Int32Array, word: number, orders: Float64Array, from: number): void {
  storeInt64(words, word, orders[from + 3]!);
  storeInt64(words, word + 2, orders[from + 1]!);
  storeInt64(words, word + 4, orders[from + 2]!);
  storeInt64(words, word + 6, orders[from + 4]!);
  // Big-endian pairs of words as little-endian 64-bit numbers: the less significant one first.
  words[word + 8] = orders[from + 7]! | 0;
  words[word + 9] = orders[from + 6]! | 0;
  words[word + 10] = orders[from + 9]! | 0;
  words[word + 11] = orders[from + 8]! | 0;
  words[word + 12] = orders[from + 12]! | 0;
  words[word + 13] = orders[from + 11]! | 0;
  words[word + 14] = orders[from + 14]! | 0;
  words[word + 15] = orders[from + 13]! | 0;
  words[word + 16] = orders[from + 10]! | 0;
  words[word + 17] = orders[from + 5]! | 0;
  words[word + 18] = orders[from]! | 0;
  words[word + 19] = 0;
}

function writeParties(words: Int32Array, word: number, parties: Float64Array, from: number): void {
  writeAddressTop(words, word, parties, from);
  writeAddressTop(words, word + 4, parties, from + OWNER_WORDS);
  for (let i = 0; i < 4; i++) {
    words[word + 8 + 2 * i] = parties[from + 11 + 2 * i]! | 0;
    words[word + 9 + 2 * i] = parties[from + 10 + 2 * i]! | 0;
  }
  words[word + 16] = parties[from + 4]! | 0;
  words[word + 17] = parties[from + OWNER_WORDS + 4]! | 0;
}

function writeAddressTop(
  words: Int32Array,
  word: number,
  address: Float64Array,
  from: number,
): void {
  words[word] = address[from + 1]! | 0;
  words[word + 1] = address[from]! | 0;
  words[word + 2] = address[from + 3]! | 0;
  words[word + 3] = address[from + 2]! | 0;
}
