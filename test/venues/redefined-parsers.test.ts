/** A parser that was told of new decimals reads as one that was made with them: frame by frame. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { FuturesParser } from '../../src/venues/binance-futures/parse.js';
import { HyperliquidParser } from '../../src/venues/hyperliquid/parse.js';
import { createDepthScanner } from '../../src/venues/scan/depth-memory.js';
import type { EventSink, FrameParser } from '../../src/venues/venue.js';
import { ParseResult } from '../../src/venues/venue.js';
import { CollectingSink, TEST_TIMELINE, testInstrument } from './scratch-frames.js';

type Make = (instruments: readonly Instrument[], sink: EventSink) => FrameParser;

const futures =
  (wasmBytesMin: number, withVectors = true): Make =>
  (instruments, sink) =>
    new FuturesParser(
      instruments,
      'aggTrade',
      TEST_TIMELINE,
      sink,
      wasmBytesMin,
      wasmBytesMin === Infinity ? null : createDepthScanner(withVectors),
    );

const level = (price: string, size: string): string => `["${price}","${size}"]`;

function futuresFrames(symbol: string, price: string, size: string): string[] {
  return [
    `{"e":"depthUpdate","E":1700000000123,"T":1700000000120,"s":"${symbol}","U":157,"u":160,"pu":149,` +
      `"b":[${level(price, size)}],"a":[${level(price, '0')}]}`,
    `{"e":"bookTicker","u":400900217,"s":"${symbol}","b":"${price}","B":"${size}","a":"${price}","A":"${size}","T":1568014460891,"E":1568014460893}`,
    `{"e":"aggTrade","E":123456789,"a":5933014,"s":"${symbol}","p":"${price}","q":"${size}","f":100,"l":105,"T":123456785,"m":true}`,
  ];
}

function hyperliquidFrames(coin: string, price: string, size: string): string[] {
  return [
    `{"channel":"l2Book","data":{"coin":"${coin}","time":1754450974231,"levels":[[{"px":"${price}","sz":"${size}","n":17}],[]]}}`,
    `{"channel":"bbo","data":{"coin":"${coin}","time":1750948919838,"bbo":[{"px":"${price}","sz":"${size}","n":17},null]}}`,
  ];
}

/** Results and events of the frames. */
function readAll(parser: FrameParser, sink: CollectingSink, frames: readonly string[]): unknown[] {
  return frames.map((frame) => {
    sink.events.length = 0;
    const bytes = new TextEncoder().encode(frame);
    const result = parser.parse(bytes, 0, bytes.length, 5);
    return [result, structuredClone(sink.events)];
  });
}

const MAKERS: readonly (readonly [string, Make, typeof futuresFrames])[] = [
  ['futures, WebAssembly with vectors', futures(0), futuresFrames],
  ['futures, WebAssembly without', futures(0, false), futuresFrames],
  ['futures, JavaScript', futures(Infinity), futuresFrames],
  [
    'hyperliquid',
    (list, sink) => new HyperliquidParser(list, TEST_TIMELINE, sink),
    hyperliquidFrames,
  ],
];

const decimals = fc.tuple(fc.nat(14), fc.nat(14));
const text = fc
  .tuple(fc.integer({ min: 1, max: 99_999 }), fc.nat(9), fc.nat(99_999_999))
  .map(([whole, places, fraction]) =>
    places === 0
      ? String(whole)
      : `${whole}.${String(fraction).padStart(places, '0').slice(0, places)}`,
  );

for (const [name, make, framesOf] of MAKERS) {
  test(`Parser, ${name}: told of new decimals it reads as if it had been made with them`, () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.array(decimals, { minLength: 1, maxLength: 4 }),
        text,
        text,
        (steps, price, size) => {
          const bystander = testInstrument(2, 'OTHER', 2, 2);
          const sink = new CollectingSink();
          const parser = make([testInstrument(1, 'ABC', 2, 3), bystander], sink);
          for (const [priceDecimals, sizeDecimals] of steps) {
            const instrument = testInstrument(1, 'ABC', priceDecimals, sizeDecimals);
            parser.redefine(instrument);
            const twinSink = new CollectingSink();
            const twin = make([instrument, bystander], twinSink);
            for (const symbol of ['ABC', 'OTHER']) {
              const frames = framesOf(symbol, price, size);
              const results = readAll(parser, sink, frames);
              assert.deepEqual(results, readAll(twin, twinSink, frames));
              read += results.filter(
                (result) => (result as unknown[])[0] === ParseResult.Events,
              ).length;
            }
          }
        },
      ),
      { numRuns: 150 },
    );
    assert.ok(read > 100, `${read} frames were read`);
  });
}

test('Parser: an instrument that is not its own changes nothing', () => {
  for (const [, make, framesOf] of MAKERS) {
    const sink = new CollectingSink();
    const parser = make([testInstrument(1, 'ABC', 2, 3)], sink);
    const frames = [...framesOf('ABC', '10.25', '3.5'), ...framesOf('STRANGE', '10.25', '3.5')];
    const before = readAll(parser, sink, frames);
    parser.redefine(testInstrument(7, 'ELSE', 5, 5));
    assert.deepEqual(readAll(parser, sink, frames), before);
  }
});
