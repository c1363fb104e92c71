/** Metrics and the admin server: read on scrape, in Prometheus' text format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultError } from '../../src/faults/fault.js';
import { AdminServer } from '../../src/ops/admin-server.js';
import { Trading, tradingName } from '../../src/domain/definition.js';
import { healthPage, readyPage } from '../../src/ops/health.js';
import type { BookHealth, ConnectionHealth } from '../../src/ops/health.js';
import { Metrics } from '../../src/ops/metrics.js';

test('Metrics: a counter shows what stands in memory at the time of the scrape', async () => {
  const metrics = new Metrics();
  let value = 1;
  metrics.add({
    name: 'frames_total',
    help: 'Frames.',
    kind: 'counter',
    labels: ['connection'],
    samples: () => [{ labels: { connection: 'public-0' }, value }],
  });
  assert.match(await metrics.text(), /^ringside_frames_total\{connection="public-0"\} 1$/m);
  value = 9_007_199_254_740_991;
  assert.match(
    await metrics.text(),
    /^ringside_frames_total\{connection="public-0"\} 9007199254740991$/m,
  );
});

test('Metrics: a duration histogram is cumulative and agrees with its count', async () => {
  const metrics = new Metrics();
  const buckets = [
    { upperNs: 900, count: 2 },
    { upperNs: 1_500, count: 3 },
    { upperNs: 5e10, count: 1 },
  ];
  metrics.addDurations({
    name: 'hop_seconds',
    help: 'Hops.',
    rows: [
      {
        labels: { hop: 'applied' },
        reader: { count: () => 6, sumNs: () => 2.5e9, buckets: () => buckets },
      },
    ],
  });
  const text = await metrics.text();
  assert.match(text, /^# TYPE ringside_hop_seconds histogram$/m);
  assert.match(text, /^ringside_hop_seconds_bucket\{.*le="0.000001".*\} 2$/m);
  assert.match(text, /^ringside_hop_seconds_bucket\{.*le="0.000002".*\} 5$/m);
  assert.match(text, /^ringside_hop_seconds_bucket\{.*le="10".*\} 5$/m);
  assert.match(text, /^ringside_hop_seconds_bucket\{.*le="\+Inf".*\} 6$/m);
  assert.match(text, /^ringside_hop_seconds_sum\{hop="applied"\} 2.5$/m);
  assert.match(text, /^ringside_hop_seconds_count\{hop="applied"\} 6$/m);
});

function sourcesOf(
  books: BookHealth[],
  running = true,
  stopping = false,
  connections: ConnectionHealth[] = [],
) {
  return {
    books: () => books,
    connections: () => connections,
    threads: () => [{ thread: 'ingest', running, restarts: 0 }],
    stopping: () => stopping,
    uptimeNs: () => 5e9,
  };
}

const LIVE: BookHealth = { instrument: 'v:A', state: 1, reason: 2, trading: Trading.Trading };
const LOST: BookHealth = { instrument: 'v:B', state: 3, reason: 3, trading: Trading.Trading };

test('Ready: only when every wanted book is Live, and it names those that are not', () => {
  assert.equal(readyPage(sourcesOf([LIVE])).status, 200);
  const page = readyPage(sourcesOf([LIVE, LOST]));
  assert.equal(page.status, 503);
  assert.deepEqual(JSON.parse(page.body), {
    ready: false,
    books: 2,
    live: 1,
    notTrading: 0,
    notLive: [{ instrument: 'v:B', state: 'Suspect', reason: 'Gap', trading: 'Trading' }],
  });
  assert.equal(readyPage(sourcesOf([LIVE], true, true)).status, 503, 'a node that stops is not');
});

test('Ready: a book of an instrument that the venue has halted or delisted is not waited for', () => {
  for (const trading of [Trading.Halted, Trading.Delisted]) {
    const page = readyPage(sourcesOf([LIVE, { ...LOST, trading }]));
    assert.equal(page.status, 200);
    const told = JSON.parse(page.body) as { notTrading: number; notLive: { trading: string }[] };
    assert.equal(told.notTrading, 1);
    assert.equal(told.notLive[0]!.trading, tradingName(trading));
  }
  const untold = { ...LOST, trading: Trading.Unknown };
  assert.equal(readyPage(sourcesOf([LIVE, untold])).status, 503, 'a venue that does not say');
});

test('Ready: where no books are asked for, when every connection to the venue is subscribed', () => {
  const up = { connection: 'public-0', subscribed: true };
  const down = { connection: 'market-0', subscribed: false };
  assert.equal(readyPage(sourcesOf([], true, false, [up])).status, 200);
  const page = readyPage(sourcesOf([], true, false, [up, down]));
  assert.equal(page.status, 503);
  assert.deepEqual(JSON.parse(page.body), {
    ready: false,
    books: 0,
    connections: 2,
    notSubscribed: ['market-0'],
  });
  assert.equal(readyPage(sourcesOf([])).status, 503, 'nothing at all is not ready');
  assert.equal(readyPage(sourcesOf([], true, true, [up])).status, 503, 'nor is a node that stops');
});

test('Health: tells which thread is down', () => {
  assert.equal(healthPage(sourcesOf([])).status, 200);
  const page = healthPage(sourcesOf([], false));
  assert.equal(page.status, 503);
  assert.equal((JSON.parse(page.body) as { status: string }).status, 'degraded');
});

test('AdminServer: serves its pages, 404 and 405 for the rest, and says when its port is taken', async () => {
  const pages = (path: string) =>
    Promise.resolve(
      path === '/health' ? { status: 200, contentType: 'text/plain', body: 'fine' } : null,
    );
  const server = new AdminServer({ host: '127.0.0.1', port: 0, pages });
  const port = await server.start();
  try {
    const page = await fetch(`http://127.0.0.1:${port}/health?x=1`);
    assert.equal(await page.text(), 'fine');
    assert.equal((await fetch(`http://127.0.0.1:${port}/other`)).status, 404);
    assert.equal((await fetch(`http://127.0.0.1:${port}/health`, { method: 'POST' })).status, 405);
    const second = new AdminServer({ host: '127.0.0.1', port, pages });
    await assert.rejects(
      second.start(),
      (error) => error instanceof FaultError && error.code === 'PORT_IN_USE',
    );
  } finally {
    await server.stop();
  }
});
