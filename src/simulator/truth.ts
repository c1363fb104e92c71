/** The true books by symbol, for tests and checks: what a reader's book must equal. */
import { hashText } from '../domain/level-hash.js';
import { FaultError } from '../faults/fault.js';
import type { Exchange } from './exchange.js';
import type { BookCopy, Market } from './market.js';
import { LEVELS_COUNT_MAX } from './simulator-limits.js';
import type { TrueBook } from './truth-window.js';

export class Truth {
  private readonly exchange: Exchange;
  private readonly bySymbol = new Map<string, Market>();

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    for (const market of exchange.markets) this.bySymbol.set(market.spec.symbol, market);
  }

  /** What the book was at one of its update ids; null if that was none, or is too long ago. */
  at(symbol: string, updateId: number): TrueBook | null {
    const { truth } = this.marketOf(symbol);
    const found = truth.find(updateId);
    return found < 0 ? null : truth.read(found);
  }

  /** The book hash (domain/level-hash.ts) as 16 hex digits, or null. */
  hashAt(symbol: string, updateId: number): string | null {
    const { truth } = this.marketOf(symbol);
    const found = truth.find(updateId);
    return found < 0 ? null : hashText(truth.hashHigh(found), truth.hashLow(found));
  }

  /** Allocates nothing: 1 the same, 0 different, -1 unknown id. */
  compare(marketIndex: number, updateId: number, hashLow: number, hashHigh: number): -1 | 0 | 1 {
    const { truth } = this.exchange.markets[marketIndex]!;
    const found = truth.find(updateId);
    if (found < 0) return -1;
    return truth.hashedTo(found, hashLow, hashHigh) ? 1 : 0;
  }

  /** The book as it is now, (price, size) mantissas, best first. */
  book(symbol: string): BookCopy {
    const market = this.marketOf(symbol);
    return market.copyBook(market.changedNs, LEVELS_COUNT_MAX);
  }

  indexOf(symbol: string): number {
    return this.marketOf(symbol).index;
  }

  private marketOf(symbol: string): Market {
    const market = this.bySymbol.get(symbol);
    if (market === undefined) throw new FaultError('UNKNOWN_SYMBOL', `no market ${symbol}`);
    return market;
  }
}
