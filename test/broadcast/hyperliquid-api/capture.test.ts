/** The drop-in API on 25 real blocks of BTC: what clients rebuild, against the node's own lines. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MemoryClient } from '../../../src/broadcast/memory-server.js';
import { Prng } from '../../../src/domain/prng.js';
import { capturesDirectory } from '../../support/captures.js';
import { readBlocks } from '../../support/node-api-rig.js';
import { ApiRoom } from './api-room.js';

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;
const home = join(captures ?? '', 'hyperliquid');
const cut = join(home, 'derived', 'dual_985148182_985148206');
const snapshotPath = join(
  home,
  'packethog',
  'hl_dual_validator',
  'source',
  'snapshot_985148181.json.gz',
);

interface Order {
  user: string;
  side: string;
  limitPx: string;
  sz: string;
  oid: number;
}
interface Updates {
  time: number;
  height: number;
  order_statuses: { user: string; status: string; order: Record<string, unknown> }[];
  book_diffs: Diff[];
  seq: number;
  prevSeq: number;
  epoch: number;
}
interface Diff {
  user: string;
  oid: number;
  px: string;
  coin: string;
  raw_book_diff: 'remove' | { new?: { sz: string }; update?: { origSz: string; newSz: string } };
}
interface Message {
  channel: string;
  data: never;
}
interface RawEvents {
  block_number: number;
  events: Record<string, unknown>[];
}

/** A client of l4Book as one would write it for the original: price levels as lists of orders. */
class L4Client {
  readonly orders = new Map<number, { px: string; sz: string; side: string }>();
  height = -1;
  sequence = -1;
  readonly updates: Updates[] = [];
  responses = 0;

  constructor(
    readonly client: MemoryClient,
    /** The side of a new order is in no diff: as a client of the original has to, by the statuses. */
    private readonly sides: ReadonlyMap<number, string>,
  ) {
    client.send({ method: 'subscribe', subscription: { type: 'l4Book', coin: 'BTC' } });
  }

  read(): void {
    for (const frame of this.client.take()) {
      assert.ok(frame.kind === 'text');
      const message = JSON.parse(frame.text) as Message;
      if (message.channel === 'subscriptionResponse') {
        this.responses++;
        assert.equal(this.height, -1, 'the response comes before the snapshot');
        continue;
      }
      assert.equal(message.channel, 'l4Book', frame.text.slice(0, 200));
      const { Snapshot, Updates } = message.data as {
        Snapshot?: { height: number; seq: number; levels: [Order[], Order[]] };
        Updates?: Updates;
      };
      if (Snapshot !== undefined) {
        this.height = Snapshot.height;
        this.sequence = Snapshot.seq;
        for (const order of Snapshot.levels.flat())
          this.orders.set(order.oid, { px: order.limitPx, sz: order.sz, side: order.side });
      }
      if (Updates !== undefined) this.apply(Updates);
    }
  }

  private apply(update: Updates): void {
    assert.ok(update.height > this.height, 'blocks come in order, each once, after the snapshot');
    assert.equal(update.prevSeq, this.sequence);
    this.height = update.height;
    this.sequence = update.seq;
    this.updates.push(update);
    for (const { oid, px, raw_book_diff: diff } of update.book_diffs) {
      if (diff === 'remove') {
        assert.ok(this.orders.delete(oid), 'what is removed was there');
      } else if (diff.new !== undefined) {
        this.orders.set(oid, { px: short(px), sz: short(diff.new.sz), side: this.sides.get(oid)! });
      } else {
        const order = this.orders.get(oid)!;
        assert.equal(short(diff.update!.origSz), order.sz);
        order.sz = short(diff.update!.newSz);
      }
    }
  }
}

const short = (text: string): string => text.replace(/\.?0+$/, '');

test(
  'l4Book: snapshots and updates rebuild the book at every block, from any block on',
  { skip },
  async () => {
    const blocks = readBlocks(join(cut, 'hl', 'data'));
    const golden = readFileSync(join(cut, 'expected_tob.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(
        (line) =>
          JSON.parse(line) as {
            bid: [string, string, number];
            ask: [string, string, number];
            orders: number;
          },
      );
    const sides = new Map<number, string>();
    for (const block of blocks) {
      for (const event of (JSON.parse(block.raw_book_diffs) as RawEvents).events)
        sides.set(event['oid'] as number, event['side'] as string);
    }
    const room = await ApiRoom.open({ snapshotPath });
    const trades = room.connect();
    trades.send({ method: 'subscribe', subscription: { type: 'trades', coin: 'BTC' } });
    const prng = new Prng(7);
    const l4: L4Client[] = [new L4Client(room.connect(), sides)];
    const toldTrades: { tid: number; users: string[] }[] = [];
    room.settle();
    for (const [i, block] of blocks.entries()) {
      if (prng.nextInt(8) === 0 && l4.length < 4) l4.push(new L4Client(room.connect(), sides));
      room.rig.append(block);
      room.settle();
      for (const client of l4) {
        client.read();
        const { orders } = client;
        assert.equal(orders.size, golden[i]!.orders);
        for (const [side, best] of [
          ['B', golden[i]!.bid],
          ['A', golden[i]!.ask],
        ] as const) {
          const price = short(best[0]);
          let size = 0;
          let count = 0;
          for (const order of orders.values()) {
            if (order.px !== price || order.side !== side) continue;
            size += Math.round(Number(order.sz) * 1e5);
            count++;
          }
          assert.deepEqual([size, count], [Math.round(Number(best[1]) * 1e5), best[2]]);
        }
      }
      for (const frame of trades.take()) {
        assert.ok(frame.kind === 'text');
        const message = JSON.parse(frame.text) as Message;
        if (message.channel === 'trades') toldTrades.push(...(message.data as typeof toldTrades));
      }
    }
    assert.ok(l4.length > 1, 'some subscribe in the middle');
    assert.equal(toldTrades.length, 6);
    assert.equal(new Set(toldTrades.map(({ tid }) => tid)).size, 6);
    assert.deepEqual(toldTrades[0], {
      coin: 'BTC',
      side: 'B',
      px: '81308.0',
      sz: '0.00033',
      hash: `0x${'0'.repeat(64)}`,
      time: 1778002753024,
      tid: 316059956208702,
      users: [
        '0x1624a8af8b91cc781586b4d7a33b8e693dc11015',
        '0x5eaac7c475b1fad85701f02c4e9e796a53f94bd5',
      ],
    });
    checkTexts(l4[0]!, blocks);
  },
);

/** Every block's message has exactly the node's diffs and statuses, the 95 % of rejects included. */
function checkTexts(client: L4Client, blocks: ReturnType<typeof readBlocks>): void {
  let statuses = 0;
  for (const update of client.updates) {
    const block = blocks.find(
      ({ raw_book_diffs }) =>
        (JSON.parse(raw_book_diffs) as RawEvents).block_number === update.height,
    )!;
    const diffs = (JSON.parse(block.raw_book_diffs) as RawEvents).events.map((event) => {
      const { user, oid, px, coin, raw_book_diff } = event;
      return { user, oid, px, coin, raw_book_diff };
    });
    assert.deepEqual(update.book_diffs, diffs);
    const raw = (JSON.parse(block.order_statuses) as RawEvents).events.map((event) => {
      const { time, user, status } = event;
      const { children: _c, origSz: _o, ...order } = event['order'] as Record<string, unknown>;
      return { time, user, status, order: { user: null, ...order } };
    });
    assert.equal(JSON.stringify(update.order_statuses), JSON.stringify(raw));
    statuses += raw.length;
  }
  // One block has neither diffs nor statuses: nothing is told of it.
  assert.equal(client.updates.length, 24);
  assert.ok(statuses > 15_000);
}

const VARIANTS = [
  [null, null],
  [5, null],
  [5, 2],
  [5, 5],
  [4, null],
  [3, null],
  [2, null],
] as const;

interface L2 {
  levels: [{ px: string; sz: string; n: number }[], { px: string; sz: string; n: number }[]];
}

test(
  'l2Book: all seven variants equal the direct computation over all orders',
  { skip },
  async () => {
    const blocks = readBlocks(join(cut, 'hl', 'data'));
    const room = await ApiRoom.open({ snapshotPath });
    const readers = VARIANTS.map(([nSigFigs, mantissa]) => {
      const client = room.connect();
      client.send({
        method: 'subscribe',
        subscription: { type: 'l2Book', coin: 'BTC', nSigFigs, mantissa, nLevels: 100 },
      });
      return client;
    });
    for (const block of blocks) {
      room.rig.append(block);
      room.settle();
    }
    const l4 = room.connect();
    l4.send({ method: 'subscribe', subscription: { type: 'l4Book', coin: 'BTC' } });
    room.settle();
    const frames = l4.take().map((frame) => (frame.kind === 'text' ? frame.text : ''));
    const { Snapshot } = (JSON.parse(frames[1]!) as Message).data as {
      Snapshot: { levels: [Order[], Order[]] };
    };
    for (const [v, [figures, mantissa]] of VARIANTS.entries()) {
      const texts = readers[v]!.take().map((frame) => (frame.kind === 'text' ? frame.text : ''));
      assert.match(texts[0]!, /^\{"channel":"subscriptionResponse"/);
      // The book as it is at once, and one for each block but the one without changes.
      assert.equal(texts.length, 1 + blocks.length);
      const told = (JSON.parse(texts.at(-1)!) as Message).data as L2;
      for (const [side, orders] of Snapshot.levels.entries()) {
        const wanted = direct(side, orders, figures ?? 99, mantissa ?? 1).slice(0, 100);
        const got = told.levels[side]!.map(({ px, sz, n }) => [px, sz, n]);
        assert.deepEqual(got, wanted, `${figures}/${mantissa} side ${side}`);
      }
    }
  },
);

/** Straight from the rule, over decimal strings and big integers. */
function direct(side: number, orders: Order[], figures: number, mantissa: number): unknown[] {
  const units = (text: string): bigint => {
    const [whole, fraction = ''] = text.split('.');
    return BigInt(whole! + fraction.padEnd(8, '0'));
  };
  const text = (value: bigint): string => {
    const digits = String(value).padStart(9, '0');
    return short(`${digits.slice(0, -8)}.${digits.slice(-8)}`);
  };
  const buckets: { px: bigint; sz: bigint; n: number }[] = [];
  for (const { limitPx, sz } of orders) {
    const price = units(limitPx);
    const current = buckets.at(-1);
    if (current !== undefined && (side === 0 ? price >= current.px : price <= current.px)) {
      current.sz += units(sz);
      current.n++;
      continue;
    }
    const step = BigInt(mantissa) * 10n ** BigInt(Math.max(String(price).length - figures, 0));
    const down = price - (price % step);
    buckets.push({ px: side === 0 || down === price ? down : down + step, sz: units(sz), n: 1 });
  }
  return buckets.map(({ px, sz, n }) => [text(px), text(sz), n]);
}
