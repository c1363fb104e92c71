/**
 * Fan-out: messages of one stream to all its readers, over loopback sockets, against `ws`. A case is
 * timed from the first publish to the moment all readers together have read every byte; the window
 * of what is under way is bounded, so nobody wins by buffering. Then the room itself: what a message
 * costs between ring and server.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { WebSocketServer } from 'ws';
import { BroadcastAgent } from '../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../src/broadcast/broadcast-counters.js';
import type { ServerEvents } from '../src/broadcast/broadcast-server.js';
import { DEFAULT_LIMITS } from '../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../src/broadcast/memory-server.js';
import { UwsServer } from '../src/broadcast/uws-server.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { createCounterTable } from '../src/rings/counters.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { FakeBooks, testInstruments } from '../test/broadcast/support/fake-books.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';
import type { ReaderWork } from './fanout-readers.js';
import { timeCell } from '../src/time/clock.js';

const PART = 'Fan-out';
const MESSAGE_BYTES = 400;
/** Two bytes of header, two of length: what a server's frame of this size takes. */
const FRAME_BYTES = MESSAGE_BYTES + 4;
const ROUNDS = 3;
const WINDOW_BYTES_A_CLIENT = 64 * 1024;
const DELIVERIES: Readonly<Record<number, number>> = {
  1: 20_000,
  10: 50_000,
  100: 100_000,
  1000: 150_000,
};

interface FanOut {
  readonly port: number;
  publish(message: Uint8Array): void;
  close(): void;
}

async function ours(): Promise<FanOut> {
  const { frameBytesMax, socketBytesMax } = DEFAULT_LIMITS;
  // No pings: the readers count bytes.
  const idleSeconds = 0;
  const server = new UwsServer({ limits: { frameBytesMax, socketBytesMax, idleSeconds } });
  const nothing = (): void => {};
  const events: ServerEvents = {
    onUpgrade: () => ({ kind: 'accept', ticket: { json: false, authenticated: true } }),
    onOpen: (connection) => connection.join('stream'),
    onMessage: nothing,
    onPing: nothing,
    onDrain: nothing,
    onDropped: () => invariant(false, 'the window keeps every socket below its bound'),
    onClose: nothing,
    onHttp: nothing,
  };
  server.setEvents(events);
  const { port } = await server.listen('127.0.0.1', 0);
  return {
    port,
    publish: (message) => server.publish('stream', message),
    close: () => server.close(),
  };
}

async function rival(): Promise<FanOut> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, path: '/v1/feed', perMessageDeflate: false });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    publish: (message) => {
      for (const client of server.clients) client.send(message, { binary: true });
    },
    close: () => {
      for (const client of server.clients) client.terminate();
      server.close();
      http.close();
    },
  };
}

class Rig {
  private constructor(
    private readonly fanOut: FanOut,
    private readonly readers: Worker,
    private readonly bytesRead: Float64Array,
    private readonly clients: number,
  ) {}

  static async open(fanOut: FanOut, clients: number): Promise<Rig> {
    const results = new SharedArrayBuffer(8);
    const workerData: ReaderWork = { port: fanOut.port, clients, results };
    const readers = new Worker(new URL('./fanout-readers.js', import.meta.url), { workerData });
    await once(readers, 'message');
    return new Rig(fanOut, readers, new Float64Array(results), clients);
  }

  /** Nanoseconds a delivery. */
  async round(deliveries: number, batch: number): Promise<number> {
    const { clients, fanOut, bytesRead } = this;
    const message = new Uint8Array(MESSAGE_BYTES).fill(7);
    const messages = Math.ceil(deliveries / clients / batch) * batch;
    const before = bytesRead[0]!;
    const bytesAll = messages * clients * FRAME_BYTES;
    const start = process.hrtime.bigint();
    for (let sent = 0; sent < messages;) {
      const underWay = sent * clients * FRAME_BYTES - (bytesRead[0]! - before);
      if (underWay <= WINDOW_BYTES_A_CLIENT * clients) {
        for (let i = 0; i < batch; i++) fanOut.publish(message);
        sent += batch;
      }
      await nextTurn();
    }
    while (bytesRead[0]! - before < bytesAll) await nextTurn();
    const elapsedNs = Number(process.hrtime.bigint() - start);
    invariant(bytesRead[0]! - before === bytesAll, 'every byte arrived, and no other');
    return elapsedNs / (messages * clients);
  }

  async close(): Promise<void> {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    this.readers.postMessage('close');
    await once(this.readers, 'exit');
    this.fanOut.close();
  }
}

async function fanOutRows(clients: number): Promise<BenchRow[]> {
  const rigs = [await Rig.open(await ours(), clients), await Rig.open(await rival(), clients)];
  const rows: BenchRow[] = [];
  for (const batch of [1, 16]) {
    const deliveries = DELIVERIES[clients]!;
    const times: number[][] = rigs.map(() => []);
    for (const rig of rigs) await rig.round(deliveries / 4, batch);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, rig] of rigs.entries())
        times[index]!.push(await rig.round(deliveries, batch));
    }
    const oursNs = median(times[0]!);
    rows.push(
      row({
        part: PART,
        case: `${clients} clients, ${batch} a turn`,
        ours: oursNs,
        rival: 'ws',
        rivalNs: median(times[1]!),
        unit: 'ns/delivery',
        note: `${(1e3 / oursNs).toFixed(2)} M deliveries/s`,
      }),
    );
  }
  for (const rig of rigs) await rig.close();
  return rows;
}

const ROOM_EVENTS = 1500;
const ROOM_CHANGES = 40;

/** What a message costs from ring to server: mirror, history, views. The server only takes it. */
function roomRow(name: string, depths: readonly number[]): BenchRow {
  const timeline = new Timeline(1_700_000_000_000_000_000n);
  const clock = new SystemScheduler(process.hrtime.bigint());
  const ring = createRing(1 << 20);
  const instruments = testInstruments(1);
  const books = new FakeBooks(ring, instruments, timeline, clock, new Prng(5));
  const server = new MemoryServer(DEFAULT_LIMITS);
  const agent = new BroadcastAgent({
    instruments,
    inputs: [new RingConsumer(ring)],
    server,
    clock,
    timeline,
    counters: createCounterTable(1, BROADCAST_COLUMNS),
    version: 'bench',
  });
  void agent.listen('127.0.0.1', 0);
  books.align(0, 500);
  agent.doWork(timeCell(clock.nowNs()));
  const client = server.connect();
  invariant(client instanceof MemoryClient, 'the bench may connect');
  for (const depth of depths) {
    client.send({ op: 'subscribe', id: depth, channel: 'book', instrument: 'test:SYM0', depth });
  }
  const times: number[] = [];
  for (let round = 0; round < ROUNDS * 3; round++) {
    const sequence = books.books[0]!.sequence;
    for (let i = 0; i < ROOM_EVENTS; i++) books.event(0, ROOM_CHANGES);
    const start = process.hrtime.bigint();
    while (!books.isTaken()) agent.doWork(timeCell(clock.nowNs()));
    times.push(Number(process.hrtime.bigint() - start) / ROOM_EVENTS);
    server.turn();
    invariant(
      books.books[0]!.sequence - sequence === ROOM_EVENTS,
      'each event is one book message',
    );
    invariant(client.take().length > 0 || depths.length === 0, 'the reader got what it asked for');
  }
  return row({
    part: 'Broadcast room',
    case: name,
    ours: median(times.slice(ROUNDS)),
    unit: 'ns/event',
  });
}

export default defineBench({
  part: PART,
  mix:
    '400 B messages, loopback, readers on one other thread; room: events of 0 to 40 changed levels ' +
    'and their BBO on a book of 500 levels a side',
  async run() {
    const rows: BenchRow[] = [];
    for (const clients of [1, 10, 100, 1000]) rows.push(...(await fanOutRows(clients)));
    rows.push(roomRow('mirror and history, no reader', []));
    rows.push(roomRow('full book, one reader', [0]));
    rows.push(roomRow('views of 5, 20 and 1000 levels', [5, 20, 1000]));
    return rows;
  },
});
