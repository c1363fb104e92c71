/**
 * The contract as another language sees it: a Python client made from schemas/*.fbs and
 * schemas/README.md alone rebuilds the books, hash equal at every message. Skipped, loudly, where
 * there is no Python with flatbuffers or no flatc.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { FakeFeed } from '../support/fake-feed.js';

const root = resolve(import.meta.dirname, '../../..');
const BTC = 'binance-futures:BTCUSDT';

/** A Python that can import flatbuffers: Debian's package serves Debian's interpreter only. */
function findPython(): string | null {
  for (const python of ['/usr/bin/python3', 'python3']) {
    if (spawnSync(python, ['-c', 'import flatbuffers']).status === 0) return python;
  }
  return null;
}

const python = findPython();
const folder = mkdtempSync(join(tmpdir(), 'ringside-python-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const flatc = spawnSync('flatc', [
  '--python',
  '-o',
  folder,
  join(root, 'schemas', 'market-data.fbs'),
]);
const missing =
  python === null
    ? 'no python3 with flatbuffers: install python3-flatbuffers'
    : flatc.status === 0
      ? null
      : 'no flatc: install flatbuffers-compiler';
if (missing !== null) console.error(`PYTHON CLIENT TESTS SKIPPED: ${missing}`);

interface Summary {
  readonly messages: Record<string, number>;
  readonly hashes: { checked: number; recomputed: number; amid: number };
  readonly levelsMost: number;
  readonly streams: Record<string, { messages: number; next: number }>;
}

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function runClient(url: string, instrument: string, messages: number): Promise<Ended> {
  const client = join(root, 'test', 'python', 'feed_client.py');
  const parameters = [client, folder, `${url}/v1/feed`, instrument, String(messages)];
  return new Promise((done) => {
    const child = spawn(python!, ['-B', ...parameters]);
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.on('close', (code) => done({ code, out, err }));
  });
}

async function setUp(t: TestContext): Promise<FakeFeed | null> {
  if (missing !== null) {
    t.skip(missing);
    return null;
  }
  const feed = new FakeFeed({ instruments: 2, levels: 300, heartbeatMs: 100 });
  feed.snapshotPartLevels = 128;
  await feed.listen();
  t.after(() => feed.stop());
  return feed;
}

test('Python client: rebuilds books from the schema alone, hash equal at every message', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  feed.run(5, 10);
  const disturbance = setInterval(() => {
    const instrument = feed.instrument(BTC);
    feed.foldedTick(instrument, 5);
    feed.setState(instrument, BookState.Suspect, StateReason.Gap);
    feed.realign(instrument);
    feed.setState(instrument, BookState.Live, StateReason.Aligned);
  }, 150);
  t.after(() => clearInterval(disturbance));
  const { code, out, err } = await runClient(feed.url, BTC, 2_500);
  assert.equal(code, 0, err);
  const { messages, hashes, levelsMost, streams } = JSON.parse(out) as Summary;
  for (const kind of ['BookSnapshot', 'BookDelta', 'Bbo', 'Trades', 'Status', 'Heartbeat']) {
    assert.ok((messages[kind] ?? 0) > 0, `messages of kind ${kind} were read`);
  }
  assert.ok(hashes.checked > 1_000, `${hashes.checked} hashes were compared`);
  assert.ok(hashes.recomputed > 5 && hashes.amid > 0);
  assert.ok(levelsMost > 200);
  assert.equal(Object.keys(streams).length, 5);
});

test('Python client: a wrong hash is found', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  feed.run(5, 10);
  const spoil = setTimeout(() => feed.falsifyNext.add(BTC), 300);
  t.after(() => clearTimeout(spoil));
  const { code, err } = await runClient(feed.url, BTC, 5_000);
  assert.equal(code, 1);
  assert.match(err, /hash [0-9a-f]{16} here, [0-9a-f]{16} there/);
});

test('Python client: a lost message is found', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  feed.run(5, 10);
  const spoil = setTimeout(() => feed.dropNext.add(`book|${BTC}`), 300);
  t.after(() => clearTimeout(spoil));
  const { code, err } = await runClient(feed.url, BTC, 5_000);
  assert.equal(code, 1);
  assert.match(err, /not as promised: (book: \d+ is missing|a heartbeat is never behind)/);
});
