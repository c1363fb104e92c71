/** Prometheus families of the books room's counters: a value an instrument. Cold. */
import { BooksColumn } from '../books/books-counters.js';

/** Column, name without prefix, help; one value an instrument. */
export const BOOK_COUNTERS: readonly (readonly [number, string, string])[] = [
  [BooksColumn.Applied, 'book_updates_applied_total', 'Venue updates applied to the book'],
  [BooksColumn.Stale, 'book_updates_stale_total', 'Venue updates already contained and dropped'],
  [BooksColumn.LevelsApplied, 'book_levels_applied_total', 'Price levels changed'],
  [BooksColumn.Gaps, 'book_gaps_total', 'Breaks of continuity found'],
  [BooksColumn.Crossed, 'book_crossed_total', 'Times the book was found crossed'],
  [BooksColumn.Snapshots, 'book_snapshots_total', 'Snapshots loaded'],
  [
    BooksColumn.SnapshotsTooOld,
    'book_snapshots_too_old_total',
    'Snapshots older than the updates kept',
  ],
  [
    BooksColumn.SnapshotsRefused,
    'book_snapshots_refused_total',
    'Snapshots that the venue did not give',
  ],
  [
    BooksColumn.SnapshotTimeouts,
    'book_snapshot_timeouts_total',
    'Snapshots that did not come in time',
  ],
  [
    BooksColumn.BufferDropped,
    'book_buffer_dropped_total',
    'Updates given up while a snapshot was awaited',
  ],
  [
    BooksColumn.Redefinitions,
    'book_redefinitions_total',
    'Times the venue defined the instrument anew: steps, decimals, trading',
  ],
  [BooksColumn.Trades, 'book_trades_total', 'Trades taken'],
  [BooksColumn.TradeDuplicates, 'book_trade_duplicates_total', 'Trades that came twice'],
  [BooksColumn.TradeGaps, 'book_trade_gaps_total', 'Gaps in the trade ids'],
  [BooksColumn.Contexts, 'book_contexts_total', 'Context updates taken'],
  [BooksColumn.ContextsUnchanged, 'book_contexts_unchanged_total', 'Of them, without a change'],
];
export const BOOK_GAUGES: readonly (readonly [number, string, string])[] = [
  [BooksColumn.Buffered, 'book_buffered_updates', 'Updates kept for the next alignment'],
  [BooksColumn.LadderBytes, 'book_ladder_bytes', 'Memory of the ladder'],
];
/** Every check has its denominator. */
export const BOOK_CHECKS: readonly (readonly [number, string])[] = [
  [BooksColumn.Passed, 'passed'],
  [BooksColumn.Failed, 'failed'],
  [BooksColumn.Unverifiable, 'unverifiable'],
];
