/**
 * The simulator's door: an exchange on loopback that speaks Binance USDⓈ-M or Hyperliquid, or is a
 * Hyperliquid node that writes its files, in this thread. For a
 * whole node on a virtual clock, without sockets, take `createSimulatedVenue` and connect to it.
 */
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import { BinanceFuturesDialect } from './binance-futures-dialect.js';
import type { BinanceFuturesOptions } from './binance-futures-dialect.js';
import type { Dialect } from './dialect.js';
import { Exchange } from './exchange.js';
import type { FaultCounters, FaultSettings } from './fault-settings.js';
import { HyperliquidDialect } from './hyperliquid-dialect.js';
import type { HyperliquidOptions } from './hyperliquid-dialect.js';
import { HyperliquidNodeDialect } from './hyperliquid-node-dialect.js';
import type { HyperliquidNodeOptions } from './hyperliquid-node-dialect.js';
import { HYPERLIQUID_COINS_MAX, hyperliquidSpecs } from './hyperliquid-specs.js';
import { MARKETS_COUNT_DEFAULT, marketSpecs } from './market-specs.js';
import type { MarketSpec } from './market-specs.js';
import { SimulatorServer } from './server.js';
import type { SimulatorUrls } from './server.js';
import { SimulatedVenue } from './simulated-venue.js';
import { TRUTHS_TOTAL_DEFAULT, TRUTH_WINDOW_DEFAULT_MAX } from './simulator-limits.js';
import { Truth } from './truth.js';

export const RATE_DEFAULT = 200;

export interface SimulatorOptions {
  readonly scheduler: Scheduler;
  readonly timeline: Timeline;
  readonly seed?: number;
  /** Book updates a second over all markets, 200 by default; 0: the market stands still. */
  readonly ratePerSecond?: number;
  /** How many instruments, or which. */
  readonly markets?: number | readonly MarketSpec[];
  readonly faults?: Partial<FaultSettings>;
  /** Truths kept a market, a power of two. */
  readonly truthWindow?: number;
  /** 0: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Binance's, which is spoken unless one of the next two is given. */
  readonly dialect?: Omit<BinanceFuturesOptions, 'exchange' | 'timeline'>;
  readonly hyperliquid?: Omit<HyperliquidOptions, 'exchange' | 'timeline' | 'seed'>;
  readonly hyperliquidNode?: Omit<HyperliquidNodeOptions, 'exchange' | 'timeline' | 'seed'>;
}

export interface SimulatorStats {
  readonly marketsCount: number;
  readonly updatesCount: number;
  readonly tradesCount: number;
  readonly sessionsCount: number;
  readonly sessionsOpened: number;
  readonly skippedNs: number;
  readonly slowClients: number;
  readonly faults: FaultCounters;
}

export interface Simulator {
  readonly venue: SimulatedVenue;
  readonly truth: Truth;
  start(): Promise<SimulatorUrls>;
  stop(): Promise<void>;
  setFaults(changes: Partial<FaultSettings>): void;
  setRate(ratePerSecond: number): void;
  stats(): SimulatorStats;
}

/** Everything but the sockets. */
export function createSimulatedVenue(options: SimulatorOptions): {
  venue: SimulatedVenue;
  truth: Truth;
} {
  const { scheduler, seed = 1 } = options;
  const specs = specsFor(options);
  const exchange = new Exchange({
    specs,
    seed,
    ratePerSecond: options.ratePerSecond ?? RATE_DEFAULT,
    startNs: scheduler.nowNs(),
    truthWindow: options.truthWindow ?? truthWindowFor(specs.length),
  });
  const dialect = dialectFor(options, exchange, seed);
  const venue = new SimulatedVenue({
    exchange,
    dialect,
    scheduler,
    seed,
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  return { venue, truth: new Truth(exchange) };
}

function specsFor(options: SimulatorOptions): readonly MarketSpec[] {
  const { markets } = options;
  if (typeof markets === 'object') return markets;
  const isHyperliquid = options.hyperliquid !== undefined || options.hyperliquidNode !== undefined;
  if (!isHyperliquid) return marketSpecs(markets ?? MARKETS_COUNT_DEFAULT);
  return hyperliquidSpecs(Math.min(markets ?? HYPERLIQUID_COINS_MAX, HYPERLIQUID_COINS_MAX));
}

function dialectFor(options: SimulatorOptions, exchange: Exchange, seed: number): Dialect {
  const { timeline, hyperliquid, hyperliquidNode } = options;
  if (hyperliquid !== undefined) {
    return new HyperliquidDialect({ ...hyperliquid, exchange, timeline, seed });
  }
  if (hyperliquidNode !== undefined) {
    return new HyperliquidNodeDialect({ ...hyperliquidNode, exchange, timeline, seed });
  }
  return new BinanceFuturesDialect({ ...options.dialect, exchange, timeline });
}

function truthWindowFor(marketsCount: number): number {
  let window = TRUTH_WINDOW_DEFAULT_MAX;
  while (window > 64 && window * marketsCount > TRUTHS_TOTAL_DEFAULT) window /= 2;
  return window;
}

export function createSimulator(options: SimulatorOptions): Simulator {
  const { venue, truth } = createSimulatedVenue(options);
  const { exchange } = venue;
  const server = new SimulatorServer(venue, options.scheduler);
  return {
    venue,
    truth,
    async start() {
      const urls = await server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
      venue.start();
      return urls;
    },
    async stop() {
      venue.stop();
      await server.close();
    },
    setFaults: (changes) => venue.setFaults(changes),
    setRate: (ratePerSecond) => exchange.setRate(ratePerSecond),
    stats: () => ({
      marketsCount: exchange.markets.length,
      updatesCount: exchange.updatesCount,
      tradesCount: exchange.tradesCount,
      sessionsCount: venue.sessionsCount,
      sessionsOpened: venue.sessionsOpened,
      skippedNs: exchange.skippedNs,
      slowClients: server.slowClients,
      faults: venue.counters,
    }),
  };
}
