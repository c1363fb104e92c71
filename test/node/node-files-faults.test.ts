/**
 * A whole node beside a simulated Hyperliquid node whose files meet with every fault, one after another:
 * real threads, files and sockets. What a client is told is held against the truth all the time.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FeedClient, type Subscription } from '../../src/client/index.js';
import { BookState, stateReasonName } from '../../src/domain/book-state.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import type { NodeLayout } from '../../src/ingest/node-data.js';
import { HyperliquidNodeDialect } from '../../src/simulator/hyperliquid-node-dialect.js';
import type { NodeFileFault } from '../../src/simulator/node-files-writer.js';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.js';
import { readTimelineOrigin } from '../../src/time/system-clock.js';
import { SystemScheduler } from '../../src/time/system-scheduler.js';
import { Timeline } from '../../src/time/timeline.js';
import { LiveNode } from '../support/live-node.js';
import { until } from '../support/until.js';

const MARKETS = 2;
/** Heights that must be told after a fault that nobody need be told of. */
const BLOCKS_AFTER = 8;

type FaultySource = 'diffs' | 'statuses' | 'fills';

/** The simulated node and what a client of all its books hears. */
class Watched {
  readonly simulator: Simulator;
  readonly live: LiveNode;
  /** States that were told, as `coin state reason`, since the last call of `forget`. */
  told: string[] = [];
  readonly wrong: string[] = [];
  compared = 0;
  heights: number[] = [];
  private readonly dialect: HyperliquidNodeDialect;
  private readonly states: number[] = [];

  private constructor(simulator: Simulator, dialect: HyperliquidNodeDialect, live: LiveNode) {
    this.simulator = simulator;
    this.dialect = dialect;
    this.live = live;
  }

  static async start(t: TestContext, layout: NodeLayout): Promise<Watched> {
    const directory = mkdtempSync(join(tmpdir(), 'ringside-faults-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const origin = readTimelineOrigin();
    const simulator = createSimulator({
      scheduler: new SystemScheduler(origin.monotonicNs),
      timeline: new Timeline(origin.unixNs),
      seed: 5,
      markets: MARKETS,
      ratePerSecond: 400,
      hyperliquidNode: {
        directory,
        layouts: [layout === 'streaming' ? 'streaming' : 'by_block'],
        rejectsPerBlock: 20,
        keepTruths: true,
      },
    });
    const { dialect } = simulator.venue;
    assert.ok(dialect instanceof HyperliquidNodeDialect);
    const urls = await simulator.start();
    t.after(() => simulator.stop());
    const live = new LiveNode({
      venue: { id: 'hyperliquid-node' },
      node: { dataDir: directory, layout, infoUrl: urls.restUrl, validateEverySeconds: 0 },
    });
    t.after(() => live.stop());
    await live.start();
    const watched = new Watched(simulator, dialect, live);
    const client = new FeedClient({ url: `ws://127.0.0.1:${live.node.endpoints.port}` });
    t.after(() => client.close());
    const coins = simulator.venue.exchange.markets.map(({ spec }) => spec.symbol);
    const ready = coins.map((coin, market) => {
      const orders = client.orders(`hyperliquid-node:${coin}`, { mode: 'lossless' });
      watched.follow(coin, market, orders);
      return orders.ready;
    });
    await Promise.all(ready);
    return watched;
  }

  get allLive(): boolean {
    return this.states.length === MARKETS && this.states.every((s) => s === BookState.Live);
  }

  fault(source: FaultySource, fault: NodeFileFault): () => boolean {
    const { writer } = this.dialect;
    const before = writer.faultsDone[fault];
    writer.orderFault(source, fault);
    return () => writer.faultsDone[fault] > before;
  }

  stopSource(source: FaultySource, lines: 'kept' | 'lost'): void {
    this.dialect.writer.stopSource(source, lines);
  }

  resumeSource(source: FaultySource): void {
    this.dialect.writer.resumeSource(source);
  }

  /** So many blocks later. */
  async blocksLater(blocks: number): Promise<void> {
    const { chain } = this.dialect;
    const height = chain.height + blocks;
    await until(() => chain.height >= height, `block ${height} was made`);
  }

  async recovers(): Promise<void> {
    const { chain } = this.dialect;
    const height = chain.height + 3;
    const isBack = (): boolean => this.allLive && this.heights.every((h) => h >= height);
    await until(isBack, () => `all are Live again: ${this.told.join(', ')}`);
  }

  private follow(coin: string, market: number, orders: Subscription<'orders'>): void {
    orders.on((event) => {
      const { state, reason, venueSequence, flags } = event;
      if (this.states[market] !== state) {
        const name = Object.entries(BookState).find(([, value]) => value === state)![0];
        this.told.push(`${coin} ${name} ${stateReasonName(reason)}`);
      }
      this.states[market] = state;
      this.heights[market] = venueSequence;
      if (state !== BookState.Live || (flags & EventFlag.Last) === 0) return;
      const truth = this.dialect.chain.truthAt(venueSequence, market);
      this.compared++;
      const { hash } = event.orders;
      if (truth !== hash) this.wrong.push(`${coin} at ${venueSequence}: ${hash}, true is ${truth}`);
    });
  }
}

interface FaultCase {
  readonly what: string;
  /** Each of the books is told to be this, in-band; null: nobody need be told. */
  readonly told: RegExp | null;
  readonly layouts?: readonly NodeLayout[];
  /** Resolves once the fault has happened. */
  readonly happen: (watched: Watched) => Promise<void>;
  readonly undo?: (watched: Watched) => void;
}

const happened = (source: FaultySource, fault: NodeFileFault) => (watched: Watched) =>
  until(watched.fault(source, fault), `${fault} happened to ${source}`);

const CASES: readonly FaultCase[] = [
  { what: 'a line of diffs in two pieces', told: null, happen: happened('diffs', 'cut') },
  { what: 'a line of statuses in two pieces', told: null, happen: happened('statuses', 'cut') },
  { what: 'a line of fills cut for good', told: null, happen: happened('fills', 'torn') },
  { what: 'statuses that come late', told: null, happen: happened('statuses', 'late') },
  { what: 'a block of diffs missing', told: /Suspect/, happen: happened('diffs', 'missing') },
  { what: 'a line of diffs cut for good', told: /Suspect/, happen: happened('diffs', 'torn') },
  { what: 'the file of diffs cut', told: /Suspect/, happen: happened('diffs', 'truncated') },
  { what: 'the file of diffs replaced', told: /Suspect/, happen: happened('diffs', 'replaced') },
  {
    what: 'a block missing, and a snapshot from before it',
    told: /Suspect/,
    happen: async (watched) => {
      watched.simulator.setFaults({ staleSnapshot: 1 });
      await happened('diffs', 'missing')(watched);
      await watched.blocksLater(10);
    },
    undo: ({ simulator }) => simulator.setFaults({ staleSnapshot: 0 }),
  },
  {
    what: 'diffs silent, and all of them later',
    told: /Stale StreamSilent/,
    happen: async (watched) => {
      watched.stopSource('diffs', 'kept');
      await watched.blocksLater(20);
    },
    undo: (watched) => watched.resumeSource('diffs'),
  },
  {
    what: 'diffs silent, and what was meanwhile lost',
    told: /(Stale StreamSilent|Suspect)/,
    happen: async (watched) => {
      watched.stopSource('diffs', 'lost');
      await watched.blocksLater(20);
    },
    undo: (watched) => watched.resumeSource('diffs'),
  },
  {
    what: 'statuses and fills dead for a second and more',
    told: null,
    happen: async (watched) => {
      watched.stopSource('statuses', 'lost');
      watched.stopSource('fills', 'lost');
      await watched.blocksLater(20);
      watched.resumeSource('statuses');
      watched.resumeSource('fills');
    },
  },
];

for (const layout of ['by-block', 'streaming'] as const) {
  test(`A node beside faulty files, ${layout}: each fault is told in-band and repaired, no Live book is wrong`, async (t) => {
    const watched = await Watched.start(t, layout);
    await watched.recovers();
    for (const { what, told, happen, undo, layouts } of CASES) {
      if (layouts?.includes(layout) === false) continue;
      watched.told = [];
      await happen(watched);
      if (told === null) {
        await watched.blocksLater(BLOCKS_AFTER);
        assert.deepEqual(watched.told, [], `${what}: nobody need be told`);
      } else {
        const isTold = (): boolean => watched.told.some((line) => told.test(line));
        await until(isTold, () => `${what} is told: ${watched.told.join(', ')}`);
        undo?.(watched);
      }
      await watched.recovers();
      assert.deepEqual(watched.wrong, [], what);
    }
    assert.ok(watched.compared > 200, `${watched.compared} Live books were compared`);
    assert.equal(watched.live.node.restarts('ingest'), 0);
    assert.equal(watched.live.fatal, null);
  });
}
