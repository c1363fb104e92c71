import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { KeyedRecords } from '../../src/domain/keyed-records.js';

const OWN_WORD = 7;

/** Records with the owner's last word as their value, beside a Map. */
class Pair {
  readonly records = new KeyedRecords(1);
  readonly twin = new Map<number, number>();
  private readonly key = new Float64Array(3);

  find(key: number): number {
    this.key[1] = key;
    return this.records.find(this.key, 1);
  }

  set(key: number, value: number): void {
    let slot = this.find(key);
    assert.equal(slot >= 0, this.twin.has(key));
    if (slot < 0) slot = this.records.insertMissed(this.key, 1);
    this.records.words[8 * slot + OWN_WORD] = value;
    this.twin.set(key, value);
  }

  remove(key: number): void {
    const slot = this.find(key);
    assert.equal(slot >= 0, this.twin.delete(key));
    if (slot >= 0) this.records.removeFound(slot);
  }

  obey([kind, key, value]: Command): void {
    if (kind === 'set') this.set(key, value);
    else this.remove(key);
  }

  check(): void {
    assert.equal(this.records.count, this.twin.size);
    for (const [key, value] of this.twin) {
      const slot = this.find(key);
      assert.equal(this.records.doubles[4 * slot], key);
      assert.equal(this.records.words[8 * slot + OWN_WORD], value);
    }
  }
}

type Command = readonly [kind: string, key: number, value: number];

const someCommands = (key: fc.Arbitrary<number>, maxLength: number): fc.Arbitrary<Command[]> =>
  fc.array(fc.tuple(fc.constantFrom('set', 'set', 'remove'), key, fc.nat(1e9)), {
    maxLength,
    size: 'max',
  });

const someKey = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: 0, max: 20 }).map((n) => 412036231803 + n),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 2 ** 32 + 7),
  fc.integer({ min: 0, max: 20 }).map((n) => n * 2 ** 24),
  fc.integer({ min: 0, max: 20 }).map((n) => Number.MAX_SAFE_INTEGER - n),
  fc.integer({ min: 0, max: 20 }).map((n) => n - 2 ** 53),
);

const GOLDEN = 0x9e3779b1;

/** A key whose home is the last place of an index of up to 2^16 places: the hash, backwards. */
function keyAtEnd(n: number): number {
  let inverse = GOLDEN;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(GOLDEN, inverse));
  const fold = Math.imul(0xffff0000 | n, inverse);
  return (fold ^ (fold >>> 15) ^ (fold >>> 30)) >>> 0;
}

test('KeyedRecords: keys that all want the last place are found and removed around its end', () => {
  const seen = new KeyedRecords(1);
  seen.find(Float64Array.of(keyAtEnd(3)), 0);
  // The premise: sixteen places at first.
  assert.equal((seen as unknown as { place: number }).place, 15);
  const someCrowdedKey = fc.oneof(fc.nat(12).map(keyAtEnd), fc.integer({ min: -20, max: 20 }));
  fc.assert(
    fc.property(someCommands(someCrowdedKey, 120), (commands) => {
      const pair = new Pair();
      for (const command of commands) {
        pair.obey(command);
        pair.check();
      }
    }),
  );
});

test('KeyedRecords: agrees with a Map through growth and removals', () => {
  fc.assert(
    fc.property(someCommands(someKey, 300), (commands) => {
      const pair = new Pair();
      for (const command of commands) pair.obey(command);
      pair.check();
      pair.records.clear();
      pair.twin.clear();
      for (const [, key] of commands) assert.equal(pair.find(key), -1);
    }),
  );
});

test('KeyedRecords: a freed slot is the next to be handed out, and keys with equal low bits are told apart', () => {
  const pair = new Pair();
  for (let i = 0; i < 2000; i++) pair.set(i * 2 ** 32, i);
  pair.check();
  const slot = pair.find(5 * 2 ** 32);
  pair.remove(5 * 2 ** 32);
  pair.set(12345, 1);
  assert.equal(pair.find(12345), slot);
  assert.equal(pair.records.usedSlots, 2000);
  pair.check();
});
