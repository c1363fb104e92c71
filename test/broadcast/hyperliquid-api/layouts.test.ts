/** The drop-in API on the same real blocks from both layouts of the node's files: not a byte differs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { MemoryClient } from '../../../src/broadcast/memory-server.js';
import { capturesDirectory } from '../../support/captures.js';
import { type BlockLines, readBlocks, readStreamedBlocks } from '../../support/node-api-rig.js';
import { ApiRoom, subscribe } from './api-room.js';

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;
const home = join(captures ?? '', 'hyperliquid');
const data = join(home, 'derived', 'dual_985148182_985148206', 'hl', 'data');
const source = join(home, 'packethog', 'hl_dual_validator', 'source');
const snapshotPath = join(source, 'snapshot_985148181.json.gz');
const FIRST = 985148182;
const BLOCKS = 25;
/** Of the first block's maker: quotes all the time. */
const USER = '0x5eaac7c475b1fad85701f02c4e9e796a53f94bd5';

/** So many turns, work or not. */
function turn(room: ApiRoom, turns: number): void {
  for (let i = 0; i < turns; i++) room.turn();
}

function reader(room: ApiRoom, subscription: object): MemoryClient {
  const client = room.connect();
  client.send(subscribe(subscription));
  return client;
}

const SUBSCRIPTIONS = [
  { type: 'l2Book', coin: 'BTC' },
  { type: 'l2Book', coin: 'BTC', nSigFigs: 5, mantissa: 2, nLevels: 100 },
  { type: 'l4Book', coin: 'BTC' },
  { type: 'trades', coin: 'BTC' },
  { type: 'bbo', coin: 'BTC' },
  { type: 'bookDiffs', coin: 'BTC' },
] as const;
const OF_USER = { type: 'orderUpdates', user: USER };

/** Everything that clients are told, subscription by subscription, but for the epoch (a time). */
async function toldOf(
  layout: 'by-block' | 'streaming',
  blocks: readonly BlockLines[],
  subscriptions: readonly object[],
): Promise<string[][]> {
  const room = await ApiRoom.open({ snapshotPath, layout });
  const clients = subscriptions.map((subscription) => reader(room, subscription));
  turn(room, 200);
  for (const block of blocks) {
    room.rig.append(block);
    turn(room, 70);
  }
  // The last block of a stream ends with a silence.
  turn(room, 400);
  return clients.map((client) =>
    client.take().map((frame) => {
      assert.ok(frame.kind === 'text');
      return frame.text.replace(/"epoch":\d+/, '"epoch":0');
    }),
  );
}

for (const [what, subscriptions] of [
  ['every channel of a coin', SUBSCRIPTIONS],
  ['orderUpdates beside l4Book', [OF_USER, SUBSCRIPTIONS[2]]],
] as const) {
  test(`Both layouts: ${what} gives the same texts in the same order`, { skip }, async () => {
    const heights = Array.from({ length: BLOCKS }, (_, i) => FIRST + i);
    const byBlock = await toldOf('by-block', readBlocks(data), subscriptions);
    const streamed = readStreamedBlocks(data, heights);
    const streaming = await toldOf('streaming', streamed, subscriptions);
    for (const [i, texts] of byBlock.entries()) {
      assert.ok(texts.length > 5, `${JSON.stringify(subscriptions[i])}: ${texts.length} messages`);
      assert.deepEqual(streaming[i], texts);
    }
  });
}

test(
  'Raw statuses: a ring without room loses them by count, and readers are told',
  { skip },
  async () => {
    const room = await ApiRoom.open({ snapshotPath, rawWords: 2 ** 17 });
    const { rig } = room;
    const l4 = reader(room, SUBSCRIPTIONS[2]);
    turn(room, 100);
    const blocks = readBlocks(data);
    // Two blocks at once, 900 KB, before the broadcast thread gets a turn: the ring holds 512 KB.
    rig.append(blocks[0]!);
    rig.append(blocks[1]!);
    turn(room, 100);
    for (const block of blocks.slice(2, 5)) {
      rig.append(block);
      turn(room, 70);
    }
    const events = (line: string): unknown[] => (JSON.parse(line) as { events: unknown[] }).events;
    let told = 0;
    let saidLost = 0;
    let diffs = 0;
    for (const frame of l4.take()) {
      assert.ok(frame.kind === 'text');
      const { data: content } = JSON.parse(frame.text) as {
        data: {
          Updates?: { order_statuses: unknown[]; book_diffs: unknown[]; lostStatuses?: number };
        };
      };
      told += content.Updates?.order_statuses.length ?? 0;
      saidLost += content.Updates?.lostStatuses ?? 0;
      diffs += content.Updates?.book_diffs.length ?? 0;
    }
    const written = blocks.slice(0, 5).flatMap((block) => events(block.order_statuses)).length;
    assert.ok(rig.rawStatuses.lost > 0, 'the ring was too small');
    assert.equal(saidLost, rig.rawStatuses.lost, 'all that is lost is said');
    assert.equal(told + saidLost, written, 'and all else is told');
    const allDiffs = blocks.slice(0, 5).flatMap((block) => events(block.raw_book_diffs)).length;
    assert.equal(diffs, allDiffs, 'the book misses nothing');

    const user = reader(room, OF_USER);
    turn(room, 100);
    user.take();
    rig.append(blocks[5]!);
    rig.append(blocks[6]!);
    turn(room, 100);
    rig.append(blocks[7]!);
    turn(room, 100);
    const errors = user
      .take()
      .filter((frame) => frame.kind === 'text' && frame.text.includes('"error"'));
    assert.ok(errors.length > 0);
    const [first] = errors;
    assert.ok(first?.kind === 'text');
    assert.match(first.text, /Order statuses were lost: \d+ of BTC up to block 98514\d+/);
  },
);
