/**
 * What the garbage collector has to do while the node is steadily fed at 20,000 frames a second, each in
 * a read of its own, with the sizes of young generation that the product gives its threads.
 *
 * First ingest and books in this process, on one event loop as in the layout split (socket → parser →
 * router → ring → books agent → finished messages): a single collection fails the bench, and the bytes
 * left behind a read stand beside those of a bare socket that does nothing with what it reads: the
 * difference is ours. The young generation is empty when counting begins. Then the whole node as a process with one client, in each layout: a collection on
 * any thread but the main one and the one that sends to clients fails the bench. Sending is woken by a
 * promise and allocates some hundred bytes a wake-up; how much, and how often that costs a collection,
 * is a row. `npm run bench -- garbage --long`: 60 s each.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BooksColumn } from '../src/books/books-counters.js';
import { Channel } from '../src/domain/channel.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { createIngestCounters } from '../src/ingest/ingest-counters.js';
import { Ingest } from '../src/ingest/ingest.js';
import { ClientOpcode, encodeFrame } from '../src/ingest/frame-encoder.js';
import { LeanTransport } from '../src/ingest/lean-transport.js';
import { UndiciTransport } from '../src/ingest/undici-transport.js';
import { upgradeRequest } from '../src/ingest/upgrade.js';
import { chooseYoungMb, settleYoungGeneration } from '../src/node/young-generation.js';
import { createDoorbell, DoorbellRinger } from '../src/rings/doorbell.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { AgentGroup } from '../src/runtime/agent-group.js';
import type { Agent } from '../src/runtime/agent.js';
import { EventLoopRunner } from '../src/runtime/event-loop-runner.js';
import { createThreadControl } from '../src/runtime/thread-control.js';
import type { TimeCell } from '../src/time/clock.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { venueById } from '../src/venues/registry.js';
import { BooksRoom } from './books-room.js';
import { defineBench, row, type BenchRow } from './harness.js';
import { compileLoopback, type Loopback, Pipeline, Venue } from './pipeline-systems.js';

const PART = 'Garbage';
const RATE = 20_000;
const SECONDS = process.env['RINGSIDE_BENCH_LONG'] === '1' ? 60 : 10;
const WARM_SECONDS = 4;
/** Of this process, as the node gives its threads where memory is not short (and runtime/collector.ts). */
const YOUNG_MB = chooseYoungMb(0, 2 ** 40);
const NODE_FLAGS = [
  `--min-semi-space-size=${YOUNG_MB}`,
  `--max-semi-space-size=${YOUNG_MB}`,
  '--no-memory-reducer',
  '--no-incremental-marking',
];

/** The books' room as an agent of the same loop as ingest. */
class RoomAgent implements Agent {
  readonly name = 'books';
  constructor(private readonly room: BooksRoom) {}

  doWork(now: TimeCell): number {
    return this.room.turnAt(now);
  }

  onClose(): void {}
}

interface Steady {
  readonly collections: number;
  readonly bytesPerRead: number;
  readonly reads: number;
}

/** Looks at the collector and the heap while `venue` sends; `reads` counts what is to be counted. */
async function watch(venue: Venue, reads: () => number): Promise<Steady> {
  const load = venue.run(RATE, (WARM_SECONDS + SECONDS + 1) * 1000);
  await sleep(WARM_SECONDS * 1000);
  // Of the process: what was left behind before is not to be counted.
  settleYoungGeneration();
  await sleep(20);
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  const readsBefore = reads();
  const heapBefore = process.memoryUsage().heapUsed;
  await sleep(SECONDS * 1000);
  const readsThen = reads() - readsBefore;
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  await sleep(0);
  observer.disconnect();
  await load;
  return { collections, reads: readsThen, bytesPerRead: heapBytes / readsThen };
}

/** A socket that reads into one buffer and looks at nothing: what Node itself leaves behind. */
async function bareSocket(loopback: Loopback): Promise<Steady> {
  const venue = await Venue.start(loopback);
  const count = { reads: 0 };
  const socket = connect({
    host: '127.0.0.1',
    port: venue.port,
    onread: {
      buffer: Buffer.allocUnsafeSlow(256 * 1024),
      callback: () => {
        count.reads++;
        return true;
      },
    },
  });
  socket.write(upgradeRequest(new URL(`ws://127.0.0.1:${venue.port}/ws`)).text);
  while (count.reads === 0) await sleep(20);
  const frame = '{"method":"SUBSCRIBE","params":["btcusdt@depth@0ms"],"id":1}';
  socket.write(encodeFrame(ClientOpcode.Text, Buffer.from(frame)));
  const steady = await watch(venue, () => count.reads);
  socket.destroy();
  await venue.stop();
  return steady;
}

async function ingestAndBooks(loopback: Loopback): Promise<Steady> {
  const venueProcess = await Venue.start(loopback);
  const authority = `127.0.0.1:${venueProcess.port}`;
  const origin = readTimelineOrigin();
  const clock = new SystemScheduler(origin.monotonicNs);
  const timeline = new Timeline(origin.unixNs);
  const venue = venueById('binance-futures', {
    restUrl: `http://${authority}`,
    webSocketUrl: `ws://${authority}`,
  });
  const http = new UndiciTransport({ allowPrivate: true, connectionsMax: 1 });
  const request = venue.instrumentsRequest();
  const info = await http.request(request, { bodyBytesMax: 1 << 20, msMax: 5_000 });
  const [instrument] = venue.readInstruments(Buffer.from(info.body).toString(), ['BTCUSDT'], 0);
  const room = new BooksRoom(instrument!, timeline, false);
  const { frameBytesMax } = venue.limits;
  const socket = { clock, allowPrivate: true, frameBytesMax, handshakeMsMax: 5_000 };
  const doorbell = createDoorbell();
  const bell = new DoorbellRinger(doorbell);
  const ingest = new Ingest({
    venue,
    instruments: [instrument!],
    channels: [Channel.Book],
    rings: [{ ring: room.input.ring, bell }],
    shardOf: new Int32Array(1),
    wanted: [new RingConsumer(room.wanted)],
    clock,
    prng: new Prng(1),
    timeline,
    transports: { webSocket: new LeanTransport(socket), http },
    counters: createIngestCounters(1),
  });
  const runner = new EventLoopRunner({
    agent: new AgentGroup([ingest, new RoomAgent(room)]),
    clock,
    doorbell,
    control: createThreadControl(),
  });
  const ended = runner.run();
  ingest.start();
  while (!room.isWell) await sleep(50);
  const steady = await watch(venueProcess, () => room.count(BooksColumn.Applied));
  invariant(room.isWell, 'the book is live, without gap or failed check');
  runner.stop();
  await ended;
  await http.close();
  await venueProcess.stop();
  return steady;
}

const COLLECTION =
  /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: (Scavenge|Mark-Compact)[^\d]*([\d.]+) \([\d.]+\) -> ([\d.]+) \([\d.]+\) MB, (?:pooled: [\d.]+ MB, )?([\d.]+)/;

interface WholeNode {
  /** Collections by isolate while frames came, most first; without the main thread's. */
  readonly byThread: readonly number[];
  readonly onMain: number;
  readonly longestMs: number;
  readonly freedBytes: number;
  readonly frames: number;
}

type Layout = 'fused' | 'split' | 'full';

async function wholeNode(loopback: Loopback, layout: Layout): Promise<WholeNode> {
  const byIsolate = new Map<string, number>();
  let main: string | null = null;
  let freedBytes = 0;
  let longestMs = 0;
  let isCounting = false;
  const onLine = (line: string): void => {
    const match = COLLECTION.exec(line);
    if (match === null) return;
    const [, isolate, , before, after, ms] = match;
    // While it loads its modules, before there is any other thread, the main one collects first.
    main ??= isolate!;
    if (!isCounting) return;
    byIsolate.set(isolate!, (byIsolate.get(isolate!) ?? 0) + 1);
    longestMs = Math.max(longestMs, Number(ms));
    freedBytes += (Number(before) - Number(after)) * 1e6;
  };
  const pipeline = await Pipeline.start(loopback, layout, { nodeFlags: ['--trace-gc'], onLine });
  try {
    await pipeline.run(RATE, WARM_SECONDS * 1000);
    isCounting = true;
    const { received, lost } = await pipeline.run(RATE, SECONDS * 1000);
    invariant(lost === 0, 'every frame came through');
    const onMain = byIsolate.get(main ?? '') ?? 0;
    byIsolate.delete(main ?? '');
    const byThread = [...byIsolate.values()].sort((a, b) => b - a);
    return { byThread, onMain, longestMs, freedBytes, frames: received };
  } finally {
    await pipeline.stop();
  }
}

async function wholeNodeRow(loopback: Loopback, layout: Layout): Promise<BenchRow> {
  const whole = await wholeNode(loopback, layout);
  const [sending = 0, ...others] = whole.byThread;
  const quiet = others.reduce((sum, count) => sum + count, 0);
  // One thread does everything: there is none that could be asked to be quiet.
  if (layout !== 'fused' && quiet > 0) {
    throw new Error(`${layout}: ${others.join(' + ')} collections on threads that do not send`);
  }
  const perFrame = Math.round(whole.freedBytes / whole.frames);
  return row({
    part: PART,
    case: `whole node, ${layout}, one client, ${SECONDS} s`,
    ours: quiet,
    unit: layout === 'fused' ? 'collections beside it' : 'collections',
    note:
      `sending thread: ${sending}, ${perFrame} B a frame, longest ${whole.longestMs} ms; ` +
      `main thread: ${whole.onMain}; ${whole.frames} frames, --young-mb as chosen`,
  });
}

async function run(): Promise<BenchRow[]> {
  const loopback = compileLoopback();
  const bare = await bareSocket(loopback);
  const steady = await ingestAndBooks(loopback);
  const rows = [
    row({
      part: PART,
      case: `ingest and books, ${RATE} frames/s, ${SECONDS} s`,
      ours: steady.collections,
      unit: 'collections',
      note: `${steady.reads} frames applied; must be 0; semi-space of ${YOUNG_MB} MB, empty at first`,
    }),
    row({
      part: PART,
      case: 'ingest and books, left behind',
      ours: steady.bytesPerRead,
      rival: 'a bare socket',
      rivalNs: bare.bytesPerRead,
      unit: 'B/frame',
      note: 'Node itself: 56 bytes a turn of its loop; means nothing if there was a collection',
    }),
  ];
  if (steady.reads < (RATE * SECONDS) / 2) throw new Error(`only ${steady.reads} frames came`);
  if (steady.collections > 0) {
    throw new Error(`ingest and books allocate: ${steady.collections} collections`);
  }
  for (const layout of ['split', 'full', 'fused'] as const) {
    rows.push(await wholeNodeRow(loopback, layout));
  }
  return rows;
}

export default defineBench({
  part: PART,
  needs: 'cc',
  mix: 'frames of 20 levels (735 B) over loopback, open loop',
  nodeFlags: NODE_FLAGS,
  run,
});
