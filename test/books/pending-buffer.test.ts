import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { PendingBuffer } from '../../src/books/pending-buffer.js';

function firstOf(buffer: PendingBuffer): number[] {
  const at = buffer.firstAt;
  const length = buffer.doubles[at - 1]!;
  return Array.from(buffer.doubles.subarray(at, at + length));
}

test('PendingBuffer: is a queue bounded in records and bytes that forgets the oldest', () => {
  const add = fc.integer({ min: 1, max: 40 }).map((length) => ({ length }));
  const drop = fc.constant({ length: 0 });
  fc.assert(
    fc.property(fc.array(fc.oneof(add, add, drop), { maxLength: 300, size: 'max' }), (commands) => {
      const recordsMax = 12;
      const bytesMax = 200 * 8;
      const buffer = new PendingBuffer(recordsMax, bytesMax);
      const naive: number[][] = [];
      let stamp = 0;
      for (const { length } of commands) {
        if (length === 0) {
          if (naive.length === 0) continue;
          naive.shift();
          buffer.dropFirst();
        } else {
          const record = Array.from({ length }, (_, i) => stamp * 1000 + i);
          stamp++;
          const source = Float64Array.from([7, 7, ...record, 7]);
          let forgotten = 0;
          const doublesUsed = (): number => naive.reduce((sum, kept) => sum + kept.length + 1, 0);
          while (naive.length >= recordsMax || (doublesUsed() + length + 1) * 8 > bytesMax) {
            naive.shift();
            forgotten++;
          }
          naive.push(record);
          assert.equal(buffer.add(source, 2, length), forgotten);
        }
        assert.equal(buffer.count, naive.length);
        if (naive.length > 0) assert.deepEqual(firstOf(buffer), naive[0]);
      }
    }),
    { numRuns: 150 },
  );
});

test('PendingBuffer: its memory stays within twice its bytes however long it is used', () => {
  const buffer = new PendingBuffer(1000, 64 * 1024);
  const record = new Float64Array(100);
  for (let i = 0; i < 20_000; i++) buffer.add(record, 0, 1 + (i % 100));
  assert.ok(buffer.memoryBytes <= 2 * 64 * 1024, `${buffer.memoryBytes} B`);
});

test('PendingBuffer: a record that can never fit is forgotten, with all before it', () => {
  const buffer = new PendingBuffer(10, 1024);
  buffer.add(new Float64Array(10), 0, 10);
  assert.equal(buffer.add(new Float64Array(200), 0, 200), 2);
  assert.equal(buffer.count, 0);
});

test('PendingBuffer: gives back what a long wait made it take', () => {
  const buffer = new PendingBuffer(10_000, 1 << 20);
  for (let i = 0; i < 1000; i++) buffer.add(new Float64Array(50), 0, 50);
  assert.ok(buffer.memoryBytes > 400_000);
  while (buffer.count > 0) buffer.dropFirst();
  buffer.release();
  assert.equal(buffer.memoryBytes, 0);
});
