/**
 * Receiving over loopback: WebSocket frames from a process that writes as fast as the reader takes them,
 * into the ingest room's transports. Rival: `ws`, tuned for receiving as ws-transport.ts has it, and as
 * it comes. Counted is the reader's processor time (user and system, the kernel's copy included), since
 * the span on the clock also holds what the writer and everybody else take; it stands in the note.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { invariant } from '../src/faults/invariant.js';
import { LeanTransport } from '../src/ingest/lean-transport.js';
import type { WebSocketHandlers } from '../src/ingest/transport.js';
import { WsTransport } from '../src/ingest/ws-transport.js';
import { SystemClock } from '../src/time/system-clock.js';
import { defineBench, median, row } from './harness.js';
import type { BenchRow } from './harness.js';

const PART = 'Receive';
const ROUNDS = 7;
const clock = new SystemClock(process.hrtime.bigint());
const options = { clock, allowPrivate: false, frameBytesMax: 1 << 20, handshakeMsMax: 5_000 };

/** Counts frames and a byte of each, so that nobody can skip them. */
class Count implements WebSocketHandlers {
  frames = 0;
  sum = 0;
  firstNs = 0;
  lastNs = 0;
  private readonly expected: number;
  private readonly finish: () => void;

  constructor(expected: number, finish: () => void) {
    this.expected = expected;
    this.finish = finish;
  }

  onFrame(bytes: Uint8Array, start: number, end: number): void {
    if (this.frames === 0) this.firstNs = clock.nowNs();
    this.sum += bytes[start]! + bytes[end - 1]!;
    if (++this.frames !== this.expected) return;
    this.lastNs = clock.nowNs();
    this.finish();
  }

  onOpen(): void {}
  onReadEnd(): void {}
  onPing(): void {}
  onPong(): void {}
  onRefused(): void {}
  onClose(): void {}
}

type Reader = (url: string, count: Count) => () => void;

const lean = new LeanTransport(options);
const tuned = new WsTransport(options);

function plainWs(url: string, count: Count): () => void {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data: Buffer) => count.onFrame(data, 0, data.length));
  return () => socket.terminate();
}

const READERS: readonly (readonly [string, Reader])[] = [
  ['lean', (url, count) => terminator(lean.connect(url, count))],
  ['ws, tuned', (url, count) => terminator(tuned.connect(url, count))],
  ['ws', plainWs],
];

function terminator(connection: { terminate(): void }): () => void {
  return () => connection.terminate();
}

interface Cost {
  readonly processorNs: number;
  readonly elapsedNs: number;
}

/** Each a frame. */
async function pass(reader: Reader, url: string, frames: number): Promise<Cost> {
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => (finish = resolve));
  const count = new Count(frames, finish);
  const before = process.cpuUsage();
  const end = reader(url, count);
  await done;
  const used = process.cpuUsage(before);
  end();
  invariant(count.sum === frames * (0x7b + 0x30), 'every frame was whole');
  return {
    processorNs: ((used.user + used.system) * 1e3) / frames,
    elapsedNs: (count.lastNs - count.firstNs) / (frames - 1),
  };
}

async function frameSize(frameBytes: number, frames: number): Promise<BenchRow[]> {
  const feeder = fileURLToPath(new URL('receive-feeder.js', import.meta.url));
  const child = fork(feeder, [String(frameBytes), String(frames)]);
  const [port] = (await once(child, 'message')) as [number];
  const url = `ws://127.0.0.1:${port}/`;
  const costs: Cost[][] = READERS.map(() => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, [, reader]] of READERS.entries()) {
      const cost = await pass(reader, url, frames);
      if (round >= 0) costs[index]!.push(cost);
    }
  }
  child.disconnect();
  const [oursNs, ...rivals] = costs.map((each) => median(each.map((cost) => cost.processorNs)));
  const elapsed = costs.map((each) => Math.round(median(each.map((cost) => cost.elapsedNs))));
  return rivals.map((rivalNs, index) =>
    row({
      part: PART,
      case: `${frameBytes} B frames`,
      unit: 'cpu ns/frame',
      ours: oursNs!,
      rival: READERS[index + 1]![0],
      rivalNs,
      note: `on the clock ${elapsed[0]} against ${elapsed[index + 1]}`,
    }),
  );
}

export default defineBench({
  part: PART,
  mix: 'text frames of one size, written in chunks of 256 KiB over loopback, no parsing',
  async run() {
    return [
      ...(await frameSize(300, 150_000)),
      ...(await frameSize(735, 100_000)),
      ...(await frameSize(3_300, 30_000)),
    ];
  },
});
