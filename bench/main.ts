/**
 * Lists and runs the benches; `--help` says how. Rows also go to bench/results/latest.json. Each bench
 * runs in a process of its own. Cold: nothing here is measured.
 */
import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { comparisonText, earlierRows, rowKey, type EarlierRows } from './compare.js';
import { hasCompiler } from './compile-peer.js';
import type { BenchDefinition, BenchRow } from './harness.js';

const here = import.meta.dirname;
const CHILD = '--in-child';

const USAGE = `Usage: npm run bench -- [words] [options]

  words            only benches whose name contains one of them
  --list           which there are
  --json           one JSON object on stdout, progress on stderr (npm run --silent bench -- --json)
  --compare FILE   beside each row, what it was in an earlier --json; at the end what became worse
  --long           a minute where ten seconds are the rule (garbage)
  --help

Examples:
  npm run bench -- encode ring
  npm run --silent bench -- decode --json > before.json
  npm run bench -- decode --compare before.json`;

interface BenchReport {
  readonly name: string;
  readonly part: string;
  readonly mix: string;
  readonly rows: readonly BenchRow[];
  /** Of the bench's process, beyond those of the machine. */
  readonly nodeFlags: readonly string[];
  /** Of the last minute, when it began and when it ended. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly seconds: number;
  readonly error?: string;
  /** Why it was not run. */
  readonly skipped?: string;
}

interface Report {
  readonly machine: Record<string, string | number>;
  readonly benches: readonly BenchReport[];
}

function machine(): Report['machine'] {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    nodeFlags: [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').trim() || 'none',
    loadAverage: loadNow(),
    date: new Date().toISOString(),
  };
}

function loadNow(): number {
  return Math.round(loadavg()[0]! * 100) / 100;
}

function benchNames(): string[] {
  return readdirSync(here)
    .filter((file) => file.endsWith('.bench.js'))
    .map((file) => file.slice(0, -'.bench.js'.length))
    .sort();
}

async function load(name: string): Promise<BenchDefinition> {
  const module = (await import(`./${name}.bench.js`)) as { default: BenchDefinition };
  return module.default;
}

/** Runs one bench in a fresh process and waits for its rows. A bench that fails is a row of words. */
async function runInChild(name: string): Promise<BenchReport> {
  const { part, mix, nodeFlags = [], needs } = await load(name);
  const loadBefore = loadNow();
  const started = performance.now();
  const about = { name, part, mix, nodeFlags };
  if (needs === 'cc' && !hasCompiler()) {
    const skipped = 'there is no C compiler (cc)';
    return { ...about, rows: [], loadBefore, loadAfter: loadBefore, seconds: 0, skipped };
  }
  return new Promise((resolve) => {
    const child = fork(join(here, 'main.js'), [CHILD, name], {
      execArgv: [...process.execArgv, ...nodeFlags],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let rows: BenchRow[] | undefined;
    child.on('message', (message) => {
      rows = message as BenchRow[];
    });
    child.on('exit', (code, signal) => {
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const loads = { loadBefore, loadAfter: loadNow() };
      const report = { ...about, ...loads, seconds, rows: rows ?? [] };
      resolve(rows === undefined ? { ...report, error: `ended with ${signal ?? code}` } : report);
    });
  });
}

async function runAsChild(name: string): Promise<void> {
  const bench = await load(name);
  const rows = await bench.run();
  await new Promise<void>((resolve, reject) => {
    process.send!(rows, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
  process.exit(0);
}

const digits = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

function rowText(row: BenchRow, before: BenchRow | undefined): string {
  const cells = [
    row.case.padEnd(34),
    `${digits(row.ours)} ${row.unit}`.padStart(18),
    row.rival === null ? ''.padEnd(44) : `${row.rival} ${digits(row.rivalNs ?? 0)}`.padStart(44),
    row.ratio === null ? ''.padEnd(9) : `${row.ratio.toFixed(1)}×`.padStart(9),
  ];
  if (before !== undefined) {
    const change = (row.ours / before.ours - 1) * 100;
    cells.push(`was ${digits(before.ours)} (${change >= 0 ? '+' : ''}${change.toFixed(0)} %)`);
  }
  if (row.note !== '') cells.push(row.note);
  return `  ${cells.join('  ')}`.trimEnd();
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      compare: { type: 'string' },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments();
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const wanted = benchNames().filter(
    (name) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
  );
  if (values.list) {
    for (const name of wanted) console.log(`${name.padEnd(24)}${(await load(name)).part}`);
    return 0;
  }
  if (wanted.length === 0) {
    console.error(
      `no bench is called ${positionals.join(', ')}; there are: ${benchNames().join(', ')}`,
    );
    return 2;
  }
  const before: EarlierRows =
    values.compare === undefined ? new Map() : earlierRows(values.compare);
  if (values.long) process.env['RINGSIDE_BENCH_LONG'] = '1';
  const print = values.json ? console.error : console.log;
  const about = machine();
  print(
    Object.entries(about)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
  );
  const benches: BenchReport[] = [];
  for (const name of wanted) {
    const report = await runInChild(name);
    benches.push(report);
    print(
      `\n${report.name}: ${report.part}\n  mix: ${report.mix}\n` +
        `  load ${report.loadBefore} to ${report.loadAfter}, ${report.seconds} s`,
    );
    for (const row of report.rows) print(rowText(row, before.get(rowKey(name, row))));
    if (report.error !== undefined) print(`  FAILED: ${report.error}`);
    if (report.skipped !== undefined) print(`  LEFT OUT: ${report.skipped}`);
  }
  if (values.compare !== undefined) print(comparisonText(benches, before));
  const text = JSON.stringify({ machine: about, benches } satisfies Report, null, 2);
  const results = join(here, '..', '..', 'bench', 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, 'latest.json'), text);
  if (values.json) console.log(text);
  return benches.some((bench) => bench.error !== undefined) ? 1 : 0;
}

if (process.argv[2] === CHILD) {
  await runAsChild(process.argv[3]!);
} else {
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(`\n${USAGE}`);
    process.exitCode = 2;
  }
}
