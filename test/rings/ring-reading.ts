/** The reading side of the two-thread ring tests: blocks its thread, so run it in a worker or alone. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DoorbellWaiter, createDoorbell } from '../../src/rings/doorbell.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import type { RecordHandler } from '../../src/rings/ring-consumer.js';
import { createRing, recordBytesMax } from '../../src/rings/ring-layout.js';
import { RingTraffic } from './ring-traffic.js';
import type { WriterResult, WriterWork } from './ring-writer-worker.js';

/** A bell that did not ring for this long while a record was waiting was lost. */
const LOST_MS = 3000;
/** A writer that is silent for as many sleeps is dead: its error cannot reach a thread that blocks. */
const SILENCES_MAX = 3;

export interface TrafficPlan {
  readonly capacityWords: number;
  readonly firstPosition: number;
  readonly count: number;
  readonly seed: number;
  readonly batchMax: number;
  readonly pauseChance: number;
  /** Empty looks before the reader sleeps: a wake-up costs 50 µs, and a tiny ring runs dry often. */
  readonly spinLooks: number;
  readonly progress?: (records: number) => void;
}

export interface TrafficOutcome {
  readonly records: number;
  readonly sleeps: number;
  readonly lostWakeUps: number;
  readonly readerChecksum: number;
  readonly writer: WriterResult;
}

class Reader implements RecordHandler {
  readonly consumer: RingConsumer;
  readonly traffic: RingTraffic;
  records = 0;

  constructor(consumer: RingConsumer, traffic: RingTraffic) {
    this.consumer = consumer;
    this.traffic = traffic;
  }

  onRecord(typeId: number, slot: number, payloadBytes: number): void {
    const problem = this.traffic.check(this.consumer.doubles, slot, payloadBytes, typeId);
    if (problem !== null) throw new Error(problem);
    this.records++;
  }
}

/** Sends `count` records from a worker to this thread and checks every one of them. */
export async function runTraffic(plan: TrafficPlan): Promise<TrafficOutcome> {
  const ring = createRing(plan.capacityWords, plan.firstPosition);
  const doorbell = createDoorbell();
  const doublesMax = Math.min(64, recordBytesMax(plan.capacityWords) / 8);
  const workerData: WriterWork = { ...pick(plan), ring, doorbell, doublesMax };
  const worker = new Worker(new URL('./ring-writer-worker.js', import.meta.url), { workerData });
  // Its modules are loaded by then: a thread that is still loading may need this one, which blocks.
  await once(worker, 'message');
  const finished = once(worker, 'message') as Promise<[WriterResult]>;
  const exit = once(worker, 'exit');

  const reader = new Reader(new RingConsumer(ring), new RingTraffic(plan.seed, doublesMax));
  const waiter = new DoorbellWaiter(doorbell);
  let sleeps = 0;
  let lostWakeUps = 0;
  let reported = 0;
  let silences = 0;
  let looks = 0;
  while (reader.records < plan.count) {
    if (reader.consumer.poll(reader, 1 + (reader.records % 50)) > 0) {
      if (plan.progress !== undefined && reader.records - reported >= 10_000_000) {
        reported = reader.records;
        plan.progress(reported);
      }
      looks = 0;
      continue;
    }
    if (looks++ < plan.spinLooks) continue;
    looks = 0;
    waiter.prepare();
    if (!reader.consumer.isEmpty()) {
      waiter.cancel();
      continue;
    }
    sleeps++;
    if (waiter.wait(LOST_MS)) continue;
    if (!reader.consumer.isEmpty()) lostWakeUps++;
    else if (++silences >= SILENCES_MAX) throw new Error('the writing thread has fallen silent');
  }
  const [writer] = await finished;
  await exit;
  return {
    records: reader.records,
    sleeps,
    lostWakeUps,
    readerChecksum: reader.traffic.checksum,
    writer,
  };
}

function pick(plan: TrafficPlan): Pick<WriterWork, 'count' | 'seed' | 'batchMax' | 'pauseChance'> {
  const { count, seed, batchMax, pauseChance } = plan;
  return { count, seed, batchMax, pauseChance };
}
