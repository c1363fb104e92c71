/** `/ws` and `/info` against the shapes, texts and order of messages of order_book_server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BroadcastLimits } from '../../../src/broadcast/limits.js';
import type { NumberFormat } from '../../../src/broadcast/hyperliquid-api/api-text.js';
import type { MemoryClient } from '../../../src/broadcast/memory-server.js';
import { ALICE, BOB, syntheticBlock } from '../../support/synthetic-node.js';
import { ApiRoom, error, response, subscribe, texts } from './api-room.js';

async function room(format: NumberFormat = 'obs', limits: Partial<BroadcastLimits> = {}) {
  const made = await ApiRoom.open({ format, limits });
  return {
    rig: made.rig,
    server: made.server,
    settle: (turns?: number): void => made.settle(turns),
    connect: (): MemoryClient => made.connect(),
  };
}

test('A subscription is echoed with all its fields, null where absent', async () => {
  const { connect } = await room();
  const client = connect();
  const canonical = '{"type":"l2Book","coin":"BTC","nSigFigs":5,"nLevels":null,"mantissa":2}';
  client.send(subscribe({ mantissa: 2, nSigFigs: 5, coin: 'BTC', type: 'l2Book', fast: true }));
  const [first] = texts(client);
  assert.equal(first, response('subscribe', canonical));
  client.send(subscribe({ type: 'l2Book', coin: 'BTC', nSigFigs: 5, mantissa: 2 }));
  assert.deepEqual(texts(client), [error(`Already subscribed: ${canonical}`)]);
  const leave = { method: 'unsubscribe', subscription: JSON.parse(canonical) as unknown };
  client.send(leave);
  client.send(leave);
  assert.deepEqual(texts(client), [
    response('unsubscribe', canonical),
    error(`Already unsubscribed: ${canonical}`),
  ]);
});

test('Validation: what order_book_server refuses is refused with its words', async () => {
  const { connect } = await room();
  const l2 = (more: object): object => ({
    type: 'l2Book',
    coin: 'BTC',
    nSigFigs: null,
    nLevels: null,
    mantissa: null,
    ...more,
  });
  const invalid = [
    { type: 'trades', coin: 'NOPE' },
    { type: 'l4Book', coin: 'btc' },
    l2({ nLevels: 20 }),
    l2({ nLevels: 101 }),
    l2({ nSigFigs: 1 }),
    l2({ nSigFigs: 6 }),
    l2({ mantissa: 2 }),
    l2({ nSigFigs: 5, mantissa: 1 }),
    l2({ nSigFigs: 4, mantissa: 5 }),
  ];
  const client = connect();
  for (const subscription of invalid) {
    client.send(subscribe(subscription));
    assert.deepEqual(texts(client), [
      error(`Invalid subscription: ${JSON.stringify(subscription)}`),
    ]);
  }
  for (const more of [
    { nLevels: 0 },
    { nLevels: 100 },
    { nSigFigs: 2 },
    { nSigFigs: 5, mantissa: 5 },
  ]) {
    client.send(subscribe(l2(more)));
    assert.equal(texts(client)[0], response('subscribe', JSON.stringify(l2(more))));
  }
});

test('Garbage is answered and the client stays connected', async () => {
  const { connect } = await room();
  const client = connect();
  const garbage = ['', 'x', '{', '[]', '{"method":"nope"}', '{"method":"subscribe"}'];
  garbage.push(
    '{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nSigFigs":2.5}}',
  );
  garbage.push('{"method":"subscribe","subscription":{"type":"trades","coin":7}}');
  garbage.push('{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","nLevels":-1}}');
  for (const text of garbage) {
    client.sendText(text);
    assert.deepEqual(texts(client), [
      error(`Error parsing JSON into valid websocket request: ${text}`),
    ]);
  }
  client.send({ method: 'ping' });
  assert.deepEqual(texts(client), ['{"channel":"pong"}']);
  assert.equal(client.closeCode, null);
});

test('l2Book: the book at once and after each block that changed it, in either print', async () => {
  for (const [format, hundred, size] of [
    ['obs', '100', '1.5'],
    ['official', '100.0', '1.5'],
  ] as const) {
    const { connect, rig, settle } = await room(format);
    const client = connect();
    client.send(subscribe({ type: 'l2Book', coin: 'BTC', nLevels: 1 }));
    const ask = hundred.replace('100', '101');
    assert.match(
      texts(client)[1]!,
      new RegExp(
        `^\\{"channel":"l2Book","data":\\{"coin":"BTC","time":\\d+,"levels":\\[` +
          `\\[\\{"px":"${hundred}","sz":"${size}","n":1\\}\\],\\[\\{"px":"${ask}","sz":"1.5","n":1\\}\\]\\]\\}\\}$`,
      ),
    );
    rig.append(syntheticBlock(1, 'BTC'));
    settle();
    const [told, ...more] = texts(client);
    assert.deepEqual(more, []);
    assert.deepEqual(JSON.parse(told!), {
      channel: 'l2Book',
      data: {
        coin: 'BTC',
        time: Date.UTC(2026, 4, 5, 17) + 100,
        levels: [[{ px: hundred, sz: '3.5', n: 2 }], [{ px: ask, sz: '1.5', n: 1 }]],
      },
    });
    // A block of another coin says nothing new of this one.
    rig.append(syntheticBlock(2, 'ETH', true));
    settle();
    assert.deepEqual(texts(client), []);
  }
});

test('l4Book: response, Snapshot, then one Updates a block with all statuses, keys in order', async () => {
  const { connect, rig, settle } = await room();
  const client = connect();
  client.send(subscribe({ type: 'l4Book', coin: 'BTC' }));
  settle();
  const [echo, snapshot] = texts(client);
  assert.equal(echo, response('subscribe', '{"type":"l4Book","coin":"BTC"}'));
  const shown = (JSON.parse(snapshot!) as { data: { Snapshot: Record<string, never> } }).data
    .Snapshot;
  assert.deepEqual(Object.keys(shown), ['coin', 'time', 'height', 'levels', 'seq', 'epoch']);
  assert.equal(
    JSON.stringify(shown['levels']?.[0]?.[0]),
    `{"user":"${ALICE}","coin":"BTC","side":"B","limitPx":"100","sz":"1.5","oid":1` +
      `,"timestamp":${Date.UTC(2026, 4, 5, 17) - 1000},"triggerCondition":"N/A","isTrigger":false` +
      `,"triggerPx":"0.0","isPositionTpsl":false,"reduceOnly":false,"orderType":"Limit"` +
      `,"tif":"Gtc","cloid":null}`,
  );
  rig.append(syntheticBlock(1, 'BTC'));
  rig.append(syntheticBlock(2, 'ETH', true));
  rig.append(syntheticBlock(3, 'BTC'));
  settle();
  const told = texts(client);
  assert.equal(told.length, 2);
  const order = (oid: number): string =>
    `"order":{"user":null,"coin":"BTC","side":"B","limitPx":"100.0","sz":"2.0","oid":${oid}` +
    `,"timestamp":${Date.UTC(2026, 4, 5, 17) + 100},"triggerCondition":"N/A","isTrigger":false` +
    `,"triggerPx":"0.0","isPositionTpsl":false,"reduceOnly":false,"orderType":"Limit"` +
    `,"tif":"Alo","cloid":null}}`;
  const time = '2026-05-05T17:00:00.100000000';
  const epoch = String(shown['epoch']);
  assert.equal(
    told[0],
    `{"channel":"l4Book","data":{"Updates":{"time":${Date.UTC(2026, 4, 5, 17) + 100},"height":1001` +
      `,"order_statuses":[{"time":"${time}","user":"${BOB}","status":"badAloPxRejected",${order(90_001)}` +
      `,{"time":"${time}","user":"${BOB}","status":"open",${order(10_001)}]` +
      `,"book_diffs":[{"user":"${BOB}","oid":10001,"px":"100.0","coin":"BTC"` +
      `,"raw_book_diff":{"new":{"sz":"2.0"}}}],"seq":1,"prevSeq":0,"epoch":${epoch}}}}`,
  );
  assert.match(told[1]!, /"height":1003,.*"seq":2,"prevSeq":1/);
});

test('trades, bbo, bookDiffs, allMids and orderUpdates say what their readers know them by', async () => {
  const { connect, rig, settle } = await room();
  const client = connect();
  for (const subscription of [
    { type: 'trades', coin: 'BTC' },
    { type: 'bbo', coin: 'BTC' },
    { type: 'bookDiffs', coin: 'BTC' },
    { type: 'allMids' },
    { type: 'orderUpdates', user: BOB.toUpperCase().replace('X', 'x') },
  ])
    client.send(subscribe(subscription));
  settle();
  const first = texts(client);
  assert.equal(first.filter((text) => text.includes('subscriptionResponse')).length, 5);
  assert.ok(first.includes('{"channel":"allMids","data":{"mids":{"BTC":"100.5","ETH":"100.5"}}}'));
  rig.append(syntheticBlock(1, 'BTC'));
  settle();
  const told = new Map(
    texts(client).map((text) => {
      const { channel, data } = JSON.parse(text) as { channel: string; data: unknown };
      return [channel, data];
    }),
  );
  const timeMs = Date.UTC(2026, 4, 5, 17) + 100;
  assert.deepEqual(told.get('trades'), [
    {
      coin: 'BTC',
      side: 'B',
      px: '101.0',
      sz: '0.25',
      hash: `0x${'cd'.repeat(32)}`,
      time: timeMs,
      tid: 7_000_001,
      users: [BOB, ALICE],
    },
  ]);
  const bid = { px: '100', sz: '3.5', n: 2 };
  const ask = { px: '101', sz: '1.5', n: 1 };
  assert.deepEqual(told.get('bbo'), { coin: 'BTC', time: timeMs, bid, ask, bbo: [bid, ask] });
  assert.deepEqual(told.get('bookDiffs'), [
    {
      user: BOB,
      oid: 10_001,
      px: '100.0',
      coin: 'BTC',
      side: 'B',
      raw_book_diff: { new: { sz: '2.0' } },
    },
  ]);
  const updates = told.get('orderUpdates') as { user: string; height: number }[];
  assert.deepEqual(
    updates.map(({ user, height }) => [user, height]),
    [
      [BOB, 1001],
      [BOB, 1001],
    ],
  );
});

test('A reader that stops is told and closed; the others go on', async () => {
  const { connect, rig, settle } = await room('obs', {
    losslessBytesMax: 4000,
    highWaterBytes: 2000,
    lowWaterBytes: 1000,
  });
  const slow = connect();
  const other = connect();
  for (const client of [slow, other]) client.send(subscribe({ type: 'l2Book', coin: 'BTC' }));
  slow.pause();
  for (let n = 1; n <= 12; n++) {
    rig.append(syntheticBlock(n, 'BTC'));
    settle(40);
  }
  slow.resume();
  assert.equal(slow.closeCode, 4008);
  assert.match(texts(slow).at(-1)!, /"Slow reader: \d+ bytes wait/);
  assert.equal(other.closeCode, null);
  assert.equal(texts(other).length, 14);
});

test('Too many messages or too large ones close the connection with a reason', async () => {
  const { connect } = await room('obs', { requestsPerSecond: 1, requestsBurst: 3 });
  const client = connect();
  for (let i = 0; i < 4; i++) client.send({ method: 'ping' });
  assert.equal(client.closeCode, 1008);
  const other = connect();
  other.sendText('x'.repeat(5000));
  assert.equal(other.closeCode, 1009);
});

test('/info answers from the books, and refuses by 422 what this node does not know', async () => {
  const { server, rig, settle } = await room();
  rig.append(syntheticBlock(1, 'BTC'));
  settle();
  const ask = async (request: unknown): Promise<[number, unknown]> => {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const answer = await server.request({ path: '/info', method: 'POST', body });
    return [answer.status, JSON.parse(String(answer.body))];
  };
  const [, meta] = await ask({ type: 'meta' });
  assert.deepEqual(
    (meta as { universe: { name: string; szDecimals: number }[] }).universe.map(
      ({ name, szDecimals }) => [name, szDecimals],
    ),
    [
      ['BTC', 5],
      ['ETH', 4],
    ],
  );
  assert.deepEqual(await ask({ type: 'allMids' }), [200, { BTC: '100.5', ETH: '100.5' }]);
  const [, book] = await ask({ type: 'l2Book', coin: 'BTC', nSigFigs: 2 });
  assert.deepEqual((book as { levels: unknown[][] }).levels[0], [
    { px: '100.0', sz: '3.5', n: 2 },
    { px: '99.0', sz: '1.5', n: 1 },
    ...[98, 97, 96, 95, 94, 93, 92, 91].map((px) => ({ px: `${px}.0`, sz: '1.5', n: 1 })),
  ]);
  const [, trades] = await ask({ type: 'recentTrades', coin: 'BTC' });
  assert.equal((trades as unknown[]).length, 1);
  const req = { coin: 'BTC', interval: '5m', startTime: 0, endTime: 9e12 };
  const openMs = Date.UTC(2026, 4, 5, 17);
  assert.deepEqual(await ask({ type: 'candleSnapshot', req }), [
    200,
    [
      {
        t: openMs,
        T: openMs + 299_999,
        s: 'BTC',
        i: '5m',
        o: '101.0',
        c: '101.0',
        h: '101.0',
        l: '101.0',
        v: '0.25',
        n: 1,
      },
    ],
  ]);
  for (const request of [
    { type: 'clearinghouseState', user: BOB },
    { type: 'l2Book', coin: 'NOPE' },
    { type: 'l2Book', coin: 'BTC', nSigFigs: 9 },
    {},
    7,
  ])
    assert.equal((await ask(request))[0], 422);
});

test('A node that falls silent, and a block that contradicts the book, are told in-band at once', async () => {
  const { connect, rig, settle } = await room();
  rig.append(syntheticBlock(1, 'BTC'));
  settle();
  const client = connect();
  client.send(subscribe({ type: 'l4Book', coin: 'BTC' }));
  settle();
  assert.equal(texts(client).length, 2);
  settle(1200);
  assert.deepEqual(texts(client), [error('Order book is stale (no blocks from the node): BTC')]);
  // It is still the book of its block: who comes now gets it.
  const late = connect();
  late.send(subscribe({ type: 'l4Book', coin: 'BTC' }));
  settle();
  assert.match(texts(late)[1]!, /"Snapshot":.*"height":1001/);
  rig.append(syntheticBlock(2, 'BTC'));
  settle();
  assert.match(texts(client)[0]!, /"height":1002,/);
  // The order left in the block before.
  rig.append(syntheticBlock(3, 'BTC', false));
  settle(2);
  const notReady = 'Order book not ready for streaming (waiting for snapshot): BTC';
  assert.ok(texts(client).includes(error(notReady)));
  client.send(subscribe({ type: 'l4Book', coin: 'ETH' }));
  assert.equal(texts(client).length > 0, true);
  const refused = connect();
  refused.send(subscribe({ type: 'l4Book', coin: 'BTC' }));
  assert.deepEqual(texts(refused), [error('Unable to grab order book snapshot: Snapshot Failed')]);
});
