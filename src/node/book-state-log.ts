/**
 * Tells the log when books stop being Live and when they are again, from what their counters say.
 * Looks a few times a second, so a resync between two looks shows in the metrics only. Cold.
 */
import { BookState, bookStateName, stateReasonName } from '../domain/book-state.js';
import type { BookHealth } from '../ops/health.js';
import type { Log } from '../ops/log.js';

type BookStateNow = Pick<BookHealth, 'instrument' | 'state' | 'reason'>;

export class BookStateLog {
  private readonly log: Log;
  private readonly before = new Map<string, BookStateNow>();
  /** Books that were Live at some time: what comes before is no news. */
  private readonly wasLive = new Set<string>();
  private allLiveTold = false;

  constructor(log: Log) {
    this.log = log;
  }

  look(books: readonly BookStateNow[]): void {
    let live = 0;
    for (const book of books) {
      if (book.state === BookState.Live) live++;
      const known = this.before.get(book.instrument);
      if (known?.state !== book.state) this.tell(book);
      this.before.set(book.instrument, book);
    }
    if (live < books.length || this.allLiveTold) return;
    this.allLiveTold = true;
    this.log.info('books.live', `all ${live} books are Live`);
  }

  private tell({ instrument, state, reason }: BookStateNow): void {
    const fields = { instrument, state: bookStateName(state), reason: stateReasonName(reason) };
    if (state === BookState.Live) {
      if (this.wasLive.has(instrument)) {
        this.log.info('book.live', `${instrument} is Live again`, fields);
      }
      this.wasLive.add(instrument);
    } else if (this.wasLive.has(instrument)) {
      const message = `${instrument} is ${fields.state}: ${fields.reason}`;
      this.log.warn('book.not-live', message, fields);
    }
  }
}
