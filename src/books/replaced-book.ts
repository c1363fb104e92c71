/**
 * The book of a venue whose stream says the whole book each time (no numbers, no deltas): every frame
 * replaces the one before, and its readers are told the difference. Books thread; hot in `onSnapshot`.
 *
 * Continuity needs no proof here: a frame that was lost is made good by the next one. So a book that is
 * Live, or Stale after a silence or a reconnection, goes on in its epoch with one delta a frame; only a
 * book that was never there or is Suspect begins a new epoch, with its next frame. What remains to be
 * judged is time: a frame older than the book is dropped.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { EventFlag } from '../domain/event-flags.js';
import {
  ASKS_COUNT,
  BIDS_COUNT,
  DOUBLES_PER_LEVEL,
  FLAGS,
  LEVELS,
  WITH_BEST_ORDERS,
} from '../rings/record-types.js';
import { SequenceVerdict } from '../venues/venue.js';
import { BooksColumn } from './books-counters.js';
import { BookDiff } from './book-diff.js';
import { OrderBook } from './order-book.js';

const WHOLE = EventFlag.Snapshot | EventFlag.Last;

export class ReplacedBook extends OrderBook {
  private readonly diff = new BookDiff();
  /** Orders at the best of the frame in hand, 0 where it does not tell. */
  private bidOrdersNow = 0;
  private askOrdersNow = 0;

  /** The best with the number of orders at it. */
  override refreshBest(): boolean {
    const changed = super.refreshBest();
    const bids = this.bidSize === 0 ? 0 : this.bidOrdersNow;
    const asks = this.askSize === 0 ? 0 : this.askOrdersNow;
    const countsChanged = bids !== this.bidOrders || asks !== this.askOrders;
    this.bidOrders = bids;
    this.askOrders = asks;
    return changed || countsChanged;
  }

  protected override onSnapshot(record: Float64Array, at: number): void {
    const isWhole = (record[at + FLAGS]! & WHOLE) === WHOLE;
    if (!isWhole || !this.isAligned || !this.sync.loaded) {
      this.noteOrders(record, at);
      super.onSnapshot(record, at);
      if (isWhole && this.isAligned) this.counters.add(this.row, BooksColumn.Applied, 1);
      return;
    }
    if (this.sync.judge(record, at) !== SequenceVerdict.Apply) return;
    this.noteOrders(record, at);
    const update = this.diff.between(this.levels.ladder, record, at);
    if (update === null) {
      this.lose(StateReason.MalformedFrame);
      return;
    }
    if (this.state !== BookState.Live) this.setState(BookState.Live, StateReason.StreamResumed);
    update[FLAGS] = EventFlag.Last;
    this.applyUpdate(update, 0, false);
  }

  private noteOrders(record: Float64Array, at: number): void {
    const isTold = (record[at + FLAGS]! & WITH_BEST_ORDERS) !== 0;
    const levels = record[at + BIDS_COUNT]! + record[at + ASKS_COUNT]!;
    const end = at + LEVELS + levels * DOUBLES_PER_LEVEL;
    this.bidOrdersNow = isTold ? record[end]! : 0;
    this.askOrdersNow = isTold ? record[end + 1]! : 0;
  }
}
