import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { findNodeData, type NodeLayout } from '../../src/ingest/node-data.js';
import { NodeReplayRun, readSnapshotCoins } from '../../src/node/node-replay-run.js';
import type { NodeLineMode } from '../../src/replay/node-lines.js';
import { capturesDirectory } from '../support/captures.js';

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

interface Line {
  readonly blockNumber: number;
  readonly state: string;
  readonly bid: readonly [string, string, number];
  readonly ask: readonly [string, string, number];
  readonly restingOrders: number;
  readonly levels: readonly (readonly { px: string; sz: string; n: number }[])[];
  readonly buyer: string;
  readonly seller: string;
  readonly tradeId: string;
  readonly price: string;
  readonly size: string;
  readonly aggressor: string;
}

async function replay(layout: NodeLayout, mode: NodeLineMode, sigFigs = 0, mantissa = 1) {
  const run = new NodeReplayRun({
    data: findNodeData(cut, layout),
    snapshotPath,
    instruments: readSnapshotCoins(snapshotPath, 'perps', null),
    mode,
    levels: 0,
    sigFigs,
    mantissa,
    report: () => {},
  });
  let text = '';
  await run.run(async () => {
    text += run.lines.takeLines();
    return true;
  });
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return { lines, summary: run.summary() };
}

test(
  'Hyperliquid node replay: end-of-block best with size and order count is the golden one on every block',
  { skip },
  async () => {
    for (const layout of ['by-block', 'streaming'] as const) {
      const { lines, summary } = await replay(layout, 'bbo');
      const byBlock = new Map(lines.map((line) => [line.blockNumber, line]));
      let last = lines[0]!;
      let compared = 0;
      for (const text of readFileSync(join(cut, 'expected_tob.jsonl'), 'utf8').trim().split('\n')) {
        const golden = JSON.parse(text) as {
          block: number;
          bid: unknown;
          ask: unknown;
          orders: number;
        };
        // A block without events has no line: the book is that of the block before.
        last = byBlock.get(golden.block) ?? last;
        assert.deepEqual(
          [last.bid, last.ask, last.restingOrders],
          [golden.bid, golden.ask, golden.orders],
        );
        assert.equal(last.state, 'Live');
        compared++;
      }
      assert.equal(compared, 25);
      assert.equal(summary.diffsChecked, 1110);
      assert.equal(summary.diffsFailed + summary.gaps + summary.crossed + summary.resyncs, 0);
    }
  },
);

test(
  'Hyperliquid node replay: by-block and streaming end in the same book, order by order',
  { skip },
  async () => {
    const byBlock = await replay('by-block', 'none');
    const streaming = await replay('streaming', 'none');
    assert.equal(byBlock.summary.hash, streaming.summary.hash);
    assert.deepEqual(byBlock.summary.instruments, streaming.summary.instruments);
    assert.equal(byBlock.summary.instruments[0]!.restingOrders, 51343);
  },
);

test('Hyperliquid node replay: trades carry both users, each once', { skip }, async () => {
  for (const layout of ['by-block', 'streaming'] as const) {
    const { lines } = await replay(layout, 'trades');
    assert.equal(lines.length, 6);
    assert.equal(new Set(lines.map((line) => line.tradeId)).size, 6);
    const first = lines[0]!;
    assert.equal(first.buyer, '0x1624a8af8b91cc781586b4d7a33b8e693dc11015');
    assert.equal(first.seller, '0x5eaac7c475b1fad85701f02c4e9e796a53f94bd5');
    assert.deepEqual([first.price, first.size, first.aggressor], ['81308.0', '0.00033', 'Buy']);
  }
});

/** Aggregation straight from the rule, over decimal strings and big integers. */
function direct(side: number, levels: Line['levels'][number], figures: number, mantissa: number) {
  const units = (text: string): bigint => {
    const [whole, fraction = ''] = text.split('.');
    return BigInt(whole! + fraction.padEnd(8, '0'));
  };
  const buckets: { px: bigint; sz: bigint; n: number }[] = [];
  for (const { px, sz, n } of levels) {
    const price = units(px);
    const current = buckets.at(-1);
    if (current !== undefined && (side === 0 ? price >= current.px : price <= current.px)) {
      current.sz += units(sz);
      current.n += n;
      continue;
    }
    const step = BigInt(mantissa) * 10n ** BigInt(Math.max(String(price).length - figures, 0));
    const down = price - (price % step);
    buckets.push({ px: side === 0 || down === price ? down : down + step, sz: units(sz), n });
  }
  return buckets;
}

const VARIANTS = [
  [5, 1],
  [5, 2],
  [5, 5],
  [4, 1],
  [3, 1],
  [2, 1],
] as const;

test(
  'Hyperliquid node replay: all aggregation variants equal the direct computation on the book',
  { skip },
  async () => {
    const plain = await replay('by-block', 'l2');
    for (const [figures, mantissa] of VARIANTS) {
      const { lines } = await replay('by-block', 'l2', figures, mantissa);
      assert.equal(lines.length, plain.lines.length);
      for (const at of [0, lines.length - 1]) {
        for (const side of [0, 1]) {
          const wanted = direct(side, plain.lines[at]!.levels[side]!, figures, mantissa);
          const got = lines[at]!.levels[side]!;
          assert.equal(got.length, wanted.length);
          got.forEach((level, i) => {
            assert.equal(Number(level.px), Number(wanted[i]!.px) / 1e8);
            assert.equal(BigInt(Math.round(Number(level.sz) * 1e5)) * 1000n, wanted[i]!.sz);
            assert.equal(level.n, wanted[i]!.n);
          });
        }
      }
    }
  },
);

test(
  'Hyperliquid node replay: the snapshot of the capture is a valid L4 snapshot',
  { skip },
  () => {
    const text = gunzipSync(readFileSync(snapshotPath)).subarray(0, 20).toString();
    assert.match(text, /^\[985148181,\[\["BTC"/);
  },
);
