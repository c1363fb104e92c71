/**
 * The exchange changes tick sizes while the whole node runs, in one thread on a virtual clock: books go
 * Suspect where a price does not fit, are taken anew at the new scale, and no client is ever shown a Live
 * book, best or trade that is not true.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { Trading } from '../../src/domain/definition.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { DefinitionReader } from '../../src/rings/definition-table.js';
import { PipelineRig } from '../support/pipeline-rig.js';
import type { PipelineOptions } from '../support/pipeline-rig.js';
import { playWholeNode } from '../support/whole-node.js';

const SEED = Number(process.env['RINGSIDE_TEST_SEED'] ?? 2026);
const ETH = 1;

function rigOf(options: Partial<PipelineOptions> = {}): PipelineRig {
  return new PipelineRig({
    seed: SEED,
    depthInterval: '0ms',
    shards: 2,
    unlimitedRest: true,
    instrumentsEveryMs: 0,
    ...options,
    simulator: {
      seed: SEED,
      ratePerSecond: 2_000,
      markets: 4,
      truthWindow: 1 << 14,
      dialect: { restWeightMax: 1e9 },
      ...options.simulator,
    },
  });
}

/** The instrument as it is now. */
function now(rig: PipelineRig, id: number): Instrument {
  return new DefinitionReader(rig.definitions).read(rig.instruments[id]!);
}

function assertTrue(rig: PipelineRig, leastSame: number): void {
  const { same, different, unknown, examples } = rig.verdicts;
  assert.deepEqual([different, unknown], [0, 0], `seed ${SEED}: ${examples.join('; ')}`);
  assert.ok(same >= leastSame, `${same} Live states were compared`);
}

for (const [depthInterval, leastSame] of [
  ['0ms', 500],
  ['100ms', 50],
] as const) {
  test(`A finer tick, depth@${depthInterval}: Suspect, asked at once, Live again at the new scale, the others untouched`, async () => {
    const rig = rigOf({ depthInterval });
    await rig.untilLive(5_000);
    const told: string[] = [];
    rig.onState = (id, state, reason) => told.push(`${id} ${state} ${reason}`);
    rig.simulated.venue.retick('ETHUSDT', true);
    await rig.run(3_000, () => now(rig, ETH).priceDecimals === 3);
    assert.deepEqual([now(rig, ETH).priceDecimals, now(rig, ETH).tickSize], [3, 1]);
    await rig.untilLive(5_000);
    await rig.run(1_000);
    assertTrue(rig, leastSame);
    assert.deepEqual(
      new Set(told.map((line) => line.split(' ')[0])),
      new Set([String(ETH)]),
      told.join(', '),
    );
    // Or the best price or a trade was first not to fit, and the definition came before the next depth.
    const { PrecisionLost, InstrumentChanged } = StateReason;
    const reasons = [PrecisionLost, InstrumentChanged].map(
      (why) => `${ETH} ${BookState.Suspect} ${why}`,
    );
    assert.ok(reasons.includes(told[0]!), told[0]);
    assert.equal(told.at(-1), `${ETH} ${BookState.Live} ${StateReason.Aligned}`);
    assert.equal(rig.counters.get(ETH, BooksColumn.Redefinitions), 1);
    assert.equal(rig.liveCount, 4);
    assert.match(
      rig.redefinitions.join('\n'),
      /^instrument.redefined binance-futures:ETHUSDT is tick 0.001, lot 0.001, 3 and 3 decimals/,
    );
    rig.close();
  });
}

test('A tick that changes within the scale costs no resync, and is told all the same', async () => {
  const rig = rigOf({ instrumentsEveryMs: 1_000 });
  await rig.untilLive(5_000);
  let changes = 0;
  rig.onState = () => changes++;
  // BTCUSDT ticks by 0.10 and writes two decimals.
  rig.simulated.venue.retick('BTCUSDT', true);
  await rig.run(2_000);
  assert.equal(now(rig, 0).tickSize, 1);
  rig.simulated.venue.retick('BTCUSDT', false);
  rig.simulated.venue.halt('SOLUSDT', 'SETTLING');
  await rig.run(2_000);
  assert.deepEqual([now(rig, 0).tickSize, now(rig, 0).priceDecimals], [10, 2]);
  assert.equal(now(rig, 2).trading, Trading.Halted);
  rig.simulated.venue.halt('SOLUSDT', undefined);
  await rig.run(2_000);
  assert.equal(now(rig, 2).trading, Trading.Trading);
  assert.equal(changes, 0, 'no book left Live');
  assert.equal(rig.sum(BooksColumn.Resyncs), 0);
  assert.equal(rig.sum(BooksColumn.Redefinitions), 4);
  assertTrue(rig, 2_000);
  rig.close();
});

test('A tick that goes back stays within the scale: orders off the new grid are no fault', async () => {
  const rig = rigOf({ instrumentsEveryMs: 500 });
  await rig.untilLive(5_000);
  rig.simulated.venue.retick('ETHUSDT', true);
  await rig.run(3_000, () => now(rig, ETH).priceDecimals === 3);
  await rig.untilLive(5_000);
  const resyncs = rig.sum(BooksColumn.Resyncs);
  rig.simulated.venue.retick('ETHUSDT', false);
  await rig.run(1_500);
  assert.deepEqual([now(rig, ETH).priceDecimals, now(rig, ETH).tickSize], [3, 10]);
  rig.simulated.venue.retick('ETHUSDT', true);
  await rig.run(1_500);
  assert.equal(now(rig, ETH).tickSize, 1);
  assert.equal(rig.sum(BooksColumn.Resyncs), resyncs);
  assertTrue(rig, 1_000);
  rig.close();
});

test('A venue that refuses to say keeps its book Suspect, is not stormed, and mends it when it speaks', async () => {
  const rig = rigOf();
  await rig.untilLive(5_000);
  rig.simulated.venue.setFaults({ refuse429: 1 });
  rig.simulated.venue.retick('ETHUSDT', true);
  const before = rig.simulated.venue.counters.refused429;
  await rig.run(20_000);
  assert.equal(rig.stateOf(ETH), BookState.Suspect);
  assert.equal(rig.liveCount, 3);
  const refused = rig.simulated.venue.counters.refused429 - before;
  assert.ok(refused >= 1 && refused < 30, `${refused} requests in twenty seconds of refusals`);
  rig.simulated.venue.setFaults({ refuse429: 0 });
  await rig.untilLive(60_000);
  assert.equal(now(rig, ETH).priceDecimals, 3);
  assertTrue(rig, 500);
  rig.close();
});

test('Whole node, ticks changing under every fault: no client sees an untrue Live book, and scales travel in-band', async (t) => {
  const { watchers, rig } = await playWholeNode({
    seed: SEED,
    faulty: true,
    retick: 0.3,
    milliseconds: 6_000,
  });
  const told = `seed ${SEED}`;
  assert.equal(rig.verdicts.different, 0, `${told}: ${rig.verdicts.examples.join('; ')}`);
  assert.ok(rig.simulated.venue.counters.reticks > 4);
  assert.ok(rig.sum(BooksColumn.Redefinitions) > 2);
  for (const [name, watcher] of Object.entries(watchers)) {
    const { counts, hashes, errors } = watcher;
    assert.deepEqual(errors, [], `${told}: ${name}`);
    assert.equal(counts.different, 0, `${told}: ${name} was shown an untrue book`);
    assert.equal(counts.gaps, 0, `${told}: ${name} met a hole in a stream`);
    assert.equal(counts.mismatches, 0, `${told}: ${name} met a wrong hash`);
    assert.equal(hashes.failed, 0);
    t.diagnostic(`${name}: ${JSON.stringify(counts)}`);
  }
  const { lossless } = watchers;
  assert.ok(
    lossless.scales.size > rig.instruments.length,
    'best prices came at more than one scale',
  );
  assert.equal(lossless.wrongPrices, 0, 'a best price or a trade at the wrong scale');
  assert.ok(lossless.pricesCompared > 500);
  rig.close();
});
