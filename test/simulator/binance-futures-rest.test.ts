/**
 * The simulated Binance USDⓈ-M's REST answers, weights and refusals; control frames of its streams.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestBudget } from '../../src/simulator/rest-budget.js';
import { simulatedVenueRig } from '../support/simulated-venue-rig.js';

interface Depth {
  lastUpdateId: number;
  E: number;
  T: number;
  bids: [string, string][];
  asks: [string, string][];
}

test('exchangeInfo lists every instrument with the steps that its frames keep', () => {
  const rig = simulatedVenueRig({ markets: 24 });
  const answer = rig.get('/fapi/v1/exchangeInfo');
  assert.equal(answer.status, 200);
  const info = JSON.parse(answer.body) as {
    symbols: { symbol: string; pricePrecision: number; filters: Record<string, string>[] }[];
  };
  assert.equal(info.symbols.length, 24);
  const bitcoin = info.symbols[0]!;
  assert.equal(bitcoin.symbol, 'BTCUSDT');
  assert.equal(bitcoin.pricePrecision, 2);
  assert.equal(bitcoin.filters[0]!['tickSize'], '0.10', 'the tick is coarser than the precision');
  assert.equal(bitcoin.filters[1]!['stepSize'], '0.001');
});

test('A depth snapshot gives the best levels at its limit, and tells its weight', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  rig.advance(500);
  let used = 0;
  for (const [limit, weight] of [
    [5, 2],
    [10, 2],
    [20, 2],
    [50, 2],
    [100, 5],
    [500, 10],
    [1000, 20],
  ] as const) {
    const answer = rig.get(`/fapi/v1/depth?symbol=BTCUSDT&limit=${limit}`);
    const depth = JSON.parse(answer.body) as Depth;
    const truth = rig.truth.book('BTCUSDT');
    assert.equal(depth.lastUpdateId, truth.updateId);
    assert.equal(depth.bids.length, Math.min(limit, truth.bids.length / 2));
    assert.equal(Number(depth.bids[0]![0]), truth.bids[0]! / 100);
    assert.equal(Number(depth.asks[0]![1]), truth.asks[1]! / 1000);
    used += weight;
    assert.equal(answer.headers['X-MBX-USED-WEIGHT-1M'], String(used));
  }
});

test("Bad REST requests get the venue's codes", () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const expect = (target: string, status: number, code: number): void => {
    const answer = rig.get(target);
    assert.equal(answer.status, status, target);
    assert.equal((JSON.parse(answer.body) as { code: number }).code, code, target);
  };
  expect('/fapi/v1/depth', 400, -1102);
  expect('/fapi/v1/depth?symbol=', 400, -1102);
  expect('/fapi/v1/depth?symbol=NOSUCH', 400, -1121);
  expect('/fapi/v1/depth?symbol=btcusdt', 400, -1121);
  expect('/fapi/v1/depth?symbol=BTCUSDT&limit=7', 400, -4021);
  expect('/fapi/v1/depth?symbol=BTCUSDT&limit=5000', 400, -4021);
  expect('/fapi/v1/nothing', 404, -5000);
  expect('/', 404, -5000);
});

test('Weight beyond the limit is refused by 429 with Retry-After, and persistence by 418', () => {
  const rig = simulatedVenueRig({ markets: 1, dialect: { restWeightMax: 60, refusalsMax: 2 } });
  const ask = (address = '10.0.0.1') =>
    rig.get('/fapi/v1/depth?symbol=BTCUSDT&limit=1000', address);
  for (let n = 0; n < 3; n++) assert.equal(ask().status, 200);
  const refused = ask();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers['Retry-After'], '60');
  assert.match(refused.body, /"code":-1003,"msg":"Too many requests/);
  assert.equal(ask('10.0.0.2').status, 200, 'another address has an account of its own');
  assert.equal(ask().status, 429);
  const banned = ask();
  assert.equal(banned.status, 418);
  assert.match(banned.body, /banned until \d{13}\./);
  rig.advance(61_000);
  assert.equal(ask().status, 418, 'a ban outlives the minute');
  rig.advance(61_000);
  assert.equal(ask().status, 200);
});

test('RestBudget starts anew each minute', () => {
  const budget = new RestBudget(10, 5);
  assert.equal(budget.charge('a', 10, 1e9).status, 200);
  assert.deepEqual(budget.charge('a', 1, 50e9), { status: 429, usedWeight: 11, retryAfterS: 10 });
  assert.deepEqual(budget.charge('a', 10, 60e9), { status: 200, usedWeight: 10, retryAfterS: 0 });
});

test('Subscriptions and properties are changed, listed and answered', () => {
  const rig = simulatedVenueRig({ markets: 2 });
  const client = rig.connect('/public/ws');
  const send = (value: unknown): string | undefined => {
    rig.advance(200);
    client.session!.onText(typeof value === 'string' ? value : JSON.stringify(value));
    return client.answers.pop();
  };
  rig.advance(500);
  assert.equal(client.frames.length, 0);
  const params = ['btcusdt@depth@0ms', 'ethusdt@depth@0ms'];
  assert.equal(send({ method: 'SUBSCRIBE', params, id: 1 }), '{"result":null,"id":1}');
  rig.advance(1000);
  assert.deepEqual(
    new Set(client.take().map((frame) => frame['s'])),
    new Set(['BTCUSDT', 'ETHUSDT']),
  );
  assert.equal(
    send({ method: 'LIST_SUBSCRIPTIONS', id: 2 }),
    '{"result":["btcusdt@depth@0ms","ethusdt@depth@0ms"],"id":2}',
  );
  assert.equal(
    send({ method: 'UNSUBSCRIBE', params: params.slice(0, 1), id: 3 }),
    '{"result":null,"id":3}',
  );
  client.take();
  rig.advance(1000);
  assert.deepEqual(new Set(client.take().map((frame) => frame['s'])), new Set(['ETHUSDT']));
  assert.equal(
    send({ method: 'GET_PROPERTY', params: ['combined'], id: 4 }),
    '{"result":false,"id":4}',
  );
  assert.equal(
    send({ method: 'SET_PROPERTY', params: ['combined', true], id: 5 }),
    '{"result":null,"id":5}',
  );
  client.take();
  rig.advance(300);
  assert.match(client.frames[0]!, /^\{"stream":"ethusdt@depth@0ms"/);
  assert.equal(send({ method: 'SUBSCRIBE', params: [], id: null }), '{"result":null,"id":null}');
  const errors: [unknown, RegExp][] = [
    ['{"method":', /^\{"code":3,"msg":"Invalid JSON: /],
    ['7', /^\{"code":2,/],
    [{ id: 1 }, /^\{"code":2,"msg":"Invalid request: missing field `method`"/],
    [{ method: 'FLY', id: 1 }, /^\{"code":2,"msg":"Invalid request: unknown variant `FLY`/],
    [{ method: 'SUBSCRIBE', id: 1 }, /missing field `params`/],
    [{ method: 'SUBSCRIBE', params: [1], id: 1 }, /"code":2/],
    [{ method: 'SUBSCRIBE', params: ['x'] }, /request ID must be an unsigned integer/],
    [{ method: 'SET_PROPERTY', params: ['combined', 1], id: 1 }, /^\{"code":1,/],
    [{ method: 'SET_PROPERTY', params: ['other', true], id: 1 }, /^\{"code":0,/],
    [{ method: 'GET_PROPERTY', params: [], id: 1 }, /property name must be a string/],
  ];
  for (const [value, answer] of errors) assert.match(send(value) ?? '', answer);
  assert.equal(client.closed, null);
});

test('Streams on the wrong endpoint, and unknown ones, are acknowledged and stay silent', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const all = ['btcusdt@depth@0ms', 'btcusdt@bookTicker', 'btcusdt@trade', 'btcusdt@aggTrade'];
  const heard = (endpoint: string, params: string[]): string[] => {
    const client = rig.connect(endpoint);
    client.session!.onText(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }));
    assert.deepEqual(client.answers, ['{"result":null,"id":1}']);
    rig.advance(1500);
    const kinds = new Set(client.take().map((frame) => String(frame['e'])));
    client.close(1000, '');
    return [...kinds].sort();
  };
  assert.deepEqual(heard('/public/ws', all), ['bookTicker', 'depthUpdate', 'trade']);
  assert.deepEqual(heard('/market/ws', all), ['aggTrade']);
  assert.deepEqual(heard('/ws', all), []);
  assert.deepEqual(heard('/stream', all), []);
  assert.deepEqual(
    heard('/public/ws', ['BTCUSDT@depth@0ms', 'nosuch@depth', 'btcusdt@nothing']),
    [],
  );
  assert.equal(rig.venue.open('/elsewhere/ws', rig.connect('/public/ws')), null);
});

test('More than ten messages a second end the connection with 1008', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const calm = rig.connect('/public/ws');
  const busy = rig.connect('/public/ws');
  const message = '{"method":"LIST_SUBSCRIPTIONS","id":1}';
  for (let n = 0; n < 30; n++) {
    rig.advance(110);
    calm.session!.onText(message);
  }
  for (let n = 0; n < 8; n++) busy.session!.onText(message);
  busy.session!.onPing();
  busy.session!.onPing();
  assert.equal(calm.closed, null);
  assert.equal(busy.closed, null);
  busy.session!.onText(message);
  assert.deepEqual(busy.closed, { code: 1008, reason: 'Too many requests' });
});

test('A connection has at most 1,024 streams', () => {
  const rig = simulatedVenueRig({ markets: 1 });
  const client = rig.connect('/public/ws');
  const params = Array.from({ length: 1024 }, (_, index) => `sim${index}usdt@depth`);
  client.session!.onText(JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 }));
  assert.equal(client.answers.length, 1);
  client.session!.onText(JSON.stringify({ method: 'SUBSCRIBE', params: ['one@more'], id: 2 }));
  assert.deepEqual(client.closed, { code: 1008, reason: 'Too many streams' });
});

test('Pings come by the clock; a client that never answers, and an old one, are closed', () => {
  const rig = simulatedVenueRig({
    markets: 1,
    ratePerSecond: 1,
    dialect: { pingEveryMs: 3000, pongDeadlineMs: 10_000, lifetimeMs: 60_000 },
  });
  const mute = rig.connect('/public/ws');
  const good = rig.connect('/public/ws');
  for (let second = 0; second < 70 && good.closed === null; second++) {
    rig.advance(1000);
    if (good.pings > 0 && second % 3 === 0) good.session!.onPong();
  }
  assert.ok(good.pings >= 18);
  assert.deepEqual(mute.closed, { code: 1008, reason: 'Pong timeout' });
  assert.equal(good.closed?.code, 1001);
  assert.equal(rig.venue.sessionsCount, 0);
});
