/**
 * The trades of one instrument on their way through: duplicates out, gaps in the venue's ids counted
 * and told (a new epoch of the trades stream). Books thread; hot.
 */
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  EXCHANGE_NS,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  TRADE_ID,
} from '../rings/record-types.js';
import type { BookPublisher } from './book-publisher.js';
import type { BookView } from './book-view.js';
import { BooksColumn } from './books-counters.js';
import { RecentTrades } from './recent-trades.js';

export class TradeFeed {
  private readonly view: BookView;
  private readonly publisher: BookPublisher;
  private readonly counters: CounterTable;
  private readonly row: number;
  private lastId: number = ABSENT;
  private sourceBroken = false;
  /** Only for venues whose ids have no order. */
  private recent: RecentTrades | null = null;

  constructor(view: BookView, publisher: BookPublisher, counters: CounterTable) {
    this.view = view;
    this.publisher = publisher;
    this.counters = counters;
    this.row = view.instrument.id;
  }

  /**
   * Where the channel has no numbers, only a break of the source tells that trades were lost; a trade
   * that is told again after it closes the hole: what follows it is new, what it follows was there.
   */
  onTrade(record: Float64Array, at: number, withParties: boolean): void {
    const first = record[at + SEQUENCE_FIRST]!;
    const last = record[at + SEQUENCE_LAST]!;
    if (last === ABSENT && this.isRepeated(record[at + TRADE_ID]!, record[at + EXCHANGE_NS]!)) {
      this.sourceBroken = false;
      this.counters.add(this.row, BooksColumn.TradeDuplicates, 1);
      return;
    }
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
    if (last === ABSENT) this.counters.add(this.row, BooksColumn.TradesUnnumbered, 1);
    if (afterGap) this.counters.add(this.row, BooksColumn.TradeGaps, 1);
    this.publisher.trade(this.view, record, at, afterGap, withParties);
  }

  private isRepeated(id: number, exchangeNs: number): boolean {
    if (id === ABSENT) return false;
    this.recent ??= new RecentTrades();
    return !this.recent.note(id, exchangeNs);
  }

  /** The source was lost or dropped a frame: without ids the next trade cannot prove continuity. */
  onSourceBroken(): void {
    this.sourceBroken = true;
  }
}
