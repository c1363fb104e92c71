import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  FeedClient,
  type ClientEvents,
  type FeedError,
  type Subscription,
} from '../../src/client/index.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { Side } from '../../src/domain/side.js';
import { FakeFeed } from '../support/fake-feed.js';
import { until } from '../support/until.js';

const BTC = 'binance-futures:BTCUSDT';

async function setUp(
  t: TestContext,
  options: ConstructorParameters<typeof FakeFeed>[0] = {},
): Promise<{ feed: FakeFeed; client: FeedClient }> {
  const feed = new FakeFeed({ instruments: 4, levels: 30, heartbeatMs: 50, ...options });
  await feed.listen();
  const client = new FeedClient({ url: feed.url, backOffMsMax: 100 });
  t.after(async () => {
    client.close();
    await feed.stop();
  });
  return { feed, client };
}

/** Resolves with the next event of the client that is named so. */
function next<Name extends keyof ClientEvents>(
  client: FeedClient,
  name: Name,
  which: (event: ClientEvents[Name]) => boolean = () => true,
): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => {
    const off = client.on(name, (event) => {
      if (!which(event)) return;
      off();
      resolve(event);
    });
  });
}

function assertSameBook(feed: FakeFeed, book: Subscription<'book'>, depth = Infinity): void {
  const instrument = feed.instrument(book.instrument);
  for (const side of [Side.Bid, Side.Ask]) {
    const found = book.book.levels(side).map((level) => [level.price, level.size]);
    assert.deepEqual(found, feed.levels(instrument, side, depth));
  }
}

test('FeedClient: a full book follows its deltas, and every hash is checked', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  for (let i = 0; i < 200; i++) feed.tick(feed.instrument(BTC));
  const target = client.counters.messages;
  await until(() => client.counters.hash.passed >= 201, 'all deltas have come');
  assertSameBook(feed, book);
  assert.equal(client.counters.hash.failed, 0);
  assert.ok(client.counters.messages >= target);
  assert.equal(client.counters.gaps, 0);
});

test('FeedClient: a view of some depth holds exactly that depth', async (t) => {
  const { feed, client } = await setUp(t);
  const book = client.book(BTC, { depth: 5 });
  await until(() => book.book.isLive, 'the snapshot has come');
  for (let i = 0; i < 100; i++) feed.tick(feed.instrument(BTC));
  await until(() => client.counters.hash.passed >= 101, 'all deltas have come');
  assert.equal(book.book.bids.count, 5);
  assert.equal(book.book.depth, 5);
  assertSameBook(feed, book, 5);
});

test('FeedClient: a snapshot in parts is not whole before its last part', async (t) => {
  const { feed, client } = await setUp(t);
  feed.messages.snapshotPartLevels = 7;
  const book = client.book(BTC);
  const seen: number[] = [];
  book.on((event) => seen.push(event.book.bids.count));
  await until(() => book.book.isLive, 'the snapshot has come');
  assert.deepEqual(seen, [30]);
  assert.equal(client.counters.hash.checked, 1);
  assert.equal(client.counters.hash.unverifiable, 4);
});

test('FeedClient: a loop sees snapshot, deltas and state in order', async (t) => {
  const { feed, client } = await setUp(t);
  const instrument = feed.instrument(BTC);
  const seen: string[] = [];
  let last = 0;
  for await (const event of client.book(BTC)) {
    if (last > 0) assert.equal(event.sequence, last + 1);
    last = event.sequence;
    seen.push(event.kind);
    if (seen.length === 1) feed.tick(instrument);
    if (seen.length === 2) feed.setState(instrument, BookState.Suspect, StateReason.Gap);
    if (seen.length === 3) {
      assert.equal(event.state, BookState.Suspect);
      assert.equal(event.book.isLive, false);
      break;
    }
  }
  assert.deepEqual(seen, ['snapshot', 'delta', 'status']);
});

test('FeedClient: bbo, trades and status deliver typed events', async (t) => {
  const { feed, client } = await setUp(t);
  const instrument = feed.instrument(BTC);
  const bbo = await client.bbo(BTC).ready;
  const trades = await client.trades(BTC).ready;
  const status = await client.status(BTC).ready;
  await until(() => bbo.latest !== null && status.latest !== null, 'the first values have come');
  assert.equal(bbo.latest?.bid?.priceText, '79999.99');
  assert.equal(status.latest?.state, BookState.Live);
  const loop = trades.events();
  for (let i = 0; i < 60; i++) feed.tick(instrument);
  const print = (await loop.next()).value;
  assert.equal(print?.trades[0]?.aggressor, 'buy');
  assert.match(print?.trades[0]?.at.priceText ?? '', /^\d+\.\d\d$/);
  assert.ok(Math.abs((print.trades[0]?.exchangeUnixMs ?? 0) - Date.now()) < 60_000);
  assert.ok(print.publishedNs > print.receivedNs);
});

test('FeedClient: a lost message is found by the next one and the book begun anew', async (t) => {
  const { feed, client } = await setUp(t);
  feed.heartbeatsPaused = true;
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const instrument = feed.instrument(BTC);
  const gap = next(client, 'gap');
  const recovered = next(client, 'recovered');
  feed.dropNext.add(`book|${BTC}`);
  feed.tick(instrument);
  feed.tick(instrument);
  const { expectedSequence, foundSequence, noticedBy } = await gap;
  assert.equal(foundSequence, expectedSequence + 1);
  assert.equal(noticedBy, 'message');
  assert.equal((await recovered).resumed, false);
  await until(() => book.book.isLive, 'the new snapshot has come');
  assertSameBook(feed, book);
});

test('FeedClient: a lost last message is found by the heartbeats', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC, { mode: 'lossless' }).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const gap = next(client, 'gap');
  feed.dropNext.add(`book|${BTC}`);
  feed.tick(feed.instrument(BTC));
  assert.equal((await gap).noticedBy, 'heartbeat');
  await until(() => book.book.isLive, 'the new snapshot has come');
  assertSameBook(feed, book);
});

test('FeedClient: silence is no loss', async (t) => {
  const { client } = await setUp(t);
  const book = await client.book(BTC, { mode: 'lossless' }).ready;
  await until(() => client.counters.heartbeats >= 4, 'some heartbeats have come');
  assert.equal(client.counters.gaps, 0);
  assert.equal(book.book.isLive, true);
});

test('FeedClient: a book that differs from the node is told and begun anew', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const mismatch = next(client, 'hashMismatch');
  const sequence = book.book.sequence;
  feed.messages.falsifyNext.add(BTC);
  feed.tick(feed.instrument(BTC));
  const told = await mismatch;
  assert.equal(told.sequence, sequence + 1);
  assert.notEqual(told.hashExpected, told.hashFound);
  await until(() => book.book.isLive, 'the new snapshot has come');
  assertSameBook(feed, book);
  assert.equal(client.counters.hash.failed, 1);
});

test('FeedClient: after a cut it resumes and misses nothing', async (t) => {
  const { feed, client } = await setUp(t);
  const book = client.book(BTC);
  const sequences: number[] = [];
  book.on((event) => sequences.push(event.sequence));
  await until(() => book.book.isLive, 'the snapshot has come');
  const instrument = feed.instrument(BTC);
  for (let i = 0; i < 5; i++) feed.tick(instrument);
  await until(() => sequences.length === 6, 'five deltas have come');
  const recovered = next(client, 'recovered');
  const down = next(client, 'connection', ({ state }) => state === 'waiting');
  feed.cutClients();
  await down;
  assert.equal(book.book.isLive, false, 'nothing passes for live without a connection');
  for (let i = 0; i < 5; i++) feed.tick(instrument);
  assert.equal((await recovered).resumed, true);
  await until(() => sequences.length === 11, 'the missed deltas have come');
  assert.deepEqual(
    sequences,
    Array.from({ length: 11 }, (_, i) => sequences[0]! + i),
  );
  assert.equal(book.book.isLive, true);
  assertSameBook(feed, book);
  const request = feed.subscribeRequests.at(-1);
  assert.ok(request !== undefined && 'resume' in request);
});

test('FeedClient: what was missed beyond the ring comes as a new snapshot', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const recovered = next(client, 'recovered');
  const { port } = feed;
  await feed.stop();
  feed.forget();
  feed.tick(feed.instrument(BTC));
  await feed.listen(port);
  assert.equal((await recovered).resumed, false);
  await until(() => book.book.isLive, 'the new snapshot has come');
  assertSameBook(feed, book);
});

test('FeedClient: an epoch that changes in-band brings its own snapshot', async (t) => {
  const { feed, client } = await setUp(t);
  feed.messages.snapshotPartLevels = 8;
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const { epoch } = book.book;
  feed.realign(feed.instrument(BTC));
  feed.tick(feed.instrument(BTC));
  await until(() => book.book.epoch > epoch && book.book.whole, 'the new epoch has come');
  await until(() => client.counters.hash.passed >= 3, 'its first delta has come');
  assertSameBook(feed, book);
  assert.equal(client.counters.gaps, 0);
});

test('FeedClient: a folded delta says what it covers and is no gap', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC, { mode: 'conflated' }).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const loop = book.events();
  feed.foldedTick(feed.instrument(BTC), 6);
  await loop.next();
  const event = (await loop.next()).value;
  assert.equal(event?.folded, 5);
  assert.equal(event.sequence - event.firstSequence, 5);
  assert.equal(client.counters.gaps, 0);
  assertSameBook(feed, book);
});

test('FeedClient: a node that falls silent is left for a new connection', async (t) => {
  const { feed, client } = await setUp(t);
  await client.book(BTC).ready;
  const waiting = next(client, 'connection', ({ state }) => state === 'waiting');
  feed.heartbeatsPaused = true;
  assert.match((await waiting).reason, /nothing heard/);
});

test('FeedClient: an unknown instrument ends its loop with the code, and only it', async (t) => {
  const { client } = await setUp(t);
  const wrong = client.book('binance-futures:NOPE');
  await assert.rejects(wrong.ready, { code: 'UNKNOWN_INSTRUMENT' });
  await assert.rejects(
    async () => {
      for await (const event of wrong) assert.fail(`an event: ${event.kind}`);
    },
    { code: 'UNKNOWN_INSTRUMENT' },
  );
  const right = client.book(BTC);
  await until(() => right.book.isLive, 'the other has come');
});

test('FeedClient: a closed subscription leaves the node and ends its loop', async (t) => {
  const { feed, client } = await setUp(t);
  const book = client.book(BTC);
  await until(() => book.book.isLive, 'the snapshot has come');
  const loop = book.events();
  await loop.next();
  book.close();
  assert.equal((await loop.next()).done, true);
  await client.pingMs();
  const { messages } = client.counters;
  feed.heartbeatsPaused = true;
  feed.tick(feed.instrument(BTC));
  await client.pingMs();
  assert.ok(client.counters.messages <= messages + 1, 'no delta came any more');
});

test('FeedClient: instruments and ping are answered', async (t) => {
  const { client } = await setUp(t);
  const list = await client.instruments();
  assert.equal(list.length, 4);
  assert.equal(list[0]?.instrument, BTC);
  assert.equal(list[0]?.state, 'Live');
  assert.ok((await client.pingMs()) < 1_000);
});

test('FeedClient: it waits for a node that is not there yet', async (t) => {
  const probe = new FakeFeed({ instruments: 1 });
  await probe.listen();
  const { port } = probe;
  await probe.stop();
  const client = new FeedClient({ url: `127.0.0.1:${port}`, backOffMsMax: 60 });
  const feed = new FakeFeed({ instruments: 1, levels: 3 });
  t.after(async () => {
    client.close();
    await feed.stop();
  });
  const book = client.book(BTC);
  await next(client, 'connection', ({ state }) => state === 'waiting');
  await feed.listen(port);
  await until(() => book.book.isLive, 'the book has come');
});

test('FeedClient: close ends the loops and lets the process go', async (t) => {
  const { client } = await setUp(t);
  const book = await client.book(BTC).ready;
  const ended = (async () => {
    for await (const event of book) void event;
    return 'ended';
  })();
  client.close();
  assert.equal(await ended, 'ended');
  await assert.rejects(client.connect(), { code: 'CLOSED' });
  await assert.rejects(client.book(BTC).ready, { code: 'CLOSED' });
});

test('FeedClient: a message that cannot be decoded ends the connection, not the client', async (t) => {
  const { feed, client } = await setUp(t);
  const book = await client.book(BTC).ready;
  await until(() => book.book.isLive, 'the snapshot has come');
  const error = next(client, 'error');
  const recovered = next(client, 'recovered');
  feed.broadcastRaw(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  assert.match((await error).message, /undecodable/);
  await recovered;
  await until(() => book.book.isLive, 'the book is back');
  assert.equal(client.counters.malformed, 1);
});

test('FeedClient: a listener that throws harms neither the book nor other listeners', async (t) => {
  const { feed, client } = await setUp(t);
  const book = client.book(BTC);
  let calls = 0;
  book.on(() => {
    throw new Error('the listener is broken');
  });
  book.on(() => (calls += 1));
  const errors: string[] = [];
  client.on('error', (error) => errors.push(error.message));
  await until(() => calls === 1, 'the other listener was called');
  assert.deepEqual(errors, ['the listener is broken']);
  feed.tick(feed.instrument(BTC));
  await until(() => calls === 2, 'it is called again');
  assertSameBook(feed, book);
});

test('FeedClient: a token is said where the node asks for one', async (t) => {
  const { feed, client } = await setUp(t);
  feed.token = 'sesame';
  const errors: string[] = [];
  client.on('error', (error) => errors.push((error as FeedError).code));
  client.connect().catch(() => undefined);
  const named = new FeedClient({ url: feed.url, token: 'sesame' });
  t.after(() => named.close());
  const book = named.book(BTC);
  await until(() => book.book.isLive, 'the book has come');
  await until(() => errors.length >= 2, 'the other was refused, and tried again');
  assert.deepEqual([...new Set(errors)], ['UNAUTHORIZED']);
  assert.notEqual(client.connectionState, 'live');
});

test('FeedClient: a stream given up before the answer can be asked for again at once', async (t) => {
  const { feed, client } = await setUp(t);
  await client.connect();
  const given = [1, 2, 3].map(() => {
    const subscription = client.book(BTC, { depth: 5 });
    subscription.close();
    return subscription;
  });
  const kept = client.book(BTC, { depth: 5 });
  await until(() => kept.book.isLive, 'the last one is Live');
  for (const subscription of given) await assert.rejects(subscription.ready, { code: 'CLOSED' });
  for (let i = 0; i < 20; i++) feed.tick(feed.instrument(BTC));
  await until(() => client.counters.hash.passed >= 21, 'its deltas come');
  assertSameBook(feed, kept, 5);
});

test('FeedClient: two subscriptions to one stream are one too many', async (t) => {
  const { client } = await setUp(t);
  const first = await client.bbo(BTC).ready;
  await assert.rejects(client.bbo(BTC).ready, { code: 'ALREADY_SUBSCRIBED' });
  await until(() => first.latest !== null, 'the first is untouched');
});
