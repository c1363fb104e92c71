/** What `ringside verify` found, as a table for a person. Pure, cold. */
import pc from 'picocolors';
import type { CheckCounts, Verdict } from '../replay/capture-verdict.js';
import type { VerifyReport } from './verify.js';

const HEADINGS = [
  'instrument',
  'state',
  'applied',
  'stale',
  'gaps',
  'resyncs',
  'crossed',
  'best prices',
  'unverifiable',
  'trades',
  'hash',
] as const;

export function verifyTable(report: VerifyReport): string {
  const rows = report.instruments.map((book) => [
    book.instrument,
    book.snapshots === 0 ? `${book.state} (no snapshot)` : book.state,
    ...[book.applied, book.stale, book.gaps, book.resyncs, book.crossed].map(String),
    ratio(book.checks.bestPrices),
    String(book.unverifiable),
    ratio(book.checks.trades),
    book.hash,
  ]);
  const { checks, instruments } = report;
  const sum = (of: 'applied' | 'stale' | 'gaps' | 'resyncs' | 'crossed'): string =>
    String(instruments.reduce((total, book) => total + book[of], 0));
  const all = [
    'all',
    `${ratio(checks.aligned)} aligned`,
    ...(['applied', 'stale', 'gaps', 'resyncs', 'crossed'] as const).map(sum),
    ratio(checks.bestPrices),
    String(checks.bestPrices.unverifiable),
    ratio(checks.trades),
    report.hash,
  ];
  return (
    alignedTable(HEADINGS, [...rows, all]) +
    `${ratio(checks.frames)} frames read, ${recordedText(checks.recorded)}, ` +
    `${report.hashesCompared} hashes compared with a book rebuilt from the messages\n`
  );
}

function recordedText(recorded: CheckCounts): string {
  if (recorded.unverifiable === 0) return `${ratio(recorded)} of those received are recorded`;
  const lost = recorded.failed === 0 ? '' : `${recorded.failed} lost, `;
  return `${lost}its recorder does not tell what it lost`;
}

/** Passed of checked; `–` where the check never ran. */
export function ratio({ checked, passed }: CheckCounts): string {
  return checked === 0 ? '–' : `${passed}/${checked}`;
}

export function verdictLine({ verdict, reason }: Verdict): string {
  const paint = verdict === 'passed' ? pc.green : pc.red;
  return `${paint(verdict.toUpperCase())} ${reason}\n`;
}

/** Two columns of text at the left, numbers at the right, the last one as it is. */
export function alignedTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [pc.dim(line(headings)), ...rows.map(line)].map((text) => `${text}\n`).join('');
}
