/** The readers of the fan-out bench: bare sockets on a thread of their own that count what arrives. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface ReaderWork {
  readonly port: number;
  readonly clients: number;
  /** Double 0: bytes read after the handshakes, all sockets together. */
  readonly results: SharedArrayBuffer;
}

const { port, clients, results } = workerData as ReaderWork;
const bytesRead = new Float64Array(results);
const HANDSHAKE = [
  'GET /v1/feed HTTP/1.1',
  `Host: 127.0.0.1:${port}`,
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
].join('\r\n');

async function open(): Promise<Socket> {
  // One buffer for all that a socket reads: nothing is allocated per chunk.
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.allocUnsafe(64 * 1024),
      callback: (count) => {
        if (shaken.has(socket)) bytesRead[0]! += count;
        else socket.emit('handshake');
        return true;
      },
    },
  });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.write(`${HANDSHAKE}\r\n\r\n`);
  await new Promise((resolve) => socket.once('handshake', resolve));
  shaken.add(socket);
  return socket;
}

const shaken = new Set<Socket>();
const sockets: Socket[] = [];
for (let i = 0; i < clients; i++) sockets.push(await open());
parentPort!.on('message', () => {
  for (const socket of sockets) socket.destroy();
  parentPort!.close();
});
parentPort!.postMessage('open');
