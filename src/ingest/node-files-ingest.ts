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
import { ABSENT, RecordType, SourceState } from '../rings/record-types.js';
import type { Agent } from '../runtime/agent.js';
import type { TimeCell } from '../time/clock.js';
import { JsonCompactor } from '../venues/hyperliquid-node/compact-json.js';
import { Envelope } from '../venues/hyperliquid-node/envelope.js';
import { DiffFault, DiffParser } from '../venues/hyperliquid-node/parse-diffs.js';
import { FillParser } from '../venues/hyperliquid-node/parse-fills.js';
import { StatusScanner } from '../venues/hyperliquid-node/parse-statuses.js';
import { LineMemory } from '../venues/scan/line-memory.js';
import { BlockAssembler } from './block-assembler.js';
import { BlockWitness } from './block-witness.js';
import { oldestHeight } from './hourly-files.js';
import {
  NodeColumn,
  NodeCounterTables,
  NODE_SOURCES,
  type NodeSource,
  SourceColumn,
} from './node-files-counters.js';
import { FileTail, type LineTaker, TailEvent } from './file-tail.js';
import type { NodeFilesOptions } from './node-files-options.js';
import { OrderOutlet } from './order-outlet.js';
import { SnapshotIntake } from './snapshot-intake.js';
import { SourceWatch } from './source-watch.js';

const READS_PER_TURN = 4;
const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
/** Of a line, up to within its first time. */
const HEAD_BYTES = 40;
const SAMPLE_BYTES = 200;
export class NodeFilesIngest implements Agent {
  readonly name = 'ingest';
  private readonly options: NodeFilesOptions;
  private readonly outlet: OrderOutlet;
  private readonly assembler: BlockAssembler;
  private readonly witness = new BlockWitness();
  private readonly statuses: StatusScanner;
  private readonly diffs: DiffParser;
  private readonly fills: FillParser;
  private readonly memories = { diffs: LineMemory.create(), statuses: LineMemory.create() };
  private readonly diffsEnvelope = new Envelope(this.memories.diffs);
  private readonly statusesEnvelope = new Envelope(this.memories.statuses);
  private readonly fillsEnvelope = new Envelope();
  private readonly tails: Readonly<Record<NodeSource, FileTail>>;
  private readonly watch: SourceWatch;
  private nowNs = 0;
  private readonly snapshots: SnapshotIntake;
  /** Lines up to this height are in the snapshot that was read first. */
  private passedHeight: number = ABSENT;
  /** The sources wait for the first snapshot. */
  private isSnapshotFirst = false;
  /** Height up to which the files are read again, ABSENT when they are not; statuses likewise. */
  private rewoundTo: number = ABSENT;
  private rewoundStatusesTo: number = ABSENT;
  private statusHeight: number = ABSENT;
  private isRewindDue = false;
  private rewinds = 0;
  private lastFillHeight: number = ABSENT;
  private readonly counters: NodeCounterTables | null;
  malformedLines = 0;
  trades = 0;

  constructor(options: NodeFilesOptions) {
    this.options = options;
    const { instruments, timeline } = options;
    const ids = instruments.instruments.map((instrument) => instrument.id);
    this.outlet = new OrderOutlet(options.rings, options.shardOf, ids);
    this.counters = options.counters === undefined ? null : new NodeCounterTables(options.counters);
    this.snapshots = new SnapshotIntake({
      ...options,
      outlet: this.outlet,
      counters: this.counters,
      refusalOf: (height, isPast, isForBooks) => this.refusalOf(height, isPast, isForBooks),
      onTold: (height) => this.onSnapshotTold(height),
    });
    const pathOf = (source: NodeSource): string => this.tails[source].path ?? '';
    this.watch = new SourceWatch(options.report, this.outlet, pathOf);
    this.outlet.whenHole((from, to) => this.onHole(from, to));
    this.statuses = new StatusScanner(instruments, this.witness, this.memories.statuses);
    this.diffs = new DiffParser(instruments, this.memories.diffs);
    this.fills = new FillParser(instruments, timeline, this.witness);
    this.assembler = new BlockAssembler(
      this.outlet,
      this.statuses,
      this.witness,
      options.isStreaming,
    );
    this.tails = {
      diffs: new FileTail(
        options.roots.diffs,
        lineTaker((line, at, end, now) => this.onDiffs(line, at, end, now)),
        this.memories.diffs,
      ),
      statuses: new FileTail(
        options.roots.statuses,
        lineTaker((line, at, end) => this.onStatuses(line, at, end)),
        this.memories.statuses,
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
    if (this.isSnapshotFirst) this.snapshots.want();
    for (const source of NODE_SOURCES) {
      const tail = this.tails[source];
      const isThere = this.isSnapshotFirst ? tail.hasFiles : tail.startAtEnd();
      if (source === 'diffs' && isThere && !this.isSnapshotFirst) this.assembler.startAmid();
      this.options.report({
        kind: 'source',
        source,
        path: this.options.roots[source],
        state: isThere ? 'up' : 'waiting',
      });
    }
    this.snapshots.start(nowNs);
  }

  /** Of all sources. */
  get linesRead(): number {
    return NODE_SOURCES.reduce((sum, source) => sum + this.tails[source].lines, 0);
  }

  get bytesRead(): number {
    return this.tails.diffs.bytesRead + this.tails.statuses.bytesRead + this.tails.fills.bytesRead;
  }

  get height(): number {
    return this.assembler.height;
  }

  /** A file came or went. */
  lookAgain(): void {
    for (const source of NODE_SOURCES) this.tails[source].lookAgain();
  }

  doWork(now: TimeCell): number {
    const nowNs = now[0]!;
    this.nowNs = nowNs;
    let work = this.readWishes();
    if (this.outlet.flush()) {
      // Statuses before diffs: what a block's orders are is then known when its diffs are read.
      if (!this.isSnapshotFirst) {
        for (const source of ['statuses', 'diffs', 'fills'] as const)
          work += this.readSource(source, nowNs);
        work += this.assembler.close(nowNs);
        if (this.rewoundTo !== ABSENT) this.noteCaughtUp();
      }
      work += this.snapshots.read(nowNs);
    }
    this.options.rawStatuses?.tellLost();
    this.watch.check(nowNs);
    this.snapshots.askIfDue(this.assembler.height, nowNs);
    this.outlet.flush();
    this.publishCounters();
    return work;
  }

  /** Nothing more will be written: hands on the last blocks too (end of a recording). */
  finish(): void {
    for (const source of ['statuses', 'diffs', 'fills'] as const)
      this.tails[source].finish(this.nowNs);
    this.assembler.finish();
    this.outlet.flush();
  }

  /** The first snapshot is not told yet, and nothing is read before that. */
  get awaitsSnapshot(): boolean {
    return this.isSnapshotFirst;
  }

  /** Everything that is there has been read and handed on. */
  get isIdle(): boolean {
    return !this.isSnapshotFirst && !this.outlet.isBlocked && this.snapshots.isIdle;
  }

  onClose(): void {
    for (const source of NODE_SOURCES) this.tails[source].close();
    this.snapshots.close();
    this.outlet.flush();
  }

  private readSource(source: NodeSource, nowNs: number): number {
    const tail = this.tails[source];
    const lines = this.outlet.isBlocked ? 0 : tail.poll(nowNs, READS_PER_TURN);
    if (lines > 0) this.watch.onLines(source, nowNs);
    const event = tail.takeEvent();
    if (event === TailEvent.Replaced) this.onReplaced(source);
    if (event === TailEvent.LineTooLong) {
      this.refuse(source, 'FRAME_TOO_LARGE', Buffer.alloc(0));
      this.breakSource(source);
    }
    return lines;
  }

  private onDiffs(line: Buffer, start: number, end: number, receivedNs: number): void {
    const envelope = this.diffsEnvelope;
    if (!envelope.read(line, start, end, this.options.timeline)) {
      this.refuse('diffs', 'FRAME_MALFORMED', line.subarray(start, end));
      this.lossReason = StateReason.MalformedFrame;
      this.assembler.breakHere();
      return;
    }
    this.watch.noteLag(envelope.localNs - envelope.blockNs, receivedNs);
    if (!this.assembler.begin(envelope.height, envelope.blockNs, receivedNs)) return;
    const isRead = this.diffs.parse(line, envelope, end, receivedNs, this.diffTaker) >= 0;
    if (this.diffs.fault === DiffFault.None) return;
    const code = isRead ? 'FRAME_PRECISION' : 'FRAME_MALFORMED';
    this.refuse('diffs', code, line.subarray(start, end));
    // A number that does not fit is a matter of its instrument's book.
    if (isRead) return;
    this.assembler.refuse();
    this.lossReason = StateReason.MalformedFrame;
  }

  /** Why the next hole is one. */
  private lossReason: StateReason = StateReason.Gap;

  private readonly diffTaker = {
    onOrderEvent: (event: Float64Array): void => this.assembler.add(event),
  };

  private onStatuses(line: Buffer, start: number, end: number): void {
    const envelope = this.statusesEnvelope;
    if (!envelope.read(line, start, end, this.options.timeline)) {
      this.refuse('statuses', 'FRAME_MALFORMED', line.subarray(start, end));
      return;
    }
    const { eventsAt, height, blockNs } = envelope;
    // What is read again was told already.
    if (height > this.rewoundStatusesTo)
      this.options.rawStatuses?.onLine(line, eventsAt, end, height, blockNs);
    this.statuses.learn(line, eventsAt, end, height);
    if (this.options.isStreaming) this.statuses.learnGone(line, eventsAt, end, height);
    if (height > this.statusHeight) this.statusHeight = height;
    this.assembler.onStatuses(height);
  }

  private onFills(line: Buffer, start: number, end: number, receivedNs: number): void {
    const envelope = this.fillsEnvelope;
    const isRead = envelope.read(line, start, end, this.options.timeline);
    if (isRead && envelope.height <= this.passedHeight) return;
    if (isRead) this.lastFillHeight = envelope.height;
    const { misfits } = this.fills;
    const trades = isRead ? this.fills.parse(line, envelope, end, receivedNs, this.outlet) : -1;
    if (this.fills.misfits > misfits)
      this.refuse('fills', 'FRAME_PRECISION', line.subarray(start, end));
    if (trades >= 0) {
      this.trades += trades;
      return;
    }
    this.refuse('fills', 'FRAME_MALFORMED', line.subarray(start, end));
    this.breakSource('fills');
  }

  private refuse(
    source: NodeSource,
    code: 'FRAME_MALFORMED' | 'FRAME_PRECISION' | 'FRAME_TOO_LARGE',
    line: Buffer,
  ): void {
    this.malformedLines++;
    this.counters?.addSource(NODE_SOURCES.indexOf(source), SourceColumn.Faults, 1);
    const sample = line.subarray(0, SAMPLE_BYTES).toString('latin1');
    this.options.report({ kind: 'fault', source, code, sample });
  }

  /** Something of a source is lost, in place: of the book, of its trades, or only of identities. */
  private breakSource(source: NodeSource): void {
    if (source === 'diffs') this.assembler.breakHere();
    if (source === 'fills') {
      const { FrameLost } = SourceState;
      this.outlet.sourceState(FrameLost, Channel.Trades, StateReason.Gap, this.nowNs);
    }
  }

  /** What the books have can no longer be continued: they ask for a snapshot themselves. */
  private onHole(from: number, to: number): void {
    this.options.report({ kind: 'hole', from, to });
    const { FrameLost } = SourceState;
    this.outlet.sourceState(FrameLost, Channel.Orders, this.lossReason, this.nowNs);
    this.lossReason = StateReason.Gap;
  }

  private onReplaced(source: NodeSource): void {
    this.options.report({
      kind: 'source',
      source,
      path: this.tails[source].path ?? '',
      state: 'replaced',
    });
    this.counters?.addSource(NODE_SOURCES.indexOf(source), SourceColumn.Replaced, 1);
    this.breakSource(source);
    // Fills that are read again were told already.
    if (source === 'fills') this.passedHeight = Math.max(this.passedHeight, this.lastFillHeight);
  }

  private readWishes(): number {
    let wishes = 0;
    for (const ring of this.options.wanted) wishes += ring.poll(this.wishTaker, 64);
    return wishes;
  }

  private readonly wishTaker = {
    onRecord: (typeId: number): void => {
      if (typeId === RecordType.SnapshotWanted) this.snapshots.want();
    },
  };

  private onSnapshotTold(height: number): void {
    if (this.isRewindDue) this.rewind(height);
    if (!this.isSnapshotFirst) return;
    this.isSnapshotFirst = false;
    this.passedHeight = height;
    this.assembler.startAfter(height);
    for (const source of NODE_SOURCES) this.tails[source].startAtHeight(height);
  }

  /** A snapshot of the past helps only if every block since then can be read; else says why not. */
  private refusalOf(height: number, isPast: boolean, isForBooks: boolean): string | null {
    this.isRewindDue = false;
    const { assembler } = this;
    if (!this.isSnapshotFirst && !(isPast && isForBooks)) return null;
    const first = oldestHeight(this.options.roots.diffs);
    if (first > height + 1)
      return `the snapshot stands at ${height}, the files begin at ${first} only`;
    if (this.isSnapshotFirst) return null;
    if (assembler.lastHole > height)
      return `the snapshot stands at ${height}, and block ${assembler.lastHole} after it is missing`;
    // Nothing was read yet: what comes first tells whether it connects.
    if (assembler.height < 0 || assembler.height <= height) return null;
    this.isRewindDue = true;
    this.outlet.sourceState(
      SourceState.Rewound,
      Channel.Orders,
      StateReason.SourceLagging,
      this.nowNs,
    );
    return null;
  }

  /** Reads the blocks after the snapshot again; books that have them pass them over. */
  private rewind(height: number): void {
    this.isRewindDue = false;
    this.rewinds++;
    this.rewoundTo = this.assembler.height;
    this.rewoundStatusesTo = this.statusHeight;
    this.options.report({ kind: 'rewound', from: height + 1, to: this.rewoundTo });
    this.watch.setCatchingUp(true, this.nowNs);
    this.assembler.startAfter(height);
    // Trades are not told twice: the fills go on where they are.
    this.tails.diffs.startAtHeight(height);
    this.tails.statuses.startAtHeight(height);
  }

  private noteCaughtUp(): void {
    if (this.assembler.height < this.rewoundTo) return;
    this.rewoundTo = ABSENT;
    this.watch.setCatchingUp(false, this.nowNs);
  }

  private publishCounters(): void {
    const { counters, assembler, outlet, witness } = this;
    if (counters === null) return;
    for (let row = 0; row < NODE_SOURCES.length; row++) {
      const source = NODE_SOURCES[row]!;
      counters.setTail(row, this.tails[source], this.watch.silent[source]);
    }
    counters.setBlocks(assembler, outlet, witness);
    counters.setNode(NodeColumn.Trades, this.trades);
    counters.setNode(NodeColumn.LagNs, this.watch.lagNs);
    counters.setNode(NodeColumn.Rewinds, this.rewinds);
    counters.setNode(NodeColumn.RawLost, this.options.rawStatuses?.lost ?? 0);
  }
}

/** Whether a line that begins so has spaces between its tokens: no name and no time holds one. */
function isSpaced(bytes: Buffer, start: number, end: number): boolean {
  // `{"local_time":"`, as nearly all begin
  if (bytes[start + 14] === QUOTE && bytes[start + 13] === COLON && bytes[start + 1] === QUOTE) {
    return false;
  }
  const until = Math.min(end, start + HEAD_BYTES);
  for (let i = start; i < until; i++) if (bytes[i] === SPACE) return true;
  return false;
}

/** Lines that are not compact are made so: the node's own never need it. */
function lineTaker(onLine: LineTaker['onLine']): LineTaker {
  return {
    onLine: (bytes, start, end, receivedNs) => {
      if (!isSpaced(bytes, start, end)) return onLine(bytes, start, end, receivedNs);
      const line = new JsonCompactor().compact(bytes.subarray(start, end));
      return onLine(line, 0, line.length, receivedNs);
    },
  };
}
