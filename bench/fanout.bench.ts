/**
 * Fan-out: messages of one stream to all its readers, over loopback sockets, against `ws`, and against a
 * loop of sends in C as the limit of one at a time (where there is a compiler). A case is timed from
 * the first publish to the moment all readers together have read every byte; the window of what is under
 * way is bounded, so nobody wins by buffering. Latency: open loop, each message is timed from when it
 * was due. Then the room itself: what a message costs between ring and server.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as nap } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BroadcastAgent } from '../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../src/broadcast/broadcast-counters.js';
import { DEFAULT_LIMITS } from '../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../src/broadcast/memory-server.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { createCounterTable } from '../src/rings/counters.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { timeCell } from '../src/time/clock.js';
import { SystemClock } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { FakeBooks, testInstruments } from '../test/broadcast/support/fake-books.js';
import { hasCompiler } from './compile-peer.js';
import { READER_DOUBLES, Reader } from './fanout-readers-layout.js';
import type { ReaderWork } from './fanout-readers-layout.js';
import { type FanOut, ours, SendLoop, wsServer } from './fanout-servers.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';

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
/** Clients and messages a second: at most 100,000 deliveries a second, which `ws` still manages. */
const LATENCY_CASES = [
  [1, 10_000],
  [10, 1_000],
  [10, 10_000],
  [100, 1_000],
  [1000, 50],
] as const;
const LATENCY_SECONDS = 1;

const originMonotonicNs = process.hrtime.bigint();
const clock = new SystemClock(originMonotonicNs);
const message = new Uint8Array(MESSAGE_BYTES).fill(7);

/** Readers on a thread of their own, connected to one who sends. */
class Readers {
  private constructor(
    private readonly worker: Worker,
    readonly cells: Float64Array,
    readonly clients: number,
  ) {}

  static async open(port: number, clients: number, samples: number): Promise<Readers> {
    const results = new SharedArrayBuffer((READER_DOUBLES + samples) * 8);
    const workerData: ReaderWork = {
      port,
      clients,
      frameBytes: FRAME_BYTES,
      originMonotonicNs,
      results,
    };
    const worker = new Worker(new URL('./fanout-readers.js', import.meta.url), { workerData });
    await once(worker, 'message');
    return new Readers(worker, new Float64Array(results), clients);
  }

  get bytes(): number {
    return this.cells[Reader.Bytes]!;
  }

  async close(): Promise<void> {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    this.worker.postMessage('close');
    await once(this.worker, 'exit');
  }
}

/** One who fans out with their readers; `round` answers in nanoseconds a delivery. */
interface Rig {
  round(deliveries: number, batch: number): Promise<number>;
  close(): Promise<void>;
}

class ServerRig implements Rig {
  private constructor(
    private readonly fanOut: FanOut,
    private readonly readers: Readers,
  ) {}

  static async open(fanOut: FanOut, clients: number, samples = 0): Promise<ServerRig> {
    return new ServerRig(fanOut, await Readers.open(fanOut.port, clients, samples));
  }

  async round(deliveries: number, batch: number): Promise<number> {
    const { fanOut, readers } = this;
    const { clients } = readers;
    const messages = Math.ceil(deliveries / clients / batch) * batch;
    const before = readers.bytes;
    const bytesAll = messages * clients * FRAME_BYTES;
    const startedNs = clock.nowNs();
    for (let sent = 0; sent < messages;) {
      const underWay = sent * clients * FRAME_BYTES - (readers.bytes - before);
      if (underWay <= WINDOW_BYTES_A_CLIENT * clients) {
        for (let i = 0; i < batch; i++) fanOut.publish(message);
        sent += batch;
      }
      await nextTurn();
    }
    while (readers.bytes - before < bytesAll) await nextTurn();
    const elapsedNs = clock.nowNs() - startedNs;
    invariant(readers.bytes - before === bytesAll, 'every byte arrived, and no other');
    return elapsedNs / (messages * clients);
  }

  /** Sorted latencies in ns of all deliveries, of messages at a fixed rate, sent when they are due. */
  async latency(perSecond: number): Promise<Float64Array> {
    const { fanOut, readers } = this;
    const { cells } = readers;
    const stepNs = 1e9 / perSecond;
    const messages = perSecond * LATENCY_SECONDS;
    const firstDueNs = clock.nowNs() + 5e6;
    cells[Reader.Samples] = 0;
    cells[Reader.StepNs] = stepNs;
    cells[Reader.FirstDueNs] = firstDueNs;
    for (let sent = 0; sent < messages;) {
      const nowNs = clock.nowNs();
      for (; sent < messages && firstDueNs + sent * stepNs <= nowNs; sent++)
        fanOut.publish(message);
      await nextTurn();
    }
    const samples = messages * readers.clients;
    while (cells[Reader.Samples]! < samples) await nextTurn();
    cells[Reader.FirstDueNs] = 0;
    // The first tenth warms the code up.
    return cells.slice(READER_DOUBLES + samples / 10, READER_DOUBLES + samples).sort();
  }

  async close(): Promise<void> {
    await this.readers.close();
    this.fanOut.close();
  }
}

/** The loop in C, which knows no batches. */
class SendLoopRig implements Rig {
  private constructor(
    private readonly loop: SendLoop,
    private readonly readers: Readers,
  ) {}

  static async open(clients: number): Promise<SendLoopRig> {
    const loop = await SendLoop.start(clients, MESSAGE_BYTES);
    return new SendLoopRig(loop, await Readers.open(loop.port, clients, 0));
  }

  async round(deliveries: number): Promise<number> {
    const { readers, loop } = this;
    const messages = Math.ceil(deliveries / readers.clients);
    const before = readers.bytes;
    const bytesAll = messages * readers.clients * FRAME_BYTES;
    const startedNs = clock.nowNs();
    loop.send(messages);
    while (readers.bytes - before < bytesAll) await nap(1);
    const elapsedNs = clock.nowNs() - startedNs;
    invariant(readers.bytes - before === bytesAll, 'every byte arrived, and no other');
    return elapsedNs / (messages * readers.clients);
  }

  async close(): Promise<void> {
    this.loop.close();
    await this.readers.close();
  }
}

async function fanOutRows(clients: number): Promise<BenchRow[]> {
  const rigs: { name: string; rig: Rig }[] = [
    { name: 'ours', rig: await ServerRig.open(await ours(), clients) },
    { name: 'ws', rig: await ServerRig.open(await wsServer(), clients) },
  ];
  if (hasCompiler()) rigs.push({ name: 'send loop in C', rig: await SendLoopRig.open(clients) });
  const rows: BenchRow[] = [];
  for (const batch of [1, 16]) {
    const deliveries = DELIVERIES[clients]!;
    // Whole messages are sent by themselves in C: it has nothing to batch.
    const contenders = batch === 1 ? rigs : rigs.slice(0, 2);
    const times: number[][] = contenders.map(() => []);
    for (const { rig } of contenders) await rig.round(deliveries / 4, batch);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, { rig }] of contenders.entries())
        times[index]!.push(await rig.round(deliveries, batch));
    }
    const oursNs = median(times[0]!);
    for (const [index, { name }] of contenders.entries()) {
      if (index === 0) continue;
      rows.push(
        row({
          part: PART,
          case: `${clients} clients, ${batch} a turn`,
          ours: oursNs,
          rival: name,
          rivalNs: median(times[index]!),
          unit: 'ns/delivery',
          note: `${(1e3 / oursNs).toFixed(2)} M deliveries/s`,
        }),
      );
    }
  }
  for (const { rig } of rigs) await rig.close();
  return rows;
}

const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))]! / 1000;

async function latencyRows(clients: number, perSecond: number): Promise<BenchRow[]> {
  const samples = clients * perSecond * LATENCY_SECONDS;
  const rigs = [
    await ServerRig.open(await ours(), clients, samples),
    await ServerRig.open(await wsServer(), clients, samples),
  ];
  const rounds: Float64Array[][] = rigs.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, rig] of rigs.entries()) rounds[index]!.push(await rig.latency(perSecond));
  }
  for (const rig of rigs) await rig.close();
  const [own, theirs] = rounds.map((sorted) => (q: number) => {
    return median(sorted.map((one) => quantile(one, q)));
  });
  return [0.5, 0.99].map((q) =>
    row({
      part: PART,
      case: `latency, ${clients} clients, ${perSecond} a second, p${q * 100}`,
      ours: own!(q),
      rival: 'ws',
      rivalNs: theirs!(q),
      unit: 'µs',
      note: 'open loop; the sender polls its event loop; median of 3 rounds',
    }),
  );
}

const ROOM_EVENTS = 1500;
const ROOM_CHANGES = 40;

/** What a message costs from ring to server: mirror, history, views. The server only takes it. */
function roomRow(name: string, depths: readonly number[]): BenchRow {
  const timeline = new Timeline(1_700_000_000_000_000_000n);
  const scheduler = new SystemScheduler(originMonotonicNs);
  const ring = createRing(1 << 20);
  const instruments = testInstruments(1);
  const books = new FakeBooks(ring, instruments, timeline, scheduler, new Prng(5));
  const server = new MemoryServer(DEFAULT_LIMITS);
  const agent = new BroadcastAgent({
    instruments,
    inputs: [new RingConsumer(ring)],
    server,
    clock: scheduler,
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
    for (const [clients, perSecond] of LATENCY_CASES) {
      rows.push(...(await latencyRows(clients, perSecond)));
    }
    rows.push(roomRow('mirror and history, no reader', []));
    rows.push(roomRow('full book, one reader', [0]));
    rows.push(roomRow('views of 5, 20 and 1000 levels', [5, 20, 1000]));
    return rows;
  },
});
