/**
 * The futures parser against its oracle: generated and mutated frames through the fast scanner and
 * through the strict parser give the same event or the same fault. The seed is printed on failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import type { TradeKind } from '../../src/venues/binance-futures/messages.js';
import { SnapshotReader } from '../../src/venues/binance-futures/snapshot.js';
import { ParseResult } from '../../src/venues/venue.js';
import { DEPTH, INSTRUMENTS, RECEIVED_NS, parse, strictly } from './futures-parsing.js';
import type { Parsed } from './futures-parsing.js';
import { CollectingSink, TEST_TIMELINE } from './scratch-frames.js';
import type { CollectedEvent } from './scratch-frames.js';

const plainDecimal = fc
  .tuple(fc.nat(99_999), fc.nat(99), fc.nat(2))
  .map(([whole, fraction, places]) => (whole + fraction / 100).toFixed(places));
const decimalText = fc.oneof(
  { weight: 60, arbitrary: plainDecimal },
  { weight: 4, arbitrary: fc.nat(999_999).map(String) },
  fc.stringMatching(/^\d{1,12}\.\d{0,10}$/),
  fc.stringMatching(/^-?\d{1,20}(\.\d{1,3})?(e[+-]?\d)?$/),
  fc.constantFrom(
    '',
    '.',
    '0.00',
    '0',
    '90071992547409.92',
    '9007199254740993',
    '1"',
    '\\u0031',
    ' 1',
  ),
);
const level = fc.oneof(
  { weight: 80, arbitrary: fc.tuple(decimalText, decimalText).map(([p, q]) => `["${p}","${q}"]`) },
  fc.constantFrom('[]', '["1"]', '[1,2]', '["1","2",[]]', 'null', '["1" ,"2"]'),
);
const side = fc.array(level, { maxLength: 6 }).map((levels) => `[${levels.join(',')}]`);
const oddWhole = fc.constantFrom(
  '-1',
  '01',
  '1.0',
  '1e3',
  '9007199254740993',
  '123456789012345678901',
  '"5"',
  'null',
);
/** Mostly a plain number not below `least`. */
const wholeFrom = (least: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 60, arbitrary: fc.integer({ min: least, max: Number.MAX_SAFE_INTEGER }).map(String) },
    { weight: 4, arbitrary: fc.nat(99).map(String) },
    oddWhole,
  );
const whole = wholeFrom(1000);
const small = fc.oneof({ weight: 30, arbitrary: fc.nat(1000).map(String) }, oddWhole);
const symbolText = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('BTCUSDT', '1000PEPEUSDT') },
  fc.constantFrom('ETHUSD_PERP', 'SHIBUSDT', 'XRPUSDT', 'BTC\\u0055SDT'),
);

/** The members of a message of each type, as JSON text, in the venue's order. */
const depthMembers = fc
  .record({ E: whole, T: whole, s: symbolText, U: small, u: whole, pu: whole, b: side, a: side })
  .map((m) => [
    '"e":"depthUpdate"',
    `"E":${m.E}`,
    `"T":${m.T}`,
    `"s":"${m.s}"`,
    `"U":${m.U}`,
    `"u":${m.u}`,
    `"pu":${m.pu}`,
    `"b":${m.b}`,
    `"a":${m.a}`,
  ]);
const tickerMembers = fc
  .record({
    u: whole,
    s: symbolText,
    b: decimalText,
    B: decimalText,
    a: decimalText,
    A: decimalText,
    E: whole,
  })
  .map((m) => [
    '"e":"bookTicker"',
    `"u":${m.u}`,
    `"s":"${m.s}"`,
    `"b":"${m.b}"`,
    `"B":"${m.B}"`,
    `"a":"${m.a}"`,
    `"A":"${m.A}"`,
    `"T":${m.E}`,
    `"E":${m.E}`,
  ]);
const tradeMembers = fc
  .record({
    kind: fc.constantFrom('trade', 'aggTrade'),
    s: symbolText,
    id: small,
    l: whole,
    p: decimalText,
    q: decimalText,
    X: fc.constantFrom('MARKET', 'MARKET', 'ADL', 'LIMIT', 'MARKETX'),
    m: fc.constantFrom('true', 'false', 'true', 'false', '1', 'falsy'),
  })
  .map((m) => [
    `"e":"${m.kind}"`,
    '"E":1700000000000',
    `"s":"${m.s}"`,
    `"a":${m.id}`,
    `"t":${m.id}`,
    `"p":"${m.p}"`,
    `"q":"${m.q}"`,
    `"f":${m.id}`,
    `"l":${m.l}`,
    `"X":"${m.X}"`,
    `"m":${m.m}`,
  ])
  .map((members) =>
    members.filter((member) =>
      members[0]!.includes('agg')
        ? !member.startsWith('"t"') && !member.startsWith('"X"')
        : !/^"[afl]"/.test(member),
    ),
  );
const extraMember = fc.constantFrom(
  '"ps":"BTCUSD"',
  '"st":1',
  '"nq":"5"',
  '"x":1',
  '"zz":true',
  '"zz":{"b":[]}',
  '"e":"kline"',
  '"stream":"x"',
  '"data":{}',
  '"pu":5',
  '"":0',
  '"é":1',
  '"q q":-1.5',
  '"u":3',
  '"long name":[1,[2]]',
  '"T":4',
);
const frameText = fc
  .record({
    members: fc.oneof(depthMembers, depthMembers, tickerMembers, tradeMembers),
    extras: fc.array(fc.tuple(extraMember, fc.nat(12)), { maxLength: 2 }),
    dropped: fc.option(fc.nat(12), { freq: 8 }),
    swapped: fc.option(fc.tuple(fc.nat(8), fc.nat(8)), { freq: 3 }),
    isCombined: fc.boolean(),
    space: fc.constantFrom('', '', '', '', '', '', '', ' '),
  })
  .map(({ members, extras, dropped, swapped, isCombined, space }) => {
    const list = [...members];
    for (const [extra, at] of extras) list.splice(at % (list.length + 1), 0, extra);
    if (dropped !== null) list.splice(dropped % list.length, 1);
    if (swapped !== null) {
      const [i, j] = [swapped[0] % list.length, swapped[1] % list.length];
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    const message = `{${list.join(`,${space}`)}}`;
    return isCombined ? `{"stream":"btcusdt@depth@100ms","data":${message}}` : message;
  });
/** Bytes changed, removed or inserted here and there, most often by ones that matter to JSON. */
const mutations = fc.array(
  fc.record({
    at: fc.nat(),
    byte: fc.oneof(
      fc.constantFrom(...Buffer.from('"\\,:[]{}.0123456789-eE \u007f\n')),
      fc.nat(255),
    ),
    how: fc.constantFrom('set', 'insert', 'remove', 'cut'),
  }),
  { maxLength: 3 },
);

function mutate(
  text: string,
  changes: readonly { at: number; byte: number; how: string }[],
): Uint8Array {
  const bytes = [...new TextEncoder().encode(text)];
  for (const { at, byte, how } of changes) {
    const place = at % Math.max(1, bytes.length);
    if (how === 'set') bytes[place] = byte;
    else if (how === 'insert') bytes.splice(place, 0, byte);
    else if (how === 'remove') bytes.splice(place, 1);
    else bytes.length = place;
  }
  return Uint8Array.from(bytes);
}

function assertAgree(bytes: Uint8Array, tradeKind: TradeKind): Parsed {
  const parsed = parse(bytes, tradeKind);
  const expected = strictly(bytes, tradeKind);
  const text = Buffer.from(bytes).toString('latin1');
  assert.equal(parsed.result, expected.result, text);
  if (parsed.event !== undefined) assert.deepEqual(parsed.event.doubles, expected.doubles, text);
  return parsed;
}

test('Futures parser: on generated frames it says exactly what the strict parser says', () => {
  let fastEvents = 0;
  let slowEvents = 0;
  let faults = 0;
  fc.assert(
    fc.property(frameText, fc.constantFrom<TradeKind>('trade', 'aggTrade'), (text, tradeKind) => {
      const { result, isSlow } = assertAgree(new TextEncoder().encode(text), tradeKind);
      if (result === ParseResult.Events && isSlow) slowEvents++;
      if (result === ParseResult.Events && !isSlow) fastEvents++;
      if (result < 0) faults++;
    }),
    { numRuns: 8_000 },
  );
  // the property is worth something only if all three really happened
  assert.ok(
    fastEvents > 300 && slowEvents > 100 && faults > 1000,
    `${fastEvents} ${slowEvents} ${faults}`,
  );
});

test('Futures parser: on mutated frames it says exactly what the strict parser says', () => {
  const valid = fc.constantFrom(
    DEPTH,
    `{"stream":"btcusdt@depth@100ms","data":${DEPTH}}`,
    '{"e":"bookTicker","u":55,"s":"BTCUSDT","b":"2682.17","B":"159.5","a":"2682.18","A":"0.001","T":17,"E":18}',
    '{"e":"aggTrade","E":2,"a":593,"s":"BTCUSDT","p":"0.10","q":"100","f":100,"l":105,"T":1,"m":true}',
  );
  let fastEvents = 0;
  fc.assert(
    fc.property(fc.oneof(valid, valid, frameText), mutations, (text, changes) => {
      const { result, isSlow } = assertAgree(mutate(text, changes), 'aggTrade');
      if (result === ParseResult.Events && !isSlow) fastEvents++;
    }),
    { numRuns: 10_000 },
  );
  assert.ok(fastEvents > 1000, String(fastEvents));
});

test('Futures parser: with any byte of a frame replaced, put in or taken out, all scanners agree', () => {
  const frame =
    '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1700000000123,"T":1700000000120,' +
    '"s":"BTCUSDT","ps":"BTC","st":1,"U":5123107832349,"u":5123107837896,"pu":5123107832175,' +
    '"b":[["200.00","10.229"],["12345678.12","1.000"]],"a":[["1.00","123456789.123"]]}}';
  const odd = [0, 1, 0x0a, 0x1f, 0x7f, 0x80, 0xff, ...Buffer.from(' "\\,]}.09:-Ee[{')];
  const bytes = [...Buffer.from(frame)];
  for (let at = 0; at < bytes.length; at++) {
    assertAgree(Uint8Array.from(bytes.toSpliced(at, 1)), 'aggTrade');
    for (const byte of odd) {
      assertAgree(Uint8Array.from(bytes.with(at, byte)), 'aggTrade');
      assertAgree(Uint8Array.from(bytes.toSpliced(at, 0, byte)), 'aggTrade');
    }
  }
});

test('Futures snapshot: the fast reading says exactly what the strict one says', () => {
  const body = fc
    .record({ L: whole, E: whole, T: whole, b: side, a: side })
    .map(({ L, E, T, b, a }) => `{"lastUpdateId":${L},"E":${E},"T":${T},"bids":${b},"asks":${a}}`);
  const reader = new SnapshotReader();
  const read = (bytes: Uint8Array): { kind: string; events: CollectedEvent[] } => {
    const sink = new CollectingSink();
    const { kind } = reader.read(bytes, INSTRUMENTS[0]!, RECEIVED_NS, TEST_TIMELINE, sink);
    return { kind, events: sink.events };
  };
  let snapshots = 0;
  fc.assert(
    fc.property(body, fc.oneof(fc.constant([]), mutations), (text, changes) => {
      const bytes = mutate(text, changes);
      const fast = read(bytes);
      // white space in front is all it takes to be declined
      assert.deepEqual(
        fast,
        read(Uint8Array.of(0x20, ...bytes)),
        Buffer.from(bytes).toString('latin1'),
      );
      if (fast.kind === 'snapshot') snapshots++;
    }),
    { numRuns: 4_000 },
  );
  assert.ok(snapshots > 500, String(snapshots));
});
