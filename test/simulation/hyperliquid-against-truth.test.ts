/**
 * A whole node on real threads and sockets against the simulated Hyperliquid, and a client of its feed:
 * every Live book that the client ever holds is a book that the venue truly had at that block's time, and
 * every Live context one that it truly said.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BookState, FeedClient } from '../../src/client/index.js';
import type { ContextEvent, ExactDecimal } from '../../src/client/index.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { HyperliquidDialect } from '../../src/simulator/hyperliquid-dialect.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { LiveNode } from '../support/live-node.js';

/** Settings of l2Book, with its levels a side, and of context; and coins with their decimals: perps, spot by name and number, HIP-3. */
const CASES = [
  [
    'full',
    20,
    'full',
    [
      ['BTC', 1, 5],
      ['PURR/USDC', 8, 0],
    ],
  ],
  [
    'fast',
    5,
    'mids',
    [
      ['ETH', 2, 4],
      ['@107', 6, 2],
      ['xyz:SP500', 3, 3],
    ],
  ],
] as const;

for (const [l2Book, levels, context, coins] of CASES) {
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
        settings: { l2Book, context, markets: 'all' },
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
    const contexts = { said: 0, unsaid: 0 };
    const told = new Set<string>();
    for (const { instrument, symbol } of instruments) {
      client.book(instrument).on(({ book, flags, venueSequence, epoch }) => {
        if (!book.isLive || (flags & EventFlag.Last) === 0) return;
        epochs.add(`${instrument} ${epoch}`);
        const truth = dialect.hashAt(symbol, venueSequence, levels);
        if (truth === null) verdicts.unknown++;
        else if (truth === book.hash) verdicts.same++;
        else verdicts.different++;
      });
      client.context(instrument).on((event) => {
        if (event.state !== BookState.Live) return;
        contexts[judgeContext(dialect, symbol, context, event)]++;
        told.add(symbol);
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
    await node.until('each has a context', () => told.size === coins.length);
    assert.equal(epochs.size, instruments.length, 'one epoch an instrument while nothing is lost');
    simulator.setFaults({ drop: 0.02, duplicate: 0.05, reorder: 0.02, corrupt: 0.01 });
    const before = verdicts.same;
    simulator.venue.disconnectAll();
    await node.until('books were compared under faults', () => verdicts.same > before + 30);
    assert.deepEqual([verdicts.different, verdicts.unknown], [0, 0]);
    assert.equal(contexts.unsaid, 0);
    assert.ok(contexts.said >= coins.length);
    assert.ok(verdicts.trades > 0);
    assert.equal(verdicts.tradesTwice, 0);
    assert.equal(client.counters.hash.failed, 0);
  });
}

/** A context is what one frame said: all of it, or of mids alone the mid. */
function judgeContext(
  dialect: HyperliquidDialect,
  symbol: string,
  source: 'full' | 'mids',
  event: ContextEvent,
): 'said' | 'unsaid' {
  const text = (value: ExactDecimal | null): string | null => value?.text ?? null;
  const { contextTruths } = dialect;
  const { markPrice, midPrice, dayNotional, fundingRate } = event;
  const wasSaid =
    source === 'mids'
      ? markPrice === null && contextTruths.wasMid(symbol, text(midPrice)!)
      : contextTruths.wasSaid(
          symbol,
          text(markPrice),
          text(midPrice),
          text(dayNotional),
          text(fundingRate),
        );
  return wasSaid ? 'said' : 'unsaid';
}
