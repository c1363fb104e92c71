/** Statuses cut out of their line against the long way: the same text, or the long way is taken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/domain/prng.js';
import {
  CUTS,
  copyTold,
  cutStatus,
  toldText,
} from '../../src/venues/hyperliquid-node/told-status.js';
import { capturesDirectory } from '../support/captures.js';
import { nodeOrder, nodeStatus } from '../support/node-order.js';

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;

/** The cut text, or null where the event is not as the node writes it. */
function cutText(event: string): string | null {
  const bytes = Buffer.from(`${event},`);
  const cuts = new Int32Array(CUTS);
  const end = cutStatus(bytes, 0, bytes.length, cuts, 0);
  if (end < 0) return null;
  assert.equal(end, bytes.length - 1, 'it ends where the event does');
  const memory = Buffer.alloc(bytes.length * 2 + 64);
  const shift = bytes.length + 64;
  bytes.copy(memory, shift);
  return memory.toString('utf8', 0, copyTold(memory, shift, cuts, 0, 0));
}

function event(changes: Record<string, unknown> = {}, orderChanges: Record<string, unknown> = {}) {
  const order = nodeOrder(
    {
      coin: 'BTC',
      side: 'A',
      limitPx: '65045.0',
      sz: '0.0003',
      oid: 412036451268,
      timestamp: 1778002753024,
    },
    { cloid: '0x000000000000000018acac9b634b5137', ...orderChanges },
  );
  const user = '0x4f235c15474f984504b0f188755021ae45c2fa65';
  return { ...nodeStatus('open', '2026-05-05T17:39:13.024084407', user, order), ...changes };
}

test(
  'Told statuses: every recorded one is cut, to the text that the long way gives',
  { skip },
  () => {
    const cut = join(captures!, 'hyperliquid', 'derived', 'dual_985148182_985148206', 'hl', 'data');
    const file = join(cut, 'node_order_statuses_by_block', 'hourly', '20260505', '17');
    let compared = 0;
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      for (const status of (JSON.parse(line) as { events: unknown[] }).events) {
        const json = JSON.stringify(status);
        assert.equal(cutText(json), toldText(json));
        compared++;
      }
    }
    assert.equal(compared, 24_718);
  },
);

const VARIANTS: readonly [string, object][] = [
  ['a hash', event({ hash: `0x${'ab'.repeat(32)}` })],
  ['a builder', event({ builder: { b: `0x${'cd'.repeat(20)}`, f: 10 } })],
  ['no client id', event({}, { cloid: null })],
  ['a spot coin', event({}, { coin: 'PURR/USDC' })],
  ['a coin with a quote in it', event({}, { coin: 'A"B' })],
  ['children', event({}, { children: [event().order, { 'origSz"': '}]' }] })],
  ['a trigger', event({}, { isTrigger: true, triggerPx: '81000.5', tif: null })],
  ['a short oid', event({}, { oid: 7 })],
  ['a field more', event({}, { later: { children: 1, origSz: [2] } })],
  ['a text that says children', event({}, { triggerCondition: '"children":[],' })],
];
for (const [what, status] of VARIANTS) {
  test(`Told statuses: with ${what} it is the text that the long way gives`, () => {
    const json = JSON.stringify(status);
    assert.equal(cutText(json), toldText(json));
  });
}

test('Told statuses: without its fields in the order of the node it is left to the long way', () => {
  const { order, ...rest } = event();
  assert.equal(cutText(JSON.stringify({ order, ...rest })), null);
  const { children: _children, ...childless } = order;
  assert.equal(cutText(JSON.stringify({ ...rest, order: childless })), null);
  const { origSz, ...other } = childless;
  assert.equal(
    cutText(JSON.stringify({ ...rest, order: { ...other, origSz, children: [] } })),
    null,
  );
});

test('Told statuses: what is cut off or broken anywhere is never read beyond its end', () => {
  const json = JSON.stringify(event());
  const prng = new Prng(11);
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(json.slice(0, prng.nextInt(json.length)));
    if (bytes.length > 0 && prng.chance(0.5)) bytes[prng.nextInt(bytes.length)] = prng.nextInt(256);
    const end = cutStatus(bytes, 0, bytes.length, new Int32Array(CUTS), 0);
    assert.ok(end <= bytes.length);
  }
});
