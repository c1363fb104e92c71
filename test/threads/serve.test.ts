/** `ringside serve` as users meet it: what it prints, how it stops, and how it fails. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { FeedClient } from '../../src/client/index.js';
import { ServeProcess } from '../support/serve-process.js';
import type { Listening } from '../support/serve-process.js';

const SMALL = ['--port', '0', '--sim-instruments', '4', '--json'];

test('Serve: brings books up Live, serves them on every path, and stops cleanly under clients', async (t) => {
  const serve = new ServeProcess([
    ...SMALL,
    '--admin-port',
    '0',
    '--layout',
    'full',
    '--workers',
    '2',
  ]);
  const listening = (await serve.event('listening')) as unknown as Listening;
  assert.equal(listening.layout, 'full');
  await serve.event('live');
  const instruments = (await (await fetch(listening.books)).json()) as {
    instruments: { state: string }[];
  };
  assert.deepEqual(
    instruments.instruments.map(({ state }) => state),
    ['Live', 'Live', 'Live', 'Live'],
  );
  const page = await fetch(listening.dashboard);
  assert.equal(page.status, 200);
  for (const base of [listening.dashboard, listening.metrics.replace('metrics', '')]) {
    assert.equal((await fetch(`${base}ready`)).status, 200);
    assert.equal((await fetch(`${base}health`)).status, 200);
    const metrics = await (await fetch(`${base}metrics`)).text();
    for (const name of [
      'ingest_frames_total',
      'book_updates_applied_total',
      'book_gaps_total',
      'book_resyncs_total',
      'book_state',
      'ring_high_water_bytes',
      'hop_seconds_bucket',
      'clients',
      'folded_total',
      'dropped_total',
      'event_loop_delay_seconds',
      'memory_bytes',
      'ingest_parse_faults_total',
    ]) {
      assert.match(metrics, new RegExp(`^ringside_${name}[ {]`, 'm'), name);
    }
    assert.match(metrics, /^ringside_hop_seconds_count\{.*received_to_published.*\} [1-9]/m);
  }

  const client = new FeedClient({ url: listening.feed });
  const book = client.subscribe('book', 'binance-futures:BTCUSDT');
  let deltas = 0;
  for await (const event of book) if (event.kind === 'delta' && ++deltas === 5) break;
  assert.ok(book.book.isLive);
  client.close();

  const sockets = Array.from({ length: 5 }, () => new WebSocket(listening.feed));
  const closes = sockets.map(
    (socket) => new Promise<number>((resolve) => socket.once('close', (code) => resolve(code))),
  );
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))),
  );
  const began = Date.now();
  serve.kill('SIGTERM');
  assert.deepEqual(await Promise.all(closes), [1001, 1001, 1001, 1001, 1001]);
  assert.deepEqual(await serve.exited, { code: 0, signal: null });
  t.diagnostic(`stopped in ${Date.now() - began} ms`);
  assert.equal(serve.err.includes('"level":50'), false, serve.err);
  await serve.event('stopped');
});

for (const layout of ['split', 'fused'] as const) {
  test(`Serve: the ${layout} layout comes up and stops on SIGINT`, async () => {
    const serve = new ServeProcess([...SMALL, '--layout', layout]);
    await serve.event('live');
    serve.kill('SIGINT');
    assert.deepEqual(await serve.exited, { code: 0, signal: null });
  });
}

test('Serve: a signal while it waits for an unreachable venue ends it at once', async () => {
  const serve = new ServeProcess([
    '--venue',
    'binance-futures',
    '--rest-url',
    'http://127.0.0.1:9',
    '--ws-url',
    'ws://127.0.0.1:9',
    '--port',
    '0',
  ]);
  while (!serve.err.includes('venue.unreachable'))
    await new Promise((resolve) => setTimeout(resolve, 20));
  serve.kill('SIGTERM');
  assert.deepEqual(await serve.exited, { code: 0, signal: null });
});

test('Serve: goes on where nobody reads its log, and stops cleanly where nobody reads its output', async () => {
  const serve = new ServeProcess(SMALL);
  const { books } = (await serve.event('listening')) as unknown as Listening;
  serve.stopReading('stderr');
  await serve.event('live');
  assert.equal((await fetch(books)).status, 200);
  serve.kill('SIGINT');
  assert.deepEqual(await serve.exited, { code: 0, signal: null });
  const unread = new ServeProcess(SMALL);
  unread.stopReading('stdout');
  assert.deepEqual(await unread.exited, { code: 0, signal: null });
});

test('Serve: a port that is taken is one clear line and exit code 6', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => squatter.once('listening', resolve));
  const { port } = squatter.address() as AddressInfo;
  const serve = new ServeProcess(['--port', String(port), '--sim-instruments', '2']);
  const { code } = await serve.exited;
  squatter.close();
  assert.equal(code, 6);
  assert.equal(serve.err.trim().split('\n').length, 1, serve.err);
  assert.match(serve.err, new RegExp(`^PORT_IN_USE .*${port}`));
});

test('Serve: wrong configuration, venue, symbol and address have an exit code and a clear text each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-serve-'));
  const file = join(folder, 'bad.yaml');
  writeFileSync(file, 'server:\n  prot: 1\n');
  const elsewhere = [
    '--venue',
    'binance-futures',
    '--rest-url',
    'http://127.0.0.1:9',
    '--ws-url',
    'ws://127.0.0.1:9',
  ];
  const cases: [string[], number, RegExp][] = [
    [
      ['--config', file],
      3,
      /BAD_CONFIG bad\.yaml:2:3 server\.prot: unknown setting \(did you mean "port"\?\)/,
    ],
    [
      ['--venue', 'binance-future'],
      4,
      /UNKNOWN_VENUE no venue "binance-future".*did you mean "binance-futures"/,
    ],
    [
      ['--symbols', 'BTCUSTD', '--port', '0'],
      5,
      /UNKNOWN_SYMBOL .*"BTCUSTD" \(did you mean "BTCUSDT"\?\)/,
    ],
    [['--config', join(folder, 'absent.yaml')], 7, /FILE_UNREADABLE/],
    [[...elsewhere, '--start-timeout', '100'], 8, /VENUE_UNREACHABLE .*127\.0\.0\.1:9/],
    [['--prot', '1'], 2, /Did you mean --port/],
  ];
  for (const [args, expected, text] of cases) {
    const serve = new ServeProcess(args);
    const { code } = await serve.exited;
    const told = serve.err.replaceAll(`${folder}/`, '');
    assert.equal(code, expected, `${args.join(' ')}\n${told}`);
    assert.match(told, text);
  }
  rmSync(folder, { recursive: true });
});

test('Serve: the token stands nowhere in what it prints', async () => {
  const canary = 'canary-7f3a91c2';
  const serve = new ServeProcess([...SMALL, '--token', canary, '--log-level', 'trace']);
  const { feed } = (await serve.event('listening')) as unknown as Listening;
  await serve.event('live');
  const refused = await fetch(feed.replace('ws:', 'http:').replace('feed', 'instruments'));
  assert.equal(refused.status, 401);
  const headers = { authorization: `Bearer ${canary}` };
  const answer = await fetch(feed.replace('ws:', 'http:').replace('feed', 'instruments'), {
    headers,
  });
  assert.equal(answer.status, 200);
  serve.kill('SIGTERM');
  await serve.exited;
  assert.equal((serve.out + serve.err).includes(canary), false);
});

test('Main: help, version and an unknown command', async () => {
  const help = new ServeProcess(['--help']);
  assert.deepEqual(await help.exited, { code: 0, signal: null });
  for (const word of ['Examples:', '--sim-faults', 'RINGSIDE_PORT', 'Exit codes:']) {
    assert.ok(help.out.includes(word), word);
  }
});
