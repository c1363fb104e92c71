/** `ringside verify --against`: books held against a node's own snapshot, order by order. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { EXIT } from '../../src/cli/exit-codes.js';
import type { AgainstReport } from '../../src/cli/verify-against.js';
import type { CheckCounts } from '../../src/replay/capture-verdict.js';
import { capturesDirectory } from '../support/captures.js';
import { MadeNode, type MadeOrder } from '../support/made-node.js';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.js');
const directory = mkdtempSync(join(tmpdir(), 'ringside-against-'));
after(() => rmSync(directory, { recursive: true }));

interface Found {
  readonly verdict: string;
  readonly checks: { readonly against: CheckCounts };
  readonly against: AgainstReport;
}

function verify(...args: string[]) {
  const all = [MAIN, 'verify', '--venue', 'hyperliquid-node', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status, stdout, stderr };
}

/** A node of two coins after 40 blocks, with snapshots at its beginning, after 20 blocks, and now. */
function madeNode(layout: 'by-block' | 'streaming') {
  const root = mkdtempSync(join(directory, `${layout}-`));
  const node = new MadeNode(join(root, 'data'), layout, ['BTC', 'PURR/USDC']);
  const file = (name: string, text: string): string => {
    const path = join(root, name);
    writeFileSync(path, text);
    return path;
  };
  const base = file('base.json', node.snapshotText());
  for (let i = 0; i < 20; i++) node.writeBlock();
  const middle = file('middle.json', node.snapshotText());
  for (let i = 0; i < 20; i++) node.writeBlock();
  const run = (against: string, ...args: string[]) =>
    verify('--data', join(root, 'data'), '--snapshot', base, '--against', against, ...args);
  const found = (against: string, ...args: string[]): Found & { code: number | null } => {
    const { code, stdout } = run(against, '--json', ...args);
    return { code, ...(JSON.parse(stdout) as Found) };
  };
  return { node, file, middle, run, found };
}

for (const layout of ['by-block', 'streaming'] as const) {
  test(`ringside verify --against, ${layout}: equal books pass, in the middle and at the end`, () => {
    const { node, file, middle, found } = madeNode(layout);
    for (const path of [middle, file('end.json', node.snapshotText())]) {
      const { code, verdict, checks, against } = found(path);
      const orders = against.books.reduce((sum, book) => sum + book.orders, 0);
      assert.deepEqual([code, verdict], [EXIT.Ok, 'passed'], JSON.stringify(against));
      assert.equal(against.books.length, 2);
      assert.ok(orders > 40);
      assert.deepEqual(checks.against, {
        checked: orders,
        passed: orders,
        failed: 0,
        unverifiable: 0,
      });
    }
  });
}

test('ringside verify --against: each way to differ is named, with both orders', () => {
  const { node, file, run, found } = madeNode('by-block');
  const orders = node.orders.get('BTC')!;
  const two = (side: MadeOrder['side']): [MadeOrder, MadeOrder] => {
    const at = orders.filter((order) => order.side === side);
    const first = at.find((o) => at.some((other) => other !== o && other.price === o.price))!;
    return [first, at.find((other) => other !== first && other.price === first.price)!];
  };
  const [first, second] = two('B');
  const other = orders.filter(({ oid }) => oid !== first.oid && oid !== second.oid);
  const [missing, unexpected, size, owner, place] = other as [
    MadeOrder,
    MadeOrder,
    MadeOrder,
    MadeOrder,
    MadeOrder,
  ];
  const NEW_ID = 999_999;
  const text = node.snapshotText((copy) => {
    const list = copy.get('BTC')!;
    const at = (order: MadeOrder): number => list.findIndex(({ oid }) => oid === order.oid);
    const [earlier, later] = [at(first), at(second)];
    [list[earlier], list[later]] = [list[later]!, list[earlier]!];
    list[at(size)]!.size += 7;
    list[at(owner)] = { ...owner, user: `0x${'ab'.repeat(20)}` };
    list[at(place)] = { ...place, price: place.side === 'B' ? 50 : 150 };
    list.splice(at(unexpected), 1);
    list[at(missing)] = { ...missing, oid: NEW_ID };
  });
  const { code, verdict, checks, against } = found(file('spoilt.json', text));
  assert.deepEqual([code, verdict], [EXIT.CheckFailed, 'failed']);
  const [btc, purr] = against.books;
  const kinds = new Map(btc!.differences.map(({ orderId, kind }) => [orderId, kind]));
  assert.equal(kinds.get(NEW_ID), 'missing');
  assert.equal(kinds.get(missing.oid), 'unexpected');
  assert.equal(kinds.get(unexpected.oid), 'unexpected');
  assert.equal(kinds.get(size.oid), 'size');
  assert.equal(kinds.get(owner.oid), 'owner');
  assert.equal(kinds.get(place.oid), 'place');
  assert.ok(btc!.differences.some(({ kind }) => kind === 'queue'));
  assert.equal(checks.against.failed, 7);
  assert.deepEqual([purr!.differing, purr!.differences.length], [0, 0]);
  const told = run(file('spoilt.json', text));
  assert.equal(told.code, EXIT.CheckFailed);
  assert.match(told.stdout, new RegExp(`BTC ${NEW_ID} missing: snapshot (bid|ask) .*; not ours`));
  assert.match(told.stdout, /owner: snapshot .* 0xabab.*; ours .* 0x0000/);
  assert.match(told.stdout, /queue: snapshot #\d+ at \d+\.0 is \d+; ours #\d+ at \d+\.0 is \d+/);
  assert.match(told.stderr, /^FAILED against: 7 of \d+ failed/);
});

test('ringside verify --against: a client id that differs fails', () => {
  const { node, file, found } = madeNode('streaming');
  const id = `0x${'1f'.repeat(16)}`;
  const text = node.snapshotText().replace('"cloid":null', `"cloid":"${id}"`);
  const { code, against } = found(file('cloid.json', text));
  assert.equal(code, EXIT.CheckFailed);
  const [difference] = against.books[0]!.differences;
  assert.equal(difference!.kind, 'client id');
  assert.ok(difference!.expected!.endsWith(id));
});

test('ringside verify --against: what cannot be compared is no pass', () => {
  const { node, file, found, run } = madeNode('by-block');
  const later = found(file('later.json', node.snapshotText(undefined, node.height + 5)));
  assert.equal(later.code, EXIT.CheckFailed);
  assert.match(later.against.notCompared[0]!.why, /the data end at block 1040, before 1045/);
  const earlier = found(file('earlier.json', node.snapshotText(undefined, 900)));
  assert.equal(earlier.code, EXIT.CheckFailed);
  assert.match(earlier.against.notCompared[0]!.why, /no Live book at block 900/);
  const other = found(
    file(
      'other.json',
      node.snapshotText((all) => all.delete('BTC')),
    ),
  );
  assert.equal(other.code, EXIT.CheckFailed);
  assert.match(other.against.notCompared[0]!.why, /is not in that snapshot/);
  const [whole] = [node.snapshotText()];
  const noHeight = run(file('bare.json', whole.replace(/^\[\d+,/, '').replace(/\]$/, '')));
  assert.equal(noHeight.code, EXIT.BadConfig);
  assert.match(noHeight.stderr, /does not say its height/);
  const cut = run(file('cut.json', whole.slice(0, 500)));
  assert.equal(cut.code, EXIT.BadCapture);
  assert.equal(run(join(directory, 'nowhere.json')).code, EXIT.FileUnreadable);
});

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;

interface Row {
  readonly user: string;
  readonly oid: number;
  readonly side: 'A' | 'B';
  readonly px: string;
  readonly raw_book_diff:
    'remove' | { new?: { sz: string; insertBefore?: number }; update?: { newSz: string } };
}
type SnapshotOrder = [user: string, order: Record<string, unknown>];

/** The captured snapshot brought to the end of the captured blocks, with JSON and lists alone. */
function snapshotAtTheEnd(base: string, data: string): string {
  const lines = (source: string): Record<string, unknown>[] =>
    readFileSync(join(data, `${source}_by_block`, 'hourly', '20260505', '17'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const [height, [[, sides]]] = JSON.parse(base) as [number, [[string, SnapshotOrder[][]]]];
  const queues = new Map<string, SnapshotOrder[]>();
  const keyOf = (side: unknown, px: unknown): string => `${side as string} ${px as string}`;
  for (const order of sides.flat()) {
    const key = keyOf(order[1]['side'], order[1]['limitPx']);
    queues.set(key, [...(queues.get(key) ?? []), order]);
  }
  const orders = new Map<number, Record<string, unknown>>();
  for (const { events } of lines('node_order_statuses') as { events: { order: object }[] }[])
    for (const { order } of events as { order: Record<string, unknown> }[])
      orders.set(order['oid'] as number, order);
  let last = height;
  for (const { block_number, events } of lines('node_raw_book_diffs') as {
    block_number: number;
    events: Row[];
  }[]) {
    last = block_number;
    for (const { user, oid, side, px, raw_book_diff: diff } of events) {
      const key = keyOf(side, px);
      const queue = queues.get(key) ?? [];
      queues.set(key, queue);
      const at = queue.findIndex(([, order]) => order['oid'] === oid);
      if (diff === 'remove') queue.splice(at, 1);
      else if (diff.update !== undefined) queue[at]![1]['sz'] = diff.update.newSz;
      else {
        const order = { ...orders.get(oid), oid, side, limitPx: px, sz: diff.new!.sz };
        const before = queue.findIndex(([, o]) => o['oid'] === diff.new!.insertBefore);
        queue.splice(before < 0 ? queue.length : before, 0, [user, order]);
      }
    }
  }
  const sideOf = (letter: string): SnapshotOrder[] =>
    [...queues].filter(([key]) => key.startsWith(letter)).flatMap(([, queue]) => queue);
  return JSON.stringify([last, [['BTC', [sideOf('B'), sideOf('A')]]]]);
}

test(
  'ringside verify --against: the captured blocks end in the book that a plain program gets',
  {
    skip,
  },
  () => {
    const home = join(captures ?? '', 'hyperliquid');
    const source = join(home, 'packethog', 'hl_dual_validator', 'source');
    const base = join(source, 'snapshot_985148181.json.gz');
    const data = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
    const end = join(directory, 'btc-end.json');
    writeFileSync(end, snapshotAtTheEnd(gunzipSync(readFileSync(base)).toString('utf8'), data));
    const { code, stdout, stderr } = verify('--data', data, '--snapshot', base, '--against', end);
    assert.equal(code, EXIT.Ok, stdout + stderr);
    assert.match(stdout, /(\d{5})\/\1 orders as in .*btc-end.json, block 985148206/);
    assert.match(
      stderr,
      /^PASSED 1110 of 1110 changes fit, 1\/1 coins Live, (\d{5})\/\1 orders equal/,
    );
  },
);
