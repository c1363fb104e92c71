/**
 * Stands in for the books in tests of the broadcast room: random events on books that it knows, laid
 * out as the real messages in a real ring, and the truth to compare with.
 */
import { BookState, StateReason } from '../../../src/domain/book-state.js';
import { Channel, streamIdOf } from '../../../src/domain/channel.js';
import { EventFlag } from '../../../src/domain/event-flags.js';
import type { Instrument } from '../../../src/domain/instrument.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../../../src/domain/level-hash.js';
import type { Prng } from '../../../src/domain/prng.js';
import {
  OUT_APPLIED_NS,
  OUT_ENVELOPE_DOUBLES,
  OUT_EPOCH,
  OUT_FLAGS,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  OUT_RECEIVED_NS,
  OUT_SEQUENCE,
  OUT_STATE,
  RecordType,
} from '../../../src/rings/record-types.js';
import { RingProducer } from '../../../src/rings/ring-producer.js';
import type { Clock } from '../../../src/time/clock.js';
import type { Timeline } from '../../../src/time/timeline.js';
import { MessageEncoder } from '../../../src/wire/encode.js';
import { HEAD_DOUBLES, HeadField } from '../../../src/wire/head-fields.js';

export function testInstruments(count: number): Instrument[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    venue: 'test',
    symbol: `SYM${id}`,
    name: `test:SYM${id}`,
    base: `SYM${id}`,
    quote: 'USD',
    kind: 'perpetual' as const,
    priceDecimals: 1,
    sizeDecimals: 3,
    tickSize: 1,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  }));
}

export type Side = Map<number, number>;
export type Levels = readonly (readonly [number, number])[];

interface Book {
  readonly bids: Side;
  readonly asks: Side;
  hashLow: number;
  hashHigh: number;
  epoch: number;
  sequence: number;
  bboSequence: number;
  tradesSequence: number;
  statusSequence: number;
  state: BookState;
  reason: StateReason;
}

export class FakeBooks {
  readonly ring: RingProducer;
  readonly books: Book[];
  private readonly instruments: readonly Instrument[];
  private readonly encoder: MessageEncoder;
  private readonly clock: Clock;
  private readonly prng: Prng;
  private readonly head = new Float64Array(HEAD_DOUBLES);
  private nextEpoch = 1_000_000;
  private tradeId = 0;
  /** Levels a side of one part of a snapshot. */
  partLevels = 1024;

  constructor(
    buffer: SharedArrayBuffer,
    instruments: readonly Instrument[],
    timeline: Timeline,
    clock: Clock,
    prng: Prng,
  ) {
    this.ring = new RingProducer(buffer);
    this.instruments = instruments;
    this.encoder = new MessageEncoder(timeline);
    this.clock = clock;
    this.prng = prng;
    this.books = instruments.map(() => ({
      bids: new Map(),
      asks: new Map(),
      hashLow: 0,
      hashHigh: 0,
      epoch: 0,
      sequence: 0,
      bboSequence: 0,
      tradesSequence: 0,
      statusSequence: 0,
      state: BookState.Syncing,
      reason: StateReason.Starting,
    }));
  }

  /** Best first. */
  levels(id: number, side: 'bids' | 'asks', depth = Infinity): Levels {
    const sorted = [...this.books[id]![side]].sort((a, b) =>
      side === 'bids' ? b[0] - a[0] : a[0] - b[0],
    );
    return sorted.slice(0, depth === Infinity ? undefined : depth);
  }

  /** A fresh epoch with a snapshot of `count` levels a side. */
  align(id: number, count: number): void {
    const book = this.books[id]!;
    book.bids.clear();
    book.asks.clear();
    book.hashLow = 0;
    book.hashHigh = 0;
    for (let i = 0; i < count; i++) {
      this.set(id, 0, 10_000 - i * 2, this.size());
      this.set(id, 1, 10_002 + i * 2, this.size());
    }
    book.epoch = this.nextEpoch++;
    book.state = BookState.Live;
    book.reason = StateReason.Aligned;
    this.sayWhole(id);
    this.ring.commit();
  }

  /** Tells all that holds now, in sequence: what the books do for a reader that knows nothing. */
  retell(id: number): void {
    this.sayWhole(id);
    this.ring.commit();
  }

  private sayWhole(id: number): void {
    const bids = this.levels(id, 'bids');
    const asks = this.levels(id, 'asks');
    const parts = Math.max(1, Math.ceil(Math.max(bids.length, asks.length) / this.partLevels));
    for (let part = 0; part < parts; part++) {
      const from = part * this.partLevels;
      const flags =
        (part === 0 ? EventFlag.Snapshot : EventFlag.Continued) |
        (part === parts - 1 ? EventFlag.Last : 0);
      this.writeSnapshot(
        id,
        flags,
        bids.slice(from, from + this.partLevels),
        asks.slice(from, from + this.partLevels),
      );
    }
    this.sayStatus(id);
    this.sayBbo(id);
  }

  /** One event of up to `changes` levels in `messages` messages. */
  event(id: number, changes: number, messages = 1): void {
    for (let message = 1; message <= messages; message++) {
      this.eventPart(id, changes, message === messages);
    }
    this.sayBbo(id);
    this.ring.commit();
  }

  /** One message of an event; without `last` the event goes on. Committed by the caller or by commit. */
  eventPart(id: number, changes: number, last: boolean): void {
    const changed: [number, number, number][] = [];
    const count = this.prng.nextInt(changes + 1);
    for (let i = 0; i < count; i++) {
      const side = this.prng.nextInt(2);
      const near = this.prng.chance(0.8) ? 12 : 400;
      const offset = this.prng.nextInt(near) - (this.prng.chance(0.3) ? 3 : 0);
      const price = side === 0 ? 10_000 - offset : 10_002 + offset;
      const size = this.prng.chance(0.4) ? 0 : this.size();
      this.set(id, side, price, size);
      changed.push([side, price, size]);
    }
    this.writeDelta(id, changed, last ? EventFlag.Last : 0);
  }

  suspect(id: number, reason: StateReason): void {
    const book = this.books[id]!;
    book.state = BookState.Suspect;
    book.reason = reason;
    book.sequence++;
    this.writeStatusRecord(id, RecordType.BookStatusOut, Channel.Book, book.sequence);
    this.sayStatus(id);
    this.sayBbo(id);
    this.ring.commit();
  }

  trade(id: number, count = 1): void {
    const book = this.books[id]!;
    const trades = new Float64Array(count * 5);
    for (let i = 0; i < count; i++)
      trades.set(
        [10_001, this.size(), ++this.tradeId, this.clock.nowNs(), this.prng.nextInt(2)],
        i * 5,
      );
    this.fillHead(id, Channel.Trades, ++book.tradesSequence, EventFlag.Last);
    this.clearHash();
    const bytes = this.encoder.tradesBytes(count);
    const slot = this.claim(id, RecordType.TradesOut, bytes, book.tradesSequence, EventFlag.Last);
    const { priceDecimals, sizeDecimals } = this.instruments[id]!;
    this.encoder.writeTrades(
      this.ring.words,
      this.wordAt(slot),
      this.head,
      trades,
      0,
      count,
      priceDecimals,
      sizeDecimals,
    );
    this.ring.commit();
  }

  /** The next message of this stream will leave out `count` numbers: what a lost record looks like. */
  skipBook(id: number, count: number): void {
    this.books[id]!.sequence += count;
  }

  skipTrades(id: number, count: number): void {
    this.books[id]!.tradesSequence += count;
  }

  /** Whether everything was read. */
  isTaken(): boolean {
    return this.ring.usedWords() === 0;
  }

  /** The worker was replaced: its streams go on in later epochs, its books are not aligned. */
  restart(): void {
    this.ring.announceNewWriter();
    this.books.forEach((book, id) => {
      book.epoch = this.nextEpoch++;
      book.state = BookState.Syncing;
      book.reason = StateReason.WorkerRestarted;
      book.sequence++;
      this.writeStatusRecord(id, RecordType.BookStatusOut, Channel.Book, book.sequence);
      this.sayStatus(id);
    });
    this.ring.commit();
  }

  /** Changes the truth without a word: what corrupted memory looks like. */
  corruptHash(id: number): void {
    this.books[id]!.hashLow ^= 1;
  }

  private size(): number {
    return 1 + this.prng.nextInt(5_000);
  }

  private set(id: number, side: number, price: number, size: number): void {
    const book = this.books[id]!;
    const levels = side === 0 ? book.bids : book.asks;
    const before = levels.get(price) ?? 0;
    if (before > 0) this.mix(book, side, price, before);
    if (size > 0) {
      levels.set(price, size);
      this.mix(book, side, price, size);
    } else {
      levels.delete(price);
    }
  }

  private mix(book: Book, side: number, price: number, size: number): void {
    book.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, size);
    book.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
  }

  private sayBbo(id: number): void {
    const book = this.books[id]!;
    const bid = this.levels(id, 'bids', 1)[0] ?? [0, 0];
    const ask = this.levels(id, 'asks', 1)[0] ?? [0, 0];
    this.fillHead(id, Channel.Bbo, ++book.bboSequence, EventFlag.Last);
    this.clearHash();
    const slot = this.claim(
      id,
      RecordType.BboOut,
      this.encoder.bboBytes,
      book.bboSequence,
      EventFlag.Last,
    );
    this.encoder.writeBbo(
      this.ring.words,
      this.wordAt(slot),
      this.head,
      bid[0],
      bid[1],
      ask[0],
      ask[1],
      0,
      0,
      this.instruments[id]!.priceDecimals,
      this.instruments[id]!.sizeDecimals,
    );
  }

  private sayStatus(id: number): void {
    this.writeStatusRecord(
      id,
      RecordType.StatusOut,
      Channel.Status,
      ++this.books[id]!.statusSequence,
    );
  }

  private writeStatusRecord(
    id: number,
    type: RecordType,
    channel: Channel,
    sequence: number,
  ): void {
    this.fillHead(id, channel, sequence, EventFlag.Last);
    if (channel !== Channel.Book) this.clearHash();
    const slot = this.claim(id, type, this.encoder.statusBytes, sequence, EventFlag.Last);
    this.encoder.writeStatus(
      this.ring.words,
      this.wordAt(slot),
      this.head,
      this.clock.nowNs(),
      this.instruments[id]!,
    );
  }

  private writeDelta(
    id: number,
    changed: readonly [number, number, number][],
    flags: number,
  ): void {
    const bids = changed.filter(([side]) => side === 0);
    const asks = changed.filter(([side]) => side === 1);
    const levels = new Float64Array([...bids, ...asks].flatMap(([, price, size]) => [price, size]));
    const sequence = ++this.books[id]!.sequence;
    this.fillHead(id, Channel.Book, sequence, flags);
    const bytes = this.encoder.bookDeltaBytes(bids.length, asks.length);
    const slot = this.claim(id, RecordType.BookDeltaOut, bytes, sequence, flags);
    this.encoder.writeBookDelta(
      this.ring.words,
      this.wordAt(slot),
      this.head,
      levels,
      0,
      bids.length,
      asks.length,
    );
  }

  private writeSnapshot(id: number, flags: number, bids: Levels, asks: Levels): void {
    const { name, priceDecimals, sizeDecimals } = this.instruments[id]!;
    const levels = new Float64Array([...bids, ...asks].flat());
    const utf8 = new TextEncoder().encode(name);
    const sequence = ++this.books[id]!.sequence;
    this.fillHead(id, Channel.Book, sequence, flags);
    const bytes = this.encoder.bookSnapshotBytes(bids.length, asks.length, utf8.length);
    const slot = this.claim(id, RecordType.BookSnapshotOut, bytes, sequence, flags);
    this.encoder.writeBookSnapshot(
      this.ring.words,
      this.wordAt(slot),
      this.head,
      levels,
      0,
      bids.length,
      asks.length,
      0,
      priceDecimals,
      sizeDecimals,
      utf8,
    );
  }

  private fillHead(id: number, channel: Channel, sequence: number, flags: number): void {
    const { head } = this;
    const book = this.books[id]!;
    const nowNs = this.clock.nowNs();
    head[HeadField.Epoch] = book.epoch;
    head[HeadField.Sequence] = sequence;
    head[HeadField.FirstSequence] = sequence;
    head[HeadField.VenueSequence] = sequence * 10;
    head[HeadField.HashLow] = book.hashLow;
    head[HeadField.HashHigh] = book.hashHigh;
    head[HeadField.ExchangeNs] = nowNs - 3_000_000;
    head[HeadField.ReceivedNs] = nowNs - 2_000;
    head[HeadField.AppliedNs] = nowNs - 1_000;
    head[HeadField.PublishedNs] = -1;
    head[HeadField.StreamId] = streamIdOf(id, channel);
    head[HeadField.InstrumentId] = id;
    head[HeadField.Folded] = 0;
    head[HeadField.Flags] = flags;
    head[HeadField.State] = book.state;
    head[HeadField.Reason] = book.reason;
  }

  private clearHash(): void {
    this.head[HeadField.HashLow] = 0;
    this.head[HeadField.HashHigh] = 0;
  }

  private claim(
    id: number,
    type: RecordType,
    bytes: number,
    sequence: number,
    flags: number,
  ): number {
    const slot = this.ring.tryClaim(type, OUT_ENVELOPE_DOUBLES * 8 + bytes);
    if (slot < 0) throw new Error('the test ring is too small: poll it more often');
    const { doubles } = this.ring;
    const nowNs = this.clock.nowNs();
    doubles[slot + OUT_INSTRUMENT] = id;
    doubles[slot + OUT_FLAGS] = flags;
    doubles[slot + OUT_EPOCH] = this.books[id]!.epoch;
    doubles[slot + OUT_SEQUENCE] = sequence;
    doubles[slot + OUT_MESSAGE_BYTES] = bytes;
    doubles[slot + OUT_RECEIVED_NS] = nowNs - 2_000;
    doubles[slot + OUT_APPLIED_NS] = nowNs - 1_000;
    doubles[slot + OUT_STATE] = this.books[id]!.state;
    return slot;
  }

  private wordAt(slot: number): number {
    return (slot + OUT_ENVELOPE_DOUBLES) * 2;
  }
}
