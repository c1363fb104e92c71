/**
 * Resident memory of the books room against the number of instruments, each with 1,000 levels a side,
 * settled by some updates: stated, and linear. Each count in a process of its own; the base is the same
 * process with one book, after so many updates that the rings were written once round. The window of a ladder grows with its levels
 * (src/books/ladder-side.ts tells the rule): the last row is one book as deep as real BTCUSDT.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Ladder } from '../src/books/ladder.js';
import { OrderBook } from '../src/books/order-book.js';
import { EventFlag } from '../src/domain/event-flags.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Prng } from '../src/domain/prng.js';
import { Side } from '../src/domain/side.js';
import { invariant } from '../src/faults/invariant.js';
import { ABSENT, LEVELS, RecordType } from '../src/rings/record-types.js';
import { Timeline } from '../src/time/timeline.js';
import { BooksRoom } from './books-room.js';
import { defineBench, row, type BenchRow } from './harness.js';

const PART = 'Memory';
const COUNTS = [1, 100, 1000];
const LEVELS_A_SIDE = 1_000;
const UPDATES = 20;
const UPDATE_LEVELS = 40;
/** Enough to write the rings of 16 MB once round. */
const UPDATES_ROUND = 10_000;
const TARGET_KB = 400;
const TOUCH_TICKS = 600_000;
const TICK = 10;

function instrumentOf(id: number): Instrument {
  const symbol = `SYM${id}USDT`;
  return {
    id,
    venue: 'bench',
    symbol,
    name: `bench:${symbol}`,
    base: `SYM${id}`,
    quote: 'USDT',
    kind: 'perpetual',
    priceDecimals: 2,
    sizeDecimals: 3,
    tickSize: TICK,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  };
}

/** A snapshot (levels a side, one in four ticks occupied) or an update, ready for the ring. */
function bookEvent(prng: Prng, id: number, levels: number, last: number): Float64Array {
  const isSnapshot = levels === LEVELS_A_SIDE;
  const flags = isSnapshot ? EventFlag.Snapshot | EventFlag.Last : EventFlag.Last;
  const head = [id, flags, 1e6, 2e6, last, last, last - 1, ABSENT, levels, levels];
  const event = new Float64Array(LEVELS + 4 * levels);
  event.set(head);
  for (let i = 0; i < 2 * levels; i++) {
    const nth = isSnapshot ? i % levels : prng.nextInt(LEVELS_A_SIDE);
    const away = 1 + nth * 4;
    event[LEVELS + 2 * i] = (TOUCH_TICKS + (i < levels ? -away : away)) * TICK;
    event[LEVELS + 2 * i + 1] = 1 + prng.nextInt(20_000);
  }
  return event;
}

function fill(room: BooksRoom, instruments: readonly Instrument[], updates: number): void {
  const prng = new Prng(7);
  for (const { id } of instruments) {
    for (let update = 0; update <= updates; update++) {
      const type = update === 0 ? RecordType.DepthSnapshot : RecordType.DepthUpdate;
      const event = bookEvent(prng, id, update === 0 ? LEVELS_A_SIDE : UPDATE_LEVELS, update + 1);
      room.input.accept(type, event, event.length);
      room.turn(1e9);
    }
  }
  for (const { id } of instruments) {
    const book = room.agent.book(id);
    invariant(
      book instanceof OrderBook && book.levels.ladder.count(Side.Bid) === LEVELS_A_SIDE,
      'every book holds its levels',
    );
  }
}

function rssBytes(): number {
  globalThis.gc!();
  return process.memoryUsage().rss;
}

function runAsChild(count: number): void {
  const instruments = Array.from({ length: count }, (_, id) => instrumentOf(id));
  const room = new BooksRoom(instruments, new Timeline(0n), true);
  fill(room, instruments.slice(0, 1), UPDATES_ROUND);
  const before = rssBytes();
  fill(room, instruments.slice(1), UPDATES);
  process.send!({ before, after: rssBytes() });
}

interface Sizes {
  readonly before: number;
  readonly after: number;
}

async function sizesAt(count: number): Promise<Sizes> {
  const child = fork(fileURLToPath(import.meta.url), ['--memory', String(count)], {
    execArgv: ['--expose-gc'],
  });
  const [sizes] = (await once(child, 'message')) as [Sizes];
  child.disconnect();
  return sizes;
}

/** A ladder of 5,000 levels a side, spread as a real book: dense near the touch, far levels exact. */
function deepLadder(): Ladder {
  const prng = new Prng(3);
  const ladder = new Ladder(TICK);
  for (const side of [Side.Bid, Side.Ask]) {
    while (ladder.count(side) < 5_000) {
      const away = 1 + Math.floor(prng.nextFloat() ** 4 * 300_000);
      ladder.set(side, (TOUCH_TICKS + (side === Side.Bid ? -away : away)) * TICK, 1 + away);
    }
    const levels = new Float64Array(10_000);
    invariant(ladder.copyLevels(side, 5_000, levels, 0) === 5_000, 'all levels are there');
    for (let i = 0; i < 10_000; i += 2) {
      const away = Math.abs(levels[i]! / TICK - TOUCH_TICKS);
      invariant(levels[i + 1] === 1 + away, 'distant levels are exact');
    }
  }
  return ladder;
}

async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const count of COUNTS) {
    const { before, after } = await sizesAt(count);
    const perInstrument = (after - before) / Math.max(1, count - 1) / 1e3;
    rows.push(
      row({
        part: PART,
        case: `${count} instruments of ${LEVELS_A_SIDE} levels a side`,
        unit: 'MB rss',
        ours: after / 1e6,
        note:
          count === 1
            ? 'the base'
            : `${(before / 1e6).toFixed(0)} MB with one, ${perInstrument.toFixed(0)} KB an instrument more (at most ${TARGET_KB} wanted)`,
      }),
    );
  }
  const ladder = deepLadder();
  const far = ladder.farCount(Side.Bid) + ladder.farCount(Side.Ask);
  rows.push(
    row({
      part: PART,
      case: 'a ladder of 5,000 levels a side, spread over 300,000 ticks',
      unit: 'KB',
      ours: ladder.memoryBytes / 1e3,
      note: `${far} of its levels beyond the window, exact as all`,
    }),
  );
  return rows;
}

const childAt = process.argv.indexOf('--memory');
if (childAt > 0) runAsChild(Number(process.argv[childAt + 1]));

export default defineBench({
  part: PART,
  mix: `books room with its rings; ${UPDATES} updates of ${2 * UPDATE_LEVELS} levels each after the snapshot`,
  run,
});
