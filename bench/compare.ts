/**
 * A run beside an earlier one: what became worse, what better. Where a row has a rival, its ratio is
 * compared (a busy or slower machine slows both), else our own figure. Cold; fails nothing.
 */
import { readFileSync } from 'node:fs';
import type { BenchRow } from './harness.js';

interface Rows {
  readonly name: string;
  readonly rows: readonly BenchRow[];
  readonly error?: string;
}

export type EarlierRows = ReadonlyMap<string, BenchRow>;

/** Smaller changes are the noise of a quiet machine. */
const CHANGE_MIN = 0.15;

export function rowKey(name: string, row: BenchRow): string {
  return [name, row.part, row.case, row.rival ?? ''].join('|');
}

export function earlierRows(file: string): EarlierRows {
  const text = readFileSync(file, 'utf8');
  // npm prints its own lines before ours unless it is told to be silent.
  const report = JSON.parse(text.slice(Math.max(0, text.search(/^\{/m)))) as { benches: Rows[] };
  return new Map(
    report.benches.flatMap((bench) =>
      bench.rows.map((row): [string, BenchRow] => [rowKey(bench.name, row), row]),
    ),
  );
}

/**
 * How many times better than before: 1 is equal, 0 a cost where there was none, Infinity none where there
 * was one. Null where it cannot be told.
 */
export function gainOf(row: BenchRow, before: BenchRow): number | null {
  let gain: number;
  if (row.ratio !== null && before.ratio !== null) gain = row.ratio / before.ratio;
  else if (row.ours === before.ours) gain = 1;
  else gain = row.higherIsBetter ? row.ours / before.ours : before.ours / row.ours;
  return gain >= 0 ? gain : null;
}

/** The last lines of a run with `--compare`. */
export function comparisonText(benches: readonly Rows[], earlier: EarlierRows): string {
  const changes: { readonly text: string; readonly gain: number }[] = [];
  const missing = new Set(earlier.keys());
  let compared = 0;
  for (const { name, rows } of benches) {
    for (const row of rows) {
      const key = rowKey(name, row);
      const before = earlier.get(key);
      missing.delete(key);
      const gain = before === undefined ? null : gainOf(row, before);
      if (before === undefined || gain === null) continue;
      compared++;
      const by = before.ratio === null || row.ratio === null ? row.unit : `times ${row.rival}`;
      const [was, is] =
        before.ratio === null || row.ratio === null
          ? [before.ours, row.ours]
          : [before.ratio, row.ratio];
      const text = `${name}: ${row.case}: ${was.toPrecision(3)} → ${is.toPrecision(3)} ${by}`;
      changes.push({ text, gain });
    }
  }
  const ran = new Set(benches.map(({ name }) => name));
  const gone = [...missing].filter((key) => ran.has(key.split('|')[0]!));
  const worse = changes.filter(({ gain }) => gain < 1 - CHANGE_MIN).sort((a, b) => a.gain - b.gain);
  const better = changes.filter(({ gain }) => gain > 1 / (1 - CHANGE_MIN));
  return [
    `\n${compared} rows compared; a change below ${CHANGE_MIN * 100} % is taken for noise`,
    `WORSE: ${worse.length === 0 ? 'none' : ''}`,
    ...worse.map(({ text, gain }) => `  ${percent(gain)}  ${text}`),
    `BETTER: ${better.length === 0 ? 'none' : ''}`,
    ...better
      .sort((a, b) => b.gain - a.gain)
      .map(({ text, gain }) => `  ${percent(gain)}  ${text}`),
    ...(gone.length === 0 ? [] : ['MISSING NOW:', ...gone.map((key) => `  ${key}`)]),
  ].join('\n');
}

function percent(gain: number): string {
  if (gain === Infinity) return 'gone'.padStart(7);
  return `${gain >= 1 ? '+' : ''}${((gain - 1) * 100).toFixed(0)} %`.padStart(7);
}
