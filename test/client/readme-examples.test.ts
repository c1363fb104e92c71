/** The examples of src/client/README.md, taken out of it and run as they stand. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { FakeFeed } from '../support/fake-feed.js';
import { findPython, generatePython } from '../support/python-client.js';

const root = resolve(import.meta.dirname, '../../..');
const readme = readFileSync(join(root, 'src/client/README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'ringside-readme-'));
after(() => rmSync(folder, { recursive: true, force: true }));
// A project that depends on this package, as a user's does.
mkdirSync(join(folder, 'node_modules'));
symlinkSync(root, join(folder, 'node_modules', 'ringside'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');

function examples(kind: string): string[] {
  const pattern = new RegExp(`<!-- example: ${kind} -->\\n\\n\`\`\`\\w+\\n([^]*?)\n\`\`\``, 'g');
  return [...readme.matchAll(pattern)].map((match) => match[1]!);
}

function tsc(name: string, source: string, lib: string): void {
  writeFileSync(join(folder, `${name}.ts`), source);
  const inBrowser = lib.includes('DOM');
  const options = [
    '--strict --noUncheckedIndexedAccess --skipLibCheck --preserveSymlinks',
    '--target es2022 --module esnext --moduleResolution bundler',
    `--lib ${lib}`,
    inBrowser ? '--customConditions browser' : '',
  ].flatMap((line) => line.split(' ').filter((word) => word !== ''));
  const types = inBrowser ? '' : join(root, 'node_modules/@types/node');
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, ...options, '--types', types, join(folder, `${name}.ts`)],
    { encoding: 'utf8', cwd: folder },
  );
  assert.equal(status, 0, stdout);
}

async function withFeed(run: (feed: FakeFeed) => Promise<void>): Promise<void> {
  const feed = new FakeFeed({ instruments: 3, levels: 40 });
  await feed.listen();
  feed.run(10, 10);
  try {
    await run(feed);
  } finally {
    await feed.stop();
  }
}

function run(file: string): Promise<{ code: number | null; out: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--preserve-symlinks', file], { cwd: folder });
    let out = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (out += data.toString()));
    child.on('close', (code) => done({ code, out }));
  });
}

test('README of the client: the Node examples compile, run and end', async () => {
  const sources = examples('node');
  assert.equal(sources.length, 2);
  await withFeed(async (feed) => {
    for (const [i, source] of sources.entries()) {
      const name = `node-example-${i}`;
      tsc(name, source.replaceAll('ws://127.0.0.1:9001', feed.url), 'es2023');
      const { code, out } = await run(join(folder, `${name}.js`));
      assert.equal(code, 0, out);
      if (i === 0) assert.match(out, /^(\d+\.\d\d \d+\.\d\d \d+\n){5}$/);
      else assert.match(out, /buy \d+\.\d{3} at \d+\.\d\d\n/);
    }
  });
});

test('README of the client: ten lines are ten lines', () => {
  assert.ok(
    examples('node')[0]!
      .split('\n')
      .filter((line) => line !== '').length <= 10,
  );
});

test('README of the client: the browser example compiles against the browser entry', () => {
  const sources = examples('browser');
  assert.equal(sources.length, 1);
  tsc('browser-example', sources[0]!, 'es2023,DOM');
});

test("README of the client: the browser's entry reaches nothing of Node", () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(file, 'utf8');
    for (const [, from] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      assert.ok(from!.startsWith('.'), `${file} imports ${from}`);
      visit(resolve(file, '..', from!));
    }
    assert.ok(!/\b(process|Buffer)\b\./.test(source.replace(/\/\*[^]*?\*\//g, '')), file);
  };
  visit(join(root, 'dist/src/client/browser.js'));
  assert.ok(seen.size > 15);
});

test('README of the client: the Python example reads a frame', async (t) => {
  const python = findPython();
  if (python === null || !generatePython(join(folder, 'generated'))) {
    console.error('README PYTHON EXAMPLE SKIPPED: no flatc, or no python3 with flatbuffers');
    t.skip('no flatc, or no python3 with flatbuffers');
    return;
  }
  const [source] = examples('python');
  const frame = await oneDelta();
  const program = `${source}\n\non_binary_frame(bytes.fromhex("${frame.toString('hex')}"))\n`;
  writeFileSync(join(folder, 'example.py'), program);
  const ended = spawnSync(python, ['-B', 'example.py'], { cwd: folder, encoding: 'utf8' });
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stdout, /^(bid \d+ \d+\n)*sequence \d+ hash [0-9a-f]{16}\n$/);
});

/** The bytes of one delta as they stand on the wire. */
async function oneDelta(): Promise<Buffer> {
  const { WebSocket } = await import('ws');
  return new Promise((done, failed) => {
    withFeed(
      (feed) =>
        new Promise((finished) => {
          const socket = new WebSocket(`${feed.url}/v1/feed`);
          const instrument = feed.instruments[0]!.name;
          socket.on('open', () =>
            socket.send(JSON.stringify({ op: 'subscribe', id: 1, channel: 'book', instrument })),
          );
          socket.on('message', (data: Buffer, isBinary) => {
            if (!isBinary || data[24] !== 2) return; // the union's type: BookDelta
            done(data);
            socket.close();
            finished();
          });
        }),
    ).catch(failed);
  });
}
