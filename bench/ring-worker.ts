/**
 * The other threads of the ring bench. What a thread does is said by its role:
 *   sum    adds up the first double of every record (throughput), says when it has seen them all
 *   relay  passes records from its ring to the next one (a hop in the middle)
 *   sink   writes down how long each record has been on its way (the last hop)
 *   post   the same jobs as sum and sink over postMessage, the rival; a relay where it has a next port
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { DoorbellRinger } from '../src/rings/doorbell.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { RingProducer } from '../src/rings/ring-producer.js';
import type { Agent } from '../src/runtime/agent.js';
import { AgentRunner } from '../src/runtime/agent-runner.js';
import { EventLoopRunner } from '../src/runtime/event-loop-runner.js';
import { createIdleStrategy } from '../src/runtime/idle-strategy.js';
import type { IdleName } from '../src/runtime/idle-strategy.js';
import { createThreadControl } from '../src/runtime/thread-control.js';
import { SystemClock } from '../src/time/system-clock.js';

export interface RingWork {
  readonly role: 'sum' | 'relay' | 'sink' | 'post';
  readonly idle: IdleName;
  /** True: on the thread's event loop, woken by Atomics.waitAsync; else in a blocking loop. */
  readonly onEventLoop: boolean;
  readonly input: SharedArrayBuffer;
  readonly inputBell: SharedArrayBuffer;
  /** post: where messages come from if not from the parent, and where they go on to. */
  readonly portIn?: MessagePort;
  readonly portOut?: MessagePort;
  /** relay: where to. */
  readonly output?: SharedArrayBuffer;
  readonly outputBell?: SharedArrayBuffer;
  /** Doubles: 0 records seen, 1 sum of their first doubles, from 2 on the latencies in ns (sink). */
  readonly results: SharedArrayBuffer;
  /** Word 0: records seen, stored with Atomics after the results. */
  readonly seen: SharedArrayBuffer;
  readonly originMonotonicNs: bigint;
}

const work = workerData as RingWork;
const clock = new SystemClock(work.originMonotonicNs);
const results = new Float64Array(work.results);
const seen = new Int32Array(work.seen);

abstract class RingAgent implements Agent {
  readonly name = 'bench';
  protected readonly input = new RingConsumer(work.input);
  doWork(): number {
    const count = this.input.poll(this, 256);
    if (count > 0) this.afterBatch(count);
    return count;
  }
  abstract onRecord(typeId: number, slot: number, payloadBytes: number): void;
  protected abstract afterBatch(count: number): void;
  onClose(): void {}
}

class SumAgent extends RingAgent {
  private count = 0;
  private sum = 0;
  onRecord(_typeId: number, slot: number): void {
    this.sum += this.input.doubles[slot]!;
  }
  protected afterBatch(count: number): void {
    this.count += count;
    results[1] = this.sum;
    Atomics.store(seen, 0, this.count);
  }
}

class SinkAgent extends RingAgent {
  private count = 0;
  private readonly now = new Float64Array(1);
  onRecord(_typeId: number, slot: number): void {
    clock.readInto(this.now, 0);
    results[2 + this.count++] = this.now[0]! - this.input.doubles[slot]!;
  }
  protected afterBatch(): void {
    Atomics.store(seen, 0, this.count);
  }
}

class RelayAgent extends RingAgent {
  private readonly output = new RingProducer(work.output!);
  private readonly bell = new DoorbellRinger(work.outputBell!);
  onRecord(typeId: number, slot: number, payloadBytes: number): void {
    const to = this.output.tryClaim(typeId, payloadBytes);
    if (to < 0) return;
    for (let i = 0; i < payloadBytes >>> 3; i++) {
      this.output.doubles[to + i] = this.input.doubles[slot + i]!;
    }
  }
  protected afterBatch(): void {
    this.output.commit();
    this.bell.ring();
  }
}

const port = parentPort!;
if (work.role === 'post') {
  let count = 0;
  let sum = 0;
  const { portIn = port, portOut } = work;
  portIn.on('message', (record: Float64Array) => {
    if (portOut !== undefined) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
      portOut.postMessage(record);
      return;
    }
    sum += record[0]!;
    if (2 + count < results.length) results[2 + count] = clock.nowNs() - record[0]!;
    count++;
    results[1] = sum;
    Atomics.store(seen, 0, count);
  });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
  port.postMessage('ready');
} else {
  const agents = { sum: SumAgent, sink: SinkAgent, relay: RelayAgent };
  const agent = new agents[work.role]();
  const control = createThreadControl();
  const { inputBell: doorbell, idle: idleName } = work;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
  port.postMessage('ready');
  // Ended by terminate: the bench has what it wants by then.
  if (work.onEventLoop) {
    await new EventLoopRunner({
      agent,
      clock,
      doorbell,
      control,
      idleKind: idleName,
      idleMsMax: 1000,
    }).run();
  } else {
    const idle = createIdleStrategy(idleName, { doorbell, idleMsMax: 1000 });
    new AgentRunner({ agent, clock, idle, control }).run();
  }
}
