/**
 * The long run of test/simulation/whole-node.test.ts: by hand or nightly, not by `npm test`.
 *
 *     npx tsc -p . && node dist/test/nightly/whole-node-soak.js [updates = 1e7] [seed = 1]
 *
 * Rounds on a clean and on a faulty line, each from a seed of its own, until so many book updates were
 * simulated. Exits 1 if any client was shown a Live book that is not the true one, met a hole, a wrong
 * hash or a refusal, or if a clean line made a book resync.
 */
import { BooksColumn } from '../../src/books/books-counters.js';
import { playWholeNode } from '../support/whole-node.js';

const [updatesWanted = 1e7, firstSeed = 1] = process.argv.slice(2).map(Number);
const ROUND_MS = 20_000;
const RATE = 10_000;

let updates = 0;
let compared = 0;
let failures = 0;
for (let round = 0; updates < updatesWanted; round++) {
  const seed = firstSeed + round;
  const faulty = round % 2 === 1;
  const { watchers, rig, views } = await playWholeNode({
    seed,
    faulty,
    milliseconds: ROUND_MS,
    rate: RATE,
    markets: 12,
  });
  updates += rig.simulated.venue.exchange.updatesCount;
  let wrong = rig.verdicts.different + views.different;
  if (!faulty) wrong += rig.sum(BooksColumn.Resyncs) + rig.sum(BooksColumn.Gaps);
  for (const { counts, hashes, errors } of Object.values(watchers)) {
    wrong += counts.different + counts.gaps + counts.mismatches + counts.heartbeatLosses;
    wrong += hashes.failed + errors.length;
    compared += counts.same;
  }
  rig.close();
  failures += wrong;
  const line = faulty ? 'faulty' : 'clean';
  console.log(
    `seed ${seed} ${line}: ${wrong === 0 ? 'ok' : `${wrong} FAILURES`}; ` +
      `${updates.toLocaleString('en')} updates, ${compared.toLocaleString('en')} Live books compared`,
  );
}
process.exitCode = failures === 0 ? 0 : 1;
