/** The supervisor as a machine: driven by hand on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Supervisor } from '../../src/node/supervisor.js';
import type { ThreadFactory } from '../../src/node/supervisor.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

class FakeThread implements ThreadFactory {
  readonly starts: number[] = [];
  beats = 0;
  kills = 0;
  waitedNs = 0;
  expendable = true;
  /** Lets a test hold back the end of a killed incarnation. */
  killing: Promise<void> = Promise.resolve();
  constructor(readonly name: string) {}
  start(generation: number) {
    this.starts.push(generation);
    return {
      heartbeat: () => this.beats,
      waitedNs: () => this.waitedNs,
      kill: () => {
        this.kills++;
        return this.killing;
      },
    };
  }
}

function supervise(...threads: FakeThread[]) {
  const clock = new VirtualClock();
  const said: string[] = [];
  const supervisor = new Supervisor({
    clock,
    factories: threads,
    hangNs: 150e6,
    giveUpHangNs: 2e9,
    warmUpNs: 0,
    warmUpHangNs: 1e9,
    startNsMax: 1e9,
    lookLateNsMax: 60e6,
    restartsMax: 3,
    restartWindowNs: 60e9,
    events: {
      onReplaced: (name, reason, _detail, restarts) =>
        said.push(`replaced ${name} ${reason} ${restarts}`),
      onRecovered: (name, tookNs) => said.push(`recovered ${name} ${tookNs / 1e6}`),
      onGivenUp: (name, reason) => said.push(`given up ${name} ${reason}`),
    },
  });
  supervisor.startAll();
  for (const thread of threads) supervisor.onReady(thread.name, 0);
  const look = (ms: number, beating: readonly FakeThread[]) => {
    for (let at = 0; at < ms; at += 15) {
      clock.advanceBy(15e6);
      for (const thread of beating) thread.beats++;
      supervisor.look();
    }
  };
  return { clock, said, supervisor, look };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('Supervisor: a thread that beats is left alone', async () => {
  const a = new FakeThread('a');
  const { said, look } = supervise(a);
  look(5_000, [a]);
  await settled();
  assert.deepEqual(said, []);
  assert.deepEqual(a.starts, [0]);
});

test('Supervisor: a thread whose heartbeat stands still is replaced, and only that one', async () => {
  const [a, b] = [new FakeThread('a'), new FakeThread('b')];
  const { said, look, supervisor } = supervise(a, b);
  look(300, [b]);
  await settled();
  supervisor.onReady('a', 1);
  assert.deepEqual(said.slice(0, 1), ['replaced a hung 1']);
  assert.deepEqual([a.starts, b.starts], [[0, 1], [0]]);
  assert.equal(a.kills, 1);
});

test('Supervisor: the new incarnation starts only when the old one is gone', async () => {
  const a = new FakeThread('a');
  let gone = (): void => {};
  a.killing = new Promise((resolve) => (gone = resolve));
  const { supervisor } = supervise(a);
  supervisor.onEnded('a', 0, 'out-of-memory', 'heap');
  await settled();
  assert.deepEqual(a.starts, [0]);
  gone();
  await settled();
  assert.deepEqual(a.starts, [0, 1]);
});

test('Supervisor: a look that comes late is no evidence of a hang', async () => {
  const a = new FakeThread('a');
  const { clock, said, supervisor } = supervise(a);
  for (let i = 0; i < 20; i++) {
    clock.advanceBy(500e6);
    supervisor.look();
  }
  await settled();
  assert.deepEqual(said, []);
});

test('Supervisor: the time to recover counts from the last sign of life', async () => {
  const a = new FakeThread('a');
  const { said, look, supervisor, clock } = supervise(a);
  look(30, [a]);
  look(150, []);
  await settled();
  clock.advanceBy(20e6);
  supervisor.onReady('a', 1);
  assert.deepEqual(said, ['replaced a hung 1', 'recovered a 170']);
});

test('Supervisor: a thread that keeps failing is given up when its budget is spent', async () => {
  const a = new FakeThread('a');
  const { said, supervisor } = supervise(a);
  for (let generation = 0; generation < 4; generation++) {
    supervisor.onReady('a', generation);
    supervisor.onEnded('a', generation, 'threw', 'boom');
    await settled();
  }
  assert.deepEqual(
    said.filter((line) => !line.startsWith('recovered')),
    ['replaced a threw 1', 'replaced a threw 2', 'replaced a threw 3', 'given up a threw'],
  );
  assert.equal(supervisor.alive('a'), false);
});

test('Supervisor: failures that lie far apart do not spend the budget', async () => {
  const a = new FakeThread('a');
  const { clock, said, supervisor } = supervise(a);
  for (let generation = 0; generation < 10; generation++) {
    supervisor.onReady('a', generation);
    clock.advanceBy(61e9);
    supervisor.look();
    supervisor.onEnded('a', generation, 'threw', 'boom');
    await settled();
  }
  assert.ok(!said.some((line) => line.startsWith('given up')));
});

test('Supervisor: a report of an earlier incarnation changes nothing', async () => {
  const a = new FakeThread('a');
  const { supervisor } = supervise(a);
  supervisor.onEnded('a', 0, 'threw', 'boom');
  await settled();
  supervisor.onReady('a', 1);
  supervisor.onEnded('a', 0, 'ended', 'late news');
  await settled();
  assert.deepEqual(a.starts, [0, 1]);
  assert.ok(supervisor.running('a'));
});

test('Supervisor: a thread that does not get ready in time is replaced', async () => {
  const a = new FakeThread('a');
  const { said, supervisor, look } = supervise(a);
  supervisor.onEnded('a', 0, 'threw', 'boom');
  await settled();
  look(1_100, [a]);
  await settled();
  assert.deepEqual(said, ['replaced a threw 1', 'replaced a slow-start 2']);
});

test('Supervisor: a thread that hangs and may not be ended by force is given up, but not early', async () => {
  const a = new FakeThread('a');
  a.expendable = false;
  const { said, look } = supervise(a);
  look(1_900, []);
  await settled();
  assert.deepEqual(said, []);
  look(300, []);
  await settled();
  assert.deepEqual(said, ['given up a hung']);
  assert.equal(a.kills, 0);
});

test('Supervisor: time without a core is no silence, but a hang beyond it is found', async () => {
  const a = new FakeThread('a');
  const { said, look } = supervise(a);
  look(30, [a]);
  for (let i = 0; i < 20; i++) {
    look(15, []);
    a.waitedNs += 14e6;
  }
  await settled();
  assert.deepEqual(said, []);
  look(165, []);
  await settled();
  assert.deepEqual(said, ['replaced a hung 1']);
});

test('Supervisor: once a stop has begun an end is an end', async () => {
  const a = new FakeThread('a');
  const { said, supervisor, look } = supervise(a);
  supervisor.beginStop();
  supervisor.onEnded('a', 0, 'ended', 'as asked');
  look(1_000, []);
  await settled();
  assert.deepEqual(said, []);
  assert.deepEqual(a.starts, [0]);
});
