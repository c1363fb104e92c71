/**
 * The books of the simulated Hyperliquid as the last block left them: the best twenty levels of each
 * coin, their texts, and the true hash of every book that was sent. Simulator's thread; once a block.
 */
import { formatShortDecimal } from '../domain/decimal.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, hashText, levelHashLane } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import type { Market } from './market.js';

export const LEVELS_FULL = 20;
export const LEVELS_FAST = 5;
/** Hashes kept, over all coins and depths. */
const TRUTHS_MAX = 1 << 16;

interface LevelCopy {
  readonly price: number;
  readonly size: number;
  readonly text: string;
}

/** A coin's best levels after a block. */
export class BlockBook {
  readonly sides: readonly [readonly LevelCopy[], readonly LevelCopy[]];

  constructor(
    readonly market: Market,
    readonly timeMs: number,
  ) {
    this.sides = [copySide(market, Side.Bid), copySide(market, Side.Ask)];
  }

  /** `{"coin":…,"time":…,"levels":[[…],[…]]}` */
  bookText(timeMs: number, levels: number): string {
    const side = (levelsOf: readonly LevelCopy[]): string =>
      levelsOf
        .slice(0, levels)
        .map(({ text }) => text)
        .join(',');
    const { symbol } = this.market.spec;
    return (
      `{"coin":"${symbol}","time":${timeMs},` +
      `"levels":[[${side(this.sides[0])}],[${side(this.sides[1])}]]}`
    );
  }

  /** The best of both sides as a bbo frame has them. */
  bestText(): string {
    const best = (side: Side): string => this.sides[side][0]?.text ?? 'null';
    return `[${best(Side.Bid)},${best(Side.Ask)}]`;
  }

  /** Mid price as text; null without both sides. */
  midText(): string | null {
    const [bid, ask] = [this.sides[0][0], this.sides[1][0]];
    if (bid === undefined || ask === undefined) return null;
    const { priceDecimals } = this.market.spec;
    return formatShortDecimal(bid.price * 5 + ask.price * 5, priceDecimals + 1);
  }

  hash(levels: number): string {
    let low = 0;
    let high = 0;
    for (const side of [Side.Bid, Side.Ask] as const) {
      for (const { price, size } of this.sides[side].slice(0, levels)) {
        low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
        high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
      }
    }
    return hashText(high, low);
  }
}

function copySide(market: Market, side: Side): LevelCopy[] {
  const levels = market.engine.book.sideOf(side);
  const { priceDecimals, sizeDecimals } = market.spec;
  return Array.from({ length: Math.min(LEVELS_FULL, levels.count) }, (_, rank) => {
    const level = levels.at(rank);
    const price = levels.price[level]!;
    const size = levels.size[level]!;
    const px = formatShortDecimal(price, priceDecimals);
    const sz = formatShortDecimal(size, sizeDecimals);
    return { price, size, text: `{"px":"${px}","sz":"${sz}","n":${levels.orders[level]!}}` };
  });
}

/** The true hashes of books that were sent, by coin, time and depth; the oldest are forgotten. */
export class BookTruths {
  private readonly hashes = new Map<string, string>();

  note(book: BlockBook, timeMs: number, levels: number): void {
    this.hashes.set(keyOf(book.market.spec.symbol, timeMs, levels), book.hash(levels));
    if (this.hashes.size <= TRUTHS_MAX) return;
    const [oldest] = this.hashes.keys();
    this.hashes.delete(oldest!);
  }

  hashAt(symbol: string, timeMs: number, levels: number): string | null {
    return this.hashes.get(keyOf(symbol, timeMs, levels)) ?? null;
  }
}

function keyOf(symbol: string, timeMs: number, levels: number): string {
  return `${symbol} ${timeMs} ${levels}`;
}
