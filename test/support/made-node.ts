/**
 * A Hyperliquid node made up: a market of orders that changes block by block, written as the files
 * of a node in either layout, with snapshots on request and what the market truly was at each height.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Prng } from '../../src/domain/prng.js';
import type { SnapshotBytes } from '../../src/ingest/node-files-options.js';
import { nodeOrder, nodeStatus } from './node-order.js';

export interface MadeOrder {
  readonly oid: number;
  readonly side: 'B' | 'A';
  readonly price: number;
  size: number;
  readonly user: string;
}

const SIZE_UNIT = 1e5;
const sizeText = (size: number): string => (size / SIZE_UNIT).toFixed(5);
const userOf = (n: number): string => `0x${n.toString(16).padStart(40, '0')}`;

/** The text of one order as the truth is compared: side, price and size in whole units, id, owner. */
export function lineOf(side: string, price: number, size: number, oid: number, user: string) {
  return `${side} ${price} ${size} ${oid} ${user}`;
}

export class MadeNode {
  readonly coins: readonly string[];
  height: number;
  hour = 17;
  /** By coin: all orders, those of one price in queue order. */
  readonly orders = new Map<string, MadeOrder[]>();
  /** By height and coin: the book as text. */
  readonly truth = new Map<number, Map<string, string>>();
  private readonly root: string;
  private readonly layout: 'by-block' | 'streaming';
  private readonly prng: Prng;
  private nextOid = 1_000;
  /** Between a block's time and its writing. */
  lagMs = 400;

  constructor(root: string, layout: 'by-block' | 'streaming', coins: readonly string[], seed = 7) {
    this.root = root;
    this.layout = layout;
    this.coins = coins;
    this.prng = new Prng(seed);
    this.height = 1_000;
    for (const coin of coins) {
      this.orders.set(coin, []);
      for (let i = 0; i < 20; i++) this.place(coin);
    }
    this.note();
  }

  fileOf(source: 'diffs' | 'statuses' | 'fills'): string {
    const names = {
      diffs: 'node_raw_book_diffs',
      statuses: 'node_order_statuses',
      fills: 'node_fills',
    };
    const folder = `${names[source]}_${this.layout.replace('-', '_')}`;
    return join(this.root, folder, 'hourly', '20260505', String(this.hour));
  }

  /** Makes one block and returns the lines of its sources, not yet written. */
  makeBlock(): { diffs: string; statuses: string; fills: string } {
    this.height++;
    const diffs: object[] = [];
    const statuses: object[] = [];
    for (const coin of this.coins) {
      const changes = 1 + this.prng.nextInt(4);
      for (let i = 0; i < changes; i++) this.change(coin, diffs, statuses);
    }
    this.note();
    return {
      diffs: this.linesOf(diffs),
      statuses: this.linesOf(statuses),
      fills: this.linesOf([]),
    };
  }

  write(source: 'diffs' | 'statuses' | 'fills', text: string): void {
    const file = this.fileOf(source);
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, text);
  }

  writeBlock(): void {
    const { diffs, statuses, fills } = this.makeBlock();
    this.write('statuses', statuses);
    this.write('diffs', diffs);
    this.write('fills', fills);
  }

  /** The whole market now, as a snapshot's text; `spoil` may change the copy. */
  snapshotText(
    spoil: (orders: Map<string, MadeOrder[]>) => void = () => {},
    height = this.height,
  ): string {
    const copy = new Map(
      [...this.orders].map(([coin, list]) => [coin, list.map((o) => ({ ...o }))]),
    );
    spoil(copy);
    const coins = [...copy].map(([coin, list]) => [
      coin,
      [sorted(list, 'B'), sorted(list, 'A')].map((side) =>
        side.map((o) => [o.user, this.orderJson(coin, o)]),
      ),
    ]);
    return JSON.stringify([height, coins]);
  }

  private note(): void {
    const at = new Map<string, string>();
    for (const [coin, list] of this.orders) {
      const lines = [...sorted(list, 'B'), ...sorted(list, 'A')];
      at.set(coin, lines.map((o) => lineOf(o.side, o.price, o.size, o.oid, o.user)).join('\n'));
    }
    this.truth.set(this.height, at);
  }

  private place(coin: string, before?: MadeOrder): MadeOrder {
    const side = before?.side ?? (this.prng.nextInt(2) === 0 ? 'B' : 'A');
    const step = this.prng.nextInt(6);
    const price = before?.price ?? (side === 'B' ? 99 - step : 101 + step);
    const size = 1 + this.prng.nextInt(1_000);
    const order = {
      oid: this.nextOid++,
      side,
      price,
      size,
      user: userOf(this.prng.nextInt(99)),
    } as const;
    const list = this.orders.get(coin)!;
    if (before === undefined) list.push({ ...order });
    else list.splice(list.indexOf(before), 0, { ...order });
    return order;
  }

  private change(coin: string, diffs: object[], statuses: object[]): void {
    const list = this.orders.get(coin)!;
    const kind = this.prng.nextInt(10);
    const any = list[this.prng.nextInt(list.length)];
    const push = (o: MadeOrder, diff: unknown): void => {
      const { oid, side, user } = o;
      diffs.push({ user, oid, coin, side, px: `${o.price}.0`, raw_book_diff: diff });
    };
    if (any === undefined || kind < 4 || list.length < 8) {
      const order = this.place(coin);
      push(order, { new: { sz: sizeText(order.size) } });
      statuses.push(this.statusJson(coin, order));
    } else if (kind < 5) {
      const order = this.place(coin, any);
      push(order, { new: { sz: sizeText(order.size), insertBefore: any.oid } });
      statuses.push(this.statusJson(coin, order));
    } else if (kind < 7 && any.size > 1) {
      const before = any.size;
      any.size = 1 + this.prng.nextInt(before - 1);
      push(any, { update: { origSz: sizeText(before), newSz: sizeText(any.size) } });
    } else {
      list.splice(list.indexOf(any), 1);
      push(any, 'remove');
    }
  }

  private orderJson(coin: string, o: MadeOrder): object {
    return nodeOrder({
      coin,
      side: o.side,
      limitPx: `${o.price}.0`,
      sz: sizeText(o.size),
      oid: o.oid,
      timestamp: 1778002736649 + o.oid,
    });
  }

  private statusJson(coin: string, o: MadeOrder): object {
    return nodeStatus('open', this.timeOf(0), o.user, this.orderJson(coin, o));
  }

  private timeOf(moreMs: number): string {
    const unixMs = 1_778_002_753_024 + (this.height - 1_000) * 70 + moreMs;
    return `${new Date(unixMs).toISOString().slice(0, -1)}000000`;
  }

  private linesOf(events: object[]): string {
    const line = (some: object[]): string =>
      `${JSON.stringify({
        local_time: this.timeOf(this.lagMs),
        block_time: this.timeOf(0),
        block_number: this.height,
        events: some,
      })}\n`;
    return this.layout === 'by-block'
      ? line(events)
      : events.map((event) => line([event])).join('');
  }
}

/** Best first, and within a price in queue order. */
function sorted(list: readonly MadeOrder[], side: 'B' | 'A'): MadeOrder[] {
  const sign = side === 'B' ? -1 : 1;
  return list.filter((o) => o.side === side).sort((a, b) => sign * (a.price - b.price));
}

/** Text as a snapshot that has arrived. */
export function bytesOf(text: string, height: number | null = null): SnapshotBytes {
  let rest: Buffer | null = Buffer.from(text);
  return {
    height,
    read(bytesMax) {
      if (rest === null || rest.length === 0) return null;
      const piece = rest.subarray(0, bytesMax);
      rest = rest.subarray(piece.length);
      return piece;
    },
    close() {
      rest = null;
    },
  };
}
