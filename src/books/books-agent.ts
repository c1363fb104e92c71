/**
 * The door of the books room: takes feed events from the ingest ring, hands each to its
 * instrument's book and lets what they publish go out, once a turn. Books thread (one agent a
 * worker); hot. See OrderBook for what a book does, BookWriter for what leaves.
 *
 * A turn is bounded; nothing is taken while an output waits for room (OutputLane). Venue time is
 * compared with ours only where both are known; a venue whose clock is ahead gives no latency.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import { CounterTable } from '../rings/counters.js';
import { DefinitionReader } from '../rings/definition-table.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import { ABSENT, EXCHANGE_NS, INSTRUMENT, RECEIVED_NS, RecordType } from '../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import type { RingProducer } from '../rings/ring-producer.js';
import type { Agent } from '../runtime/agent.js';
import type { Clock, TimeCell } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { Sequencer } from '../venues/venue.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  BooksWorkerColumn,
} from './books-counters.js';
import { ContextFeed } from './context-feed.js';
import { type BooksLimits, checkBooksLimits } from './limits.js';
import type { InstrumentBook } from './instrument-book.js';
import { OrderBook } from './order-book.js';
import { ReplacedBook } from './replaced-book.js';
import { OrdersBook } from './orders-book.js';
import { OrdersWriter } from './orders-writer.js';
import type { BooksOutput } from './output-lane.js';

/** Takes durations in ns; rings/latency-histogram.ts in production. */
export interface LatencyRecorder {
  record(valueNs: number): void;
}

export interface BooksOptions {
  readonly name: string;
  /** Those of this worker; ids index all tables. */
  readonly instruments: readonly Instrument[];
  readonly createSequencer: () => Sequencer;
  /** Snapshots come in the stream itself (VenueCapabilities.snapshot is 'in-stream'). */
  readonly snapshotInStream: boolean;
  /** Every frame of the stream is the whole book: see ReplacedBook. */
  readonly snapshotInEveryFrame?: boolean;
  /** The venue tells every order (VenueCapabilities.orders): books are kept order by order. */
  readonly orderByOrder?: boolean;
  /** Contexts are taken from the venue too, and told from the start on. */
  readonly contexts?: boolean;
  readonly input: RingConsumer;
  readonly outputs: readonly BooksOutput[];
  readonly wanted: { readonly ring: RingProducer; readonly bell: DoorbellRinger };
  /** Seqlock table of BBO_ROW_DOUBLES, a row an instrument id. */
  readonly bboTable: SharedArrayBuffer;
  /** createBooksCounters: a row an instrument id. */
  readonly counters: SharedArrayBuffer;
  /** createCounterTable(workers, BOOKS_WORKER_COLUMNS) and the row of this worker. */
  readonly workerCounters: SharedArrayBuffer;
  readonly workerRow: number;
  readonly histograms: {
    readonly venueToReceived: LatencyRecorder;
    readonly receivedToApplied: LatencyRecorder;
  };
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly limits: BooksLimits;
  /** createDefinitionTable: what the instruments are when a replaced worker's place is taken. */
  readonly definitions?: SharedArrayBuffer;
  /** This worker replaces one that ended: nothing of what it had is known, and nothing is trusted. */
  readonly takeover: boolean;
}

/** The clock is read once for so many records: a stamp errs by less than 20 µs under full load. */
const RECORDS_PER_CLOCK_READ = 8;
/** Deadlines and pauses are looked at this often. */
const SWEEP_NS = 5e6;

export class BooksAgent implements Agent, RecordHandler {
  readonly name: string;
  private readonly input: RingConsumer;
  private readonly clock: Clock;
  private readonly books: InstrumentBook[];
  /** By instrument id; null for those of other workers. */
  private readonly bookOf: (InstrumentBook | null)[];
  /** By instrument id; empty where there are no contexts. */
  private readonly contextOf: (ContextFeed | null)[] = [];
  private readonly contexts: ContextFeed[];
  private readonly writer: OrdersWriter;
  private readonly counters: CounterTable;
  private readonly worker: CounterTable;
  private readonly workerRow: number;
  private readonly venueToReceived: LatencyRecorder;
  private readonly receivedToApplied: LatencyRecorder;
  private readonly recordsPerTurnMax: number;
  private readonly takeover: boolean;
  private readonly definitions: DefinitionReader | null;
  private started = false;
  private nextSweepNs = -Infinity;
  /** When the records being taken were taken. */
  private readonly taken: TimeCell = new Float64Array(1);

  constructor(options: BooksOptions) {
    checkBooksLimits(options.limits);
    this.name = options.name;
    this.input = options.input;
    this.clock = options.clock;
    this.counters = new CounterTable(options.counters, BOOKS_COLUMNS);
    this.worker = new CounterTable(options.workerCounters, BOOKS_WORKER_COLUMNS);
    this.workerRow = options.workerRow;
    this.venueToReceived = options.histograms.venueToReceived;
    this.receivedToApplied = options.histograms.receivedToApplied;
    this.recordsPerTurnMax = options.limits.recordsPerTurnMax;
    this.takeover = options.takeover;
    const { definitions } = options;
    this.definitions = definitions === undefined ? null : new DefinitionReader(definitions);
    this.writer = new OrdersWriter({ ...options, counters: this.counters });
    this.books = options.instruments.map((instrument) => this.createBook(instrument, options));
    const idsMax = options.instruments.reduce((max, { id }) => Math.max(max, id), -1);
    this.bookOf = Array.from({ length: idsMax + 1 }, () => null);
    for (const book of this.books) this.bookOf[book.instrument.id] = book;
    const withContext = options.contexts === true ? options.instruments : [];
    this.contexts = withContext.map(({ id }) => new ContextFeed(id, this.writer, this.counters));
    for (const context of this.contexts) this.contextOf[context.instrumentId] = context;
  }

  doWork(now: TimeCell): number {
    if (!this.started) this.start(now[0]!);
    this.worker.add(this.workerRow, BooksWorkerColumn.Turns, 1);
    if (!this.writer.flush()) {
      this.writer.commit();
      return 0;
    }
    if (this.input.takeWriterChange()) {
      for (const book of this.books) book.onIngestReplaced(now[0]!);
      for (const context of this.contexts) context.onIngestReplaced();
    }
    if (this.writer.takeReaderChange()) this.retell(now[0]!);
    if (now[0]! >= this.nextSweepNs) this.sweep(now[0]!);
    const records = this.takeRecords();
    if (this.writer.isSpilled) this.noteSpill();
    this.writer.commit();
    this.worker.set(this.workerRow, BooksWorkerColumn.LeftOut, this.writer.leftOut);
    if (records > 0) this.worker.add(this.workerRow, BooksWorkerColumn.Records, records);
    return records;
  }

  onRecord(typeId: number, slot: number, _payloadBytes: number): void {
    const record = this.input.doubles;
    const instrumentId = record[slot + INSTRUMENT]!;
    if (instrumentId === ABSENT) return this.onRecordForAll(typeId, slot);
    const book = this.bookOf[instrumentId];
    if (book === null || book === undefined) {
      this.worker.add(this.workerRow, BooksWorkerColumn.Misrouted, 1);
      return;
    }
    if (typeId <= RecordType.Trade) this.recordLatency(typeId, record, slot);
    else if (typeId === RecordType.ContextUpdate || typeId === RecordType.SourceState) {
      this.contextOf[instrumentId]?.onRecord(typeId, record, slot, this.taken);
    }
    book.onRecord(typeId, record, slot, this.taken);
  }

  onClose(): void {
    this.writer.flush();
    this.writer.commit();
  }

  /** The book of an instrument of this worker, for tests and for embedding in the same thread. */
  book(instrumentId: number): InstrumentBook | null {
    return this.bookOf[instrumentId] ?? null;
  }

  private createBook(instrument: Instrument, options: BooksOptions): InstrumentBook {
    const shared = {
      instrument,
      limits: options.limits,
      publisher: this.writer,
      counters: this.counters,
    };
    if (options.orderByOrder === true) return new OrdersBook(shared);
    const isReplaced = options.snapshotInEveryFrame === true;
    const bookOptions = {
      ...shared,
      sequencer: options.createSequencer(),
      snapshotInStream: isReplaced || options.snapshotInStream,
    };
    return isReplaced ? new ReplacedBook(bookOptions) : new OrderBook(bookOptions);
  }

  private start(nowNs: number): void {
    this.started = true;
    if (this.takeover) this.skipToTail();
    const reason = this.takeover ? StateReason.WorkerRestarted : StateReason.Starting;
    for (const book of this.books) {
      this.writer.beginStreams(book.instrument.id, nowNs);
      book.announce(reason, nowNs);
    }
    for (const context of this.contexts) context.announce(reason);
  }

  /**
   * Leaves out what the worker before had not read, knowing at which scale the rest is: see
   * DefinitionTable for why two equal looks around the skip prove that.
   */
  private skipToTail(): void {
    this.takeDefinitions();
    do this.input.skipToTail();
    while (this.takeDefinitions());
  }

  /** True if an instrument was another one than we thought. */
  private takeDefinitions(): boolean {
    let changed = false;
    for (const book of this.books) {
      const now = this.definitions?.read(book.instrument) ?? book.instrument;
      if (now === book.instrument) continue;
      book.redefine(now);
      changed = true;
    }
    return changed;
  }

  private retell(nowNs: number): void {
    for (const book of this.books) book.retell(nowNs);
    for (const context of this.contexts) context.retell();
  }

  private takeRecords(): number {
    let records = 0;
    while (records < this.recordsPerTurnMax && !this.writer.isSpilled) {
      if (this.input.isEmpty()) break;
      this.clock.readInto(this.taken, 0);
      const taken = this.input.poll(this, RECORDS_PER_CLOCK_READ);
      records += taken;
      if (taken < RECORDS_PER_CLOCK_READ) break;
    }
    return records;
  }

  private recordLatency(typeId: number, record: Float64Array, slot: number): void {
    const receivedNs = record[slot + RECEIVED_NS]!;
    const exchangeNs = record[slot + EXCHANGE_NS]!;
    if (typeId === RecordType.DepthSnapshot) return;
    if (exchangeNs !== ABSENT && receivedNs >= exchangeNs) {
      this.venueToReceived.record(receivedNs - exchangeNs);
    }
    if (typeId === RecordType.DepthUpdate) {
      this.receivedToApplied.record(Math.max(0, this.taken[0]! - receivedNs));
    }
  }

  private onRecordForAll(typeId: number, slot: number): void {
    const record = this.input.doubles;
    for (const book of this.books) book.onRecord(typeId, record, slot, this.taken);
  }

  private sweep(nowNs: number): void {
    this.nextSweepNs = nowNs + SWEEP_NS;
    for (let i = 0; i < this.books.length; i++) {
      const book = this.books[i]!;
      if (book.state !== BookState.Live) book.onTime(nowNs);
      this.counters.set(book.instrument.id, BooksColumn.LadderBytes, book.memoryBytes);
    }
  }

  private noteSpill(): void {
    this.worker.add(this.workerRow, BooksWorkerColumn.Spilled, 1);
    const bytes = this.writer.spilledBytes;
    this.worker.max(this.workerRow, BooksWorkerColumn.SpilledBytesMax, bytes);
  }
}
