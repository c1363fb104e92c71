/**
 * Order-by-order publications to bytes, beside those of a book by levels (BookWriter). Books thread;
 * hot: about 25 ns an order change, no allocation.
 *
 * The orders stream of an instrument shares the book's epoch and has a sequence of its own.
 */
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { Side } from '../domain/side.js';
import { OUT_ENVELOPE_DOUBLES, RecordType } from '../rings/record-types.js';
import { HeadField } from '../wire/head-fields.js';
import { ORDER_CHANGE_FIELDS, ORDER_FIELDS } from '../wire/message-layout.js';
import type { BookView } from './book-view.js';
import { BookWriter } from './book-writer.js';
import { BooksColumn } from './books-counters.js';
import type { HashedLedger } from '../domain/hashed-ledger.js';
import { NO_SLOT } from '../domain/order-ledger.js';
import type { OrdersPublisher } from './orders-publisher.js';
import { Scratch } from './scratch.js';

/** Orders in a part of a snapshot: 80 KB, as large as the largest part of a book by levels. */
export const ORDERS_PER_MESSAGE_MAX = 512;

export class OrdersWriter extends BookWriter implements OrdersPublisher {
  private readonly prices = new Scratch();
  private readonly orderPart = new Float64Array(ORDERS_PER_MESSAGE_MAX * ORDER_FIELDS);
  private partCount = 0;
  private partFlags = 0;

  orderChanges(book: BookView, orders: HashedLedger, changes: Float64Array, count: number): void {
    let told = 0;
    while (told < count) {
      const part = Math.min(ORDERS_PER_MESSAGE_MAX, count - told);
      this.writeChanges(book, orders, changes, told, part, told + part === count);
      told += part;
    }
  }

  orderStatus(book: BookView, orders: HashedLedger): void {
    this.fillOrdersHead(book, orders, EventFlag.Last);
    this.writeStatus(book, RecordType.OrdersStatusOut);
  }

  orderSnapshot(book: BookView, orders: HashedLedger): void {
    const { ladder } = book.levels;
    const { ledger } = orders;
    this.partCount = 0;
    this.partFlags = EventFlag.Snapshot;
    for (const side of [Side.Bid, Side.Ask] as const) {
      const count = ladder.count(side);
      const prices = this.prices.atLeast(2 * count);
      ladder.copyLevels(side, count, prices, 0);
      for (let i = 0; i < count; i++) {
        const price = prices[2 * i]!;
        for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.nextOf(slot)) {
          if (this.partCount === ORDERS_PER_MESSAGE_MAX) this.writePart(book, orders, 0);
          this.addOrder(orders, slot, side, price);
        }
      }
    }
    this.writePart(book, orders, EventFlag.Last);
    this.counters.set(book.instrument.id, BooksColumn.Orders, ledger.orderCount);
  }

  private writeChanges(
    book: BookView,
    orders: HashedLedger,
    changes: Float64Array,
    first: number,
    count: number,
    isLast: boolean,
  ): void {
    this.fillOrdersHead(book, orders, isLast ? EventFlag.Last : 0);
    const slot = this.claim(RecordType.OrdersDeltaOut, this.encoder.ordersDeltaBytes(count));
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const from = first * ORDER_CHANGE_FIELDS;
    this.encoder.writeOrdersDelta(this.first.words, word, this.head, changes, from, count);
    this.finish(RecordType.OrdersDeltaOut, slot);
    this.counters.set(book.instrument.id, BooksColumn.Orders, orders.ledger.orderCount);
  }

  private addOrder(orders: HashedLedger, slot: number, side: number, price: number): void {
    const { ledger } = orders;
    const { identities } = ledger;
    const part = this.orderPart;
    const to = this.partCount * ORDER_FIELDS;
    part[to] = side;
    part[to + 1] = price;
    part[to + 2] = ledger.sizeOf(slot);
    part[to + 3] = ledger.idOf(slot);
    identities.copy(slot, part, to + 4);
    this.partCount++;
  }

  private writePart(book: BookView, orders: HashedLedger, lastFlag: number): void {
    const { name, priceDecimals, sizeDecimals } = book.instrument;
    const utf8 = this.nameBytes(name);
    this.fillOrdersHead(book, orders, this.partFlags | lastFlag);
    const bytes = this.encoder.ordersSnapshotBytes(this.partCount, utf8.length);
    const slot = this.claim(RecordType.OrdersSnapshotOut, bytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    this.encoder.writeOrdersSnapshot(
      this.first.words,
      word,
      this.head,
      this.orderPart,
      0,
      this.partCount,
      orders.ledger.orderCount,
      priceDecimals,
      sizeDecimals,
      utf8,
    );
    this.finish(RecordType.OrdersSnapshotOut, slot);
    this.partCount = 0;
    this.partFlags = EventFlag.Continued;
  }

  private fillOrdersHead(book: BookView, orders: HashedLedger, flags: number): void {
    this.fillHead(book, Channel.Orders, BooksColumn.BookEpoch, BooksColumn.OrdersSequence);
    this.head[HeadField.HashLow] = orders.hashLow;
    this.head[HeadField.HashHigh] = orders.hashHigh;
    this.head[HeadField.Flags] = flags;
  }
}
