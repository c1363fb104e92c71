/** Every limit of the books room, with its reason. Cold: read once when a worker starts. */
import { invariant } from '../faults/invariant.js';

export interface BooksLimits {
  /**
   * Levels a side beyond which a book is taken anew (a snapshot forgets what is far away). Real
   * books grow by some levels a minute beyond their first 1,000; this bounds a ladder to 4 MB.
   */
  readonly levelsPerSideMax: number;
  /** Levels a side in one message: 1,024 make 33 KB, far below half of any output ring. */
  readonly levelsPerMessageMax: number;
  /** Updates kept while a snapshot is awaited: 100 s at 10/s, 16 s at the busiest second seen / 2.5. */
  readonly pendingRecordsMax: number;
  /** Bytes of them, for an instrument: 5,000 updates of 44 levels. */
  readonly pendingBytesMax: number;
  /** A snapshot asked for and not answered within this is asked for again; doubles each time. */
  readonly snapshotDeadlineNs: number;
  readonly snapshotDeadlineNsMax: number;
  /** Pause before attempt n + 1 is `retryBaseNs × 2^(n−1)`: the first attempt goes out at once. */
  readonly retryBaseNs: number;
  readonly retryNsMax: number;
  /** A book that was Live for less than this continues its series of attempts when it breaks. */
  readonly liveStableNs: number;
  /** Records taken from the input ring in one turn, so that commits and bells keep their pace. */
  readonly recordsPerTurnMax: number;
  /** Tickers remembered for the cross-check: at 2,500/s they span the 100 ms by which depth lags. */
  readonly tickersMax: number;
  /** Best levels remembered until the ticker stream reaches their update id. */
  readonly statesMax: number;
}

const SECOND_NS = 1e9;

export const DEFAULT_BOOKS_LIMITS: BooksLimits = {
  levelsPerSideMax: 100_000,
  levelsPerMessageMax: 1024,
  pendingRecordsMax: 16_384,
  pendingBytesMax: 4 * 1024 * 1024,
  snapshotDeadlineNs: 5 * SECOND_NS,
  snapshotDeadlineNsMax: 60 * SECOND_NS,
  retryBaseNs: 0.1 * SECOND_NS,
  retryNsMax: 5 * SECOND_NS,
  liveStableNs: 1 * SECOND_NS,
  recordsPerTurnMax: 256,
  tickersMax: 512,
  statesMax: 64,
};

/**
 * Order by order: a snapshot of all markets takes a node some 10 s, and an instrument has some 400
 * order changes a second (10 times as many in a storm), 216 bytes each.
 */
export const ORDER_BOOKS_LIMITS: BooksLimits = {
  ...DEFAULT_BOOKS_LIMITS,
  pendingRecordsMax: 131_072,
  pendingBytesMax: 32 * 1024 * 1024,
  snapshotDeadlineNs: 30 * SECOND_NS,
  snapshotDeadlineNsMax: 120 * SECOND_NS,
};

export function checkBooksLimits(limits: BooksLimits): void {
  invariant(limits.levelsPerMessageMax >= 1, 'a message carries at least a level a side');
  invariant(limits.pendingRecordsMax >= 1, 'at least one update is kept before the snapshot');
  invariant(limits.pendingBytesMax >= 1024, 'an update fits the pending buffer');
  invariant(limits.retryBaseNs <= limits.retryNsMax, 'the first pause is the shortest');
  invariant(
    limits.snapshotDeadlineNs <= limits.snapshotDeadlineNsMax,
    'the first deadline is the shortest',
  );
  invariant(limits.recordsPerTurnMax >= 1, 'a turn takes at least one record');
  invariant(limits.tickersMax >= 2 && limits.statesMax >= 1, 'the cross-check remembers something');
}
