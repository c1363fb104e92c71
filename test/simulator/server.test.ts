/** The simulator over real loopback sockets, with a third-party client on the other end. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { FaultError } from '../../src/faults/fault.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { pause, until } from '../support/until.js';
import { NaiveFuturesBook, strictDepthFrame } from '../support/naive-futures-client.js';
import type { Snapshot } from '../support/naive-futures-client.js';

const running: { stop(): Promise<void> }[] = [];
after(() => Promise.all(running.map((simulator) => simulator.stop())));

async function start(options: Partial<SimulatorOptions> = {}) {
  const origin = readTimelineOrigin();
  const simulator = createSimulator({
    scheduler: new SystemScheduler(origin.monotonicNs),
    timeline: new Timeline(origin.unixNs),
    markets: 4,
    ...options,
  });
  const urls = await simulator.start();
  running.push(simulator);
  return { simulator, urls };
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

test('A client over sockets rebuilds the true books of a busy market', async () => {
  const { simulator, urls } = await start({ ratePerSecond: 5000, truthWindow: 1 << 15 });
  const socket = new WebSocket(
    `${urls.webSocketUrl}/public/stream?streams=btcusdt@depth@0ms/ethusdt@depth@0ms`,
    { perMessageDeflate: false },
  );
  const books = new Map(
    [
      ['BTCUSDT', 2, 3],
      ['ETHUSDT', 2, 3],
    ].map(([symbol, price, size]) => [
      String(symbol),
      new NaiveFuturesBook(Number(price), Number(size)),
    ]),
  );
  let checked = 0;
  let different = 0;
  socket.on('message', (data: Buffer) => {
    const frame = strictDepthFrame(data.toString())!;
    const book = books.get(frame.s)!;
    assert.ok(book.onFrame(frame));
    if (!book.live || book.applied % 8 !== 0) return;
    checked++;
    if (book.hash() !== simulator.truth.hashAt(frame.s, frame.u)) different++;
  });
  await once(socket, 'open');
  await pause(50);
  for (const [symbol, book] of books) {
    const answer = await fetch(`${urls.restUrl}/fapi/v1/depth?symbol=${symbol}&limit=1000`);
    assert.equal(answer.headers.get('content-type'), 'application/json;charset=UTF-8');
    assert.ok(Number(answer.headers.get('x-mbx-used-weight-1m')) > 0);
    assert.ok(book.onSnapshot((await answer.json()) as Snapshot));
  }
  await until(() => checked > 100, 'books were compared');
  socket.terminate();
  assert.equal(different, 0);
});

test('Unknown paths refuse the upgrade, and REST and WebSocket share one port', async () => {
  const { urls } = await start();
  const socket = new WebSocket(`${urls.webSocketUrl}/nowhere`);
  const [error] = (await once(socket, 'error')) as [Error];
  assert.match(error.message, /404/);
  assert.equal((await fetch(`${urls.restUrl}/fapi/v1/ping`)).status, 200);
  assert.equal(new URL(urls.restUrl).port, new URL(urls.webSocketUrl).port);
});

test('An upgrade that is no WebSocket handshake is refused and leaves no session', async () => {
  const { simulator, urls } = await start();
  const { port } = new URL(urls.restUrl);
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    path: '/public/ws/btcusdt@depth@0ms',
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': createHash('md5').digest('hex'),
    },
  });
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [{ statusCode: number }];
  assert.equal(response.statusCode, 400);
  await until(() => simulator.stats().sessionsCount === 0, 'the session is gone');
});

test('Faults over sockets: cut, silent and late as ordered, while others go on', async () => {
  const { simulator, urls } = await start({ ratePerSecond: 1000 });
  const socket = await open(`${urls.webSocketUrl}/public/ws/btcusdt@depth@0ms`);
  let frames = 0;
  socket.on('message', () => frames++);
  await until(() => frames > 5, 'frames come');
  simulator.venue.stallAll(0);
  await pause(200);
  const before = frames;
  await pause(100);
  assert.equal(frames, before, 'half-open: nothing comes');
  let pongs = 0;
  socket.on('pong', () => pongs++);
  socket.ping();
  await pause(50);
  assert.equal(pongs, 0, 'not even an answer to a ping');
  assert.equal(socket.readyState, socket.OPEN);
  const closing = once(socket, 'close');
  simulator.venue.disconnectAll();
  assert.equal(((await closing) as [number])[0], 1006);
  simulator.setFaults({ lateSnapshot: 1, lateSnapshotMs: 150 });
  const askedMs = performance.now();
  const late = fetch(`${urls.restUrl}/fapi/v1/depth?symbol=BTCUSDT`);
  assert.equal((await fetch(`${urls.restUrl}/fapi/v1/time`)).status, 200);
  assert.equal((await late).status, 200);
  assert.ok(performance.now() - askedMs >= 149);
  simulator.setFaults({ lateSnapshot: 0, refuse418: 1 });
  const banned = await fetch(`${urls.restUrl}/fapi/v1/depth?symbol=BTCUSDT`);
  assert.equal(banned.status, 418);
  assert.equal(banned.headers.get('retry-after'), '2');
});

test('A client that sends too much, or too large a message, is closed', async () => {
  const { urls } = await start();
  const busy = await open(`${urls.webSocketUrl}/public/ws`);
  for (let n = 0; n < 12; n++) busy.send('{"method":"LIST_SUBSCRIPTIONS","id":1}');
  assert.equal(((await once(busy, 'close')) as [number])[0], 1008);
  const large = await open(`${urls.webSocketUrl}/public/ws`);
  large.on('error', () => {});
  large.send('x'.repeat(1 << 20));
  assert.notEqual(((await once(large, 'close')) as [number])[0], 1000);
});

test('stop() says goodbye to clients, and ends although one of them never answers', async () => {
  const { simulator, urls } = await start();
  const polite = await open(`${urls.webSocketUrl}/public/ws/btcusdt@depth@0ms`);
  const rude = await open(`${urls.webSocketUrl}/public/ws`);
  rude.pause();
  const goodbye = once(polite, 'close');
  await simulator.stop();
  assert.equal(((await goodbye) as [number])[0], 1001);
  await assert.rejects(fetch(`${urls.restUrl}/fapi/v1/ping`));
  rude.terminate();
});

test('A request body beyond its bound ends the connection, and others go on', async () => {
  const { urls } = await start();
  const url = `${urls.restUrl}/fapi/v1/depth`;
  await assert.rejects(fetch(url, { method: 'POST', body: 'x'.repeat(1 << 20) }));
  assert.equal((await fetch(url, { method: 'POST', body: '{}' })).status, 405);
  assert.equal((await fetch(`${urls.restUrl}/fapi/v1/ping`)).status, 200);
});

test('A port that is taken is named by a fault', async () => {
  const { urls } = await start();
  const port = Number(new URL(urls.restUrl).port);
  await assert.rejects(start({ port }), (error: unknown) => {
    return (
      error instanceof FaultError &&
      error.code === 'PORT_IN_USE' &&
      error.message.includes(String(port))
    );
  });
});
