/**
 * A node's files, written block by block, through the real ingest, books and broadcast agents to the
 * JSON API: on the server in memory with a virtual clock, or on sockets.
 */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BBO_ROW_DOUBLES } from '../../src/books/bbo-row.js';
import { BooksAgent } from '../../src/books/books-agent.js';
import { BOOKS_WORKER_COLUMNS, createBooksCounters } from '../../src/books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { BroadcastAgent } from '../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../../src/broadcast/broadcast-counters.js';
import type { BroadcastServer } from '../../src/broadcast/broadcast-server.js';
import type { NumberFormat } from '../../src/broadcast/hyperliquid-api/api-text.js';
import type { BroadcastLimits } from '../../src/broadcast/limits.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { NodeFilesIngest } from '../../src/ingest/node-files-ingest.js';
import { RawStatuses } from '../../src/ingest/raw-statuses.js';
import { openSnapshotFile } from '../../src/ingest/snapshot-file.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { DemandFlags, createDemandFlags } from '../../src/rings/demand-flags.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import { HistogramWriter, createHistogramTable } from '../../src/rings/latency-histogram.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { createSeqlockTable } from '../../src/rings/seqlock.js';
import type { Scheduler } from '../../src/time/clock.js';
import { Timeline } from '../../src/time/timeline.js';
import { NodeInstruments } from '../../src/venues/hyperliquid-node/node-instruments.js';
import { timeCell } from '../../src/time/clock.js';

export const SOURCES = ['raw_book_diffs', 'order_statuses', 'fills'] as const;
export type Source = (typeof SOURCES)[number];
/** The lines of one block. */
export type BlockLines = Readonly<Record<Source, string>>;

const HOUR = join('hourly', '20260505', '17');

export interface RigOptions {
  readonly snapshotPath: string;
  readonly instruments: readonly Instrument[];
  readonly server: BroadcastServer;
  readonly clock: Scheduler;
  readonly format?: NumberFormat;
  readonly awaitsInfo?: boolean;
  readonly limits?: Partial<BroadcastLimits>;
  readonly layout?: 'by-block' | 'streaming';
  /** Size of the ring of raw texts. */
  readonly rawWords?: number;
}

export class NodeApiRig {
  readonly agent: BroadcastAgent;
  readonly ingest: NodeFilesIngest;
  /** Of the broadcaster. */
  readonly counters: CounterTable;
  readonly directory = mkdtempSync(join(tmpdir(), 'ringside-node-'));
  private readonly books: BooksAgent;
  /** Statuses to readers of the API. */
  readonly rawStatuses: RawStatuses;
  private readonly clock: Scheduler;
  private readonly layout: 'by-block' | 'streaming';

  constructor(options: RigOptions) {
    const { instruments, clock, server } = options;
    this.clock = clock;
    this.layout = options.layout ?? 'by-block';
    const isStreaming = this.layout === 'streaming';
    const timeline = new Timeline(0n);
    const rows = instruments.length;
    const bell = new DoorbellRinger(createDoorbell());
    const input = createRing(2 ** 22);
    const output = createRing(2 ** 22);
    const wishes = createRing(2 ** 14);
    const raw = createRing(options.rawWords ?? 2 ** 20);
    const demand = new DemandFlags(createDemandFlags(rows));
    const histograms = createHistogramTable(2);
    for (const source of SOURCES) {
      mkdirSync(join(this.root(source), 'hourly', '20260505'), { recursive: true });
      writeFileSync(join(this.root(source), HOUR), '');
    }
    const known = new NodeInstruments(instruments);
    this.rawStatuses = new RawStatuses(known, new RingProducer(raw), bell, demand, isStreaming);
    this.ingest = new NodeFilesIngest({
      roots: {
        diffs: this.root('raw_book_diffs'),
        statuses: this.root('order_statuses'),
        fills: this.root('fills'),
      },
      isStreaming,
      instruments: known,
      rings: [{ ring: new RingProducer(input), bell }],
      shardOf: new Int32Array(rows),
      wanted: [new RingConsumer(wishes)],
      timeline,
      snapshots: { request: () => Promise.resolve(openSnapshotFile(options.snapshotPath, null)) },
      report: () => {},
      rawStatuses: this.rawStatuses,
      validateEveryNs: 0,
      fromBeginning: true,
    });
    this.books = new BooksAgent({
      name: 'books-0',
      instruments,
      createSequencer: () => {
        throw new Error('order-by-order books continue by height');
      },
      snapshotInStream: false,
      orderByOrder: true,
      input: new RingConsumer(input),
      outputs: [{ ring: new RingProducer(output), bell }],
      wanted: { ring: new RingProducer(wishes), bell },
      bboTable: createSeqlockTable(rows, BBO_ROW_DOUBLES),
      counters: createBooksCounters(rows),
      workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
      workerRow: 0,
      histograms: {
        venueToReceived: new HistogramWriter(histograms, 0),
        receivedToApplied: new HistogramWriter(histograms, 1),
      },
      timeline,
      clock,
      limits: DEFAULT_BOOKS_LIMITS,
      takeover: false,
    });
    const broadcast = createCounterTable(1, BROADCAST_COLUMNS);
    this.counters = new CounterTable(broadcast, BROADCAST_COLUMNS);
    this.agent = new BroadcastAgent({
      instruments,
      orders: true,
      inputs: [new RingConsumer(output)],
      server,
      clock,
      timeline,
      counters: broadcast,
      limits: options.limits,
      version: '0.1.0',
      api: {
        numberFormat: options.format ?? 'obs',
        awaitsInfo: options.awaitsInfo,
        raw: { ring: new RingConsumer(raw), demand },
      },
    });
    this.ingest.start(clock.nowNs());
  }

  append(block: Partial<BlockLines>): void {
    for (const source of SOURCES) {
      const line = block[source];
      if (line !== undefined && line !== '')
        appendFileSync(join(this.root(source), HOUR), `${line}\n`);
    }
  }

  /** One turn of every agent. */
  turn(): number {
    return this.fillTurn() + this.agent.doWork(timeCell(this.clock.nowNs()));
  }

  /** One turn of those before the broadcaster. */
  fillTurn(): number {
    const now = timeCell(this.clock.nowNs());
    return this.ingest.doWork(now) + this.books.doWork(now);
  }

  close(): void {
    this.ingest.onClose();
    this.agent.onClose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private root(source: Source): string {
    return join(this.directory, `node_${source}_${this.layout.replace('-', '_')}`);
  }
}

/** The blocks of a capture's streaming files: rows of one height, several a source. */
export function readStreamedBlocks(data: string, heights: readonly number[]): BlockLines[] {
  const rows = SOURCES.map((source) => {
    const text = readFileSync(join(data, `node_${source}_streaming`, HOUR), 'utf8').trim();
    const byHeight = new Map<number, string[]>(heights.map((height) => [height, []]));
    for (const row of text.split('\n'))
      byHeight.get(Number(/"block_number":(\d+)/.exec(row)![1]))!.push(row);
    return byHeight;
  });
  return heights.map((height) => {
    const [diffs, statuses, fills] = rows.map((byHeight) => byHeight.get(height)!.join('\n'));
    return { raw_book_diffs: diffs!, order_statuses: statuses!, fills: fills! };
  });
}

/** The blocks of a capture's by-block files. */
export function readBlocks(data: string): BlockLines[] {
  const lines = (source: Source): string[] =>
    readFileSync(join(data, `node_${source}_by_block`, HOUR), 'utf8')
      .trim()
      .split('\n');
  const [diffs, statuses, fills] = SOURCES.map(lines);
  return diffs!.map((line, i) => ({
    raw_book_diffs: line,
    order_statuses: statuses![i]!,
    fills: fills![i]!,
  }));
}
