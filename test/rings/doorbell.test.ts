import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { Prng } from '../../src/domain/prng.js';
import { DoorbellRinger, DoorbellWaiter, createDoorbell } from '../../src/rings/doorbell.js';
import type { DoorbellWork } from './doorbell-worker.js';

const never = (): void => assert.fail('nobody rang');

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
  assert.equal(waiter.waitAsync(never, never), false, 'not asleep: nothing to wait for');
});

test('Doorbell: a ring before the arming is seen at once', () => {
  const buffer = createDoorbell();
  const waiter = new DoorbellWaiter(buffer);
  waiter.prepare();
  new DoorbellRinger(buffer).ring();
  assert.equal(waiter.waitAsync(never, never), false);
});

test('Doorbell: a ring of the same thread calls the waiter once and leaves one wait standing', async () => {
  const buffer = createDoorbell();
  const word = new Int32Array(buffer);
  const ringer = new DoorbellRinger(buffer);
  const waiter = new DoorbellWaiter(buffer);
  let here = 0;
  let elsewhere = 0;
  for (let round = 1; round <= 50; round++) {
    waiter.prepare();
    assert.ok(
      waiter.waitAsync(
        () => elsewhere++,
        () => here++,
      ),
    );
    ringer.ring();
    ringer.ring();
    assert.equal(here, round, 'an awake waiter is not called again');
  }
  waiter.prepare();
  // As another thread's ringer does it.
  Atomics.store(word, 0, 0);
  assert.equal(Atomics.notify(word, 0), 1, 'fifty sleeps left one waiter, not fifty');
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(elsewhere, 1);
  waiter.leave();
  waiter.prepare();
  ringer.ring();
  assert.equal(here, 50, 'who left is not called');
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
