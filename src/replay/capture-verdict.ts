/**
 * What a replay proves about a recording, check by check, each with its denominator. Pure, cold.
 *
 *     checked        what could be judged: passed + failed
 *     unverifiable   what there was nothing to judge it by
 *
 * A verdict is `passed` only if something was checked and nothing failed: a check that never ran is no
 * check that passed.
 */
export interface CheckCounts {
  readonly checked: number;
  readonly passed: number;
  readonly failed: number;
  readonly unverifiable: number;
}

/** Of one book, or of all together. */
export interface BookChecks {
  /** The book stood on a snapshot and was Live at the end. */
  readonly aligned: CheckCounts;
  /** Updates that continue the one before. */
  readonly continuity: CheckCounts;
  /** Updates after which best bid < best ask. */
  readonly uncrossed: CheckCounts;
  /** Best bid and ask with sizes against what the venue itself told of them. */
  readonly bestPrices: CheckCounts;
  /** Trades whose number follows that of the trade before. */
  readonly trades: CheckCounts;
}

export interface RunChecks {
  /** Frames and answers that were understood. */
  readonly frames: CheckCounts;
  /** Frames that the recorder wrote, of those it received. */
  readonly recorded: CheckCounts;
}

/** What is needed of a book's counters. */
export interface BookEvidence {
  readonly instrument: string;
  readonly state: string;
  readonly applied: number;
  readonly stale: number;
  readonly buffered: number;
  readonly snapshots: number;
  readonly gaps: number;
  readonly crossed: number;
  readonly trades: number;
  readonly tradeGaps: number;
  readonly tradesUnnumbered: number;
  readonly passed: number;
  readonly failed: number;
  readonly unverifiable: number;
}

export interface Verdict {
  readonly verdict: 'passed' | 'failed' | 'unverified';
  /** One line. */
  readonly reason: string;
}

export const NOTHING_CHECKED: CheckCounts = countsOf(0, 0);
/** In the order in which failures are told: causes first, a book that is not Live is their effect. */
const CHECK_NAMES = ['continuity', 'uncrossed', 'bestPrices', 'trades', 'aligned'] as const;

export function countsOf(checked: number, failed: number, unverifiable = 0): CheckCounts {
  return { checked, passed: checked - failed, failed, unverifiable };
}

export function checksOf(book: BookEvidence): BookChecks {
  const updates = book.applied + book.gaps;
  const numbered = book.trades - book.tradesUnnumbered;
  return {
    aligned: alignmentOf(book),
    continuity: countsOf(updates, book.gaps, book.buffered),
    uncrossed: countsOf(book.applied, Math.min(book.crossed, book.applied)),
    bestPrices: countsOf(book.passed + book.failed, book.failed, book.unverifiable),
    // The first one follows nothing that is known.
    trades: countsOf(Math.max(0, numbered - 1), book.tradeGaps, book.tradesUnnumbered),
  };
}

function alignmentOf(book: BookEvidence): CheckCounts {
  const hasBook = book.applied + book.stale + book.gaps + book.buffered + book.snapshots > 0;
  if (!hasBook) return NOTHING_CHECKED;
  if (book.snapshots === 0) return countsOf(0, 0, 1);
  return countsOf(1, book.state === 'Live' ? 0 : 1);
}

export function sumOf(all: readonly CheckCounts[]): CheckCounts {
  return all.reduce(
    (sum, one) => ({
      checked: sum.checked + one.checked,
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      unverifiable: sum.unverifiable + one.unverifiable,
    }),
    NOTHING_CHECKED,
  );
}

export function sumOfBooks(books: readonly BookChecks[]): BookChecks {
  const sum = (name: keyof BookChecks): CheckCounts => sumOf(books.map((book) => book[name]));
  return {
    aligned: sum('aligned'),
    continuity: sum('continuity'),
    uncrossed: sum('uncrossed'),
    bestPrices: sum('bestPrices'),
    trades: sum('trades'),
  };
}

/** @param books in the order of the table; `run` are the checks that belong to no book */
export function verdictOf(
  books: readonly {
    readonly instrument: string;
    readonly state: string;
    readonly checks: BookChecks;
  }[],
  run: RunChecks,
): Verdict {
  const failures: string[] = [];
  const { frames, recorded } = run;
  if (recorded.failed > 0) {
    failures.push(`${recorded.failed} of ${recorded.checked} frames were lost by the recorder`);
  }
  if (frames.failed > 0) {
    failures.push(`${frames.failed} of ${frames.checked} frames were refused`);
  }
  for (const { instrument, state, checks } of books) {
    for (const name of CHECK_NAMES) {
      if (checks[name].failed > 0)
        failures.push(`${instrument}: ${TEXTS[name](checks[name], state)}`);
    }
  }
  if (failures.length > 0) {
    const more = failures.length > 1 ? ` (and ${failures.length - 1} more)` : '';
    return { verdict: 'failed', reason: `${failures[0]!}${more}` };
  }
  // That frames could be read proves nothing about a book.
  const all = sumOf(Object.values(sumOfBooks(books.map(({ checks }) => checks))));
  if (all.checked === 0) {
    const without = books.filter(({ checks }) => checks.aligned.unverifiable > 0).length;
    const why =
      without > 0 ? `no snapshot for ${without} of ${books.length} books` : 'no book in it';
    return { verdict: 'unverified', reason: `nothing could be checked: ${why}` };
  }
  return { verdict: 'passed', reason: `${all.passed} of ${all.checked} checks passed` };
}

const TEXTS: Readonly<Record<keyof BookChecks, (counts: CheckCounts, state: string) => string>> = {
  aligned: (_, state) => `its book ends ${state}, not Live`,
  continuity: ({ failed, checked }) =>
    `${failed} of ${checked} updates do not continue the one before`,
  uncrossed: ({ failed, checked }) => `crossed after ${failed} of ${checked} updates`,
  bestPrices: ({ failed, checked }) =>
    `best bid and ask differ from the venue's own at ${failed} of ${checked} updates`,
  trades: ({ failed, checked }) => `${failed} of ${checked} trades do not follow the one before`,
};
