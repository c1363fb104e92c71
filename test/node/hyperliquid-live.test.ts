/**
 * A whole node on the files of a Hyperliquid node that are written while it reads: real captures,
 * line by line, real threads and sockets; the client's orders end as the replay's do.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FeedClient, Side } from '../../src/client/index.js';
import { BookState } from '../../src/domain/book-state.js';
import { findNodeData, type NodeLayout } from '../../src/ingest/node-data.js';
import { NodeReplayRun, readSnapshotCoins } from '../../src/node/node-replay-run.js';
import { capturesDirectory } from '../support/captures.js';
import { LiveNode } from '../support/live-node.js';

const captures = capturesDirectory();
const skip = captures === null ? 'no captures: set RINGSIDE_CAPTURES' : false;
const home = join(captures ?? '', 'hyperliquid');
const cut = join(home, 'derived', 'dual_985148182_985148206');
const snapshotFile = join(
  home,
  'packethog',
  'hl_dual_validator',
  'source',
  'snapshot_985148181.json.gz',
);
const SOURCES = ['node_raw_book_diffs', 'node_order_statuses', 'node_fills'];
const LAST_HEIGHT = 985148206;

async function replayHash(layout: NodeLayout): Promise<string> {
  const run = new NodeReplayRun({
    data: findNodeData(cut, layout),
    snapshotPath: snapshotFile,
    instruments: readSnapshotCoins(snapshotFile, 'perps', null),
    mode: 'none',
    levels: 0,
    sigFigs: 0,
    mantissa: 1,
    report: () => {},
  });
  await run.run(async () => true);
  return run.summary().hash;
}

/** Lines of each source with their heights, and where they are to be written. */
function sourcesOf(layout: NodeLayout, target: string) {
  const suffix = layout.replace('-', '_');
  return SOURCES.map((name) => {
    const folder = `${name}_${suffix}`;
    const inside = join('hourly', '20260505');
    const text = readFileSync(join(cut, 'hl', 'data', folder, inside, '17'), 'utf8');
    mkdirSync(join(target, folder, inside), { recursive: true });
    const lines = text.split('\n').filter(Boolean);
    return {
      file: join(target, folder, inside, '17'),
      lines: lines.map((line) => ({
        line,
        height: Number(/"block_number":(\d+)/.exec(line)![1]),
      })),
    };
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const layout of ['by-block', 'streaming'] as const) {
  test(
    `Serve on node files, ${layout}: a client's orders, book and levels end as the replay's`,
    { skip },
    async (t) => {
      const target = mkdtempSync(join(tmpdir(), 'ringside-live-'));
      t.after(() => rmSync(target, { recursive: true, force: true }));
      const sources = sourcesOf(layout, target);
      const live = new LiveNode({
        venue: { id: 'hyperliquid-node' },
        node: { dataDir: target, layout, snapshotFile, validateEverySeconds: 0 },
      });
      t.after(() => live.stop());
      await live.node.start();
      await live.until('the book is Live', () => live.allLive());
      const client = new FeedClient({ url: `ws://127.0.0.1:${live.node.endpoints.port}` });
      t.after(() => client.close());
      const orders = client.orders('hyperliquid-node:BTC', { mode: 'lossless' });
      const book = client.book('hyperliquid-node:BTC', { mode: 'lossless' });
      const trades: unknown[] = [];
      client.trades('hyperliquid-node:BTC').on((event) => trades.push(...event.trades));
      await Promise.all([orders.ready, book.ready]);
      await live.until('the snapshot is there', () => orders.orders.count === 51_351);
      for (let height = 985148182; height <= LAST_HEIGHT; height++) {
        for (const { file, lines } of sources) {
          const text = lines.filter((l) => l.height === height).map((l) => `${l.line}\n`);
          // A line is written in two pieces: its first part must not be taken for all of it.
          const whole = text.join('');
          appendFileSync(file, whole.slice(0, whole.length >> 1));
          appendFileSync(file, whole.slice(whole.length >> 1));
        }
        await pause(10);
      }
      await live.until('the last block is there', () => orders.book.venueSequence === LAST_HEIGHT);
      await live.until('the levels are too', () => book.book.venueSequence === LAST_HEIGHT);
      assert.equal(orders.orders.hash, await replayHash(layout));
      assert.equal(orders.orders.count, 51_343);
      assert.equal(orders.book.hash, book.book.hash);
      const queue = orders.orders.bestQueue(Side.Bid);
      assert.equal(queue.length, 8);
      assert.equal(
        queue.reduce((sum, { size }) => sum + size, 0),
        book.book.bestBid!.size,
      );
      await live.until('so are the trades', () => trades.length >= 6);
      assert.equal(trades.length, 6);
      const { gaps, malformed, hash } = client.counters;
      assert.deepEqual(
        { gaps, malformed, failed: hash.failed },
        { gaps: 0, malformed: 0, failed: 0 },
      );
      await live.until('the silence is told', () => orders.book.state === BookState.Stale);
      assert.equal(live.node.restarts('ingest'), 0);
    },
  );
}
