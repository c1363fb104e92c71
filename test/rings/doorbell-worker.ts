/** The sleeping thread of the doorbell test: takes tokens that the other thread puts, sleeps between. */
import { parentPort, workerData } from 'node:worker_threads';
import { DoorbellWaiter } from '../../src/rings/doorbell.js';

export interface DoorbellWork {
  readonly doorbell: SharedArrayBuffer;
  /** Words: 0 tokens put, 1 tokens taken, 2 sleeps, 3 wake-ups lost. */
  readonly words: SharedArrayBuffer;
  readonly tokens: number;
}

/** No machine keeps a thread waiting so long; a wake-up that is lost ends only then. */
const LOST_MS = 20_000;
const work = workerData as DoorbellWork;
const words = new Int32Array(work.words);
const bell = new DoorbellWaiter(work.doorbell);

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort?.postMessage('ready');
for (let taken = 0; taken < work.tokens;) {
  if (Atomics.load(words, 0) > taken) {
    taken++;
    Atomics.store(words, 1, taken);
    continue;
  }
  bell.prepare();
  if (Atomics.load(words, 0) > taken) {
    bell.cancel();
    continue;
  }
  Atomics.add(words, 2, 1);
  if (!bell.wait(LOST_MS)) Atomics.add(words, 3, 1);
}
