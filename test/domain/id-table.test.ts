import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { IdTable, NOT_FOUND } from '../../src/domain/id-table.js';

const keys = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 40 }).map((n) => n * 2 ** 32 + 7),
  fc.integer({ min: 0, max: 40 }).map((n) => Number.MAX_SAFE_INTEGER - n),
);
const command = fc.record({ kind: fc.constantFrom('set', 'remove', 'get'), key: keys, slot: fc.nat(1e6) });

test('IdTable: agrees with a Map over generated sets, removals and look-ups, through growth', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 400 }), (commands) => {
      const table = new IdTable(4);
      const twin = new Map<number, number>();
      for (const { kind, key, slot } of commands) {
        if (kind === 'set') {
          table.set(key, slot);
          twin.set(key, slot);
        } else if (kind === 'remove') {
          assert.equal(table.remove(key), twin.get(key) ?? NOT_FOUND);
          twin.delete(key);
        } else {
          assert.equal(table.get(key), twin.get(key) ?? NOT_FOUND);
        }
        assert.equal(table.count, twin.size);
      }
      for (const [key, slot] of twin) assert.equal(table.get(key), slot);
    }),
  );
});
