import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { RateLimit, budgetOf, createRateLimitState } from '../../src/ingest/rate-limit.js';

const MS = 1e6;
const SHARE = 0.8;

interface Taken {
  readonly atNs: number;
  readonly weight: number;
}

/** The greatest sum of weight in any closed window of `windowNs`, by trying every start. */
function worstWindow(taken: readonly Taken[], windowNs: number): number {
  let worst = 0;
  let sum = 0;
  let from = 0;
  for (const { atNs, weight } of taken) {
    sum += weight;
    while (atNs - taken[from]!.atNs > windowNs) sum -= taken[from++]!.weight;
    worst = Math.max(worst, sum);
  }
  return worst;
}

const limits = fc.record({
  count: fc.integer({ min: 2, max: 300 }),
  perMs: fc.integer({ min: 10, max: 10_000 }),
  burst: fc.double({ min: 0.1, max: 1, noNaN: true }),
});

/** Pauses between calls, from none to several windows, and weights. */
const calls = fc.array(
  fc.record({
    pauseMs: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 0, max: 15_000, noNaN: true }),
    ),
    weight: fc.integer({ min: 1, max: 60 }),
    obey: fc.boolean(),
  }),
  { maxLength: 400, size: 'max' },
);

test('RateLimit: no window ever holds more than 80 % of the limit, whatever the schedule', () => {
  fc.assert(
    fc.property(limits, calls, ({ count, perMs, burst }, schedule) => {
      const limit = new RateLimit({ count, perMs }, SHARE, burst);
      const taken: Taken[] = [];
      let nowNs = 0;
      for (const { pauseMs, weight, obey } of schedule) {
        nowNs += pauseMs * MS;
        let waitNs = limit.tryTake(weight, nowNs);
        if (waitNs > 0 && obey && waitNs !== Infinity) {
          nowNs += waitNs;
          waitNs = limit.tryTake(weight, nowNs);
        }
        if (waitNs === 0) taken.push({ atNs: nowNs, weight });
      }
      assert.ok(
        worstWindow(taken, perMs * MS) <= count * SHARE || budgetOf({ count, perMs }, SHARE) === 1,
      );
    }),
    { numRuns: 2_000 },
  );
});

test('RateLimit: a caller that obeys the waits gets through, and none is longer than a window', () => {
  fc.assert(
    fc.property(limits, calls, ({ count, perMs, burst }, schedule) => {
      const limit = new RateLimit({ count, perMs }, SHARE, burst);
      let nowNs = 0;
      for (const { weight } of schedule) {
        let tries = 0;
        for (;;) {
          const waitNs = limit.tryTake(weight, nowNs);
          if (waitNs === 0) break;
          if (weight > limit.budget) {
            assert.equal(waitNs, Infinity);
            break;
          }
          assert.ok(waitNs <= perMs * MS + 2, `waits ${waitNs}`);
          nowNs += waitNs;
          assert.ok(++tries < 20, 'a wait ends');
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('RateLimit: a caller always asking uses most of the budget', () => {
  const limit = new RateLimit({ count: 1_000, perMs: 60_000 }, SHARE, 0.5);
  let used = 0;
  const endNs = 10 * 60_000 * MS;
  for (let nowNs = 0; nowNs < endNs; nowNs += 10 * MS)
    if (limit.tryTake(10, nowNs) === 0) used += 10;
  assert.ok(used > 0.95 * 800 * 10, `used ${used} of 8000`);
});

test('RateLimit: a burst is bounded, the rest comes evenly', () => {
  const limit = new RateLimit({ count: 100, perMs: 1_000 }, SHARE, 0.5);
  let burst = 0;
  while (limit.tryTake(1, 0) === 0) burst++;
  assert.equal(burst, 40);
  assert.ok(limit.tryTake(1, 0) <= 12.5 * MS);
});

test('RateLimit: a successor on the same state goes on where a crashed one stopped', () => {
  const venue = { count: 10, perMs: 60_000 };
  const state = createRateLimitState(venue, SHARE);
  const taken: Taken[] = [];
  // A crash loop: each life takes what it can, then dies.
  for (let life = 0; life < 200; life++) {
    const limit = new RateLimit(venue, SHARE, 1, state);
    const nowNs = life * 1_500 * MS;
    while (limit.tryTake(1, nowNs) === 0) taken.push({ atNs: nowNs, weight: 1 });
  }
  assert.equal(worstWindow(taken, 60_000 * MS), 8);
});

test('RateLimit: what a process spent is remembered by the next one', () => {
  const venue = { count: 10, perMs: 60_000 };
  const before = new RateLimit(venue, SHARE, 1);
  for (let i = 0; i < 8; i++) before.tryTake(1, i * 1_000 * MS);
  const spent = before.spent(10_000 * MS, (ns) => ns / MS + 5e12);
  const after = new RateLimit(venue, SHARE, 1);
  after.restore(spent, 0, (unixMs) => (unixMs - 5e12 - 10_000) * MS);
  assert.equal(after.usedWeight(0), 8);
  assert.ok(after.tryTake(1, 0) > 49_000 * MS);
});

test('RateLimit: a stored state that is wrong cannot break it', () => {
  const limit = new RateLimit({ count: 10, perMs: 60_000 }, SHARE, 1);
  const wild = [
    { unixMs: NaN, weight: 3 },
    { unixMs: 1e15, weight: 3 },
    { unixMs: 0, weight: -5 },
    { unixMs: 0, weight: 1e9 },
    { unixMs: 0, weight: NaN },
  ];
  limit.restore(wild, 0, (ms) => ms);
  assert.ok(limit.usedWeight(0) <= limit.budget);
  assert.equal(limit.tryTake(1, 61_000 * MS), 0);
});

test('RateLimit: a pause holds everything back, and only as long as asked', () => {
  const limit = new RateLimit({ count: 10, perMs: 1_000 }, SHARE, 1);
  limit.pauseUntil(5_000 * MS);
  limit.pauseUntil(2_000 * MS);
  assert.equal(limit.tryTake(1, 0), 5_000 * MS);
  assert.equal(limit.tryTake(1, 5_000 * MS), 0);
});

test('RateLimit: use that only the venue knows of is entered as spent', () => {
  const limit = new RateLimit({ count: 100, perMs: 1_000 }, SHARE, 1);
  limit.tryTake(10, 0);
  limit.noteUsed(75, 0);
  assert.equal(limit.usedWeight(0), 75);
  assert.ok(limit.tryTake(6, 0) > 0);
  limit.noteUsed(50, 0);
  assert.equal(limit.usedWeight(0), 75, 'less than known is no news');
});
