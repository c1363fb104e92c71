/** House rules as tests over the source tree: what reviewers would otherwise have to see. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** From dist/test/house to the repository. */
const ROOT = join(import.meta.dirname, '..', '..', '..');

interface SourceFile {
  /** Relative to the repository, e.g. `src/books/ladder.ts`. */
  readonly path: string;
  readonly text: string;
  /** Without comments; strings stay. */
  readonly code: string;
}

function filesBelow(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((name) => /\.(ts|mjs|fbs)$/.test(name))
    .map((name) => {
      const path = `${folder}/${name}`;
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, code: withoutComments(text) };
    });
}

function withoutComments(text: string): string {
  const blank = (match: string): string => match.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(^|[^:'"`])\/\/[^\n]*/g, blank);
}

const isGenerated = ({ path }: SourceFile): boolean => path.includes('/generated/');
const SOURCES = filesBelow('src').filter((file) => !isGenerated(file));
const TESTS = filesBelow('test');
const BENCHES = filesBelow('bench');

/** `path:line` of every match. */
function findings(
  files: readonly SourceFile[],
  pattern: RegExp,
  of: 'code' | 'text' = 'code',
): string[] {
  return files.flatMap((file) =>
    file[of]
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${file.path}:${index + 1}: ${line.trim().slice(0, 90)}`] : [],
      ),
  );
}

/** Folders directly below src, from the top of the house to the ground. A room imports only lower floors. */
const FLOORS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['cli', 'index.ts'],
  ['node'],
  [
    'ingest',
    'books',
    'matching',
    'broadcast',
    'record',
    'replay',
    'simulator',
    'ops',
    'client',
    'dashboard',
  ],
  ['venues'],
  ['wire', 'rings', 'runtime', 'time'],
  ['domain'],
  ['faults'],
];
/** Rooms that may import a room of their own floor, and which. */
const NEIGHBOURS: Readonly<Record<string, readonly string[]>> = {
  simulator: ['matching'],
  // The page is a program that uses the client.
  dashboard: ['client'],
  runtime: ['rings', 'time'],
  wire: ['time'],
};
/** A consumer's program holds no part of the node. */
const CLIENT_MAY_IMPORT = ['client', 'wire', 'domain', 'faults', 'time'];

const IMPORTS = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;
const REACHES = /(?:from|import|URL\()\s*\(?\s*'(\.[^']+)'/g;

const roomOf = (path: string): string => path.split('/')[1]!;

/** Imports, and with `byUrl` also the files that are handed to workers by their URL. */
function importsOf(file: SourceFile, byUrl = false): string[] {
  const folder = file.path.split('/').slice(0, -1);
  return [...file.code.matchAll(byUrl ? REACHES : IMPORTS)].map((match) => {
    const parts = [...folder];
    for (const part of match[1]!.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.') parts.push(part);
    }
    return parts.join('/').replace(/\.js$/, '.ts');
  });
}

test('Imports go down the floors only, and rooms do not import each other', () => {
  const floorOf = (room: string): number => FLOORS.findIndex((floor) => floor.includes(room));
  const wrong: string[] = [];
  for (const file of SOURCES) {
    const from = roomOf(file.path);
    assert.ok(floorOf(from) >= 0, `${file.path}: the room ${from} has a floor`);
    for (const target of importsOf(file)) {
      if (!target.startsWith('src/')) {
        wrong.push(`${file.path} imports ${target}, outside src`);
        continue;
      }
      const to = roomOf(target);
      if (to === from || NEIGHBOURS[from]?.includes(to) === true) continue;
      if (floorOf(to) <= floorOf(from)) wrong.push(`${file.path} imports ${target}`);
      if (from === 'client' && !CLIENT_MAY_IMPORT.includes(to)) {
        wrong.push(`${file.path} imports ${target}: a client is no part of the node`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('No source imports in a circle', () => {
  const graph = new Map(SOURCES.map((file) => [file.path, valueImportsOf(file)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (done.has(path)) return;
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  assert.deepEqual(circles, []);
});

/** Imports that exist at run time: `import type` does not. */
function valueImportsOf(file: SourceFile): string[] {
  return importsOf({ ...file, code: file.code.replace(/(import|export) type [^;]*;/g, '') });
}

/** Where programs begin: commands, packages' doors, workers (reached by URL), the page. */
const ENTRIES = ['src/main.ts', 'src/index.ts', 'src/client/index.ts', 'src/client/browser.ts'];
/** Written for tests and held to the contract of its twin in production. */
const DOUBLES = ['src/broadcast/memory-server.ts'];

test('Every source file is reached from where a program begins', () => {
  const files = new Map(SOURCES.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const file = files.get(path);
    if (file === undefined || reached.has(path)) return;
    reached.add(path);
    for (const target of importsOf(file, true)) visit(target);
  };
  for (const entry of ENTRIES) visit(entry);
  for (const { path } of SOURCES) if (path.startsWith('src/dashboard/')) visit(path);
  const unreached = [...files.keys()].filter(
    (path) => !reached.has(path) && !DOUBLES.includes(path) && !path.endsWith('.as.ts'),
  );
  assert.deepEqual(unreached, []);
});

test('Time and chance are handed in: nobody asks the machine outside time/ and main.ts', () => {
  const elsewhere = SOURCES.filter(
    ({ path }) => !path.startsWith('src/time/') && path !== 'src/main.ts',
  );
  const asks =
    /\b(Date\.now|performance\.now|performance\.timeOrigin|Math\.random|process\.hrtime|new Date\(\s*\))/;
  assert.deepEqual(findings(elsewhere, asks), []);
});

test('Atomics live in rings/, nowhere else', () => {
  const elsewhere = SOURCES.filter(
    ({ path }) => !path.startsWith('src/rings/') && path !== 'src/runtime/thread-control.ts',
  );
  assert.deepEqual(findings(elsewhere, /\bAtomics\./), []);
});

test('Only the command line prints', () => {
  const elsewhere = SOURCES.filter(
    ({ path }) => !path.startsWith('src/cli/') && path !== 'src/main.ts',
  );
  assert.deepEqual(findings(elsewhere, /\bconsole\.|process\.std(out|err)\.write/), []);
});

test('Venue names stand in their folders only', () => {
  const elsewhere = SOURCES.filter(
    ({ path }) => !/^src\/(venues|simulator|cli|replay)\//.test(path),
  );
  assert.deepEqual(
    findings(elsewhere, /===\s*'(binance|hyperliquid|kraken|bybit|okx|coinbase)/),
    [],
  );
});

test('A source file begins by saying what it is', () => {
  const silent = [...SOURCES, ...BENCHES]
    .filter(({ path }) => path.endsWith('.ts') && !path.includes('/generated/'))
    .filter(({ text }) => !/^(#![^\n]*\n)?\s*(\/\*\*|\/\/)/.test(text) && !beginsWithImports(text))
    .map(({ path }) => path);
  assert.deepEqual(silent, []);
});

/** Imports may stand before the head comment, as long as a comment follows them. */
function beginsWithImports(text: string): boolean {
  return /^(import [^;]*;\s*)+\/\*\*/.test(text);
}

/** 400 is the aim; a tenth more is still one page of thought. */
const LINES_MAX = 450;
const COLUMNS_MAX = 110;

test('No file is much longer than 400 lines, no line much wider than 100 columns', () => {
  const files = SOURCES.filter(({ path }) => path.endsWith('.ts'));
  const long = files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  assert.deepEqual(long, []);
  const wide = files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        line.length > COLUMNS_MAX && !/https?:\/\/|import /.test(line)
          ? [`${path}:${index + 1}`]
          : [],
      ),
  );
  assert.deepEqual(wide, []);
});

test('No file is a drawer for odds and ends', () => {
  const drawers = [...SOURCES, ...TESTS, ...BENCHES]
    .map(({ path }) => path)
    .filter((path) => /(^|\/)(utils?|helpers?|common|misc|shared)(\.|\/)/i.test(path));
  assert.deepEqual(drawers, []);
});

test('File names are in kebab case', () => {
  const odd = [...SOURCES, ...TESTS, ...BENCHES]
    .map(({ path }) => path)
    .filter((path) => !/^[a-z0-9./-]+$/.test(path));
  assert.deepEqual(odd, []);
});

test("No source knows a machine: no absolute paths of somebody's computer", () => {
  const everywhere = [...SOURCES, ...TESTS, ...BENCHES].filter(
    ({ path }) => path !== 'test/house/source-tree.test.ts',
  );
  assert.deepEqual(findings(everywhere, /['"`(]\/(work|root|home|Users)\//, 'text'), []);
});

test('No task is left without an owner', () => {
  const everywhere = [...SOURCES, ...TESTS, ...BENCHES].filter(
    ({ path }) => path !== 'test/house/source-tree.test.ts',
  );
  assert.deepEqual(findings(everywhere, /\b(TODO|FIXME|XXX|HACK)\b/, 'text'), []);
});
