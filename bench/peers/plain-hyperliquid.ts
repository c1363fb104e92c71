/**
 * The rival of bench node-latency: the server beside a Hyperliquid node that a good Node developer
 * writes first. fs.watch, readline and JSON.parse of every line, Maps for orders and levels, JSON out
 * over `ws` in the shapes of order_book_server; one block at a time once its diffs and statuses are
 * there. One thread, no tricks. A program of its own:
 *
 *     node plain-hyperliquid.js DIRECTORY SNAPSHOT      prints {"port":N} when the snapshot is loaded
 */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

const [directory, snapshotPath] = process.argv.slice(2) as [string, string];
const LEVELS = 20;

interface Order {
  readonly side: 'A' | 'B';
  readonly px: number;
  sz: number;
}
interface Level {
  /** In units of 10⁻⁸, so that sums are exact. */
  sz: number;
  n: number;
}
interface Diff {
  readonly user: string;
  readonly oid: number;
  readonly coin: string;
  readonly side: 'A' | 'B';
  readonly px: string;
  readonly raw_book_diff:
    | 'remove'
    | { readonly new?: { readonly sz: string }; readonly update?: { readonly newSz: string } };
}
interface Status {
  readonly time: string;
  readonly user: string;
  readonly status: string;
  readonly order: Record<string, unknown>;
}
interface Fill {
  readonly coin: string;
  readonly px: string;
  readonly sz: string;
  readonly side: 'A' | 'B';
  readonly time: number;
  readonly hash: string;
  readonly crossed: boolean;
  readonly tid: number;
}
interface Line<Event> {
  readonly block_time: string;
  readonly block_number: number;
  readonly events: Event[];
}

const orders = new Map<number, Order>();
const levels = { A: new Map<number, Level>(), B: new Map<number, Level>() };
const clients = new Map<string, Set<WebSocket>>();
const diffLines = new Map<number, Line<Diff>>();
const statusLines = new Map<number, Line<Status>>();
let height = 0;

function add(oid: number, side: 'A' | 'B', px: number, sz: number): void {
  orders.set(oid, { side, px, sz });
  const level = levels[side].get(px) ?? { sz: 0, n: 0 };
  level.sz += Math.round(sz * 1e8);
  level.n++;
  levels[side].set(px, level);
}

function remove(oid: number): void {
  const { side, px, sz } = orders.get(oid)!;
  const level = levels[side].get(px)!;
  orders.delete(oid);
  level.sz -= Math.round(sz * 1e8);
  level.n--;
  if (level.n === 0) levels[side].delete(px);
}

function apply({ oid, side, px, raw_book_diff: diff }: Diff): void {
  if (diff === 'remove') remove(oid);
  else if (diff.new !== undefined) add(oid, side, Number(px), Number(diff.new.sz));
  else {
    const order = orders.get(oid)!;
    const sz = Number(diff.update!.newSz);
    levels[order.side].get(order.px)!.sz += Math.round(sz * 1e8) - Math.round(order.sz * 1e8);
    order.sz = sz;
  }
}

function best(side: 'A' | 'B'): unknown[] {
  const prices = [...levels[side].keys()].sort((a, b) => (side === 'B' ? b - a : a - b));
  return prices.slice(0, LEVELS).map((px) => {
    const { sz, n } = levels[side].get(px)!;
    return { px: String(px), sz: String(sz / 1e8), n };
  });
}

function publish(channel: string, data: () => unknown): void {
  const readers = clients.get(channel);
  if (readers === undefined || readers.size === 0) return;
  const text = JSON.stringify({ channel, data: data() });
  for (const client of readers) client.send(text);
}

const millisecondsOf = (time: string): number => Date.parse(`${time.slice(0, 23)}Z`);

function tryBlocks(): void {
  for (;;) {
    const diffs = diffLines.get(height + 1);
    const statuses = statusLines.get(height + 1);
    if (diffs === undefined || statuses === undefined) return;
    height++;
    diffLines.delete(height);
    statusLines.delete(height);
    const ours = diffs.events.filter(({ coin }) => coin === 'BTC');
    for (const diff of ours) apply(diff);
    const time = millisecondsOf(diffs.block_time);
    if (ours.length > 0) {
      publish('l2Book', () => ({ coin: 'BTC', time, levels: [best('B'), best('A')] }));
    }
    publish('l4Book', () => ({
      Updates: {
        time,
        height,
        order_statuses: statuses.events
          .filter(({ order }) => order['coin'] === 'BTC')
          .map(({ time: at, user, status, order: { children: _c, origSz: _o, ...order } }) => ({
            time: at,
            user,
            status,
            order: { user: null, ...order },
          })),
        book_diffs: ours.map(({ side: _side, ...diff }) => diff),
      },
    }));
  }
}

function onFills(line: Line<[string, Fill]>): void {
  const trades: unknown[] = [];
  for (let i = 0; i + 1 < line.events.length; i += 2) {
    const [first, second] = [line.events[i]!, line.events[i + 1]!];
    const [buyer, seller] = first[1].side === 'B' ? [first, second] : [second, first];
    const { coin, px, sz, hash, time, tid, crossed } = seller[1];
    if (coin !== 'BTC') continue;
    const side = crossed ? 'A' : 'B';
    trades.push({ coin, side, px, sz, hash, time, tid, users: [buyer[0], seller[0]] });
  }
  if (trades.length > 0) publish('trades', () => trades);
}

/** Every line of a source's newest file, as it grows. */
function follow<Event>(source: string, onLine: (line: Line<Event>) => void): void {
  const root = join(directory, 'hl', 'data', `node_${source}_by_block`, 'hourly');
  const whole = new PassThrough();
  createInterface({ input: whole }).on('line', (text) => onLine(JSON.parse(text) as Line<Event>));
  const day = readdirSync(root).sort().at(-1)!;
  const hour = readdirSync(join(root, day))
    .sort((a, b) => Number(a) - Number(b))
    .at(-1)!;
  const file = openSync(join(root, day, hour), 'r');
  let position = 0;
  const readOn = (): void => {
    for (;;) {
      const buffer = Buffer.alloc(1 << 16);
      const read = readSync(file, buffer, 0, buffer.length, position);
      if (read === 0) return;
      position += read;
      whole.write(buffer.subarray(0, read));
    }
  };
  watch(join(root, day, hour), readOn);
  readOn();
  process.on('exit', () => closeSync(file));
}

type SnapshotOrder = [string, { oid: number; limitPx: string; sz: string; isTrigger: boolean }];
const [snapshotHeight, coins] = JSON.parse(readFileSync(snapshotPath, 'utf8')) as [
  number,
  [string, [SnapshotOrder[], SnapshotOrder[]]][],
];
height = snapshotHeight;
for (const [coin, sides] of coins) {
  if (coin !== 'BTC') continue;
  sides.forEach((side, index) => {
    for (const [, { oid, limitPx, sz, isTrigger }] of side) {
      // What waits for its trigger does not rest.
      if (!isTrigger) add(oid, index === 0 ? 'B' : 'A', Number(limitPx), Number(sz));
    }
  });
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (client) => {
  client.on('message', (text: Buffer) => {
    const { subscription } = JSON.parse(text.toString()) as { subscription: { type: string } };
    const readers = clients.get(subscription.type) ?? new Set();
    clients.set(subscription.type, readers.add(client));
    const data = { method: 'subscribe', subscription };
    client.send(JSON.stringify({ channel: 'subscriptionResponse', data }));
  });
  client.on('close', () => {
    for (const readers of clients.values()) readers.delete(client);
  });
});
server.on('listening', () => {
  if (!existsSync(directory)) throw new Error(`${directory} is not there`);
  follow<Diff>('raw_book_diffs', (line) => {
    if (line.block_number > height) diffLines.set(line.block_number, line);
    tryBlocks();
  });
  follow<Status>('order_statuses', (line) => {
    if (line.block_number > height) statusLines.set(line.block_number, line);
    tryBlocks();
  });
  follow<[string, Fill]>('fills', onFills);
  console.log(JSON.stringify({ port: (server.address() as { port: number }).port }));
});
