/**
 * How long it takes until another thread has seen a record, by each way in which the node's threads
 * wait: on the event loop by waitAsync, parked, and spinning. Real runners on a real worker, asleep
 * before each record. For `serve --explain`; blocks the calling thread for half a second. Cold.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createDoorbell, DoorbellRinger, DoorbellWaiter } from '../rings/doorbell.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createRing } from '../rings/ring-layout.js';
import { RingProducer } from '../rings/ring-producer.js';
import { createThreadControl, ThreadController, ThreadState } from '../runtime/thread-control.js';
import type { Clock } from '../time/clock.js';
import { quantileOf } from './calibration.js';

export type WakeWay = 'loop' | 'park' | 'spin';

export interface WakeCost {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly samples: number;
}

export type WakeCosts = Readonly<Record<WakeWay, WakeCost | null>>;

export interface WakeThreadData {
  readonly originMonotonicNs: bigint;
  readonly ways: readonly { readonly way: WakeWay; readonly control: SharedArrayBuffer }[];
  /** Records to the worker: when they were sent. */
  readonly ring: SharedArrayBuffer;
  readonly bell: SharedArrayBuffer;
  /** And back: how long they were under way. */
  readonly answers: SharedArrayBuffer;
  readonly answersBell: SharedArrayBuffer;
}

/** Type of the only record that these two rings carry. */
const WAKE_RECORD = 1;

const WAY_NS = 110e6;
const SAMPLES_MAX = 300;
/** Of all samples, so many of the first are not counted: code is cold. */
const WARM_SHARE = 0.2;
/** The system makes at least 0.08 ms of it; enough for the other thread to fall asleep. */
const PAUSE_MS = 0.1;
const ANSWER_MS_MAX = 100;
const RUNNING_LOOKS_MAX = 2_000;

/** @param ways `spin` only where a core is left for it: null for those not asked for */
export async function measureWakes(
  clock: Clock,
  originMonotonicNs: bigint,
  ways: readonly WakeWay[],
): Promise<WakeCosts> {
  const data: WakeThreadData = {
    originMonotonicNs,
    ways: ways.map((way) => ({ way, control: createThreadControl() })),
    ring: createRing(1_024),
    bell: createDoorbell(),
    answers: createRing(1_024),
    answersBell: createDoorbell(),
  };
  const worker = new Worker(new URL('./calibration-thread.js', import.meta.url), {
    name: 'calibration',
    workerData: data,
  });
  const costs: Record<WakeWay, WakeCost | null> = { loop: null, park: null, spin: null };
  try {
    await once(worker, 'message');
    const probe = new WakeProbe(clock, data);
    for (const { way, control } of data.ways) {
      const controller = new ThreadController(control, data.bell);
      costs[way] = probe.measure(controller);
      controller.requestStop();
    }
  } finally {
    await worker.terminate();
  }
  return costs;
}

class WakeProbe {
  private readonly clock: Clock;
  private readonly ring: RingProducer;
  private readonly bell: DoorbellRinger;
  private readonly answers: RingConsumer;
  private readonly answered: DoorbellWaiter;
  private readonly nobody = new DoorbellWaiter(createDoorbell());
  private latencies: number[] = [];

  constructor(clock: Clock, data: WakeThreadData) {
    this.clock = clock;
    this.ring = new RingProducer(data.ring);
    this.bell = new DoorbellRinger(data.bell);
    this.answers = new RingConsumer(data.answers);
    this.answered = new DoorbellWaiter(data.answersBell);
  }

  /** Null if the worker did not come up or answered too seldom to say anything. */
  measure(controller: ThreadController): WakeCost | null {
    for (let look = 0; controller.state() !== ThreadState.Running; look++) {
      if (look === RUNNING_LOOKS_MAX) return null;
      this.pause();
    }
    this.latencies = [];
    const untilNs = this.clock.nowNs() + WAY_NS;
    for (let i = 0; i < SAMPLES_MAX && this.clock.nowNs() < untilNs; i++) {
      this.pause();
      this.sendAndAwait();
    }
    const kept = this.latencies.slice(Math.floor(this.latencies.length * WARM_SHARE));
    if (kept.length === 0) return null;
    return {
      p50Ns: quantileOf(kept, 0.5),
      p99Ns: quantileOf(kept, 0.99),
      samples: kept.length,
    };
  }

  onRecord(_typeId: number, slot: number): void {
    this.latencies.push(this.answers.doubles[slot]!);
  }

  private sendAndAwait(): void {
    const slot = this.ring.tryClaim(WAKE_RECORD, 8);
    if (slot < 0) return;
    this.ring.doubles[slot] = this.clock.nowNs();
    this.ring.commit();
    this.bell.ring();
    this.answered.prepare();
    if (this.answers.isEmpty()) this.answered.wait(ANSWER_MS_MAX);
    else this.answered.cancel();
    this.answers.poll(this, SAMPLES_MAX);
  }

  private pause(): void {
    this.nobody.prepare();
    this.nobody.wait(PAUSE_MS);
  }
}
