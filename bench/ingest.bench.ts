/**
 * The ingest room as a whole: a process writes Binance depth frames of 20 levels over loopback; socket →
 * frame decoder → parser → router → ring, from which they are taken at once. Two figures: the reader's
 * processor time a frame, and what the garbage collector does on the steady path. It must do nothing:
 * the bench fails if it ran in the last three quarters of the frames.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { PerformanceObserver } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Channel } from '../src/domain/channel.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Prng } from '../src/domain/prng.js';
import { invariant } from '../src/faults/invariant.js';
import { Ingest } from '../src/ingest/ingest.js';
import { createIngestCounters } from '../src/ingest/ingest-counters.js';
import { LeanTransport } from '../src/ingest/lean-transport.js';
import type { HttpTransport, WebSocketTransport } from '../src/ingest/transport.js';
import { WsTransport } from '../src/ingest/ws-transport.js';
import { DoorbellRinger, createDoorbell } from '../src/rings/doorbell.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { RingProducer } from '../src/rings/ring-producer.js';
import { RecordType } from '../src/rings/record-types.js';
import { readTimelineOrigin } from '../src/time/system-clock.js';
import { SystemScheduler } from '../src/time/system-scheduler.js';
import { Timeline } from '../src/time/timeline.js';
import { venueById } from '../src/venues/registry.js';
import { defineBench, row } from './harness.js';

const PART = 'Ingest';
/** A minute at 20,000 a second. */
const FRAMES = 1_200_000;

const BTCUSDT: Instrument = {
  id: 0,
  venue: 'binance-futures',
  symbol: 'BTCUSDT',
  name: 'binance-futures:BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
  kind: 'perpetual',
  priceDecimals: 2,
  sizeDecimals: 3,
  tickSize: 10,
  lotSize: 1,
  priceSignificantFigures: 0,
  trading: 0,
};

const noRest: HttpTransport = {
  request: () => Promise.reject(new Error('no snapshot is asked for')),
};

/** A shard's bell that takes the records itself, in the turn in which they come. */
class TakingBell extends DoorbellRinger {
  updates = 0;
  private readonly consumer: RingConsumer;

  constructor(consumer: RingConsumer) {
    super(createDoorbell());
    this.consumer = consumer;
  }

  override ring(): void {
    while (this.consumer.poll(this, 256) > 0);
  }

  onRecord(typeId: number): void {
    if (typeId === RecordType.DepthUpdate) this.updates++;
  }
}

interface Measured {
  readonly processorNs: number;
  readonly elapsedNs: number;
  readonly scavenges: number;
}

function createIngest(
  port: number,
  scheduler: SystemScheduler,
  lean: boolean,
): [Ingest, TakingBell] {
  const ring = createRing(2 ** 20);
  const bell = new TakingBell(new RingConsumer(ring));
  const transport = { clock: scheduler, allowPrivate: false, frameBytesMax: 1 << 20 };
  const options = { ...transport, handshakeMsMax: 5_000 };
  const webSocket: WebSocketTransport = lean
    ? new LeanTransport(options)
    : new WsTransport(options);
  const ingest = new Ingest({
    venue: venueById('binance-futures', { webSocketUrl: `ws://127.0.0.1:${port}` }),
    instruments: [BTCUSDT],
    channels: [Channel.Book],
    rings: [{ ring: new RingProducer(ring), bell }],
    shardOf: new Int32Array(1),
    wanted: [],
    clock: scheduler,
    prng: new Prng(1),
    timeline: new Timeline(readTimelineOrigin().unixNs),
    transports: { webSocket, http: noRest },
    counters: createIngestCounters(1),
  });
  return [ingest, bell];
}

async function pass(lean: boolean): Promise<Measured> {
  const feeder = fileURLToPath(new URL('receive-feeder.js', import.meta.url));
  const child = fork(feeder, ['735', String(FRAMES), 'venue']);
  const [port] = (await once(child, 'message')) as [number];
  const scheduler = new SystemScheduler(process.hrtime.bigint());
  const [ingest, bell] = createIngest(port, scheduler, lean);
  ingest.start();
  const warm = FRAMES / 4;
  await until(() => bell.updates >= warm);
  let scavenges = 0;
  const observer = new PerformanceObserver((list) => (scavenges += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  const from = { updates: bell.updates, cpu: process.cpuUsage(), atNs: scheduler.nowNs() };
  await until(() => bell.updates >= FRAMES);
  const used = process.cpuUsage(from.cpu);
  const elapsedNs = scheduler.nowNs() - from.atNs;
  await new Promise((resolve) => setImmediate(resolve));
  observer.disconnect();
  const frames = FRAMES - from.updates;
  invariant(bell.updates === FRAMES, 'every frame became one record');
  ingest.onClose();
  child.disconnect();
  return {
    processorNs: ((used.user + used.system) * 1e3) / frames,
    elapsedNs: elapsedNs / frames,
    scavenges,
  };
}

/** Looks now and then; a timer every 20 ms allocates little and takes no time from the sockets. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

export default defineBench({
  part: PART,
  mix: 'Binance depth frames of 20 levels (735 B), as fast as they are taken; 1.2 M of them',
  async run() {
    const ours = await pass(true);
    const theirs = await pass(false);
    const note = `on the clock ${Math.round(ours.elapsedNs)} against ${Math.round(theirs.elapsedNs)}; garbage collections ${ours.scavenges} against ${theirs.scavenges}`;
    if (ours.scavenges > 0) throw new Error(`the steady path allocates: ${note}`);
    return [
      row({
        part: PART,
        case: 'socket to ring, 20 levels',
        unit: 'cpu ns/frame',
        ours: ours.processorNs,
        rival: 'the same on ws',
        rivalNs: theirs.processorNs,
        note,
      }),
    ];
  },
});
