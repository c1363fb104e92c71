/**
 * A replay of a Hyperliquid node's files wired together: files → tails → blocks → ring → order books →
 * ring → lines, in one thread on a virtual clock. The same rooms as in the live node.
 */
import { BooksColumn } from '../books/books-counters.js';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { InvariantError } from '../faults/invariant.js';
import { NodeFilesIngest } from '../ingest/node-files-ingest.js';
import type { NodeReport, SnapshotBytes } from '../ingest/node-files-options.js';
import type { NodeData } from '../ingest/node-data.js';
import { firstHourUnixMs } from '../ingest/hourly-files.js';
import { openSnapshotFile } from '../ingest/snapshot-file.js';
import {
  type NodeCheckpoint,
  NodeLines,
  type NodeLineMode,
  type NodeSummary,
} from '../replay/node-lines.js';
import type { CounterTable } from '../rings/counters.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createReplayBooks } from './replay-books.js';
import { AgentInvoker } from '../runtime/agent-invoker.js';
import { Timeline } from '../time/timeline.js';
import { VirtualClock } from '../time/virtual-clock.js';
import { type Markets, isWanted, nodeInstrument } from '../venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { readCoins } from './snapshot-coins.js';

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
  readonly checkpoint?: NodeCheckpoint;
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
  /** Why the snapshot cannot be begun from: the data cannot be read without it. */
  private unusable: FaultError | null = null;

  constructor(options: NodeReplayOptions) {
    this.options = options;
    const { instruments } = options;
    if (instruments.length === 0) throw new InvariantError('a replay has at least one instrument');
    // A double counts nanoseconds exactly for days, not since 1970.
    const originMs = firstHourUnixMs(options.data.roots.diffs) ?? 0;
    const timeline = new Timeline(BigInt(originMs) * 1_000_000n);
    const rows = instruments.length;
    const books = createReplayBooks({
      rows,
      instruments,
      createSequencer: () => {
        throw new InvariantError('order-by-order books continue by height');
      },
      snapshotInStream: false,
      orderByOrder: true,
      timeline,
      clock: this.clock,
      pendingRecordsMax: PENDING_RECORDS_MAX,
      pendingBytesMax: PENDING_BYTES_MAX,
    });
    this.counters = books.counters;
    this.ingest = new NodeFilesIngest({
      roots: options.data.roots,
      isStreaming: options.data.layout === 'streaming',
      instruments: new NodeInstruments(instruments),
      rings: [{ ring: books.input, bell: books.bell }],
      shardOf: new Int32Array(rows),
      wanted: [new RingConsumer(books.wishes)],
      timeline,
      snapshots: { request: () => this.giveSnapshot() },
      report: (report) => this.onReport(report),
      validateEveryNs: 0,
      fromBeginning: true,
    });
    this.lines = new NodeLines({
      mode: options.mode,
      instruments: new Map(instruments.map((instrument) => [instrument.id, instrument])),
      input: books.output,
      levels: options.levels,
      sigFigs: options.sigFigs,
      mantissa: options.mantissa,
      ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
    });
    this.invoker = new AgentInvoker([this.ingest, books.agent, this.lines], this.clock);
  }

  /**
   * Reads everything; calls `drain` whenever lines wait, and stops when it says so. Throws FaultError
   * SNAPSHOT_REFUSED if the snapshot cannot be used.
   */
  async run(drain: () => Promise<boolean>): Promise<void> {
    this.ingest.start(this.clock.nowNs());
    let idle = 0;
    while (idle < IDLE_TURNS) {
      this.clock.advanceBy(TURN_NS);
      const worked = this.invoker.invoke() > 0;
      // The snapshot's promise settles between turns.
      if (!this.ingest.isIdle) await Promise.resolve();
      if (this.unusable !== null) throw this.unusable;
      idle = worked || !this.ingest.isIdle ? 0 : idle + 1;
      if (this.lines.waitingChars > 0 && !(await drain())) return;
    }
    this.ingest.finish();
    while (this.invoker.invoke() > 0);
    this.lines.finish();
    await drain();
    this.invoker.close();
  }

  /** Height of the last block read, -1 before the first. */
  get height(): number {
    return this.ingest.height;
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

  private onReport(report: NodeReport): void {
    if (report.kind === 'snapshot-failed' && this.ingest.awaitsSnapshot) {
      const { snapshotPath } = this.options;
      this.unusable = new FaultError('CAPTURE_MALFORMED', `${snapshotPath}: ${report.message}`);
    }
    this.options.report(report);
  }

  private giveSnapshot(): Promise<SnapshotBytes> {
    this.snapshotsGiven++;
    if (this.snapshotsGiven > 1)
      return Promise.reject(new FaultError('SNAPSHOT_REFUSED', 'a replay has one snapshot'));
    return Promise.resolve(openSnapshotFile(this.options.snapshotPath, null));
  }
}
