/** The real transports on loopback: what they promise in transport.ts, and the attacks they withstand. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { after, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { FaultError } from '../../src/faults/fault.js';
import { UndiciTransport } from '../../src/ingest/undici-transport.js';
import { LeanTransport } from '../../src/ingest/lean-transport.js';
import { WsTransport } from '../../src/ingest/ws-transport.js';
import type { WebSocketHandlers, WebSocketTransport } from '../../src/ingest/transport.js';
import { checkUrl, guardedLookup } from '../../src/ingest/url-guard.js';
import { SystemClock } from '../../src/time/system-clock.js';
import { PATIENCE_MS, pause } from '../support/until.js';

const clock = new SystemClock(process.hrtime.bigint());
const cleanups: (() => void)[] = [];
after(() => {
  for (const cleanup of cleanups) cleanup();
});

/** Collects what a transport says, as words, and lets a test wait for one. */
class Listener implements WebSocketHandlers {
  readonly words: string[] = [];
  readonly frames: { text: string; receivedNs: number }[] = [];
  private waiting: { pattern: RegExp; resolve: (word: string) => void }[] = [];

  onOpen(): void {
    this.say('open');
  }
  onFrame(bytes: Uint8Array, start: number, end: number, received: Float64Array): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString();
    this.frames.push({ text, receivedNs: received[0]! });
    this.say(`frame ${text.slice(0, 20)}`);
  }
  onReadEnd(): void {
    this.say('read-end');
  }
  onPing(): void {
    this.say('ping');
  }
  onPong(): void {
    this.say('pong');
  }
  onRefused(status: number, retryAfter: string | undefined): void {
    this.say(`refused ${status} ${retryAfter}`);
  }
  onClose(code: number, reason: string): void {
    this.say(`close ${code} ${reason}`);
  }

  until(pattern: RegExp): Promise<string> {
    const found = this.words.find((word) => pattern.test(word));
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.waiting.push({ pattern, resolve }));
  }

  private say(word: string): void {
    this.words.push(word);
    for (const { pattern, resolve } of this.waiting) if (pattern.test(word)) resolve(word);
    this.waiting = this.waiting.filter(({ pattern }) => !pattern.test(word));
  }
}

/** One contract, two implementations: every test of the contract runs on both. */
function testBoth(
  what: string,
  body: (transport: WebSocketTransport) => Promise<void>,
  handshakeMsMax = PATIENCE_MS,
): void {
  const options = { clock, handshakeMsMax, allowPrivate: false, frameBytesMax: 10_000 };
  test(`WsTransport: ${what}`, () => body(new WsTransport(options)));
  test(`LeanTransport: ${what}`, () => body(new LeanTransport(options)));
}

async function webSocketServer(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  cleanups.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/stream` };
}

async function tcpServer(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await listen(server);
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function listen(server: Server): Promise<unknown> {
  server.listen(0, '127.0.0.1');
  return once(server, 'listening');
}

testBoth(
  'frames of one socket read are handed over together, then the read ends',
  async (transport) => {
    const { server, url } = await webSocketServer();
    server.on('connection', (socket) => {
      // Written in one turn: the kernel hands them over in one read.
      for (let i = 0; i < 3; i++) socket.send(`m${i}`);
      socket.send(Buffer.from('binary'));
      socket.ping();
    });
    const listener = new Listener();
    const connection = transport.connect(url, listener);
    await listener.until(/^frame binary/);
    connection.ping();
    await listener.until(/^pong/);
    const from = listener.words.indexOf('frame m0');
    const frames = listener.words.filter((word) => word.startsWith('frame'));
    assert.deepEqual(frames, ['frame m0', 'frame m1', 'frame m2', 'frame binary']);
    assert.ok(listener.words.indexOf('read-end', from) > from, 'after the frames');
    assert.equal(listener.words[0], 'open');
    connection.close(1000, 'done');
    assert.equal(await listener.until(/^close/), 'close 1000 done');
  },
);

testBoth(
  'received time is that of the first byte, though the rest comes later',
  async (transport) => {
    const { server, url } = await webSocketServer();
    const listener = new Listener();
    let restSentNs = 0;
    let lastSentNs = 0;
    server.on('connection', (socket, request) => {
      const raw = request.socket;
      raw.setNoDelay(true);
      raw.cork();
      socket.send('first');
      const frame = Buffer.concat([Buffer.from([0x81, 126, 0x01, 0x00]), Buffer.alloc(256, 0x61)]);
      raw.write(frame.subarray(0, 100));
      raw.uncork();
      void (async () => {
        // What is there of the second frame has been read by then.
        await listener.until(/^frame first/);
        await pause(50);
        restSentNs = clock.nowNs();
        raw.write(frame.subarray(100));
        await listener.until(/^frame aaa/);
        lastSentNs = clock.nowNs();
        socket.send('last');
      })();
    });
    const connection = transport.connect(url, listener);
    await listener.until(/^frame last/);
    const [first, split, last] = listener.frames.map(({ receivedNs }) => receivedNs);
    assert.equal(listener.frames[1]!.text.length, 256);
    assert.ok(split! >= first!);
    assert.ok(split! < restSentNs, 'the split frame was received when its first byte was');
    assert.ok(last! >= lastSentNs, 'the last one later');
    connection.terminate();
    await listener.until(/^close/);
  },
);

testBoth('a message beyond the limit ends the connection with 1009', async (transport) => {
  const { server, url } = await webSocketServer();
  const serverHears = new Promise((resolve) => {
    server.on('connection', (socket) => {
      socket.on('close', resolve);
      socket.send('x'.repeat(10_001));
    });
  });
  const listener = new Listener();
  transport.connect(url, listener);
  assert.equal(await serverHears, 1009);
  assert.match(
    await listener.until(/^close/),
    /^close 1006 (Max payload size exceeded|message of 10001 bytes)/,
  );
  assert.equal(listener.frames.length, 0);
});

testBoth('a message in too many fragments is refused', async (transport) => {
  const { server, url } = await webSocketServer();
  server.on('connection', (socket) => {
    for (let i = 0; i < 200; i++) socket.send('a', { fin: false });
  });
  const listener = new Listener();
  transport.connect(url, listener);
  assert.match(await listener.until(/^close/), /^close 1006 too many (message )?fragments/i);
});

testBoth('a refused upgrade tells its status and Retry-After', async (transport) => {
  const server = createServer().on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n');
  });
  await listen(server);
  cleanups.push(() => server.close());
  const listener = new Listener();
  transport.connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, listener);
  assert.match(await listener.until(/^close/), /^close 1006 upgrade answered with status 429/);
  assert.deepEqual(listener.words.slice(0, 1), ['refused 429 7']);
  assert.equal(listener.words.length, 2);
});

testBoth('a redirect is an answer, and is not followed', async (transport) => {
  const { server: target, url } = await webSocketServer();
  let reached = 0;
  target.on('connection', () => reached++);
  const server = createServer().on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    socket.end(`HTTP/1.1 302 Found\r\nLocation: ${url}\r\nContent-Length: 0\r\n\r\n`);
  });
  await listen(server);
  cleanups.push(() => server.close());
  const listener = new Listener();
  transport.connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, listener);
  await listener.until(/^close/);
  assert.equal(listener.words[0], 'refused 302 undefined');
  assert.equal(reached, 0);
});

testBoth(
  'a server that never answers the upgrade is given up in time',
  async (transport) => {
    const host = await tcpServer(() => {});
    const listener = new Listener();
    transport.connect(`ws://${host}/`, listener);
    assert.match(await listener.until(/^close/), /^close 1006 Opening handshake has timed out/);
  },
  300,
);

testBoth('nobody there is a close like any other, said once', async (transport) => {
  const listener = new Listener();
  transport.connect('ws://127.0.0.1:1/', listener);
  assert.match(await listener.until(/^close/), /^close 1006 .*ECONNREFUSED/);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(listener.words.length, 1);
});

testBoth('terminating while it connects ends with one close', async (transport) => {
  const host = await tcpServer(() => {});
  const listener = new Listener();
  transport.connect(`ws://${host}/`, listener).terminate();
  await listener.until(/^close/);
  assert.equal(listener.words.length, 1);
});

test('WsTransport: the parts of ws that it looks into exist', async () => {
  const { url } = await webSocketServer();
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const { _receiver: receiver } = socket as unknown as { _receiver: Record<string, unknown> };
  for (const field of ['_state', '_bufferedBytes', '_fragmented']) {
    assert.equal(receiver[field], 0, `${field} is 0 between messages`);
  }
  socket.terminate();
});

const http = new UndiciTransport({ allowPrivate: false, connectionsMax: 2 });
cleanups.push(() => void http.close());

async function httpServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  await listen(server);
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(url: string, msMax = PATIENCE_MS): ReturnType<UndiciTransport['request']> {
  return http.request({ method: 'GET', url, weight: 1 }, { msMax, bodyBytesMax: 1_000 });
}

function isFault(code: string, message: RegExp) {
  return (error: unknown): boolean =>
    error instanceof FaultError && error.code === code && message.test(error.message);
}

test('UndiciTransport: status, headers and body come back, connections are kept', async () => {
  const sockets = new Set<Socket>();
  const origin = await httpServer((request, response) => {
    sockets.add(request.socket);
    response.setHeader('X-MBX-USED-WEIGHT-1M', '42');
    response.end(`${request.method} ${request.url}`);
  });
  for (let i = 0; i < 3; i++) {
    const answer = await get(`${origin}/depth?symbol=A&limit=5`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-mbx-used-weight-1m'], '42');
    assert.equal(Buffer.from(answer.body).toString(), 'GET /depth?symbol=A&limit=5');
  }
  for (let i = 0; i < 7; i++) await get(origin);
  assert.ok(sockets.size <= 2, `${sockets.size} sockets for ten requests`);
});

test('UndiciTransport: a redirect is an answer', async () => {
  let reached = 0;
  const target = await httpServer((_request, response) => {
    reached++;
    response.end();
  });
  const origin = await httpServer((_request, response) => {
    response.writeHead(302, { location: target }).end();
  });
  assert.equal((await get(origin)).status, 302);
  assert.equal(reached, 0);
});

test('UndiciTransport: a body beyond its bound is cut while it is read', async () => {
  const origin = await httpServer((_request, response) => {
    const pump = (): void => {
      while (response.write(Buffer.alloc(65_536))) if (response.destroyed) return;
      response.once('drain', pump);
    };
    pump();
  });
  await assert.rejects(get(origin), isFault('FRAME_TOO_LARGE', /beyond 1000 bytes/));
});

test('UndiciTransport: a body that drips is given up at the deadline of the whole request', async () => {
  const origin = await httpServer((_request, response) => {
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  });
  await assert.rejects(get(origin, 400), isFault('VENUE_UNREACHABLE', /too slow: beyond 400 ms/));
});

test('UndiciTransport: silence, refusal and reset are faults that say so', async () => {
  const silent = await tcpServer(() => {});
  const reset = await tcpServer((socket) => socket.on('data', () => socket.resetAndDestroy()));
  await assert.rejects(get(`http://${silent}/`, 400), isFault('VENUE_UNREACHABLE', /too slow/));
  await assert.rejects(
    get(`http://${reset}/`),
    isFault('VENUE_UNREACHABLE', /reset|closed|ECONN/i),
  );
  await assert.rejects(get('http://127.0.0.1:1/'), isFault('VENUE_UNREACHABLE', /ECONNREFUSED/));
});

test('url guard: which URLs a venue may have', () => {
  const open = { allowPrivate: false };
  const passes = [
    'wss://fstream.binance.com/public/stream',
    'https://fapi.binance.com/fapi/v1/depth',
    'ws://127.0.0.1:9444/stream',
    'http://localhost:9444/',
    'ws://[::1]:9444/',
  ];
  const refused = [
    'ws://fstream.binance.com/',
    'http://93.184.216.34/',
    'https://10.0.0.8/',
    'wss://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00::1]/',
    'ftp://fapi.binance.com/',
    'file:///etc/passwd',
    'https://user:secret@fapi.binance.com/',
    'not a url',
    'http://0x7f000001.example.com/',
  ];
  for (const url of passes) assert.doesNotThrow(() => checkUrl(url, open), url);
  for (const url of refused) {
    assert.throws(() => checkUrl(url, open), isFault('BAD_CONFIG', /./), url);
  }
  const local = { allowPrivate: true };
  for (const url of ['ws://10.0.0.8:8000/', 'http://node.internal/']) {
    assert.doesNotThrow(() => checkUrl(url, local), url);
  }
});

test('url guard: a public name that resolves to this network is refused when it connects', async () => {
  const look = (hostname: string, allowPrivate: boolean): Promise<Error | null> =>
    new Promise((resolve) => {
      guardedLookup({ allowPrivate })(hostname, { all: false }, (error) => resolve(error));
    });
  // An address is its own answer: no name server is asked.
  assert.match(String(await look('10.1.2.3', false)), /resolves to the private address 10.1.2.3/);
  assert.match(String(await look('::ffff:10.1.2.3', false)), /private/);
  assert.equal(await look('10.1.2.3', true), null);
  assert.equal(await look('localhost', false), null);
});
