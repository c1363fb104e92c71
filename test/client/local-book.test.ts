import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { LocalBook } from '../../src/client/local-book.js';
import {
  HASH_SEED_HIGH,
  HASH_SEED_LOW,
  hashText,
  levelHashLane,
} from '../../src/domain/level-hash.js';
import { Side } from '../../src/domain/side.js';

/** The naive twin: a map a side, sorted when asked. */
class NaiveBook {
  readonly sides = [new Map<number, number>(), new Map<number, number>()] as const;

  set(side: Side, price: number, size: number): void {
    if (size === 0) this.sides[side].delete(price);
    else this.sides[side].set(price, size);
  }

  levels(side: Side): [number, number][] {
    const sign = side === Side.Bid ? -1 : 1;
    return [...this.sides[side]].sort((a, b) => sign * (a[0] - b[0]));
  }

  get hash(): string {
    let low = 0;
    let high = 0;
    for (const side of [Side.Bid, Side.Ask]) {
      for (const [price, size] of this.sides[side]) {
        low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
        high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
      }
    }
    return hashText(high, low);
  }
}

const levelChange = fc.record({
  side: fc.constantFrom(Side.Bid, Side.Ask),
  price: fc.oneof(fc.nat(40), fc.nat(300), fc.integer({ min: 2 ** 40, max: 2 ** 52 })),
  size: fc.oneof(fc.constant(0), fc.nat(9), fc.integer({ min: 2 ** 33, max: 2 ** 52 })),
});

test('LocalBook: equals a naive map of levels, hash included, after any changes', () => {
  fc.assert(
    fc.property(fc.array(levelChange, { maxLength: 400 }), (changes) => {
      const book = new LocalBook();
      const naive = new NaiveBook();
      for (const { side, price, size } of changes) {
        book.set(side, price, size);
        naive.set(side, price, size);
      }
      for (const side of [Side.Bid, Side.Ask]) {
        const levels = book.levels(side).map((level) => [level.price, level.size]);
        assert.deepEqual(levels, naive.levels(side));
        assert.equal(book.best(side)?.price ?? null, naive.levels(side)[0]?.[0] ?? null);
      }
      assert.equal(book.hash, naive.hash);
    }),
    { numRuns: 300 },
  );
});

test('LocalBook: a delta array is read as bids first, size 0 removes', () => {
  const book = new LocalBook();
  book.apply(Float64Array.of(100, 5, 99, 4, 101, 7, 102, 8), 2, 2);
  book.apply(Float64Array.of(100, 0, 101, 3), 1, 1);
  assert.deepEqual(
    book.levels(Side.Bid).map((l) => [l.price, l.size]),
    [[99, 4]],
  );
  assert.deepEqual(
    book.levels(Side.Ask).map((l) => [l.price, l.size]),
    [
      [101, 3],
      [102, 8],
    ],
  );
  assert.equal(book.spread, 2);
});

test('LocalBook: decimal text has exactly the decimals of the instrument', () => {
  const book = new LocalBook();
  book.priceDecimals = 2;
  book.sizeDecimals = 3;
  book.set(Side.Bid, 6165970, 1486);
  assert.deepEqual(JSON.parse(JSON.stringify(book.bestBid)), ['61659.70', '1.486']);
  assert.equal(book.bestAsk, null);
  assert.equal(book.spread, null);
});

test('LocalBook: a depth curve sums sizes from the best outward', () => {
  const book = new LocalBook();
  book.apply(Float64Array.of(100, 5, 99, 4, 98, 1), 3, 0);
  const { prices, sizesSummed } = book.depthCurve(Side.Bid, 2);
  assert.deepEqual([...prices], [100, 99]);
  assert.deepEqual([...sizesSummed], [5, 9]);
});

test('LocalBook: an emptied book has the hash of nothing', () => {
  const book = new LocalBook();
  book.apply(Float64Array.of(100, 5, 101, 7), 1, 1);
  assert.notEqual(book.hash, '0000000000000000');
  book.set(Side.Bid, 100, 0);
  book.set(Side.Ask, 101, 0);
  assert.equal(book.hash, '0000000000000000');
  book.set(Side.Ask, 101, 9);
  book.clear();
  assert.equal(book.hash, '0000000000000000');
  assert.equal(book.asks.sizeOf(101), 0);
});
