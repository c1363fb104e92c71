/**
 * Lists and runs the benches; `--help` says how. Rows also go to bench/results/latest.json. Each bench
 * runs in a process of its own. Cold: nothing here is measured.
 */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchDefinition, BenchRow } from './harness.js';

const here = import.meta.dirname;
const CHILD = '--in-child';

const USAGE = `Usage: npm run bench -- [words] [options]

  words            only benches whose name contains one of them
  --list           which there are
  --json           one JSON object on stdout, progress on stderr (npm run --silent bench -- --json)
  --compare FILE   beside each row, what it was in an earlier --json
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
  readonly error?: string;
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
    loadAverage: Math.round(loadavg()[0]! * 100) / 100,
    date: new Date().toISOString(),
  };
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
  const { part, mix, nodeFlags } = await load(name);
  return new Promise((resolve) => {
    const child = fork(join(here, 'main.js'), [CHILD, name], {
      execArgv: [...process.execArgv, ...(nodeFlags ?? [])],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let rows: BenchRow[] | undefined;
    child.on('message', (message) => {
      rows = message as BenchRow[];
    });
    child.on('exit', (code, signal) => {
      const report = { name, part, mix, rows: rows ?? [] };
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

function rowKey(name: string, row: BenchRow): string {
  return [name, row.part, row.case, row.rival ?? ''].join('|');
}

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

function earlierRows(file: string | undefined): Map<string, BenchRow> {
  if (file === undefined) return new Map();
  const text = readFileSync(file, 'utf8');
  // npm prints its own lines before ours unless it is told to be silent.
  const report = JSON.parse(text.slice(Math.max(0, text.search(/^\{/m)))) as Report;
  return new Map(
    report.benches.flatMap((bench) =>
      bench.rows.map((row): [string, BenchRow] => [rowKey(bench.name, row), row]),
    ),
  );
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
  const before = earlierRows(values.compare);
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
    print(`\n${report.name}: ${report.part}\n  mix: ${report.mix}`);
    for (const row of report.rows) print(rowText(row, before.get(rowKey(name, row))));
    if (report.error !== undefined) print(`  FAILED: ${report.error}`);
  }
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
