/**
 * The path of a Hyperliquid node's files: status lines past the pre-filter, diff lines to order events, the
 * snapshot of a market to a book. Captured bytes only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BookLevels } from '../src/books/book-levels.js';
import { loadSnapshotOrder } from '../src/books/order-apply.js';
import { HashedLedger } from '../src/domain/hashed-ledger.js';
import {
  ORDER_EVENT_DOUBLES,
  ORDER_ID,
  ORDER_OWNER,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  SEQUENCE_LAST,
} from '../src/rings/record-types.js';
import { Timeline } from '../src/time/timeline.js';
import { nodeInstrument } from '../src/venues/hyperliquid-node/coins.js';
import { Envelope } from '../src/venues/hyperliquid-node/envelope.js';
import { NodeInstruments } from '../src/venues/hyperliquid-node/node-instruments.js';
import { DiffParser } from '../src/venues/hyperliquid-node/parse-diffs.js';
import { SnapshotParser, SnapshotResult } from '../src/venues/hyperliquid-node/parse-snapshot.js';
import { StatusScanner } from '../src/venues/hyperliquid-node/parse-statuses.js';
import { LineMemory } from '../src/venues/scan/line-memory.js';
import { capturesDirectory } from '../test/support/captures.js';
import { defineBench, measure, row } from './harness.js';
import type { BenchRow } from './harness.js';
import type { NodeDiff } from './node-blocks.js';

const PART = 'Hyperliquid node files';
const NEWLINE = 0x0a;
const BTC = new NodeInstruments([nodeInstrument('BTC', 0, 5)]);

interface StatusLine {
  readonly events: readonly {
    readonly status: string;
    readonly order: { readonly coin: string };
  }[];
}

interface DiffLine {
  readonly block_number: number;
  readonly events: readonly NodeDiff[];
}

/** What a program writes first: JSON.parse, Number of each text, the owner's words, one record. */
function plainDiffs(text: readonly string[]): () => number {
  const record = new Float64Array(ORDER_EVENT_DOUBLES);
  return () => {
    let sum = 0;
    for (const line of text) {
      const { block_number: height, events } = JSON.parse(line) as DiffLine;
      for (const { user, oid, coin, side, px, raw_book_diff: diff } of events) {
        if (coin !== 'BTC') continue;
        record[SEQUENCE_LAST] = height;
        for (let i = 0; i < 5; i++) {
          record[ORDER_OWNER + i] = Number.parseInt(user.slice(2 + 8 * i, 10 + 8 * i), 16);
        }
        record[ORDER_ID] = oid;
        record[ORDER_SIDE] = side === 'B' ? 0 : 1;
        record[ORDER_PRICE] = Math.round(Number(px) * 10);
        const size = diff === 'remove' ? '0' : 'new' in diff ? diff.new.sz : diff.update.newSz;
        record[ORDER_SIZE] = Math.round(Number(size) * 1e5);
        sum +=
          record[ORDER_ID]! + record[ORDER_PRICE]! + record[ORDER_SIZE]! + record[ORDER_OWNER]!;
      }
    }
    return sum;
  };
}

/** Bytes where the node reads its files to; without WebAssembly where they are. */
function placed(bytes: Buffer): { memory: LineMemory | null; lines: Buffer; end: number } {
  const memory = LineMemory.create();
  let isWide = memory !== null;
  while (isWide && memory!.lines.length < bytes.length) isWide = memory!.widen();
  if (memory === null || !isWide) return { memory: null, lines: bytes, end: bytes.length };
  memory.lines.set(bytes);
  return { memory, lines: memory.lines, end: bytes.length };
}

async function diffRows(home: string, form: 'by_block' | 'streaming'): Promise<BenchRow[]> {
  const cut = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
  const file = join(cut, `node_raw_book_diffs_${form}`, 'hourly', '20260505', '17');
  const bytes = readFileSync(file);
  const text = bytes.toString('latin1').split('\n').filter(Boolean);
  const events = text.reduce((sum, line) => sum + (JSON.parse(line) as DiffLine).events.length, 0);
  const timeline = new Timeline(1_778_000_000_000_000_000n);
  const { memory, lines, end: bytesEnd } = placed(bytes);
  const envelope = new Envelope(memory);
  const parser = new DiffParser(BTC, memory);
  let sum = 0;
  const taker = {
    onOrderEvent: (event: Float64Array): void => {
      sum += event[ORDER_ID]! + event[ORDER_PRICE]! + event[ORDER_SIZE]! + event[ORDER_OWNER]!;
    },
  };
  return measure({
    part: PART,
    case: `diff lines, ${form.replace('_', ' ')}`,
    unit: 'ns/event',
    operations: events,
    ours: () => {
      sum = 0;
      for (let start = 0; start < bytesEnd;) {
        const end = lines.indexOf(NEWLINE, start);
        if (!envelope.read(lines, start, end, timeline)) return NaN;
        if (parser.parse(lines, envelope, end, 0, taker) < 0) return NaN;
        start = end + 1;
      }
      return sum;
    },
    rivals: [{ name: 'JSON.parse + Number', run: plainDiffs(text) }],
    note: `${text.length} lines, ${events} events; the rival's lines are text already`,
  });
}

async function statusRows(home: string): Promise<BenchRow[]> {
  const cut = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
  const file = join(cut, 'node_order_statuses_by_block', 'hourly', '20260505', '17');
  const all = readFileSync(file);
  const text = all.toString('latin1').split('\n').filter(Boolean);
  const { memory, lines, end: linesEnd } = placed(all);
  const scanner = new StatusScanner(BTC, undefined, memory);
  let height = 0;
  const rows = await measure({
    part: PART,
    case: 'status lines, by block (470 KB each)',
    unit: 'ns/KB',
    operations: all.length / 1e3,
    ours: () => {
      let learned = 0;
      for (let start = 0; start < linesEnd;) {
        const end = lines.indexOf(NEWLINE, start);
        height++;
        learned += scanner.learn(lines, start, end, height);
        scanner.forget(height);
        start = end + 1;
      }
      return learned;
    },
    rivals: [
      {
        name: 'JSON.parse',
        run: () => {
          let found = 0;
          for (const line of text) {
            for (const { status, order } of (JSON.parse(line) as StatusLine).events) {
              if (order.coin === 'BTC' && (status === 'open' || status === 'triggered')) found++;
            }
          }
          return found;
        },
      },
    ],
    note: `${text.length} lines, ${(all.length / 1e6).toFixed(1)} MB`,
  });
  return rows.map((r) => ({ ...r, note: `${(1e3 / r.ours).toFixed(2)} GB/s; ${r.note}` }));
}

async function snapshotRows(home: string): Promise<BenchRow[]> {
  const source = join(home, 'packethog', 'hl_dual_validator', 'source');
  const bytes = gunzipSync(readFileSync(join(source, 'snapshot_985148181.json.gz')));
  let memoryBytes = 0;
  const load = (): number => {
    const levels = new BookLevels(0);
    const book = new HashedLedger(levels, 1024);
    const parser = new SnapshotParser(BTC, {
      onHeight() {},
      onCoin() {},
      onOrder: (order) => loadSnapshotOrder(book, order, 0),
      onCoinEnd: () => book.settle(),
    });
    for (let at = 0; parser.step(Infinity) === SnapshotResult.NeedMore; at += 1 << 20)
      parser.feed(bytes.subarray(at, at + (1 << 20)));
    memoryBytes = book.ledger.memoryBytes + levels.ladder.memoryBytes;
    return book.ledger.orderCount;
  };
  const rows = await measure({
    part: PART,
    case: 'snapshot of BTC: 51,351 orders to a book',
    unit: 'ns/order',
    operations: 51_351,
    ours: load,
    rivals: [
      {
        name: 'JSON.parse alone',
        run: () => {
          const parsed = JSON.parse(bytes.toString('latin1')) as [number, [string, unknown[][]][]];
          return parsed[1][0]![1].reduce((sum, side) => sum + side.length, 0);
        },
        ownAnswer: true,
      },
    ],
    rounds: 3,
    roundMs: 400,
  });
  const loadMs = (rows[0]!.ours * 51_351) / 1e6;
  return [
    ...rows.map((r) => ({
      ...r,
      note: `${loadMs.toFixed(0)} ms; ${bytes.length / 1e6} MB of text`,
    })),
    row({ part: PART, case: 'memory of that book', ours: memoryBytes / 1e6, unit: 'MB' }),
  ];
}

export default defineBench({
  part: PART,
  mix: '25 captured blocks of BTC; the captured snapshot',
  async run() {
    const captures = capturesDirectory();
    const home = captures === null ? null : join(captures, 'hyperliquid');
    if (home === null) return [];
    return [
      ...(await diffRows(home, 'by_block')),
      ...(await diffRows(home, 'streaming')),
      ...(await statusRows(home)),
      ...(await snapshotRows(home)),
    ];
  },
});
