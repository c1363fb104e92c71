/**
 * The WebAssembly depth scanner by itself, with vectors and without: it may decline what it likes, but
 * what it takes is what the strict parser reads, whatever stands in its memory around the frame.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import type { Instrument } from '../../src/domain/instrument.js';
import * as R from '../../src/rings/record-types.js';
import { StrictParser } from '../../src/venues/binance-futures/parse-strict.js';
import { WasmDepthScanner } from '../../src/venues/binance-futures/scan-wasm.js';
import { EventScratch } from '../../src/venues/event-scratch.js';
import { createDepthScanner } from '../../src/venues/scan/depth-memory.js';
import { ParseResult } from '../../src/venues/venue.js';
import { testInstrument } from './scratch-frames.js';

const DECIMALS_MAX = 12;
/** Digits before the point and behind it that any of the scanner's ways reads. */
const DIGITS_MAX = 15;

/** `P3S0`: three decimals in prices, none in sizes. */
const INSTRUMENTS: Instrument[] = [];
for (let price = 0; price <= DECIMALS_MAX; price++) {
  for (let size = 0; size <= DECIMALS_MAX; size++) {
    INSTRUMENTS.push(testInstrument(INSTRUMENTS.length, `P${price}S${size}`, price, size));
  }
}

interface Way {
  readonly name: string;
  readonly scanner: WasmDepthScanner;
  readonly scratch: EventScratch;
  /** Where a socket would read into. */
  readonly place: Uint8Array;
}

function waysOf(instruments: readonly Instrument[]): Way[] {
  return [true, false].map((withVectors) => {
    const instance = createDepthScanner(withVectors);
    assert.ok(instance?.usesVectors === withVectors, 'both are compiled: npm run build:code');
    const scratch = new EventScratch();
    const scanner = new WasmDepthScanner(instance, instruments, scratch);
    const name = withVectors ? 'vectors' : 'words';
    return { name, scanner, scratch, place: scanner.receiveBuffer };
  });
}

/** The same for all tests: what an earlier frame left in the memory must not matter. */
const WAYS = waysOf(INSTRUMENTS);

function eventOf(scratch: EventScratch): number[] {
  const doubles = [...scratch.event.subarray(0, scratch.doubles)];
  doubles[R.RECEIVED_NS] = 0;
  return doubles;
}

const strictScratch = new EventScratch();
const strictParser = new StrictParser(INSTRUMENTS, 'aggTrade', strictScratch);

/** The strict parser's event, or null where it finds a fault. */
function strictly(
  bytes: Uint8Array,
  parser = strictParser,
  scratch = strictScratch,
): number[] | null {
  return parser.parse(bytes) === ParseResult.Events ? eventOf(scratch) : null;
}

/**
 * Scans `bytes` where they are put in the receive buffer, or from elsewhere; holds what is taken against
 * the strict parser. True if it was taken.
 */
function isTaken(way: Way, bytes: Uint8Array, expected: number[] | null, at: number): boolean {
  let taken: boolean;
  if (at < 0) {
    taken = way.scanner.scan(bytes, 0, bytes.length);
  } else {
    way.place.set(bytes, at);
    taken = way.scanner.scan(way.place, at, at + bytes.length);
  }
  if (!taken) return false;
  const text = `${way.name}: ${Buffer.from(bytes).toString('latin1')}`;
  assert.ok(expected !== null, `taken, but faulty: ${text}`);
  assert.deepEqual(eventOf(way.scratch), expected, text);
  return true;
}

const HEAD =
  '{"stream":"x@depth@0ms","data":{"e":"depthUpdate","E":1700000000123,"T":1700000000120,';

function frameOf(symbol: string, bids: string, asks: string): string {
  return `${HEAD}"s":"${symbol}","U":5123107832349,"u":5123107837896,"pu":5123107832175,"b":[${bids}],"a":[${asks}]}}`;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Digits of a number that is as often short as long, now and then with zeros in front. */
const digits = (lengthMax: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: 1, max: lengthMax }), fc.stringMatching(/^[0-9]{20}$/))
    .map(([length, text]) => text.slice(0, length));

/** A decimal for `decimals` places as a venue that always writes all of them would write it. */
const exactDecimal = (decimals: number): fc.Arbitrary<string> =>
  fc
    .tuple(digits(Math.max(1, DIGITS_MAX - decimals)), fc.stringMatching(/^[0-9]{12}$/))
    .map(([whole, fraction]) => (decimals === 0 ? whole : `${whole}.${fraction.slice(-decimals)}`));

/** Mostly that; else any length on either side of the point, or no decimal at all. */
const anyDecimal = (decimals: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 30, arbitrary: exactDecimal(decimals) },
    fc.stringMatching(/^\d{1,18}(\.\d{1,14})?$/),
    fc.constantFrom('', '.', '1.', '.5', '-1', '1e3', '+1', ' 1', '1.2.3', '0x1', '1/2', '1:2'),
  );

/** Frames of every instrument; each one's decimals are described once. */
function framesOf(amounts: (decimals: number) => fc.Arbitrary<string>): fc.Arbitrary<string> {
  const texts = Array.from({ length: DECIMALS_MAX + 1 }, (_, decimals) => amounts(decimals));
  const frames = INSTRUMENTS.map(({ symbol, priceDecimals, sizeDecimals }) => {
    const level = fc
      .tuple(texts[priceDecimals]!, texts[sizeDecimals]!)
      .map(([price, size]) => `["${price}","${size}"]`);
    const side = fc.array(level, { maxLength: 8 }).map((levels) => levels.join(','));
    return fc.tuple(side, side).map(([bids, asks]) => frameOf(symbol, bids, asks));
  });
  return fc.oneof(...frames);
}

test('Depth scanner: decimals of every length at every number of places are taken, exactly', () => {
  fc.assert(
    fc.property(framesOf(exactDecimal), fc.integer({ min: -1, max: 40 }), (text, at) => {
      const bytes = bytesOf(text);
      const expected = strictly(bytes);
      for (const way of WAYS) {
        // all of them have at most 15 digits, so there is nothing to decline
        assert.equal(isTaken(way, bytes, expected, at), true, text);
      }
    }),
    { numRuns: 3000 },
  );
});

test('Depth scanner: a level of each number of digits is one of its mantissas', () => {
  for (const { symbol, priceDecimals, sizeDecimals } of INSTRUMENTS) {
    for (let whole = 1; whole + Math.max(priceDecimals, sizeDecimals) <= DIGITS_MAX; whole++) {
      const textOf = (decimals: number, first: string): string => {
        const all = (first + '8273645190827364').slice(0, whole + decimals);
        return decimals === 0 ? all : `${all.slice(0, whole)}.${all.slice(whole)}`;
      };
      const [price, size] = [textOf(priceDecimals, '9'), textOf(sizeDecimals, '1')];
      const bytes = bytesOf(frameOf(symbol, `["${price}","${size}"]`, ''));
      for (const { scanner, scratch } of WAYS) {
        assert.ok(scanner.scan(bytes, 0, bytes.length), symbol);
        const { event } = scratch;
        assert.equal(event[R.LEVELS], parseDecimal(price, priceDecimals), `${symbol} ${price}`);
        assert.equal(event[R.LEVELS + 1], parseDecimal(size, sizeDecimals), `${symbol} ${size}`);
      }
    }
  }
});

test('Depth scanner: of texts that are often no decimals it takes what the strict parser reads', () => {
  let taken = 0;
  let declined = 0;
  fc.assert(
    fc.property(framesOf(anyDecimal), (text) => {
      const bytes = bytesOf(text);
      const expected = strictly(bytes);
      for (const way of WAYS) {
        if (isTaken(way, bytes, expected, -1)) taken++;
        else declined++;
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(taken > 500 && declined > 500, `${taken} taken, ${declined} declined`);
});

/** Shapes that differ where the scanner branches: short, full and long decimals, none, both frames. */
const SAMPLES = [
  frameOf('P2S3', '["268162.17","1.234"],["1.00","29999.123"]', '["268163.00","0.000"]'),
  frameOf('P0S0', '["12345678","1"]', '["1","12345678"],["123456789","2"]'),
  frameOf('P7S7', '["1.2345678","9.0000001"]', ''),
  frameOf('P8S0', '["0.00001234","12345"],["3.00001234","7"]', '["1234567.12345678","1"]'),
  frameOf('P1S5', '', '["84143.0","1.00001"],["12345678.9","123.45678"]'),
  frameOf('P2S2', '["1.10","2.20"]', '["3.30","4.40"]').replace('"U"', '"ps":"P2","st":1,"U"'),
  frameOf('P2S2', '["1.10","2.20"]', '["3.30","4.40"]').slice(HEAD.indexOf('{"e"'), -1),
];

/** Bytes that matter to JSON or lie beside those that do. */
const ODD = [
  0,
  1,
  0x0a,
  0x1f,
  0x2f,
  0x3a,
  0x7f,
  0x80,
  0xa2,
  0xff,
  ...Buffer.from(' "\\,]}.09-Ee[{'),
];

test('Depth scanner: with any byte replaced, put in or taken out nothing faulty is taken', () => {
  let taken = 0;
  for (const sample of SAMPLES) {
    const bytes = [...bytesOf(sample)];
    const hold = (changed: number[]): void => {
      const frame = Uint8Array.from(changed);
      const expected = strictly(frame);
      for (const way of WAYS) if (isTaken(way, frame, expected, -1)) taken++;
    };
    const from = sample.indexOf('"s":');
    for (let at = from; at < bytes.length; at++) {
      hold(bytes.toSpliced(at, 1));
      for (const byte of ODD) {
        hold(bytes.with(at, byte));
        hold(bytes.toSpliced(at, 0, byte));
      }
    }
  }
  // a digit for a digit, for example
  assert.ok(taken > 1000, String(taken));
});

test('Depth scanner: a quote at any two places of the levels fools neither way', () => {
  for (const sample of SAMPLES) {
    const bytes = bytesOf(sample);
    for (let first = sample.indexOf('"b":'); first < bytes.length; first++) {
      for (let second = first + 1; second < Math.min(bytes.length, first + 34); second++) {
        const changed = Uint8Array.from(bytes);
        changed[first] = 0x22;
        changed[second] = 0x22;
        const expected = strictly(changed);
        for (const way of WAYS) isTaken(way, changed, expected, -1);
      }
    }
  }
});

test('Depth scanner: a frame cut at any byte is declined, though the rest lies behind it', () => {
  for (const sample of SAMPLES) {
    const bytes = bytesOf(sample);
    for (const { scanner, place } of WAYS) {
      place.set(bytes, 64);
      assert.ok(scanner.scan(place, 64, 64 + bytes.length), sample);
      for (let end = 0; end < bytes.length; end++) {
        assert.equal(scanner.scan(place, 64, 64 + end), false, sample.slice(0, end));
        // copied over the whole one, which lies there since
        assert.equal(scanner.scan(bytes.slice(0, end), 0, end), false);
        if (end === 0) assert.ok(scanner.scan(bytes, 0, bytes.length));
      }
      for (let begin = 1; begin < bytes.length; begin++) {
        const taken = scanner.scan(place, 64 + begin, 64 + bytes.length);
        assert.equal(taken, false, sample.slice(begin));
      }
      place[64 + bytes.length] = 0x7d;
      assert.equal(scanner.scan(place, 64, 65 + bytes.length), false, 'one brace too many');
    }
  }
});

test('Depth scanner: a frame at the very end of its memory is read; one beyond it is declined', () => {
  for (const sample of SAMPLES) {
    const bytes = bytesOf(sample);
    const expected = strictly(bytes);
    for (const way of WAYS) {
      const at = way.place.length - bytes.length;
      assert.ok(isTaken(way, bytes, expected, at), sample);
      // where the events are written, and where constants and symbols lie
      const whole = new Uint8Array(way.place.buffer);
      for (const start of [0, 4096, way.place.byteOffset + at + 1, whole.length - bytes.length]) {
        assert.equal(way.scanner.scan(whole, start, start + bytes.length), false);
      }
      assert.equal(way.scanner.scan(new Uint8Array(1 << 20), 0, 1 << 20), false, 'no room');
    }
  }
});

test('Depth scanner: the fullest frame stays within its memory', () => {
  // the shortest level there is, as many as fit
  const room = 400_000;
  const side = Array.from({ length: room / 10 - 20 }, () => '["1","2"]').join(',');
  const bytes = bytesOf(frameOf('P0S0', side, ''));
  for (const { scanner, scratch } of WAYS) {
    assert.ok(scanner.scan(bytes, 0, bytes.length));
    const count = scratch.event[R.BIDS_COUNT]!;
    assert.equal(count, room / 10 - 20);
    assert.equal(scratch.doubles, R.LEVELS + 2 * count);
    for (let i = 0; i < 2 * count; i += 2) {
      if (scratch.event[R.LEVELS + i] !== 1) assert.fail(`level ${i / 2}`);
    }
    const small = bytesOf(SAMPLES[0]!);
    assert.ok(scanner.scan(small, 0, small.length), 'symbols and constants are untouched');
  }
});

test('Depth scanner: symbols of any length are told apart, those of no plain form are left alone', () => {
  const symbols = [
    'A', 'AB', 'BTCUSDT', 'BTCUSDTX', 'BTCUSD', 'ABCDEFGHIJKLMNO', 'ABCDEFGHIJKLMNOP',
    'ABCDEFGHIJKLMNOPQ', 'BTCUSDT_260925', '龙USDT', 'A B', 'A\\B', 'A"B', '',
  ]; // prettier-ignore
  const instruments = symbols.map((symbol, id) => testInstrument(id, symbol, 1, 1));
  const scratch = new EventScratch();
  const strict = new StrictParser(instruments, 'aggTrade', scratch);
  const known = new Set(symbols.filter((each) => /^[A-Z_0-9]{1,16}$/.test(each)));
  for (const way of waysOf(instruments)) {
    const names = [
      ...symbols,
      'BTCUSDTXX',
      'BTCUSDT\0',
      'BTCUSDT\0\0',
      'C',
      'ABCDEFGHIJKLMNOX',
      'A\\',
    ];
    for (const name of names) {
      const bytes = bytesOf(frameOf(name, '["1.5","2.5"]', ''));
      const taken = isTaken(way, bytes, strictly(bytes, strict, scratch), -1);
      assert.equal(taken, known.has(name), JSON.stringify(name));
      if (taken) assert.equal(way.scratch.instrumentId, symbols.indexOf(name));
    }
  }
});

test('Depth scanner: more symbols than its table holds are left to the other scanner, none is mistaken', () => {
  const instruments = Array.from({ length: 6000 }, (_, id) =>
    testInstrument(id, `S${((id * 7919) % 6000).toString(36).toUpperCase()}USDT`, 1, 1),
  );
  for (const { scanner, scratch } of waysOf(instruments)) {
    let taken = 0;
    for (const { id, symbol } of instruments) {
      const bytes = bytesOf(frameOf(symbol, '', '["1.5","2.5"]'));
      if (!scanner.scan(bytes, 0, bytes.length)) continue;
      taken++;
      if (scratch.instrumentId !== id) assert.fail(symbol);
    }
    assert.ok(taken > 3000 && taken < 4200, String(taken));
  }
});
