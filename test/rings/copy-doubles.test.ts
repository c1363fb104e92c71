/** copyDoubles against a slice, for every remainder. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyDoubles } from '../../src/rings/copy-doubles.js';

test('Copied doubles: exactly as many as asked for, at their place, none beside them', () => {
  const source = Float64Array.from({ length: 64 }, (_, i) => i + 0.5);
  for (let count = 0; count <= 40; count++) {
    for (const at of [0, 1, 7, 8]) {
      const target = new Float64Array(64).fill(-1);
      copyDoubles(source, count, target, at);
      const expected = new Float64Array(64).fill(-1);
      expected.set(source.subarray(0, count), at);
      assert.deepEqual(target, expected, `${count} at ${at}`);
    }
  }
});
