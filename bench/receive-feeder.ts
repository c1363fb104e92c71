/**
 * The venue's side of the receive bench, in a process of its own: a bare TCP server that answers the
 * WebSocket upgrade and then writes frames, made beforehand, as fast as the reader takes them.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * Arguments: bytes of a frame, frames a connection; with `venue` as a third, the frames are Binance's
 * depth updates of 20 levels, and come after the subscription.
 */
const [frameBytes, frames] = process.argv.slice(2, 4).map(Number) as [number, number];
const asVenue = process.argv[4] === 'venue';
/** Frames are written in chunks of about this size, as a busy venue's kernel hands them over. */
const CHUNK_BYTES = 256 * 1024;

function depthFrame(): Buffer {
  const head = '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","b":[["61659.70","1.486"]';
  const payload = Buffer.from(head.padEnd(frameBytes, '0'));
  const header = Buffer.from([0x81, 126, frameBytes >> 8, frameBytes & 0xff]);
  return Buffer.concat([header, payload]);
}

/** About 735 bytes, whatever was asked. */
function venueFrame(): Buffer {
  const levels = (from: number): string =>
    Array.from({ length: 10 }, (_, i) => `["${(from + i / 10).toFixed(2)}","${i}.125"]`).join(',');
  const payload = Buffer.from(
    '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1726900000000,"T":1726900000000,' +
      `"s":"BTCUSDT","U":160,"u":169,"pu":159,"b":[${levels(61_600)}],"a":[${levels(61_700)}]}}`,
  );
  const header = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, payload]);
}

const ACK = Buffer.from('{"result":null,"id":1}');

const frame = asVenue ? venueFrame() : depthFrame();
const framesPerChunk = Math.max(1, Math.floor(CHUNK_BYTES / frame.length));
const chunk = Buffer.concat(Array<Buffer>(framesPerChunk).fill(frame));

function pump(socket: Socket): void {
  let left = frames;
  const write = (): void => {
    while (left > 0) {
      const amount = Math.min(left, framesPerChunk);
      left -= amount;
      if (!socket.write(chunk.subarray(0, amount * frame.length))) break;
    }
    if (left > 0) socket.once('drain', write);
  };
  write();
}

const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (request) => {
    const key = /Sec-WebSocket-Key: (.+)\r\n/i.exec(request.toString('latin1'))![1]!;
    const accept = createHash('sha1')
      .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    if (!asVenue) {
      pump(socket);
      return;
    }
    socket.once('data', () => {
      socket.write(Buffer.concat([Buffer.from([0x81, ACK.length]), ACK]));
      pump(socket);
    });
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
