/**
 * A thread for the runner tests: an agent that adds up the numbers of a ring into shared memory. The
 * work data names the runner, the idle strategy and how the agent is to misbehave.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { AgentRunner } from '../../src/runtime/agent-runner.js';
import type { Agent } from '../../src/runtime/agent.js';
import { EventLoopRunner } from '../../src/runtime/event-loop-runner.js';
import { createIdleStrategy } from '../../src/runtime/idle-strategy.js';
import type { IdleName } from '../../src/runtime/idle-strategy.js';
import { SystemClock } from '../../src/time/system-clock.js';

export interface RunnerWork {
  readonly runner: 'blocking' | 'event-loop';
  readonly kind: IdleName;
  readonly ring: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  /**
   * Doubles: 0 sum, 1 turns, 2 closed, 3 timer ticks of the thread's own event loop, 4 wind-ups,
   * 5 turns and 6 closings when the wind-up ended.
   */
  readonly results: SharedArrayBuffer;
  readonly idleMsMax: number;
  /** A number that the agent refuses with an error; -1 for none. */
  readonly poison: number;
  /** The wind-up lasts until the sum is this; 0 for none. */
  readonly windUpSum: number;
}

const work = workerData as RunnerWork;
const results = new Float64Array(work.results);
const ring = new RingConsumer(work.ring);

class SummingAgent implements Agent {
  readonly name = 'summing';
  doWork(): number {
    results[1] = results[1]! + 1;
    return ring.poll(this, 64);
  }
  onRecord(_typeId: number, slot: number): void {
    const value = ring.doubles[slot]!;
    if (value === work.poison) throw new Error('poisoned');
    results[0] = results[0]! + value;
  }
  onClose(): void {
    results[2] = results[2]! + 1;
  }
}

const agent = new SummingAgent();
const clock = new SystemClock(process.hrtime.bigint());
const { doorbell, control, idleMsMax, kind } = work;
if (work.runner === 'blocking') {
  const idle = createIdleStrategy(kind, { doorbell, idleMsMax });
  new AgentRunner({ agent, clock, idle, control }).run();
} else {
  const ticks = setInterval(() => {
    results[3] = results[3]! + 1;
  }, 2);
  ticks.unref();
  const windUp = async (): Promise<void> => {
    results[4] = results[4]! + 1;
    // Until the test has sent a record meanwhile and the agent has taken it.
    while (results[0]! < work.windUpSum) await sleep(2);
    results[5] = results[1]!;
    results[6] = results[2]!;
  };
  await new EventLoopRunner({
    agent,
    clock,
    doorbell,
    control,
    idleKind: kind,
    idleMsMax,
    windUp,
  }).run();
}
