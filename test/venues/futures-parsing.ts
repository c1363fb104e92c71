/** What the tests of the futures parser share: the parser on any bytes, and its oracle. */
import assert from 'node:assert/strict';
import * as R from '../../src/rings/record-types.js';
import type { TradeKind } from '../../src/venues/binance-futures/messages.js';
import { FuturesParser } from '../../src/venues/binance-futures/parse.js';
import { StrictParser } from '../../src/venues/binance-futures/parse-strict.js';
import { EventScratch } from '../../src/venues/event-scratch.js';
import { createDepthScanner } from '../../src/venues/scan/depth-memory.js';
import { ParseResult } from '../../src/venues/venue.js';
import { CollectingSink, TEST_TIMELINE, testInstrument } from './scratch-frames.js';
import type { CollectedEvent } from './scratch-frames.js';

export const INSTRUMENTS = [
  testInstrument(3, 'BTCUSDT', 2, 3),
  testInstrument(7, 'ETHUSD_PERP', 2, 0),
  testInstrument(9, 'SHIBUSDT', 8, 0),
  testInstrument(11, '1000PEPEUSDT', 7, 5),
];
export const RECEIVED_NS = 123_456;

export interface Parsed {
  readonly result: ParseResult;
  readonly event: CollectedEvent | undefined;
  readonly isSlow: boolean;
  readonly instrumentId: number;
  readonly channel: number;
}

interface WasmWay {
  readonly sink: CollectingSink;
  readonly parser: FuturesParser;
}

/** Both scanners, with vectors and without. */
function wasmWays(tradeKind: TradeKind): WasmWay[] {
  return [true, false].map((withVectors) => {
    const instance = createDepthScanner(withVectors);
    assert.ok(instance?.usesVectors === withVectors, 'both are compiled: npm run build:code');
    const sink = new CollectingSink();
    const parser = new FuturesParser(INSTRUMENTS, tradeKind, TEST_TIMELINE, sink, 0, instance);
    return { sink, parser };
  });
}

/** The same for all tests: what an earlier frame left in a scanner's memory must not matter. */
const WASM_WAYS = { aggTrade: wasmWays('aggTrade'), trade: wasmWays('trade') };

function assertSameByWasm(
  bytes: Uint8Array,
  end: number,
  tradeKind: TradeKind,
  result: ParseResult,
  event: CollectedEvent | undefined,
): void {
  for (const { sink, parser } of WASM_WAYS[tradeKind]) {
    sink.events.length = 0;
    assert.equal(parser.parse(bytes, 13, end, RECEIVED_NS), result);
    assert.deepEqual(sink.events[0], event);
  }
}

/** Parses `text` from the middle of a larger buffer, so that offsets and rubbish behind it count. */
export function parse(text: string | Uint8Array, tradeKind: TradeKind = 'aggTrade'): Parsed {
  const sink = new CollectingSink();
  const parser = new FuturesParser(INSTRUMENTS, tradeKind, TEST_TIMELINE, sink, Infinity);
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const around = new Uint8Array(bytes.length + 40).fill(0x39);
  around.set(bytes, 13);
  const result = parser.parse(around, 13, 13 + bytes.length, RECEIVED_NS);
  assert.ok(sink.events.length === (result === ParseResult.Events ? 1 : 0));
  assertSameByWasm(around, 13 + bytes.length, tradeKind, result, sink.events[0]);
  return {
    result,
    event: sink.events[0],
    isSlow: parser.slowPathCount > 0,
    instrumentId: parser.lastInstrumentId,
    channel: parser.lastChannel,
  };
}

/** What the strict parser says about the same bytes, finished as the parser finishes it. */
export function strictly(
  bytes: Uint8Array,
  tradeKind: TradeKind,
): { result: ParseResult; doubles: number[] } {
  const scratch = new EventScratch();
  const result = new StrictParser(INSTRUMENTS, tradeKind, scratch).parse(bytes);
  if (result !== ParseResult.Events) return { result, doubles: [] };
  const doubles = [...scratch.event.subarray(0, scratch.doubles)];
  doubles[R.RECEIVED_NS] = RECEIVED_NS;
  doubles[R.EXCHANGE_NS] = TEST_TIMELINE.fromUnixMs(doubles[R.EXCHANGE_NS]!);
  if (doubles[R.ENGINE_NS] !== R.ABSENT) {
    doubles[R.ENGINE_NS] = TEST_TIMELINE.fromUnixMs(doubles[R.ENGINE_NS]!);
  }
  return { result, doubles };
}

export const DEPTH =
  '{"e":"depthUpdate","E":1700000000123,"T":1700000000120,"s":"BTCUSDT","U":157,"u":160,"pu":149,' +
  '"b":[["61659.70","1.486"],["9.99","0.000"]],"a":[["61659.80","0.981"]]}';
