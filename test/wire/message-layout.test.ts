/**
 * The bytes themselves, pinned: recordings and other versions hold messages of this layout, and it can
 * change by a decision only. Also the contract's field times against BigInt, at every carry.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from '../support/reproducible.js';
import { Timeline } from '../../src/time/timeline.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';
import { DEFINITION } from './sample-messages.js';

const encoder = new MessageEncoder(new Timeline(1_785_000_123_456_789_012n));

/** Every field of the head holds its own number; times lie that many ns after the origin. */
const head = Float64Array.from({ length: HEAD_DOUBLES }, (_, i) => i + 1);
const HEAD = [
  '0100000000000000 0200000000000000 0300000000000000 0400000000000000 0500000006000000',
  '1b9aabaa2798c518 1c9aabaa2798c518 1d9aabaa2798c518 1e9aabaa2798c518',
  '0b000000 0c000000 0d000000 0e00 0f 10',
].join(' ');

function hexOf(write: (words: Int32Array) => number): string {
  const words = new Int32Array(1024).fill(-1);
  return Buffer.from(words.buffer, 0, write(words)).toString('hex');
}
const hex = (text: string): string => text.replaceAll(/\s/g, '');

test('Layout: a delta of one bid and one ask is these bytes', () => {
  const levels = Float64Array.from([0x11, 0x22, 0x33, 0x44]);
  assert.equal(
    hexOf((w) => encoder.writeBookDelta(w, 0, head, levels, 0, 1, 1)),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 10000000 02 00
         0a00 6400 0c00 0400 0800 0a000000 64000000 78000000 ${HEAD}
         00000000 01000000 1100000000000000 2200000000000000
         00000000 01000000 3300000000000000 4400000000000000`),
  );
});

test('Layout: a snapshot of one bid is these bytes', () => {
  const levels = Float64Array.from([0x11, 0x22]);
  const name = new TextEncoder().encode('v:ABC');
  assert.equal(
    hexOf((w) => encoder.writeBookSnapshot(w, 0, head, levels, 0, 1, 0, 20, 2, 3, name)),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 18000000 01 00
         1200 6e00 0400 5c00 6000 6c00 6d00 6400 6800 12000000 ${HEAD}
         14000000 28000000 14000000 24000000 fefd0000 01000000
         1100000000000000 2200000000000000 00000000 00000000
         05000000 763a414243 00 0000 00000000`),
  );
});

test('Layout: a BBO, trades, a status and a heartbeat are these bytes', () => {
  assert.equal(
    hexOf((w) => encoder.writeBbo(w, 0, head, 0x11, 0x22, 0x33, 0x44, 5, 6, 2, 3)),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 18000000 03 00
         1200 8c00 0400 5c00 6c00 7c00 8000 8400 8500 12000000 ${HEAD}
         1100000000000000 2200000000000000 3300000000000000 4400000000000000 05000000 06000000
         fefd0000 00000000`),
  );
  assert.equal(
    hexOf((w) =>
      encoder.writeTrades(w, 0, head, Float64Array.from([0x11, 0x22, 0x33, -1, 1]), 0, 1, 2, 3),
    ),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 14000000 04 00
         0e00 6800 0800 0400 0000 6400 6500 0e000000 68000000 ${HEAD}
         00000000 fefd0000 00000000 01000000
         1100000000000000 2200000000000000 3300000000000000 0000000000000000 01 00000000000000`),
  );
  assert.equal(
    hexOf((w) => encoder.writeStatus(w, 0, head, 7, DEFINITION)),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 18000000 05 00
         0a00 7c00 0400 5c00 6400 00000000 00000000 12000000 ${HEAD} 1b9aabaa2798c518
         0a00000002000000 0700000000000000 fe fd 05 02 00000000`),
  );
  assert.equal(
    hexOf((w) => encoder.writeHeartbeat(w, 0, 7, Float64Array.from([0x11, 0x22, 3, 4]), 1)),
    hex(`10000000 52534431 0800 0900 0800 0400 08000000 10000000 06 00
         0800 1000 0400 0c00 0000 0a000000 1b9aabaa2798c518 04000000 01000000
         1100000000000000 2200000000000000 03000000 04000000`),
  );
});

test('Layout: a context is these bytes, the vtable behind its table', () => {
  const values = Float64Array.from({ length: 33 }, (_, i) => (i % 3 === 2 ? 1 : i + 1));
  const decimals = (present: number): string =>
    Array.from({ length: 11 }, (_, i) => {
      const le = (value: number): string => value.toString(16).padStart(2, '0').padEnd(16, '0');
      const isPresent = (present & (1 << i)) !== 0;
      return isPresent ? `${le(i * 3 + 1)}${le(i * 3 + 2)}${le(1)}` : '0'.repeat(48);
    }).join('');
  const front = `10000000 52534431 0800 0900 0800 0400 08000000 18000000 09 00
    000000000000000000000000000000000000 94feffff ${HEAD} 1b9aabaa2798c518`;
  assert.equal(
    hexOf((w) => encoder.writeContext(w, 0, head, 0x7ff, values, 0, 7)),
    hex(`${front} ${decimals(0x7ff)} 1e00 6c01
         0400 6400 7c00 9400 ac00 c400 dc00 f400 0c01 2401 3c01 5401 5c00 0000`),
  );
  assert.equal(
    hexOf((w) => encoder.writeContext(w, 0, head, 0x401, values, 0, 7)),
    hex(`${front} ${decimals(0x401)} 1e00 6c01
         0400 6400 0000 0000 0000 0000 0000 0000 0000 0000 0000 5401 5c00 0000`),
  );
});

test('Times: any timeline time on any origin goes over the wire to the nanosecond', () => {
  const decoder = new MessageDecoder();
  const words = new Int32Array(64);
  const edge = fc.constantFrom(
    0,
    -1,
    1,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    -(2 ** 32),
    2 ** 53 - 1,
  );
  const timelineNs = fc.oneof(edge, fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 1 }));
  const origin = fc.bigInt({ min: 1n << 60n, max: 1n << 61n });
  fc.assert(
    fc.property(origin, timelineNs, timelineNs, (originUnixNs, exchangeNs, sinceNs) => {
      const heads = head.slice();
      heads[HeadField.ExchangeNs] = exchangeNs;
      const bytes = new MessageEncoder(new Timeline(originUnixNs)).writeStatus(
        words,
        0,
        heads,
        sinceNs,
        DEFINITION,
      );
      assert.ok(decoder.decodeWords(words, 0, bytes) > 0);
      // -1 is ABSENT and goes out as 0.
      const unixNs = (ns: number): bigint => (ns === -1 ? 0n : originUnixNs + BigInt(ns));
      assert.equal(decoder.exchangeUnixNs(), unixNs(exchangeNs));
      assert.equal(decoder.sinceUnixNs(), unixNs(sinceNs));
    }),
    { numRuns: 2000 },
  );
});
