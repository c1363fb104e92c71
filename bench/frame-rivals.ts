/**
 * Other people's ways from the bytes of a depth frame to a book that holds it: for frame-to-book.bench.ts;
 * and their books alone, for book-ladder.bench.ts.
 * Each takes the same bytes that we take, so each pays for turning them into text.
 */
import { type Exchange, OrderBook as TardisBook, normalizeBookChanges } from 'tardis-dev';
import type { Book, PreparedBook } from './book-ladder.bench.js';
import type { Instrument } from '../src/domain/instrument.js';

/** What is measured. `top` tells the best levels of both sides as whole mantissas, for the proof. */
export interface FrameBook {
  frame(bytes: Uint8Array): void;
  top(levels: number): string;
}

interface DepthMessage {
  readonly stream: string;
  readonly data: {
    readonly U: number;
    readonly u: number;
    readonly pu: number;
    readonly b: readonly (readonly [string, string])[];
    readonly a: readonly (readonly [string, string])[];
  };
}

interface DepthSnapshot {
  readonly lastUpdateId: number;
  readonly bids: [string, string][];
  readonly asks: [string, string][];
}

const parseText = (bytes: Uint8Array): unknown =>
  JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));

type Pair = readonly [price: number, size: number];

/** `60000.10:1.5` of both sides in mantissas: equal for all that hold the same levels. */
function topText(bids: readonly Pair[], asks: readonly Pair[], instrument: Instrument): string {
  const mantissas = ([price, size]: Pair): string =>
    `${Math.round(price * 10 ** instrument.priceDecimals)}:${Math.round(size * 10 ** instrument.sizeDecimals)}`;
  return [bids.map(mantissas).join(' '), asks.map(mantissas).join(' ')].join(' / ');
}

/** JSON.parse, a Map a side, and the venue's rule of continuity. */
export class PlainBook implements FrameBook {
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();
  private lastUpdateId: number;
  private aligned = false;

  constructor(
    private readonly instrument: Instrument,
    snapshot: Uint8Array,
  ) {
    const { lastUpdateId, bids, asks } = parseText(snapshot) as DepthSnapshot;
    this.lastUpdateId = lastUpdateId;
    apply(this.bids, bids);
    apply(this.asks, asks);
  }

  frame(bytes: Uint8Array): void {
    const { data } = parseText(bytes) as DepthMessage;
    if (data.u < this.lastUpdateId) return;
    if (this.aligned && data.pu !== this.lastUpdateId) throw new Error('gap');
    this.aligned = true;
    this.lastUpdateId = data.u;
    apply(this.bids, data.b);
    apply(this.asks, data.a);
  }

  top(levels: number): string {
    const bids = [...this.bids].sort((x, y) => y[0] - x[0]).slice(0, levels);
    const asks = [...this.asks].sort((x, y) => x[0] - y[0]).slice(0, levels);
    return topText(bids, asks, this.instrument);
  }
}

function apply(side: Map<number, number>, levels: readonly (readonly [string, string])[]): void {
  for (const [price, size] of levels) {
    const amount = Number(size);
    if (amount === 0) side.delete(Number(price));
    else side.set(Number(price), amount);
  }
}

/** tardis-dev: its mapper of Binance futures, its order book. */
export class TardisFrames implements FrameBook {
  private readonly mapper = normalizeBookChanges(EXCHANGE, new Date());
  private readonly book = new TardisBook();
  private readonly now = new Date();

  constructor(
    private readonly instrument: Instrument,
    snapshot: Uint8Array,
  ) {
    const stream = `${instrument.symbol.toLowerCase()}@depthSnapshot`;
    this.take({ stream, data: parseText(snapshot) });
  }

  frame(bytes: Uint8Array): void {
    this.take(parseText(bytes));
  }

  private take(message: unknown): void {
    for (const change of this.mapper.map(message, this.now) ?? []) this.book.update(change);
  }

  top(levels: number): string {
    const first = (side: Iterable<{ price: number; amount: number }>): Pair[] => {
      const pairs: Pair[] = [];
      for (const { price, amount } of side) {
        if (pairs.length === levels) break;
        pairs.push([price, amount]);
      }
      return pairs;
    };
    return topText(first(this.book.bids()), first(this.book.asks()), this.instrument);
  }
}

const EXCHANGE: Exchange & 'binance-futures' = 'binance-futures';

interface CcxtSide extends ReadonlyArray<Pair> {
  store(price: number, size: number): void;
}

interface CcxtOrderBook {
  readonly bids: CcxtSide;
  readonly asks: CcxtSide;
  reset(snapshot: { nonce: number; bids: Pair[]; asks: Pair[] }): void;
}

interface CcxtExchange {
  orderbooks: Record<string, CcxtOrderBook>;
  setMarkets(markets: readonly unknown[]): void;
  orderBook(snapshot: object): CcxtOrderBook;
  handleOrderBook(client: object, message: unknown): void;
}

/** ccxt: its handler of depth updates, its order book. Loaded late, for it is large. */
export async function createCcxtFrames(
  instrument: Instrument,
  snapshot: Uint8Array,
): Promise<FrameBook> {
  const exchange = await createCcxtExchange();
  const { base, quote, symbol: id } = instrument;
  const symbol = `${base}/${quote}:${quote}`;
  const kinds = { type: 'swap', swap: true, contract: true, linear: true, settle: quote };
  exchange.setMarkets([{ id, lowercaseId: id.toLowerCase(), symbol, base, quote, ...kinds }]);
  const book = exchange.orderBook({});
  const { lastUpdateId, bids, asks } = parseText(snapshot) as DepthSnapshot;
  const numbers = (side: [string, string][]): Pair[] =>
    side.map(([p, s]) => [Number(p), Number(s)]);
  book.reset({ nonce: lastUpdateId, bids: numbers(bids), asks: numbers(asks) });
  exchange.orderbooks[symbol] = book;
  const client = { url: 'wss://fstream.binance.com/stream', resolve(): void {}, reject: rethrow };
  return {
    frame: (bytes) => exchange.handleOrderBook(client, (parseText(bytes) as DepthMessage).data),
    top: (levels) => topText(book.bids.slice(0, levels), book.asks.slice(0, levels), instrument),
  };
}

export async function createCcxtExchange(): Promise<CcxtExchange> {
  const { pro } = await import('ccxt');
  return new pro.binanceusdm() as unknown as CcxtExchange;
}

interface TardisLevel {
  readonly price: number;
  readonly amount: number;
}
interface TardisChange {
  readonly isSnapshot: boolean;
  readonly bids: TardisLevel[];
  readonly asks: TardisLevel[];
}

/** tardis-dev's order book alone, fed the changes that its mapper would make. */
export class TardisLevels implements PreparedBook {
  private readonly book = new TardisBook();
  private loaded = false;

  prepare(triples: Float64Array, from: number, to: number): TardisChange[] {
    const changes: TardisChange[] = [];
    let bids: TardisLevel[] = [];
    let asks: TardisLevel[] = [];
    for (let i = from; i < to; i += 3) {
      const side = triples[i]!;
      if (side >= 0) {
        (side === 0 ? bids : asks).push({ price: triples[i + 1]!, amount: triples[i + 2]! });
        continue;
      }
      changes.push({ isSnapshot: !this.loaded, bids, asks });
      this.loaded = true;
      bids = [];
      asks = [];
    }
    return changes;
  }

  playPrepared(changes: readonly TardisChange[]): number {
    const { book } = this;
    let sum = 0;
    for (const change of changes) {
      book.update(change as Parameters<TardisBook['update']>[0]);
      sum += (book.bestBid()?.price ?? -1) + (book.bestAsk()?.price ?? -1);
    }
    return sum;
  }

  count(side: number): number {
    let count = 0;
    for (const _level of side === 0 ? this.book.bids() : this.book.asks()) count++;
    return count;
  }
}

/** ccxt's order book alone. */
export async function createCcxtLevels(): Promise<Book> {
  const book = (await createCcxtExchange()).orderBook({});
  const sides = [book.bids, book.asks] as const;
  return {
    set: (side, price, size) => {
      sides[side as 0 | 1].store(price, size);
      return 0;
    },
    best: (side) => sides[side as 0 | 1][0]?.[0] ?? -1,
    count: (side) => sides[side as 0 | 1].length,
  };
}

function rethrow(error: Error): never {
  throw error;
}
