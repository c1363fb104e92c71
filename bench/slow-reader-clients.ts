/** The readers of the slow-reader bench: bare sockets on a thread of their own; some stop reading. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { BBO_BYTES, HEAD_PUBLISHED_WORD } from '../src/wire/message-layout.js';

export interface SlowReaderWork {
  readonly port: number;
  readonly healthy: number;
  readonly stopped: number;
  readonly request: string;
  /** Doubles: 0 measured latencies, from 1 on the latencies in ns, of healthy readers. */
  readonly results: SharedArrayBuffer;
}

const work = workerData as SlowReaderWork;
const results = new Float64Array(work.results);
let measuring = false;

function unixNs(): number {
  return (performance.timeOrigin + performance.now()) * 1e6;
}

/** Follows a server's frames and times those that are a BBO. */
class Frames {
  private rest = Buffer.alloc(0);

  take(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const short = bytes[at + 1]! & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + header > bytes.length) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (at + header + length > bytes.length) break;
      if ((bytes[at]! & 15) === 2 && length === BBO_BYTES) this.note(bytes, at + header);
      at += header + length;
    }
    this.rest = Buffer.from(bytes.subarray(at));
  }

  private note(bytes: Buffer, at: number): void {
    if (!measuring || results[0]! + 1 >= results.length) return;
    const publishedNs = Number(bytes.readBigUInt64LE(at + HEAD_PUBLISHED_WORD * 4));
    results[0]! += 1;
    results[results[0]!] = unixNs() - publishedNs;
  }
}

async function open(reads: boolean): Promise<Socket> {
  const socket = connect(work.port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const lines = [
    'GET /v1/feed HTTP/1.1',
    `Host: 127.0.0.1:${work.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  const text = Buffer.from(work.request);
  // Masked with zeros, as short as it is.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  const frames = new Frames();
  if (reads) socket.on('data', (chunk: Buffer) => frames.take(chunk));
  else socket.pause();
  return socket;
}

const sockets: Socket[] = [];
for (let i = 0; i < work.healthy + work.stopped; i++) sockets.push(await open(i < work.healthy));
parentPort!.on('message', (message: string) => {
  measuring = message === 'measure';
  if (message !== 'close') return;
  for (const socket of sockets) socket.destroy();
  parentPort!.close();
});
parentPort!.postMessage('open');
