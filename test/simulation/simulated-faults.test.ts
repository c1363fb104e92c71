/**
 * Exchange, ingest, rings and books as one, from one seed: every Live state that is published is
 * held against the true book, on a clean line and under every fault. The long run of the same is
 * test/nightly/simulated-faults.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { PipelineRig } from '../support/pipeline-rig.js';
import type { PipelineOptions } from '../support/pipeline-rig.js';

const SEED = Number(process.env['RINGSIDE_TEST_SEED'] ?? 2026);

function rigOf(
  options: Partial<PipelineOptions> & { rate?: number; markets?: number } = {},
): PipelineRig {
  const { rate = 5000, markets = 8 } = options;
  return new PipelineRig({
    seed: SEED,
    depthInterval: '0ms',
    shards: 2,
    unlimitedRest: true,
    ...options,
    simulator: {
      seed: SEED,
      ratePerSecond: rate,
      markets,
      truthWindow: 1 << 14,
      dialect: { restWeightMax: 1e9, staleSnapshotAgeMs: 500 },
      ...options.simulator,
    },
  });
}

function assertTrue(rig: PipelineRig, leastSame: number): void {
  const { same, different, unknown, examples } = rig.verdicts;
  assert.equal(different, 0, `seed ${SEED}: ${examples.join('; ')}`);
  assert.equal(unknown, 0, `seed ${SEED}: ${examples.join('; ')}`);
  assert.ok(same >= leastSame, `${same} Live states were compared`);
}

for (const [depthInterval, leastSame] of [
  ['0ms', 5000],
  ['100ms', 500],
  ['250ms', 300],
  ['500ms', 150],
] as const) {
  test(`A clean line, depth@${depthInterval}: all books Live, all true, no resync`, async () => {
    const rig = rigOf({ depthInterval, markets: 24 });
    await rig.untilLive(5000);
    await rig.run(1500);
    assertTrue(rig, leastSame);
    assert.equal(rig.liveCount, 24);
    const columns = ['Gaps', 'Resyncs', 'Crossed', 'TradeGaps', 'Failed'] as const;
    for (const name of columns) assert.equal(rig.sum(BooksColumn[name]), 0, name);
    assert.ok(rig.sum(BooksColumn.Passed) > 20, 'bookTicker agrees with the books');
    assert.ok(rig.sum(BooksColumn.Trades) > 50);
    rig.close();
  });
}

for (const depthInterval of ['0ms', '100ms'] as const) {
  test(`Under every fault at 1 %, depth@${depthInterval}: no Live book is untrue`, async () => {
    const rate = depthInterval === '0ms' ? 2000 : 10_000;
    const rig = rigOf({ depthInterval, rate });
    await rig.untilLive(5000);
    rig.simulated.venue.setFaults({
      drop: 0.01,
      duplicate: 0.01,
      reorder: 0.01,
      corrupt: 0.01,
      disconnect: 0.05,
      stall: 0.05,
      stallMs: 300,
      staleSnapshot: 0.1,
      lateSnapshot: 0.1,
      lateSnapshotMs: 400,
      refuse429: 0.05,
    });
    await rig.run(12_000);
    assertTrue(rig, 400);
    const { counters } = rig.simulated.venue;
    for (const name of ['dropped', 'duplicated', 'reordered', 'corrupted'] as const) {
      assert.ok(counters[name] > 10, name);
    }
    assert.ok(rig.sum(BooksColumn.Gaps) > 10);
    assert.ok(rig.sum(BooksColumn.Resyncs) > 10);
    rig.simulated.venue.setFaults({
      drop: 0,
      duplicate: 0,
      reorder: 0,
      corrupt: 0,
      disconnect: 0,
      stall: 0,
      staleSnapshot: 0,
      lateSnapshot: 0,
      refuse429: 0,
    });
    await rig.untilLive(20_000);
    assertTrue(rig, 400);
    rig.close();
  });
}

for (const kind of ['drop', 'corrupt', 'reorder'] as const) {
  test(`Every depth frame lost to "${kind}" is noticed, and only its book resyncs`, async () => {
    const rig = rigOf({ rate: 3000 });
    await rig.untilLive(5000);
    const left = new Set<number>();
    rig.onState = (id, state) => {
      if (state !== BookState.Live) left.add(id);
    };
    let harmless = 0;
    for (let trial = 0; trial < 16; trial++) {
      const id = trial % rig.instruments.length;
      left.clear();
      const resyncsBefore = rig.sum(BooksColumn.Resyncs);
      rig.simulated.venue.orderFault(kind, 1, id, Channel.Book);
      await rig.run(400, () => left.size > 0);
      if (left.size === 0) {
        // A bit may have flipped where nobody needs it, e.g. in the name of the stream.
        assert.equal(kind, 'corrupt', `trial ${trial}: the book left Live`);
        harmless++;
        continue;
      }
      await rig.untilLive(6000);
      assert.deepEqual([...left], [id], 'the others went on');
      assert.equal(rig.sum(BooksColumn.Resyncs), resyncsBefore + 1);
    }
    assert.ok(harmless < 8);
    assertTrue(rig, 1000);
    rig.close();
  });
}

test('A duplicated frame changes nothing and costs no resync', async () => {
  const rig = rigOf();
  await rig.untilLive(5000);
  rig.simulated.venue.setFaults({ duplicate: 0.2 });
  await rig.run(1000);
  assertTrue(rig, 1000);
  assert.ok(rig.simulated.venue.counters.duplicated > 500);
  assert.ok(rig.sum(BooksColumn.Stale) > 100);
  assert.equal(rig.sum(BooksColumn.Resyncs), 0);
  assert.equal(rig.liveCount, rig.instruments.length);
  rig.close();
});

test('When every connection is cut no book stays Live, and all come back', async () => {
  const rig = rigOf();
  await rig.untilLive(5000);
  rig.simulated.venue.disconnectAll();
  await rig.run(3);
  assert.equal(rig.liveCount, 0);
  await rig.untilLive(20_000);
  assertTrue(rig, 100);
  rig.close();
});

test('A half-open connection is noticed, and all books come back', async () => {
  const rig = rigOf({ rate: 500 });
  await rig.untilLive(5000);
  rig.simulated.venue.stallAll(0);
  await rig.run(60_000, () => rig.liveCount === 0);
  assert.equal(rig.liveCount, 0, 'silence made them Stale');
  await rig.untilLive(60_000);
  await rig.run(500);
  assertTrue(rig, 100);
  rig.close();
});

test('Connections are replaced before the venue ends them, without a gap or a resync', async () => {
  const rig = rigOf({
    rate: 200,
    markets: 3,
    depthInterval: '100ms',
    lifetimeMs: 40_000,
    limits: { lifetimeMarginMs: 2000, overlapMsMax: 10_000, overlapRetryMs: 10_000 },
    simulator: { dialect: { lifetimeMs: 50_000 } },
  });
  await rig.untilLive(10_000);
  await rig.run(130_000);
  assert.ok(rig.simulated.venue.sessionsOpened >= 8, 'two connections, four times');
  assert.equal(rig.simulated.venue.sessionsCount, 2);
  assert.equal(rig.sum(BooksColumn.Resyncs), 0);
  assert.equal(rig.sum(BooksColumn.Gaps), 0);
  assert.equal(rig.liveCount, 3);
  assertTrue(rig, 2000);
  rig.close();
});

test("More instruments than a minute's REST budget: all Live in time, never refused", async () => {
  const rig = rigOf({
    rate: 800,
    markets: 150,
    depthInterval: '100ms',
    unlimitedRest: false,
    simulator: { truthWindow: 1 << 10, dialect: {} },
  });
  await rig.untilLive(150_000);
  const { refused429, refused418 } = rig.simulated.venue.counters;
  assert.deepEqual([refused429, refused418], [0, 0]);
  assert.equal(rig.simulated.venue.dialect.refusalsCount, 0);
  assert.equal(rig.sum(BooksColumn.Resyncs), 0);
  assertTrue(rig, 1000);
  rig.close();
});
