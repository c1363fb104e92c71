/** Made-up blocks in the node's own lines, for tests that need no capture. */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlockLines } from './node-api-rig.js';
import { nodeOrder, nodeStatus } from './node-order.js';

export const ALICE = `0x${'a1'.repeat(20)}`;
export const BOB = `0x${'b2'.repeat(20)}`;
const FIRST_HEIGHT = 1000;
const FIRST_MS = Date.UTC(2026, 4, 5, 17, 0, 0);

function restingOrder(coin: string, side: string, px: string, oid: number, more = {}): unknown {
  const given = { coin, side, limitPx: px, sz: '1.5', oid, timestamp: FIRST_MS - 1000 };
  return [ALICE, nodeOrder(given, { tif: 'Gtc', ...more })];
}

/** Ten bids from 100.0 down and ten asks from 101.0 up, size 1.5 each. Returns the file's path. */
export function writeSyntheticSnapshot(coins: readonly string[]): string {
  const ten = [...Array(10).keys()];
  const book = coins.map((coin, c) => [
    coin,
    [
      ten.map((i) => restingOrder(coin, 'B', (100 - i).toFixed(1), c * 100 + i + 1)),
      ten.map((i) => restingOrder(coin, 'A', (101 + i).toFixed(1), c * 100 + i + 51)),
    ],
  ]);
  return writeSnapshot(book);
}

/** Half of the orders bid, half ask, four at a price, half of them with a client id. */
export function writeLargeSnapshot(coin: string, orders: number): string {
  const side = (name: string, first: number, count: number): unknown[] =>
    Array.from({ length: count }, (_, i) => {
      const away = Math.floor(i / 4);
      const px = name === 'B' ? 100_000 - away : 100_001 + away;
      const oid = 400_000_000_000 + first + i;
      const cloid = i % 2 === 0 ? null : `0x${oid.toString(16).padStart(32, '0')}`;
      const sz = ((1 + (i % 900)) / 1000).toFixed(5);
      return restingOrder(coin, name, `${px}.0`, oid, { sz, origSz: sz, tif: 'Alo', cloid });
    });
  const bids = orders >> 1;
  return writeSnapshot([[coin, [side('B', 0, bids), side('A', bids, orders - bids)]]]);
}

function writeSnapshot(book: unknown): string {
  const path = join(tmpdir(), `ringside-snapshot-${process.pid}-${written.length}.json`);
  writeFileSync(path, JSON.stringify([FIRST_HEIGHT, book]));
  if (written.length === 0)
    process.once('exit', () => {
      for (const each of written) rmSync(each, { force: true });
    });
  written.push(path);
  return path;
}
const written: string[] = [];

/**
 * Block `n` (from 1): Bob's order joins at 100.0 in odd blocks and leaves in even ones (or as `joins`
 * says); each block
 * has a trade of 0.25 at 101.0 that Bob buys of Alice, and one rejected order of Bob's.
 */
export function syntheticBlock(n: number, coin: string, joins = n % 2 === 1): BlockLines {
  const blockMs = FIRST_MS + n * 100;
  const iso = new Date(blockMs).toISOString().slice(0, 23);
  const time = `${iso}000000`;
  const line = (events: unknown[]): string =>
    JSON.stringify({
      local_time: `${iso}500000`,
      block_time: time,
      block_number: FIRST_HEIGHT + n,
      events,
    });
  const oid = 10_000 + Math.ceil(n / 2);
  const status = (name: string, id: number): unknown => {
    const given = { coin, side: 'B', limitPx: '100.0', sz: '2.0', oid: id, timestamp: blockMs };
    return nodeStatus(name, time, BOB, nodeOrder(given));
  };
  const fill = (user: string, side: string, crossed: boolean): unknown => [
    user,
    {
      coin,
      px: '101.0',
      sz: '0.25',
      side,
      time: blockMs,
      startPosition: '0.0',
      // The order's size in the book stays as it is: no usual trade.
      dir: 'Settlement',
      closedPnl: '0.0',
      hash: `0x${'cd'.repeat(32)}`,
      oid: 51,
      crossed,
      fee: '0.0',
      tid: 7_000_000 + n,
      feeToken: 'USDC',
      twapId: null,
    },
  ];
  const diff = joins ? { new: { sz: '2.0' } } : 'remove';
  return {
    raw_book_diffs: line([{ user: BOB, oid, coin, side: 'B', px: '100.0', raw_book_diff: diff }]),
    order_statuses: line([
      status('badAloPxRejected', 90_000 + n),
      status(joins ? 'open' : 'canceled', oid),
    ]),
    fills: line([fill(BOB, 'B', true), fill(ALICE, 'A', false)]),
  };
}
