/**
 * A book that tells its state: the part that books by levels and books order by order share. Every
 * change of state goes out in-band before anything else is done about it, and is counted. Books
 * thread; cold.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import type { CounterTable } from '../rings/counters.js';
import type { BookPublisher } from './book-publisher.js';
import { BookView } from './book-view.js';
import { BooksColumn } from './books-counters.js';

export class TellingBook<Publisher extends BookPublisher> extends BookView {
  protected readonly publisher: Publisher;
  protected readonly counters: CounterTable;
  /** In the tables: the instrument's id. */
  protected readonly row: number;

  constructor(instrument: Instrument, publisher: Publisher, counters: CounterTable) {
    super(instrument);
    this.publisher = publisher;
    this.counters = counters;
    this.row = instrument.id;
  }

  /** The first word about this book in this worker's life: Starting, or WorkerRestarted. */
  protected beginLife(reason: StateReason, nowNs: number): void {
    this.nowNs = nowNs;
    this.sinceNs = nowNs;
    this.reason = reason;
    if (reason === StateReason.WorkerRestarted) this.countResync(reason);
    this.publisher.beginEpoch(this);
    this.tellState(true);
  }

  /** What is there is no book any more: one that was shown becomes Suspect, and is counted. */
  protected stopShowing(reason: StateReason): void {
    const wasShown = this.isAligned;
    if (wasShown) this.countResync(reason);
    this.setState(wasShown ? BookState.Suspect : this.state, reason);
  }

  protected countResync(reason: StateReason): void {
    this.counters.add(this.row, BooksColumn.Resyncs, 1);
    this.counters.add(this.row, BooksColumn.ResyncsByReason + reason, 1);
  }

  protected setState(state: BookState, reason: StateReason): void {
    if (state === this.state && reason === this.reason) return;
    if (state !== this.state) this.sinceNs = this.nowNs;
    this.state = state;
    this.reason = reason;
    this.tellState(true);
  }

  /** @param inBook also in sequence on the streams of the book */
  protected tellState(inBook: boolean): void {
    this.counters.set(this.row, BooksColumn.State, this.state);
    this.counters.set(this.row, BooksColumn.StateReason, this.reason);
    this.counters.set(this.row, BooksColumn.StateSinceNs, this.sinceNs);
    this.publisher.status(this, inBook);
    if (inBook) this.tellStateOfOrders();
    this.publisher.bbo(this);
    this.publisher.row(this);
  }

  /** Where there is an orders stream, the state goes out there too. */
  protected tellStateOfOrders(): void {}
}
