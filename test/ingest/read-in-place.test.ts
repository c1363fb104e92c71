/**
 * Sockets read into the parser's own memory. A frame that a read cut is put together elsewhere and
 * parsed while the rest of that read still lies in that memory: nothing may be trampled on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { FrameDecoder } from '../../src/ingest/frame-decoder.js';
import { Timeline } from '../../src/time/timeline.js';
import { FuturesParser } from '../../src/venues/binance-futures/parse.js';
import type { EventSink } from '../../src/venues/venue.js';
import { textFrame } from '../support/server-frames.js';
import { toyInstruments } from '../support/toy-venue.js';

const TIMELINE = new Timeline(1_726_900_000_000_000_000n);
const INSTRUMENTS = toyInstruments(1).map((each) => ({ ...each, symbol: 'BTCUSDT' }));

class Digest implements EventSink {
  readonly events: string[] = [];
  accept(type: number, event: Float64Array, doubles: number): boolean {
    this.events.push(`${type}:${event.subarray(0, doubles).join(',')}`);
    return true;
  }
}

function depth(id: number, bids: number, asks: number): string {
  const levels = (count: number, from: number): string =>
    Array.from({ length: count }, (_, i) => `["${from + i}.10","${id % 97}.${100 + i}"]`).join(',');
  return (
    `{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1726900000123,"T":1726900000120,` +
    `"s":"BTCUSDT","U":${id},"u":${id + 5},"pu":${id - 1},"b":[${levels(bids, 60_000)}],"a":[${levels(asks, 70_000)}]}}`
  );
}

function ticker(id: number): string {
  return (
    `{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":${id},"s":"BTCUSDT",` +
    `"b":"61659.70","B":"${id % 89}.486","a":"61659.80","A":"0.981","T":1726900000120,"E":1726900000123}}`
  );
}

const frames = fc.array(
  fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 1e9 }), fc.nat(60), fc.nat(60)).map((d) => depth(...d)),
    fc.integer({ min: 1, max: 1e9 }).map(ticker),
  ),
  { minLength: 1, maxLength: 40, size: 'max' },
);
const cuts = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 20 });

test('Reading in place: any cut of a stream of frames gives the events of the frames', (t) => {
  const sink = new Digest();
  const parser = new FuturesParser(INSTRUMENTS, 'aggTrade', TIMELINE, sink);
  const place = parser.receiveBuffer;
  if (place === null) {
    t.skip('no WebAssembly scanner: it is compiled by npm run build');
    return;
  }
  const buffer = Buffer.from(place.buffer, place.byteOffset, place.length);
  const plain = new Digest();
  const oracle = new FuturesParser(INSTRUMENTS, 'aggTrade', TIMELINE, plain, Infinity);
  fc.assert(
    fc.property(frames, cuts, (list, sizes) => {
      sink.events.length = 0;
      plain.events.length = 0;
      for (const frame of list) oracle.parse(Buffer.from(frame), 0, frame.length, 7);
      const decoder = new FrameDecoder(
        {
          onMessage: (bytes, start, end) => void parser.parse(bytes, start, end, 7),
          onPing: () => assert.fail('no ping was sent'),
          onPong: () => assert.fail('no pong was sent'),
          onCloseFrame: () => assert.fail('no close was sent'),
        },
        1 << 20,
        false,
      );
      const stream = Buffer.concat(list.map((frame) => textFrame(frame)));
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const amount = Math.min(sizes[turn % sizes.length]!, stream.length - at);
        stream.copy(buffer, 0, at, at + amount);
        assert.equal(decoder.push(buffer, 0, amount), true);
        at += amount;
      }
      assert.equal(sink.events.length, list.length);
      assert.deepEqual(sink.events, plain.events);
    }),
    { numRuns: 150 },
  );
});
