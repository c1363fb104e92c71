import assert from 'node:assert/strict';
import test from 'node:test';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import { chooseIdle, createIdleStrategy } from '../../src/runtime/idle-strategy.js';

const word = (doorbell: SharedArrayBuffer): number => new Int32Array(doorbell)[0]!;

test('chooseIdle: auto spins only if a core is left over, and always says why', () => {
  for (const [cores, threads, kind] of [
    [1, 3, 'park'],
    [2, 3, 'park'],
    [3, 3, 'park'],
    [4, 3, 'hybrid'],
    [8, 3, 'hybrid'],
    [8, 8, 'park'],
    [2, 1, 'hybrid'],
  ] as const) {
    const choice = chooseIdle('auto', cores, threads);
    assert.equal(choice.kind, kind, `${threads} threads on ${cores} cores`);
    assert.match(choice.reason, new RegExp(`^${kind}: .*${threads} hot threads on ${cores} cores`));
  }
  assert.deepEqual(chooseIdle('spin', 1, 9).kind, 'spin');
});

test('Park: the first idle turn announces sleep, the next one sleeps, and waking takes it back', () => {
  const doorbell = createDoorbell();
  const idle = createIdleStrategy('park', { doorbell, idleMsMax: 1 });
  idle.idle(0);
  assert.equal(word(doorbell), 1, 'announced, not yet asleep: the runner looks once more');
  idle.idle(0);
  assert.equal(word(doorbell), 0, 'slept until the time was over');
});

test('Park: a ring between the announcement and the sleep makes the sleep return at once', () => {
  const doorbell = createDoorbell();
  const idle = createIdleStrategy('park', { doorbell, idleMsMax: 600_000 });
  idle.idle(0);
  new DoorbellRinger(doorbell).ring();
  idle.idle(0);
  assert.equal(word(doorbell), 0);
});

test('Park: work found by the second look takes the announcement back', () => {
  const doorbell = createDoorbell();
  const idle = createIdleStrategy('park', { doorbell, idleMsMax: 600_000 });
  idle.idle(0);
  idle.idle(3);
  assert.equal(word(doorbell), 0);
  idle.idle(0);
  idle.close();
  assert.equal(word(doorbell), 0, 'and so does closing');
});

test('Hybrid: spins the given number of empty turns before it announces sleep', () => {
  const doorbell = createDoorbell();
  const idle = createIdleStrategy('hybrid', { doorbell, idleMsMax: 1, spinTurnsMax: 3 });
  for (const work of [0, 0, 5, 0, 0, 0]) {
    idle.idle(work);
    assert.equal(word(doorbell), 0);
  }
  idle.idle(0);
  assert.equal(word(doorbell), 1);
});

test('Spin: never touches the doorbell', () => {
  const doorbell = createDoorbell();
  const idle = createIdleStrategy('spin', { doorbell, idleMsMax: 1 });
  for (let i = 0; i < 10_000; i++) idle.idle(0);
  assert.equal(word(doorbell), 0);
});
