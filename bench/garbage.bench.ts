/**
 * What the garbage collector has to do while the node is steadily fed at 20,000 frames a second.
 *
 * Ingest and books (socket → parser → router → ring → books agent → finished messages) in this process:
 * a single collection fails the bench. Not a byte is allocated for frames, levels or messages; what is
 * left, some tens of bytes a *read*, are doubles that V8 boxes where it does not inline a call (the time
 * of a turn), about half of it in Node's own read callback. So the young generation is large here, and
 * the row of bytes says what that hides. Then the whole node as a process, layout full, with one client:
 * there a loop that was asleep is woken by a promise, and each wake-up leaves a few hundred bytes.
 * `npm run bench -- garbage --long`: 60 s each.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { BooksColumn } from '../src/books/books-counters.js';
import { Channel } from '../src/domain/channel.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { createIngestCounters } from '../src/ingest/ingest-counters.js';
import { Ingest } from '../src/ingest/ingest.js';
import { LeanTransport } from '../src/ingest/lean-transport.js';
import { UndiciTransport } from '../src/ingest/undici-transport.js';
import { createDoorbell, DoorbellRinger } from '../src/rings/doorbell.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { venueById } from '../src/venues/registry.js';
import { BooksRoom } from './books-room.js';
import { defineBench, row, type BenchRow } from './harness.js';
import { compileLoopback, Pipeline, Venue } from './pipeline-systems.js';
import { timeCell } from '../src/time/clock.js';

const PART = 'Garbage';
const RATE = 20_000;
const SECONDS = process.env['RINGSIDE_BENCH_LONG'] === '1' ? 60 : 10;
const WARM_SECONDS = 4;
const NODE_FLAGS = ['--min-semi-space-size=128', '--max-semi-space-size=128'];

/** The bell of the books that lets them work in the same turn, as the fused layout does. */
class WorkingBell extends DoorbellRinger {
  private readonly now = new Float64Array(1);

  constructor(
    private readonly room: BooksRoom,
    private readonly clock: SystemScheduler,
  ) {
    super(createDoorbell());
  }

  override ring(): void {
    this.clock.readInto(this.now, 0);
    this.room.turnAt(this.now);
  }
}

interface Steady {
  readonly collections: number;
  readonly bytesPerFrame: number;
  readonly frames: number;
}

async function ingestAndBooks(loopback: string): Promise<Steady> {
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
  const ingest = new Ingest({
    venue,
    instruments: [instrument!],
    channels: [Channel.Book],
    rings: [{ ring: room.input.ring, bell: new WorkingBell(room, clock) }],
    shardOf: new Int32Array(1),
    wanted: [new RingConsumer(room.wanted)],
    clock,
    prng: new Prng(1),
    timeline,
    transports: { webSocket: new LeanTransport(socket), http },
    counters: createIngestCounters(1),
  });
  ingest.start();
  const pump = setInterval(() => ingest.doWork(timeCell(clock.nowNs())), 50);
  while (!room.isWell) await sleep(50);
  const load = venueProcess.run(RATE, (WARM_SECONDS + SECONDS + 1) * 1000);
  await sleep(WARM_SECONDS * 1000);
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  const before = room.count(BooksColumn.Applied);
  const heapBefore = process.memoryUsage().heapUsed;
  await sleep(SECONDS * 1000);
  const frames = room.count(BooksColumn.Applied) - before;
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  await sleep(0);
  observer.disconnect();
  invariant(room.isWell, 'the book is live, without gap or failed check');
  await load;
  clearInterval(pump);
  ingest.onClose();
  await http.close();
  await venueProcess.stop();
  return { collections, frames, bytesPerFrame: heapBytes / frames };
}

const COLLECTION =
  /^\[\d+:(0x[0-9a-f]+)\]\s+\d+ ms: (Scavenge|Mark-Compact)[^\d]*([\d.]+) \([\d.]+\) -> ([\d.]+)/;

interface WholeNode {
  /** Scavenges by isolate, most first. */
  readonly scavenges: readonly number[];
  readonly freedBytes: number;
  readonly frames: number;
}

async function wholeNode(loopback: string): Promise<WholeNode> {
  const byIsolate = new Map<string, number>();
  let freedBytes = 0;
  let counting = false;
  const onLine = (line: string): void => {
    const match = COLLECTION.exec(line);
    if (match === null || !counting) return;
    const [, isolate, , before, after] = match;
    byIsolate.set(isolate!, (byIsolate.get(isolate!) ?? 0) + 1);
    freedBytes += (Number(before) - Number(after)) * 1e6;
  };
  const pipeline = await Pipeline.start(loopback, 'full', { nodeFlags: ['--trace-gc'], onLine });
  try {
    await pipeline.run(RATE, WARM_SECONDS * 1000);
    counting = true;
    const { received } = await pipeline.run(RATE, SECONDS * 1000);
    const scavenges = [...byIsolate.values()].sort((a, b) => b - a);
    return { scavenges, freedBytes, frames: received };
  } finally {
    await pipeline.stop();
  }
}

async function run(): Promise<BenchRow[]> {
  const loopback = compileLoopback();
  const steady = await ingestAndBooks(loopback);
  const whole = await wholeNode(loopback);
  const total = whole.scavenges.reduce((sum, count) => sum + count, 0);
  const rows = [
    row({
      part: PART,
      case: `ingest and books, ${RATE} frames/s for ${SECONDS} s`,
      ours: steady.collections,
      unit: 'collections',
      note: `${steady.frames} frames applied; must be 0; ${NODE_FLAGS.join(' ')}`,
    }),
    row({
      part: PART,
      case: `ingest and books, left behind at one frame a read`,
      ours: steady.bytesPerFrame,
      unit: 'B/frame',
      note: 'boxed doubles, Node’s read callback; means nothing if there was a collection',
    }),
    row({
      part: PART,
      case: `whole node, full, one client, ${RATE} frames/s for ${SECONDS} s`,
      ours: total,
      unit: 'collections',
      note: `by thread ${whole.scavenges.join(' + ') || 'none'}: ${Math.round(whole.freedBytes / whole.frames)} B a frame, wake-ups of the sending loop`,
    }),
  ];
  if (steady.frames < (RATE * SECONDS) / 2) throw new Error(`only ${steady.frames} frames came`);
  if (steady.collections > 0) {
    throw new Error(`ingest and books allocate: ${steady.collections} collections`);
  }
  return rows;
}

export default defineBench({
  part: PART,
  mix: 'frames of 20 levels (735 B) over loopback, open loop',
  nodeFlags: NODE_FLAGS,
  run,
});
