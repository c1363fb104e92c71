/**
 * The ingest room for a venue whose data are files that a local node writes: follows the sources,
 * puts blocks together and hands order events, trades and snapshots to the books. Ingest thread; an
 * agent like `Ingest`, but its sources need no connection and no event is ever dropped.
 *
 *     diffs ───────▶ DiffParser ──▶ BlockAssembler ──▶ OrderOutlet ──▶ rings ──▶ books
 *     statuses ────▶ StatusScanner ──┘ identity            ▲
 *     fills ───────▶ FillParser ────────────────────────── trades
 *     snapshot file ▶ SnapshotParser ────────────────────── orders
 *
 * **Invariant**: while a record waits for room nothing is read. A source that is silent is told to
 * the books (SourceState) and to the reporter; the others go on; the process never ends for it.
 */
import { Channel } from '../domain/channel.js';
import { StateReason } from '../domain/book-state.js';
import type { RingConsumer } from '../rings/ring-consumer.js';
import { ABSENT, RecordType, SourceState } from '../rings/record-types.js';
import type { Agent } from '../runtime/agent.js';
import type { Timeline } from '../time/timeline.js';
import { Envelope } from '../venues/hyperliquid-node/envelope.js';
import type { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { DiffFault, DiffParser } from '../venues/hyperliquid-node/parse-diffs.js';
import { FillParser } from '../venues/hyperliquid-node/parse-fills.js';
import { SnapshotParser, SnapshotResult } from '../venues/hyperliquid-node/parse-snapshot.js';
import { StatusScanner } from '../venues/hyperliquid-node/parse-statuses.js';
import { BlockAssembler } from './block-assembler.js';
import { FileTail, type LineTaker, TailEvent } from './file-tail.js';
import { OrderOutlet } from './order-outlet.js';
import type { ShardOutput } from './shard-router.js';

export const NODE_SOURCES = ['diffs', 'statuses', 'fills'] as const;
export type NodeSource = (typeof NODE_SOURCES)[number];

/** Where each source's `hourly` folder is. */
export type NodeRoots = Readonly<Record<NodeSource, string>>;

/** A snapshot's bytes, piece by piece, as they can be read without waiting long. */
export interface SnapshotBytes {
  /** Up to `bytesMax` bytes; null at the end. */
  read(bytesMax: number): Buffer | null;
  close(): void;
  /** Height where the file itself does not say it (command line of the node). */
  readonly height: number | null;
}

/** Gets snapshots from the node: its info server, a file, or its command line. */
export interface NodeSnapshots {
  request(): Promise<SnapshotBytes>;
}

export type NodeReport =
  | {
      readonly kind: 'source';
      readonly source: NodeSource;
      readonly path: string;
      readonly state: 'up' | 'silent' | 'waiting' | 'replaced';
    }
  | {
      readonly kind: 'fault';
      readonly source: NodeSource;
      readonly code: 'FRAME_MALFORMED' | 'FRAME_PRECISION' | 'FRAME_TOO_LARGE';
      readonly sample: string;
    }
  | { readonly kind: 'hole'; readonly from: number; readonly to: number }
  | { readonly kind: 'snapshot'; readonly height: number; readonly orders: number }
  | { readonly kind: 'snapshot-failed'; readonly message: string };

export interface NodeFilesOptions {
  readonly roots: NodeRoots;
  readonly isStreaming: boolean;
  readonly instruments: NodeInstruments;
  readonly rings: readonly ShardOutput[];
  readonly shardOf: Int32Array;
  readonly wanted: readonly RingConsumer[];
  readonly timeline: Timeline;
  readonly snapshots: NodeSnapshots;
  readonly report: (report: NodeReport) => void;
  /** Between two snapshots that only validate; 0 never asks for one. */
  readonly validateEveryNs: number;
  /**
   * Read the snapshot first, then the sources from their oldest file on, passing over what it
   * contains: for recordings, and for a snapshot from a file. Otherwise the sources are followed from
   * their ends, and the snapshot asked for then is newer than that.
   */
  readonly fromBeginning?: boolean;
}

/** Blocks come every 70 ms: a second of silence of a source is an outage. */
export const SOURCE_SILENT_NS = 1e9;
/** After a snapshot that failed. */
const RETRY_NS = 2e9;
/** Orders told from a snapshot in one duty cycle: about a millisecond. */
const ORDERS_PER_TURN = 1024;
const SNAPSHOT_READ_BYTES = 1 << 20;
const READS_PER_TURN = 4;
const SAMPLE_BYTES = 200;

export class NodeFilesIngest implements Agent {
  readonly name = 'ingest';
  private readonly options: NodeFilesOptions;
  private readonly outlet: OrderOutlet;
  private readonly assembler: BlockAssembler;
  private readonly statuses: StatusScanner;
  private readonly diffs: DiffParser;
  private readonly fills: FillParser;
  private readonly envelope = new Envelope();
  private readonly tails: Readonly<Record<NodeSource, FileTail>>;
  private readonly heardNs: Record<NodeSource, number> = { diffs: -1, statuses: -1, fills: -1 };
  private readonly silent: Record<NodeSource, boolean> = {
    diffs: true,
    statuses: true,
    fills: true,
  };
  private nowNs = 0;
  private isSnapshotWanted = false;
  private isSnapshotUnderWay = false;
  private retryAtNs = 0;
  private nextValidationNs = Infinity;
  private bytes: SnapshotBytes | null = null;
  private parser: SnapshotParser | null = null;
  private snapshotHeight = 0;
  /** Lines up to this height are in the snapshot that was read first. */
  private passedHeight: number = ABSENT;
  private closed = false;
  /** The sources wait for the first snapshot. */
  private isSnapshotFirst = false;
  malformedLines = 0;
  trades = 0;

  constructor(options: NodeFilesOptions) {
    this.options = options;
    const { instruments, timeline } = options;
    const ids = instruments.instruments.map((instrument) => instrument.id);
    this.outlet = new OrderOutlet(options.rings, options.shardOf, ids);
    this.outlet.whenHole((from, to) => this.onHole(from, to));
    this.statuses = new StatusScanner(instruments);
    this.diffs = new DiffParser(instruments);
    this.fills = new FillParser(instruments, timeline);
    this.assembler = new BlockAssembler(this.outlet, this.statuses, options.isStreaming);
    this.tails = {
      diffs: new FileTail(
        options.roots.diffs,
        lineTaker((line, at, end, now) => this.onDiffs(line, at, end, now)),
      ),
      statuses: new FileTail(
        options.roots.statuses,
        lineTaker((line, at, end) => this.onStatuses(line, at, end)),
      ),
      fills: new FileTail(
        options.roots.fills,
        lineTaker((line, at, end, now) => this.onFills(line, at, end, now)),
      ),
    };
  }

  /** Opens the sources, as far as they are there. */
  start(nowNs: number): void {
    this.nowNs = nowNs;
    this.isSnapshotFirst = this.options.fromBeginning === true;
    this.isSnapshotWanted = this.isSnapshotFirst;
    for (const source of NODE_SOURCES) {
      const tail = this.tails[source];
      const isThere = this.isSnapshotFirst ? tail.startAtBeginning() : tail.startAtEnd();
      this.options.report({
        kind: 'source',
        source,
        path: this.options.roots[source],
        state: isThere ? 'up' : 'waiting',
      });
    }
    if (this.options.validateEveryNs > 0)
      this.nextValidationNs = nowNs + this.options.validateEveryNs;
  }

  get height(): number {
    return this.assembler.height;
  }

  doWork(nowNs: number): number {
    this.nowNs = nowNs;
    let work = this.readWishes();
    if (this.outlet.flush()) {
      // Statuses before diffs: what a block's orders are is then known when its diffs are read.
      if (!this.isSnapshotFirst) {
        for (const source of ['statuses', 'diffs', 'fills'] as const)
          work += this.readSource(source, nowNs);
        work += this.assembler.close(nowNs);
      }
      work += this.readSnapshot();
    }
    this.watch(nowNs);
    this.askForSnapshot(nowNs);
    this.outlet.flush();
    return work;
  }

  /** Nothing more will be written: hands on the last blocks too (end of a recording). */
  finish(): void {
    this.assembler.finish();
    this.outlet.flush();
  }

  /** Everything that is there has been read and handed on. */
  get isIdle(): boolean {
    return !this.isSnapshotFirst && !this.outlet.isBlocked && this.bytes === null;
  }

  onClose(): void {
    this.closed = true;
    for (const source of NODE_SOURCES) this.tails[source].close();
    this.bytes?.close();
    this.bytes = null;
    this.outlet.flush();
  }

  private readSource(source: NodeSource, nowNs: number): number {
    const tail = this.tails[source];
    const lines = this.outlet.isBlocked ? 0 : tail.poll(nowNs, READS_PER_TURN);
    if (lines > 0) {
      this.heardNs[source] = nowNs;
      if (this.silent[source]) this.onHeard(source, nowNs);
    }
    const event = tail.takeEvent();
    if (event === TailEvent.Replaced) this.onReplaced(source);
    if (event === TailEvent.LineTooLong) this.refuse(source, 'FRAME_TOO_LARGE', Buffer.alloc(0));
    return lines;
  }

  private onDiffs(line: Buffer, start: number, end: number, receivedNs: number): void {
    const { envelope } = this;
    if (!envelope.read(line, start, end, this.options.timeline)) {
      this.refuse('diffs', 'FRAME_MALFORMED', line.subarray(start, end));
      this.loseContinuity(StateReason.MalformedFrame);
      return;
    }
    if (!this.assembler.begin(envelope.height, envelope.blockNs, receivedNs)) return;
    if (this.diffs.parse(line, envelope, end, receivedNs, this.diffTaker) >= 0) return;
    this.assembler.refuse();
    const isPrecision = this.diffs.fault === DiffFault.Precision;
    this.refuse(
      'diffs',
      isPrecision ? 'FRAME_PRECISION' : 'FRAME_MALFORMED',
      line.subarray(start, end),
    );
    this.loseContinuity(isPrecision ? StateReason.PrecisionLost : StateReason.MalformedFrame);
  }

  private readonly diffTaker = {
    onOrderEvent: (event: Float64Array): void => this.assembler.add(event),
  };

  private onStatuses(line: Buffer, start: number, end: number): void {
    if (!this.envelope.read(line, start, end, this.options.timeline)) {
      this.refuse('statuses', 'FRAME_MALFORMED', line.subarray(start, end));
      return;
    }
    this.statuses.learn(line.subarray(start, end), this.envelope.height);
    this.assembler.onStatuses(this.envelope.height);
  }

  private onFills(line: Buffer, start: number, end: number, receivedNs: number): void {
    const { envelope } = this;
    const isRead = envelope.read(line, start, end, this.options.timeline);
    if (isRead && envelope.height <= this.passedHeight) return;
    const trades = isRead ? this.fills.parse(line, envelope, end, receivedNs, this.outlet) : -1;
    if (trades < 0) this.refuse('fills', 'FRAME_MALFORMED', line.subarray(start, end));
    else this.trades += trades;
  }

  private refuse(
    source: NodeSource,
    code: 'FRAME_MALFORMED' | 'FRAME_PRECISION' | 'FRAME_TOO_LARGE',
    line: Buffer,
  ): void {
    this.malformedLines++;
    const sample = line.subarray(0, SAMPLE_BYTES).toString('latin1');
    this.options.report({ kind: 'fault', source, code, sample });
  }

  /** What the books have can no longer be continued. */
  private loseContinuity(reason: StateReason): void {
    this.outlet.sourceState(SourceState.FrameLost, Channel.Orders, reason, this.nowNs);
    this.isSnapshotWanted = true;
  }

  private onHole(from: number, to: number): void {
    this.options.report({ kind: 'hole', from, to });
    this.loseContinuity(StateReason.Gap);
  }

  private onReplaced(source: NodeSource): void {
    this.options.report({
      kind: 'source',
      source,
      path: this.tails[source].path ?? '',
      state: 'replaced',
    });
    if (source === 'diffs') this.loseContinuity(StateReason.Gap);
  }

  private onHeard(source: NodeSource, nowNs: number): void {
    this.silent[source] = false;
    this.options.report({
      kind: 'source',
      source,
      path: this.tails[source].path ?? '',
      state: 'up',
    });
    if (source === 'diffs')
      this.outlet.sourceState(SourceState.Up, Channel.Orders, StateReason.StreamResumed, nowNs);
  }

  private watch(nowNs: number): void {
    for (const source of NODE_SOURCES) {
      if (this.silent[source] || nowNs - this.heardNs[source] < SOURCE_SILENT_NS) continue;
      this.silent[source] = true;
      this.options.report({
        kind: 'source',
        source,
        path: this.tails[source].path ?? '',
        state: 'silent',
      });
      if (source === 'diffs') {
        this.outlet.sourceState(
          SourceState.Silent,
          Channel.Orders,
          StateReason.StreamSilent,
          nowNs,
        );
      }
    }
  }

  private readWishes(): number {
    let wishes = 0;
    for (const ring of this.options.wanted) wishes += ring.poll(this.wishTaker, 64);
    return wishes;
  }

  private readonly wishTaker = {
    onRecord: (typeId: number): void => {
      if (typeId === RecordType.SnapshotWanted) this.isSnapshotWanted = true;
    },
  };

  private askForSnapshot(nowNs: number): void {
    const isDue = this.isSnapshotWanted || nowNs >= this.nextValidationNs;
    if (!isDue || this.isSnapshotUnderWay || nowNs < this.retryAtNs || this.outlet.isBlocked)
      return;
    this.isSnapshotWanted = false;
    this.isSnapshotUnderWay = true;
    if (this.options.validateEveryNs > 0)
      this.nextValidationNs = nowNs + this.options.validateEveryNs;
    this.outlet.announceSnapshot(this.assembler.height, nowNs);
    this.options.snapshots.request().then(
      (bytes) => this.onSnapshotReady(bytes),
      (error: unknown) =>
        this.onSnapshotFailed(error instanceof Error ? error.message : String(error)),
    );
  }

  private onSnapshotReady(bytes: SnapshotBytes): void {
    if (this.closed) return bytes.close();
    this.bytes = bytes;
    this.snapshotHeight = bytes.height ?? ABSENT;
    let current: number = ABSENT;
    this.parser = new SnapshotParser(this.options.instruments, {
      onHeight: (height) => {
        if (height !== ABSENT) this.snapshotHeight = height;
      },
      onCoin: (instrumentId) => {
        current = instrumentId;
        if (current !== ABSENT) this.outlet.beginSnapshot(current, this.snapshotHeight, this.nowNs);
      },
      onOrder: (order) => this.outlet.addOrder(order),
      onCoinEnd: () => {
        if (current !== ABSENT) this.outlet.endSnapshot();
      },
    });
  }

  private onSnapshotFailed(message: string): void {
    this.options.report({ kind: 'snapshot-failed', message });
    this.endSnapshot();
    this.isSnapshotWanted = true;
    this.retryAtNs = this.nowNs + RETRY_NS;
  }

  /** A bounded piece of the snapshot under way, so that the live stream never waits for it. */
  private readSnapshot(): number {
    const { bytes, parser } = this;
    if (bytes === null || parser === null || this.outlet.isBlocked) return 0;
    const result = parser.step(ORDERS_PER_TURN);
    if (result === SnapshotResult.Done) {
      this.options.report({ kind: 'snapshot', height: this.snapshotHeight, orders: parser.orders });
      if (this.isSnapshotFirst) {
        this.isSnapshotFirst = false;
        this.passedHeight = this.snapshotHeight;
        this.assembler.startAfter(this.snapshotHeight);
      }
      this.endSnapshot();
    } else if (result === SnapshotResult.NeedMore) {
      const piece = bytes.read(SNAPSHOT_READ_BYTES);
      if (piece === null) this.onSnapshotFailed('the snapshot is cut short');
      else parser.feed(piece);
    } else if (result !== SnapshotResult.Paused) {
      this.onSnapshotFailed(
        result === SnapshotResult.Precision ? 'a number does not fit' : 'the snapshot is malformed',
      );
    }
    return 1;
  }

  private endSnapshot(): void {
    this.bytes?.close();
    this.bytes = null;
    this.parser = null;
    this.isSnapshotUnderWay = false;
  }
}

function lineTaker(onLine: LineTaker['onLine']): LineTaker {
  return { onLine };
}
