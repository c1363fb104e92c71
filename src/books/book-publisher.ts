/** What the books tell and ask: the contract between OrderBook and its writer. Books thread; hot. */
import type { BookView } from './book-view.js';

/** What a book tells; levels and trades are lent until the call returns. */
export interface BookPublisher {
  /** The book begins a new epoch; the next thing told is a snapshot or a status. */
  beginEpoch(book: BookView): void;
  /** (price, size) pairs at `levels[at]`, bids first, already in the book. Hot. */
  delta(
    book: BookView,
    levels: Float64Array,
    at: number,
    bids: number,
    asks: number,
    flags: number,
  ): void;
  /** The whole book as it is now. */
  snapshot(book: BookView): void;
  /** Best price, size or the state changed. Hot. */
  bbo(book: BookView): void;
  /** An update is complete: rows that other threads read without a message. Hot. */
  row(book: BookView): void;
  /** The state or its reason changed. `inBook`: also in sequence on the book stream. */
  status(book: BookView, inBook: boolean): void;
  /** A Trade or TradeParties record; `afterGap`: trades before it were lost. Hot. */
  trade(
    book: BookView,
    record: Float64Array,
    at: number,
    afterGap: boolean,
    withParties: boolean,
  ): void;
  /** Asks for a snapshot. False if the request found no room: it is made again. */
  wanted(instrumentId: number, reason: number, attempt: number): boolean;
}
