/**
 * A whole node on real threads and sockets against the simulated exchange, and a client of its feed:
 * every Live book that the client ever holds is held against the true book at that venue update.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeedClient } from '../../src/client/index.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { createSimulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { LiveNode } from '../support/live-node.js';

const MARKETS = 6;
const RUN_MS_MIN = 1_500;

for (const layout of ['full', 'fused'] as const) {
  test(`Node, layout ${layout}: no client ever holds a Live book that is untrue`, async (t) => {
    const origin = readTimelineOrigin();
    const simulator = createSimulator({
      scheduler: new SystemScheduler(origin.monotonicNs),
      timeline: new Timeline(origin.unixNs),
      markets: MARKETS,
      ratePerSecond: 1200,
      truthWindow: 1 << 14,
      dialect: { staleSnapshotAgeMs: 300 },
    });
    const urls = await simulator.start();
    const node = new LiveNode({
      venue: { id: 'binance-futures', ...urls, settings: { depthInterval: '0ms' } },
      threads: { layout, workers: 2 },
    });
    t.after(async () => {
      await node.stop();
      await simulator.stop();
    });
    await node.start();
    const client = new FeedClient({ url: `ws://127.0.0.1:${node.node.endpoints.port}` });
    t.after(() => client.close());
    const verdicts = { same: 0, different: 0, unknown: 0, left: 0 };
    for (const { instrument, symbol } of await client.instruments()) {
      for (const mode of ['lossless', 'conflated'] as const) {
        client.book(instrument, { mode }).on(({ book, flags, venueSequence }) => {
          if (!book.isLive) verdicts.left++;
          if (!book.isLive || (flags & EventFlag.Last) === 0) return;
          const truth = simulator.truth.hashAt(symbol, venueSequence);
          if (truth === null) verdicts.unknown++;
          else if (truth === book.hash) verdicts.same++;
          else verdicts.different++;
        });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    simulator.setFaults({
      drop: 0.004,
      duplicate: 0.01,
      reorder: 0.002,
      corrupt: 0.002,
      staleSnapshot: 0.1,
      lateSnapshot: 0.1,
      lateSnapshotMs: 200,
    });
    await new Promise((resolve) => setTimeout(resolve, RUN_MS_MIN));
    const enough = (): boolean => verdicts.left > 0 && verdicts.same > 300;
    await node.until('books left Live and were compared', enough);
    assert.ok(simulator.stats().faults.dropped > 0, 'faults struck');
    assert.ok(verdicts.same > 300, `${verdicts.same} Live books compared`);
    assert.deepEqual([verdicts.different, verdicts.unknown], [0, 0]);
    assert.equal(client.counters.hash.failed, 0);
    assert.equal(client.counters.gaps, 0);
  });
}
