import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { Prng } from '../../src/domain/prng.js';
import { DoorbellRinger, DoorbellWaiter, createDoorbell } from '../../src/rings/doorbell.js';
import type { DoorbellWork } from './doorbell-worker.js';

test('Doorbell: ringing an awake waiter does nothing, an announced one is called off its sleep', () => {
  const buffer = createDoorbell();
  const ringer = new DoorbellRinger(buffer);
  const waiter = new DoorbellWaiter(buffer);
  ringer.ring();
  waiter.prepare();
  assert.equal(waiter.wait(1), false, 'an early ring is not kept: it rang before the second look');
  waiter.prepare();
  ringer.ring();
  assert.equal(waiter.wait(60_000), true);
  waiter.prepare();
  waiter.cancel();
  assert.equal(waiter.waitAsync(), undefined, 'not asleep: nothing to wait for');
});

test('Doorbell: an armed event loop is woken, and a ring before the arming is seen at once', async () => {
  const buffer = createDoorbell();
  const ringer = new DoorbellRinger(buffer);
  const waiter = new DoorbellWaiter(buffer);
  waiter.prepare();
  ringer.ring();
  assert.equal(waiter.waitAsync(), undefined);
  for (let i = 0; i < 200; i++) {
    waiter.prepare();
    const rung = waiter.waitAsync();
    assert.ok(rung);
    // A pending waitAsync does not keep the loop alive; this does, and rings.
    setImmediate(() => ringer.ring());
    assert.equal(await rung, 'ok');
  }
});

test('Doorbell: two threads hand tokens over at every distance, and no wake-up is lost', async () => {
  const tokens = 30_000;
  const doorbell = createDoorbell();
  const shared = new SharedArrayBuffer(16);
  const words = new Int32Array(shared);
  const workerData: DoorbellWork = { doorbell, words: shared, tokens };
  const worker = new Worker(new URL('./doorbell-worker.js', import.meta.url), { workerData });
  const exit = once(worker, 'exit');
  await once(worker, 'message');
  const ringer = new DoorbellRinger(doorbell);
  const prng = new Prng(23);
  // Every distance between "the other is just falling asleep" and "it sleeps for long".
  for (let put = 1; put <= tokens; put++) {
    Atomics.store(words, 0, put);
    ringer.ring();
    const pause = prng.nextInt(prng.chance(0.05) ? 20_000 : 400);
    for (let i = 0; i < pause; i++) Atomics.load(words, 1);
  }
  await exit;
  assert.equal(Atomics.load(words, 1), tokens);
  assert.equal(Atomics.load(words, 3), 0, 'no sleep was ended by its timeout');
  assert.ok(Atomics.load(words, 2) > 100, 'the other thread did sleep');
});
