/**
 * Clients that others wrote, unchanged, against a live server with made-up blocks: `@nktkas/hyperliquid`,
 * `hyperliquid` and `ccxt` read books and trades over `/ws` and `/info`.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import {
  HttpTransport,
  InfoClient,
  SubscriptionClient,
  WebSocketTransport,
} from '@nktkas/hyperliquid';
import ccxt from 'ccxt';
import { WebSocket } from 'ws';
import { apiExtras } from '../../../src/broadcast/hyperliquid-api/hyperliquid-api.js';
import { resolveLimits } from '../../../src/broadcast/limits.js';
import { UwsServer } from '../../../src/broadcast/uws-server.js';
import { SystemScheduler } from '../../../src/time/system-scheduler.js';
import { readTimelineOrigin } from '../../../src/time/system-clock.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { NodeApiRig } from '../../support/node-api-rig.js';
import {
  ALICE,
  BOB,
  syntheticBlock,
  writeSyntheticSnapshot,
} from '../../support/synthetic-node.js';

// Node 20 has none, and these clients look for one.
Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket });

const BLOCK_MS = 40;
const snapshotPath = writeSyntheticSnapshot(['BTC', 'ETH']);
let rig: NodeApiRig;
let port = 0;
let turns: NodeJS.Timeout;
let blocks: NodeJS.Timeout;

before(async () => {
  rig = new NodeApiRig({
    snapshotPath,
    instruments: [nodeInstrument('BTC', 0, 5), nodeInstrument('ETH', 1, 4)],
    server: new UwsServer({ limits: resolveLimits(), extras: apiExtras(true) }),
    clock: new SystemScheduler(readTimelineOrigin().monotonicNs),
    format: 'official',
  });
  port = await rig.agent.listen('127.0.0.1', 0);
  turns = setInterval(() => rig.turn(), 2);
  let n = 0;
  // An order joins and leaves again: a pair of blocks is of one coin.
  blocks = setInterval(() => {
    n++;
    rig.append(syntheticBlock(n, Math.ceil(n / 2) % 4 === 0 ? 'ETH' : 'BTC'));
  }, BLOCK_MS);
});

after(() => {
  clearInterval(turns);
  clearInterval(blocks);
  rig.close();
  rmSync(snapshotPath, { force: true });
});

const base = (): string => `http://127.0.0.1:${port}`;
const socketUrl = (): string => `ws://127.0.0.1:${port}/ws`;

/** The first of what a subscription tells that fits. */
function firstOf<T>(
  subscribe: (listener: (value: T) => void) => Promise<unknown>,
  fits: (value: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve, reject) => {
    subscribe((value) => {
      if (fits(value)) resolve(value);
    }).catch(reject);
  });
}

test('@nktkas/hyperliquid reads meta, books, mids and trades over HTTP', async () => {
  const info = new InfoClient({ transport: new HttpTransport({ apiUrl: base() }) });
  const meta = await info.meta();
  assert.deepEqual(
    meta.universe.map(({ name, szDecimals }) => [name, szDecimals]),
    [
      ['BTC', 5],
      ['ETH', 4],
    ],
  );
  const mids = await info.allMids();
  assert.equal(mids['BTC'], '100.5');
  const book = await info.l2Book({ coin: 'BTC', nSigFigs: 5, mantissa: 2 });
  assert.ok(book !== null);
  assert.equal(book.coin, 'BTC');
  assert.equal(book.levels[1][0]!.px, '101.0');
  const trades = await info.recentTrades({ coin: 'BTC' });
  assert.ok(Array.isArray(trades));
  await assert.rejects(info.clearinghouseState({ user: BOB as `0x${string}` }), /422/);
});

test('@nktkas/hyperliquid follows l2Book, bbo, trades and allMids, and asks over its socket', async () => {
  const transport = new WebSocketTransport({ url: socketUrl() });
  try {
    const subscriptions = new SubscriptionClient({ transport });
    const [book, bbo, trades, mids] = await Promise.all([
      firstOf<{ coin: string; levels: { px: string; n: number }[][] }>(
        (listener) => subscriptions.l2Book({ coin: 'BTC' }, listener as never),
        ({ levels }) => levels[0]![0]!.n === 2,
      ),
      firstOf<{ bbo: ({ px: string } | null)[] }>((listener) =>
        subscriptions.bbo({ coin: 'BTC' }, listener as never),
      ),
      firstOf<{ users: string[]; px: string }[]>((listener) =>
        subscriptions.trades({ coin: 'BTC' }, listener as never),
      ),
      firstOf<{ mids: Record<string, string> }>((listener) =>
        subscriptions.allMids(listener as never),
      ),
    ]);
    assert.equal(book.coin, 'BTC');
    assert.deepEqual([book.levels[0]!.length, book.levels[0]![0]!.px], [10, '100.0']);
    assert.equal(bbo.bbo[1]!.px, '101.0');
    assert.deepEqual([trades[0]!.px, trades[0]!.users], ['101.0', [BOB, ALICE]]);
    assert.equal(mids.mids['ETH'], '100.5');
    const overSocket = await new InfoClient({ transport }).l2Book({ coin: 'ETH' });
    assert.equal(overSocket?.coin, 'ETH');
  } finally {
    await transport.close();
  }
});

interface OldSdk {
  BASE_URLS: { PRODUCTION: string };
  WSS_URLS: { PRODUCTION: string };
  Hyperliquid: new (options: object) => {
    connect(): Promise<void>;
    disconnect(): void;
    info: { getL2Book(coin: string): Promise<{ levels: { px: string }[][] }> };
    subscriptions: {
      subscribeToL2Book(coin: string, on: (book: unknown) => void): Promise<void>;
      subscribeToTrades(coin: string, on: (trades: unknown) => void): Promise<void>;
    };
  };
}

test('hyperliquid reads books and trades', async () => {
  const sdk = createRequire(import.meta.url)('hyperliquid') as OldSdk;
  sdk.BASE_URLS.PRODUCTION = base();
  sdk.WSS_URLS.PRODUCTION = socketUrl();
  const client = new sdk.Hyperliquid({ enableWs: true });
  await client.connect();
  try {
    const asked = await client.info.getL2Book('BTC-PERP');
    // It makes numbers of what reads like one.
    assert.equal(Number(asked.levels[0]![0]!.px), 100);
    const book = await firstOf<{ levels: { px: string }[][] }>((listener) =>
      client.subscriptions.subscribeToL2Book('BTC-PERP', listener as never),
    );
    assert.equal(Number(book.levels[1]![0]!.px), 101);
    const trades = await firstOf<{ px: string; users: string[] }[]>((listener) =>
      client.subscriptions.subscribeToTrades('BTC-PERP', listener as never),
    );
    assert.equal(Number(trades[0]!.px), 101);
  } finally {
    client.disconnect();
  }
});

test('ccxt loads markets, fetches and watches books and trades', async () => {
  const exchange = new ccxt.pro.hyperliquid({
    options: { fetchMarkets: { types: ['swap'] }, builderFee: false },
  });
  exchange.urls['api'] = { public: base(), private: base(), ws: { public: socketUrl() } };
  await exchange.loadHttpProxyAgent();
  try {
    const markets = await exchange.loadMarkets();
    assert.ok(markets['BTC/USDC:USDC'] !== undefined);
    const fetched = await exchange.fetchOrderBook('BTC/USDC:USDC');
    assert.equal(fetched.asks[0]![0], 101);
    const watched = await exchange.watchOrderBook('BTC/USDC:USDC');
    assert.deepEqual([watched.bids[0]![0], watched.asks[0]![0]], [100, 101]);
    const trades = await exchange.watchTrades('BTC/USDC:USDC');
    assert.deepEqual([trades[0]!.price, trades[0]!.amount, trades[0]!.side], [101, 0.25, 'buy']);
  } finally {
    await exchange.close();
  }
});
