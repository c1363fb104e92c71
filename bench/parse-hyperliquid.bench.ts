/**
 * Frames of Hyperliquid's public channels, bytes → ring records (EventSink calls), against what a Node
 * program does first: latin1 text, JSON.parse, Number of each text. Both write the same doubles; the
 * answer is their sum. Of a trade's parties and hash the plain program keeps the text, which is kind to it;
 * a second one makes the same words of them that our record has.
 */
import { formatShortDecimal } from '../src/domain/decimal.js';
import type { Instrument } from '../src/domain/instrument.js';
import { Prng } from '../src/domain/prng.js';
import { copyDoubles } from '../src/rings/copy-doubles.js';
import { BEST_ORDERS_DOUBLES, EXCHANGE_NS, LEVELS } from '../src/rings/record-types.js';
import { RecordType, TRADE_ID, TRADE_PRICE, TRADE_SIZE } from '../src/rings/record-types.js';
import { TRADE_BUYER, TRADE_HASH, TRADE_SELLER } from '../src/rings/record-types.js';
import { TICKER_ASK_SIZE, TICKER_BID_PRICE } from '../src/rings/record-types.js';
import { Timeline } from '../src/time/timeline.js';
import { nodeInstrument } from '../src/venues/hyperliquid-node/coins.js';
import { HyperliquidParser } from '../src/venues/hyperliquid/parse.js';
import { ParseResult } from '../src/venues/venue.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { findSimdjson } from './simdjson.js';
import type { ParseJson } from './simdjson.js';

const PART = 'Parse a Hyperliquid frame';
const FRAMES = 200;
const ORIGIN_MS = 1_790_232_000_000;
const TIMELINE = new Timeline(BigInt(ORIGIN_MS) * 1_000_000n);
const instrument: Instrument = nodeInstrument('BTC', 0, 5);
const RECORD_DOUBLES = 1 << 12;
const simdjson = findSimdjson();

interface Level {
  readonly px: string;
  readonly sz: string;
  readonly n: number;
}
interface Trade {
  readonly coin: string;
  readonly side: string;
  readonly px: string;
  readonly sz: string;
  readonly time: number;
  readonly hash: string;
  readonly tid: number;
  readonly users: readonly [string, string];
}

function level(prng: Prng, price: number): Level {
  const size = 1 + prng.nextInt(prng.chance(0.2) ? 3_000_000 : 200_000);
  return {
    px: formatShortDecimal(price, 1),
    sz: formatShortDecimal(size, 5),
    n: 1 + prng.nextInt(40),
  };
}

function side(prng: Prng, sign: number, levels: number): Level[] {
  return Array.from({ length: levels }, (_, rank) =>
    level(prng, 841_430 + sign * 10 * (1 + rank * 2)),
  );
}

function frames(make: (i: number) => object): Buffer[] {
  return Array.from({ length: FRAMES }, (_, i) => Buffer.from(JSON.stringify(make(i))));
}

function books(prng: Prng, levels: number): Buffer[] {
  return frames((i) => {
    const sides = [side(prng, -1, levels), side(prng, 1, levels)];
    return { channel: 'l2Book', data: { coin: 'BTC', time: ORIGIN_MS + i, levels: sides } };
  });
}

/** The names of a frame in alphabetical order, as the venue wrote them in 2025. */
function alphabetical(frame: Buffer): Buffer {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    const names = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(names.map(([name, member]) => [name, sorted(member)]));
  };
  return Buffer.from(JSON.stringify(sorted(JSON.parse(frame.toString('latin1')))));
}

function tickers(prng: Prng): Buffer[] {
  return frames((i) => {
    const bbo = [level(prng, 841_430), level(prng, 841_440)];
    return { channel: 'bbo', data: { coin: 'BTC', time: ORIGIN_MS + i, bbo } };
  });
}

function hex(prng: Prng, words: number): string {
  const word = (): string => prng.nextUint32().toString(16).padStart(8, '0');
  return `0x${Array.from({ length: words }, word).join('')}`;
}

function tradeFrames(prng: Prng, count: number): Buffer[] {
  return frames((i) => ({
    channel: 'trades',
    data: Array.from({ length: count }, (): Trade => {
      const { px, sz } = level(prng, 841_430 + 10 * prng.nextInt(5));
      return {
        coin: 'BTC',
        side: prng.chance(0.5) ? 'A' : 'B',
        px,
        sz,
        time: ORIGIN_MS + i,
        hash: hex(prng, 8),
        tid: 1_045_359_869_404_765 + prng.nextInt(1e6),
        users: [hex(prng, 5), hex(prng, 5)],
      };
    }),
  }));
}

/** Of a book: its first price, its last size, the orders at both best prices, which stand behind. */
function bookSum(record: Float64Array, levelsEnd: number): number {
  return (
    record[LEVELS]! + record[levelsEnd - 1]! + 64 * record[levelsEnd]! + record[levelsEnd + 1]!
  );
}

/** Takes events as a ring does: copies them. */
class Taker {
  readonly record = new Float64Array(RECORD_DOUBLES);
  sum = 0;

  accept(recordType: number, event: Float64Array, doubles: number): boolean {
    const { record } = this;
    copyDoubles(event, doubles, record, 0);
    this.sum += record[EXCHANGE_NS]!;
    if (recordType === RecordType.DepthSnapshot) {
      this.sum += bookSum(record, doubles - BEST_ORDERS_DOUBLES);
    } else if (recordType === RecordType.BookTicker) {
      this.sum += record[TICKER_BID_PRICE]! + record[TICKER_ASK_SIZE]!;
    } else this.sum += record[TRADE_PRICE]! + record[TRADE_SIZE]! + (record[TRADE_ID]! % 65_536);
    return true;
  }
}

function ours(all: readonly Buffer[]): () => number {
  const taker = new Taker();
  const parser = new HyperliquidParser([instrument], TIMELINE, taker);
  return () => {
    taker.sum = 0;
    for (let i = 0; i < all.length; i++) {
      const frame = all[i]!;
      if (parser.parse(frame, 0, frame.length, 5) !== ParseResult.Events) return NaN;
    }
    return parser.slowPathCount === 0 ? taker.sum : NaN;
  };
}

const record = new Float64Array(RECORD_DOUBLES);

function writeLevel(levels: readonly Level[], at: number): number {
  for (const { px, sz } of levels) {
    record[at++] = Math.round(Number(px) * 10);
    record[at++] = Math.round(Number(sz) * 1e5);
  }
  return at;
}

type PlainFrame =
  | { channel: 'l2Book'; data: { coin: string; time: number; levels: [Level[], Level[]] } }
  | { channel: 'bbo'; data: { coin: string; time: number; bbo: [Level, Level] } }
  | { channel: 'trades'; data: Trade[] };

/** As our record has them: words of 32 bits. */
function writeHex(hex: string, at: number): void {
  for (let i = 2; i < hex.length; i += 8) record[at++] = Number.parseInt(hex.slice(i, i + 8), 16);
}

function plainFrame(frame: Buffer, withParties: boolean, parseJson: ParseJson): number {
  const message = parseJson(frame.toString('latin1')) as PlainFrame;
  if (message.channel === 'trades') {
    let sum = 0;
    for (const { px, sz, time, tid, side: letter, hash, users } of message.data) {
      record[EXCHANGE_NS] = (time - ORIGIN_MS) * 1e6;
      record[TRADE_PRICE] = Math.round(Number(px) * 10);
      record[TRADE_SIZE] = Math.round(Number(sz) * 1e5);
      record[TRADE_ID] = tid;
      record[0] = letter === 'B' ? 1 : 2;
      if (withParties) {
        writeHex(users[0], TRADE_BUYER);
        writeHex(users[1], TRADE_SELLER);
        writeHex(hash, TRADE_HASH);
      }
      sum += record[EXCHANGE_NS]! + record[TRADE_PRICE]! + record[TRADE_SIZE]! + (tid % 65_536);
    }
    return sum;
  }
  record[EXCHANGE_NS] = (message.data.time - ORIGIN_MS) * 1e6;
  if (message.channel === 'bbo') {
    const [bid, ask] = message.data.bbo;
    const end = writeLevel([ask], writeLevel([bid], LEVELS));
    return record[EXCHANGE_NS]! + record[LEVELS]! + record[end - 1]!;
  }
  const [bids, asks] = message.data.levels;
  const end = writeLevel(asks, writeLevel(bids, LEVELS));
  record[end] = bids[0]!.n;
  record[end + 1] = asks[0]!.n;
  return record[EXCHANGE_NS]! + bookSum(record, end);
}

function plain(
  all: readonly Buffer[],
  withParties = false,
  parseJson: ParseJson = JSON.parse,
): () => number {
  return () => {
    let sum = 0;
    for (const frame of all) sum += plainFrame(frame, withParties, parseJson);
    return sum;
  };
}

function parseOnly(all: readonly Buffer[]): () => number {
  return () => {
    let sum = 0;
    for (const frame of all) {
      sum += (JSON.parse(frame.toString('latin1')) as PlainFrame).channel.length;
    }
    return sum;
  };
}

function rowsOf(name: string, unit: string, perFrame: number, all: Buffer[]): Promise<BenchRow[]> {
  const bytes = all.reduce((sum, frame) => sum + frame.length, 0);
  return measure({
    part: PART,
    case: name,
    unit,
    operations: all.length * perFrame,
    ours: ours(all),
    rivals: [
      { name: 'JSON.parse + Number', run: plain(all) },
      ...(name.startsWith('trades')
        ? [{ name: 'JSON.parse + Number, hex too', run: plain(all, true) }]
        : []),
      ...(simdjson === null
        ? []
        : [{ name: 'simdjson + Number', run: plain(all, false, simdjson) }]),
      { name: 'JSON.parse alone', run: parseOnly(all), ownAnswer: true },
    ],
    note: `${Math.round(bytes / all.length)} bytes a frame`,
  });
}

export default defineBench({
  part: PART,
  mix: 'BTC as in 2026: prices of 6 digits, sizes of 1 to 7, parties with every trade',
  async run() {
    const prng = new Prng(1);
    return [
      ...(await rowsOf('l2Book, 20 levels a side', 'ns/level', 40, books(prng, 20))),
      ...(await rowsOf('l2Book, 5 levels a side', 'ns/level', 10, books(prng, 5))),
      ...(await rowsOf(
        'l2Book, 20 a side, of 2025',
        'ns/level',
        40,
        books(prng, 20).map(alphabetical),
      )),
      ...(await rowsOf('bbo', 'ns/frame', 1, tickers(prng))),
      ...(await rowsOf('trades, 1 a frame', 'ns/trade', 1, tradeFrames(prng, 1))),
      ...(await rowsOf('trades, 20 a frame', 'ns/trade', 20, tradeFrames(prng, 20))),
    ];
  },
});
