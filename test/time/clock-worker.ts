/** Another thread's clock for the test of clocks: answers each question with its own reading. */
import { workerData } from 'node:worker_threads';
import { SystemClock } from '../../src/time/system-clock.js';

export interface ClockWork {
  readonly originMonotonicNs: bigint;
  /** Words: 0 question number, 1 answer number. Doubles from byte 8: the reading. */
  readonly shared: SharedArrayBuffer;
  readonly questions: number;
}

const work = workerData as ClockWork;
const words = new Int32Array(work.shared);
const reading = new Float64Array(work.shared, 8, 1);
const clock = new SystemClock(work.originMonotonicNs);

for (let question = 1; question <= work.questions; question++) {
  Atomics.wait(words, 0, question - 1);
  reading[0] = clock.nowNs();
  Atomics.store(words, 1, question);
}
