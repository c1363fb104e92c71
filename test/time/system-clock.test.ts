import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SystemClock, readTimelineOrigin } from '../../src/time/system-clock.js';
import type { ClockWork } from './clock-worker.js';

/** How far `other` is outside of the interval between two readings of `own`, 0 if inside. */
function outsideNs(beforeNs: number, otherNs: number, afterNs: number): number {
  return Math.max(0, beforeNs - otherNs, otherNs - afterNs);
}

test('SystemClock: clocks made at any moment on one origin agree to well under a microsecond', () => {
  const { monotonicNs } = readTimelineOrigin();
  const first = new SystemClock(monotonicNs);
  for (let made = 0; made < 100; made++) {
    const other = new SystemClock(monotonicNs);
    // Interruptions only widen an interval; of some, one is narrow.
    let worst = 0;
    for (let i = 0; i < 20; i++) {
      const beforeNs = first.nowNs();
      const otherNs = other.nowNs();
      worst = Math.max(worst, outsideNs(beforeNs, otherNs, first.nowNs()));
    }
    assert.ok(worst < 500, `clock ${made} is ${worst} ns off`);
  }
});

test('SystemClock: the clock of another thread reads neither before the question nor after the answer', async () => {
  const questions = 200;
  const { monotonicNs } = readTimelineOrigin();
  const shared = new SharedArrayBuffer(16);
  const words = new Int32Array(shared);
  const workerData: ClockWork = { originMonotonicNs: monotonicNs, shared, questions };
  const worker = new Worker(new URL('./clock-worker.js', import.meta.url), { workerData });
  const exit = once(worker, 'exit');
  const clock = new SystemClock(monotonicNs);
  const reading = new Float64Array(shared, 8, 1);
  let worst = 0;
  for (let question = 1; question <= questions; question++) {
    const askedNs = clock.nowNs();
    Atomics.store(words, 0, question);
    Atomics.notify(words, 0);
    while (Atomics.load(words, 1) !== question) if (question === 1) await sleep(1);
    worst = Math.max(worst, outsideNs(askedNs, reading[0]!, clock.nowNs()));
  }
  await exit;
  assert.ok(worst < 500, `${worst} ns outside`);
});

test('SystemClock: the timeline’s origin stands for the same moment on both of its clocks', () => {
  const { unixNs, monotonicNs } = readTimelineOrigin();
  let leastNs = Infinity;
  // Between two readings the thread may be interrupted; of some pairs, one is not.
  for (let i = 0; i < 50; i++) {
    const sinceNs = Number(process.hrtime.bigint() - monotonicNs);
    const unixNowNs = BigInt(Date.now()) * 1_000_000n;
    leastNs = Math.min(leastNs, Math.abs(Number(unixNowNs - unixNs) - sinceNs));
  }
  // Date.now is whole milliseconds, and may have been set since the process began.
  assert.ok(leastNs < 50e6, `${leastNs} ns apart`);
});
