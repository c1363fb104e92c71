/** Files of a node as other hands leave them: exact, or refused with a word, and nobody else's book hurt. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FaultError } from '../../src/faults/fault.js';
import { findNodeData } from '../../src/ingest/node-data.js';
import { NodeReplayRun, readSnapshotCoins } from '../../src/node/node-replay-run.js';
import type { NodeLineMode } from '../../src/replay/node-lines.js';

const USER = `0x${'ab'.repeat(20)}`;
const HEIGHT = 100;

interface Line {
  readonly instrument: string;
  readonly blockNumber: number;
  readonly state: string;
  readonly reason?: string;
  readonly bid: readonly [string, string, number] | null;
  readonly restingOrders: number;
  readonly changes: readonly unknown[];
  readonly exchangeNs: string;
}

type Text = (value: unknown) => string;
const compact: Text = (value) => JSON.stringify(value);

/** As json.dumps of Python writes: a space after every colon and comma between tokens. */
const spaced: Text = (value) => {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, field]) => `"${key}": ${spaced(field)}`);
  return `{${fields.join(', ')}}`;
};

function order(coin: string, oid: number, side: string, limitPx: string, sz: string) {
  const [timestamp, isTrigger, orderType, tif, cloid] = [1, false, 'Limit', 'Alo', null];
  return [USER, { coin, side, limitPx, sz, oid, timestamp, isTrigger, orderType, tif, cloid }];
}

function created(coin: string, oid: number, px: string, sz: string) {
  return { user: USER, oid, coin, side: 'B', px, raw_book_diff: { new: { sz } } };
}

interface Made {
  readonly orders: Readonly<Record<string, readonly unknown[]>>;
  readonly blocks: readonly (readonly unknown[])[];
  readonly fills?: readonly unknown[];
  readonly text?: Text;
  /** Of the last line of every file. */
  readonly end?: string;
}

/** Writes the files and replays them. */
async function replay(t: TestContext, made: Made, mode: NodeLineMode) {
  const root = mkdtempSync(join(tmpdir(), 'ringside-hostile-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const text = made.text ?? compact;
  const lines = (events: (block: number) => readonly unknown[]): string =>
    made.blocks
      .map((_, i) => {
        const block_time = `2026-05-05T17:39:13.${String(100 + i * 67)}000000`;
        const block_number = HEIGHT + 1 + i;
        return `${text({ local_time: block_time, block_time, block_number, events: events(i) })}\n`;
      })
      .join('');
  const put = (source: string, content: string): void => {
    const path = join(root, `${source}_by_block`, 'hourly', '20260505', '17');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content.slice(0, -1) + (made.end ?? '\n'));
  };
  put(
    'node_raw_book_diffs',
    lines((i) => made.blocks[i]!),
  );
  put(
    'node_order_statuses',
    lines(() => []),
  );
  put(
    'node_fills',
    lines((i) => (i === 0 ? (made.fills ?? []) : [])),
  );
  const snapshotPath = join(root, 'snapshot.json');
  const coins = Object.entries(made.orders).map(([coin, orders]) => [coin, [orders, []]]);
  writeFileSync(snapshotPath, text([HEIGHT, coins]));
  const run = new NodeReplayRun({
    data: findNodeData(root, 'by-block'),
    snapshotPath,
    instruments: readSnapshotCoins(snapshotPath, 'all', null),
    mode,
    levels: 0,
    sigFigs: 0,
    mantissa: 1,
    report: () => {},
  });
  let out = '';
  await run.run(async () => {
    out += run.lines.takeLines();
    return true;
  });
  const told = out.split('\n').filter((line) => line !== '');
  return { lines: told.map((line) => JSON.parse(line) as Line), summary: run.summary() };
}

test('Node replay: reads files that were written again with spaces between the tokens', async (t) => {
  const orders = { BTC: [order('BTC', 1, 'B', '81307.0', '0.5')] };
  const blocks = [[created('BTC', 2, '81307.0', '0.25')], [created('BTC', 3, '81308.0', '0.1')]];
  const { lines, summary } = await replay(t, { orders, blocks, text: spaced }, 'bbo');
  assert.deepEqual(
    lines.map(({ bid }) => bid),
    [
      ['81307.0', '0.75', 2],
      ['81308.0', '0.10', 1],
    ],
  );
  assert.equal(summary.malformedLines, 0);
});

test('Node replay: numbers of a snapshot that do not fit cost their coin its book, and no other', async (t) => {
  const orders = {
    BTC: [order('BTC', 1, 'B', '81307.0', '0.5')],
    '@30': [order('@30', 2, 'B', '1.0', '0.12345678')],
  };
  const blocks = [[created('@30', 3, '1.0', '1.0'), created('BTC', 4, '81307.0', '0.25')]];
  const { lines, summary } = await replay(t, { orders, blocks }, 'bbo');
  assert.deepEqual(
    lines.map(({ instrument, bid }) => [instrument, bid]),
    [['hyperliquid-node:BTC', ['81307.0', '0.75', 2]]],
  );
  assert.deepEqual(
    summary.instruments.map(({ state }) => state === 'Live'),
    [true, false],
  );
});

test('Node replay: numbers of a block that do not fit make their coin Suspect, and no other', async (t) => {
  const orders = {
    BTC: [order('BTC', 1, 'B', '81307.0', '0.5')],
    HYPE: [order('HYPE', 2, 'B', '38.0', '1.0')],
  };
  const blocks = [
    [created('HYPE', 3, '38.0', '1.1234567'), created('BTC', 4, '81307.0', '0.25')],
    [created('HYPE', 5, '38.0', '1.0'), created('BTC', 6, '81307.0', '0.25')],
  ];
  const { lines } = await replay(t, { orders, blocks }, 'bbo');
  assert.deepEqual(
    lines.map(({ instrument, state, reason, bid }) => [instrument.slice(17), state, reason, bid]),
    [
      ['HYPE', 'Suspect', 'PrecisionLost', null],
      ['BTC', 'Live', undefined, ['81307.0', '0.75', 2]],
      ['BTC', 'Live', undefined, ['81307.0', '1.00', 3]],
    ],
  );
});

test('Node replay: a level whose sizes no longer add up exactly is not shown', async (t) => {
  const orders = {
    '@20': [order('@20', 1, 'B', '0.5', '50000000000.0')],
    BTC: [order('BTC', 2, 'B', '81307.0', '0.5')],
  };
  const blocks = [
    [created('@20', 3, '0.5', '60000000000.0'), created('BTC', 4, '81307.0', '0.25')],
    [created('@20', 5, '0.5', '1.0')],
  ];
  const { lines } = await replay(t, { orders, blocks }, 'bbo');
  const told = new Map(lines.map((line) => [line.instrument.slice(17), line]));
  assert.deepEqual([told.get('@20')?.state, told.get('@20')?.reason], ['Suspect', 'PrecisionLost']);
  assert.equal(told.get('BTC')?.state, 'Live');
  assert.equal(lines.length, 2);
});

test('Node replay: a snapshot that turns malformed ends it with a word', async (t) => {
  const broken: Text = (value) => compact(value).replace('"limitPx":"1.0"', '"limitPx":1.0');
  const orders = { BTC: [order('BTC', 1, 'B', '1.0', '0.5')] };
  await assert.rejects(
    replay(t, { orders, blocks: [[]], text: broken }, 'bbo'),
    (error: unknown) => error instanceof FaultError && error.code === 'CAPTURE_MALFORMED',
  );
});

test('Node replay: a block of thousands of changes is one line', async (t) => {
  const orders = { BTC: [order('BTC', 1, 'B', '81307.0', '0.5')] };
  const many = Array.from({ length: 3_000 }, (_, i) => created('BTC', 10 + i, '81306.0', '0.1'));
  const { lines } = await replay(t, { orders, blocks: [many] }, 'orders');
  assert.deepEqual(
    lines.map(({ changes }) => changes.length),
    [3_000],
  );
});

test('Node replay: the time of a trade is exact', async (t) => {
  const orders = { BTC: [order('BTC', 1, 'B', '81307.0', '0.5')] };
  const leg = (side: string) => [
    USER,
    {
      coin: 'BTC',
      px: '81307.0',
      sz: '0.1',
      side,
      time: 1_778_002_753_646,
      hash: '0x0',
      crossed: side === 'A',
      tid: 7,
    },
  ];
  const { lines } = await replay(
    t,
    { orders, blocks: [[]], fills: [leg('B'), leg('A')] },
    'trades',
  );
  assert.deepEqual(
    lines.map(({ exchangeNs }) => exchangeNs),
    ['1778002753646000000'],
  );
});

test('Node replay: a last line without a newline is a line', async (t) => {
  const orders = { BTC: [order('BTC', 1, 'B', '81307.0', '0.5')] };
  const blocks = [[created('BTC', 2, '81307.0', '0.25')], [created('BTC', 3, '81308.0', '0.1')]];
  const { lines } = await replay(t, { orders, blocks, end: '' }, 'bbo');
  assert.deepEqual(
    lines.map(({ blockNumber }) => blockNumber),
    [101, 102],
  );
});
