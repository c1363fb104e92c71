/**
 * What order_book_server says, word by word: every error text and the shape of every message, key by
 * key and in order; and what we say where it has no word.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryClient } from '../../../src/broadcast/memory-server.js';
import { StateReason } from '../../../src/domain/book-state.js';
import { ALICE, BOB, syntheticBlock } from '../../support/synthetic-node.js';
import { ApiRoom, error, response, subscribe, texts, unsubscribe } from './api-room.js';

const L2 = '{"type":"l2Book","coin":"BTC","nSigFigs":null,"nLevels":null,"mantissa":null}';
const invalid = (text: string): string => error(`Invalid subscription: ${text}`);
const unreadable = (text: string): string =>
  error(`Error parsing JSON into valid websocket request: ${text}`);
const l2 = (more: string): string => `{"type":"l2Book","coin":"BTC",${more}}`;
const request = (subscription: string): string =>
  `{"method":"subscribe","subscription":${subscription}}`;

/** What a new client says, and the whole answer. */
const ANSWERS: readonly (readonly [says: string, ...answers: string[]])[] = [
  // Its texts.
  [request('{"type":"trades","coin":"DOGE"}'), invalid('{"type":"trades","coin":"DOGE"}')],
  [request('{"type":"l4Book","coin":"@1"}'), invalid('{"type":"l4Book","coin":"@1"}')],
  [request('{"type":"bbo","coin":""}'), invalid('{"type":"bbo","coin":""}')],
  ...[
    '"nSigFigs":null,"nLevels":20,"mantissa":null',
    '"nSigFigs":null,"nLevels":101,"mantissa":null',
    '"nSigFigs":1,"nLevels":null,"mantissa":null',
    '"nSigFigs":6,"nLevels":null,"mantissa":null',
    '"nSigFigs":0,"nLevels":null,"mantissa":null',
    '"nSigFigs":null,"nLevels":null,"mantissa":2',
    '"nSigFigs":5,"nLevels":null,"mantissa":1',
    '"nSigFigs":5,"nLevels":null,"mantissa":3',
    '"nSigFigs":4,"nLevels":null,"mantissa":5',
  ].map((more) => [request(l2(more)), invalid(l2(more))] as const),
  ...[
    '',
    'hello',
    '"ping"',
    'null',
    '{"method":"Subscribe"}',
    '{"method":"unsubscribe"}',
    '{"method":"subscribe","subscription":{"type":"L2Book","coin":"BTC"}}',
    '{"method":"subscribe","subscription":{"type":"l2Book"}}',
    request(l2('"nSigFigs":"5"')),
    request(l2('"nSigFigs":5.5')),
    request(l2('"nLevels":-1')),
    request(l2('"mantissa":true')),
    '{"method":"subscribe","subscription":{"type":"orderUpdates","user":"0x12"}}',
    '{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"1m"}}',
  ].map((text) => [text, unreadable(text)] as const),
  [
    '{"method":"unsubscribe","subscription":{"type":"trades","coin":"BTC"}}',
    error('Already unsubscribed: {"type":"trades","coin":"BTC"}'),
  ],
  [
    '{"method":"unsubscribe","subscription":{"type":"trades","coin":"DOGE"}}',
    error('Already unsubscribed: {"type":"trades","coin":"DOGE"}'),
  ],
  // Fields that nobody knows are passed over; what is absent is echoed as null.
  [
    request('{"coin":"BTC","extra":[1],"type":"trades"}'),
    response('subscribe', '{"type":"trades","coin":"BTC"}'),
  ],
  // What forks and the official API add.
  ['{"method":"ping"}', '{"channel":"pong"}'],
  ['{"method":"ping","id":7}', '{"channel":"pong"}'],
  [request('{"type":"allMids","dex":"nope"}'), invalid('{"type":"allMids","dex":"nope"}')],
  [
    request('{"type":"allMids","dex":""}'),
    response('subscribe', '{"type":"allMids"}'),
    '{"channel":"allMids","data":{"mids":{"BTC":"100.5","ETH":"100.5"}}}',
  ],
  [
    request(`{"type":"orderUpdates","user":"0x${'Ab'.repeat(20)}"}`),
    response('subscribe', `{"type":"orderUpdates","user":"0x${'ab'.repeat(20)}"}`),
  ],
  [
    '{"method":"post","id":3,"request":{"type":"info","payload":{"type":"allMids"}}}',
    '{"channel":"post","data":{"id":3,"response":{"type":"info","payload":{"type":"allMids","data":{"BTC":"100.5","ETH":"100.5"}}}}}',
  ],
  [
    '{"method":"post","id":4,"request":{"type":"action","payload":{}}}',
    '{"channel":"post","data":{"id":4,"response":{"type":"error","payload":"422 Unprocessable Entity: this node has market data only"}}}',
  ],
];

test('Answers: each request gets exactly its texts, and the client stays', async () => {
  const room = await ApiRoom.open();
  for (const [says, ...answers] of ANSWERS) {
    const client = room.connect();
    client.sendText(says);
    assert.deepEqual(texts(client), answers, says);
    client.send({ method: 'ping' });
    assert.deepEqual(texts(client), ['{"channel":"pong"}']);
    client.drop();
  }
});

test('Answers: what a client says twice, and a message that is echoed, is cut at 1,000 characters', async () => {
  const room = await ApiRoom.open();
  const client = room.connect();
  const says = (method: string, text: string): void =>
    client.sendText(`{"method":"${method}","subscription":${text}}`);
  says('subscribe', '{"type":"trades","coin":"BTC"}');
  says('subscribe', '{"type":"trades","coin":"BTC"}');
  says('unsubscribe', '{"type":"trades","coin":"BTC"}');
  assert.deepEqual(texts(client), [
    response('subscribe', '{"type":"trades","coin":"BTC"}'),
    error('Already subscribed: {"type":"trades","coin":"BTC"}'),
    response('unsubscribe', '{"type":"trades","coin":"BTC"}'),
  ]);
  const long = 'x'.repeat(3_000);
  client.sendText(long);
  assert.deepEqual(texts(client), [unreadable(long.slice(0, 1_000))]);
});

/** Keys of a value and of what is in it, as a path each, in the order in which they stand. */
function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  if (Array.isArray(value))
    return value.length === 0 ? [`${path}[]`] : keysOf(value[0], `${path}[]`);
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`));
}

/** The names in a text, each behind `before`. */
const names = (before: string, text: string): string[] =>
  text.split(' ').map((name) => `${before}${name}`);
const ORDER =
  'user coin side limitPx sz oid timestamp triggerCondition isTrigger triggerPx ' +
  'isPositionTpsl reduceOnly orderType tif cloid';
const statusKeys = (before: string): string[] => [
  ...names(before, 'time user status'),
  ...names(`${before}order.`, ORDER),
];

/** Of every channel, without `.channel` and `.data`. */
const SHAPES: Readonly<Record<string, readonly string[]>> = {
  trades: names('[].', 'coin side px sz hash time tid users[]'),
  l2Book: names('.', 'coin time levels[][].px levels[][].sz levels[][].n'),
  bbo: names('.', 'coin time bid.px bid.sz bid.n ask.px ask.sz ask.n bbo[].px bbo[].sz bbo[].n'),
  // seq, prevSeq and epoch are not the original's.
  Snapshot: [
    ...names('.Snapshot.', 'coin time height'),
    ...names('.Snapshot.levels[][].', ORDER),
    ...names('.Snapshot.', 'seq epoch'),
  ],
  Updates: [
    ...names('.Updates.', 'time height'),
    ...statusKeys('.Updates.order_statuses[].'),
    ...names('.Updates.book_diffs[].', 'user oid px coin raw_book_diff.new.sz'),
    ...names('.Updates.', 'seq prevSeq epoch'),
  ],
  bookDiffs: names('[].', 'user oid px coin side raw_book_diff.new.sz'),
  orderUpdates: [...names('[].', 'user time height'), ...statusKeys('[].orderStatus.')],
  allMids: ['.mids.BTC', '.mids.ETH'],
};

test('Shapes: every channel has the original keys in their order', async () => {
  const room = await ApiRoom.open();
  const client = room.connect();
  for (const subscription of [
    ...['trades', 'l2Book', 'bbo', 'l4Book', 'bookDiffs'].map((type) => ({ type, coin: 'BTC' })),
    { type: 'orderUpdates', user: BOB },
    { type: 'allMids' },
  ])
    client.send(subscribe(subscription));
  room.settle();
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  const told = new Map<string, readonly string[]>();
  for (const text of texts(client)) {
    const { channel, data } = JSON.parse(text) as { channel: string; data: object };
    if (channel === 'subscriptionResponse') continue;
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['channel', 'data']);
    const kind = channel === 'l4Book' ? Object.keys(data)[0]! : channel;
    told.set(kind, keysOf(data));
  }
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(Object.entries(SHAPES)));
});

test('Shapes: the official print has its own order updates, and one decimal at least', async () => {
  const room = await ApiRoom.open({ format: 'official' });
  const client = room.connect();
  client.send(subscribe({ type: 'orderUpdates', user: BOB }));
  client.send(subscribe({ type: 'bbo', coin: 'BTC' }));
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  const data = texts(client).map((text) => (JSON.parse(text) as { data: unknown }).data);
  const updates = data.find((each) => Array.isArray(each));
  assert.deepEqual(keysOf(updates), [
    ...names('[].order.', 'coin side limitPx sz oid timestamp origSz'),
    '[].status',
    '[].statusTimestamp',
  ]);
  assert.equal((data.at(-1) as { bid: { px: string } }).bid.px, '100.0');
});

test('Order of messages: response, then the book; a snapshot has the time of a block, never 0', async () => {
  const room = await ApiRoom.open();
  // A block of another coin: BTC is as the snapshot, which has no time, told it.
  room.rig.append(syntheticBlock(1, 'ETH'));
  room.settle();
  for (const type of ['l2Book', 'bbo', 'l4Book']) {
    const client = room.connect();
    client.send(subscribe({ type, coin: 'BTC' }));
    room.settle();
    const [first, second, ...more] = texts(client);
    assert.match(first!, /^\{"channel":"subscriptionResponse"/);
    assert.match(second!, new RegExp(`^\\{"channel":"${type}"`));
    assert.match(second!, new RegExp(`"time":${Date.UTC(2026, 4, 5, 17) + 100}[,}]`));
    assert.deepEqual(more, []);
  }
  const [, book] = await room.info({ type: 'l2Book', coin: 'BTC' });
  assert.equal((book as { time: number }).time, Date.UTC(2026, 4, 5, 17) + 100);
});

test('Trades: each is told once, also when the books are told again', async () => {
  const room = await ApiRoom.open();
  const client = room.connect();
  client.send(subscribe({ type: 'trades', coin: 'BTC' }));
  texts(client);
  for (let n = 1; n <= 4; n++) room.rig.append(syntheticBlock(n, 'BTC'));
  room.settle();
  room.feed.orders!.lose(StateReason.IntegrityMismatch, room.clock.nowNs());
  room.settle(1_200);
  room.rig.append(syntheticBlock(5, 'BTC'));
  room.settle();
  const trades = texts(client).flatMap(
    (text) => (JSON.parse(text) as { data: { tid: number; side: string; users: string[] }[] }).data,
  );
  assert.deepEqual(
    trades.map(({ tid }) => tid),
    [1, 2, 3, 4, 5].map((n) => 7_000_000 + n),
  );
  assert.deepEqual([trades[0]!.side, trades[0]!.users], ['B', [BOB, ALICE]]);
});

test('A client that unsubscribes from a coin that is lost, or leaves, is let go', async () => {
  const room = await ApiRoom.open();
  const client = room.connect();
  const coin = { type: 'l2Book', coin: 'BTC' };
  client.send(subscribe(coin));
  room.feed.orders!.lose(StateReason.IntegrityMismatch, room.clock.nowNs());
  room.turn();
  texts(client);
  client.send(unsubscribe(coin));
  assert.deepEqual(texts(client), [response('unsubscribe', L2)]);
});

test('Limits: subscriptions a connection, bytes and messages a second, connections an address', async () => {
  const room = await ApiRoom.open({
    limits: {
      subscriptionsPerConnectionMax: 2,
      requestBytesMax: 500,
      connectionsPerAddressMax: 2,
      connectionsMax: 3,
      requestsPerSecond: 2,
      requestsBurst: 4,
    },
  });
  const client = room.connect('10.0.0.1');
  for (const type of ['trades', 'bbo', 'l2Book']) client.send(subscribe({ type, coin: 'BTC' }));
  const answers = texts(client).filter((text) => !text.startsWith('{"channel":"bbo"'));
  assert.equal(answers.length, 3);
  assert.equal(answers[2], error('Invalid subscription: at most 2 a connection'));
  const second = room.connect('10.0.0.1');
  const third = room.server.connect({ path: '/ws', address: '10.0.0.1' });
  assert.ok(!(third instanceof MemoryClient));
  assert.equal(third.status, 429);
  room.connect('10.0.0.2');
  const fourth = room.server.connect({ path: '/ws', address: '10.0.0.3' });
  assert.ok(!(fourth instanceof MemoryClient));
  assert.equal(fourth.status, 503);
  second.sendText('x'.repeat(501));
  assert.deepEqual(texts(second), [error('A message has at most 500 bytes')]);
  assert.deepEqual([second.closeCode, second.closeReason], [1009, 'message too big']);
  for (let i = 0; i < 2; i++) client.send({ method: 'ping' });
  assert.deepEqual(texts(client), ['{"channel":"pong"}', error('At most 2 messages a second')]);
  assert.deepEqual([client.closeCode, client.closeReason], [1008, 'too many messages']);
  // Its place is free again.
  assert.ok(room.connect('10.0.0.1').closeCode === null);
});
