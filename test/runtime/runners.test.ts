/** Both runners on real threads: nothing is lost, nothing hangs, every end is told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { Prng } from '../../src/domain/prng.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import type { IdleName } from '../../src/runtime/idle-strategy.js';
import {
  ThreadController,
  ThreadState,
  createThreadControl,
} from '../../src/runtime/thread-control.js';
import { until } from '../support/until.js';
import type { RunnerWork } from './runner-worker.js';

/** Far beyond a test's patience: only a wake-up can end such a sleep. */
const NEVER_MS = 600_000;

function start(
  runner: RunnerWork['runner'],
  kind: IdleName,
  idleMsMax: number,
  poison = -1,
  windUpSum = 0,
) {
  const work: RunnerWork = {
    runner,
    kind,
    ring: createRing(1024),
    doorbell: createDoorbell(),
    control: createThreadControl(),
    results: new SharedArrayBuffer(64),
    idleMsMax,
    poison,
    windUpSum,
  };
  const worker = new Worker(new URL('./runner-worker.js', import.meta.url), { workerData: work });
  const producer = new RingProducer(work.ring);
  const bell = new DoorbellRinger(work.doorbell);
  const send = (value: number): void => {
    const slot = producer.tryClaim(1, 8);
    assert.ok(slot >= 0);
    producer.doubles[slot] = value;
    producer.commit();
    bell.ring();
  };
  const controller = new ThreadController(work.control, work.doorbell);
  return { worker, send, controller, results: new Float64Array(work.results) };
}

for (const runner of ['blocking', 'event-loop'] as const) {
  for (const kind of ['park', 'hybrid', 'spin'] as const) {
    test(`${runner} runner, ${kind}: wakes for each record, closes once and ends when asked`, async () => {
      const { worker, send, controller, results } = start(runner, kind, NEVER_MS);
      const exit = once(worker, 'exit');
      let sum = 0;
      for (let i = 1; i <= 30; i++) {
        send(i);
        sum += i;
        const wanted = sum;
        await until(() => results[0] === wanted, `record ${i} of a sleeping thread`);
      }
      assert.equal(controller.state(), ThreadState.Running);
      controller.requestStop();
      assert.deepEqual(await exit, [0]);
      assert.equal(controller.state(), ThreadState.Stopped);
      assert.equal(results[2], 1);
    });
  }

  test(`${runner} runner: an idle thread beats at least every idleMsMax and hardly more often`, async () => {
    const { worker, controller, results } = start(runner, 'park', 20);
    await until(() => controller.heartbeat() > 0, 'the first beat');
    const beatsBefore = controller.heartbeat();
    const turnsBefore = results[1]!;
    const sinceNs = process.hrtime.bigint();
    await until(() => controller.heartbeat() - beatsBefore >= 10, 'ten more beats');
    const turns = results[1]! - turnsBefore;
    // However long they took: a thread that does not sleep makes a hundred turns a millisecond.
    const elapsedMs = Number(process.hrtime.bigint() - sinceNs) / 1e6;
    assert.ok(
      turns < 10 + elapsedMs,
      `it sleeps between the beats: ${turns} turns, ${elapsedMs} ms`,
    );
    controller.requestStop();
    await once(worker, 'exit');
  });

  test(`${runner} runner: an agent that throws is closed, marked failed, and its error told`, async () => {
    const { worker, send, controller, results } = start(runner, 'park', NEVER_MS, 13);
    const failure = once(worker, 'error');
    send(13);
    const [error] = (await failure) as [Error];
    assert.match(error.message, /poisoned/);
    assert.equal(controller.state(), ThreadState.Failed);
    assert.equal(results[2], 1);
  });
}

test('event-loop runner: a flood of records does not starve the timers of its thread', async () => {
  const { worker, send, controller, results } = start('event-loop', 'park', NEVER_MS);
  await until(() => results[1]! > 0, 'the first turn');
  const flood = setInterval(() => {
    for (let i = 0; i < 20; i++) send(1);
  }, 1);
  await until(() => results[3]! > 20, 'timers under load');
  clearInterval(flood);
  controller.requestStop();
  await once(worker, 'exit');
});

for (const runner of ['blocking', 'event-loop'] as const) {
  test(`${runner} runner: what was committed before the request to stop is worked off before the end`, async () => {
    const { worker, send, controller, results } = start(runner, 'park', NEVER_MS);
    const exit = once(worker, 'exit');
    for (let i = 0; i < 100; i++) send(1);
    controller.requestStop();
    assert.deepEqual(await exit, [0]);
    assert.equal(results[0], 100);
  });
}

test('event-loop runner: winds up once, works on meanwhile, and closes the agent only after that', async () => {
  const { worker, send, controller, results } = start('event-loop', 'park', NEVER_MS, -1, 5);
  const exit = once(worker, 'exit');
  await until(() => results[1]! > 0, 'the first turn');
  controller.requestStop();
  await until(() => results[4] === 1, 'the wind-up');
  send(5);
  await until(() => results[0] === 5, 'a record during the wind-up');
  assert.deepEqual(await exit, [0]);
  assert.deepEqual([results[4], results[6], results[2]], [1, 0, 1]);
});

for (const runner of ['blocking', 'event-loop'] as const) {
  test(`${runner} runner: no wake-up is lost, whatever the distance between records`, async () => {
    const { worker, send, controller, results } = start(runner, 'park', NEVER_MS);
    await until(() => results[1]! > 0, 'the first turn');
    const prng = new Prng(17);
    let sum = 0;
    for (let i = 1; i <= 12_000; i++) {
      send(i);
      sum += i;
      // Without a wake-up of its own this record would lie there until the next one is sent.
      const wanted = sum;
      for (let looks = 0; results[0] !== wanted && looks < 200_000; looks++) controller.heartbeat();
      if (results[0] !== wanted) await until(() => results[0] === wanted, `record ${i}`);
      // The other thread is now on its way to sleep: meet it at every step of that way.
      for (let pause = prng.nextInt(prng.chance(0.5) ? 60 : 1200); pause > 0; pause--)
        controller.heartbeat();
    }
    controller.requestStop();
    await once(worker, 'exit');
    assert.equal(results[0], sum);
  });
}
