/** Statuses as the node writes them: the short way says what parsing says, and nothing else passes it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAnyStatus, readStatus } from '../../../src/broadcast/hyperliquid-api/raw-status.js';
import { capturesDirectory } from '../../support/captures.js';
import { readBlocks } from '../../support/node-api-rig.js';
import { syntheticBlock } from '../../support/synthetic-node.js';

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;

const eventsOf = (line: string): string[] =>
  (JSON.parse(line) as { events: unknown[] }).events.map((event) => JSON.stringify(event));

function checkSame(json: string): void {
  const [short, long] = [readStatus(json), readAnyStatus(json)];
  assert.equal(short?.text, long?.text);
  assert.equal(short?.user, long?.user);
  assert.equal(short?.official(), long?.official());
}

test('A status: every captured one is told as parsing tells it', { skip }, () => {
  const blocks = readBlocks(
    join(captures ?? '', 'hyperliquid', 'derived', 'dual_985148182_985148206', 'hl', 'data'),
  );
  let count = 0;
  for (const { order_statuses: line } of blocks) {
    for (const event of eventsOf(line)) {
      checkSame(event);
      count++;
    }
  }
  assert.ok(count > 15_000);
});

test('A status: with children, a builder, other fields or another order it is told as well', () => {
  const [plain] = eventsOf(syntheticBlock(1, 'BTC').order_statuses);
  const event = JSON.parse(plain!) as { order: Record<string, unknown> } & Record<string, unknown>;
  const child = { ...event.order, oid: 9, children: [] };
  const variants = [
    event,
    { ...event, hash: `0x${'ab'.repeat(32)}`, builder: { b: `0x${'cd'.repeat(20)}`, f: 10 } },
    { ...event, user: `0x${'AB'.repeat(20)}` },
    { ...event, order: { ...event.order, children: [child] } },
    { ...event, order: { ...event.order, tif: null, cloid: `0x${'0a'.repeat(16)}` } },
    { ...event, order: { ...event.order, coin: 'a"b\\c', triggerCondition: 'Price above 7' } },
    { ...event, order: { ...event.order, somethingNew: { deep: [1] } } },
    Object.fromEntries(Object.entries(event).reverse()),
  ];
  for (const variant of variants) {
    const json = JSON.stringify(variant);
    checkSame(json);
    const told = JSON.parse(readStatus(json)!.text) as { order: Record<string, unknown> };
    assert.deepEqual(Object.keys(told), ['time', 'user', 'status', 'order']);
    assert.ok(!('children' in told.order) && !('origSz' in told.order));
    assert.equal(Object.keys(told.order)[0], 'user');
  }
});

test('A status: what is cut off or no JSON is none', () => {
  const [plain] = eventsOf(syntheticBlock(1, 'BTC').order_statuses);
  for (let cut = 0; cut < plain!.length; cut += 7)
    assert.equal(readStatus(plain!.slice(0, cut)), null);
  for (const text of [
    '',
    'null',
    '7',
    '[]',
    '{}',
    `${plain} `.replace('"oid":', '"oid":0'),
    `${plain}}`,
  ])
    assert.equal(readStatus(text), null);
});
