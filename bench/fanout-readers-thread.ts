/**
 * The readers of the fan-out bench: bare sockets on a thread of their own that count what arrives, and
 * while a schedule is set, how long after it was due each message was there. All messages have one
 * size, so that the number of bytes tells which message is whole.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from '../src/time/system-clock.js';
import { READER_DOUBLES, Reader } from './fanout-readers-layout.js';
import type { ReaderWork } from './fanout-readers-layout.js';

const { port, clients, frameBytes, originMonotonicNs, results } = workerData as ReaderWork;
const cells = new Float64Array(results);
const samplesMax = cells.length - READER_DOUBLES;
const clock = new SystemClock(originMonotonicNs);
const now = new Float64Array(1);
const HANDSHAKE = [
  'GET /v1/feed HTTP/1.1',
  `Host: 127.0.0.1:${port}`,
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
].join('\r\n');

class Reading {
  private isShaken = false;
  private readonly socket: Socket;
  private schedule = 0;
  /** Bytes since the schedule began. */
  private bytes = 0;
  private onShaken: () => void = () => {};

  constructor() {
    // One buffer for all that a socket reads: nothing is allocated per chunk.
    this.socket = connect({
      port,
      host: '127.0.0.1',
      onread: { buffer: Buffer.allocUnsafe(64 * 1024), callback: (count) => this.read(count) },
    });
  }

  async open(): Promise<void> {
    await new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    });
    const shaken = new Promise<void>((resolve) => {
      this.onShaken = resolve;
    });
    this.socket.write(`${HANDSHAKE}\r\n\r\n`);
    await shaken;
    this.isShaken = true;
  }

  close(): void {
    this.socket.destroy();
  }

  private read(count: number): boolean {
    if (!this.isShaken) {
      this.onShaken();
      return true;
    }
    cells[Reader.Bytes] = cells[Reader.Bytes]! + count;
    if (cells[Reader.FirstDueNs] !== 0) this.time(count);
    return true;
  }

  private time(count: number): void {
    const firstDueNs = cells[Reader.FirstDueNs]!;
    if (firstDueNs !== this.schedule) {
      this.schedule = firstDueNs;
      this.bytes = 0;
    }
    clock.readInto(now, 0);
    const before = Math.floor(this.bytes / frameBytes);
    this.bytes += count;
    const whole = Math.floor(this.bytes / frameBytes);
    for (let message = before; message < whole; message++) {
      const at = cells[Reader.Samples]!;
      if (at >= samplesMax) return;
      cells[READER_DOUBLES + at] = now[0]! - firstDueNs - message * cells[Reader.StepNs]!;
      cells[Reader.Samples] = at + 1;
    }
  }
}

const readings: Reading[] = [];
for (let i = 0; i < clients; i++) {
  const reading = new Reading();
  await reading.open();
  readings.push(reading);
}
parentPort!.on('message', () => {
  for (const reading of readings) reading.close();
  parentPort!.close();
});
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker port has no origin
parentPort!.postMessage('open');
