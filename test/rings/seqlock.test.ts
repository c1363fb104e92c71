import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { SeqlockReader, SeqlockWriter, createSeqlockTable } from '../../src/rings/seqlock.js';
import { PATIENCE_MS } from '../support/until.js';
import type { SeqlockWork } from './seqlock-worker.js';

const COLUMNS = 15;
/** Versions that must be seen even where both threads share one busy core. */
const VERSIONS = 1_000;

test('Seqlock: a row reads as false before its first write and as written after it', () => {
  const table = createSeqlockTable(3, 2);
  const writer = new SeqlockWriter(table, 2);
  const reader = new SeqlockReader(table, 2);
  const target = new Float64Array(2);
  assert.equal(reader.tryRead(1, target), false);
  writer.write(1, Float64Array.from([1.5, -2]));
  assert.equal(reader.tryRead(1, target), true);
  assert.deepEqual([...target], [1.5, -2]);
  assert.equal(reader.tryRead(0, target), false);
  assert.equal(reader.read(2, target, 5), false, 'bounded tries');
});

test('Seqlock: a writer that died inside a write blocks the row until its successor writes it', () => {
  const table = createSeqlockTable(1, 1);
  const writer = new SeqlockWriter(table, 1);
  const reader = new SeqlockReader(table, 1);
  const target = new Float64Array(1);
  writer.write(0, Float64Array.from([1]));
  const words = new Int32Array(table);
  words[0] = words[0]! + 1;
  assert.equal(reader.read(0, target, 100), false);
  new SeqlockWriter(table, 1).write(0, Float64Array.from([2]));
  assert.ok(reader.tryRead(0, target));
  assert.equal(target[0], 2);
});

test('Seqlock: the version wraps past its sign and never says "never written" again', () => {
  const table = createSeqlockTable(1, 1);
  const words = new Int32Array(table);
  const writer = new SeqlockWriter(table, 1);
  const reader = new SeqlockReader(table, 1);
  const target = new Float64Array(1);
  for (const version of [2 ** 31 - 2, -4, -2]) {
    words[0] = version;
    for (let i = 0; i < 4; i++) {
      writer.write(0, Float64Array.from([i]));
      assert.ok(reader.tryRead(0, target), `after version ${version}, write ${i}`);
      assert.equal(target[0], i);
    }
  }
});

test('Seqlock: two threads, and no reader ever sees half of one write and half of another', async () => {
  const rows = 2;
  const table = createSeqlockTable(rows, COLUMNS);
  const stop = new SharedArrayBuffer(4);
  const workerData: SeqlockWork = { table, columns: COLUMNS, rows, stop };
  const worker = new Worker(new URL('./seqlock-worker.js', import.meta.url), { workerData });
  const exit = once(worker, 'exit');
  await once(worker, 'message');
  const reader = new SeqlockReader(table, COLUMNS);
  const target = new Float64Array(COLUMNS);
  const last = [0, 0];
  let changes = 0;
  let refused = 0;
  // Until enough was seen, however the machine schedules the two threads: on one busy core they meet
  // only when one is interrupted.
  const beganMs = performance.now();
  for (let tries = 0; changes < 40_000 || refused === 0; tries++) {
    if (tries % 65_536 === 65_535) {
      const tookMs = performance.now() - beganMs;
      if (tookMs > PATIENCE_MS || (tookMs > 3_000 && changes >= VERSIONS && refused > 0)) break;
    }
    const row = tries % rows;
    if (!reader.tryRead(row, target)) {
      refused++;
      continue;
    }
    const version = target[0]!;
    for (let column = 1; column < COLUMNS; column++) {
      if (target[column] !== version * (column + 1)) assert.fail(`torn: ${target.join(' ')}`);
    }
    assert.ok(version >= last[row]!, 'versions only grow');
    if (version > last[row]!) changes++;
    last[row] = version;
  }
  Atomics.store(new Int32Array(stop), 0, 1);
  await exit;
  assert.ok(changes >= VERSIONS, `${changes} versions seen`);
  assert.ok(refused > 0, 'some reads met a write: the test has bitten');
});
