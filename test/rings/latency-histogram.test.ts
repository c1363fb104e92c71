import assert from 'node:assert/strict';
import test from 'node:test';
import { Prng } from '../../src/domain/prng.js';
import {
  HistogramReader,
  HistogramWriter,
  createHistogramTable,
} from '../../src/rings/latency-histogram.js';

test('Histogram: quantiles of a seeded mixture are within 3 % of the sorted truth', () => {
  const prng = new Prng(3);
  const table = createHistogramTable(3);
  const writer = new HistogramWriter(table, 1);
  const values: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const value = Math.floor(10 ** (prng.nextFloat() * 11));
    values.push(value);
    writer.record(value);
  }
  values.sort((a, b) => a - b);
  const reader = new HistogramReader(table, 1);
  assert.equal(reader.count(), values.length);
  assert.equal(
    reader.sumNs(),
    values.reduce((sum, value) => sum + value, 0),
  );
  for (const q of [0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
    const truth = values[Math.max(1, Math.ceil(q * values.length)) - 1]!;
    const error = Math.abs(reader.quantileNs(q) - truth) / truth;
    assert.ok(error <= 0.03, `q ${q}: ${reader.quantileNs(q)} against ${truth}`);
  }
  assert.equal(new HistogramReader(table, 0).count(), 0);
  assert.equal(new HistogramReader(table, 2).count(), 0);
});

test('Histogram: every power of two and its neighbours fall into a bucket that bounds them tightly', () => {
  for (let exponent = 0; exponent <= 36; exponent++) {
    for (const value of [
      2 ** exponent - 1,
      2 ** exponent,
      2 ** exponent + 1,
      1.5 * 2 ** exponent,
    ]) {
      const whole = Math.floor(value);
      const table = createHistogramTable(1);
      new HistogramWriter(table, 0).record(whole);
      const buckets = new HistogramReader(table, 0).buckets();
      assert.equal(buckets.length, 1);
      const { upperNs, count } = buckets[0]!;
      assert.equal(count, 1);
      assert.ok(upperNs >= whole && upperNs - whole <= whole / 32, `${whole} under ${upperNs}`);
    }
  }
});

test('Histogram: negative, NaN and endless values are counted at the ends, never lost', () => {
  const table = createHistogramTable(1);
  const writer = new HistogramWriter(table, 0);
  for (const value of [-5, Number.NaN, Infinity, 1e300, 0.25]) writer.record(value);
  const reader = new HistogramReader(table, 0);
  assert.equal(reader.count(), 5);
  assert.deepEqual(
    reader.buckets().map((bucket) => bucket.count),
    [3, 2],
  );
  assert.equal(reader.quantileNs(0), 0);
  assert.equal(reader.quantileNs(1), 2 ** 37 - 1);
});

test('Histogram: an empty row answers zero, and a row beyond the table is refused', () => {
  const table = createHistogramTable(1);
  assert.equal(new HistogramReader(table, 0).quantileNs(0.5), 0);
  assert.throws(() => new HistogramWriter(table, 1), /row exists/);
});
