/**
 * The trades of one coin as the API shows them: the last ones, and candles made of them. Broadcast
 * thread, cold: Hyperliquid has some dozens of trades a second in all.
 */
export interface ApiTrade {
  readonly coin: string;
  /** Side of the aggressor: `A` sold, `B` bought. */
  readonly side: 'A' | 'B';
  readonly px: string;
  readonly sz: string;
  readonly hash: string;
  /** Unix milliseconds of the block. */
  readonly time: number;
  readonly tid: number;
  /** Buyer, seller. */
  readonly users: readonly [string, string];
}

interface Bar {
  /** Unix milliseconds. */
  readonly openMs: number;
  open: number;
  close: number;
  high: number;
  low: number;
  /** Of sizes and of trades. */
  volume: number;
  count: number;
}

/** As a candle of the official API; prices and volume are mantissas of the instrument. */
export interface Candle {
  readonly openMs: number;
  readonly closeMs: number;
  readonly open: number;
  readonly close: number;
  readonly high: number;
  readonly low: number;
  readonly volume: number;
  readonly count: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
export const CANDLE_INTERVALS_MS: Readonly<Record<string, number>> = {
  '1m': MINUTE_MS,
  '3m': 3 * MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '30m': 30 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '2h': 120 * MINUTE_MS,
  '4h': 240 * MINUTE_MS,
  '8h': 480 * MINUTE_MS,
  '12h': 720 * MINUTE_MS,
  '1d': DAY_MS,
  '3d': 3 * DAY_MS,
  '1w': 7 * DAY_MS,
};

/** What `recentTrades` of the official API gives at most. */
const RECENT_MAX = 10;
/** A day of minutes and some: 60 bytes each. */
const BARS_MAX = 1500;

export class TradeTape {
  private readonly trades: ApiTrade[] = [];
  private readonly bars: Bar[] = [];

  note(trade: ApiTrade, price: number, size: number): void {
    this.trades.push(trade);
    if (this.trades.length > RECENT_MAX) this.trades.shift();
    const openMs = trade.time - (trade.time % MINUTE_MS);
    const bar = this.bars.at(-1);
    if (bar === undefined || bar.openMs < openMs) {
      const one = { open: price, close: price, high: price, low: price, volume: size, count: 1 };
      this.bars.push({ openMs, ...one });
      if (this.bars.length > BARS_MAX) this.bars.shift();
      return;
    }
    bar.close = price;
    bar.high = Math.max(bar.high, price);
    bar.low = Math.min(bar.low, price);
    bar.volume += size;
    bar.count++;
  }

  /** Newest first. */
  recent(): ApiTrade[] {
    return this.trades.toReversed();
  }

  /** Candles with trades that open within the time asked for, oldest first. */
  candles(intervalMs: number, fromMs: number, toMs: number): Candle[] {
    const made = new Map<number, Candle>();
    for (const bar of this.bars) {
      const openMs = bar.openMs - (bar.openMs % intervalMs);
      if (openMs < fromMs - (fromMs % intervalMs) || openMs > toMs) continue;
      const closeMs = openMs + intervalMs - 1;
      const before = made.get(openMs);
      made.set(openMs, {
        openMs,
        closeMs,
        open: before?.open ?? bar.open,
        close: bar.close,
        high: Math.max(before?.high ?? bar.high, bar.high),
        low: Math.min(before?.low ?? bar.low, bar.low),
        volume: (before?.volume ?? 0) + bar.volume,
        count: (before?.count ?? 0) + bar.count,
      });
    }
    return [...made.values()];
  }
}
