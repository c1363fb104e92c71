/**
 * Our messages read by others: `flatc --json` and Python code generated from the schema, neither of
 * which shares a line with ours. Skips, saying so, where Debian's flatbuffers-compiler or
 * python3-flatbuffers are not installed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { EventFlag } from '../../src/domain/event-flags.js';
import { formatExactDecimal } from '../../src/domain/exact-decimal.js';
import { BookHash } from '../../src/domain/level-hash.js';
import { Prng } from '../../src/domain/prng.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import {
  DEFINITION,
  ORIGIN_UNIX_NS,
  sampleContext,
  sampleHead,
  sampleLevels,
  samplePositions,
  sampleTrades,
  timeline,
} from './sample-messages.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SCHEMA = join(ROOT, 'schemas', 'market-data.fbs');
const NAME = 'binance-futures:BTCUSDT';
const encoder = new MessageEncoder(timeline);

const hasFlatc = spawnSync('flatc', ['--version']).status === 0;
/** Debian's package serves Debian's Python, which need not be the first on the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (command) => spawnSync(command, ['-c', 'import flatbuffers']).status === 0,
);
const skipFlatc = hasFlatc ? false : 'flatc is not installed (Debian: flatbuffers-compiler)';
const skipPython =
  hasFlatc && python !== undefined
    ? false
    : 'flatc or python3 with flatbuffers is not installed (Debian: python3-flatbuffers)';

function encoded(write: (words: Int32Array) => number): Uint8Array {
  const words = new Int32Array(65536);
  return new Uint8Array(words.buffer).slice(0, write(words));
}

function inDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-wire-'));
  try {
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(
  command: string,
  args: string[],
  options: { input?: Uint8Array; env?: NodeJS.ProcessEnv } = {},
): string {
  const result = spawnSync(command, args, { ...options, maxBuffer: 1 << 28 });
  assert.equal(result.status, 0, `${command} ${args.join(' ')}: ${String(result.stderr)}`);
  return String(result.stdout);
}

/** JSON with numbers of 16 digits and more as strings: JavaScript would round them. */
const parseExact = (text: string): unknown =>
  JSON.parse(text.replace(/(?<=[[:,]\s*)(-?\d{16,})(?=\s*[,}\]])/g, '"$1"'));
const exact = (value: bigint | number): string | number =>
  String(value).replace('-', '').length >= 16 ? String(value) : Number(value);
const unixNs = (timelineNs: number): string | number =>
  exact(timelineNs === -1 ? 0n : ORIGIN_UNIX_NS + BigInt(timelineNs));
const hashOf = (head: Float64Array): bigint =>
  (BigInt(head[HeadField.HashHigh]! >>> 0) << 32n) | BigInt(head[HeadField.HashLow]! >>> 0);

/** Fields of a head, by their names in the schema. */
function headFields(head: Float64Array): Record<string, string | number> {
  return {
    epoch: exact(head[HeadField.Epoch]!),
    sequence: exact(head[HeadField.Sequence]!),
    first_sequence: exact(head[HeadField.FirstSequence]!),
    venue_sequence: exact(head[HeadField.VenueSequence]!),
    hash: exact(hashOf(head)),
    exchange_ns: unixNs(head[HeadField.ExchangeNs]!),
    received_ns: unixNs(head[HeadField.ReceivedNs]!),
    applied_ns: unixNs(head[HeadField.AppliedNs]!),
    published_ns: unixNs(head[HeadField.PublishedNs]!),
    stream_id: head[HeadField.StreamId]!,
    instrument_id: head[HeadField.InstrumentId]!,
    folded: head[HeadField.Folded]!,
    flags: head[HeadField.Flags]!,
  };
}

const pairs = (levels: Float64Array, first: number, count: number): (string | number)[][] =>
  Array.from({ length: count }, (_, i) => [
    exact(levels[(first + i) * 2]!),
    exact(levels[(first + i) * 2 + 1]!),
  ]);
const asLevels = (list: (string | number)[][]): object[] =>
  list.map(([price, size]) => ({ price, size }));

/** Mark price, premium and the day's notional of the sample. */
const CONTEXT_PRESENT = (1 << 0) | (1 << 5) | (1 << 10);
const decimalAt = (values: Float64Array, field: number): object => {
  const [whole, fraction, places] = values.subarray(field * 3, field * 3 + 3);
  return { whole: exact(whole!), fraction: exact(fraction!), places };
};

test(
  'flatc: `--json` shows every field of every message as it was given to the encoder',
  { skip: skipFlatc },
  () => {
    const head = sampleHead();
    const levels = sampleLevels(9);
    const trades = sampleTrades(3);
    const positions = samplePositions(2);
    const context = sampleContext();
    const name = new TextEncoder().encode(NAME);
    const headJson = { ...headFields(head), state: 'Suspect', reason: 'StreamResumed' };
    const sides = { bids: asLevels(pairs(levels, 0, 4)), asks: asLevels(pairs(levels, 4, 5)) };
    const cases: [string, Uint8Array, object][] = [
      [
        'BookDelta',
        encoded((w) => encoder.writeBookDelta(w, 0, head, levels, 0, 4, 5)),
        { head: headJson, ...sides },
      ],
      [
        'BookSnapshot',
        encoded((w) => encoder.writeBookSnapshot(w, 0, head, levels, 0, 4, 5, 20, 2, 3, name)),
        {
          head: headJson,
          ...sides,
          price_exponent: -2,
          size_exponent: -3,
          depth: 20,
          instrument: NAME,
        },
      ],
      [
        'Bbo',
        encoded((w) => encoder.writeBbo(w, 0, head, 1, 2, -3, 2 ** 53 - 1, 5, 6, 2, 3)),
        {
          head: headJson,
          bid: { price: 1, size: 2 },
          ask: { price: -3, size: '9007199254740991' },
          bid_orders: 5,
          ask_orders: 6,
          price_exponent: -2,
          size_exponent: -3,
        },
      ],
      [
        'Trades',
        encoded((w) => encoder.writeTrades(w, 0, head, trades, 0, 3, 2, 3)),
        {
          head: headJson,
          trades: [0, 1, 2].map((i) => ({
            price: exact(trades[i * 5]!),
            size: exact(trades[i * 5 + 1]!),
            trade_id: exact(trades[i * 5 + 2]!),
            exchange_ns: unixNs(trades[i * 5 + 3]!),
            aggressor: ['Buy', 'Sell', 'Unknown'][trades[i * 5 + 4]!],
          })),
          price_exponent: -2,
          size_exponent: -3,
        },
      ],
      [
        'Status',
        encoded((w) => encoder.writeStatus(w, 0, head, 77, DEFINITION)),
        {
          head: headJson,
          since_ns: unixNs(77),
          definition: {
            tick_size: exact(DEFINITION.tickSize),
            lot_size: 7,
            price_exponent: -2,
            size_exponent: -3,
            significant_figures: 5,
            trading: 'Halted',
          },
        },
      ],
      [
        'Context',
        encoded((w) => encoder.writeContext(w, 0, head, CONTEXT_PRESENT, context, 0, 99)),
        {
          head: headJson,
          mark_price: decimalAt(context, 0),
          premium: decimalAt(context, 5),
          day_notional: decimalAt(context, 10),
          next_funding_ns: unixNs(99),
        },
      ],
      [
        'Heartbeat',
        encoded((w) => encoder.writeHeartbeat(w, 0, 88, positions, 2)),
        {
          published_ns: unixNs(88),
          streams: [0, 1].map((i) => ({
            epoch: exact(positions[i * 4]!),
            next_sequence: exact(positions[i * 4 + 1]!),
            stream_id: positions[i * 4 + 2],
            instrument_id: positions[i * 4 + 3],
          })),
        },
      ],
    ];
    inDirectory((directory) => {
      for (const [type, bytes] of cases) writeFileSync(join(directory, `${type}.bin`), bytes);
      const files = cases.map(([type]) => join(directory, `${type}.bin`));
      run('flatc', [
        '--json',
        '--strict-json',
        '--defaults-json',
        '-o',
        directory,
        SCHEMA,
        '--',
        ...files,
      ]);
      for (const [type, , body] of cases) {
        const shown = parseExact(readFileSync(join(directory, `${type}.json`), 'utf8'));
        assert.deepEqual(shown, { body_type: type, body });
      }
    });
  },
);

/** A book's life: a snapshot in parts, deltas with removals, a resync; every hash by our own code. */
class StoryTeller {
  readonly messages: Uint8Array[] = [];
  readonly expected: object[] = [];
  readonly hash = new BookHash();
  private readonly book: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  private readonly prng: Prng;
  private sequence = 0;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  private set(side: 0 | 1, price: number, size: number): void {
    this.hash.change(side, price, this.book[side].get(price) ?? 0, size);
    if (size === 0) this.book[side].delete(price);
    else this.book[side].set(price, size);
  }

  private head(flags: number): Float64Array {
    const head = sampleHead(this.prng);
    head[HeadField.Sequence] = ++this.sequence;
    head[HeadField.StreamId] = 24;
    head[HeadField.Flags] = flags;
    head[HeadField.HashLow] = this.hash.low;
    head[HeadField.HashHigh] = this.hash.high;
    return head;
  }

  private tell(
    type: string,
    head: Float64Array,
    levels: Float64Array,
    bids: number,
    asks: number,
  ): void {
    const snapshot = type === 'bookSnapshot';
    const name = new TextEncoder().encode(NAME);
    this.messages.push(
      encoded((w) =>
        snapshot
          ? encoder.writeBookSnapshot(w, 0, head, levels, 0, bids, asks, 0, 2, 3, name)
          : encoder.writeBookDelta(w, 0, head, levels, 0, bids, asks),
      ),
    );
    const more = snapshot
      ? { priceExponent: -2, sizeExponent: -3, depth: 0, instrument: NAME }
      : {};
    const { bids: bidPairs, asks: askPairs } = {
      bids: pairs(levels, 0, bids),
      asks: pairs(levels, bids, asks),
    };
    this.expected.push({ type, head: pythonHead(head), bids: bidPairs, asks: askPairs, ...more });
  }

  snapshot(levelsPerSide: number): void {
    for (const side of [0, 1] as const) {
      for (const price of this.book[side].keys()) this.set(side, price, 0);
      for (let i = 0; i < levelsPerSide; i++) this.set(side, this.price(side), this.size());
    }
    const [bids, asks] = this.book.map((levels) => [...levels].flat()) as [number[], number[]];
    const half = [2 * (bids.length >> 2), 2 * (asks.length >> 2)] as const;
    const parts = [
      [EventFlag.Snapshot, bids.slice(0, half[0]), asks.slice(0, half[1])],
      [EventFlag.Continued | EventFlag.Last, bids.slice(half[0]), asks.slice(half[1])],
    ] as const;
    for (const [flags, bidPart, askPart] of parts) {
      const levels = Float64Array.from([...bidPart, ...askPart]);
      this.tell('bookSnapshot', this.head(flags), levels, bidPart.length / 2, askPart.length / 2);
    }
  }

  delta(): void {
    const changes: [number[], number[]] = [[], []];
    for (let i = 1 + this.prng.nextInt(12); i > 0; i--) {
      const side = this.prng.chance(0.5) ? 0 : 1;
      const known = [...this.book[side].keys()];
      const remove = known.length > 0 && this.prng.chance(0.4);
      const price = remove ? known[this.prng.nextInt(known.length)]! : this.price(side);
      const size = remove ? 0 : this.size();
      this.set(side, price, size);
      changes[side].push(price, size);
    }
    const levels = Float64Array.from(changes.flat());
    this.tell(
      'bookDelta',
      this.head(EventFlag.Last),
      levels,
      changes[0].length / 2,
      changes[1].length / 2,
    );
  }

  /** Everything else once, so that each type is read. */
  others(): void {
    const head = this.head(EventFlag.Last);
    const headJson = pythonHead(head);
    this.messages.push(encoded((w) => encoder.writeBbo(w, 0, head, 1, 2, 3, 4, 5, 6, 2, 3)));
    this.expected.push({
      type: 'bbo',
      head: headJson,
      bid: [1, 2],
      ask: [3, 4],
      bidOrders: 5,
      askOrders: 6,
      priceExponent: -2,
      sizeExponent: -3,
    });
    const trades = sampleTrades(4);
    this.messages.push(encoded((w) => encoder.writeTrades(w, 0, head, trades, 0, 4, 2, 3)));
    const list = [0, 1, 2, 3].map((i) => [
      ...[0, 1, 2].map((field) => exact(trades[i * 5 + field]!)),
      unixNs(trades[i * 5 + 3]!),
      trades[i * 5 + 4],
    ]);
    const exponents = { priceExponent: -2, sizeExponent: -3 };
    this.expected.push({ type: 'trades', head: headJson, trades: list, ...exponents });
    const context = sampleContext();
    this.messages.push(
      encoded((w) => encoder.writeContext(w, 0, head, CONTEXT_PRESENT, context, 0, 8)),
    );
    const names = 'index mid previousDay impactBid impactAsk'.split(' ').map((n) => `${n}Price`);
    const absent = [...names, 'fundingRate', 'openInterest', 'dayVolume'].map((n) => [n, null]);
    const [whole, fraction, places] = context.subarray(30, 33);
    this.expected.push({
      type: 'context',
      head: headJson,
      ...(Object.fromEntries(absent) as object),
      markPrice: '999999999999999.999999999999999',
      premium: '-0.0006413454',
      dayNotional: formatExactDecimal(whole!, fraction!, places!),
      nextFundingNs: unixNs(8),
    });
    this.messages.push(encoded((w) => encoder.writeStatus(w, 0, head, 5, DEFINITION)));
    this.expected.push({
      type: 'status',
      head: headJson,
      sinceNs: unixNs(5),
      definition: {
        tickSize: exact(DEFINITION.tickSize),
        lotSize: 7,
        ...exponents,
        significantFigures: 5,
        trading: DEFINITION.trading,
      },
    });
    const positions = samplePositions(3);
    this.messages.push(encoded((w) => encoder.writeHeartbeat(w, 0, 6, positions, 3)));
    const streams = [0, 1, 2].map((i) => Array.from(positions.slice(i * 4, i * 4 + 4), exact));
    this.expected.push({ type: 'heartbeat', publishedNs: unixNs(6), streams });
  }

  /** Beyond 2^32 now and then, so that both words of a level count in the hash. */
  private price(side: number): number {
    const far = this.prng.chance(0.1) ? 2 ** 40 : 0;
    return far + 6_000_000 + side * 200_000 + this.prng.nextInt(200_000);
  }

  private size(): number {
    return 1 + this.prng.nextInt(1000) + (this.prng.chance(0.1) ? 2 ** 45 : 0);
  }
}

function pythonHead(head: Float64Array): object {
  const camel = (name: string): string =>
    name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const fields = Object.entries(headFields(head)).map(([name, value]) => [camel(name), value]);
  return {
    ...Object.fromEntries(fields),
    state: head[HeadField.State],
    reason: head[HeadField.Reason],
  };
}

test(
  'Python: generated code reads every message and rebuilds the book, hash equal',
  { skip: skipPython },
  () => {
    const story = new StoryTeller(31);
    story.snapshot(60);
    for (let i = 0; i < 150; i++) story.delta();
    story.others();
    story.snapshot(20);
    for (let i = 0; i < 50; i++) story.delta();
    const input = Buffer.concat(
      story.messages.flatMap((message) => {
        const prefix = Buffer.alloc(4);
        prefix.writeUInt32LE(message.length);
        return [prefix, message];
      }),
    );
    const lines = inDirectory((directory) => {
      run('flatc', ['--python', '-o', directory, SCHEMA]);
      const env = { ...process.env, PYTHONPATH: directory };
      return run(python!, [join(ROOT, 'schemas', 'read_messages.py')], { input, env });
    })
      .trim()
      .split('\n')
      .map(parseExact);
    const summary = lines.pop();
    assert.equal(lines.length, story.expected.length);
    lines.forEach((line, index) =>
      assert.deepEqual(line, story.expected[index], `message ${index}`),
    );
    const hash = (BigInt(story.hash.high >>> 0) << 32n) | BigInt(story.hash.low >>> 0);
    assert.deepEqual(summary, { hashesChecked: 202, hashesWrong: 0, hashes: { 24: exact(hash) } });
  },
);
