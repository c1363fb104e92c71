/**
 * From the bytes of a real depth frame to a book that holds it: parser, sequencer, ladder. Three times ours:
 * in one call, what fused costs at least; the same with the book hash, which no rival keeps; and as the
 * node does it, through the ring into the books room and on to finished messages. All must end with the same top ten.
 *
 * Each run has a worker of its own, so that none suffers from the types of another; they take turns,
 * and the median of the runs counts, of a run the fastest pass.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BookLevels } from '../src/books/book-levels.js';
import { Ladder } from '../src/books/ladder.js';
import type { OrderBook } from '../src/books/order-book.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Side } from '../src/domain/side.js';
import { invariant } from '../src/faults/invariant.js';
import * as Record from '../src/rings/record-types.js';
import { SystemClock } from '../src/time/system-clock.js';
import { Timeline } from '../src/time/timeline.js';
import { FuturesParser } from '../src/venues/binance-futures/parse.js';
import { FuturesSequencer } from '../src/venues/binance-futures/sequencer.js';
import { venueById } from '../src/venues/registry.js';
import type { EventSink } from '../src/venues/venue.js';
import { ParseResult, SequenceVerdict } from '../src/venues/venue.js';
import { BooksRoom } from './books-room.js';
import { type DepthCapture, loadDepthCapture } from './captured-frames.js';
import type { FrameBook } from './frame-rivals.js';
import { type BenchRow, defineBench, median, row } from './harness.js';

const PART = 'Frame bytes to applied book';
const TOP = 10;
const ROUNDS = 5;
/** A run takes this many passes, fewer if they take long: the compiler may be kept waiting for a core. */
const PASSES = 16;
const PASSES_MIN = 2;
const RUN_MS_MAX = 2_500;
const TIMELINE = new Timeline(1_721_300_000_000_000_000n);

/** Levels of a ladder as the rivals tell theirs. */
function topOf(levels: Levels, count: number): string {
  const side = (which: Side): string => {
    const pairs = new Float64Array(2 * count);
    const found = levels.ladder.copyLevels(which, count, pairs, 0);
    const texts = Array.from({ length: found }, (_, i) => `${pairs[2 * i]}:${pairs[2 * i + 1]}`);
    return texts.join(' ');
  };
  return `${side(Side.Bid)} / ${side(Side.Ask)}`;
}

interface Levels {
  readonly ladder: Ladder;
  apply(levels: Float64Array, at: number, bids: number, asks: number): void;
}

/** The ladder without the hash, which no rival keeps. */
class BareLevels implements Levels {
  readonly ladder: Ladder;

  constructor(tickSize: number) {
    this.ladder = new Ladder(tickSize);
  }

  apply(levels: Float64Array, at: number, bids: number, asks: number): void {
    const { ladder } = this;
    const bidsEnd = at + 2 * bids;
    const asksEnd = bidsEnd + 2 * asks;
    for (let i = at; i < bidsEnd; i += 2) ladder.set(Side.Bid, levels[i]!, levels[i + 1]!);
    for (let i = bidsEnd; i < asksEnd; i += 2) ladder.set(Side.Ask, levels[i]!, levels[i + 1]!);
  }
}

/** Parser → sequencer → ladder, in one call. */
class DirectBook implements FrameBook, EventSink {
  private readonly sequencer = new FuturesSequencer();
  private readonly parser: FuturesParser;

  constructor(
    instrument: Instrument,
    snapshot: Uint8Array,
    private readonly levels: Levels,
  ) {
    this.parser = new FuturesParser([instrument], 'aggTrade', TIMELINE, this);
    venueById('binance-futures').readSnapshot(snapshot, instrument, 0, TIMELINE, this);
  }

  frame(bytes: Uint8Array): void {
    const result = this.parser.parse(bytes, 0, bytes.length, 0);
    if (result !== ParseResult.Events) throw new Error(`the parser answers ${result}`);
  }

  accept(type: number, event: Float64Array, _doubles: number): boolean {
    const bids = event[Record.BIDS_COUNT]!;
    const asks = event[Record.ASKS_COUNT]!;
    const last = event[Record.SEQUENCE_LAST]!;
    if (type === Record.RecordType.DepthSnapshot) {
      this.sequencer.onSnapshot(last);
    } else {
      const first = event[Record.SEQUENCE_FIRST]!;
      const verdict = this.sequencer.judge(first, last, event[Record.SEQUENCE_PREVIOUS]!);
      if (verdict === SequenceVerdict.Stale) return true;
      if (verdict !== SequenceVerdict.Apply) throw new Error(`the sequencer says ${verdict}`);
    }
    this.levels.apply(event, Record.LEVELS, bids, asks);
    return true;
  }

  top(count: number): string {
    return topOf(this.levels, count);
  }
}

/** As the node: parser → ring → books agent → finished messages in its output ring. */
class RoomBook implements FrameBook {
  private readonly room: BooksRoom;
  private readonly parser: FuturesParser;
  private readonly clock = new SystemClock(process.hrtime.bigint());
  private frames = 0;

  constructor(
    private readonly instrument: Instrument,
    snapshot: Uint8Array,
  ) {
    this.room = new BooksRoom(instrument, TIMELINE, false);
    this.parser = new FuturesParser([instrument], 'aggTrade', TIMELINE, this.room.input);
    const { input } = this.room;
    venueById('binance-futures').readSnapshot(snapshot, instrument, 0, TIMELINE, input);
    this.room.turn(0);
  }

  frame(bytes: Uint8Array): void {
    this.parser.parse(bytes, 0, bytes.length, this.clock.nowNs());
    if ((++this.frames & (FRAMES_PER_TURN - 1)) === 0) this.room.turn(this.clock.nowNs());
  }

  top(count: number): string {
    this.room.turn(this.clock.nowNs());
    invariant(this.room.isWell, 'the book is live, without gap or failed check');
    return topOf((this.room.agent.book(this.instrument.id) as OrderBook).levels, count);
  }
}

/** About what one read of a busy socket holds. */
const FRAMES_PER_TURN = 16;

const CANDIDATES: Readonly<{
  [name: string]: (instrument: Instrument, snapshot: Uint8Array) => FrameBook | Promise<FrameBook>;
}> = {
  direct: (instrument, snapshot) =>
    new DirectBook(instrument, snapshot, new BareLevels(instrument.tickSize)),
  'with hash': (instrument, snapshot) =>
    new DirectBook(instrument, snapshot, new BookLevels(instrument.tickSize)),
  room: (instrument, snapshot) => new RoomBook(instrument, snapshot),
  'JSON.parse + Map': async (instrument, snapshot) =>
    new (await import('./frame-rivals.js')).PlainBook(instrument, snapshot),
  'tardis-dev': async (instrument, snapshot) =>
    new (await import('./frame-rivals.js')).TardisFrames(instrument, snapshot),
  ccxt: async (instrument, snapshot) =>
    (await import('./frame-rivals.js')).createCcxtFrames(instrument, snapshot),
};
const RIVALS = ['JSON.parse + Map', 'tardis-dev', 'ccxt'];

interface Task {
  readonly candidate: string;
  readonly instrument: Instrument;
  readonly snapshot: Uint8Array;
  /** All frames behind one another, and where each ends. */
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
}

interface Answer {
  readonly elapsedNs: number;
  readonly top: string;
}

/** In the worker. */
async function runTask({ candidate, instrument, snapshot, bytes, ends }: Task): Promise<Answer> {
  // Out of shared memory, where copies and text cost more than in what a socket gives.
  const frames = Array.from(ends, (end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1]!, end));
  let elapsedNs = Infinity;
  let top = '';
  let spentMs = 0;
  for (let pass = 0; pass < PASSES && (pass < PASSES_MIN || spentMs < RUN_MS_MAX); pass++) {
    const book = await CANDIDATES[candidate]!(instrument, snapshot);
    const begin = process.hrtime.bigint();
    for (let i = 0; i < frames.length; i++) book.frame(frames[i]!);
    const passNs = Number(process.hrtime.bigint() - begin);
    spentMs += passNs / 1e6;
    elapsedNs = Math.min(elapsedNs, passNs);
    top = book.top(TOP);
  }
  return { elapsedNs, top };
}

if (!isMainThread && (workerData as { part?: string } | null)?.part === 'frame-to-book') {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  parentPort!.postMessage(await runTask((workerData as { task: Task }).task));
}

function inWorker(task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { part: 'frame-to-book', task },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function sharedCopy(parts: readonly Uint8Array[]): { bytes: Uint8Array; ends: Int32Array } {
  const ends = new Int32Array(parts.length);
  let length = 0;
  parts.forEach((part, i) => (ends[i] = length += part.length));
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  parts.forEach((part, i) => bytes.set(part, ends[i]! - part.length));
  return { bytes, ends };
}

async function compare({ source, instrument, ...capture }: DepthCapture): Promise<BenchRow[]> {
  const { frames } = capture;
  const snapshot = new Uint8Array(capture.snapshot);
  const { bytes, ends } = sharedCopy(frames);
  const names = Object.keys(CANDIDATES);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  const tops = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const candidate of names) {
      const { elapsedNs, top } = await inWorker({ candidate, instrument, snapshot, bytes, ends });
      times.get(candidate)!.push(elapsedNs / frames.length / 1e3);
      tops.set(candidate, top);
    }
  }
  for (const [name, top] of tops) {
    invariant(
      top.includes(' ') && top === tops.get('direct'),
      `${name} holds another book: ${top}`,
    );
  }
  const perFrame = Math.round(capture.levels / frames.length);
  const rows = (ours: string, what: string): BenchRow[] =>
    RIVALS.map((rival) =>
      row({
        part: PART,
        case: `${what}; ${source}, ${frames.length} × ${perFrame} levels`,
        unit: 'µs/frame',
        ours: median(times.get(ours)!),
        rival,
        rivalNs: median(times.get(rival)!),
        note: 'same top ten',
      }),
    );
  return [
    ...rows('direct', 'parse + sync + ladder'),
    ...rows('with hash', 'the book hash too'),
    ...rows('room', 'ring and finished messages too'),
  ];
}

export default defineBench({
  part: PART,
  mix: 'every depth frame of a capture after its snapshot, as bytes, one instrument',
  run: async () => compare(await loadDepthCapture()),
});
