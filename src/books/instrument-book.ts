/** What the books agent needs of the book of one instrument, by levels or order by order. */
import type { StateReason } from '../domain/book-state.js';
import type { TimeCell } from '../time/clock.js';
import type { BookView } from './book-view.js';

export interface InstrumentBook extends BookView {
  /** The first word about this book in this worker's life. */
  announce(reason: StateReason, nowNs: number): void;
  /** One feed event at `record[at]`, lent until the call returns, as `now` is. Hot. */
  onRecord(typeId: number, record: Float64Array, at: number, now: TimeCell): void;
  /** Looks at deadlines and pauses; to be called every few milliseconds. */
  onTime(nowNs: number): void;
  /** The ingest thread was replaced: what it had in hand for us is gone. */
  onIngestReplaced(nowNs: number): void;
  /** A reader of an output was replaced: it has to be told everything anew. */
  retell(nowNs: number): void;
  readonly memoryBytes: number;
}
