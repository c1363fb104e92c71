/** Hyperliquid as a venue, beyond the scanner: instruments, subscriptions, answers, odd frames. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { ContextField } from '../../src/domain/context-fields.js';
import { formatExactDecimal } from '../../src/domain/exact-decimal.js';
import * as R from '../../src/rings/record-types.js';
import { venueById } from '../../src/venues/registry.js';
import { ParseResult } from '../../src/venues/venue.js';
import { capturesDirectory } from '../support/captures.js';
import { CollectingSink, levelsOf, TEST_TIMELINE } from './scratch-frames.js';
import { faultWith } from './venue-contract.js';

const META = {
  universe: [
    { szDecimals: 5, name: 'BTC', maxLeverage: 40 },
    { szDecimals: 1, name: 'MATIC', maxLeverage: 20, isDelisted: true },
    { szDecimals: 0, name: 'kPEPE', maxLeverage: 10 },
  ],
};
const SPOT_META = {
  tokens: [
    { name: 'USDC', szDecimals: 8, index: 0 },
    { name: 'PURR', szDecimals: 0, index: 1 },
    { name: 'HYPE', szDecimals: 2, index: 150 },
  ],
  universe: [
    { name: 'PURR/USDC', tokens: [1, 0], index: 0 },
    { name: '@107', tokens: [150, 0], index: 107 },
  ],
};
const DEXS = [null, { name: 'xyz' }];
const DEX_META = { universe: [{ szDecimals: 3, name: 'xyz:SP500', maxLeverage: 20 }] };

const bodiesOf = (symbols: readonly string[] | 'all', markets = 'perps'): unknown[] =>
  venueById('hyperliquid', { settings: { markets } }).instrumentsRequests!(symbols).map(
    ({ body }) => JSON.parse(body!) as unknown,
  );

test('Instruments: only the questions that the wanted coins need are asked', () => {
  assert.deepEqual(bodiesOf(['BTC', 'ETH']), [{ type: 'meta' }]);
  assert.deepEqual(bodiesOf(['BTC', '@107']), [{ type: 'meta' }, { type: 'spotMeta' }]);
  assert.deepEqual(bodiesOf(['xyz:SP500', 'xyz:NVDA', 'abc:X']), [
    { type: 'meta', dex: 'xyz' },
    { type: 'meta', dex: 'abc' },
  ]);
  assert.deepEqual(bodiesOf('all'), [{ type: 'meta' }]);
  assert.deepEqual(bodiesOf('all', 'hip3'), [{ type: 'perpDexs' }, { type: 'allPerpMetas' }]);
  assert.equal(bodiesOf('all', 'all').length, 4);
});

test('Instruments: perps, spot and builders perps with the decimals of the price rule', () => {
  const venue = venueById('hyperliquid');
  const body = JSON.stringify([META, SPOT_META, DEXS, [META, DEX_META]]);
  const all = venue.readInstruments(body, 'all', 4);
  assert.deepEqual(
    all.map((one) => [one.id, one.name, one.base, one.quote, one.kind]),
    [
      [4, 'hyperliquid:BTC', 'BTC', 'USDC', 'perpetual'],
      [5, 'hyperliquid:kPEPE', 'kPEPE', 'USDC', 'perpetual'],
      [6, 'hyperliquid:PURR/USDC', 'PURR', 'USDC', 'spot'],
      [7, 'hyperliquid:@107', 'HYPE', 'USDC', 'spot'],
      [8, 'hyperliquid:xyz:SP500', 'SP500', 'USDC', 'perpetual'],
    ],
  );
  assert.deepEqual(
    all.map((one) => [one.priceDecimals, one.sizeDecimals, one.priceSignificantFigures]),
    [
      [1, 5, 5],
      [6, 0, 5],
      [8, 0, 5],
      [6, 2, 5],
      [3, 3, 5],
    ],
  );
  const [matic] = venue.readInstruments(JSON.stringify(META), ['MATIC'], 0);
  assert.equal(matic!.symbol, 'MATIC', 'a delisted coin can be named');
  assert.throws(() => venue.readInstruments(body, ['BTC', 'btc'], 0), faultWith('UNKNOWN_SYMBOL'));
  assert.throws(() => venue.readInstruments('{}', 'all', 0), faultWith('FRAME_MALFORMED'));
  assert.throws(() => venue.readInstruments('<html>', 'all', 0), faultWith('FRAME_MALFORMED'));
});

test("Instruments: the venue's recorded answer is read whole", (t) => {
  const directory = capturesDirectory();
  if (directory === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
  const yaml = readFileSync(
    join(directory, 'hyperliquid', 'python-sdk', 'test_get_info.yaml'),
    'utf8',
  );
  const body = /^ {6}string: '(\{"universe".*\})'$/m.exec(yaml)![1]!;
  const names = (JSON.parse(body) as { universe: { name: string }[] }).universe;
  const instruments = venueById('hyperliquid').readInstruments(body, 'all', 0);
  assert.deepEqual(
    instruments.map(({ symbol }) => symbol),
    names.map(({ name }) => name),
  );
  assert.ok(instruments.every((one) => one.priceDecimals + one.sizeDecimals === 6));
});

const [BTC] = venueById('hyperliquid').readInstruments(JSON.stringify(META), ['BTC'], 0);

test('Subscriptions: more than the venue allows an address are refused before any is sent', () => {
  const many = Array.from({ length: 801 }, (_, id) => ({ ...BTC!, id, symbol: `C${id}` }));
  const venue = venueById('hyperliquid');
  assert.throws(() => venue.planConnections(many, [Channel.Book]), faultWith('BAD_CONFIG'));
});

test('Subscriptions: the books of all coins are asked for before anything else', () => {
  const venue = venueById('hyperliquid');
  const two = [BTC!, { ...BTC!, id: 1, symbol: 'ETH' }];
  const [plan] = venue.planConnections(two, [Channel.Trades, Channel.Bbo, Channel.Book]);
  assert.deepEqual(
    plan!.streams.map(({ key }) => key),
    ['l2Book BTC', 'l2Book ETH', 'bbo BTC', 'bbo ETH', 'trades BTC', 'trades ETH'],
  );
  assert.match(plan!.subscribeFrames[1]!, /"l2Book","coin":"ETH"/);
});

test('Subscriptions: an acknowledgement is matched by what we said, whatever it adds', () => {
  const venue = venueById('hyperliquid', { settings: { l2Book: 'fast' } });
  const [plan] = venue.planConnections([BTC!], [Channel.Book, Channel.Bbo]);
  assert.deepEqual(
    plan!.subscribeFrames.map(
      (text) => (JSON.parse(text) as Record<string, unknown>)['subscription'],
    ),
    [
      { type: 'l2Book', coin: 'BTC', fast: true },
      { type: 'bbo', coin: 'BTC' },
    ],
  );
  const answer = (subscription: object, method = 'subscribe'): string =>
    JSON.stringify({ channel: 'subscriptionResponse', data: { method, subscription } });
  const full = { type: 'l2Book', coin: 'BTC', nSigFigs: null, mantissa: null, fast: true };
  assert.deepEqual(venue.readControl(answer(full)), { kind: 'ack', id: 'l2Book BTC' });
  assert.equal(venue.readControl(answer({ ...full, fast: false })).kind, 'other');
  assert.equal(venue.readControl(answer(full, 'unsubscribe')).kind, 'other');
  assert.equal(venue.readControl(answer({ ...full, coin: 'ETH' })).kind, 'other');
  assert.deepEqual(venue.readControl('{"channel":"pong"}'), { kind: 'pong' });
  const error = (data: string): string => JSON.stringify({ channel: 'error', data });
  const twice = error(`Already subscribed: ${JSON.stringify(full)}`);
  assert.deepEqual(venue.readControl(twice), { kind: 'ack', id: 'l2Book BTC' });
  const invalid = venue.readControl(error('Invalid subscription {"type":"bbo","coin":"BTC"}'));
  assert.equal(invalid.kind, 'refused');
  assert.equal(venue.readControl('not json').kind, 'other');
});

test('Parser: the greeting and channels without a place are passed over, answers are control', () => {
  const parser = venueById('hyperliquid').createParser([BTC!], TEST_TIMELINE, new CollectingSink());
  const parse = (text: string): ParseResult => {
    const bytes = Buffer.from(text);
    return parser.parse(bytes, 0, bytes.length, 1);
  };
  assert.equal(parse('Websocket connection established.'), ParseResult.Ignored);
  assert.equal(parse('{"channel":"allMids","data":{"mids":{"ETH":"1.5"}}}'), ParseResult.Ignored);
  assert.equal(parse('{"channel":"candle","data":{"s":"BTC"}}'), ParseResult.Ignored);
  assert.equal(parse('{"channel":"trades","data":[]}'), ParseResult.Ignored);
  assert.equal(parse('{"channel":"pong"}'), ParseResult.Control);
  assert.equal(parse('{"channel":"error","data":"…"}'), ParseResult.Control);
  assert.equal(parse('{"channel":"surprise","data":{}}'), ParseResult.UnknownType);
  const other = '{"channel":"bbo","data":{"coin":"ETH","time":1,"bbo":[null,null]}}';
  assert.equal(parse(other), ParseResult.UnknownSymbol);
  const precise =
    '{"channel":"bbo","data":{"coin":"BTC","time":1,"bbo":[{"px":"1.05","sz":"1.0","n":1},null]}}';
  assert.equal(parse(precise), ParseResult.Precision);
  assert.equal(parser.lastInstrumentId, BTC!.id, 'a fault names whom it concerns');
});

test('Parser: nothing of a trades frame is told if its last trade is malformed', () => {
  const sink = new CollectingSink();
  const parser = venueById('hyperliquid').createParser([BTC!], TEST_TIMELINE, sink);
  const trade = (px: string): string =>
    `{"coin":"BTC","side":"A","px":"${px}","sz":"1.0","time":5,"hash":"0x${'0a'.repeat(32)}",` +
    `"tid":7,"users":["0x${'11'.repeat(20)}","0x${'22'.repeat(20)}"]}`;
  const frame = (...prices: string[]): Buffer =>
    Buffer.from(`{"channel":"trades","data":[${prices.map(trade).join(',')}]}`);
  const bad = frame('1.0', '1.0', 'x');
  assert.equal(parser.parse(bad, 0, bad.length, 1), ParseResult.Malformed);
  assert.equal(sink.events.length, 0);
  const good = frame('1.0', '2.5');
  assert.equal(parser.parse(good, 0, good.length, 1), ParseResult.Events);
  assert.deepEqual(
    sink.events.map(({ recordType, doubles }) => [recordType, doubles[R.TRADE_PRICE]]),
    [
      [R.RecordType.TradeParties, 10],
      [R.RecordType.TradeParties, 25],
    ],
  );
  assert.equal(sink.events[0]!.doubles[R.TRADE_BUYER], 0x11111111);
  assert.equal(sink.events[0]!.doubles[R.TRADE_SELLER + 4], 0x22222222);
  assert.equal(sink.events[0]!.doubles[R.TRADE_HASH + 7], 0x0a0a0a0a);
});

test('Snapshot: a book by REST is one of the stream, cut to its depth; no book is a refusal', () => {
  const level = (px: number): object => ({ px: `${px}.0`, sz: '1.0', n: px });
  const levels = [
    Array.from({ length: 20 }, (_, i) => level(100 - i)),
    Array.from({ length: 3 }, (_, i) => level(101 + i)),
  ];
  const body = Buffer.from(JSON.stringify({ coin: 'BTC', time: 1_700_000_000_005, levels }));
  for (const [l2Book, bids, asks] of [
    ['full', 20, 3],
    ['fast', 5, 3],
  ] as const) {
    const sink = new CollectingSink();
    const venue = venueById('hyperliquid', { settings: { l2Book } });
    const answer = venue.readSnapshot(body, BTC!, 9, TEST_TIMELINE, sink);
    assert.equal(answer.kind, 'snapshot');
    const [event] = sink.events;
    const read = levelsOf(event!);
    assert.deepEqual([read.bids.length, read.asks.length], [bids, asks]);
    assert.deepEqual(read.asks[0], [1010, 100_000]);
    assert.ok((event!.doubles[R.FLAGS]! & R.WITH_BEST_ORDERS) !== 0);
    assert.deepEqual(event!.doubles.slice(-2), [100, 101], 'the orders at the best prices');
    assert.equal(event!.doubles[R.SEQUENCE_LAST], 1_700_000_000_005);
  }
  const venue = venueById('hyperliquid');
  const say = (text: string): string =>
    venue.readSnapshot(Buffer.from(text), BTC!, 9, TEST_TIMELINE, new CollectingSink()).kind;
  assert.equal(say('null'), 'refused');
  assert.equal(say('{"coin":"BTC"}'), 'malformed');
});

const FIELDS = ContextField;

/** The values of a ContextUpdate as text, by field; null for none. Only those that it tells. */
function told(doubles: readonly number[]): Record<number, string | null> {
  const texts: Record<number, string | null> = {};
  for (const field of Object.values(FIELDS)) {
    if ((doubles[R.CONTEXT_TOLD]! & (1 << field)) === 0) continue;
    const at = R.CONTEXT_VALUES + 3 * field;
    texts[field] =
      (doubles[R.CONTEXT_PRESENT]! & (1 << field)) === 0
        ? null
        : formatExactDecimal(doubles[at]!, doubles[at + 1]!, doubles[at + 2]!);
  }
  return texts;
}

test('Contexts: a perp tells all its values as they were written, a spot pair those that it has', () => {
  const sink = new CollectingSink();
  const purr = { ...BTC!, id: 1, symbol: 'PURR/USDC' };
  const parser = venueById('hyperliquid').createParser([BTC!, purr], TEST_TIMELINE, sink);
  const parse = (frame: object): void => {
    const bytes = Buffer.from(JSON.stringify(frame));
    assert.equal(parser.parse(bytes, 0, bytes.length, 1), ParseResult.Events);
  };
  const ctx = {
    funding: '-0.0000015186',
    openInterest: '605822.2557999999',
    prevDayPx: '86627.0',
    dayNtlVlm: '4161029539.6949653625',
    premium: null,
    oraclePx: '84198.0',
    markPx: '84148.0',
    midPx: '84143.5',
    impactPxs: ['84143.0', '84144.0'],
    dayBaseVlm: '49116.08533',
  };
  parse({ channel: 'activeAssetCtx', data: { coin: 'BTC', ctx } });
  parse({
    channel: 'activeSpotAssetCtx',
    data: {
      coin: 'PURR/USDC',
      ctx: {
        prevDayPx: '0.19',
        dayNtlVlm: '8.0',
        markPx: '0.2',
        midPx: null,
        circulatingSupply: '597.1',
      },
    },
  });
  assert.equal(parser.slowPathCount, 0);
  const [perp, spot] = sink.events;
  assert.equal(perp!.recordType, R.RecordType.ContextUpdate);
  assert.deepEqual(told(perp!.doubles), {
    [FIELDS.FundingRate]: '-0.0000015186',
    [FIELDS.OpenInterest]: '605822.2557999999',
    [FIELDS.PreviousDayPrice]: '86627.0',
    [FIELDS.DayNotional]: '4161029539.6949653625',
    [FIELDS.Premium]: null,
    [FIELDS.IndexPrice]: '84198.0',
    [FIELDS.MarkPrice]: '84148.0',
    [FIELDS.MidPrice]: '84143.5',
    [FIELDS.ImpactBidPrice]: '84143.0',
    [FIELDS.ImpactAskPrice]: '84144.0',
    [FIELDS.DayVolume]: '49116.08533',
  });
  assert.equal(perp!.doubles[R.EXCHANGE_NS], R.ABSENT, 'it does not say when it was made');
  assert.equal(spot!.doubles[R.INSTRUMENT], 1);
  const texts = told(spot!.doubles);
  assert.equal(texts[FIELDS.MarkPrice], '0.2');
  assert.equal(texts[FIELDS.FundingRate], null, 'what a context does not name is none');
});

test('Contexts: all mids are an update for each coin of ours; junk is no mid and keeps none out', () => {
  const sink = new CollectingSink();
  const coins = ['BTC', '@142', 'PURR/USDC', 'xyz:SP500'].map((symbol, id) => ({
    ...BTC!,
    id,
    symbol,
  }));
  const parser = venueById('hyperliquid').createParser(coins, TEST_TIMELINE, sink);
  const parse = (text: string): ParseResult => {
    const bytes = Buffer.from(text);
    return parser.parse(bytes, 0, bytes.length, 1);
  };
  const mids = (text: string): string => `{"channel":"allMids","data":{"mids":{${text}}}}`;
  assert.equal(
    parse(mids('"@142":"80907.5","ETH":"2296.45","BTC":"80868.5","PURR/USDC":"0.067131"')),
    ParseResult.Events,
  );
  assert.equal(parser.slowPathCount, 0);
  const said = (): unknown[] =>
    sink.events
      .splice(0)
      .map(({ doubles }) => [doubles[R.INSTRUMENT], told(doubles)[FIELDS.MidPrice]]);
  assert.deepEqual(said(), [
    [1, '80907.5'],
    [0, '80868.5'],
    [2, '0.067131'],
  ]);
  assert.equal(parse(mids('"BTC":"junk","xyz:SP500":"5003.0"')), ParseResult.Events);
  assert.deepEqual(said(), [
    [0, null],
    [3, '5003.0'],
  ]);
  assert.equal(parse(mids('"BTC":"1.0","BTC":"2.0"')), ParseResult.Malformed);
  assert.equal(parse(mids('"ETH":"1.0","ETH":"2.0","BTC":"3.0"')), ParseResult.Events);
});

test('Contexts: a value of more digits than are held refuses the frame and names its coin', () => {
  const parser = venueById('hyperliquid').createParser([BTC!], TEST_TIMELINE, new CollectingSink());
  const parse = (markPx: string): ParseResult => {
    const text = `{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"markPx":${markPx}}}}`;
    const bytes = Buffer.from(text);
    return parser.parse(bytes, 0, bytes.length, 1);
  };
  assert.equal(parse('"1.0000000000000001"'), ParseResult.Precision);
  assert.deepEqual([parser.lastInstrumentId, parser.lastChannel], [BTC!.id, Channel.Context]);
  assert.equal(parse('"x"'), ParseResult.Malformed);
  assert.equal(parse('1.5'), ParseResult.Events, 'documented as numbers, sent as texts');
});

test('Subscriptions: contexts are one a coin, or all mids in one for each dex', () => {
  const coins = ['BTC', 'PURR/USDC', '@107', 'xyz:SP500', 'xyz:NVDA'].map((symbol, id) => ({
    ...BTC!,
    id,
    symbol,
  }));
  const planOf = (context: string): [string[], number[]] => {
    const venue = venueById('hyperliquid', { settings: { context } });
    const [plan, ...more] = venue.planConnections(coins, [Channel.Context]);
    assert.equal(more.length, 0);
    const keys = plan!.subscribeFrames.map((text) => {
      const { type, coin, dex } = (JSON.parse(text) as { subscription: Record<string, string> })
        .subscription;
      return [type, coin, dex].filter((part) => part !== undefined).join(' ');
    });
    assert.deepEqual(new Set(keys), new Set(plan!.streams.map(({ key }) => key)));
    assert.ok(plan!.streams.every(({ channel }) => channel === Channel.Context));
    return [keys, plan!.streams.map(({ instrumentId }) => instrumentId)];
  };
  const [full, ids] = planOf('full');
  assert.deepEqual(
    full,
    coins.map(({ symbol }) => `activeAssetCtx ${symbol}`),
  );
  assert.deepEqual(ids, [0, 1, 2, 3, 4]);
  assert.deepEqual(planOf('mids'), [
    ['allMids', 'allMids xyz'],
    [0, 1, 2, 3, 4],
  ]);
});

test('Subscriptions: an answer to all mids is matched by its dex, with defaults filled in or not', () => {
  const venue = venueById('hyperliquid', { settings: { context: 'mids' } });
  venue.planConnections([BTC!, { ...BTC!, id: 1, symbol: 'xyz:SP500' }], [Channel.Context]);
  const ack = (subscription: object): unknown =>
    venue.readControl(
      JSON.stringify({
        channel: 'subscriptionResponse',
        data: { method: 'subscribe', subscription },
      }),
    );
  assert.deepEqual(ack({ type: 'allMids' }), { kind: 'ack', id: 'allMids' });
  assert.deepEqual(ack({ type: 'allMids', dex: null }), { kind: 'ack', id: 'allMids' });
  assert.deepEqual(ack({ type: 'allMids', dex: '' }), { kind: 'ack', id: 'allMids' });
  assert.deepEqual(ack({ type: 'allMids', dex: 'xyz' }), { kind: 'ack', id: 'allMids xyz' });
  assert.deepEqual(ack({ type: 'allMids', dex: 'abc' }), { kind: 'other' });
});

test('Parser: every frame that was quoted from the wire means what it is known to mean', (t) => {
  const directory = capturesDirectory();
  if (directory === null) return t.skip('no captures: set RINGSIDE_CAPTURES');
  const path = join(directory, 'hyperliquid', 'profile', 'frames_2026-09-24.jsonl');
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const coins = ['BTC', 'kPEPE', 'xyz:SP500', 'MATIC'].map((symbol, id) => ({
    ...BTC!,
    id,
    symbol,
    priceDecimals: 6,
    sizeDecimals: 5,
  }));
  const venue = venueById('hyperliquid', { settings: { l2Book: 'fast' } });
  venue.planConnections([BTC!, { ...BTC!, id: 1, symbol: 'SOL' }], [Channel.Book]);
  const parser = venue.createParser(coins, TEST_TIMELINE, new CollectingSink());
  const meanings = new Map<string, string[]>();
  for (const line of lines) {
    const { channel } = JSON.parse(line) as { channel: string };
    const bytes = Buffer.from(line);
    const result = parser.parse(bytes, 0, bytes.length, 1);
    const control = result === ParseResult.Control ? ` ${venue.readControl(line).kind}` : '';
    meanings.set(channel, [...(meanings.get(channel) ?? []), `${result}${control}`]);
  }
  const events = String(ParseResult.Events);
  const control = (kind: string): string => `${ParseResult.Control} ${kind}`;
  assert.deepEqual(Object.fromEntries(meanings), {
    // The answer to our subscription, and one to an unsubscription.
    subscriptionResponse: [control('ack'), control('other')],
    l2Book: [events, events, events, events],
    bbo: [events],
    activeAssetCtx: [events],
    trades: [events],
    candle: [String(ParseResult.Ignored)],
    pong: [control('pong')],
    // "Already subscribed" with another `fast` than ours, and what the server could not read.
    error: [control('refused'), control('refused')],
    post: [String(ParseResult.Ignored)],
  });
});
