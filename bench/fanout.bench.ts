/**
 * Fan-out: messages of one stream to all its readers, over loopback sockets, against `ws`, and against a
 * loop of sends in C, one write to a socket for each batch, as the limit (where there is a compiler).
 * A case is timed from the first publish to the moment all readers together have read every byte; the
 * window of what is under way is bounded, so nobody wins by buffering. The room itself: what a message
 * costs between ring and server. Latency: open loop, each message is timed from when it was due.
 */
import { BroadcastAgent } from '../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../src/broadcast/broadcast-counters.js';
import { DEFAULT_LIMITS } from '../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../src/broadcast/memory-server.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { allowedCores, pinByTaskset } from '../src/node/affinity.js';
import { createCounterTable } from '../src/rings/counters.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { timeCell } from '../src/time/clock.js';
import { SystemClock } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { FakeBooks, testInstruments } from '../test/broadcast/support/fake-books.js';
import { hasCompiler } from './compile-peer.js';
import { hasReaderProgram } from './fanout-readers.js';
import { type Rig, SendLoopRig, ServerRig } from './fanout-rigs.js';
import { ours, wsServer } from './fanout-servers.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';

const PART = 'Fan-out';
const MESSAGES_A_TURN = [1, 16, 64];
const ROUNDS = 3;
const ROUND_NS = 250e6;
const WARM_DELIVERIES = 40_000;
const READERS_NOTE = hasReaderProgram ? 'readers in C' : 'readers in Node';
/** Clients and messages a second: at most 100,000 deliveries a second, which `ws` still manages. */
const LATENCY_CASES = [
  [1, 10_000],
  [10, 1_000],
  [10, 10_000],
  [100, 1_000],
  [1000, 50],
] as const;
const LATENCY_ROUNDS = 5;
const LATENCY_SECONDS = 0.6;

const originMonotonicNs = process.hrtime.bigint();
const clock = new SystemClock(originMonotonicNs);

interface Contender {
  readonly name: string;
  readonly rig: Rig;
  readonly nsPerDelivery: number[];
}

async function fanOutRows(clients: number, core: number | null): Promise<BenchRow[]> {
  const contenders: Contender[] = [];
  const add = (name: string, rig: Rig): unknown =>
    contenders.push({ name, rig, nsPerDelivery: [] });
  add('ours', await ServerRig.open(await ours(), clients, core));
  add('ws', await ServerRig.open(await wsServer(), clients, core));
  if (hasCompiler()) add('send loop in C', await SendLoopRig.open(clients, core));
  const rows: BenchRow[] = [];
  for (const messages of MESSAGES_A_TURN) {
    await takeTurns(contenders, messages, clients);
    const [own, ...rivals] = contenders.map((one) => median(one.nsPerDelivery));
    for (const [index, rivalNs] of rivals.entries()) {
      rows.push(
        row({
          part: PART,
          case: `${clients} clients, ${messages} a turn`,
          ours: own!,
          rival: contenders[index + 1]!.name,
          rivalNs,
          unit: 'ns/delivery',
          note: `${(1e3 / own!).toFixed(2)} M deliveries/s; ${READERS_NOTE}`,
        }),
      );
    }
  }
  for (const { rig } of contenders) await rig.close();
  return rows;
}

/** Everybody for as long: how many batches that is, a first round tells, which also warms up. */
async function takeTurns(
  contenders: readonly Contender[],
  messagesPerBatch: number,
  clients: number,
): Promise<void> {
  const perBatch = messagesPerBatch * clients;
  const batches: number[] = [];
  for (const { rig } of contenders) {
    const some = Math.ceil(WARM_DELIVERIES / perBatch);
    const elapsedNs = await rig.round(some, messagesPerBatch);
    batches.push(Math.ceil((some * ROUND_NS) / elapsedNs));
  }
  for (const one of contenders) one.nsPerDelivery.length = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { rig, nsPerDelivery }] of contenders.entries()) {
      const elapsedNs = await rig.round(batches[index]!, messagesPerBatch);
      nsPerDelivery.push(elapsedNs / (batches[index]! * perBatch));
    }
  }
}

const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))]! / 1000;

/** A core for the sender and one for the readers, so that none waits for the other's slice. */
async function coreForReaders(): Promise<number | null> {
  const [first, second] = allowedCores();
  if (!hasReaderProgram || first === undefined || second === undefined) return null;
  try {
    await pinByTaskset(String(process.pid), first);
    return second;
  } catch {
    return null;
  }
}

async function latencyRows(
  clients: number,
  perSecond: number,
  core: number | null,
): Promise<BenchRow[]> {
  const samples = clients * perSecond * LATENCY_SECONDS;
  const rigs = [
    await ServerRig.open(await ours(), clients, core, samples),
    await ServerRig.open(await wsServer(), clients, core, samples),
  ];
  const rounds: Float64Array[][] = rigs.map(() => []);
  for (let round = 0; round < LATENCY_ROUNDS; round++) {
    for (const [index, rig] of rigs.entries())
      rounds[index]!.push(await rig.latency(perSecond, LATENCY_SECONDS));
  }
  for (const rig of rigs) await rig.close();
  const [own, theirs] = rounds.map((sorted) => (q: number) => {
    return median(sorted.map((one) => quantile(one, q)));
  });
  const cores = core === null ? 'no cores of their own' : 'sender and readers a core each';
  return [0.5, 0.99].map((q) =>
    row({
      part: PART,
      case: `latency, ${clients} clients, ${perSecond} a second, p${q * 100}`,
      ours: own!(q),
      rival: 'ws',
      rivalNs: theirs!(q),
      unit: 'µs',
      note: `open loop; the sender polls its event loop; ${cores}; ${READERS_NOTE}`,
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
    '400 B messages, loopback, all readers on one other thread; room: events of 0 to 40 changed levels ' +
    'and their BBO on a book of 500 levels a side',
  async run() {
    const rows: BenchRow[] = [];
    const core = await coreForReaders();
    for (const clients of [1, 10, 100, 1000]) rows.push(...(await fanOutRows(clients, core)));
    rows.push(roomRow('mirror and history, no reader', []));
    rows.push(roomRow('full book, one reader', [0]));
    rows.push(roomRow('views of 5, 20 and 1000 levels', [5, 20, 1000]));
    for (const [clients, perSecond] of LATENCY_CASES) {
      rows.push(...(await latencyRows(clients, perSecond, core)));
    }
    return rows;
  },
});
