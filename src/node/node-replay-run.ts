/**
 * A replay of a Hyperliquid node's files wired together: files → tails → blocks → ring → order books →
 * ring → lines, in one thread on a virtual clock. The same rooms as in the live node.
 */
import { BBO_ROW_DOUBLES } from '../books/bbo-row.js';
import { BooksAgent } from '../books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  createBooksCounters,
} from '../books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../books/limits.js';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { InvariantError } from '../faults/invariant.js';
import {
  NodeFilesIngest,
  type NodeReport,
  type SnapshotBytes,
} from '../ingest/node-files-ingest.js';
import type { NodeData } from '../ingest/node-data.js';
import { openSnapshotFile } from '../ingest/snapshot-file.js';
import { NodeLines, type NodeLineMode, type NodeSummary } from '../replay/node-lines.js';
import { CounterTable, createCounterTable } from '../rings/counters.js';
import { DoorbellRinger, createDoorbell } from '../rings/doorbell.js';
import { HistogramWriter, createHistogramTable } from '../rings/latency-histogram.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createRing } from '../rings/ring-layout.js';
import { RingProducer } from '../rings/ring-producer.js';
import { createSeqlockTable } from '../rings/seqlock.js';
import { AgentInvoker } from '../runtime/agent-invoker.js';
import { Timeline } from '../time/timeline.js';
import { VirtualClock } from '../time/virtual-clock.js';
import { type Markets, isWanted, nodeInstrument } from '../venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { readCoins } from './snapshot-coins.js';

const RING_WORDS = 2 ** 22;
const WANTED_RING_WORDS = 2 ** 14;
const PENDING_RECORDS_MAX = 2 ** 20;
const PENDING_BYTES_MAX = 256 * 1024 * 1024;
/** The virtual clock moves by this a turn, so that waits for statuses and silences end. */
const TURN_NS = 1e6;
/** Turns without work after which everything that is there has been read. */
const IDLE_TURNS = 600;

export interface NodeReplayOptions {
  readonly data: NodeData;
  readonly snapshotPath: string;
  readonly instruments: readonly Instrument[];
  readonly mode: NodeLineMode;
  readonly levels: number;
  readonly sigFigs: number;
  readonly mantissa: number;
  readonly report: (report: NodeReport) => void;
}

export interface NodeReplaySummary {
  readonly blocks: number;
  readonly applied: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly crossed: number;
  readonly trades: number;
  readonly diffsChecked: number;
  readonly diffsFailed: number;
  readonly lines: number;
  readonly malformedLines: number;
  readonly hash: string;
  readonly instruments: readonly NodeSummary[];
}

/** The wanted coins of a snapshot file, as instruments. Throws FaultError. */
export function readSnapshotCoins(
  path: string,
  markets: Markets,
  names: readonly string[] | null,
): Instrument[] {
  const coins = readCoins(openSnapshotFile(path, null), path);
  const wanted = coins.filter((coin) =>
    names === null ? isWanted(coin, markets) : names.includes(coin),
  );
  return wanted.map((coin, id) => nodeInstrument(coin, id, null));
}

export class NodeReplayRun {
  readonly lines: NodeLines;
  private readonly clock = new VirtualClock();
  private readonly ingest: NodeFilesIngest;
  private readonly invoker: AgentInvoker;
  private readonly counters: CounterTable;
  private readonly options: NodeReplayOptions;
  private snapshotsGiven = 0;

  constructor(options: NodeReplayOptions) {
    this.options = options;
    const { instruments } = options;
    if (instruments.length === 0) throw new InvariantError('a replay has at least one instrument');
    const timeline = new Timeline(0n);
    const rows = instruments.length;
    const input = createRing(RING_WORDS);
    const output = createRing(RING_WORDS);
    const wishes = createRing(WANTED_RING_WORDS);
    const bell = new DoorbellRinger(createDoorbell());
    const counters = createBooksCounters(rows);
    const histograms = createHistogramTable(2);
    this.counters = new CounterTable(counters, BOOKS_COLUMNS);
    this.ingest = new NodeFilesIngest({
      roots: options.data.roots,
      isStreaming: options.data.layout === 'streaming',
      instruments: new NodeInstruments(instruments),
      rings: [{ ring: new RingProducer(input), bell }],
      shardOf: new Int32Array(rows),
      wanted: [new RingConsumer(wishes)],
      timeline,
      snapshots: { request: () => this.giveSnapshot() },
      report: options.report,
      validateEveryNs: 0,
      fromBeginning: true,
    });
    const books = new BooksAgent({
      name: 'books-0',
      instruments,
      createSequencer: () => {
        throw new InvariantError('order-by-order books continue by height');
      },
      snapshotInStream: false,
      orderByOrder: true,
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
      timeline,
      clock: this.clock,
      limits: {
        ...DEFAULT_BOOKS_LIMITS,
        pendingRecordsMax: PENDING_RECORDS_MAX,
        pendingBytesMax: PENDING_BYTES_MAX,
      },
      takeover: false,
    });
    this.lines = new NodeLines({
      mode: options.mode,
      instruments: new Map(instruments.map((instrument) => [instrument.id, instrument])),
      input: new RingConsumer(output),
      levels: options.levels,
      sigFigs: options.sigFigs,
      mantissa: options.mantissa,
    });
    this.invoker = new AgentInvoker([this.ingest, books, this.lines], this.clock);
  }

  /** Reads everything; calls `drain` whenever lines wait, and stops when it says so. */
  async run(drain: () => Promise<boolean>): Promise<void> {
    this.ingest.start(this.clock.nowNs());
    let idle = 0;
    while (idle < IDLE_TURNS) {
      this.clock.advanceBy(TURN_NS);
      const worked = this.invoker.invoke() > 0;
      // The snapshot's promise settles between turns.
      if (!this.ingest.isIdle) await Promise.resolve();
      idle = worked || !this.ingest.isIdle ? 0 : idle + 1;
      if (this.lines.waitingChars > 0 && !(await drain())) return;
    }
    this.ingest.finish();
    while (this.invoker.invoke() > 0);
    await drain();
    this.invoker.close();
  }

  summary(): NodeReplaySummary {
    const instruments = this.lines.summaries();
    const sum = (column: number): number =>
      this.options.instruments.reduce((total, { id }) => total + this.counters.get(id, column), 0);
    return {
      blocks: instruments.reduce((total, row) => total + row.blocks, 0),
      applied: sum(BooksColumn.Applied),
      gaps: sum(BooksColumn.Gaps),
      resyncs: sum(BooksColumn.Resyncs),
      crossed: sum(BooksColumn.Crossed),
      trades: instruments.reduce((total, row) => total + row.trades, 0),
      diffsChecked: sum(BooksColumn.Checked),
      diffsFailed: sum(BooksColumn.Failed),
      lines: this.ingest.linesRead,
      malformedLines: this.ingest.malformedLines,
      hash: instruments[0]!.ordersHash,
      instruments,
    };
  }

  private giveSnapshot(): Promise<SnapshotBytes> {
    this.snapshotsGiven++;
    if (this.snapshotsGiven > 1)
      return Promise.reject(new FaultError('SNAPSHOT_REFUSED', 'a replay has one snapshot'));
    return Promise.resolve(openSnapshotFile(this.options.snapshotPath, null));
  }
}
