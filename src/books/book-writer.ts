/**
 * Publications of the books to bytes: finished messages in the output rings, rows for readers on any
 * thread, requests for snapshots. Books thread; hot: no allocation, about 150 ns a delta and 7 ns a
 * level.
 *
 * Streams and their positions (in books-counters.ts, so that they outlast this worker):
 *
 *     book, bbo   epoch of the book: new at each alignment; a break is told in the old one
 *     trades      epoch of its own: new when trades were lost
 *     status      epoch of its own: new with the worker
 *     context     likewise (ContextWriter)
 *
 * A sequence rises by one each message and goes on across epochs.
 */
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { Side } from '../domain/side.js';
import { invariant } from '../faults/invariant.js';
import type { CounterTable } from '../rings/counters.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import {
  EXCHANGE_NS,
  OUT_ENVELOPE_DOUBLES,
  RECEIVED_NS,
  RecordType,
  SEQUENCE_LAST,
  SNAPSHOT_WANTED_DOUBLES,
  TRADE_AGGRESSOR,
  TRADE_BUYER,
  TRADE_ID,
  TRADE_PRICE,
  TRADE_SIZE,
  WANTED_ATTEMPT,
  WANTED_INSTRUMENT,
  WANTED_REASON,
} from '../rings/record-types.js';
import type { RingProducer } from '../rings/ring-producer.js';
import { SeqlockWriter } from '../rings/seqlock.js';
import type { Timeline } from '../time/timeline.js';
import { OrdersEncoder } from '../wire/orders-encode.js';
import { HeadField } from '../wire/head-fields.js';
import { BBO_ROW_DOUBLES, BboRow } from './bbo-row.js';
import type { BookPublisher } from './book-publisher.js';
import type { BookView } from './book-view.js';
import { BooksColumn } from './books-counters.js';
import { ContextWriter } from './context-writer.js';
import type { BooksLimits } from './limits.js';
import type { BooksOutput } from './output-lane.js';
import { Scratch } from './scratch.js';

export interface BookWriterOptions {
  readonly outputs: readonly BooksOutput[];
  readonly wanted: { readonly ring: RingProducer; readonly bell: DoorbellRinger };
  readonly bboTable: SharedArrayBuffer;
  readonly counters: CounterTable;
  readonly timeline: Timeline;
  readonly limits: BooksLimits;
}

/** Price, size, id, exchange time, aggressor. */
const TRADE_FIELDS = 5;
const INSTRUMENT_NAME_BYTES_MAX = 64;

export class BookWriter extends ContextWriter implements BookPublisher {
  private readonly wantedRing: RingProducer;
  private readonly wantedBell: DoorbellRinger;
  private wantedDirty = false;
  private readonly bboRows: SeqlockWriter;
  protected readonly levelsPerMessageMax: number;
  protected readonly encoder: OrdersEncoder;
  protected readonly trades = new Float64Array(TRADE_FIELDS);
  private readonly bboRow = new Float64Array(BBO_ROW_DOUBLES);
  private readonly wholeBook = new Scratch();
  private readonly part: Float64Array;
  private readonly names = new Map<string, Uint8Array>();

  constructor(options: BookWriterOptions) {
    const encoder = new OrdersEncoder(options.timeline);
    const max = options.limits.levelsPerMessageMax;
    const messageBytesMax = encoder.bookSnapshotBytes(max, max, INSTRUMENT_NAME_BYTES_MAX);
    super(options.outputs, messageBytesMax, options.counters, options.timeline);
    this.wantedRing = options.wanted.ring;
    this.wantedBell = options.wanted.bell;
    this.bboRows = new SeqlockWriter(options.bboTable, BBO_ROW_DOUBLES);
    this.levelsPerMessageMax = max;
    this.encoder = encoder;
    this.part = new Float64Array(max * 4);
  }

  override commit(): void {
    super.commit();
    if (!this.wantedDirty) return;
    this.wantedDirty = false;
    this.wantedRing.commit();
    this.wantedBell.ring();
  }

  /** A worker begins (again): nothing is known of what was lost on any stream. */
  beginStreams(instrumentId: number, nowNs: number): void {
    this.renewEpoch(instrumentId, BooksColumn.TradesEpoch, nowNs);
    this.renewEpoch(instrumentId, BooksColumn.StatusEpoch, nowNs);
    this.renewEpoch(instrumentId, BooksColumn.ContextEpoch, nowNs);
  }

  beginEpoch(book: BookView): void {
    this.renewEpoch(book.instrument.id, BooksColumn.BookEpoch, book.nowNs);
  }

  delta(
    book: BookView,
    levels: Float64Array,
    at: number,
    bids: number,
    asks: number,
    flags: number,
  ): void {
    book.toldHashLow = book.levels.hash.low;
    book.toldHashHigh = book.levels.hash.high;
    this.fillBookHead(book, flags);
    const slot = this.claim(RecordType.BookDeltaOut, this.encoder.bookDeltaBytes(bids, asks));
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    this.encoder.writeBookDelta(this.first.words, word, this.head, levels, at, bids, asks);
    this.finish(RecordType.BookDeltaOut, slot);
  }

  snapshot(book: BookView): void {
    book.toldHashLow = book.levels.hash.low;
    book.toldHashHigh = book.levels.hash.high;
    const { ladder } = book.levels;
    const bids = ladder.count(Side.Bid);
    const asks = ladder.count(Side.Ask);
    const whole = this.wholeBook.atLeast(2 * (bids + asks));
    ladder.copyLevels(Side.Bid, bids, whole, 0);
    ladder.copyLevels(Side.Ask, asks, whole, 2 * bids);
    const partMax = this.levelsPerMessageMax;
    const parts = Math.max(1, Math.ceil(Math.max(bids, asks) / partMax));
    for (let i = 0; i < parts; i++) {
      const from = i * partMax;
      const partBids = Math.max(0, Math.min(partMax, bids - from));
      const partAsks = Math.max(0, Math.min(partMax, asks - from));
      this.part.set(whole.subarray(2 * from, 2 * (from + partBids)));
      const asksFrom = 2 * (bids + from);
      this.part.set(whole.subarray(asksFrom, asksFrom + 2 * partAsks), 2 * partBids);
      const flags =
        (i === 0 ? EventFlag.Snapshot : EventFlag.Continued) |
        (i === parts - 1 ? EventFlag.Last : 0);
      this.snapshotPart(book, partBids, partAsks, flags);
    }
  }

  bbo(book: BookView): void {
    this.fillHead(book, Channel.Bbo, BooksColumn.BookEpoch, BooksColumn.BboSequence);
    const slot = this.claim(RecordType.BboOut, this.encoder.bboBytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const { bidPrice, bidSize, askPrice, askSize, instrument } = book;
    this.encoder.writeBbo(
      this.first.words,
      word,
      this.head,
      bidPrice,
      bidSize,
      askPrice,
      askSize,
      book.bidOrders,
      book.askOrders,
      instrument.priceDecimals,
      instrument.sizeDecimals,
    );
    this.finish(RecordType.BboOut, slot);
  }

  row(book: BookView): void {
    const row = this.bboRow;
    const id = book.instrument.id;
    const { levels } = book;
    const bidLevels = levels.ladder.count(Side.Bid);
    const askLevels = levels.ladder.count(Side.Ask);
    row[BboRow.BidPrice] = book.bidPrice;
    row[BboRow.BidSize] = book.bidSize;
    row[BboRow.AskPrice] = book.askPrice;
    row[BboRow.AskSize] = book.askSize;
    row[BboRow.State] = book.state;
    row[BboRow.Epoch] = this.counters.get(id, BooksColumn.BookEpoch);
    row[BboRow.Sequence] = this.counters.get(id, BooksColumn.BookSequence);
    row[BboRow.VenueSequence] = book.venueSequence;
    row[BboRow.ExchangeNs] = book.exchangeNs;
    row[BboRow.ReceivedNs] = book.receivedNs;
    row[BboRow.AppliedNs] = book.appliedNs;
    row[BboRow.BidOrders] = book.bidOrders;
    row[BboRow.AskOrders] = book.askOrders;
    row[BboRow.BidLevels] = bidLevels;
    row[BboRow.AskLevels] = askLevels;
    row[BboRow.PriceDecimals] = book.instrument.priceDecimals;
    row[BboRow.SizeDecimals] = book.instrument.sizeDecimals;
    this.bboRows.write(id, row);
    this.counters.set(id, BooksColumn.HashLow, book.toldHashLow);
    this.counters.set(id, BooksColumn.HashHigh, book.toldHashHigh);
    this.counters.set(id, BooksColumn.BidLevels, bidLevels);
    this.counters.set(id, BooksColumn.AskLevels, askLevels);
    this.counters.set(id, BooksColumn.VenueSequence, book.venueSequence);
  }

  status(book: BookView, inBook: boolean): void {
    this.fillHead(book, Channel.Status, BooksColumn.StatusEpoch, BooksColumn.StatusSequence);
    this.writeStatus(book, RecordType.StatusOut);
    if (!inBook) return;
    this.fillBookHead(book, EventFlag.Last);
    this.writeStatus(book, RecordType.BookStatusOut);
  }

  trade(
    book: BookView,
    record: Float64Array,
    at: number,
    afterGap: boolean,
    withParties: boolean,
  ): void {
    if (afterGap) this.renewEpoch(book.instrument.id, BooksColumn.TradesEpoch, book.nowNs);
    this.fillHead(book, Channel.Trades, BooksColumn.TradesEpoch, BooksColumn.TradesSequence);
    const { head, trades } = this;
    head[HeadField.VenueSequence] = record[at + SEQUENCE_LAST]!;
    head[HeadField.ExchangeNs] = record[at + EXCHANGE_NS]!;
    head[HeadField.ReceivedNs] = record[at + RECEIVED_NS]!;
    head[HeadField.AppliedNs] = Math.max(book.nowNs, record[at + RECEIVED_NS]!);
    trades[0] = record[at + TRADE_PRICE]!;
    trades[1] = record[at + TRADE_SIZE]!;
    trades[2] = record[at + TRADE_ID]!;
    trades[3] = record[at + EXCHANGE_NS]!;
    trades[4] = record[at + TRADE_AGGRESSOR]!;
    const { encoder } = this;
    const { priceDecimals, sizeDecimals } = book.instrument;
    const bytes = withParties ? encoder.tradesWithPartiesBytes(1) : encoder.tradesBytes(1);
    const slot = this.claim(RecordType.TradesOut, bytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    if (withParties) {
      const parties = at + TRADE_BUYER;
      encoder.writeTradesWithParties(
        this.first.words,
        word,
        head,
        trades,
        0,
        record,
        parties,
        1,
        priceDecimals,
        sizeDecimals,
      );
    } else {
      const { words } = this.first;
      encoder.writeTrades(words, word, head, trades, 0, 1, priceDecimals, sizeDecimals);
    }
    this.finish(RecordType.TradesOut, slot);
  }

  wanted(instrumentId: number, reason: number, attempt: number): boolean {
    const slot = this.wantedRing.tryClaim(RecordType.SnapshotWanted, SNAPSHOT_WANTED_DOUBLES * 8);
    if (slot < 0) return false;
    this.wantedRing.doubles[slot + WANTED_INSTRUMENT] = instrumentId;
    this.wantedRing.doubles[slot + WANTED_REASON] = reason;
    this.wantedRing.doubles[slot + WANTED_ATTEMPT] = attempt;
    this.wantedDirty = true;
    return true;
  }

  private snapshotPart(book: BookView, bids: number, asks: number, flags: number): void {
    const { name, priceDecimals, sizeDecimals } = book.instrument;
    const utf8 = this.nameBytes(name);
    this.fillBookHead(book, flags);
    const bytes = this.encoder.bookSnapshotBytes(bids, asks, utf8.length);
    const slot = this.claim(RecordType.BookSnapshotOut, bytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    this.encoder.writeBookSnapshot(
      this.first.words,
      word,
      this.head,
      this.part,
      0,
      bids,
      asks,
      0,
      priceDecimals,
      sizeDecimals,
      utf8,
    );
    this.finish(RecordType.BookSnapshotOut, slot);
  }

  protected writeStatus(book: BookView, typeId: number): void {
    const slot = this.claim(typeId, this.encoder.statusBytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    this.encoder.writeStatus(this.first.words, word, this.head, book.sinceNs, book.instrument);
    this.finish(typeId, slot);
  }

  protected nameBytes(name: string): Uint8Array {
    let bytes = this.names.get(name);
    if (bytes === undefined) {
      bytes = new TextEncoder().encode(name);
      invariant(
        bytes.length <= INSTRUMENT_NAME_BYTES_MAX,
        'an instrument name is at most 64 bytes',
      );
      this.names.set(name, bytes);
    }
    return bytes;
  }

  private fillBookHead(book: BookView, flags: number): void {
    this.fillHead(book, Channel.Book, BooksColumn.BookEpoch, BooksColumn.BookSequence);
    this.head[HeadField.HashLow] = book.toldHashLow;
    this.head[HeadField.HashHigh] = book.toldHashHigh;
    this.head[HeadField.Flags] = flags;
  }
}
