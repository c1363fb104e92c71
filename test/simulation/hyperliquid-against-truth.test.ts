/**
 * A whole node on real threads and sockets against the simulated Hyperliquid, and a client of its feed:
 * every Live book that the client ever holds is a book that the venue truly had at that block's time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeedClient } from '../../src/client/index.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { HyperliquidDialect } from '../../src/simulator/hyperliquid-dialect.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { LiveNode } from '../support/live-node.js';

/** Setting, levels a side, and coins with their decimals: perps, spot by name and number, HIP-3. */
const CASES = [
  [
    'full',
    20,
    [
      ['BTC', 1, 5],
      ['PURR/USDC', 8, 0],
    ],
  ],
  [
    'fast',
    5,
    [
      ['ETH', 2, 4],
      ['@107', 6, 2],
      ['xyz:SP500', 3, 3],
    ],
  ],
] as const;

for (const [l2Book, levels, coins] of CASES) {
  test(`Node on Hyperliquid, ${l2Book} books: no client ever holds a Live book that is untrue`, async (t) => {
    const origin = readTimelineOrigin();
    const simulator = createSimulator({
      scheduler: new SystemScheduler(origin.monotonicNs),
      timeline: new Timeline(origin.unixNs),
      ratePerSecond: 800,
      hyperliquid: { greeting: true, bookEveryMs: 150, fastEveryMs: 150 },
    });
    const urls = await simulator.start();
    const { dialect } = simulator.venue;
    assert.ok(dialect instanceof HyperliquidDialect);
    const node = new LiveNode({
      venue: {
        id: 'hyperliquid',
        ...urls,
        settings: { l2Book, markets: 'all' },
        symbols: coins.map(([symbol]) => symbol),
      },
      threads: { layout: 'fused' },
    });
    t.after(async () => {
      await node.stop();
      await simulator.stop();
    });
    await node.start();
    const client = new FeedClient({ url: `ws://127.0.0.1:${node.node.endpoints.port}` });
    t.after(() => client.close());
    const verdicts = { same: 0, different: 0, unknown: 0, trades: 0, tradesTwice: 0 };
    const instruments = await client.instruments();
    assert.deepEqual(
      instruments.map(({ symbol, priceDecimals, sizeDecimals }) => [
        symbol,
        priceDecimals,
        sizeDecimals,
      ]),
      coins,
    );
    const epochs = new Set<string>();
    for (const { instrument, symbol } of instruments) {
      client.book(instrument).on(({ book, flags, venueSequence, epoch }) => {
        if (!book.isLive || (flags & EventFlag.Last) === 0) return;
        epochs.add(`${instrument} ${epoch}`);
        const truth = dialect.hashAt(symbol, venueSequence, levels);
        if (truth === null) verdicts.unknown++;
        else if (truth === book.hash) verdicts.same++;
        else verdicts.different++;
      });
      const seen = new Set<string>();
      client.trades(instrument).on(({ trades }) => {
        for (const { tradeId, exchangeUnixMs } of trades) {
          verdicts.trades++;
          const key = `${tradeId} ${exchangeUnixMs}`;
          if (seen.has(key)) verdicts.tradesTwice++;
          seen.add(key);
        }
      });
    }
    await node.until('calm books were compared', () => verdicts.same > 20);
    assert.equal(epochs.size, instruments.length, 'one epoch an instrument while nothing is lost');
    simulator.setFaults({ drop: 0.02, duplicate: 0.05, reorder: 0.02, corrupt: 0.01 });
    const before = verdicts.same;
    simulator.venue.disconnectAll();
    await node.until('books were compared under faults', () => verdicts.same > before + 30);
    assert.deepEqual([verdicts.different, verdicts.unknown], [0, 0]);
    assert.ok(verdicts.trades > 0);
    assert.equal(verdicts.tradesTwice, 0);
    assert.equal(client.counters.hash.failed, 0);
  });
}
