/**
 * The ring between threads: records a second and one-way latency, against postMessage. Throughput is
 * timed from the first record to the moment the other thread has seen the last. Latency is open loop:
 * records are due at fixed times and each is timed from when it was due, so that a stall counts.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import { invariant } from '../src/faults/invariant.js';
import { DoorbellRinger, createDoorbell } from '../src/rings/doorbell.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { RING_FULL, RingProducer } from '../src/rings/ring-producer.js';
import type { IdleName } from '../src/runtime/idle-strategy.js';
import { SystemClock } from '../src/time/system-clock.js';
import { defineBench, measure, median, row } from './harness.js';
import type { BenchRow } from './harness.js';
import type { RingWork } from './ring-worker.js';

const PART = 'Ring';
const CAPACITY_WORDS = 1 << 18;
const PAYLOAD_DOUBLES = 8;
const ROUNDS = 5;
const RATE_PER_SECOND = 10_000;
const LATENCY_RECORDS = 10_000;

const originMonotonicNs = process.hrtime.bigint();
const clock = new SystemClock(originMonotonicNs);

class Hop {
  readonly ring = createRing(CAPACITY_WORDS);
  readonly bell = createDoorbell();
}

interface Rig {
  readonly producer: RingProducer;
  readonly ringer: DoorbellRinger;
  readonly post: (record: Float64Array) => void;
  readonly seen: () => number;
  readonly results: Float64Array;
  stop(): Promise<void>;
}

/** This thread, then `threads - 1` workers in a row, all but the last of them relays. */
async function rig(
  last: 'sum' | 'sink',
  idle: IdleName,
  threads: number,
  records: number,
  onEventLoop = false,
): Promise<Rig> {
  const hops = Array.from({ length: threads - 1 }, () => new Hop());
  const results = new SharedArrayBuffer((2 + records) * 8);
  const seenWords = new SharedArrayBuffer(4);
  const workers: Worker[] = [];
  for (const [index, hop] of hops.entries()) {
    const next = hops[index + 1];
    const workerData: RingWork = {
      role: next === undefined ? last : 'relay',
      idle,
      onEventLoop,
      input: hop.ring,
      inputBell: hop.bell,
      ...(next === undefined ? {} : { output: next.ring, outputBell: next.bell }),
      results,
      seen: seenWords,
      originMonotonicNs,
    };
    const worker = new Worker(new URL('./ring-worker.js', import.meta.url), { workerData });
    await once(worker, 'message');
    workers.push(worker);
  }
  return rigOf(hops[0]!, workers, seenWords, results);
}

function rigOf(
  first: Hop,
  workers: readonly Worker[],
  seenWords: SharedArrayBuffer,
  results: SharedArrayBuffer,
): Rig {
  const seen = new Int32Array(seenWords);
  return {
    producer: new RingProducer(first.ring),
    ringer: new DoorbellRinger(first.bell),
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    post: (record) => workers[0]!.postMessage(record),
    seen: () => Atomics.load(seen, 0),
    results: new Float64Array(results),
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Puts one record; waits for room by publishing what is there. */
function put(producer: RingProducer, ringer: DoorbellRinger, value: number): void {
  let slot = producer.tryClaim(1, PAYLOAD_DOUBLES * 8);
  while (slot === RING_FULL) {
    producer.commit();
    ringer.ring();
    slot = producer.tryClaim(1, PAYLOAD_DOUBLES * 8);
  }
  const { doubles } = producer;
  for (let i = 0; i < PAYLOAD_DOUBLES; i++) doubles[slot + i] = value + i;
}

function waitFor(rigged: Rig, count: number): void {
  while (rigged.seen() !== count);
}

/** Millions of records a second through the ring, committed every `batch`. */
function ringRound(rigged: Rig, count: number, batch: number): number {
  const { producer, ringer } = rigged;
  const before = rigged.seen();
  const sumBefore = rigged.results[1]!;
  const startedNs = clock.nowNs();
  for (let i = 1; i <= count; i++) {
    put(producer, ringer, i);
    if (i % batch === 0) {
      producer.commit();
      ringer.ring();
    }
  }
  producer.commit();
  ringer.ring();
  waitFor(rigged, before + count);
  const tookNs = clock.nowNs() - startedNs;
  checkSum(rigged, sumBefore, count);
  return (count / tookNs) * 1000;
}

function postRound(rigged: Rig, count: number): number {
  const before = rigged.seen();
  const sumBefore = rigged.results[1]!;
  const record = new Float64Array(PAYLOAD_DOUBLES);
  const startedNs = clock.nowNs();
  for (let i = 1; i <= count; i++) {
    record.fill(i);
    rigged.post(record);
  }
  waitFor(rigged, before + count);
  const tookNs = clock.nowNs() - startedNs;
  checkSum(rigged, sumBefore, count);
  return (count / tookNs) * 1000;
}

function checkSum(rigged: Rig, sumBefore: number, count: number): void {
  invariant(
    rigged.results[1]! - sumBefore === (count * (count + 1)) / 2,
    'every record arrived whole',
  );
}

async function throughput(): Promise<BenchRow[]> {
  // hybrid: it must not spin beside the rival's thread while that one is measured.
  const ring = await rig('sum', 'hybrid', 2, 0);
  const post = await postRig(2, 0);
  const batches = [1, 16, 64] as const;
  const rates: number[][] = batches.map(() => []);
  const postRates: number[] = [];
  batches.forEach((batch) => ringRound(ring, 500_000, batch));
  postRound(post, 20_000);
  for (let round = 0; round < ROUNDS; round++) {
    batches.forEach((batch, index) => rates[index]!.push(ringRound(ring, 1_000_000, batch)));
    postRates.push(postRound(post, 40_000));
  }
  await ring.stop();
  await post.stop();
  return batches.map((batch, index) =>
    row({
      part: PART,
      case: batch === 1 ? '64 B, committed one by one' : `64 B, committed every ${batch}`,
      unit: 'M records/s',
      ours: median(rates[index]!),
      rival: 'postMessage',
      rivalNs: median(postRates),
      higherIsBetter: true,
    }),
  );
}

/** Both ends in one thread: what a record costs the two together, without the traffic between cores. */
async function oneThread(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const batch of [1, 16, 64]) {
    const { ring, bell } = new Hop();
    const producer = new RingProducer(ring);
    const consumer = new RingConsumer(ring);
    const ringer = new DoorbellRinger(bell);
    let sum = 0;
    const handler = {
      onRecord(_typeId: number, slot: number): void {
        sum += consumer.doubles[slot]!;
      },
    };
    const records = 16 * 1024;
    rows.push(
      ...(await measure({
        part: PART,
        case: `64 B, one thread, commit and poll every ${batch}`,
        unit: 'ns/record',
        operations: records,
        rivals: [],
        ours: () => {
          sum = 0;
          for (let i = 1; i <= records; i++) {
            put(producer, ringer, i);
            if (i % batch === 0) {
              producer.commit();
              ringer.ring();
              consumer.poll(handler, batch);
            }
          }
          return sum;
        },
      })),
    );
  }
  return rows;
}

/** Sorted latencies in ns of LATENCY_RECORDS records, one every 1 / RATE_PER_SECOND. */
function latencyRound(rigged: Rig, send: (dueNs: number) => void): Float64Array {
  const stepNs = 1e9 / RATE_PER_SECOND;
  let dueNs = clock.nowNs() + 5e6;
  for (let i = 0; i < LATENCY_RECORDS; i++) {
    while (clock.nowNs() < dueNs);
    send(dueNs);
    dueNs += stepNs;
  }
  waitFor(rigged, LATENCY_RECORDS);
  // The first tenth warms the code up.
  return rigged.results.slice(2 + LATENCY_RECORDS / 10).sort();
}

async function ringLatency(
  idle: IdleName,
  threads: number,
  onEventLoop: boolean,
): Promise<Float64Array> {
  const rigged = await rig('sink', idle, threads, LATENCY_RECORDS, onEventLoop);
  const { producer, ringer } = rigged;
  const sorted = latencyRound(rigged, (dueNs) => {
    const slot = producer.tryClaim(1, PAYLOAD_DOUBLES * 8);
    invariant(slot >= 0, 'the ring has room at this rate');
    producer.doubles[slot] = dueNs;
    producer.commit();
    ringer.ring();
  });
  await rigged.stop();
  return sorted;
}

/** The same row of threads over postMessage: between workers a channel of their own. */
async function postLatency(threads: number): Promise<Float64Array> {
  const rigged = await postRig(threads, LATENCY_RECORDS);
  const record = new Float64Array(PAYLOAD_DOUBLES);
  const sorted = latencyRound(rigged, (dueNs) => {
    record[0] = dueNs;
    rigged.post(record);
  });
  await rigged.stop();
  return sorted;
}

async function postRig(threads: number, records: number): Promise<Rig> {
  const hop = new Hop();
  const results = new SharedArrayBuffer((2 + records) * 8);
  const seenWords = new SharedArrayBuffer(4);
  const channels = Array.from({ length: threads - 2 }, () => new MessageChannel());
  const workers: Worker[] = [];
  for (let index = 0; index < threads - 1; index++) {
    const portIn = channels[index - 1]?.port2;
    const portOut = channels[index]?.port1;
    const workerData: RingWork = {
      role: 'post',
      idle: 'park',
      onEventLoop: true,
      input: hop.ring,
      inputBell: hop.bell,
      ...(portIn === undefined ? {} : { portIn }),
      ...(portOut === undefined ? {} : { portOut }),
      results,
      seen: seenWords,
      originMonotonicNs,
    };
    const transferList = [portIn, portOut].filter((port) => port !== undefined);
    const worker = new Worker(new URL('./ring-worker.js', import.meta.url), {
      workerData,
      transferList,
    });
    await once(worker, 'message');
    workers.push(worker);
  }
  return rigOf(hop, workers, seenWords, results);
}

const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))]!;

async function latency(): Promise<BenchRow[]> {
  const cores = availableParallelism();
  const rows: BenchRow[] = [];
  for (const [idle, threads, where] of [
    ['spin', 2, ''],
    ['park', 2, ''],
    ['hybrid', 2, ''],
    ['park', 2, ', event loop'],
    ['spin', 3, ''],
    ['park', 3, ''],
    ['spin', 4, ''],
    ['park', 4, ''],
  ] as const) {
    const sorted = await ringLatency(idle, threads, where !== '');
    const posted = await postLatency(threads);
    for (const q of [0.5, 0.99, 0.999]) {
      rows.push(
        row({
          part: PART,
          case: `one way, ${threads} threads, ${idle}${where}, p${q * 100}`,
          unit: 'µs',
          ours: quantile(sorted, q) / 1000,
          rival: 'postMessage',
          rivalNs: quantile(posted, q) / 1000,
          note:
            threads > cores && idle === 'spin'
              ? `more spinning threads than the ${cores} cores`
              : '',
        }),
      );
    }
  }
  return rows;
}

export default defineBench({
  part: PART,
  mix: `records of 64 bytes; latency open loop at ${RATE_PER_SECOND / 1000} k/s, this thread spins on the clock to be on time; threads in a row, the middle ones relay`,
  async run() {
    return [...(await oneThread()), ...(await throughput()), ...(await latency())];
  },
});
