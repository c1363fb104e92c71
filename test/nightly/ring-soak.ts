/**
 * Soak of the ring between two threads: run by hand or nightly, not by `npm test`.
 *
 *     npx tsc -p . && node dist/test/nightly/ring-soak.js [records = 1e8] [capacityWords = 4096] [seed = 1]
 *
 * Both threads make the same records up from the seed; every record is compared whole and a running
 * checksum over all of them at the end. Positions start just below 2^32 and go round many times.
 * Exits 1 on any difference or lost wake-up.
 */
import { runTraffic } from '../rings/ring-reading.js';

const [count = 1e8, capacityWords = 4096, seed = 1] = process.argv.slice(2).map(Number);
const started = performance.now();
const outcome = await runTraffic({
  capacityWords,
  firstPosition: 2 ** 32 - 2 * capacityWords,
  count,
  seed,
  batchMax: 64,
  pauseChance: 0.00001,
  spinLooks: 200,
  progress: (records) => console.error(`${(records / 1e6).toFixed(0)} M records`),
});
const seconds = (performance.now() - started) / 1000;
const ok = outcome.readerChecksum === outcome.writer.checksum && outcome.lostWakeUps === 0;
console.log(
  JSON.stringify({
    ok,
    ...outcome,
    capacityWords,
    seed,
    seconds: Math.round(seconds * 10) / 10,
    millionPerSecond: Math.round(outcome.records / seconds / 1e4) / 100,
  }),
);
process.exit(ok ? 0 : 1);
