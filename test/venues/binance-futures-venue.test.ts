/** Binance futures off the hot path: instruments, plans, control frames, snapshots, settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/domain/channel.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import * as R from '../../src/rings/record-types.js';
import { venueById, venueIds } from '../../src/venues/registry.js';
import { PART_LEVELS_MAX } from '../../src/venues/snapshot-parts.js';
import { CollectingSink, TEST_TIMELINE, levelsOf, testInstrument } from './scratch-frames.js';
import { faultWith } from './venue-contract.js';

const BTC = testInstrument(4, 'BTCUSDT', 2, 3);

function listing(symbol: string, tickSize: string, stepSize: string, more: object = {}): object {
  return {
    symbol,
    status: 'TRADING',
    contractType: 'PERPETUAL',
    baseAsset: symbol.replace(/USDT.*/, ''),
    quoteAsset: 'USDT',
    filters: [
      { filterType: 'LOT_SIZE', stepSize },
      { filterType: 'PRICE_FILTER', tickSize },
    ],
    ...more,
  };
}

const EXCHANGE_INFO = JSON.stringify({
  timezone: 'UTC',
  symbols: [
    listing('BTCUSDT', '0.10', '0.001'),
    listing('OLDUSDT', '0.1', '1', { status: 'SETTLING' }),
    listing('BTCUSDT_260925', '0.1', '0.001', { contractType: 'CURRENT_QUARTER' }),
    listing('SUSHIUSDT', '0.0010', '1', { status: undefined, contractStatus: 'TRADING' }),
  ],
});

test('Registry: an unknown venue is refused with those that are known', () => {
  assert.ok(venueIds().includes('binance-futures'));
  assert.throws(() => venueById('binance-future'), faultWith('UNKNOWN_VENUE'));
  assert.throws(() => venueById('toString'), faultWith('UNKNOWN_VENUE'));
});

test('Futures instruments: decimals are those of the steps as written, ids follow the answer', () => {
  const venue = venueById('binance-futures');
  const all = venue.readInstruments(EXCHANGE_INFO, 'all', 10);
  assert.deepEqual(
    all.map(({ id, name, kind, priceDecimals, sizeDecimals, tickSize, lotSize }) => [
      id,
      name,
      kind,
      priceDecimals,
      sizeDecimals,
      tickSize,
      lotSize,
    ]),
    [
      [10, 'binance-futures:BTCUSDT', 'perpetual', 2, 3, 10, 1],
      [11, 'binance-futures:BTCUSDT_260925', 'future', 1, 3, 1, 1],
      [12, 'binance-futures:SUSHIUSDT', 'perpetual', 4, 0, 10, 1],
    ],
  );
  const some = venue.readInstruments(EXCHANGE_INFO, ['SUSHIUSDT', 'BTCUSDT'], 0);
  assert.deepEqual(
    some.map(({ symbol }) => symbol),
    ['BTCUSDT', 'SUSHIUSDT'],
  );
});

test('Futures instruments: a symbol that is not listed and a broken answer have their own codes', () => {
  const venue = venueById('binance-futures');
  const read = (body: string, symbols: string[]) => () => venue.readInstruments(body, symbols, 0);
  assert.throws(read(EXCHANGE_INFO, ['BTCUSDT', 'NOUSDT']), faultWith('UNKNOWN_SYMBOL'));
  assert.throws(read('<html>', ['BTCUSDT']), faultWith('FRAME_MALFORMED'));
  assert.throws(read('{"code":-1}', ['BTCUSDT']), faultWith('FRAME_MALFORMED'));
  const withoutLot = JSON.stringify({ symbols: [listing('AUSDT', '0.1', '')] });
  assert.throws(read(withoutLot, ['AUSDT']), faultWith('FRAME_MALFORMED'));
});

test('Futures plan: book and ticker on /public, aggregate trades on /market', () => {
  const venue = venueById('binance-futures');
  const plans = venue.planConnections(
    [BTC],
    [Channel.Book, Channel.Bbo, Channel.Trades, Channel.Status],
  );
  assert.deepEqual(
    plans.map(({ name, url, subscribeFrames }) => [name, url, subscribeFrames]),
    [
      [
        'public-0',
        'wss://fstream.binance.com/public/stream',
        ['{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","btcusdt@bookTicker"],"id":1}'],
      ],
      [
        'market-0',
        'wss://fstream.binance.com/market/stream',
        ['{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"],"id":1}'],
      ],
    ],
  );
});

test('Futures plan: settings choose the depth interval and the trade channel', () => {
  const plan = (depthInterval: string, trades: string): string[] =>
    venueById('binance-futures', { settings: { depthInterval, trades } })
      .planConnections([BTC], [Channel.Book, Channel.Trades])
      .map(({ name, streams }) => `${name} ${streams.map(({ key }) => key).join(' ')}`);
  assert.deepEqual(plan('0ms', 'trade'), ['public-0 btcusdt@depth@0ms btcusdt@trade']);
  assert.deepEqual(plan('250ms', 'aggTrade'), [
    'public-0 btcusdt@depth',
    'market-0 btcusdt@aggTrade',
  ]);
  assert.throws(() => plan('1ms', 'trade'), faultWith('BAD_CONFIG'));
});

test('Futures plan: at most 200 streams a connection, 50 a request', () => {
  const instruments = Array.from({ length: 130 }, (_, i) => testInstrument(i, `C${i}USDT`, 2, 0));
  const plans = venueById('binance-futures').planConnections(instruments, [
    Channel.Book,
    Channel.Bbo,
  ]);
  assert.deepEqual(
    plans.map(({ streams }) => streams.length),
    [200, 60],
  );
  assert.deepEqual(
    plans.map(({ subscribeFrames }) => subscribeFrames.length),
    [4, 2],
  );
});

test('Futures control frames: acks, refusals and the notice of a shutdown are told apart', () => {
  const venue = venueById('binance-futures');
  assert.deepEqual(venue.readControl('{"result":null,"id":3}'), { kind: 'ack', id: '3' });
  assert.deepEqual(venue.readControl('{"code":2,"msg":"Invalid request"}'), {
    kind: 'refused',
    id: null,
    message: '2 Invalid request',
  });
  assert.deepEqual(venue.readControl('{"error":{"code":3,"msg":"Invalid JSON"},"id":"a"}'), {
    kind: 'refused',
    id: 'a',
    message: '3 Invalid JSON',
  });
  const shutdown = '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}';
  assert.deepEqual(venue.readControl(shutdown), { kind: 'closing', message: 'serverShutdown' });
  for (const text of ['pong', '[]', '{}', '{"id":1}']) {
    assert.deepEqual(venue.readControl(text), { kind: 'other' });
  }
});

function readSnapshot(body: string, sink = new CollectingSink()) {
  const bytes = new TextEncoder().encode(body);
  const answer = venueById('binance-futures').readSnapshot(bytes, BTC, 77, TEST_TIMELINE, sink);
  return { answer, events: sink.events };
}

test('Futures snapshot: becomes one record anchored at lastUpdateId', () => {
  const { answer, events } = readSnapshot(
    '{"lastUpdateId":1027024,"E":1700000000002,"T":1700000000001,' +
      '"bids":[["4.00","431.000"],["3.99","1"]],"asks":[["4.02","12.5"]]}',
  );
  assert.equal(answer.kind, 'snapshot');
  const [event] = events;
  assert.equal(event!.recordType, R.RecordType.DepthSnapshot);
  const flags = EventFlag.Snapshot | EventFlag.Last;
  assert.deepEqual(event!.doubles.slice(0, 10), [
    4,
    flags,
    2e6,
    77,
    1027024,
    1027024,
    -1,
    1e6,
    2,
    1,
  ]);
  assert.deepEqual(levelsOf(event!), {
    bids: [
      [400, 431_000],
      [399, 1000],
    ],
    asks: [[402, 12_500]],
  });
});

test('Futures snapshot: an empty book is a snapshot too', () => {
  const { answer, events } = readSnapshot('{"lastUpdateId":5,"bids":[],"asks":[]}');
  assert.equal(answer.kind, 'snapshot');
  assert.equal(events.length, 1);
  assert.equal(events[0]!.doubles[R.EXCHANGE_NS], R.ABSENT);
});

test('Futures snapshot: a large one comes in parts that together are the whole', () => {
  const side = (first: number, count: number): string[][] =>
    Array.from({ length: count }, (_, i) => [`${first + i}.50`, `${i + 1}`]);
  const bids = side(1, 3000);
  const asks = side(5000, 2500);
  const { events } = readSnapshot(JSON.stringify({ lastUpdateId: 9, bids, asks }));
  assert.equal(events.length, Math.ceil(5500 / PART_LEVELS_MAX));
  assert.deepEqual(
    events.map(({ doubles }) => doubles[R.FLAGS]),
    [EventFlag.Snapshot, EventFlag.Continued, EventFlag.Continued | EventFlag.Last],
  );
  assert.ok(events.every(({ doubles }) => doubles[R.SEQUENCE_LAST] === 9));
  assert.equal(events.flatMap((event) => levelsOf(event).bids).length, 3000);
  assert.deepEqual(events.flatMap((event) => levelsOf(event).asks).at(-1), [749_950, 2_500_000]);
});

test('Futures snapshot: refusals and what is no snapshot are told apart, and nothing is sent', () => {
  const cases: [string, string][] = [
    ['{"code":-1121,"msg":"Invalid symbol."}', 'refused'],
    ['<html>429</html>', 'malformed'],
    ['{"lastUpdateId":1,"bids":[]}', 'malformed'],
    ['{"lastUpdateId":1,"bids":[],"asks":[],"bids":[["1","1"]]}', 'malformed'],
    ['{"lastUpdateId":1,"bids":[["1.005","1"]],"asks":[]}', 'malformed'],
    ['{"lastUpdateId":1,"symbol":"ETHUSDT","bids":[],"asks":[]}', 'malformed'],
    ['{"lastUpdateId":1,"bids":[["1","1"]],"asks":[]', 'malformed'],
  ];
  for (const [body, kind] of cases) {
    const { answer, events } = readSnapshot(body);
    assert.equal(answer.kind, kind, body);
    assert.equal(events.length, 0);
  }
});

test('Futures snapshot: a sink without room refuses it', () => {
  const sink = new CollectingSink();
  sink.isFull = true;
  assert.equal(readSnapshot('{"lastUpdateId":5,"bids":[],"asks":[]}', sink).answer.kind, 'refused');
});

test('Futures snapshot: the weight follows the limit', () => {
  const weightAt = (snapshotLimit: string): number =>
    venueById('binance-futures', { settings: { snapshotLimit } }).snapshotRequest(BTC).weight;
  assert.deepEqual(['50', '100', '500', '1000'].map(weightAt), [2, 5, 10, 20]);
  const { url } = venueById('binance-futures').snapshotRequest(BTC);
  assert.equal(url, 'https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000');
});
