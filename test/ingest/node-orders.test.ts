/**
 * What rests and how it is told, kind by kind: orders that only diffs know, remainders of immediate
 * orders, triggered ones, claimed places, spot; lines in, orders out.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findNodeData } from '../../src/ingest/node-data.js';
import { NodeReplayRun, readSnapshotCoins } from '../../src/node/node-replay-run.js';
import { OrderAttribute, TimeInForce } from '../../src/domain/order-attributes.js';
import type { RestingOrders } from '../../src/domain/resting-orders.js';

const HIP2 = '0xffffffffffffffffffffffffffffffffffffffff';
const FUND = '0xfefefefefefefefefefefefefefefefefefefefe';
const USER = `0x${'1a'.repeat(20)}`;
const CLOID = `0x${'2b'.repeat(16)}`;

interface Diff {
  readonly oid: number;
  readonly coin?: string;
  readonly user?: string;
  readonly side?: 'A' | 'B';
  readonly px?: string;
  readonly diff: unknown;
}
interface Status {
  readonly oid: number;
  readonly coin?: string;
  readonly status?: string;
  readonly sz?: string;
  readonly tif?: string | null;
  readonly condition?: string;
  readonly isTrigger?: boolean;
}

function orderJson(of: Status): object {
  return {
    coin: of.coin ?? 'BTC',
    side: 'B',
    limitPx: '100.0',
    sz: of.sz ?? '1.0',
    oid: of.oid,
    timestamp: 1_778_002_753_000,
    triggerCondition: of.condition ?? 'N/A',
    isTrigger: of.isTrigger ?? false,
    triggerPx: '0.0',
    children: [],
    isPositionTpsl: false,
    reduceOnly: false,
    orderType: 'Limit',
    origSz: '1.0',
    tif: of.tif ?? 'Gtc',
    cloid: CLOID,
  };
}

/** The orders of a coin after blocks 11 … of these diffs and statuses; block 10 is the snapshot. */
async function restingAfter(
  blocks: readonly (readonly [readonly Diff[], readonly Status[]])[],
  coin = 'BTC',
): Promise<{ orders: RestingOrders; failed: number }> {
  const root = mkdtempSync(join(tmpdir(), 'ringside-orders-'));
  const write = (source: string, events: readonly (readonly object[])[]): void => {
    const folder = join(root, `${source}_by_block`, 'hourly', '20260505');
    mkdirSync(folder, { recursive: true });
    const time = '2026-05-05T17:39:13.024000000';
    const lines = events.map((some, i) =>
      JSON.stringify({ local_time: time, block_time: time, block_number: 11 + i, events: some }),
    );
    writeFileSync(join(folder, '17'), `${lines.join('\n')}\n`);
  };
  const diffs = blocks.map(([some]) =>
    some.map(({ oid, coin: of, user, side, px, diff }) => ({
      user: user ?? USER,
      oid,
      px: px ?? '100.0',
      coin: of ?? 'BTC',
      side: side ?? 'B',
      raw_book_diff: diff,
    })),
  );
  const statuses = blocks.map(([, some]) =>
    some.map((status) => ({
      time: '2026-05-05T17:39:13.024000000',
      user: USER,
      hash: null,
      builder: null,
      status: status.status ?? 'open',
      order: orderJson(status),
    })),
  );
  write('node_raw_book_diffs', diffs);
  write('node_order_statuses', statuses);
  write(
    'node_fills',
    blocks.map(() => []),
  );
  const snapshotPath = join(root, 'snapshot.json');
  const resting = [[USER, orderJson({ oid: 1, coin })]];
  writeFileSync(snapshotPath, JSON.stringify([10, [[coin, [resting, []]]]]));
  const seen: { orders: RestingOrders | null } = { orders: null };
  const run = new NodeReplayRun({
    data: findNodeData(root, 'by-block'),
    snapshotPath,
    instruments: readSnapshotCoins(snapshotPath, 'all', null),
    mode: 'none',
    levels: 0,
    sigFigs: 0,
    mantissa: 1,
    report: () => {},
    checkpoint: { height: 1_000, onBook: (_coin, orders) => void (seen.orders = orders) },
  });
  await run.run(() => Promise.resolve(true));
  rmSync(root, { recursive: true });
  assert.ok(seen.orders !== null, 'the book is Live at the end');
  return { orders: seen.orders, failed: run.summary().diffsFailed };
}

const idsAt = (orders: RestingOrders, price: number, side = 0): number[] => {
  const ids: number[] = [];
  for (let slot = orders.headAt(side, price); slot >= 0; slot = orders.nextOf(slot))
    ids.push(orders.idOf(slot));
  return ids;
};
const ownerOf = ({ identities }: RestingOrders, slot: number): string => {
  const at = identities.ownerAt(slot);
  const words = [...identities.words.subarray(at, at + 5)];
  return `0x${words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')}`;
};
const news = (sz: string, insertBefore?: number): object => ({ new: { sz, insertBefore } });

test('Node orders: those of HIP-2 and the assistance fund have diffs only, and rest with their owner', async () => {
  const { orders } = await restingAfter([
    [
      [
        { oid: 2, user: HIP2, diff: news('3.0') },
        { oid: 3, user: FUND, diff: news('4.0') },
      ],
      [],
    ],
    [[{ oid: 2, user: HIP2, diff: { update: { origSz: '3.0', newSz: '2.5' } } }], []],
  ]);
  assert.deepEqual(idsAt(orders, 100e6), [1, 2, 3]);
  const hip2 = orders.slotOf(2);
  assert.equal(orders.sizeOf(hip2), 2.5e5);
  assert.equal(ownerOf(orders, hip2), HIP2);
  assert.equal(ownerOf(orders, orders.slotOf(3)), FUND);
  assert.equal(orders.identities.attributes(hip2) & OrderAttribute.Identified, 0);
});

test('Node orders: what rests of an immediate order has the size of its diff, not of its status', async () => {
  const { orders } = await restingAfter([
    [[{ oid: 2, diff: news('0.25') }], [{ oid: 2, sz: '1.0', tif: 'Ioc' }]],
  ]);
  const slot = orders.slotOf(2);
  assert.equal(orders.sizeOf(slot), 0.25e5);
  const { TimeInForceMask } = OrderAttribute;
  assert.equal(orders.identities.attributes(slot) & TimeInForceMask, TimeInForce.Ioc);
});

test('Node orders: a trigger that waits is not in the book; once triggered it rests at the end of its price', async () => {
  const waiting = { oid: 2, isTrigger: true, condition: 'Price above 90' };
  const { orders } = await restingAfter([
    [[], [{ ...waiting, status: 'open' }]],
    [[{ oid: 3, diff: news('1.0') }], [{ oid: 3 }]],
    [
      [{ oid: 2, diff: news('1.0') }],
      [{ ...waiting, status: 'triggered', condition: 'Triggered' }],
    ],
  ]);
  assert.deepEqual(idsAt(orders, 100e6), [1, 3, 2]);
  const attributes = orders.identities.attributes(orders.slotOf(2));
  assert.notEqual(attributes & OrderAttribute.Triggered, 0);
  assert.equal(orders.identities.placedMs(orders.slotOf(2)), 1_778_002_753_000);
});

test('Node orders: a claimed place is directly in front of the named order', async () => {
  const { orders } = await restingAfter([
    [
      [
        { oid: 2, diff: news('1.0') },
        { oid: 3, diff: news('1.0', 2) },
      ],
      [{ oid: 2 }, { oid: 3 }],
    ],
    [[{ oid: 4, diff: news('1.0', 1) }], [{ oid: 4 }]],
  ]);
  assert.deepEqual(idsAt(orders, 100e6), [4, 1, 3, 2]);
});

test('Node orders: spot has eight decimals, and an id used again is another order', async () => {
  const coin = '@107';
  const at = { coin, px: '0.00012345', side: 'B' } as const;
  const { orders, failed } = await restingAfter(
    [
      [[{ oid: 2, ...at, diff: news('12.5') }], []],
      [
        [
          { oid: 2, ...at, diff: 'remove' },
          { oid: 2, ...at, px: '0.00012', diff: news('7.0') },
        ],
        [],
      ],
    ],
    coin,
  );
  assert.equal(failed, 0);
  assert.deepEqual([idsAt(orders, 12_345), idsAt(orders, 12_000)], [[], [2]]);
  assert.deepEqual(idsAt(orders, 100e8), [1]);
  assert.equal(orders.sizeOf(orders.slotOf(2)), 7e5);
});
