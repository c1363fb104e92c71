/** LeanTransport against a bare TCP server that says exactly what a test wants, octet by octet. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { LeanTransport } from '../../src/ingest/lean-transport.js';
import type { WebSocketConnection, WebSocketHandlers } from '../../src/ingest/transport.js';
import { SystemClock } from '../../src/time/system-clock.js';
import {
  closeFrame,
  continuation,
  pingFrame,
  serverFrame,
  textFrame,
} from '../support/server-frames.js';

const clock = new SystemClock(process.hrtime.bigint());
const cleanups: (() => void)[] = [];
after(() => {
  for (const cleanup of cleanups) cleanup();
});

const transport = new LeanTransport({
  clock,
  allowPrivate: false,
  frameBytesMax: 100_000,
  handshakeMsMax: 60_000,
  checkText: true,
});

class Client implements WebSocketHandlers {
  readonly words: string[] = [];
  connection!: WebSocketConnection;
  private waiting: (() => void)[] = [];

  onOpen(): void {
    this.say('open');
  }
  onFrame(bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString();
    this.say(text.length > 50 ? `frame of ${text.length}` : `frame ${text}`);
  }
  onReadEnd(): void {}
  onPing(): void {
    this.say('ping');
  }
  onPong(): void {
    this.say('pong');
  }
  onRefused(status: number): void {
    this.say(`refused ${status}`);
  }
  onClose(code: number, reason: string): void {
    this.say(`close ${code} ${reason}`);
  }

  async closed(): Promise<string[]> {
    while (!this.words.some((word) => word.startsWith('close'))) await this.turn();
    return this.words;
  }

  async hears(word: string): Promise<void> {
    while (!this.words.includes(word)) await this.turn();
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private say(word: string): void {
    this.words.push(word);
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** The server's end of one connection: reads the client's frames, unmasked. */
class Peer {
  private bytes = Buffer.alloc(0);
  ended = false;

  constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => (this.bytes = Buffer.concat([this.bytes, chunk])));
    socket.on('end', () => (this.ended = true));
  }

  async head(): Promise<string> {
    while (!this.bytes.includes('\r\n\r\n')) await once(this.socket, 'data');
    const end = this.bytes.indexOf('\r\n\r\n') + 4;
    const head = this.bytes.toString('latin1', 0, end);
    this.bytes = this.bytes.subarray(end);
    return head;
  }

  /** One frame of a client: [opcode, payload]. Fails if it is not final, not masked or not minimal. */
  async frame(): Promise<[number, Buffer]> {
    for (;;) {
      const frame = this.tryFrame();
      if (frame !== null) return frame;
      await once(this.socket, 'data');
    }
  }

  private tryFrame(): [number, Buffer] | null {
    const { bytes } = this;
    if (bytes.length < 2) return null;
    assert.equal(bytes[0]! & 0xf0, 0x80, 'final, no reserved bits');
    assert.equal(bytes[1]! & 0x80, 0x80, 'masked');
    const short = bytes[1]! & 0x7f;
    const at = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < at + 4) return null;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(2)
          : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < at + 4 + length) return null;
    const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
    for (let i = 0; i < length; i++) payload[i] = payload[i]! ^ bytes[at + (i & 3)]!;
    this.bytes = bytes.subarray(at + 4 + length);
    return [bytes[0]! & 0x0f, payload];
  }
}

function acceptance(head: string): string {
  const key = /Sec-WebSocket-Key: (.+)\r\n/.exec(head)![1]!;
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function answer(head: string, extra = ''): string {
  return (
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, Upgrade\r\n' +
    `Sec-WebSocket-Accept:  ${acceptance(head)} \r\n${extra}\r\n`
  );
}

/** Connects a client to a server that runs the script. */
async function meet(script: (peer: Peer, head: string) => unknown): Promise<Client> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.setNoDelay(true);
    cleanups.push(() => socket.destroy());
    const peer = new Peer(socket);
    void peer.head().then((head) => script(peer, head));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const client = new Client();
  const { port } = server.address() as AddressInfo;
  client.connection = transport.connect(`ws://127.0.0.1:${port}/a/stream?b=1`, client);
  return client;
}

/** Upgraded, then the frames, then the server waits for the client to end. */
const afterUpgrade = (...frames: Buffer[]) => {
  return (peer: Peer, head: string): void => {
    peer.socket.on('end', () => peer.socket.end());
    peer.socket.write(Buffer.concat([Buffer.from(answer(head)), ...frames]));
  };
};

test('LeanTransport: the upgrade asks as RFC 6455 4.1 says', async () => {
  let seen = '';
  const client = await meet((peer, head) => {
    seen = head;
    afterUpgrade()(peer, head);
  });
  await client.hears('open');
  assert.match(seen, /^GET \/a\/stream\?b=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  assert.match(seen, /\r\nSec-WebSocket-Version: 13\r\n/);
  const key = /Sec-WebSocket-Key: (.+)\r\n/.exec(seen)![1]!;
  assert.equal(Buffer.from(key, 'base64').length, 16);
  assert.doesNotMatch(seen, /Extensions|Protocol/i);
  client.connection.terminate();
  await client.closed();
});

test('LeanTransport: frames in the same packet as the answer are not lost', async () => {
  const client = await meet(
    afterUpgrade(textFrame('first'), textFrame('second'), closeFrame(1001)),
  );
  assert.deepEqual(await client.closed(), ['open', 'frame first', 'frame second', 'close 1001 ']);
});

test('LeanTransport: an answer and frames that come octet by octet are understood', async () => {
  const client = await meet(async (peer, head) => {
    peer.socket.on('end', () => peer.socket.end());
    const stream = Buffer.concat([
      Buffer.from(answer(head)),
      textFrame('hello'),
      textFrame('frag', false),
      pingFrame('p'),
      continuation('ment', true),
      closeFrame(1000, 'done'),
    ]);
    for (const octet of stream) {
      peer.socket.write(Buffer.from([octet]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const words = ['open', 'frame hello', 'ping', 'frame fragment', 'close 1000 done'];
  assert.deepEqual(await client.closed(), words);
});

const badAnswers: Record<string, (head: string) => string> = {
  'Sec-WebSocket-Accept is wrong': (head) => answer(head).replace(acceptance(head), 'bm9wZQ=='),
  'an extension that was not offered': (head) =>
    answer(head, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
  'a subprotocol that was not offered': (head) => answer(head, 'Sec-WebSocket-Protocol: chat\r\n'),
  'no Upgrade: websocket': (head) => answer(head).replace('upgrade: WebSocket', 'x: y'),
  'no Connection: Upgrade': (head) => answer(head).replace('keep-alive, Upgrade', 'close'),
  'not an HTTP/1.1 answer': (head) => answer(head).replace('HTTP/1.1', 'HTTP/1.0'),
  'header malformed': (head) => answer(head, 'no colon here\r\n'),
  'head too long': (head) => answer(head, `X-Long: ${'x'.repeat(20_000)}\r\n`),
};

for (const [why, bad] of Object.entries(badAnswers)) {
  test(`LeanTransport: an answer is refused: ${why}`, async () => {
    const client = await meet((peer, head) => peer.socket.write(bad(head)));
    assert.deepEqual(await client.closed(), [`close 1006 ${why}`]);
  });
}

test('LeanTransport: an answer that never ends is cut at its longest head, not kept', async () => {
  const client = await meet((peer) => {
    const flood = (): boolean => peer.socket.write('HTTP/1.1 101 X\r\nA: '.padEnd(8_000, 'x'));
    for (let i = 0; i < 10; i++) flood();
  });
  assert.deepEqual(await client.closed(), ['close 1006 head too long']);
});

test('LeanTransport: more than a hundred headers are refused', async () => {
  const many = Array.from({ length: 120 }, (_, i) => `X-${i}: 1\r\n`).join('');
  const client = await meet((peer, head) => peer.socket.write(answer(head, many)));
  assert.deepEqual(await client.closed(), ['close 1006 header malformed']);
});

test('LeanTransport: a ping is answered with its own payload, masked', async () => {
  const payload = Buffer.from([0, 255, 254, 1, 2, 3]);
  let pong: [number, Buffer] = [0, Buffer.alloc(0)];
  const client = await meet(async (peer, head) => {
    afterUpgrade(pingFrame(payload))(peer, head);
    pong = await peer.frame();
    peer.socket.write(closeFrame(1000));
  });
  await client.closed();
  assert.deepEqual(pong, [10, payload]);
});

test('LeanTransport: what we send arrives whole, in every length class', async () => {
  const texts = ['{"method":"SUBSCRIBE"}', 'ü'.repeat(100), 'x'.repeat(70_000)];
  const got: string[] = [];
  const client = await meet(async (peer, head) => {
    afterUpgrade()(peer, head);
    for (let i = 0; i < texts.length; i++) {
      const [opcode, payload] = await peer.frame();
      assert.equal(opcode, 1);
      got.push(payload.toString());
    }
    const [opcode] = await peer.frame();
    assert.equal(opcode, 9);
    peer.socket.write(Buffer.concat([serverFrame({ opcode: 10 }), closeFrame(1000)]));
  });
  await client.hears('open');
  for (const text of texts) client.connection.send(text);
  client.connection.ping();
  assert.deepEqual(await client.closed(), ['open', 'pong', 'close 1000 ']);
  assert.deepEqual(got, texts);
});

test('LeanTransport: a close frame is answered with its code, then the server ends', async () => {
  let reply: [number, Buffer] = [0, Buffer.alloc(0)];
  const client = await meet(async (peer, head) => {
    afterUpgrade(closeFrame(4321, 'maintenance'), textFrame('late'))(peer, head);
    reply = await peer.frame();
  });
  assert.deepEqual(await client.closed(), ['open', 'close 4321 maintenance']);
  assert.deepEqual([reply[0], reply[1].readUInt16BE(0)], [8, 4321]);
});

test('LeanTransport: our goodbye is sent, frames after it are not handed out', async () => {
  let reply: [number, Buffer] = [0, Buffer.alloc(0)];
  const client = await meet(async (peer, head) => {
    afterUpgrade()(peer, head);
    reply = await peer.frame();
    peer.socket.write(Buffer.concat([textFrame('late'), closeFrame(1000)]));
  });
  await client.hears('open');
  client.connection.close(1000, 'stopping');
  client.connection.send('not any more');
  assert.deepEqual(await client.closed(), ['open', 'close 1000 ']);
  assert.equal(reply[0], 8);
  assert.equal(reply[1].toString('latin1', 2), 'stopping');
});

test('LeanTransport: a goodbye that is not answered is cut in time', async () => {
  const client = await meet(afterUpgrade());
  await client.hears('open');
  client.connection.close(1000, 'stopping');
  assert.deepEqual(await client.closed(), [
    'open',
    'close 1006 peer did not answer the close frame',
  ]);
});

const breaches: Record<string, { frame: Buffer; code: number }> = {
  'reserved bits': { frame: serverFrame({ opcode: 1, rsv: 4 }), code: 1002 },
  'a masked frame': { frame: serverFrame({ opcode: 1, payload: 'x', masked: true }), code: 1002 },
  'text that is not UTF-8': { frame: textFrame(Buffer.from([0xff])), code: 1007 },
  'a message beyond the limit': {
    frame: serverFrame({ opcode: 2, saysLength: 100_001 }),
    code: 1009,
  },
};

for (const [what, { frame, code }] of Object.entries(breaches)) {
  test(`LeanTransport: ${what} is answered with ${code}, and the rest is not looked at`, async () => {
    let reply: [number, Buffer] = [0, Buffer.alloc(0)];
    const client = await meet(async (peer, head) => {
      afterUpgrade(textFrame('ok'), frame, textFrame('late'))(peer, head);
      reply = await peer.frame();
    });
    const words = await client.closed();
    assert.deepEqual(words.slice(0, 2), ['open', 'frame ok']);
    assert.match(words[2]!, /^close 1006 ./);
    assert.deepEqual([reply[0], reply[1].readUInt16BE(0)], [8, code]);
  });
}

test('LeanTransport: a connection reset without a word is one close', async () => {
  const client = await meet((peer, head) => {
    peer.socket.write(answer(head), () => peer.socket.resetAndDestroy());
  });
  const words = await client.closed();
  assert.equal(words.length, 2);
  assert.match(words[1]!, /^close 1006 /);
});

test('LeanTransport: a flood of pings does not pile up pongs that nobody reads', async () => {
  let peer!: Peer;
  const client = await meet((each, head) => {
    peer = each;
    afterUpgrade()(each, head);
    each.socket.pause();
    const ping = pingFrame(Buffer.alloc(125));
    const flood = Buffer.concat(Array<Buffer>(500).fill(ping));
    for (let i = 0; i < 100; i++) each.socket.write(flood);
    each.socket.write(textFrame('end'));
  });
  await client.hears('frame end');
  const { socket } = client.connection as unknown as { socket: Socket };
  assert.ok(socket.writableLength < 200_000, `${socket.writableLength} bytes unsent`);
  peer.socket.destroy();
  await client.closed();
});

test('LeanTransport: over TLS it reads the same, and refuses a certificate that nobody vouches for', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-tls-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
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
        '-days',
        '2',
        '-keyout',
        keyFile,
        '-out',
        certFile,
        ...subject,
      ],
      { stdio: 'ignore' },
    );
  } catch {
    t.skip('no openssl: the TLS path is not tested');
    return;
  }
  const cert = readFileSync(certFile);
  const server = createTlsServer({ key: readFileSync(keyFile), cert }, (socket) => {
    const peer = new Peer(socket);
    void peer.head().then((head) => {
      const frames = Array.from({ length: 300 }, (_, i) => textFrame(`${i}`.padEnd(500, '.')));
      return afterUpgrade(...frames, textFrame('end'), closeFrame(1000))(peer, head);
    });
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const url = `wss://localhost:${(server.address() as AddressInfo).port}/`;
  const options = { clock, allowPrivate: false, frameBytesMax: 100_000, handshakeMsMax: 60_000 };
  const trusting = new Client();
  new LeanTransport({ ...options, ca: cert }).connect(url, trusting);
  const words = await trusting.closed();
  assert.equal(words.filter((word) => word === 'frame of 500').length, 300);
  assert.deepEqual(words.slice(-2), ['frame end', 'close 1000 ']);
  const wary = new Client();
  new LeanTransport(options).connect(url, wary);
  assert.match((await wary.closed())[0]!, /^close 1006 .*self-signed/);
});
