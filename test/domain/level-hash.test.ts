import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import {
  BookHash,
  HASH_SEED_HIGH,
  HASH_SEED_LOW,
  hashText,
  levelHashLane,
} from '../../src/domain/level-hash.js';

const mantissa = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  fc.maxSafeNat(),
);

test('BookHash: equals the definition, level in and level out, under any changes', () => {
  const change = fc.tuple(fc.constantFrom(0, 1), mantissa, mantissa, mantissa);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 50 }), (changes) => {
      const hash = new BookHash();
      let low = 0;
      let high = 0;
      for (const [side, price, oldSize, newSize] of changes) {
        hash.change(side, price, oldSize, newSize);
        for (const size of [oldSize, newSize]) {
          if (size === 0) continue;
          low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
          high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
        }
      }
      assert.equal(hashText(hash.high, hash.low), hashText(high, low));
    }),
  );
});

test('BookHash: does not depend on the order in which the book came about', () => {
  const forth = new BookHash();
  const back = new BookHash();
  for (let i = 0; i < 50; i++) forth.change(i & 1, 1000 + i, 0, i + 1);
  for (let i = 49; i >= 0; i--) {
    back.change(i & 1, 1000 + i, 0, 7);
    back.change(i & 1, 1000 + i, 7, i + 1);
  }
  assert.equal(hashText(back.high, back.low), hashText(forth.high, forth.low));
  forth.clear();
  assert.equal(hashText(forth.high, forth.low), '0000000000000000');
});

test('BookHash: a level on the other side, price or size makes another hash', () => {
  const of = (side: number, price: number, size: number): string => {
    const hash = new BookHash();
    hash.change(side, price, 0, size);
    return hashText(hash.high, hash.low);
  };
  const hashes = [
    of(0, 100, 5),
    of(1, 100, 5),
    of(0, 5, 100),
    of(0, 100, 5 + 2 ** 32),
    of(0, 100 + 2 ** 32, 5),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});
