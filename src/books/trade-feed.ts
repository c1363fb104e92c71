/**
 * The trades of one instrument on their way through: duplicates out, gaps in the venue's ids counted
 * and told (a new epoch of the trades stream). Books thread; hot.
 */
import type { CounterTable } from '../rings/counters.js';
import { ABSENT, SEQUENCE_FIRST, SEQUENCE_LAST } from '../rings/record-types.js';
import type { BookPublisher } from './book-publisher.js';
import type { BookView } from './book-view.js';
import { BooksColumn } from './books-counters.js';

export class TradeFeed {
  private readonly view: BookView;
  private readonly publisher: BookPublisher;
  private readonly counters: CounterTable;
  private readonly row: number;
  private lastId: number = ABSENT;
  private sourceBroken = false;

  constructor(view: BookView, publisher: BookPublisher, counters: CounterTable) {
    this.view = view;
    this.publisher = publisher;
    this.counters = counters;
    this.row = view.instrument.id;
  }

  /** Trade ids may be ABSENT: then only a break of the source tells that trades were lost. */
  onTrade(record: Float64Array, at: number, withParties: boolean): void {
    const first = record[at + SEQUENCE_FIRST]!;
    const last = record[at + SEQUENCE_LAST]!;
    let afterGap = this.sourceBroken;
    if (last !== ABSENT && this.lastId !== ABSENT) {
      if (last <= this.lastId) {
        this.counters.add(this.row, BooksColumn.TradeDuplicates, 1);
        return;
      }
      afterGap = first > this.lastId + 1;
    }
    if (last !== ABSENT) this.lastId = last;
    this.sourceBroken = false;
    this.counters.add(this.row, BooksColumn.Trades, 1);
    if (afterGap) this.counters.add(this.row, BooksColumn.TradeGaps, 1);
    this.publisher.trade(this.view, record, at, afterGap, withParties);
  }

  /** The source was lost or dropped a frame: without ids the next trade cannot prove continuity. */
  onSourceBroken(): void {
    this.sourceBroken = true;
  }
}
