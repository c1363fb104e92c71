/**
 * A BooksAgent between real rings, driven turn by turn on a virtual clock. Everything that leaves is
 * decoded and held against the contract of the streams (StreamChecker), whatever a test looks at.
 */
import assert from 'node:assert/strict';
import { BBO_ROW_DOUBLES } from '../../src/books/bbo-row.js';
import { BooksAgent } from '../../src/books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  type BooksColumn,
  createBooksCounters,
} from '../../src/books/books-counters.js';
import { type BooksLimits, DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { Channel } from '../../src/domain/channel.js';
import { DOUBLES_PER_DECIMAL, NEXT_FUNDING_BIT } from '../../src/domain/context-fields.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../../src/rings/doorbell.js';
import * as R from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { createSeqlockTable, SeqlockReader } from '../../src/rings/seqlock.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { FuturesSequencer } from '../../src/venues/binance-futures/sequencer.js';
import type { Sequencer } from '../../src/venues/venue.js';
import { type OutMessage, readOutMessage, StreamChecker } from './stream-checker.js';
import { timeCell } from '../../src/time/clock.js';

export type Levels = readonly (readonly [price: number, size: number])[];

export interface Wanted {
  readonly instrument: number;
  readonly reason: number;
  readonly attempt: number;
}

export interface RigOptions {
  readonly instruments?: readonly Instrument[];
  readonly limits?: Partial<BooksLimits>;
  readonly createSequencer?: () => Sequencer;
  readonly snapshotInStream?: boolean;
  readonly snapshotInEveryFrame?: boolean;
  readonly contexts?: boolean;
  readonly outputs?: number;
  /** Those of the outputs (by index) that leave out what finds them full. */
  readonly leaving?: readonly number[];
  readonly inputWords?: number;
  readonly outputWords?: number;
  /** False: messages are not decoded, only counted (`outCount`); for large runs. */
  readonly follow?: boolean;
}

export const TIMELINE = new Timeline(1_700_000_000_000_000_000n);

export function instrument(id: number, symbol = `S${id}USDT`): Instrument {
  return {
    id,
    venue: 'test',
    symbol,
    name: `test:${symbol}`,
    base: symbol.slice(0, -4),
    quote: 'USDT',
    kind: 'perpetual',
    priceDecimals: 1,
    sizeDecimals: 3,
    tickSize: 1,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  };
}

export class BooksRig {
  readonly clock = new VirtualClock(1_000_000);
  readonly checker = new StreamChecker();
  /** All messages of the first output so far, in order. */
  readonly messages: OutMessage[] = [];
  /** Messages by record type, where they are not followed. */
  readonly outCount = new Map<number, number>();
  readonly latencies = { venueToReceived: [] as number[], receivedToApplied: [] as number[] };
  readonly counters: CounterTable;
  readonly worker: CounterTable;
  readonly inputProducer: RingProducer;
  agent: BooksAgent;
  readonly outputRings: SharedArrayBuffer[];
  private readonly inputRing: SharedArrayBuffer;
  private readonly outputs: RingConsumer[];
  private readonly wantedRing = createRing(1024);
  private readonly wantedConsumer = new RingConsumer(this.wantedRing);
  private readonly bboTable: SharedArrayBuffer;
  private readonly countersBuffer: SharedArrayBuffer;
  private readonly workerBuffer = createCounterTable(1, BOOKS_WORKER_COLUMNS);
  private readonly options: RigOptions;
  private readonly instruments: readonly Instrument[];

  constructor(options: RigOptions = {}) {
    this.options = options;
    this.instruments = options.instruments ?? [instrument(0)];
    const rows = Math.max(...this.instruments.map(({ id }) => id)) + 1;
    this.inputRing = createRing(options.inputWords ?? 65_536);
    this.inputProducer = new RingProducer(this.inputRing);
    this.outputRings = Array.from({ length: options.outputs ?? 1 }, () =>
      createRing(options.outputWords ?? 262_144),
    );
    this.outputs = this.outputRings.map((ring) => new RingConsumer(ring));
    this.bboTable = createSeqlockTable(rows, BBO_ROW_DOUBLES);
    this.countersBuffer = createBooksCounters(rows);
    this.counters = new CounterTable(this.countersBuffer, BOOKS_COLUMNS);
    this.worker = new CounterTable(this.workerBuffer, BOOKS_WORKER_COLUMNS);
    this.agent = this.createAgent(false);
  }

  createAgent(takeover: boolean): BooksAgent {
    const bell = new DoorbellRinger(createDoorbell());
    return new BooksAgent({
      name: 'books-0',
      instruments: this.instruments,
      createSequencer: this.options.createSequencer ?? (() => new FuturesSequencer()),
      snapshotInStream: this.options.snapshotInStream ?? false,
      snapshotInEveryFrame: this.options.snapshotInEveryFrame ?? false,
      contexts: this.options.contexts ?? false,
      input: new RingConsumer(this.inputRing),
      outputs: this.outputRings.map((ring, index) => ({
        ring: new RingProducer(ring),
        bell,
        whenFull: this.options.leaving?.includes(index) === true ? 'leave' : 'wait',
      })),
      wanted: { ring: new RingProducer(this.wantedRing), bell },
      bboTable: this.bboTable,
      counters: this.countersBuffer,
      workerCounters: this.workerBuffer,
      workerRow: 0,
      histograms: {
        venueToReceived: { record: (ns) => this.latencies.venueToReceived.push(ns) },
        receivedToApplied: { record: (ns) => this.latencies.receivedToApplied.push(ns) },
      },
      timeline: TIMELINE,
      clock: this.clock,
      limits: { ...DEFAULT_BOOKS_LIMITS, ...this.options.limits },
      takeover,
    });
  }

  /** One turn of the agent; then reads its outputs unless told to leave them. Returns what is new. */
  turn(read = true): OutMessage[] {
    this.agent.doWork(timeCell(this.clock.nowNs()));
    return read ? this.readOutputs() : [];
  }

  readOutputs(): OutMessage[] {
    const before = this.messages.length;
    const handler = {
      onRecord: (typeId: number, slot: number, payloadBytes: number): void => {
        const message = readOutMessage(this.outputs[0]!, typeId, slot, payloadBytes);
        this.checker.accept(message);
        this.messages.push(message);
      },
    };
    if (this.options.follow === false) this.countOutputs();
    else while (this.outputs[0]!.poll(handler, 1000) > 0);
    return this.messages.slice(before);
  }

  private countOutputs(): void {
    const handler = {
      onRecord: (typeId: number): void => {
        this.outCount.set(typeId, (this.outCount.get(typeId) ?? 0) + 1);
      },
    };
    while (this.outputs[0]!.poll(handler, 1000) > 0);
  }

  /** The reader of the first output is replaced: it knows nothing. */
  announceNewReader(): void {
    this.outputs[0]!.announceNewReader();
  }

  /** Raw records of a further output. */
  readRaw(output: number): { typeId: number; bytes: Buffer }[] {
    const consumer = this.outputs[output]!;
    const records: { typeId: number; bytes: Buffer }[] = [];
    consumer.poll(
      {
        onRecord: (typeId, slot, payloadBytes) => {
          records.push({
            typeId,
            bytes: Buffer.from(consumer.bytes.slice(slot * 8, slot * 8 + payloadBytes)),
          });
        },
      },
      1e6,
    );
    return records;
  }

  wanted(): Wanted[] {
    const list: Wanted[] = [];
    const { doubles } = this.wantedConsumer;
    this.wantedConsumer.poll(
      {
        onRecord: (typeId, slot) => {
          assert.equal(typeId, R.RecordType.SnapshotWanted);
          list.push({
            instrument: doubles[slot + R.WANTED_INSTRUMENT]!,
            reason: doubles[slot + R.WANTED_REASON]!,
            attempt: doubles[slot + R.WANTED_ATTEMPT]!,
          });
        },
      },
      1000,
    );
    return list;
  }

  count(column: BooksColumn, row = 0): number {
    return this.counters.get(row, column);
  }

  bboRow(row = 0): Float64Array | null {
    const target = new Float64Array(BBO_ROW_DOUBLES);
    return new SeqlockReader(this.bboTable, BBO_ROW_DOUBLES).tryRead(row, target) ? target : null;
  }

  feed(typeId: number, record: ArrayLike<number>): void {
    const slot = this.inputProducer.tryClaim(typeId, record.length * 8);
    assert.ok(slot >= 0, 'the input ring of the rig has room');
    this.inputProducer.doubles.set(record, slot);
    this.inputProducer.commit();
  }

  depth(first: number, last: number, previous: number, bids: Levels, asks: Levels, id = 0): void {
    this.feed(
      R.RecordType.DepthUpdate,
      this.book(id, EventFlag.Last, [first, last, previous], bids, asks),
    );
  }

  snapshot(
    sequence: number,
    bids: Levels,
    asks: Levels,
    flags: number = EventFlag.Snapshot | EventFlag.Last,
    id = 0,
  ): void {
    this.feed(
      R.RecordType.DepthSnapshot,
      this.book(id, flags, [R.ABSENT, sequence, R.ABSENT], bids, asks),
    );
  }

  ticker(
    sequence: number,
    bid: readonly [number, number],
    ask: readonly [number, number],
    id = 0,
  ): void {
    const header = this.header(id, EventFlag.Last, [R.ABSENT, sequence, R.ABSENT]);
    this.feed(R.RecordType.BookTicker, [...header, ...bid, ...ask]);
  }

  trade(tradeId: number, price: number, size: number, aggressor = 0, id = 0): void {
    const header = this.header(id, EventFlag.Last, [tradeId, tradeId, R.ABSENT]);
    this.feed(R.RecordType.Trade, [...header, price, size, aggressor, tradeId]);
  }

  source(state: number, reason = 0, channel: number = Channel.Book, id = 0): void {
    const header = this.header(id, 0, [R.ABSENT, R.ABSENT, R.ABSENT]);
    this.feed(R.RecordType.SourceState, [...header, state, channel, reason]);
  }

  /** Tells these values (by ContextField), null for none, and the next funding. */
  contextUpdate(
    values: Readonly<Record<number, readonly [number, number, number] | null>>,
    nextFundingNs?: number,
    id = 0,
  ): void {
    const record = new Float64Array(R.CONTEXT_UPDATE_DOUBLES);
    record.set(this.header(id, EventFlag.Last, [R.ABSENT, R.ABSENT, R.ABSENT]));
    record[R.CONTEXT_NEXT_FUNDING_NS] = nextFundingNs ?? R.ABSENT;
    if (nextFundingNs !== undefined) record[R.CONTEXT_TOLD] = NEXT_FUNDING_BIT;
    for (const [field, value] of Object.entries(values)) {
      record[R.CONTEXT_TOLD]! |= 1 << Number(field);
      if (value === null) continue;
      record[R.CONTEXT_PRESENT]! |= 1 << Number(field);
      record.set(value, R.CONTEXT_VALUES + Number(field) * DOUBLES_PER_DECIMAL);
    }
    this.feed(R.RecordType.ContextUpdate, record);
  }

  refused(retryAfterNs: number, id = 0): void {
    const header = this.header(id, 0, [R.ABSENT, R.ABSENT, R.ABSENT]);
    this.feed(R.RecordType.SnapshotRefused, [...header, 0, retryAfterNs]);
  }

  defined(
    priceDecimals: number,
    sizeDecimals: number,
    tickSize: number,
    id = 0,
    trading: number = 0,
  ): void {
    const header = this.header(id, 0, [R.ABSENT, R.ABSENT, R.ABSENT]);
    this.feed(R.RecordType.InstrumentDefined, [
      ...header,
      priceDecimals,
      sizeDecimals,
      tickSize,
      1,
      0,
      trading,
    ]);
  }

  book(
    id: number,
    flags: number,
    sequences: readonly [number, number, number],
    bids: Levels,
    asks: Levels,
  ): number[] {
    return [
      ...this.header(id, flags, sequences),
      bids.length,
      asks.length,
      ...bids.flat(),
      ...asks.flat(),
    ];
  }

  private header(
    id: number,
    flags: number,
    sequences: readonly [number, number, number],
  ): number[] {
    const receivedNs = this.clock.nowNs();
    return [id, flags, receivedNs - 5_000_000, receivedNs, ...sequences, R.ABSENT];
  }
}
