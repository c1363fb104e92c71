/** The ring between two real threads: every record whole, in order, once; no wake-up lost. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { runTraffic } from './ring-reading.js';

const SEED = Number(process.env['RINGSIDE_SEED'] ?? 41);

for (const [capacityWords, firstPosition, count, batchMax, pauseChance, spinLooks] of [
  [65536, 2 ** 32 - 2_000_000, 1_200_000, 64, 0.0001, 0],
  [256, 2 ** 31 - 10_000, 60_000, 8, 0.001, 500],
  [16, 2 ** 32 - 1_000, 15_000, 1, 0.004, 500],
] as const) {
  test(`Ring: ${count} records through ${capacityWords} words from position ${firstPosition} arrive whole (seed ${SEED})`, async () => {
    const plan = {
      capacityWords,
      firstPosition,
      count,
      seed: SEED,
      batchMax,
      pauseChance,
      spinLooks,
    };
    const outcome = await runTraffic(plan);
    assert.equal(outcome.records, count);
    assert.equal(outcome.readerChecksum, outcome.writer.checksum);
    assert.equal(outcome.lostWakeUps, 0);
    assert.ok(outcome.sleeps > 0, 'the reader slept');
    assert.ok(outcome.writer.aborted > 0, 'some claims were aborted');
    if (capacityWords < 1000) assert.ok(outcome.writer.fullCount > 0, 'the ring was full at times');
  });
}
