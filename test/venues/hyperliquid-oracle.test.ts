/**
 * The Hyperliquid parser against its oracle: generated frames, whole and mutated, through the fast
 * scanner and through the strict parser give the same events or the same fault.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import * as R from '../../src/rings/record-types.js';
import { scanHex } from '../../src/venues/hyperliquid/scan-hex.js';
import { FrameScratch } from '../../src/venues/hyperliquid/frame-scratch.js';
import { StrictParser } from '../../src/venues/hyperliquid/parse-strict.js';
import { HyperliquidScanner } from '../../src/venues/hyperliquid/scan.js';
import { ParseResult } from '../../src/venues/venue.js';
import { testInstrument } from './scratch-frames.js';

const INSTRUMENTS = [
  testInstrument(3, 'BTC', 1, 5),
  testInstrument(7, 'xyz:SP500', 3, 3),
  testInstrument(9, '@107', 6, 2),
  testInstrument(11, 'kPEPE', 6, 0),
];

interface Said {
  readonly events: readonly number[][];
  readonly recordType: number;
  readonly instrumentId: number;
  readonly channel: number;
}

function saidBy(scratch: FrameScratch): Said {
  const { eventsCount, events: many, event, doubles, recordType, instrumentId, channel } = scratch;
  const all = eventsCount > 0 ? many.slice(0, eventsCount) : [event];
  const events = all.map((one) => {
    const copy = [...one.subarray(0, doubles)];
    // not of the parser: the moment of receipt
    copy[R.RECEIVED_NS] = 0;
    return copy;
  });
  return { events, recordType, instrumentId, channel };
}

// One for all tests: what an earlier frame left in the scanner's memory must not matter.
const fastScratch = new FrameScratch();
const scanner = new HyperliquidScanner(INSTRUMENTS, fastScratch);
const counts = { fast: 0, declined: 0, contexts: 0 };

/** Null: the fast scanner declines. Otherwise it was held against the strict parser. */
function scan(bytes: Uint8Array): Said | null {
  const around = new Uint8Array(bytes.length + 40).fill(0x39);
  around.set(bytes, 13);
  if (!scanner.scan(around, 13, 13 + bytes.length)) {
    counts.declined++;
    return null;
  }
  counts.fast++;
  if (fastScratch.recordType === R.RecordType.ContextUpdate) counts.contexts++;
  const strictScratch = new FrameScratch();
  const result = new StrictParser(INSTRUMENTS, strictScratch).parse(bytes);
  assert.equal(result, ParseResult.Events, Buffer.from(bytes).toString('latin1'));
  const said = saidBy(fastScratch);
  assert.deepEqual(said, saidBy(strictScratch));
  return said;
}

const plain = fc
  .tuple(fc.nat(99_999_999), fc.nat(9_999_999), fc.integer({ min: 1, max: 7 }))
  .map(
    ([whole, fraction, places]) => `${whole}.${String(fraction).padEnd(7, '0').slice(0, places)}`,
  );
const amount = fc.oneof(
  { weight: 10, arbitrary: plain },
  { weight: 20, arbitrary: fc.nat(999_999).map((n) => `${n}.0`) },
  { weight: 20, arbitrary: fc.nat(9_999_999).map((n) => `${n / 10}`) },
  fc.stringMatching(/^\d{1,18}(\.\d{0,10})?$/),
  fc.constantFrom('', '.', '.5', '5.', '-1.0', '1e3', '00.1', '9007199254740993', '1"', ' 1'),
);
const count = fc.oneof(
  { weight: 20, arbitrary: fc.nat(9_999).map(String) },
  fc.constantFrom('-1', '01', '1.0', '1e3', '12345678901', 'null', '""'),
);
const level = fc.record({ px: amount, sz: amount, n: count });
const levelText = fc.oneof(
  { weight: 30, arbitrary: level.map(({ px, sz, n }) => `{"px":"${px}","sz":"${sz}","n":${n}}`) },
  { weight: 20, arbitrary: level.map(({ px, sz, n }) => `{"n":${n},"px":"${px}","sz":"${sz}"}`) },
  level.map(({ px, sz, n }) => `{"sz":"${sz}","px":"${px}","n":${n}}`),
  fc.constantFrom('{}', 'null', '{"px":"1.0","sz":"1.0"}', '{"px":"1.0","sz":"1.0","n":1,"n":2}'),
);
const coin = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('BTC', 'xyz:SP500', '@107', 'kPEPE') },
  fc.constantFrom('btc', 'ETH', 'B\\u0054C', ''),
);
const time = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 2e12 }).map(String) },
  fc.constantFrom('0', '-1', '01', '1.5', '"1"', '9007199254740993'),
);
const sideText = fc.array(levelText, { maxLength: 6 }).map((levels) => `[${levels.join(',')}]`);
/** With the time before the levels as in 2026, or behind them as in 2025; now and then both. */
const book = fc
  .tuple(coin, time, sideText, sideText, fc.constantFrom([1, 0], [1, 0], [0, 1], [0, 1], [1, 1]))
  .map(([c, t, b, a, [before, behind]]) => {
    const timeText = `,"time":${t}`;
    const [first, last] = [timeText.repeat(before!), timeText.repeat(behind!)];
    return `{"channel":"l2Book","data":{"coin":"${c}"${first},"levels":[${b},${a}]${last}}}`;
  });
const ticker = fc
  .tuple(coin, time, levelText, levelText)
  .map(([c, t, b, a]) => `{"channel":"bbo","data":{"coin":"${c}","time":${t},"bbo":[${b},${a}]}}`);
const hexText = (digits: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 30, arbitrary: fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)) },
    fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${digits}}$`)),
    fc.stringMatching(new RegExp(`^[0-9a-g\`]{${digits - 1},${digits + 1}}$`)),
  );
const trade = fc
  .record({
    coin,
    side: fc.constantFrom('A', 'B', 'A', 'B', 'A', 'B', 'C'),
    px: amount,
    sz: amount,
    time,
    hash: hexText(64),
    tid: time,
    buyer: hexText(40),
    seller: hexText(40),
  })
  .chain((t) => {
    const users = `"users":["0x${t.buyer}","0x${t.seller}"]`;
    const [hash, id, at] = [`"hash":"0x${t.hash}"`, `"tid":${t.tid}`, `"time":${t.time}`];
    const [px, sz, side] = [`"px":"${t.px}"`, `"sz":"${t.sz}"`, `"side":"${t.side}"`];
    return fc.constantFrom(
      `{"coin":"${t.coin}",${side},${px},${sz},${at},${hash},${id},${users}}`,
      `{"coin":"${t.coin}",${hash},${px},${side},${sz},${id},${at},${users}}`,
    );
  });
const trades = fc
  .array(trade, { maxLength: 3 })
  .map((all) => `{"channel":"trades","data":[${all.join(',')}]}`);
const value = fc.oneof(
  { weight: 10, arbitrary: fc.stringMatching(/^-?\d{1,10}(\.\d{0,10})?$/) },
  { weight: 4, arbitrary: plain },
  amount,
);
const quoted = value.map((text) => `"${text}"`);
const contextName = fc.constantFrom(
  'funding',
  'openInterest',
  'prevDayPx',
  'dayNtlVlm',
  'premium',
  'oraclePx',
  'markPx',
  'midPx',
  'dayBaseVlm',
  'impactPxs',
  'circulatingSupply',
  'coin',
);
const contextMember = fc.tuple(contextName, quoted, quoted, fc.nat(20)).map(([name, a, b, odd]) => {
  if (odd === 0) return `"${name}":null`;
  if (odd === 1) return `"other":${a}`;
  if (odd === 2) return `"${name}":1.5`;
  if (odd === 3) return `"${name}":[${a}]`;
  return name === 'impactPxs' ? `"impactPxs":[${a},${b}]` : `"${name}":${a}`;
});
const context = fc
  .tuple(
    fc.constantFrom('activeAssetCtx', 'activeAssetCtx', 'activeSpotAssetCtx'),
    coin,
    fc.oneof(
      {
        weight: 20,
        arbitrary: fc.uniqueArray(contextMember, { selector: (m) => m.split(':')[0] }),
      },
      fc.array(contextMember, { maxLength: 4 }),
    ),
  )
  .map(
    ([channel, c, members]) =>
      `{"channel":"${channel}","data":{"coin":"${c}","ctx":{${members.join(',')}}}}`,
  );
const midCoin = fc.oneof(coin, fc.stringMatching(/^[A-Z@/]{1,6}$/));
const mids = fc
  .array(fc.tuple(midCoin, fc.oneof({ weight: 20, arbitrary: quoted }, fc.constant('"junk"'))), {
    maxLength: 8,
  })
  .map(
    (entries) =>
      `{"channel":"allMids","data":{"mids":{${entries.map(([c, m]) => `"${c}":${m}`).join(',')}}}}`,
  );
const frame = fc.oneof(book, ticker, trades, context, mids);
const runs = { numRuns: 6000 };

test('Scanner: what it takes is what the strict parser reads', () => {
  fc.assert(
    fc.property(frame, (text) => {
      scan(Buffer.from(text));
    }),
    runs,
  );
  assert.ok(counts.fast > 300 && counts.declined > 300, JSON.stringify(counts));
  assert.ok(counts.contexts > 100, JSON.stringify(counts));
});

test('Scanner: with any byte of a frame of either year replaced, put in or taken out it is right', () => {
  const users =
    '"users":["0x9aa589355bf745db9784c8ef3c646360f11b58af","0x8269c0a4f5f1a14582e0aa46856a234893c41970"]';
  const hash = '"hash":"0x7ab608dad75f7ce37c2f044516391f02023a00c072529bb51e7eb42d965356ce"';
  const frames = [
    '{"channel":"l2Book","data":{"coin":"BTC","time":1790232236546,"levels":[[{"px":"84143.0","sz":"10.25923","n":36}],[{"px":"84144.0","sz":"50.66449","n":1},{"px":"84150.0","sz":"0.00711","n":2}]]}}',
    '{"channel":"l2Book","data":{"coin":"BTC","levels":[[{"n":5,"px":"105055.0","sz":"3.03622"}],[{"n":10,"px":"105056.0","sz":"0.1428"},{"n":2,"px":"105057.0","sz":"1.0"}]],"time":1737918843542}}',
    '{"channel":"bbo","data":{"coin":"@107","time":1790232237145,"bbo":[null,{"px":"84.144","sz":"50.6","n":18}]}}',
    `{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"84143.0","sz":"0.00036","time":1790232216193,${hash},"tid":1045359869404765,${users}}]}`,
    `{"channel":"trades","data":[{"coin":"BTC",${hash},"px":"105056.0","side":"B","sz":"0.00219","tid":121451470284048,"time":1737918794873,${users}}]}`,
  ];
  const odd = [
    0,
    0x0a,
    0x2f,
    0x3a,
    0x60,
    0x67,
    0x7f,
    0x80,
    0xff,
    ...Buffer.from(' "\\,]}.09-aAnx[{:'),
  ];
  for (const text of frames) {
    const bytes = [...Buffer.from(text)];
    assert.ok(scan(Uint8Array.from(bytes)) !== null, text);
    for (let at = 0; at < bytes.length; at++) {
      scan(Uint8Array.from(bytes.toSpliced(at, 1)));
      assert.equal(scan(Uint8Array.from(bytes.slice(0, at))), null, 'cut');
      for (const byte of odd) {
        scan(Uint8Array.from(bytes.with(at, byte)));
        scan(Uint8Array.from(bytes.toSpliced(at, 0, byte)));
      }
    }
  }
});

test('Scanner: a frame with bytes changed, lost or added is taken only if it still means that', () => {
  const change = fc.record({
    at: fc.nat(2000),
    kind: fc.constantFrom('flip', 'cut', 'insert', 'drop'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0x22, 0x2c, 0x2e, 0x30, 0x5d, 0x7d)),
  });
  fc.assert(
    fc.property(frame, change, (text, { at, kind, byte }) => {
      const bytes = Buffer.from(text);
      const place = at % bytes.length;
      if (kind === 'flip') bytes[place] = byte;
      const changed =
        kind === 'cut'
          ? bytes.subarray(0, place)
          : kind === 'insert'
            ? Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place)])
            : kind === 'drop'
              ? Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)])
              : bytes;
      scan(changed);
    }),
    runs,
  );
});

test('Scanner: every byte at every digit of a hex word is taken exactly if it is a lower-case digit', () => {
  const view = new DataView(new ArrayBuffer(16));
  const out = new Float64Array(1);
  for (let place = 0; place < 8; place++) {
    for (let byte = 0; byte < 256; byte++) {
      for (let i = 0; i < 8; i++) view.setUint8(i, 0x61);
      view.setUint8(place, byte);
      const isDigit = /^[0-9a-f]$/.test(String.fromCharCode(byte));
      assert.equal(scanHex(view, 0, 1, out, 0), isDigit ? 8 : -1, `byte ${byte} at ${place}`);
      if (!isDigit) continue;
      const text = Buffer.from(view.buffer, 0, 8).toString('latin1');
      assert.equal(out[0], Number.parseInt(text, 16));
    }
  }
});
