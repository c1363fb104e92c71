/**
 * Whole snapshots of a node's books on their way to the book shards: when to ask for one, and its
 * orders told a bounded piece at a time, so that the live stream never waits. Ingest thread, warm.
 *
 *     Idle ──wanted, or due for validation──▶ Asked ──bytes──▶ Telling ──end──▶ Idle
 *                                               └──refused──▶ Idle, again after RETRY_NS
 *
 * The books are told when one is asked for (SnapshotAnnounced): what comes after that they keep.
 */
import { StateReason } from '../domain/book-state.js';
import { ABSENT } from '../rings/record-types.js';
import type { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { SnapshotParser, SnapshotResult } from '../venues/hyperliquid-node/parse-snapshot.js';
import { NodeColumn, type NodeCounterTables } from './node-files-counters.js';
import type { NodeReport, NodeSnapshots, SnapshotBytes } from './node-files-options.js';
import type { OrderOutlet } from './order-outlet.js';

export interface SnapshotIntakeOptions {
  readonly instruments: NodeInstruments;
  readonly snapshots: NodeSnapshots;
  readonly outlet: OrderOutlet;
  readonly report: (report: NodeReport) => void;
  readonly validateEveryNs: number;
  readonly isWanted?: (coin: string) => boolean;
  readonly counters: NodeCounterTables | null;
  /** Whether a snapshot of this height helps: why not, or null. Before anything of it is told. */
  readonly refusalOf: (height: number, isPast: boolean, isForBooks: boolean) => string | null;
  /** A snapshot of this height was told whole. */
  readonly onTold: (height: number) => void;
}

/** After a snapshot that failed. */
const RETRY_NS = 2e9;
/** Orders told from a snapshot in one duty cycle: about a millisecond. */
const ORDERS_PER_TURN = 1024;
const READ_BYTES = 1 << 20;
/** An instrument that no snapshot holds asks again after this: snapshots of all markets are large. */
const MISSING_RETRY_NS = 60e9;
/** Coins named in one report. */
const NAMED_MAX = 20;

export class SnapshotIntake {
  private readonly options: SnapshotIntakeOptions;
  private isWantedNow = false;
  private isUnderWay = false;
  /** A book waits for it; else it only validates. */
  private isForBooks = false;
  private refusal: string | null = null;
  private closed = false;
  private retryAtNs = 0;
  private nextValidationNs = Infinity;
  private nowNs = 0;
  private bytes: SnapshotBytes | null = null;
  private parser: SnapshotParser | null = null;
  private height: number = ABSENT;
  /** By instrument id: the snapshot under way holds it. */
  private readonly held: Uint8Array;
  private readonly unlisted = new Set<string>();
  private unlistedTold = 0;

  constructor(options: SnapshotIntakeOptions) {
    this.options = options;
    const { instruments } = options.instruments;
    this.held = new Uint8Array(instruments.reduce((most, { id }) => Math.max(most, id), 0) + 1);
  }

  start(nowNs: number): void {
    this.planValidation(nowNs);
  }

  /** Nothing is being told. */
  get isIdle(): boolean {
    return this.bytes === null;
  }

  /** One that was asked for and is not there yet will be for all; one being told has passed some. */
  want(): void {
    if (!this.isUnderWay || this.bytes !== null) this.isWantedNow = true;
  }

  askIfDue(bookHeight: number, nowNs: number): void {
    this.nowNs = nowNs;
    const { outlet, snapshots } = this.options;
    const isDue = this.isWantedNow || nowNs >= this.nextValidationNs;
    if (!isDue || this.isUnderWay || nowNs < this.retryAtNs || outlet.isBlocked) return;
    this.isForBooks = this.isWantedNow;
    this.isWantedNow = false;
    this.isUnderWay = true;
    this.planValidation(nowNs);
    outlet.announceSnapshot(bookHeight, nowNs);
    snapshots.request().then(
      (bytes) => this.onReady(bytes),
      (error: unknown) => this.onFailed(error instanceof Error ? error.message : String(error)),
    );
  }

  /** A bounded piece of the snapshot under way. */
  read(nowNs: number): number {
    this.nowNs = nowNs;
    const { bytes, parser } = this;
    if (bytes === null || parser === null || this.options.outlet.isBlocked) return 0;
    const result = parser.step(ORDERS_PER_TURN);
    if (this.refusal !== null) {
      this.onFailed(this.refusal, 'SNAPSHOT_TOO_OLD');
      return 1;
    }
    if (result === SnapshotResult.Done) this.onTold(parser.orders);
    else if (result === SnapshotResult.NeedMore) this.feed(bytes, parser);
    else if (result !== SnapshotResult.Paused) this.onFailed('the snapshot is malformed');
    return 1;
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  private planValidation(nowNs: number): void {
    const { validateEveryNs } = this.options;
    if (validateEveryNs > 0) this.nextValidationNs = nowNs + validateEveryNs;
  }

  private feed(bytes: SnapshotBytes, parser: SnapshotParser): void {
    let piece: Buffer | null;
    try {
      piece = bytes.read(READ_BYTES);
    } catch (error) {
      this.onFailed((error as Error).message);
      return;
    }
    if (piece === null) this.onFailed('the snapshot is cut short');
    else parser.feed(piece);
  }

  private onReady(bytes: SnapshotBytes): void {
    if (this.closed) return bytes.close();
    this.bytes = bytes;
    this.height = bytes.height ?? ABSENT;
    this.held.fill(0);
    const { outlet } = this.options;
    let current: number = ABSENT;
    this.parser = new SnapshotParser(this.options.instruments, {
      onHeight: (height) => {
        if (height !== ABSENT) this.height = height;
        if (this.height === ABSENT) return;
        const isPast = bytes.isPast === true;
        this.refusal = this.options.refusalOf(this.height, isPast, this.isForBooks);
      },
      onCoin: (instrumentId, name) => {
        if (this.refusal !== null) {
          current = ABSENT;
          return;
        }
        current = instrumentId;
        if (current === ABSENT) return this.noteUnknown(name);
        this.held[current] = 1;
        outlet.beginSnapshot(current, this.height, this.nowNs);
      },
      onOrder: (order) => {
        // The book refuses the order too; its next snapshot is as likely to hold it.
        if (order[1] === ABSENT || order[2] === ABSENT) this.held[current] = 0;
        outlet.addOrder(order);
      },
      onCoinEnd: () => {
        if (current !== ABSENT) outlet.endSnapshot();
      },
    });
  }

  private onFailed(
    message: string,
    code: 'SNAPSHOT_REFUSED' | 'SNAPSHOT_TOO_OLD' = 'SNAPSHOT_REFUSED',
  ): void {
    if (this.closed) return;
    this.options.report({ kind: 'snapshot-failed', code, message });
    this.options.counters?.addNode(NodeColumn.SnapshotsFailed, 1);
    this.end();
    this.refusal = null;
    this.isWantedNow = true;
    this.retryAtNs = this.nowNs + RETRY_NS;
  }

  private onTold(orders: number): void {
    const { counters, report } = this.options;
    const { height } = this;
    report({ kind: 'snapshot', height, orders });
    counters?.addNode(NodeColumn.Snapshots, 1);
    counters?.setNode(NodeColumn.SnapshotHeight, height);
    counters?.setNode(NodeColumn.SnapshotOrders, orders);
    this.end();
    this.options.onTold(height);
    this.tellUnlisted();
    this.tellMissing();
  }

  private noteUnknown(coin: string): void {
    if (this.options.isWanted?.(coin) === true) this.unlisted.add(coin);
  }

  /** Coins listed since the start: told, not guessed. */
  private tellUnlisted(): void {
    if (this.unlisted.size === this.unlistedTold) return;
    this.unlistedTold = this.unlisted.size;
    this.options.counters?.setNode(NodeColumn.Unlisted, this.unlisted.size);
    this.options.report({ kind: 'unlisted', coins: [...this.unlisted].slice(-NAMED_MAX) });
  }

  /** What the snapshot does not hold has no book: an empty one would be a guess. */
  private tellMissing(): void {
    const missing = this.options.instruments.instruments.filter(({ id }) => this.held[id] === 0);
    if (missing.length === 0) return;
    const { outlet, report } = this.options;
    for (const { id } of missing) {
      outlet.snapshotRefused(id, StateReason.SnapshotRefused, MISSING_RETRY_NS, this.nowNs);
    }
    report({ kind: 'missing', instruments: missing.slice(0, NAMED_MAX).map(({ name }) => name) });
  }

  private end(): void {
    this.bytes?.close();
    this.bytes = null;
    this.parser = null;
    this.isUnderWay = false;
  }
}
