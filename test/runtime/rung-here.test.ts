/** A runner on an event loop whose bell is rung by code of the same thread. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import type { Agent } from '../../src/runtime/agent.js';
import { EventLoopRunner } from '../../src/runtime/event-loop-runner.js';
import { createThreadControl } from '../../src/runtime/thread-control.js';
import { SystemClock } from '../../src/time/system-clock.js';

/** Takes everything in its tray at once; notes when it is called while it is at work. */
class Taker implements Agent {
  readonly name = 'taker';
  tray = 0;
  taken = 0;
  closed = 0;
  isReentered = false;
  /** Called in the middle of a turn. */
  inside: () => void = () => {};
  private isAtWork = false;

  doWork(): number {
    this.isReentered ||= this.isAtWork;
    this.isAtWork = true;
    const work = this.tray;
    this.tray = 0;
    this.taken += work;
    this.inside();
    this.isAtWork = false;
    return work;
  }

  onClose(): void {
    this.closed++;
  }
}

class Rig {
  readonly agent = new Taker();
  readonly bell: DoorbellRinger;
  readonly runner: EventLoopRunner;
  readonly ended: Promise<void>;
  private readonly word: Int32Array;

  constructor() {
    const doorbell = createDoorbell();
    this.word = new Int32Array(doorbell);
    this.bell = new DoorbellRinger(doorbell);
    this.runner = new EventLoopRunner({
      agent: this.agent,
      clock: new SystemClock(process.hrtime.bigint()),
      doorbell,
      control: createThreadControl(),
      idleMsMax: 1000,
    });
    this.ended = this.runner.run();
  }

  get isAsleep(): boolean {
    return this.word[0] === 1;
  }

  async sleep(): Promise<void> {
    while (!this.isAsleep) await nextTurn();
  }

  put(count: number): void {
    this.agent.tray += count;
    this.bell.ring();
  }
}

test('EventLoopRunner: what is rung on its own thread is worked off before the ring returns', async () => {
  const rig = new Rig();
  await rig.sleep();
  for (let round = 1; round <= 3; round++) {
    rig.put(1);
    assert.equal(rig.agent.taken, round);
    assert.ok(rig.isAsleep, 'and it sleeps again, without a turn of the loop');
  }
  rig.runner.stop();
  await rig.ended;
  assert.equal(rig.agent.closed, 1);
});

test('EventLoopRunner: what a turn rings itself is worked off in a turn of its own', async () => {
  const rig = new Rig();
  await rig.sleep();
  let puts = 3;
  // The second look of a turn finds the bell armed: this rings it from inside.
  rig.agent.inside = () => {
    if (rig.isAsleep && puts > 0) {
      puts--;
      rig.put(1);
    }
  };
  rig.put(1);
  while (rig.agent.taken < 4) await nextTurn();
  await rig.sleep();
  assert.equal(rig.agent.isReentered, false);
  rig.runner.stop();
  await rig.ended;
});

test('EventLoopRunner: an agent that throws in the callback that rang is closed after that callback', async () => {
  const rig = new Rig();
  await rig.sleep();
  rig.agent.inside = () => {
    throw new Error('poisoned');
  };
  rig.put(1);
  assert.equal(rig.agent.closed, 0);
  rig.put(1);
  await assert.rejects(rig.ended, /poisoned/);
  assert.deepEqual([rig.agent.closed, rig.agent.taken], [1, 1]);
});
