/**
 * What one level update costs, upkeep of the best included, on real updates: the ladder against the
 * structures that others use. Every structure must end with the same book, or the bench fails.
 *
 * Each run has a worker of its own: an isolate in which only that one structure was ever seen, so none
 * suffers from the types of another. The runs are interleaved and the median of them is told; of a run's
 * passes the fastest counts, so that a busy machine falsifies little.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BookLevels } from '../src/books/book-levels.js';
import { Ladder } from '../src/books/ladder.js';
import { ASKS_COUNT, BIDS_COUNT, LEVELS, RecordType } from '../src/rings/record-types.js';
import { type FeedEvents, loadFeedEvents } from './book-events.js';
import { MapWithSortedKeys, SortedArrays } from './book-rivals.js';
import { type BenchRow, defineBench, row } from './harness.js';

/** What is measured: side, price, size in; the best of both sides asked after every update. */
export interface Book {
  set(side: number, price: number, size: number): number;
  best(side: number): number;
  count(side: number): number;
}

/** A rival with a form of updates of its own, made beforehand by `prepare` so that it is not timed. */
export interface PreparedBook {
  prepare(triples: Float64Array, from: number, to: number): unknown;
  /** Plays what was prepared; the sum of the bests asked for. */
  playPrepared(prepared: never): number;
  count(side: number): number;
}

const PART = 'Book ladder';
const RIVALS = ['Map + sorted array', 'sorted typed arrays, best at the end', 'tardis-dev', 'ccxt'];
const ROUNDS = 5;
/** Passes of a run; the fastest counts: it is compiled, and was interrupted least by others. */
const PASSES = 8;
/** A slow rival takes fewer passes. */
const SLOW_NS = 1e9;

/** Level updates as (side, price, size) triples; side −1 ends an update. */
function flatten({ events }: FeedEvents): {
  triples: Float64Array;
  levels: number;
  loaded: number;
} {
  const triples: number[] = [];
  let levels = 0;
  let loaded = 0;
  const isBook = (type: number): boolean =>
    type === RecordType.DepthUpdate || type === RecordType.DepthSnapshot;
  const firstSnapshot = events.findIndex(({ type }) => type === RecordType.DepthSnapshot);
  for (const { type, doubles } of events.slice(firstSnapshot).filter((e) => isBook(e.type))) {
    const bids = doubles[BIDS_COUNT]!;
    const all = bids + doubles[ASKS_COUNT]!;
    for (let i = 0; i < all; i++) {
      triples.push(i < bids ? 0 : 1, doubles[LEVELS + 2 * i]!, doubles[LEVELS + 2 * i + 1]!);
    }
    triples.push(-1, 0, 0);
    if (type === RecordType.DepthSnapshot) loaded = triples.length;
    else levels += all;
  }
  return { triples: Float64Array.from(triples), levels, loaded };
}

function play(book: Book, triples: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i += 3) {
    const side = triples[i]!;
    if (side >= 0) book.set(side, triples[i + 1]!, triples[i + 2]!);
    else sum += book.best(0) + book.best(1);
  }
  return sum;
}

type Candidate = Book | PreparedBook;

const CANDIDATES: Readonly<Record<string, (tick: number) => Candidate | Promise<Candidate>>> = {
  ladder: (tick) => new Ladder(tick),
  'ladder, tick learned': () => new Ladder(0),
  'ladder and hash': (tick) => withHash(tick),
  'Map + sorted array': () => new MapWithSortedKeys(),
  'sorted typed arrays, best at the end': () => new SortedArrays(),
  'tardis-dev': async () => new (await import('./frame-rivals.js')).TardisLevels(),
  ccxt: async () => (await import('./frame-rivals.js')).createCcxtLevels(),
};

interface Task {
  readonly candidate: string;
  readonly tick: number;
  readonly triples: Float64Array;
  readonly loaded: number;
}

interface Answer {
  readonly elapsedNs: number;
  readonly book: string;
}

/** In the worker. */
async function runTask({ candidate, tick, triples, loaded }: Task): Promise<Answer> {
  let answer: Answer = { elapsedNs: Infinity, book: '' };
  let spentNs = 0;
  for (let pass = 0; pass < PASSES && (pass < 2 || spentNs < SLOW_NS); pass++) {
    const book = await CANDIDATES[candidate]!(tick);
    const { sum, elapsedNs } = timed(book, triples, loaded);
    spentNs += elapsedNs;
    const fastestNs = Math.min(answer.elapsedNs, elapsedNs);
    answer = { elapsedNs: fastestNs, book: `${sum} ${book.count(0)} ${book.count(1)}` };
  }
  return answer;
}

function timed(
  book: Candidate,
  triples: Float64Array,
  loaded: number,
): { sum: number; elapsedNs: number } {
  if ('prepare' in book) {
    book.playPrepared(book.prepare(triples, 0, loaded) as never);
    const updates = book.prepare(triples, loaded, triples.length);
    const begin = process.hrtime.bigint();
    const sum = book.playPrepared(updates as never);
    return { sum, elapsedNs: Number(process.hrtime.bigint() - begin) };
  }
  play(book, triples, 0, loaded);
  const begin = process.hrtime.bigint();
  const sum = play(book, triples, loaded, triples.length);
  return { sum, elapsedNs: Number(process.hrtime.bigint() - begin) };
}

if (
  !isMainThread &&
  parentPort !== null &&
  (workerData as { part?: string }).part === 'book-ladder'
) {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window
  parentPort.postMessage(await runTask((workerData as { task: Task }).task));
}

function inWorker(task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { part: 'book-ladder', task },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function run(): Promise<BenchRow[]> {
  const feed = await loadFeedEvents();
  const { triples, levels, loaded } = flatten(feed);
  const shared = new Float64Array(new SharedArrayBuffer(triples.byteLength));
  shared.set(triples);
  const names = Object.keys(CANDIDATES);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  const books = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const candidate of names) {
      const task = { candidate, tick: feed.instrument.tickSize, triples: shared, loaded };
      const { elapsedNs, book } = await inWorker(task);
      times.get(candidate)!.push(elapsedNs / levels);
      books.add(book);
    }
  }
  if (books.size !== 1) throw new Error(`the books differ: ${[...books].join(' | ')}`);
  const median = (name: string): number => times.get(name)!.sort((a, b) => a - b)[ROUNDS >>> 1]!;
  const base = { part: PART, unit: 'ns/level' };
  const update = `a level update and the best, ${feed.source}`;
  return [
    ...RIVALS.map((rival) =>
      row({ ...base, case: update, ours: median('ladder'), rival, rivalNs: median(rival) }),
    ),
    row({
      ...base,
      case: `${update}; tick learned from the prices`,
      ours: median('ladder, tick learned'),
    }),
    row({ ...base, case: `${update}; with the book hash`, ours: median('ladder and hash') }),
  ];
}

export default defineBench({
  part: PART,
  mix: '400,000 level updates of a book of 5,000 levels a side, the best asked for after each event',
  run,
});

function withHash(tick: number): Book {
  const levels = new BookLevels(tick);
  return {
    set: (side, price, size) => levels.set(side as 0 | 1, price, size),
    best: (side) => levels.ladder.best(side as 0 | 1),
    count: (side) => levels.ladder.count(side as 0 | 1),
  };
}
