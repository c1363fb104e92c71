/** Bytes of the simulator's frames: numbers, sets of changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { formatDecimal } from '../../src/domain/decimal.js';
import { InvariantError } from '../../src/faults/invariant.js';
import { ChangeSet } from '../../src/simulator/change-set.js';
import { FrameWriter, asciiBytes } from '../../src/simulator/frame-writer.js';

function textOf(write: (writer: FrameWriter) => void): string {
  const writer = new FrameWriter();
  writer.begin(256);
  write(writer);
  return Buffer.from(writer.take(0, 0)).toString('latin1');
}

test('FrameWriter writes a mantissa as the decimal text that it stands for', () => {
  const mantissa = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -1000, max: 1000 }),
    fc.nat(15).map((power) => 10 ** power),
  );
  fc.assert(
    fc.property(mantissa, fc.integer({ min: 0, max: 18 }), (value, decimals) => {
      assert.equal(
        textOf((writer) => writer.decimal(value, decimals)),
        formatDecimal(value, decimals),
      );
    }),
    { numRuns: 2000 },
  );
  for (const value of [0, 5, 10, 99, 6165970, Number.MAX_SAFE_INTEGER]) {
    for (const decimals of [0, 1, 2, 8]) {
      assert.equal(
        textOf((writer) => writer.decimal(value, decimals)),
        formatDecimal(value, decimals),
      );
    }
  }
});

test('FrameWriter does not write again what it has handed out', () => {
  const writer = new FrameWriter();
  const frames: { bytes: Uint8Array; text: string }[] = [];
  for (let n = 0; n < 3000; n++) {
    writer.begin(300);
    const text = `frame ${n} ${'x'.repeat(n % 200)}`;
    writer.ascii(asciiBytes(text));
    frames.push({ bytes: writer.take(0, 0), text });
  }
  for (const { bytes, text } of frames) assert.equal(Buffer.from(bytes).toString('latin1'), text);
});

test('FrameWriter refuses to write past its chunk', () => {
  const writer = new FrameWriter();
  writer.begin(10);
  assert.throws(() => writer.ascii(new Uint8Array(300_000)), InvariantError);
});

test('ChangeSet gives the changed prices in order, each once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 500, size: 'max' }), (prices) => {
      const set = new ChangeSet();
      for (const price of prices) set.add(price);
      const count = set.settle();
      const got = Array.from({ length: count }, (_, index) => set.at(index));
      assert.deepEqual(
        got,
        [...new Set(prices)].sort((a, b) => a - b),
      );
      set.clear();
      assert.equal(set.settle(), 0);
    }),
  );
});
