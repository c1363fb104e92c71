/**
 * The path of a Hyperliquid node's files: status lines past the pre-filter, order changes into the
 * order-by-order book, the snapshot of a market. Captured bytes where they are there; the book's own
 * mix is seeded.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BookLevels } from '../src/books/book-levels.js';
import { TouchedLevels } from '../src/books/touched-levels.js';
import { loadSnapshotOrder } from '../src/books/order-apply.js';
import { HashedLedger } from '../src/domain/hashed-ledger.js';
import { Prng } from '../src/domain/prng.js';
import { nodeInstrument } from '../src/venues/hyperliquid-node/coins.js';
import { NodeInstruments } from '../src/venues/hyperliquid-node/node-instruments.js';
import { SnapshotParser, SnapshotResult } from '../src/venues/hyperliquid-node/parse-snapshot.js';
import { StatusScanner } from '../src/venues/hyperliquid-node/parse-statuses.js';
import { capturesDirectory } from '../test/support/captures.js';
import { defineBench, measure, row } from './harness.js';
import type { BenchRow } from './harness.js';

const PART = 'Hyperliquid node files';
const BTC = new NodeInstruments([nodeInstrument('BTC', 0, 5)]);
const PRICES = 4_000;
const AT_END = -1;

interface StatusLine {
  readonly events: readonly {
    readonly status: string;
    readonly order: { readonly coin: string };
  }[];
}

async function statusRows(home: string): Promise<BenchRow[]> {
  const cut = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
  const file = join(cut, 'node_order_statuses_by_block', 'hourly', '20260505', '17');
  const text = readFileSync(file, 'latin1').split('\n').filter(Boolean);
  const lines = text.map((line) => Buffer.from(line, 'latin1'));
  const bytes = lines.reduce((sum, line) => sum + line.length, 0);
  const scanner = new StatusScanner(BTC);
  let height = 0;
  const rows = await measure({
    part: PART,
    case: 'status lines, by block (470 KB each)',
    unit: 'ns/KB',
    operations: bytes / 1e3,
    ours: () => {
      let learned = 0;
      for (const line of lines) {
        height++;
        learned += scanner.learn(line, height);
        scanner.forget(height);
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
    note: `${lines.length} lines, ${(bytes / 1e6).toFixed(1)} MB`,
  });
  return rows.map((r) => ({ ...r, note: `${(1e3 / r.ours).toFixed(2)} GB/s; ${r.note}` }));
}

/** One change of an order, the same for everybody. */
interface Changes {
  readonly kind: Uint8Array;
  readonly id: Float64Array;
  readonly side: Uint8Array;
  readonly price: Float64Array;
  readonly size: Float64Array;
}

/**
 * As many adds as removes and as changes, so that the book is after them what it was before: adds
 * beyond the resting ones, changes of resting ones and back, removes of what was added.
 */
function seededChanges(resting: Changes, operations: number): Changes {
  const prng = new Prng(11);
  const count = resting.id.length;
  const quarter = operations >> 2;
  const made = emptyChanges(quarter * 4);
  for (let i = 0; i < quarter; i++) {
    const id = 10_000_000 + i;
    const other = prng.nextInt(count);
    const price = prng.nextInt(PRICES);
    const size = 1 + prng.nextInt(1_000);
    put(made, i, 0, id, price < PRICES / 2 ? 0 : 1, price, size);
    put(
      made,
      quarter + i,
      1,
      resting.id[other]!,
      resting.side[other]!,
      resting.price[other]!,
      size,
    );
    const back = quarter * 2 + (quarter - 1 - i);
    const was = resting.size[other]!;
    put(made, back, 1, resting.id[other]!, resting.side[other]!, resting.price[other]!, was);
    put(made, quarter * 3 + i, 2, id, price < PRICES / 2 ? 0 : 1, price, 0);
  }
  return made;
}

function emptyChanges(count: number): Changes {
  return {
    kind: new Uint8Array(count),
    id: new Float64Array(count),
    side: new Uint8Array(count),
    price: new Float64Array(count),
    size: new Float64Array(count),
  };
}

function put(
  to: Changes,
  i: number,
  kind: number,
  id: number,
  side: number,
  price: number,
  size: number,
): void {
  to.kind[i] = kind;
  to.id[i] = id;
  to.side[i] = side;
  to.price[i] = price;
  to.size[i] = size;
}

function restingOrders(count: number): Changes {
  const prng = new Prng(5);
  const made = emptyChanges(count);
  for (let i = 0; i < count; i++) {
    const price = prng.nextInt(PRICES);
    put(made, i, 0, 1_000 + i, price < PRICES / 2 ? 0 : 1, price, 1 + prng.nextInt(1_000));
  }
  return made;
}

interface PlainOrder {
  readonly id: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

/** What one writes first: an object an order, a Map of them, and a Map of queues a side. */
class PlainBook {
  private readonly orders = new Map<number, PlainOrder>();
  private readonly levels = [
    new Map<number, { size: number; queue: PlainOrder[] }>(),
    new Map<number, { size: number; queue: PlainOrder[] }>(),
  ] as const;

  apply(changes: Changes): number {
    for (let i = 0; i < changes.id.length; i++) {
      const id = changes.id[i]!;
      const size = changes.size[i]!;
      const known = this.orders.get(id);
      const side = this.levels[changes.side[i]! as 0 | 1];
      const level = side.get(changes.price[i]!) ?? { size: 0, queue: [] };
      if (known === undefined) {
        const order = { id, side: changes.side[i]!, price: changes.price[i]!, size };
        this.orders.set(id, order);
        level.queue.push(order);
        level.size += size;
        side.set(order.price, level);
      } else if (changes.kind[i] === 1) {
        level.size += size - known.size;
        known.size = size;
      } else {
        level.size -= known.size;
        level.queue.splice(level.queue.indexOf(known), 1);
        this.orders.delete(id);
        if (level.queue.length === 0) side.delete(known.price);
      }
    }
    return this.orders.size;
  }
}

function applyAll(book: HashedLedger, touched: TouchedLevels, changes: Changes): number {
  const { kind, id, side, price, size } = changes;
  for (let i = 0; i < id.length; i++) {
    if (kind[i] === 0) book.add(id[i]!, side[i]!, price[i]!, size[i]!, AT_END);
    else if (kind[i] === 1) book.change(id[i]!, side[i]!, price[i]!, -1, size[i]!);
    else book.remove(id[i]!, side[i]!, price[i]!);
    // A block of the venue has some 25 changes of a market.
    if (i % 25 === 0) touched.forget();
  }
  return book.ledger.orderCount;
}

async function ledgerRows(count: number): Promise<BenchRow[]> {
  const resting = restingOrders(count);
  const operations = 40_000;
  const changes = seededChanges(resting, operations);
  const touched = new TouchedLevels(new BookLevels(0));
  const book = new HashedLedger(touched, count);
  applyAll(book, touched, resting);
  const plain = new PlainBook();
  plain.apply(resting);
  const rows = await measure({
    part: PART,
    case: `${count / 1e3}k orders: add, change, remove`,
    unit: 'ns/change',
    operations,
    ours: () => applyAll(book, touched, changes),
    rivals: [{ name: 'Map of objects', run: () => plain.apply(changes) }],
  });
  const what = 'ours also keeps the sorted levels and both hashes';
  return rows.map((r) => ({ ...r, note: `${(1e3 / r.ours).toFixed(1)} M/s; ${what}` }));
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
      onCoinEnd() {},
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
  mix: '25 captured blocks of BTC; seeded orders over 4,000 prices; the captured snapshot',
  async run() {
    const captures = capturesDirectory();
    const home = captures === null ? null : join(captures, 'hyperliquid');
    return [
      ...(home === null ? [] : await statusRows(home)),
      ...(await ledgerRows(10_000)),
      ...(await ledgerRows(100_000)),
      ...(home === null ? [] : await snapshotRows(home)),
    ];
  },
});
