/** Mark prices of Binance: the fast scanner against the strict parser, and what is made of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Channel } from '../../src/domain/channel.js';
import { ContextField } from '../../src/domain/context-fields.js';
import { formatExactDecimal } from '../../src/domain/exact-decimal.js';
import * as R from '../../src/rings/record-types.js';
import { StrictParser } from '../../src/venues/binance-futures/parse-strict.js';
import { MarkPriceScanner } from '../../src/venues/binance-futures/scan-mark-price.js';
import { EventScratch } from '../../src/venues/event-scratch.js';
import { FrameMemory } from '../../src/venues/frame-memory.js';
import { venueById } from '../../src/venues/registry.js';
import { ParseResult } from '../../src/venues/venue.js';
import { capturesDirectory } from '../support/captures.js';
import { CollectingSink, TEST_TIMELINE, testInstrument } from './scratch-frames.js';

const BTC = testInstrument(4, 'BTCUSDT', 2, 3);
const ETH = testInstrument(9, 'ETHUSDT', 2, 3);
const MARK = {
  e: 'markPriceUpdate',
  E: 1_700_000_000_005,
  s: 'BTCUSDT',
  p: '11794.15000000',
  i: '11784.62659091',
  P: '11784.25641265',
  r: '-0.00038167',
  T: 1_700_000_028_800,
};

function parse(text: string): [ParseResult, readonly number[] | undefined, number] {
  const sink = new CollectingSink();
  const parser = venueById('binance-futures').createParser([BTC, ETH], TEST_TIMELINE, sink);
  const bytes = Buffer.from(text);
  const result = parser.parse(bytes, 0, bytes.length, 7);
  return [result, sink.events[0]?.doubles, parser.slowPathCount];
}

function textOf(doubles: readonly number[], field: number): string | null {
  const at = R.CONTEXT_VALUES + 3 * field;
  if ((doubles[R.CONTEXT_PRESENT]! & (1 << field)) === 0) return null;
  return formatExactDecimal(doubles[at]!, doubles[at + 1]!, doubles[at + 2]!);
}

function assertMark(doubles: readonly number[]): void {
  assert.equal(doubles[R.INSTRUMENT], BTC.id);
  assert.equal(textOf(doubles, ContextField.MarkPrice), '11794.15000000');
  assert.equal(textOf(doubles, ContextField.IndexPrice), '11784.62659091');
  assert.equal(textOf(doubles, ContextField.FundingRate), '-0.00038167');
  assert.equal(textOf(doubles, ContextField.MidPrice), null);
  assert.equal(doubles[R.EXCHANGE_NS], 5e6);
  assert.equal(doubles[R.SEQUENCE_LAST], MARK.E, 'only the newest counts, by its time');
  assert.equal(doubles[R.CONTEXT_NEXT_FUNDING_NS], 28_800e6);
}

test('Mark price: raw and combined frames are read on the fast path, exactly', () => {
  const raw = JSON.stringify(MARK);
  for (const text of [raw, `{"stream":"btcusdt@markPrice@1s","data":${raw}}`]) {
    const [result, doubles, slow] = parse(text);
    assert.deepEqual([result, slow], [ParseResult.Events, 0]);
    assertMark(doubles!);
  }
  const spaced = JSON.stringify({ stream: 'x', data: MARK }, null, 1);
  const [result, doubles, slow] = parse(spaced);
  assert.deepEqual([result, slow], [ParseResult.Events, 1]);
  assertMark(doubles!);
});

test('Mark price: the frame that another client keeps as a fixture is read', (t) => {
  const directory = capturesDirectory();
  if (directory === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
  const path = 'fixtures-nautilus/fixtures/binance/futures/market_data_json/mark_price_stream.json';
  const frame = JSON.stringify(JSON.parse(readFileSync(join(directory, path), 'utf8')));
  const [result, doubles, slow] = parse(frame);
  assert.deepEqual([result, slow], [ParseResult.Events, 0]);
  assert.equal(textOf(doubles!, ContextField.FundingRate), '0.00038167');
});

test('Mark price: a contract without funding has no rate and no next time', () => {
  const [result, doubles] = parse(JSON.stringify({ ...MARK, r: '', T: 0 }));
  assert.equal(result, ParseResult.Events);
  assert.equal(textOf(doubles!, ContextField.FundingRate), null);
  assert.equal(doubles![R.CONTEXT_NEXT_FUNDING_NS], R.ABSENT);
  assert.ok((doubles![R.CONTEXT_TOLD]! & (1 << ContextField.FundingRate)) !== 0, 'it says so');
});

test('Mark price: of others symbols, malformed or of too many digits it is refused', () => {
  const of = (more: object): ParseResult => parse(JSON.stringify({ ...MARK, ...more }))[0];
  assert.equal(of({ s: 'XUSDT' }), ParseResult.UnknownSymbol);
  assert.equal(of({ p: 'x' }), ParseResult.Malformed);
  assert.equal(of({ p: 5 }), ParseResult.Malformed);
  assert.equal(of({ E: '5' }), ParseResult.Malformed);
  assert.equal(of({ i: '1.0000000000000001' }), ParseResult.Precision);
  const twice = JSON.stringify(MARK).replace('"i":', '"p":"1.0","i":');
  assert.equal(parse(twice)[0], ParseResult.Malformed);
});

test('Mark price: it is subscribed to on the market route, beside the aggregated trades', () => {
  const venue = venueById('binance-futures');
  const plans = venue.planConnections([BTC, ETH], [Channel.Book, Channel.Context]);
  assert.deepEqual(
    plans.map(({ name, streams }) => [name, streams.map(({ key }) => key)]),
    [
      ['public-0', ['btcusdt@depth@100ms', 'ethusdt@depth@100ms']],
      ['market-0', ['btcusdt@markPrice@1s', 'ethusdt@markPrice@1s']],
    ],
  );
});

test('Mark price scanner: what it takes, the strict parser reads as the same', () => {
  const decimal = fc.oneof(
    { weight: 10, arbitrary: fc.stringMatching(/^-?\d{1,8}\.\d{1,8}$/) },
    fc.stringMatching(/^\d{1,17}(\.\d{0,17})?$/),
    fc.constantFrom('', '-', '1e5', '.5'),
  );
  const member = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constantFrom('p', 'i', 'r', 'P', 'ap'), decimal) },
    fc.tuple(fc.constantFrom('T', 'st'), fc.nat().map(Number)),
    fc.tuple(fc.constantFrom('x', 'u', 'b'), fc.nat().map(Number)),
  );
  const frame = fc
    .tuple(
      fc.constantFrom('BTCUSDT', 'ETHUSDT', 'btcusdt'),
      fc.nat().map(String),
      fc.array(member, { maxLength: 7 }),
      fc.boolean(),
    )
    .map(([s, time, members, isCombined]) => {
      const rest = members.map(([name, value]) => `,"${name}":${JSON.stringify(value)}`).join('');
      const raw = `{"e":"markPriceUpdate","E":${time},"s":"${s}"${rest}}`;
      return isCombined ? `{"stream":"s@markPrice","data":${raw}}` : raw;
    });
  const change = fc.record({ at: fc.nat(400), byte: fc.nat(255), isChanged: fc.nat(3) });
  const fast = new EventScratch();
  const scanner = new MarkPriceScanner([BTC, ETH], new FrameMemory(), fast);
  const counts = { taken: 0, declined: 0 };
  fc.assert(
    fc.property(frame, change, (text, { at, byte, isChanged }) => {
      const bytes = Buffer.from(text);
      if (isChanged === 0) bytes[at % bytes.length] = byte;
      if (!scanner.scan(bytes, 0, bytes.length)) {
        counts.declined++;
        return;
      }
      counts.taken++;
      const scratch = new EventScratch();
      const strict = new StrictParser([BTC, ETH], 'trade', scratch);
      assert.equal(strict.parse(bytes), ParseResult.Events, bytes.toString('latin1'));
      const said = (one: EventScratch): unknown => [
        one.recordType,
        one.channel,
        one.instrumentId,
        [...one.event.subarray(0, one.doubles)].map((n, i) => (i === R.RECEIVED_NS ? 0 : n)),
      ];
      assert.deepEqual(said(fast), said(scratch), bytes.toString('latin1'));
    }),
    { numRuns: 5000 },
  );
  assert.ok(counts.taken > 500 && counts.declined > 500, JSON.stringify(counts));
});
