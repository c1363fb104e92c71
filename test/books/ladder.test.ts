import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Ladder } from '../../src/books/ladder.js';
import { Prng } from '../../src/domain/prng.js';
import { Side } from '../../src/domain/side.js';
import { NaiveLadder } from '../support/naive-ladder.js';

function levelsOf(ladder: Ladder, side: Side, max = Infinity): [number, number][] {
  const wanted = Math.min(max, ladder.count(side));
  const target = new Float64Array(wanted * 2 + 3).fill(-7);
  const copied = ladder.copyLevels(side, wanted, target, 1);
  assert.equal(copied, wanted);
  assert.equal(target[0], -7, 'nothing is written before the place asked for');
  assert.equal(target[copied * 2 + 1], -7, 'nothing is written behind the last level');
  return Array.from({ length: copied }, (_, i) => [target[1 + 2 * i]!, target[2 + 2 * i]!]);
}

function assertEqualBooks(ladder: Ladder, naive: NaiveLadder): void {
  for (const side of [Side.Bid, Side.Ask]) {
    assert.equal(ladder.best(side), naive.best(side));
    assert.equal(ladder.count(side), naive.count(side));
    assert.equal(ladder.bestSize(side), naive.sizeAt(side, naive.best(side)));
    assert.deepEqual(levelsOf(ladder, side), naive.levels(side));
  }
}

/** Prices near a touch, far from it, absurdly far, off the tick; sizes small, zero, huge. */
function commandArbitrary(tick: number, touch: number): fc.Arbitrary<[Side, number, number]> {
  const price = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -40, max: 40 }).map((t) => touch + t * tick) },
    { weight: 4, arbitrary: fc.integer({ min: -900, max: 900 }).map((t) => touch + t * tick) },
    {
      weight: 3,
      arbitrary: fc.integer({ min: -60_000, max: 60_000 }).map((t) => touch + t * tick),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 31 }).map((t) => t * tick) },
    { weight: 1, arbitrary: fc.constantFrom(0, tick, Number.MAX_SAFE_INTEGER) },
  );
  const size = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 1000 }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 32, Number.MAX_SAFE_INTEGER) },
  );
  return fc.tuple(
    fc.constantFrom(Side.Bid, Side.Ask),
    price.map((p) => Math.max(0, p)),
    size,
  );
}

for (const [tick, known] of [
  [1, true],
  [10, true],
  [25, false],
  [7, false],
] as const) {
  const how = known ? 'known' : 'learned';
  test(`Ladder: equals its naive twin under any commands, tick ${tick} ${how}`, () => {
    fc.assert(
      fc.property(
        fc.array(commandArbitrary(tick, 600_000 * tick), { maxLength: 400, size: 'max' }),
        (commands) => {
          const ladder = new Ladder(known ? tick : 0);
          const naive = new NaiveLadder();
          for (const [side, price, size] of commands) {
            assert.equal(ladder.set(side, price, size), naive.set(side, price, size));
            assert.equal(ladder.best(side), naive.best(side));
            assert.equal(ladder.sizeAt(side, price), size);
          }
          assertEqualBooks(ladder, naive);
        },
      ),
      { numRuns: 150 },
    );
  });
}

test('Ladder: equals its twin over a long walk of the touch through windows of every size', () => {
  for (const seed of [1, 2, 3]) {
    const prng = new Prng(seed);
    const ladder = new Ladder(seed === 1 ? 0 : 10);
    const naive = new NaiveLadder();
    let touch = 1_000_000;
    for (let i = 0; i < 30_000; i++) {
      if (prng.chance(0.02)) touch += (prng.nextInt(2001) - 1000) * 10;
      if (prng.chance(0.0005)) touch += (prng.nextInt(2_000_001) - 1_000_000) * 10;
      touch = Math.max(0, touch);
      const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
      const spread = prng.chance(0.1) ? 40_000 : 300;
      const price = Math.max(0, touch + (side === Side.Bid ? -10 : 10) * prng.nextInt(spread));
      const size = prng.chance(0.45) ? 0 : 1 + prng.nextInt(1_000_000);
      assert.equal(
        ladder.set(side, price, size),
        naive.set(side, price, size),
        `seed ${seed} at ${i}`,
      );
      // Remove the best now and then, so that the touch sinks too.
      if (prng.chance(0.2) && ladder.best(side) >= 0) {
        const best = ladder.best(side);
        assert.equal(ladder.set(side, best, 0), naive.set(side, best, 0));
      }
      if (i % 500 === 0) assertEqualBooks(ladder, naive);
      if (i % 11_000 === 10_999) {
        ladder.clear();
        naive.clear();
      }
    }
    assertEqualBooks(ladder, naive);
  }
});

test('Ladder: the best is found again when a side is taken away level by level', () => {
  const ladder = new Ladder(1);
  const naive = new NaiveLadder();
  const prng = new Prng(9);
  for (let i = 0; i < 3000; i++) {
    const price = 1_000_000 - prng.nextInt(200_000);
    ladder.set(Side.Bid, price, i + 1);
    naive.set(Side.Bid, price, i + 1);
  }
  for (const [price, size] of naive.levels(Side.Bid)) {
    assert.equal(ladder.best(Side.Bid), price);
    assert.equal(ladder.bestSize(Side.Bid), size);
    assert.equal(ladder.set(Side.Bid, price, 0), size);
  }
  assert.equal(ladder.best(Side.Bid), -1);
  assert.equal(ladder.bestSize(Side.Bid), 0);
});

test('Ladder: the first levels of a copy are the best ones', () => {
  const ladder = new Ladder(0);
  for (const price of [500, 100, 90_000, 300]) ladder.set(Side.Ask, price, price / 100);
  assert.deepEqual(levelsOf(ladder, Side.Ask, 2), [
    [100, 1],
    [300, 3],
  ]);
  assert.deepEqual(levelsOf(ladder, Side.Ask), [
    [100, 1],
    [300, 3],
    [500, 5],
    [90_000, 900],
  ]);
});

test('Ladder: memory stays within its rule', () => {
  const within = (levelsASide: number, spreadTicks: number, bytesMax: number): void => {
    const prng = new Prng(4);
    const ladder = new Ladder(10);
    assert.ok(ladder.memoryBytes < 1024, 'an empty ladder takes next to nothing');
    for (let i = 0; i < 60_000; i++) {
      const side = prng.chance(0.5) ? Side.Bid : Side.Ask;
      const away = prng.nextInt(spreadTicks) * 10;
      const price = 1e9 + (side === Side.Bid ? -away : away + 10);
      if (ladder.sizeAt(side, price) > 0) ladder.set(side, price, 0);
      else if (ladder.count(side) < levelsASide) ladder.set(side, price, 1);
    }
    assert.ok(ladder.count(Side.Bid) > levelsASide * 0.4);
    assert.ok(ladder.memoryBytes <= bytesMax, `${levelsASide} levels take ${ladder.memoryBytes} B`);
  };
  within(50, 5_000_000, 40_000);
  within(1000, 2_000, 400_000);
  within(1000, 50_000_000, 400_000);
  within(5000, 10_000_000, 2_600_000);
});

test('Ladder: a price beyond 2^32 and a size beyond 2^32 are kept exactly', () => {
  const ladder = new Ladder(0);
  const naive = new NaiveLadder();
  const prices = [2 ** 53 - 1, 2 ** 52 + 1, 2 ** 32, 2 ** 32 - 1, 3, 0];
  prices.forEach((price, i) => {
    ladder.set(Side.Bid, price, 2 ** 53 - 1 - i);
    naive.set(Side.Bid, price, 2 ** 53 - 1 - i);
  });
  assertEqualBooks(ladder, naive);
});

test('Ladder: the window grows with the book, so that few levels are far', () => {
  const ladder = new Ladder(1);
  for (let i = 0; i < 1000; i++) ladder.set(Side.Bid, 1_000_000 - i * 8, 1);
  assert.equal(ladder.count(Side.Bid), 1000);
  assert.ok(ladder.farCount(Side.Bid) <= 1000 / 8, `${ladder.farCount(Side.Bid)} of 1,000 are far`);
});

test('Ladder: the window follows the touch down, so that what is near it is never far', () => {
  for (const side of [Side.Bid, Side.Ask]) {
    const ladder = new Ladder(1);
    const worse = side === Side.Bid ? -1 : 1;
    for (let i = 0; i < 40; i++) ladder.set(side, 1_000_000 + worse * i, 1);
    for (let i = 0; i < 5000; i++) {
      ladder.set(side, 1_000_000 + worse * i, 0);
      ladder.set(side, 1_000_000 + worse * (i + 40), 1);
      assert.equal(ladder.farCount(side), 0, `at step ${i}`);
    }
    assert.equal(ladder.count(side), 40);
  }
});
