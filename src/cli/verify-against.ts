/**
 * `ringside verify --venue hyperliquid-node --against FILE`: the books at the height of a node's snapshot,
 * held against it order by order. Cold.
 */
import type { Instrument } from '../domain/instrument.js';
import type { RestingOrders } from '../domain/resting-orders.js';
import { type ExpectedBooks, readExpectedBooks } from '../node/expected-books.js';
import { countsOf } from '../replay/capture-verdict.js';
import type { CheckCounts } from '../replay/capture-verdict.js';
import type { NodeCheckpoint } from '../replay/node-lines.js';
import { compareOrders } from '../replay/orders-comparison.js';
import type { BookComparison, OrderDifference } from '../replay/orders-comparison.js';
import { ratio } from './verify-table.js';

/** Differences that are told of each coin, and lines of them in the table. */
const DIFFERENCES_PER_COIN = 20;
const LINES_MAX = 20;

export interface AgainstReport {
  readonly path: string;
  readonly height: number;
  readonly books: readonly BookComparison[];
  /** Coins whose orders could not be compared, and why. */
  readonly notCompared: readonly { readonly instrument: string; readonly why: string }[];
}

export class Against implements NodeCheckpoint {
  private readonly expected: ExpectedBooks;
  private readonly instruments: readonly Instrument[];
  private readonly books: BookComparison[] = [];
  private readonly notCompared: { instrument: string; why: string }[] = [];

  /** Reads the file. Throws FaultError. */
  constructor(path: string, instruments: readonly Instrument[]) {
    this.instruments = instruments;
    this.expected = readExpectedBooks(path, instruments);
  }

  get height(): number {
    return this.expected.height;
  }

  onBook(instrument: Instrument, orders: RestingOrders | null): void {
    const expected = this.expected.books.get(instrument.id);
    if (expected === undefined) {
      this.notCompared.push({ instrument: instrument.name, why: 'is not in that snapshot' });
    } else if (orders === null) {
      const why = `has no Live book at block ${this.height}`;
      this.notCompared.push({ instrument: instrument.name, why });
    } else this.books.push(compareOrders(expected, orders, instrument, DIFFERENCES_PER_COIN));
  }

  /** @param readTo height of the last block read */
  report(readTo: number): AgainstReport {
    const { path, height } = this.expected;
    if (readTo >= height) return { path, height, books: this.books, notCompared: this.notCompared };
    const why = `could not be compared: the data end at block ${readTo}, before ${height}`;
    const notCompared = this.instruments.map(({ name }) => ({ instrument: name, why }));
    return { path, height, books: [], notCompared };
  }
}

/** Orders compared; a coin that could not be counts as one that failed. */
export function againstChecksOf({ books, notCompared }: AgainstReport): CheckCounts {
  const sum = (of: 'orders' | 'differing' | 'clientIdsUnknown'): number =>
    books.reduce((total, book) => total + book[of], 0);
  const missing = notCompared.length;
  return countsOf(sum('orders') + missing, sum('differing') + missing, sum('clientIdsUnknown'));
}

export function againstText(report: AgainstReport): string {
  const checks = againstChecksOf(report);
  const unknown =
    checks.unverifiable === 0
      ? ''
      : `, ${checks.unverifiable} of them without a client id of ours to compare`;
  const lines = [
    `${ratio(checks)} orders as in ${report.path}, block ${report.height}: side, price, size, owner,` +
      ` client id and place in the queue${unknown}`,
    ...report.notCompared.map(({ instrument, why }) => `  ${instrument} ${why}`),
  ];
  const differences = report.books.flatMap((book) => book.differences);
  for (const difference of differences.slice(0, LINES_MAX)) lines.push(lineOf(difference));
  const more = report.books.reduce((sum, { differing }) => sum + differing, 0) - LINES_MAX;
  if (more > 0) lines.push(`  and ${more} more`);
  return lines.map((line) => `${line}\n`).join('');
}

function lineOf({ instrument, orderId, kind, expected, ours }: OrderDifference): string {
  const there = expected === null ? 'not in the snapshot' : `snapshot ${expected}`;
  return `  ${instrument} ${orderId} ${kind}: ${there}; ${ours === null ? 'not ours' : `ours ${ours}`}`;
}
