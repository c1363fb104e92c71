/** HTTP on the feed's port, and who may come in. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import type { ClientOptions } from 'ws';
import { FaultError } from '../../src/faults/fault.js';
import { UwsServer, type TlsFiles } from '../../src/broadcast/uws-server.js';
import { LiveRoom, pause, until } from './support/live-room.js';
import { subscribe, TestRoom } from './support/room.js';

const TOKEN = 'correct horse battery staple';

function dashboard(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-dashboard-'));
  mkdirSync(join(directory, 'assets'));
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Ringside</title>');
  writeFileSync(join(directory, 'assets', 'index-B3xk29aQ.js'), 'export {};');
  writeFileSync(join(directory, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  return directory;
}

/** Status of a refused handshake, 101 if it was accepted. */
async function handshake(room: LiveRoom, options: ClientOptions, query = ''): Promise<number> {
  const client = room.connect(query, options);
  const status = await new Promise<number>((resolve) => {
    client.socket.once('open', () => resolve(101));
    client.socket.once('unexpected-response', (_request, response) =>
      resolve(response.statusCode!),
    );
    client.socket.on('error', () => undefined);
  });
  client.socket.terminate();
  return status;
}

describe('HTTP', () => {
  const directory = dashboard();
  let room: LiveRoom;
  before(async () => {
    room = await LiveRoom.start({
      options: {
        dashboardDirectory: directory,
        pages: async (path) => {
          if (path === '/metrics')
            return {
              status: 200,
              contentType: 'text/plain; version=0.0.4',
              body: 'ringside_up 1\n',
            };
          if (path === '/ready')
            return { status: 503, contentType: 'application/json', body: '{"ready":false}' };
          if (path === '/health') return new Promise(() => undefined);
          return null;
        },
      },
      limits: { opsNsMax: 50e6 },
    });
  });
  after(async () => {
    await room.stop();
    rmSync(directory, { recursive: true });
  });

  test('HTTP: / is the dashboard, with its types and the security headers', async () => {
    const page = await room.get('/');
    assert.equal(page.status, 200);
    assert.match(page.body, /Ringside/);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/);
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal(page.headers['x-frame-options'], 'DENY');
    const script = await room.get('/assets/index-B3xk29aQ.js');
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.match(String(script.headers['cache-control']), /immutable/);
    const again = await room.get('/', {
      headers: { 'If-None-Match': String(page.headers['etag']) },
    });
    assert.deepEqual([again.status, again.body], [304, '']);
    const head = await room.get('/', { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.body, head.headers['content-length']],
      [200, '', String(page.body.length)],
    );
  });

  test('HTTP: no path leads out of the dashboard', async () => {
    for (const path of [
      '/../package.json',
      '/assets/../../package.json',
      '/%2e%2e/package.json',
      '/assets/%2e%2e%2fx',
      '/..%5cpackage.json',
      '//etc/passwd',
      '/assets/',
      '/constructor',
      '/__proto__',
    ]) {
      const page = await room.get(path);
      assert.equal(page.status, 404, path);
      assert.equal((JSON.parse(page.body) as { code: string }).code, 'NOT_FOUND');
    }
  });

  test('HTTP: /v1/instruments lists each instrument with state and best prices in decimal text', async () => {
    const { status, body, headers } = await room.get('/v1/instruments');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    const { instruments } = JSON.parse(body) as { instruments: Record<string, unknown>[] };
    assert.deepEqual(
      instruments.map((each) => each['instrument']),
      ['test:SYM0', 'test:SYM1'],
    );
    assert.equal(instruments[0]!['state'], 'Live');
    assert.deepEqual((instruments[0]!['bid'] as string[])[0], '1000.0');
    assert.deepEqual((instruments[0]!['ask'] as string[])[0], '1000.2');
  });

  test('HTTP: /v1/book gives levels, sequence, epoch, state and hash', async () => {
    const { body } = await room.get('/v1/book/test:SYM0?depth=3');
    const book = JSON.parse(body) as Record<string, unknown>;
    assert.equal(book['state'], 'Live');
    assert.equal(book['sequence'], String(room.books.books[0]!.sequence));
    assert.equal(book['epoch'], String(room.books.books[0]!.epoch));
    assert.match(String(book['hash']), /^[0-9a-f]{16}$/);
    const truth = room.books
      .levels(0, 'bids', 3)
      .map(([price, size]) => [(price / 10).toFixed(1), (size / 1000).toFixed(3)]);
    assert.deepEqual(book['bids'], truth);
    const full = JSON.parse((await room.get('/v1/book/test%3ASYM0?depth=full')).body) as {
      asks: unknown[];
    };
    assert.equal(full.asks.length, 50);
    assert.equal(
      (JSON.parse((await room.get('/v1/book/test:SYM0')).body) as { asks: unknown[] }).asks.length,
      20,
    );
    const wrong: [string, number, string][] = [
      ['/v1/book/test:NONE', 404, 'UNKNOWN_INSTRUMENT'],
      ['/v1/book/test:SYM0?depth=-1', 400, 'BAD_DEPTH'],
      ['/v1/book/test:SYM0?depth=99999', 400, 'BAD_DEPTH'],
      ['/v1/book/test:SYM0?depth=x', 400, 'BAD_DEPTH'],
      ['/v1/book/%ff', 400, 'MALFORMED_REQUEST'],
      ['/v1/other', 404, 'NOT_FOUND'],
    ];
    for (const [path, status, code] of wrong) {
      const answer = await room.get(path);
      assert.deepEqual(
        [answer.status, (JSON.parse(answer.body) as { code: string }).code],
        [status, code],
        path,
      );
    }
  });

  test('HTTP: pages of the main thread come through, and a late one is 503', async () => {
    const metrics = await room.get('/metrics');
    assert.deepEqual([metrics.status, metrics.body], [200, 'ringside_up 1\n']);
    assert.equal((await room.get('/ready')).status, 503);
    const late = await room.get('/health');
    assert.deepEqual(
      [late.status, (JSON.parse(late.body) as { code: string }).code],
      [503, 'UNAVAILABLE'],
    );
  });

  test('HTTP: only GET and HEAD are answered; the feed path wants a WebSocket', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      assert.equal((await room.get('/v1/instruments', { method })).status, 405, method);
    }
    assert.equal((await room.get('/v1/feed')).status, 426);
  });
});

describe('Admission', () => {
  let room: LiveRoom;
  before(async () => {
    room = await LiveRoom.start({
      options: {
        security: {
          token: TOKEN,
          allowedOrigins: ['https://desk.example'],
          allowedHosts: ['feed.example'],
        },
      },
      limits: { authNsMax: 150e6, connectionsPerAddressMax: 5 },
    });
  });
  after(() => room.stop());
  const bearer = { Authorization: `Bearer ${TOKEN}` };

  test('Admission: a foreign Host or Origin is refused at the handshake', async () => {
    const at = `127.0.0.1:${room.port}`;
    const table: [ClientOptions, number][] = [
      [{ headers: { ...bearer } }, 101],
      [{ headers: { ...bearer, Host: 'feed.example' } }, 101],
      [{ headers: { ...bearer, Host: 'LOCALHOST:1' } }, 101],
      [{ headers: { ...bearer, Host: '[::1]:9001' } }, 101],
      [{ headers: { ...bearer, Host: 'rebound.attacker.example' } }, 403],
      [{ headers: { ...bearer, Host: '127.0.0.1.attacker.example' } }, 403],
      [{ headers: { ...bearer, Host: 'a b' } }, 403],
      [{ headers: bearer, origin: 'https://desk.example' }, 101],
      [{ headers: bearer, origin: `http://${at}` }, 101],
      [{ headers: bearer, origin: 'https://attacker.example' }, 403],
      [{ headers: bearer, origin: 'null' }, 403],
      [{ headers: bearer, origin: `http://${at}.attacker.example` }, 403],
      [{ headers: { Authorization: 'Bearer wrong' } }, 401],
      [{ headers: { Authorization: 'Basic abc' } }, 401],
      [{ protocolVersion: 8, headers: bearer }, 426],
    ];
    for (const [options, status] of table) {
      assert.equal(await handshake(room, options), status, JSON.stringify(options));
      await pause(2);
    }
    assert.equal(await handshake(room, { headers: bearer }, '?format=xml'), 400);
    const foreign = { headers: { Host: 'attacker.example' } };
    assert.equal((await room.get('/', foreign)).status, 403);
    assert.equal((await room.get('/health', foreign)).status, 404, 'a probe may use any name');
  });

  test('Admission: a browser says its token in the first message, or is closed with 4401', async () => {
    const client = await room.connect().opened();
    assert.equal((await client.answer('welcome'))['auth'], 'required');
    client.send(subscribe('book', 0));
    assert.equal((await client.answer('error', 1))['code'], 'UNAUTHORIZED');
    client.send({ op: 'auth', id: 2, token: TOKEN });
    await client.answer('authenticated', 2);
    client.send(subscribe('book', 0, { id: 3 }));
    await client.answer('subscribed', 3);
    const wrong = await room.connect().opened();
    wrong.send({ op: 'auth', token: `${TOKEN}x` });
    assert.equal(await wrong.closed(), 4401);
    const silent = await room.connect().opened();
    assert.equal(await silent.closed(), 4401);
    assert.equal(client.closeCode, null, 'who said it in time stays');
    client.socket.terminate();
  });

  test('Admission: HTTP data needs the token, health does not', async () => {
    assert.equal((await room.get('/v1/instruments')).status, 401);
    assert.equal((await room.get('/metrics')).status, 401);
    assert.equal((await room.get('/v1/instruments', { headers: bearer })).status, 200);
    assert.equal(
      (await room.get('/health')).status,
      404,
      'open, though this node has no such page',
    );
  });

  test('Admission: an address has so many connections and no more', async () => {
    const open = await Promise.all(
      [1, 2, 3, 4, 5].map(() => room.connect('', { headers: bearer }).opened()),
    );
    assert.equal(await handshake(room, { headers: bearer }), 429);
    open[0]!.socket.terminate();
    await until(() => room.counter('Clients') === 4, 'one left');
    assert.equal(await handshake(room, { headers: bearer }), 101);
    for (const client of open) client.socket.terminate();
  });
});

describe('Bounds', () => {
  test('Bounds: subscriptions a connection and depths an instrument are counted', () => {
    const room = new TestRoom({
      limits: { subscriptionsPerConnectionMax: 3, viewsPerInstrumentMax: 2, connectionsMax: 2 },
    });
    room.books.align(0, 5);
    room.turn();
    const client = room.connect();
    for (const [id, depth] of [1, 2, 3].entries()) client.send(subscribe('book', 0, { id, depth }));
    assert.equal(client.settle().answer('error', 2)['code'], 'TOO_MANY_VIEWS');
    client.send(subscribe('bbo', 0, { id: 4 }));
    client.send(subscribe('status', 0, { id: 5 }));
    assert.equal(client.settle().answer('error', 5)['code'], 'TOO_MANY_SUBSCRIPTIONS');
    room.connect();
    const refused = room.server.connect();
    assert.ok('status' in refused && refused.status === 503);
  });

  test('Bounds: a view that nobody came back to makes room for another', () => {
    const room = new TestRoom({ limits: { viewsPerInstrumentMax: 1, viewLingerNs: 10e9 } });
    room.books.align(0, 5);
    room.turn();
    const client = room.connect();
    client.send(subscribe('book', 0, { id: 1, depth: 1 }));
    client.send({ op: 'unsubscribe', id: 2, channel: 'book', instrument: 'test:SYM0', depth: 1 });
    client.send(subscribe('book', 0, { id: 3, depth: 2 }));
    const replica = client.settle();
    assert.equal(replica.answer('subscribed', 3)['depth'], 2);
    client.send({ op: 'unsubscribe', id: 4, channel: 'book', instrument: 'test:SYM0', depth: 2 });
    room.turn(6e9);
    assert.equal(room.counter('Views'), 1, 'it lingers');
    room.turn(11e9);
    assert.equal(room.counter('Views'), 0, 'then it is gone');
  });

  test('Bounds: a port that is taken is a clear fault', async () => {
    const room = await LiveRoom.start();
    const limits = { frameBytesMax: 4096, socketBytesMax: 65_536, idleSeconds: 32 };
    const second = new UwsServer({ limits });
    second.setEvents({} as never);
    await assert.rejects(
      second.listen('127.0.0.1', room.port),
      (error) => error instanceof FaultError && error.code === 'PORT_IN_USE',
    );
    second.close();
    await room.stop();
  });
});

test('TLS: the same feed over wss, TLS 1.2 at least', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-tls-'));
  const tls: TlsFiles = {
    certFile: join(directory, 'cert.pem'),
    keyFile: join(directory, 'key.pem'),
  };
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        tls.keyFile,
        '-out',
        tls.certFile,
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
      ],
      { stdio: 'ignore' },
    );
  } catch {
    t.skip('no openssl on this machine: TLS is not tested');
    return;
  }
  const room = await LiveRoom.start({ tls });
  const client = await room.connect('', { rejectUnauthorized: false }).opened();
  client.send(subscribe('book', 0));
  await client.answer('subscribed', 1);
  for (let i = 0; i < 50; i++) room.books.event(0, 20);
  await until(
    () => client.replica.stream(0).sequence === room.books.books[0]!.sequence,
    'deltas over TLS',
  );
  assert.equal(client.problem, null);
  const old = await new Promise<string>((resolve) => {
    const socket = tlsConnect({
      port: room.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    socket.on('secureConnect', () => resolve('accepted'));
    socket.on('error', () => resolve('refused'));
  });
  assert.equal(old, 'refused', 'TLS 1.1 is not spoken');
  client.socket.terminate();
  await room.stop();
  rmSync(directory, { recursive: true });
});
