/** schemas/README.md is a contract: what it states in numbers is checked here. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { EventFlag } from '../../src/domain/event-flags.js';
import {
  BookHash,
  HASH_SEED_HIGH,
  HASH_SEED_LOW,
  hashText,
  levelHashLane,
} from '../../src/domain/level-hash.js';
import { BODY_SHAPES } from '../../src/wire/verifier.js';

const folder = join(import.meta.dirname, '..', '..', '..', 'schemas');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

/** The definition as the README writes it, in BigInt: slow, and independent of the hot code. */
function laneByTheBook(seed: bigint, side: bigint, price: bigint, size: bigint): bigint {
  const mask = 0xffffffffn;
  let h = seed ^ (((side + 1n) * 0x9e3779b1n) & mask);
  for (const w of [price & mask, price >> 32n, size & mask, size >> 32n]) {
    h = ((h ^ w) * 0x85ebca6bn) & mask;
    h ^= h >> 15n;
  }
  h = (h * 0xc2b2ae35n) & mask;
  return h ^ (h >> 13n);
}

test('schemas/README.md: each level of the worked example has the hash that it states', () => {
  const rows = [...readme.matchAll(/\| ([01]) \| (\d+) \| (\d+) \| `([0-9a-f]{16})` \|/g)];
  assert.equal(rows.length, 3);
  for (const [, side, price, size, hash] of rows) {
    const [sideNumber, priceNumber, sizeNumber] = [Number(side), Number(price), Number(size)];
    const high = levelHashLane(HASH_SEED_HIGH, sideNumber, priceNumber, sizeNumber);
    const low = levelHashLane(HASH_SEED_LOW, sideNumber, priceNumber, sizeNumber);
    assert.equal(hashText(high, low), hash);
    const wide = [BigInt(side!), BigInt(price!), BigInt(size!)] as const;
    const book = (laneByTheBook(0x85a308d3n, ...wide) << 32n) | laneByTheBook(0x243f6a88n, ...wide);
    assert.equal(book.toString(16).padStart(16, '0'), hash);
  }
});

test('schemas/README.md: the book of the worked example goes through the hashes that it states', () => {
  const [, both, decimal] = /first two has hash `([0-9a-f]{16})` \((\d+) in decimal\)/.exec(
    readme,
  )!;
  const changed = /becomes 0\.500, it is `([0-9a-f]{16})`/.exec(readme)![1];
  const removed = /ask is removed, `([0-9a-f]{16})`/.exec(readme)![1];
  const hash = new BookHash();
  hash.change(0, 6165970, 0, 1486);
  hash.change(1, 6165980, 0, 981);
  assert.equal(hashText(hash.high, hash.low), both);
  assert.equal(BigInt(`0x${both}`), BigInt(decimal!));
  hash.change(0, 6165970, 1486, 500);
  assert.equal(hashText(hash.high, hash.low), changed);
  hash.change(1, 6165980, 981, 0);
  assert.equal(hashText(hash.high, hash.low), removed);
});

test('schemas/README.md: names every body and every flag with its value', () => {
  for (const shape of BODY_SHAPES) {
    if (shape !== null) assert.match(readme, new RegExp(`\`${shape.name}\``));
  }
  for (const [name, bit] of Object.entries(EventFlag)) {
    assert.match(readme, new RegExp(`${bit} \`${name}\``));
  }
});
