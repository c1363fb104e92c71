/** The writing thread of the seqlock test: rows whose columns all follow from one number. */
import { parentPort, workerData } from 'node:worker_threads';
import { SeqlockWriter } from '../../src/rings/seqlock.js';

export interface SeqlockWork {
  readonly table: SharedArrayBuffer;
  readonly columns: number;
  readonly rows: number;
  /** Word 0: set by the reader when it has seen enough. */
  readonly stop: SharedArrayBuffer;
}

const work = workerData as SeqlockWork;
const writer = new SeqlockWriter(work.table, work.columns);
const stop = new Int32Array(work.stop);
const values = new Float64Array(work.columns);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort?.postMessage('ready');
for (let version = 1; Atomics.load(stop, 0) === 0; version++) {
  for (let column = 0; column < work.columns; column++) values[column] = version * (column + 1);
  writer.write(version % work.rows, values);
}
