/**
 * The exchange changes a tick size under a node on real threads and sockets: its book is taken anew, no
 * client is cut off, and threads that are replaced meanwhile or afterwards know the new scale.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { FeedClient, Side } from '../../src/client/index.js';
import type { BookEvent } from '../../src/client/index.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { isReady } from '../../src/ops/health.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { LiveNode } from '../support/live-node.js';
import { until } from '../support/until.js';
import { createOrders, Harm, order } from './saboteur.js';

const ENTRIES = {
  pool: new URL('./saboteur-pool.js', import.meta.url),
  loop: new URL('./saboteur-loop.js', import.meta.url),
};
const ETH = 'binance-futures:ETHUSDT';

interface Stage {
  readonly simulator: Simulator;
  readonly live: LiveNode;
  readonly client: FeedClient;
  readonly orders: SharedArrayBuffer;
  readonly page: (path: string) => Promise<string>;
}

async function stage(t: TestContext, layout: 'full' | 'split' | 'fused'): Promise<Stage> {
  const origin = readTimelineOrigin();
  const simulator = createSimulator({
    scheduler: new SystemScheduler(origin.monotonicNs),
    timeline: new Timeline(origin.unixNs),
    markets: 4,
    ratePerSecond: 400,
  });
  const { restUrl, webSocketUrl } = await simulator.start();
  t.after(() => simulator.stop());
  const orders = createOrders(8);
  const live = new LiveNode(
    {
      venue: {
        id: 'binance-futures',
        symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BNBUSDT'],
        restUrl,
        webSocketUrl,
        settings: { depthInterval: '0ms' },
        instrumentsEverySeconds: 2,
      },
      threads: { layout, workers: 2 },
    },
    { entries: ENTRIES, extra: orders },
  );
  t.after(() => live.stop());
  await live.start();
  const { port } = live.node.endpoints;
  const client = new FeedClient({ url: `ws://127.0.0.1:${port}` });
  t.after(() => client.close());
  const page = async (path: string): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  return { simulator, live, client, orders, page };
}

for (const layout of ['full', 'split', 'fused'] as const) {
  test(`A finer tick, layout ${layout}: in-band Suspect, then Live at the new scale on the same connection`, async (t) => {
    const { simulator, live, client, page } = await stage(t, layout);
    const book = client.book(ETH, { mode: 'lossless' });
    const other = client.book('binance-futures:SOLUSDT', { mode: 'lossless' });
    const bbo = client.bbo(ETH);
    const status = client.status(ETH);
    const states: string[] = [];
    const others = new Set<number>();
    const connections: string[] = [];
    book.on((event: BookEvent) => states.push(`${event.state} ${event.reason}`));
    other.on(({ state }) => others.add(state));
    await until(
      () => book.book.isLive && bbo.latest !== null && status.latest !== null,
      'everything is told',
    );
    client.on('connection', ({ state }) => connections.push(state));
    assert.equal(book.book.priceDecimals, 2);
    simulator.venue.retick('ETHUSDT', true);
    await until(() => book.book.isLive && book.book.priceDecimals === 3, 'Live at the new scale');
    await until(() => bbo.latest?.bid?.priceDecimals === 3, 'the best price says its scale');
    await until(
      () => status.latest?.definition?.tickSizeText === '0.001',
      'the status says the tick',
    );
    assert.ok(states.some((state) => state.startsWith(`${BookState.Suspect} `)));
    assert.deepEqual([...others], [BookState.Live], 'another instrument goes on');
    assert.deepEqual(connections, [], 'no connection was lost');
    const { hash, gaps } = client.counters;
    assert.deepEqual([hash.failed, gaps], [0, 0]);
    const listed = JSON.parse(await page('/v1/instruments')) as {
      instruments: { instrument: string; tickSize: string; trading: string; bid: string[] }[];
    };
    const eth = listed.instruments.find(({ instrument }) => instrument === ETH)!;
    assert.deepEqual([eth.tickSize, eth.trading], ['0.001', 'Trading']);
    assert.match(eth.bid[0]!, /^\d+\.\d{3}$/);
    assert.equal((await client.instruments()).find((i) => i.instrument === ETH)!.tickSize, '0.001');
    const metrics = await page('/metrics');
    assert.match(metrics, /ringside_book_redefinitions_total\{.*ETHUSDT.*\} 1/);
    assert.match(metrics, /ringside_ingest_definitions_changed_total\{.*\} 1/);
    assert.match(live.events('instrument.redefined')[0]!.msg, /ETHUSDT is tick 0\.001/);
    assert.equal(live.node.instruments.find(({ name }) => name === ETH)!.tickSize, 1);
  });
}

test('Threads that are replaced afterwards, or in between, know the new scale', async (t) => {
  const { simulator, live, client, orders } = await stage(t, 'full');
  const rowOf = (thread: string) =>
    live.node.plan.threads.find((plan) => plan.name === thread)!.row;
  const shard = live.node.memory.shardOf[live.node.instruments.find((i) => i.name === ETH)!.id]!;
  const book = client.book(ETH);
  await until(() => book.book.isLive, 'the book is Live');
  simulator.venue.retick('ETHUSDT', true);
  order(orders, rowOf(`books-${shard}`), Harm.Throw);
  order(orders, rowOf('ingest'), Harm.Throw);
  await until(() => live.node.restarts('ingest') === 1, 'ingest was replaced');
  await until(() => live.node.restarts(`books-${shard}`) === 1, 'books were replaced');
  await until(() => book.book.isLive && book.book.priceDecimals === 3, 'Live at the new scale');
  // And once more when nothing is under way: what they begin with is the table.
  for (const thread of [`books-${shard}`, 'ingest', 'broadcast']) {
    const before = live.node.restarts(thread);
    order(orders, rowOf(thread), Harm.Throw);
    await until(() => live.node.restarts(thread) === before + 1, `${thread} was replaced`);
    await until(() => live.allLive(), 'all books are Live again');
    await until(() => book.book.isLive && book.book.priceDecimals === 3, 'told to the client');
  }
  assert.equal(book.book.levels(Side.Bid, 1)[0]!.priceDecimals, 3);
  assert.equal(live.stateOf(ETH), BookState.Live);
  // Twice if the thread that was to take it died before: the one after it asks anew.
  assert.ok(live.events('instrument.redefined').length <= 2);
});

test('An instrument that the venue halts says so, and the node stays ready without its book', async (t) => {
  const { simulator, client, page, live } = await stage(t, 'split');
  const status = client.status(ETH);
  await until(() => status.latest !== null, 'the status is told');
  simulator.venue.halt('ETHUSDT', 'SETTLING');
  await until(() => status.latest?.definition?.trading === 'Halted', 'the halt is told');
  assert.match(await page('/metrics'), /ringside_instrument_trading\{.*ETHUSDT.*\} 0/);
  await until(() => live.stateOf(ETH) === BookState.Stale, 'its book goes Stale');
  const ready = JSON.parse(await page('/ready')) as { ready: boolean; notTrading: number };
  assert.deepEqual([ready.ready, ready.notTrading], [true, 1]);
  assert.equal(status.latest!.reason, StateReason.StreamSilent);
});

test('A node that takes no books is ready once its connections are subscribed', async (t) => {
  const live = new LiveNode({ channels: ['trades'], simulator: { instruments: 3, rate: 100 } });
  t.after(() => live.stop());
  await live.node.start();
  await until(() => isReady(live.node.health), 'it is ready');
  const page = (await live.node.page('/ready'))!;
  assert.equal(page.status, 200);
  const told = JSON.parse(page.body) as { books: number; connections: number };
  assert.equal(told.books, 0);
  assert.ok(told.connections > 0);
});
