/**
 * The order-by-order book of one instrument as a state machine without I/O: order events, blocks and
 * snapshots in, publications out. Books thread; hot in `onEvent`, cold elsewhere.
 *
 *     Syncing ──snapshot that the blocks kept connect to──▶ Live ◀──blocks again──┐
 *                      ▲                                     │ └─silent─▶ Stale ──┘
 *                   Suspect ◀── hole, unknown order, wrong size, crossed at a block's end
 *
 * A book may be read at the ends of blocks only: all events of a height are applied, then its levels,
 * best, orders are told at once. The venue's heights are its continuity; the levels are derived.
 *
 * **Invariant**: a book that contradicted a diff, or a fresh snapshot, is never shown as Live again
 * before a snapshot has replaced it; no other instrument is touched by that.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import type { Instrument } from '../domain/instrument.js';
import { Side } from '../domain/side.js';
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  FLAGS,
  ORDERS_COUNT,
  ORDER_EVENT_DOUBLES,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  SNAPSHOT_ORDERS,
  SNAPSHOT_ORDER_DOUBLES,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SourceState,
} from '../rings/record-types.js';
import type { TimeCell } from '../time/clock.js';
import { BlockChanges } from './block-changes.js';
import { TellingBook } from './telling-book.js';
import { BooksColumn } from './books-counters.js';
import type { InstrumentBook } from './instrument-book.js';
import type { BooksLimits } from './limits.js';
import { HashedLedger } from '../domain/hashed-ledger.js';
import { applyOrderEvent, loadSnapshotOrder } from './order-apply.js';
import { LedgerResult } from '../domain/order-ledger.js';
import { OrderValidation, Verdict } from './order-validation.js';
import type { OrdersPublisher } from './orders-publisher.js';
import { PendingBuffer } from './pending-buffer.js';
import { Resync } from './resync.js';
import { TradeFeed } from './trade-feed.js';

export interface OrdersBookOptions {
  readonly instrument: Instrument;
  readonly limits: BooksLimits;
  readonly publisher: OrdersPublisher;
  readonly counters: CounterTable;
}

const ORDERS_FIRST = 1024;

export class OrdersBook extends TellingBook<OrdersPublisher> implements InstrumentBook {
  private readonly resync: Resync;
  private readonly pending: PendingBuffer;
  private readonly validation: OrderValidation;
  private readonly trades: TradeFeed;
  private orders: HashedLedger;
  private readonly block = new BlockChanges();
  private sourceUp = false;
  /** The node writes what happened long ago: blocks come, and none of them makes the book Live. */
  private sourceLags = false;
  private loading = false;
  /** A reader is new since amid this block. */
  private mustRetell = false;
  private loadFailed = false;
  /** Height of the snapshot being loaded, or of the last block in the book. */
  private height: number = ABSENT;
  /** First height from which on every block was seen, ABSENT before the first. */
  private connectedFrom: number = ABSENT;
  /** Greatest height of which anything has arrived, whole or not. */
  private seenHeight: number = ABSENT;

  constructor(options: OrdersBookOptions) {
    super(options.instrument, options.publisher, options.counters);
    this.resync = new Resync(options.limits);
    const { pendingRecordsMax: records, pendingBytesMax: bytes } = options.limits;
    this.pending = new PendingBuffer(records, bytes);
    this.validation = new OrderValidation(records, bytes);
    this.orders = new HashedLedger(this.levels, ORDERS_FIRST);
    this.trades = new TradeFeed(this, options.publisher, options.counters);
  }

  announce(reason: StateReason, nowNs: number): void {
    if (reason === StateReason.WorkerRestarted) this.sourceUp = true;
    this.beginLife(reason, nowNs);
    this.resync.want(reason, nowNs);
    this.askIfDue();
  }

  onRecord(typeId: number, record: Float64Array, at: number, now: TimeCell): void {
    this.nowNs = now[0]!;
    switch (typeId) {
      case RecordType.OrderEvent:
        return this.onEvent(record, at);
      case RecordType.BlockEnd:
        return this.onBlockEnd(record, at);
      case RecordType.TradeParties:
        return this.trades.onTrade(record, at, true);
      case RecordType.OrderSnapshot:
        return this.onSnapshot(record, at);
      case RecordType.SnapshotAnnounced:
        if (this.isAligned && !this.loading) this.judge(this.validation.announce(this.height));
        return undefined;
      case RecordType.SourceState:
        return this.onSource(
          record[at + SOURCE_STATE]!,
          record[at + SOURCE_CHANNEL]!,
          record[at + SOURCE_REASON]!,
        );
      case RecordType.SnapshotRefused:
        this.counters.add(this.row, BooksColumn.SnapshotsRefused, 1);
        this.resync.onRefused(record[at + RETRY_AFTER_NS]!, this.nowNs);
        return undefined;
      default:
        return undefined;
    }
  }

  onTime(nowNs: number): void {
    this.nowNs = nowNs;
    this.askIfDue();
  }

  onIngestReplaced(nowNs: number): void {
    this.nowNs = nowNs;
    this.resync.onForgotten(nowNs);
    this.lose(StateReason.Disconnected);
    // Its successor begins wherever the files are then: what is between is not known.
    this.connectedFrom = ABSENT;
    this.sourceLags = false;
  }

  retell(nowNs: number): void {
    this.nowNs = nowNs;
    // Amid a block the orders are nobody's book: its end tells them all.
    this.mustRetell = this.isAligned && this.block.count > 0;
    if (!this.mustRetell) this.tellAgain();
  }

  get memoryBytes(): number {
    return (
      this.levels.ladder.memoryBytes +
      this.orders.ledger.memoryBytes +
      this.pending.memoryBytes +
      this.validation.memoryBytes +
      this.block.fields.byteLength
    );
  }

  /** Orders resting now. */
  get orderCount(): number {
    return this.orders.ledger.orderCount;
  }

  private onEvent(record: Float64Array, at: number): void {
    this.seenHeight = Math.max(this.seenHeight, record[at + SEQUENCE_LAST]!);
    if (!this.isAligned || this.loading) return this.keep(record, at, ORDER_EVENT_DOUBLES);
    if (record[at + SEQUENCE_LAST]! <= this.height) return;
    this.takeEvent(record, at);
  }

  /** Applies an event and keeps it for the block's OrdersDelta. Hot. */
  private takeEvent(record: Float64Array, at: number): void {
    const result = applyOrderEvent(this.orders, record, at);
    this.counters.add(this.row, BooksColumn.Checked, 1);
    if (result !== LedgerResult.Done) {
      this.counters.add(this.row, BooksColumn.Failed, 1);
      const isMisfit = result === LedgerResult.OutOfRange;
      this.lose(isMisfit ? StateReason.PrecisionLost : StateReason.IntegrityMismatch);
      return;
    }
    this.counters.add(this.row, BooksColumn.Passed, 1);
    this.block.add(record, at);
    this.validation.onEvent(record, at, ORDER_EVENT_DOUBLES);
  }

  private onBlockEnd(record: Float64Array, at: number): void {
    const height = record[at + SEQUENCE_LAST]!;
    if (!this.sourceUp) this.onSourceUp();
    this.seenHeight = Math.max(this.seenHeight, height);
    if (this.connectedFrom === ABSENT) this.connectedFrom = height;
    if (!this.isAligned || this.loading) return this.keep(record, at, ORDERS_COUNT);
    this.finishBlock(record, at, height);
  }

  private finishBlock(record: Float64Array, at: number, height: number): void {
    if (height < this.height) {
      this.counters.add(this.row, BooksColumn.Stale, 1);
      return;
    }
    // What lies between the book and this block was never told: a snapshot older than was thought.
    if (record[at + SEQUENCE_PREVIOUS]! > this.height) {
      this.lose(StateReason.Gap);
      return;
    }
    if (this.state === BookState.Stale && !this.sourceLags)
      this.setState(BookState.Live, StateReason.StreamResumed);
    this.height = height;
    this.orders.settle();
    if (this.orders.ledger.hasOverflowed) return this.lose(StateReason.PrecisionLost);
    if (this.levels.isCrossed()) {
      this.counters.add(this.row, BooksColumn.Crossed, 1);
      this.lose(StateReason.Crossed);
      return;
    }
    if (this.block.count > 0) {
      this.stamp(record, at);
      if (this.mustRetell) this.retellBlock();
      else this.tellBlock();
    }
    const { validation } = this;
    if (validation.isActive) this.judge(validation.step(this.orders.ledger, height));
  }

  /** All that the block changed, then its best. Hot. */
  private tellBlock(): void {
    const { settled, settledBids: bids, settledAsks: asks } = this.orders.ledger;
    this.publisher.delta(this, settled, 0, bids, asks, EventFlag.Last);
    this.publisher.orderChanges(this, this.orders, this.block.fields, this.block.count);
    this.counters.add(this.row, BooksColumn.Applied, 1);
    this.counters.add(this.row, BooksColumn.LevelsApplied, bids + asks);
    this.block.clear();
    if (this.refreshBest()) this.publisher.bbo(this);
    this.publisher.row(this);
  }

  /** The whole book in place of what the block changed, for a reader that knows nothing of it. */
  private retellBlock(): void {
    this.counters.add(this.row, BooksColumn.Applied, 1);
    this.block.clear();
    this.refreshBest();
    this.tellAgain();
  }

  private tellAgain(): void {
    this.mustRetell = false;
    this.publisher.beginEpoch(this);
    if (this.isAligned) this.tellWhole();
    this.tellState(true);
  }

  /** The best with the number of orders at it. */
  override refreshBest(): boolean {
    const changed = super.refreshBest();
    const { ledger } = this.orders;
    const bids = this.bidSize === 0 ? 0 : ledger.orderCountAt(Side.Bid, this.bidPrice);
    const asks = this.askSize === 0 ? 0 : ledger.orderCountAt(Side.Ask, this.askPrice);
    const countsChanged = bids !== this.bidOrders || asks !== this.askOrders;
    this.bidOrders = bids;
    this.askOrders = asks;
    return changed || countsChanged;
  }

  private onSnapshot(record: Float64Array, at: number): void {
    if (this.isAligned && !this.loading) return this.onValidationPart(record, at);
    const flags = record[at + FLAGS]!;
    if ((flags & EventFlag.Snapshot) !== 0) this.beginLoad(record[at + SEQUENCE_LAST]!);
    if (!this.loading) return;
    const count = record[at + ORDERS_COUNT]!;
    for (let i = 0; i < count; i++) {
      const order = at + SNAPSHOT_ORDERS + i * SNAPSHOT_ORDER_DOUBLES;
      if (loadSnapshotOrder(this.orders, record, order) !== LedgerResult.Done)
        this.loadFailed = true;
    }
    this.orders.settle();
    if ((flags & EventFlag.Last) !== 0) this.finishLoad(record, at);
  }

  private beginLoad(height: number): void {
    this.loading = true;
    this.loadFailed = false;
    this.height = height;
    this.orders.clear();
    this.block.clear();
  }

  private finishLoad(record: Float64Array, at: number): void {
    this.loading = false;
    this.counters.add(this.row, BooksColumn.Snapshots, 1);
    const isOld = this.connectedFrom !== ABSENT && this.height < this.connectedFrom - 1;
    const isWrong = this.loadFailed || this.orders.ledger.hasOverflowed;
    if (isOld || isWrong || this.levels.isCrossed()) {
      this.counters.add(this.row, isOld ? BooksColumn.SnapshotsTooOld : BooksColumn.Failed, 1);
      if (!isOld) this.counters.add(this.row, BooksColumn.Checked, 1);
      this.resync.onTooOld(this.nowNs);
      this.askIfDue();
      return;
    }
    this.resync.onSnapshot();
    this.stamp(record, at);
    this.align();
    this.drain();
  }

  private align(): void {
    this.state = this.sourceLags ? BookState.Stale : BookState.Live;
    this.reason = this.sourceLags ? StateReason.SourceLagging : StateReason.Aligned;
    this.sinceNs = this.nowNs;
    this.resync.onLive(this.nowNs);
    this.refreshBest();
    this.publisher.beginEpoch(this);
    this.tellWhole();
    this.tellState(false);
  }

  private tellWhole(): void {
    this.publisher.snapshot(this);
    this.publisher.orderSnapshot(this, this.orders);
  }

  /** Takes the events and blocks kept, as far as they are newer than the snapshot. */
  private drain(): void {
    const { pending } = this;
    while (pending.count > 0 && this.isAligned) {
      const at = pending.firstAt;
      const { doubles } = pending;
      // A block's end has no order in it: it is shorter than an event.
      if (pending.firstLength === ORDERS_COUNT)
        this.finishBlock(doubles, at, doubles[at + SEQUENCE_LAST]!);
      else if (doubles[at + SEQUENCE_LAST]! > this.height) this.takeEvent(doubles, at);
      // A contradiction has emptied what was kept.
      if (!this.isAligned) break;
      pending.dropFirst();
    }
    pending.release();
    this.counters.set(this.row, BooksColumn.Buffered, pending.count);
  }

  private keep(record: Float64Array, at: number, doubles: number): void {
    const forgotten = this.pending.add(record, at, doubles);
    this.counters.set(this.row, BooksColumn.Buffered, this.pending.count);
    if (forgotten === 0) return;
    this.counters.add(this.row, BooksColumn.BufferDropped, forgotten);
    // What is kept now begins later: an older snapshot no longer connects.
    this.connectedFrom = Math.max(this.connectedFrom, record[at + SEQUENCE_LAST]!);
  }

  private onValidationPart(record: Float64Array, at: number): void {
    const flags = record[at + FLAGS]!;
    if ((flags & EventFlag.Snapshot) !== 0) {
      const { orderCount } = this.orders.ledger;
      this.judge(this.validation.begin(record[at + SEQUENCE_LAST]!, orderCount));
    }
    this.validation.load(record, at);
    if ((flags & EventFlag.Last) !== 0) this.judge(this.validation.finish());
  }

  /**
   * A book and a snapshot that differ: which of the two is wrong cannot be known, so neither is shown
   * as Live. The book says so at once and is taken anew from a second snapshot.
   */
  private judge(verdict: Verdict): void {
    if (verdict === Verdict.Open) return;
    this.counters.add(this.row, BooksColumn.Validations, 1);
    if (verdict === Verdict.Unverifiable) this.counters.add(this.row, BooksColumn.Unverifiable, 1);
    if (verdict !== Verdict.Failed) return;
    this.counters.add(this.row, BooksColumn.ValidationsFailed, 1);
    this.lose(StateReason.IntegrityMismatch);
  }

  private onSource(state: number, channel: number, reason: number): void {
    if (channel === Channel.Trades) return this.trades.onSourceBroken();
    switch (state) {
      case SourceState.Up:
        return this.onSourceUp();
      case SourceState.Silent:
        this.sourceLags = reason === StateReason.SourceLagging;
        if (this.isAligned) this.setState(BookState.Stale, reason as StateReason);
        return undefined;
      case SourceState.Rewound:
        // What was kept comes again, after the snapshot that is next.
        if (this.isAligned) return undefined;
        this.pending.clear();
        this.seenHeight = ABSENT;
        this.connectedFrom = ABSENT;
        return undefined;
      case SourceState.Lost:
      case SourceState.FrameLost:
        this.lose(reason as StateReason);
        this.connectedFrom = ABSENT;
        return undefined;
      default:
        return undefined;
    }
  }

  private onSourceUp(): void {
    this.sourceUp = true;
    this.sourceLags = false;
    this.askIfDue();
  }

  /** Continuity or integrity is lost: says so at once, then asks for a snapshot. */
  private lose(reason: StateReason): void {
    this.validation.stop();
    // The rest of a snapshot under way does not help any more.
    if (this.loading) this.resync.onForgotten(this.nowNs);
    this.loading = false;
    this.block.clear();
    // What is kept from now on may begin in the middle of a block: only whole ones connect.
    this.pending.clear();
    this.connectedFrom = this.seenHeight === ABSENT ? ABSENT : this.seenHeight + 1;
    const isGap = this.isAligned && reason === StateReason.Gap;
    if (isGap) this.counters.add(this.row, BooksColumn.Gaps, 1);
    this.stopShowing(reason);
    if (this.mustRetell) this.tellAgain();
    this.resync.want(reason, this.nowNs);
    this.askIfDue();
  }

  private askIfDue(): void {
    if (!this.sourceUp || this.isAligned || this.loading || !this.resync.isDue(this.nowNs)) return;
    if (this.resync.isOverdue) this.counters.add(this.row, BooksColumn.SnapshotTimeouts, 1);
    const { reason, attempts } = this.resync;
    if (!this.publisher.wanted(this.instrument.id, reason, attempts + 1)) return;
    this.counters.add(this.row, BooksColumn.SnapshotsWanted, 1);
    this.resync.onSent(this.nowNs);
  }

  protected override tellStateOfOrders(): void {
    this.publisher.orderStatus(this, this.orders);
  }
}
