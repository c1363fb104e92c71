/**
 * Counters of the books room: one row an instrument (row = instrument id), written by the worker
 * that owns it, read by metrics at any time. The stream positions live here too, and only here: they
 * outlast a worker that crashes, so that its successor continues every sequence.
 */
import { StateReason } from '../domain/book-state.js';
import { createCounterTable } from '../rings/counters.js';

export const BooksColumn = {
  /** Venue updates applied; updates dropped as already contained. */
  Applied: 0,
  Stale: 1,
  LevelsApplied: 2,
  /** Breaks of continuity found by the sequencer. */
  Gaps: 3,
  /** How often a book that was shown had to be taken anew; by reason from ResyncsByReason on. */
  Resyncs: 4,
  Crossed: 5,
  /** Snapshots loaded; not used because the book was whole; too old for the updates kept; refused. */
  Snapshots: 6,
  SnapshotsIgnored: 7,
  SnapshotsTooOld: 8,
  SnapshotsRefused: 9,
  /** Requests sent; requests without an answer in time. */
  SnapshotsWanted: 10,
  SnapshotTimeouts: 11,
  /** Updates now kept for the next alignment; updates that its limits made us forget. */
  Buffered: 12,
  BufferDropped: 13,
  Trades: 14,
  TradeDuplicates: 15,
  TradeGaps: 16,
  Tickers: 17,
  /** Cross-check with the ticker: Checked = Passed + Failed; Unverifiable had nothing to compare with. */
  Checked: 18,
  Passed: 19,
  Failed: 20,
  Unverifiable: 21,
  /** Of the book now. */
  State: 22,
  StateReason: 23,
  StateSinceNs: 24,
  HashLow: 25,
  HashHigh: 26,
  BidLevels: 27,
  AskLevels: 28,
  LadderBytes: 29,
  VenueSequence: 30,
  /** Stream positions: epoch and sequence of the last message written. */
  BookEpoch: 31,
  BookSequence: 32,
  BboSequence: 33,
  TradesEpoch: 34,
  TradesSequence: 35,
  StatusEpoch: 36,
  StatusSequence: 37,
  OrdersSequence: 38,
  /** Comparisons of every order with a fresh snapshot; those that differed. */
  Validations: 39,
  ValidationsFailed: 40,
  Orders: 41,
  /** Trades whose channel has no numbers, so that nothing tells whether one is missing. */
  TradesUnnumbered: 42,
  /** Context updates taken; of them, those that changed nothing. */
  Contexts: 43,
  ContextsUnchanged: 44,
  ContextEpoch: 45,
  ContextSequence: 46,
  /** How often the venue defined the instrument anew. */
  Redefinitions: 47,
  /** One column a StateReason, to the end of the row. */
  ResyncsByReason: 48,
} as const;
export type BooksColumn = (typeof BooksColumn)[keyof typeof BooksColumn];

const REASONS = Math.max(...Object.values(StateReason)) + 1;
export const BOOKS_COLUMNS = BooksColumn.ResyncsByReason + REASONS;

/** Of one worker: `createCounterTable(workers, BOOKS_WORKER_COLUMNS)`. */
export const BooksWorkerColumn = {
  Turns: 0,
  Records: 1,
  /** Records for an instrument that this worker does not own. */
  Misrouted: 2,
  /** Turns that ended with messages outside a full output ring; the most bytes of them at a time. */
  Spilled: 3,
  SpilledBytesMax: 4,
  /** Messages left out of a full output ring whose reader may not hold others up. */
  LeftOut: 5,
} as const;
export const BOOKS_WORKER_COLUMNS = 6;

/** @param instruments greatest instrument id + 1 */
export function createBooksCounters(instruments: number): SharedArrayBuffer {
  return createCounterTable(instruments, BOOKS_COLUMNS);
}
