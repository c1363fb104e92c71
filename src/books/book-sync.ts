/**
 * How one book gets in step with its stream and stays so: the venue's continuity rule, the updates
 * kept until a snapshot is there, and the asking for it. Says what is so; what follows from it for
 * the book is OrderBook's. Books thread; hot in `judge`.
 */
import { EventFlag } from '../domain/event-flags.js';
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  ASKS_COUNT,
  BIDS_COUNT,
  DOUBLES_PER_LEVEL,
  FLAGS,
  LEVELS,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
} from '../rings/record-types.js';
import { SequenceVerdict, type Sequencer } from '../venues/venue.js';
import type { BookPublisher } from './book-publisher.js';
import { BooksColumn } from './books-counters.js';
import type { BooksLimits } from './limits.js';
import { PendingBuffer } from './pending-buffer.js';
import { Resync } from './resync.js';

export class BookSync {
  /** A whole snapshot is in the ladder and the sequencer stands on it. */
  loaded = false;
  /** Frames of the book's channel arrive: a snapshot asked for now can be continued. */
  sourceUp = false;
  readonly pending: PendingBuffer;
  private readonly sequencer: Sequencer;
  private readonly publisher: BookPublisher;
  private readonly counters: CounterTable;
  private readonly row: number;
  private readonly resync: Resync;
  /** An update whose last record has not come yet: its number and what was judged of it. */
  private openSequence: number = ABSENT;
  private openVerdict: SequenceVerdict = SequenceVerdict.Apply;

  constructor(
    sequencer: Sequencer,
    limits: BooksLimits,
    publisher: BookPublisher,
    counters: CounterTable,
    row: number,
  ) {
    this.sequencer = sequencer;
    this.publisher = publisher;
    this.counters = counters;
    this.row = row;
    this.pending = new PendingBuffer(limits.pendingRecordsMax, limits.pendingBytesMax);
    this.resync = new Resync(limits);
    sequencer.reset();
  }

  /** Number of the last update taken, or of the snapshot; ABSENT if there is none. */
  get position(): number {
    return this.sequencer.position;
  }

  /** The venue's rule applied to an update; counts what is not applied. Hot. */
  judge(record: Float64Array, at: number): SequenceVerdict {
    const last = record[at + SEQUENCE_LAST]!;
    let verdict = this.openVerdict;
    if (this.openSequence === ABSENT || last !== this.openSequence) {
      verdict = this.sequencer.judge(
        record[at + SEQUENCE_FIRST]!,
        last,
        record[at + SEQUENCE_PREVIOUS]!,
      );
      if (verdict !== SequenceVerdict.Apply) this.countRefused(verdict);
    }
    const isLast = (record[at + FLAGS]! & EventFlag.Last) !== 0;
    this.openSequence = isLast ? ABSENT : last;
    this.openVerdict = verdict;
    return verdict;
  }

  /** Keeps an update for the next alignment. False if older ones had to be forgotten for it. */
  keep(record: Float64Array, at: number): boolean {
    const levels = record[at + BIDS_COUNT]! + record[at + ASKS_COUNT]!;
    const forgotten = this.pending.add(record, at, LEVELS + levels * DOUBLES_PER_LEVEL);
    this.countKept();
    if (forgotten > 0) this.counters.add(this.row, BooksColumn.BufferDropped, forgotten);
    return forgotten === 0;
  }

  forgetKept(): void {
    this.pending.clear();
    this.countKept();
  }

  /** To be called when some of what was kept is taken. */
  countKept(): void {
    this.counters.set(this.row, BooksColumn.Buffered, this.pending.count);
  }

  /** A whole snapshot is in the ladder. */
  load(sequenceLast: number): void {
    this.counters.add(this.row, BooksColumn.Snapshots, 1);
    this.sequencer.onSnapshot(sequenceLast);
    this.loaded = true;
    this.resync.onSnapshot();
  }

  /** What is in the ladder no longer counts as a book. */
  unload(): void {
    this.sequencer.reset();
    this.loaded = false;
    this.openSequence = ABSENT;
  }

  /** The contents are lost: a snapshot is needed, at once if this book was Live for long. */
  want(reason: number, nowNs: number): void {
    this.resync.want(reason, nowNs);
    this.askIfDue(nowNs);
  }

  /** The snapshot just loaded does not reach the first update kept. */
  retryTooOld(nowNs: number): void {
    this.unload();
    this.resync.onTooOld(nowNs);
    this.askIfDue(nowNs);
  }

  /** @param retryAfterNs from now, 0 if nobody says */
  retryRefused(retryAfterNs: number, nowNs: number): void {
    this.resync.onRefused(retryAfterNs, nowNs);
  }

  /** Whoever was to answer our request is gone. */
  retryForgotten(nowNs: number): void {
    this.resync.onForgotten(nowNs);
  }

  onLive(nowNs: number): void {
    this.resync.onLive(nowNs);
  }

  /** Sends the request whose time has come, or whose answer never came. */
  askIfDue(nowNs: number): void {
    if (!this.sourceUp || this.loaded || !this.resync.isDue(nowNs)) return;
    const { reason, attempts, isOverdue } = this.resync;
    if (!this.publisher.wanted(this.row, reason, attempts + 1)) return;
    if (isOverdue) this.counters.add(this.row, BooksColumn.SnapshotTimeouts, 1);
    this.counters.add(this.row, BooksColumn.SnapshotsWanted, 1);
    this.resync.onSent(nowNs);
  }

  private countRefused(verdict: SequenceVerdict): void {
    if (verdict === SequenceVerdict.Stale) this.counters.add(this.row, BooksColumn.Stale, 1);
    else if (verdict === SequenceVerdict.Gap) this.counters.add(this.row, BooksColumn.Gaps, 1);
    else if (verdict === SequenceVerdict.SnapshotTooOld) {
      this.counters.add(this.row, BooksColumn.SnapshotsTooOld, 1);
    }
  }
}
