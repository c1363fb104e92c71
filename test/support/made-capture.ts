/**
 * Makes a recording of a small futures market from a seed, with the true best after each update: for
 * tests that have no real captures.
 */
import { Prng } from '../../src/domain/prng.js';
import { formatDecimal } from '../../src/domain/decimal.js';

const PRICE_DECIMALS = 2;
const SIZE_DECIMALS = 3;
const START_SECOND = 1_700_000_000;

export interface MadeUpdate {
  readonly line: string;
  readonly u: number;
  /** Best levels after it, as the venue writes them. */
  readonly bid: readonly [string, string] | null;
  readonly ask: readonly [string, string] | null;
}

export class MadeMarket {
  readonly updates: MadeUpdate[] = [];
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();
  private readonly prng: Prng;
  private milliseconds = 0;
  private last = 1000;
  private middle = 50_000;

  constructor(
    readonly symbol: string,
    seed: number,
  ) {
    this.prng = new Prng(seed);
    for (let i = 1; i <= 30; i++) {
      this.bids.set(this.middle - i, 1 + this.below(5000));
      this.asks.set(this.middle + i, 1 + this.below(5000));
    }
  }

  /** A snapshot of now, as an hftbacktest line. */
  snapshotLine(): string {
    const side = (levels: Map<number, number>, sign: number): string[][] =>
      [...levels]
        .sort(([a], [b]) => (a - b) * sign)
        .map(([price, size]) => [priceText(price), sizeText(size)]);
    const bids = side(this.bids, -1);
    const asks = side(this.asks, 1);
    const body = { lastUpdateId: this.last, E: this.unixMs(), T: this.unixMs(), bids, asks };
    return this.line(JSON.stringify(body));
  }

  /** Moves the market by one update and returns its line. */
  update(): string {
    this.milliseconds += 100;
    this.middle += this.below(5) - 2;
    const previous = this.last;
    const first = previous + 1 + this.below(50);
    this.last = first + this.below(20);
    const b: string[][] = [];
    const a: string[][] = [];
    const change = (
      levels: Map<number, number>,
      out: string[][],
      price: number,
      size: number,
    ): void => {
      if (size === 0) levels.delete(price);
      else levels.set(price, size);
      out.push([priceText(price), sizeText(size)]);
    };
    for (const price of this.bids.keys()) if (price >= this.middle) change(this.bids, b, price, 0);
    for (const price of this.asks.keys()) if (price <= this.middle) change(this.asks, a, price, 0);
    for (let i = 0; i < 6; i++) {
      const size = this.below(4) === 0 ? 0 : 1 + this.below(9000);
      change(this.bids, b, this.middle - 1 - this.below(20), size);
      change(this.asks, a, this.middle + 1 + this.below(20), size);
    }
    const { symbol: s } = this;
    const data = {
      e: 'depthUpdate',
      E: this.unixMs(),
      T: this.unixMs(),
      s,
      U: first,
      u: this.last,
      pu: previous,
      b,
      a,
    };
    const stream = `${s.toLowerCase()}@depth@100ms`;
    const line = this.line(JSON.stringify({ stream, data }));
    this.updates.push({ line, u: this.last, bid: best(this.bids, -1), ask: best(this.asks, 1) });
    return line;
  }

  tickerLine(): string {
    const bid = best(this.bids, -1)!;
    const ask = best(this.asks, 1)!;
    const at = this.unixMs();
    const [b, B, a, A] = [...bid, ...ask];
    return this.line(
      JSON.stringify({ e: 'bookTicker', u: this.last, s: this.symbol, b, B, a, A, T: at, E: at }),
    );
  }

  private line(json: string): string {
    const nanos = String((this.milliseconds % 1000) * 1_000_000).padStart(9, '0');
    return `${START_SECOND + Math.floor(this.milliseconds / 1000)}${nanos} ${json}\n`;
  }

  private unixMs(): number {
    return START_SECOND * 1000 + this.milliseconds;
  }

  private below(limit: number): number {
    return Math.floor(this.prng.nextFloat() * limit);
  }
}

const priceText = (price: number): string => formatDecimal(price, PRICE_DECIMALS);
const sizeText = (size: number): string => formatDecimal(size, SIZE_DECIMALS);

function best(levels: ReadonlyMap<number, number>, sign: number): [string, string] | null {
  if (levels.size === 0) return null;
  const price = [...levels.keys()].reduce((a, b) => ((a - b) * sign < 0 ? a : b));
  return [priceText(price), sizeText(levels.get(price)!)];
}
