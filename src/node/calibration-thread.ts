/**
 * The other thread of the calibration: waits for records in one way after the other, each until it
 * is asked to stop, and answers how long every record was under way. A shell.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../faults/invariant.js';
import { DoorbellRinger } from '../rings/doorbell.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { RingProducer } from '../rings/ring-producer.js';
import type { Agent } from '../runtime/agent.js';
import { AgentRunner } from '../runtime/agent-runner.js';
import { EventLoopRunner } from '../runtime/event-loop-runner.js';
import { createIdleStrategy } from '../runtime/idle-strategy.js';
import { SystemClock } from '../time/system-clock.js';
import type { WakeThreadData } from './calibration-wake.js';
import { LIMITS } from './limits.js';

const data = workerData as WakeThreadData;
const clock = new SystemClock(data.originMonotonicNs);
const { idleMsMax } = LIMITS;

class AnsweringAgent implements Agent {
  readonly name = 'calibration';
  private readonly ring = new RingConsumer(data.ring);
  private readonly answers = new RingProducer(data.answers);
  private readonly bell = new DoorbellRinger(data.answersBell);

  doWork(): number {
    return this.ring.poll(this, 1);
  }

  onRecord(typeId: number, slot: number): void {
    const tookNs = clock.nowNs() - this.ring.doubles[slot]!;
    const answer = this.answers.tryClaim(typeId, 8);
    if (answer < 0) return;
    this.answers.doubles[answer] = tookNs;
    this.answers.commit();
    this.bell.ring();
  }

  onClose(): void {}
}

const agent = new AnsweringAgent();
invariant(parentPort !== null, 'this file is the entry of a worker');
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort.postMessage('here');
for (const { way, control } of data.ways) {
  const { bell: doorbell } = data;
  if (way === 'loop') {
    await new EventLoopRunner({ agent, clock, doorbell, control, idleMsMax }).run();
  } else {
    const idle = createIdleStrategy(way, { doorbell, idleMsMax });
    new AgentRunner({ agent, clock, idle, control }).run();
  }
}
