/**
 * The writing thread of the two-thread ring tests and of the soak: sends `count` records in batches
 * of random length, some of them claimed too long and made shorter, some claimed and aborted.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Prng } from '../../src/domain/prng.js';
import { DoorbellRinger } from '../../src/rings/doorbell.js';
import { RING_FULL, RingProducer } from '../../src/rings/ring-producer.js';
import { RingTraffic } from './ring-traffic.js';

export interface WriterWork {
  readonly ring: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  readonly count: number;
  readonly seed: number;
  readonly doublesMax: number;
  readonly batchMax: number;
  /** Chance that the writer pauses after a batch, so that the reader runs dry and sleeps. */
  readonly pauseChance: number;
}

export interface WriterResult {
  readonly checksum: number;
  readonly aborted: number;
  readonly fullCount: number;
}

const work = workerData as WriterWork;
const ring = new RingProducer(work.ring);
const bell = new DoorbellRinger(work.doorbell);
const traffic = new RingTraffic(work.seed, work.doublesMax);
const chance = new Prng(work.seed + 1);
const pauseWord = new Int32Array(new SharedArrayBuffer(4));
let aborted = 0;
let fullCount = 0;

/** Waits for room: a few looks, then a real sleep, so that a busy machine can run the reader. */
function claim(typeId: number, bytes: number): number {
  for (let tries = 1; ; tries++) {
    const slot = ring.tryClaim(typeId, bytes);
    if (slot !== RING_FULL) return slot;
    fullCount++;
    ring.commit();
    bell.ring();
    if (tries % 2048 === 0) Atomics.wait(pauseWord, 0, 0, 1);
  }
}

function send(): void {
  const doubles = traffic.nextDoubles();
  const typeId = traffic.typeId(doubles);
  const longer = chance.chance(0.1) ? work.doublesMax : doubles;
  const slot = claim(typeId, longer * 8);
  if (slot < 0) throw new Error(`claim refused: ${slot}`);
  if (longer !== doubles) ring.shrinkLast(doubles * 8);
  traffic.fill(ring.doubles, slot, doubles);
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort?.postMessage('ready');
for (let sent = 0; sent < work.count;) {
  const batch = Math.min(work.count - sent, 1 + chance.nextInt(work.batchMax));
  for (let i = 0; i < batch; i++) send();
  ring.commit();
  bell.ring();
  sent += batch;
  if (chance.chance(0.01) && ring.tryClaim(999, 8) >= 0) {
    aborted++;
    ring.abort();
  }
  if (chance.chance(work.pauseChance)) Atomics.wait(pauseWord, 0, 0, chance.nextFloat());
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort?.postMessage({ checksum: traffic.checksum, aborted, fullCount } satisfies WriterResult);
