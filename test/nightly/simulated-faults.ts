/**
 * The long run of test/simulation/simulated-faults.test.ts: run by hand or nightly, not by `npm
 * test`.
 *
 *     npx tsc -p . && node dist/test/nightly/simulated-faults.js [updates = 1e7] [seed = 1]
 *
 * Rounds of a clean line and of faulty ones, each with a seed of its own, over depth@0ms and
 * depth@100ms, until so many book updates were simulated. Every Live state published is held
 * against the true book. Exits 1 if one differs, if a clean line resyncs, or if the books do not
 * come back.
 */
import { BooksColumn } from '../../src/books/books-counters.js';
import type { FaultSettings } from '../../src/simulator/fault-settings.js';
import { NO_FAULTS } from '../../src/simulator/fault-settings.js';
import { PipelineRig } from '../support/pipeline-rig.js';

const [updatesWanted = 1e7, firstSeed = 1] = process.argv.slice(2).map(Number);

interface Round {
  readonly name: string;
  readonly depthInterval: '0ms' | '100ms';
  readonly faults: Partial<FaultSettings>;
}

const ONE_PERCENT: Partial<FaultSettings> = {
  drop: 0.01,
  duplicate: 0.01,
  reorder: 0.01,
  corrupt: 0.01,
  disconnect: 0.01,
  stall: 0.01,
  stallMs: 500,
  staleSnapshot: 0.01,
  lateSnapshot: 0.01,
  lateSnapshotMs: 1000,
  refuse429: 0.01,
};
/** So rare that books are Live nearly all the time: more of their states are compared. */
const RARE: Partial<FaultSettings> = {
  ...ONE_PERCENT,
  drop: 0.0003,
  duplicate: 0.01,
  reorder: 0.0003,
  corrupt: 0.0003,
};

const ROUNDS: readonly Round[] = [
  { name: 'clean @0ms', depthInterval: '0ms', faults: {} },
  { name: '1 % @0ms', depthInterval: '0ms', faults: ONE_PERCENT },
  { name: 'rare @0ms', depthInterval: '0ms', faults: RARE },
  { name: 'clean @100ms', depthInterval: '100ms', faults: {} },
  { name: '1 % @100ms', depthInterval: '100ms', faults: ONE_PERCENT },
];
const UPDATES_PER_ROUND = Math.min(500_000, Math.ceil(updatesWanted / ROUNDS.length));
const RATE = 20_000;
const MARKETS = 24;

async function play(round: Round, seed: number) {
  const rig = new PipelineRig({
    seed,
    depthInterval: round.depthInterval,
    shards: 2,
    unlimitedRest: true,
    simulator: {
      seed,
      ratePerSecond: RATE,
      markets: MARKETS,
      truthWindow: 1 << 15,
      dialect: { restWeightMax: 1e9, staleSnapshotAgeMs: 1000 },
    },
  });
  const { exchange, counters } = rig.simulated.venue;
  await rig.untilLive(10_000);
  rig.simulated.venue.setFaults(round.faults);
  await rig.run((UPDATES_PER_ROUND / RATE) * 1000);
  rig.simulated.venue.setFaults(NO_FAULTS);
  await rig.untilLive(60_000);
  await rig.run(200);
  const outcome = {
    round: round.name,
    seed,
    updates: exchange.updatesCount,
    frames: counters.frames,
    ...rig.verdicts,
    gaps: rig.sum(BooksColumn.Gaps),
    resyncs: rig.sum(BooksColumn.Resyncs),
    crossed: rig.sum(BooksColumn.Crossed),
    tickersChecked: rig.sum(BooksColumn.Checked),
    tickersFailed: rig.sum(BooksColumn.Failed),
    dropped: counters.dropped,
    duplicated: counters.duplicated,
    reordered: counters.reordered,
    corrupted: counters.corrupted,
    stalls: counters.stalls,
    disconnects: counters.disconnects,
  };
  rig.close();
  const clean = Object.keys(round.faults).length === 0;
  const ok =
    outcome.different === 0 &&
    outcome.unknown === 0 &&
    outcome.tickersFailed === 0 &&
    (clean ? outcome.resyncs === 0 && outcome.gaps === 0 : outcome.resyncs > 0);
  return { ...outcome, ok };
}

let updates = 0;
let compared = 0;
let resyncs = 0;
let failed = 0;
const started = performance.now();
for (let n = 0; updates < updatesWanted; n++) {
  const outcome = await play(ROUNDS[n % ROUNDS.length]!, firstSeed + n);
  updates += outcome.updates;
  compared += outcome.same + outcome.different;
  resyncs += outcome.resyncs;
  if (!outcome.ok) failed++;
  console.error(JSON.stringify(outcome));
}
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ ok: failed === 0, updates, compared, resyncs, failed, seconds }));
process.exit(failed === 0 ? 0 : 1);
