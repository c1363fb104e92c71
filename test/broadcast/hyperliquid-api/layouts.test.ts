/** The drop-in API on the same real blocks from both layouts of the node's files: not a byte differs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { MemoryClient, MemoryServer } from '../../../src/broadcast/memory-server.js';
import { resolveLimits } from '../../../src/broadcast/limits.js';
import { VirtualClock } from '../../../src/time/virtual-clock.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { capturesDirectory } from '../../support/captures.js';
import {
  type BlockLines,
  NodeApiRig,
  readBlocks,
  readStreamedBlocks,
} from '../../support/node-api-rig.js';

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

interface OpenRig {
  readonly rig: NodeApiRig;
  readonly server: MemoryServer;
  readonly settle: (turns: number) => void;
}

async function openRig(
  t: TestContext,
  layout: 'by-block' | 'streaming',
  rawWords?: number,
): Promise<OpenRig> {
  const clock = new VirtualClock(1e9);
  const server = new MemoryServer(resolveLimits());
  const rig = new NodeApiRig({
    snapshotPath,
    instruments: [nodeInstrument('BTC', 0, 5)],
    server,
    clock,
    layout,
    ...(rawWords === undefined ? {} : { rawWords }),
  });
  t.after(() => rig.close());
  await rig.agent.listen('127.0.0.1', 0);
  const settle = (turns: number): void => {
    for (let i = 0; i < turns; i++) {
      clock.advanceBy(1e6);
      rig.turn();
      server.turn();
    }
  };
  // The snapshot's promise settles between turns.
  for (let i = 0; i < 400; i++) {
    settle(1);
    await Promise.resolve();
  }
  return { rig, server, settle };
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
  t: TestContext,
  layout: 'by-block' | 'streaming',
  blocks: readonly BlockLines[],
  subscriptions: readonly object[],
): Promise<string[][]> {
  const { rig, server, settle } = await openRig(t, layout);
  const clients = subscriptions.map((subscription) => {
    const client = server.connect({ path: '/ws' });
    assert.ok(client instanceof MemoryClient);
    client.send({ method: 'subscribe', subscription });
    return client;
  });
  settle(200);
  for (const block of blocks) {
    rig.append(block);
    settle(70);
  }
  // The last block of a stream ends with a silence.
  settle(400);
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
  test(`Both layouts: ${what} gives the same texts in the same order`, { skip }, async (t) => {
    const heights = Array.from({ length: BLOCKS }, (_, i) => FIRST + i);
    const byBlock = await toldOf(t, 'by-block', readBlocks(data), subscriptions);
    const streamed = readStreamedBlocks(data, heights);
    const streaming = await toldOf(t, 'streaming', streamed, subscriptions);
    for (const [i, texts] of byBlock.entries()) {
      assert.ok(texts.length > 5, `${JSON.stringify(subscriptions[i])}: ${texts.length} messages`);
      assert.deepEqual(streaming[i], texts);
    }
  });
}

test(
  'Raw statuses: a ring without room loses them by count, and readers are told',
  { skip },
  async (t) => {
    const { rig, server, settle } = await openRig(t, 'by-block', 2 ** 17);
    const connect = (subscription: object): MemoryClient => {
      const client = server.connect({ path: '/ws' });
      assert.ok(client instanceof MemoryClient);
      client.send({ method: 'subscribe', subscription });
      return client;
    };
    const l4 = connect(SUBSCRIPTIONS[2]);
    settle(100);
    const blocks = readBlocks(data);
    // Two blocks at once, 900 KB, before the broadcast thread gets a turn: the ring holds 512 KB.
    rig.append(blocks[0]!);
    rig.append(blocks[1]!);
    settle(100);
    for (const block of blocks.slice(2, 5)) {
      rig.append(block);
      settle(70);
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

    const user = connect(OF_USER);
    settle(100);
    user.take();
    rig.append(blocks[5]!);
    rig.append(blocks[6]!);
    settle(100);
    rig.append(blocks[7]!);
    settle(100);
    const errors = user
      .take()
      .filter((frame) => frame.kind === 'text' && frame.text.includes('"error"'));
    assert.ok(errors.length > 0);
    const [first] = errors;
    assert.ok(first?.kind === 'text');
    assert.match(first.text, /Order statuses were lost: \d+ of BTC up to block 98514\d+/);
  },
);
