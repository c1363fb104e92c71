/**
 * The books room as a replay uses it: one worker between an input and an output ring, in the replay's
 * own thread and time, with more patience for a late snapshot than a live node has. Main thread, cold.
 */
import { BBO_ROW_DOUBLES } from '../books/bbo-row.js';
import { BooksAgent, type BooksOptions } from '../books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  createBooksCounters,
} from '../books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../books/limits.js';
import { CounterTable, createCounterTable } from '../rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../rings/doorbell.js';
import { createHistogramTable, HistogramWriter } from '../rings/latency-histogram.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createRing } from '../rings/ring-layout.js';
import { RingProducer } from '../rings/ring-producer.js';
import { createSeqlockTable } from '../rings/seqlock.js';

/** An event of 500,000 levels still fits; nobody else shares these rings. */
const RING_WORDS = 2 ** 22;
const WANTED_RING_WORDS = 2 ** 14;

/** What differs from replay to replay: which books, how they align, what is kept for a late snapshot. */
export type ReplayBooksOptions = Pick<
  BooksOptions,
  | 'instruments'
  | 'createSequencer'
  | 'snapshotInStream'
  | 'snapshotInEveryFrame'
  | 'orderByOrder'
  | 'contexts'
  | 'timeline'
  | 'clock'
> & {
  /** Greatest instrument id + 1. */
  readonly rows: number;
  readonly pendingRecordsMax: number;
  readonly pendingBytesMax: number;
};

export interface ReplayBooks {
  readonly agent: BooksAgent;
  /** Where events go in, with the bell to ring; messages come out; snapshots are wished for. */
  readonly input: RingProducer;
  readonly bell: DoorbellRinger;
  readonly output: RingConsumer;
  readonly wishes: SharedArrayBuffer;
  /** BooksColumn, a row an instrument id. */
  readonly counters: CounterTable;
}

export function createReplayBooks(options: ReplayBooksOptions): ReplayBooks {
  const { rows, pendingRecordsMax, pendingBytesMax, ...books } = options;
  const input = createRing(RING_WORDS);
  const output = createRing(RING_WORDS);
  const wishes = createRing(WANTED_RING_WORDS);
  const bell = new DoorbellRinger(createDoorbell());
  const counters = createBooksCounters(rows);
  const histograms = createHistogramTable(2);
  const agent = new BooksAgent({
    ...books,
    name: 'books-0',
    input: new RingConsumer(input),
    outputs: [{ ring: new RingProducer(output), bell }],
    wanted: { ring: new RingProducer(wishes), bell },
    bboTable: createSeqlockTable(rows, BBO_ROW_DOUBLES),
    counters,
    workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
    workerRow: 0,
    histograms: {
      venueToReceived: new HistogramWriter(histograms, 0),
      receivedToApplied: new HistogramWriter(histograms, 1),
    },
    limits: { ...DEFAULT_BOOKS_LIMITS, pendingRecordsMax, pendingBytesMax },
    takeover: false,
  });
  return {
    agent,
    input: new RingProducer(input),
    bell,
    output: new RingConsumer(output),
    wishes,
    counters: new CounterTable(counters, BOOKS_COLUMNS),
  };
}
