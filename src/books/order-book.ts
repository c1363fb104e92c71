/**
 * The book of one instrument as a state machine without I/O: feed events in, publications out
 * (BookPublisher). Books thread; hot in `onDepth`, cold elsewhere.
 *
 *                     snapshot loaded, first update proves that it continues it
 *     Syncing ────────────────────────────────────────────────────────────▶ Live ◀─┐ next update
 *                        ▲ same way, new epoch                               │ │    │ in order
 *                     Suspect ◀── gap, crossed, frame lost, mismatch … ──────┤ ▼    │
 *                        ▲                                                   │ Stale ┘
 *                        └── gap … ──────────────────────────────────────────┘ silent, disconnected
 *
 * **Invariant**: nothing is published as Live that was not aligned, or after a break: the state is
 * changed and told in-band before anything else is done about it. While a snapshot is awaited,
 * updates are kept (PendingBuffer) and the venue's Sequencer alone decides which of them continue
 * it. A broken book keeps its last contents, marked Suspect, until the next snapshot is there.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { definedBy, isSameScale } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import { Side } from '../domain/side.js';
import { unreachable } from '../faults/invariant.js';
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  ASKS_COUNT,
  BIDS_COUNT,
  DEFINED,
  DOUBLES_PER_LEVEL,
  FLAGS,
  LEVELS,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_LAST,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SourceState,
} from '../rings/record-types.js';
import type { TimeCell } from '../time/clock.js';
import { SequenceVerdict, type Sequencer } from '../venues/venue.js';
import type { BookPublisher } from './book-publisher.js';
import { BookSync } from './book-sync.js';
import { TellingBook } from './telling-book.js';
import { BooksColumn } from './books-counters.js';
import { BboCheck } from './integrity.js';
import type { BooksLimits } from './limits.js';
import { TradeFeed } from './trade-feed.js';

export interface OrderBookOptions {
  readonly instrument: Instrument;
  readonly sequencer: Sequencer;
  readonly limits: BooksLimits;
  readonly publisher: BookPublisher;
  readonly counters: CounterTable;
  /** Snapshots come in the stream itself, in order with the updates: they align by themselves. */
  readonly snapshotInStream: boolean;
}

const SnapshotPart = { None: 0, Loading: 1, Ignoring: 2 } as const;

/** Flags of a feed event that go on to the clients. */
const FLAGS_PASSED_ON = EventFlag.Last | EventFlag.Synthetic;

export class OrderBook extends TellingBook<BookPublisher> {
  private readonly limits: BooksLimits;
  private readonly snapshotInStream: boolean;
  protected readonly sync: BookSync;
  private readonly check: BboCheck;
  private readonly trades: TradeFeed;
  private loading: number = SnapshotPart.None;

  constructor(options: OrderBookOptions) {
    const { limits, publisher, counters } = options;
    super(options.instrument, publisher, counters);
    this.limits = limits;
    this.snapshotInStream = options.snapshotInStream;
    this.sync = new BookSync(options.sequencer, limits, publisher, counters, this.row);
    this.check = new BboCheck(limits, counters, this.row);
    this.trades = new TradeFeed(this, publisher, counters);
  }

  /**
   * The first word about this book in this worker's life.
   * @param reason Starting, or WorkerRestarted: then the source is up and a snapshot is asked for
   */
  announce(reason: StateReason, nowNs: number): void {
    if (reason === StateReason.WorkerRestarted) this.sync.sourceUp = true;
    this.beginLife(reason, nowNs);
    this.sync.want(reason, nowNs);
  }

  /** One feed event at `record[at]`, lent until the call returns. Hot. */
  onRecord(typeId: number, record: Float64Array, at: number, now: TimeCell): void {
    this.nowNs = now[0]!;
    switch (typeId) {
      case RecordType.DepthUpdate:
        return this.onDepth(record, at);
      case RecordType.BookTicker:
        return this.onTicker(record, at);
      case RecordType.Trade:
        return this.trades.onTrade(record, at, false);
      case RecordType.TradeParties:
        return this.trades.onTrade(record, at, true);
      case RecordType.DepthSnapshot:
        return this.onSnapshot(record, at);
      case RecordType.SourceState:
        return this.onSource(
          record[at + SOURCE_STATE]!,
          record[at + SOURCE_CHANNEL]!,
          record[at + SOURCE_REASON]!,
        );
      case RecordType.SnapshotRefused:
        return this.onRefused(record[at + RETRY_AFTER_NS]!);
      case RecordType.InstrumentDefined:
        return this.onDefined(record, at);
    }
  }

  /** Looks at deadlines and pauses; to be called every few milliseconds. */
  onTime(nowNs: number): void {
    this.nowNs = nowNs;
    this.sync.askIfDue(nowNs);
  }

  /** The ingest thread was replaced: what it had in hand for us is gone. */
  onIngestReplaced(nowNs: number): void {
    this.nowNs = nowNs;
    this.loading = SnapshotPart.None;
    this.sync.retryForgotten(nowNs);
    this.onSource(SourceState.Lost, ABSENT, StateReason.Disconnected);
  }

  /** A reader of an output was replaced and knows nothing: tells all that holds now, in sequence. */
  retell(nowNs: number): void {
    this.nowNs = nowNs;
    if (this.isAligned) this.publisher.snapshot(this);
    this.tellState(!this.isAligned);
  }

  /** Memory of this book that grows with the market. */
  get memoryBytes(): number {
    const { pending } = this.sync;
    return this.levels.ladder.memoryBytes + pending.memoryBytes + this.check.memoryBytes;
  }

  private onDepth(record: Float64Array, at: number): void {
    if (!this.sync.sourceUp) this.onSourceUp();
    if (this.sync.loaded && this.take(record, at)) return;
    if (!this.sync.keep(record, at)) this.setState(this.state, StateReason.BufferOverflow);
  }

  /** Judges an update and acts on it. False if it must be kept for the next alignment. Hot. */
  private take(record: Float64Array, at: number): boolean {
    const verdict = this.sync.judge(record, at);
    switch (verdict) {
      case SequenceVerdict.Apply:
        return this.advance(record, at, false);
      case SequenceVerdict.Anchor:
        return this.advance(record, at, true);
      case SequenceVerdict.Stale:
        return true;
      case SequenceVerdict.Gap:
        this.lose(StateReason.Gap);
        return false;
      case SequenceVerdict.SnapshotTooOld:
        this.check.forgetStates();
        this.sync.retryTooOld(this.nowNs);
        return false;
      case SequenceVerdict.Buffer:
        return false;
      default:
        return unreachable(verdict);
    }
  }

  /**
   * An update in order. False if the snapshot before it turned out to be broken. One that itself
   * breaks the book is dropped: a snapshot that does not contain it will be found too old. Hot.
   */
  private advance(record: Float64Array, at: number, anchorOnly: boolean): boolean {
    if (this.state !== BookState.Live && !this.becomeLive()) return false;
    this.applyUpdate(record, at, anchorOnly);
    return true;
  }

  /** An update of a Live book. Hot. */
  protected applyUpdate(record: Float64Array, at: number, anchorOnly: boolean): void {
    this.stamp(record, at);
    const flags = record[at + FLAGS]! & FLAGS_PASSED_ON;
    const isLast = (flags & EventFlag.Last) !== 0;
    let bids = anchorOnly ? 0 : record[at + BIDS_COUNT]!;
    let asks = anchorOnly ? 0 : record[at + ASKS_COUNT]!;
    let levelsAt = at + LEVELS;
    this.counters.add(this.row, BooksColumn.LevelsApplied, bids + asks);
    // A huge update goes out in several messages; only the final one may carry Last.
    const partMax = this.limits.levelsPerMessageMax * 2;
    while (bids + asks > partMax) {
      const partBids = Math.min(bids, partMax);
      const partAsks = partMax - partBids;
      this.levels.apply(record, levelsAt, partBids, partAsks);
      this.publisher.delta(this, record, levelsAt, partBids, partAsks, flags & ~EventFlag.Last);
      levelsAt += partMax * DOUBLES_PER_LEVEL;
      bids -= partBids;
      asks -= partAsks;
    }
    this.levels.apply(record, levelsAt, bids, asks);
    if (isLast && this.isBroken()) return;
    this.publisher.delta(this, record, levelsAt, bids, asks, flags);
    if (isLast) this.finishUpdate();
  }

  /** An update stands whole in the book and is told. Hot. */
  private finishUpdate(): void {
    this.counters.add(this.row, BooksColumn.Applied, 1);
    if (this.refreshBest()) this.publisher.bbo(this);
    this.publisher.row(this);
    if (this.check.onState(this)) this.lose(StateReason.IntegrityMismatch);
  }

  /** Crossed or beyond its bound: then it is lost already. Hot. */
  private isBroken(): boolean {
    if (this.levels.isCrossed()) {
      this.counters.add(this.row, BooksColumn.Crossed, 1);
      this.lose(StateReason.Crossed);
      return true;
    }
    const { ladder } = this.levels;
    const levelsMax = this.limits.levelsPerSideMax;
    if (ladder.count(Side.Bid) > levelsMax || ladder.count(Side.Ask) > levelsMax) {
      this.lose(StateReason.BufferOverflow);
      return true;
    }
    return false;
  }

  /** An update in order meets a book that is not Live. False if its snapshot is broken. */
  private becomeLive(): boolean {
    if (this.state !== BookState.Stale) return this.align();
    this.setState(BookState.Live, StateReason.StreamResumed);
    return true;
  }

  /** The snapshot in the ladder is proven to be continued: shows it. False if it is broken. */
  private align(): boolean {
    if (this.isBroken()) return false;
    this.state = BookState.Live;
    this.reason = StateReason.Aligned;
    this.sinceNs = this.nowNs;
    this.sync.onLive(this.nowNs);
    this.refreshBest();
    // The snapshot carries the new state in-band; a status of its own would come before its book.
    this.publisher.beginEpoch(this);
    this.publisher.snapshot(this);
    this.tellState(false);
    return true;
  }

  protected onSnapshot(record: Float64Array, at: number): void {
    const flags = record[at + FLAGS]!;
    const isLast = (flags & EventFlag.Last) !== 0;
    if ((flags & EventFlag.Snapshot) !== 0) this.beginSnapshot(record[at + SEQUENCE_LAST]!);
    if (this.loading === SnapshotPart.Loading) {
      this.levels.apply(record, at + LEVELS, record[at + BIDS_COUNT]!, record[at + ASKS_COUNT]!);
      if (isLast) this.finishSnapshot(record, at);
    }
    if (isLast) this.loading = SnapshotPart.None;
  }

  private beginSnapshot(sequenceLast: number): void {
    const isNews = !this.sync.loaded || sequenceLast > this.sync.position;
    if (!this.snapshotInStream && (this.isAligned || !isNews)) {
      this.counters.add(this.row, BooksColumn.SnapshotsIgnored, 1);
      this.loading = SnapshotPart.Ignoring;
      return;
    }
    this.loading = SnapshotPart.Loading;
    this.unload();
    this.levels.clear();
  }

  private finishSnapshot(record: Float64Array, at: number): void {
    this.sync.load(record[at + SEQUENCE_LAST]!);
    this.stamp(record, at);
    if (this.snapshotInStream && !this.align()) return;
    this.drain();
  }

  /** Takes the updates kept, in order, as far as they continue the snapshot. */
  private drain(): void {
    const { pending } = this.sync;
    while (pending.count > 0 && this.sync.loaded) {
      if (!this.take(pending.doubles, pending.firstAt)) break;
      pending.dropFirst();
    }
    pending.release();
    this.sync.countKept();
  }

  /** The contents no longer count as a book. */
  private unload(): void {
    this.sync.unload();
    this.check.forgetStates();
  }

  /** Continuity or integrity is lost: says so at once, then asks for a snapshot. */
  protected lose(reason: StateReason): void {
    this.unload();
    this.loading = SnapshotPart.None;
    this.stopShowing(reason);
    this.sync.want(reason, this.nowNs);
  }

  private onTicker(record: Float64Array, at: number): void {
    this.counters.add(this.row, BooksColumn.Tickers, 1);
    if (this.check.onTicker(record, at)) this.lose(StateReason.IntegrityMismatch);
  }

  private onSourceUp(): void {
    this.sync.sourceUp = true;
    this.sync.askIfDue(this.nowNs);
  }

  private onSource(state: number, channel: number, reason: number): void {
    if (channel === Channel.Bbo) {
      if (state === SourceState.Lost) this.check.forgetTickers();
      return;
    }
    const isBroken = state === SourceState.Lost || state === SourceState.FrameLost;
    if (isBroken && (channel === Channel.Trades || channel === ABSENT))
      this.trades.onSourceBroken();
    if (isBroken && channel === ABSENT) this.check.forgetTickers();
    if (channel !== Channel.Book && channel !== ABSENT) return;
    switch (state) {
      case SourceState.Up:
        this.onSourceUp();
        break;
      case SourceState.Lost:
        // What is there is still a book; the sequencer will tell whether the stream continues it.
        this.sync.sourceUp = false;
        this.setState(this.isAligned ? BookState.Stale : this.state, StateReason.Disconnected);
        break;
      case SourceState.Silent:
        if (this.state === BookState.Live) this.setState(BookState.Stale, StateReason.StreamSilent);
        break;
      case SourceState.FrameLost:
        this.sync.forgetKept();
        this.lose(reason as StateReason);
        break;
    }
  }

  private onRefused(retryAfterNs: number): void {
    this.counters.add(this.row, BooksColumn.SnapshotsRefused, 1);
    if (this.sync.loaded) return;
    this.sync.retryRefused(retryAfterNs, this.nowNs);
    this.setState(this.state, StateReason.SnapshotRefused);
  }

  private onDefined(record: Float64Array, at: number): void {
    const before = this.instrument;
    const after = definedBy(before, record, at + DEFINED);
    if (after === before) return;
    this.redefine(after);
    this.counters.add(this.row, BooksColumn.Redefinitions, 1);
    if (isSameScale(before, after)) {
      // A word about the instrument; the book is what it was.
      this.tellState(true);
      return;
    }
    // Updates and tickers kept are at the scale of before.
    this.sync.forgetKept();
    this.check.forgetTickers();
    this.refreshBest();
    const { state, reason } = this;
    this.lose(StateReason.InstrumentChanged);
    // A book that was lost for the same reason has told no change of state.
    if (this.state === state && this.reason === reason) this.tellState(true);
  }
}
