import assert from 'node:assert/strict';
import test from 'node:test';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';

test('CounterTable: rows and columns do not touch each other, and two views see one table', () => {
  const buffer = createCounterTable(3, 4);
  const writer = new CounterTable(buffer, 4);
  const reader = new CounterTable(buffer, 4);
  writer.add(1, 2, 5);
  writer.add(1, 2, 2 ** 53 - 6);
  writer.set(2, 0, 7);
  writer.max(0, 3, 4);
  writer.max(0, 3, 3);
  const seen = [0, 1, 2].map((row) => [0, 1, 2, 3].map((column) => reader.get(row, column)));
  assert.deepEqual(seen, [
    [0, 0, 0, 4],
    [0, 0, 2 ** 53 - 1, 0],
    [7, 0, 0, 0],
  ]);
  assert.equal(reader.rows, 3);
});
