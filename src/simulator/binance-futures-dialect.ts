/**
 * The simulated exchange in Binance USDⓈ-M's dialect: which stream is served on which endpoint, who
 * listens, when frames go out, what REST answers. Simulator's thread; `onCommand` is hot.
 *
 *     /public/{ws,stream}   @depth[@0ms|@100ms|@500ms], @bookTicker, @trade
 *     /market/{ws,stream}   @aggTrade, @markPrice[@1s]
 *     /ws, /stream          the old paths: they open and acknowledge, and nothing ever comes
 *
 * A stream asked for on the wrong endpoint, or one that does not exist, is acknowledged and silent,
 * as on the real exchange since 2026-04-23.
 */
import type { Timeline } from '../time/timeline.js';
import {
  AggregateTradeStream,
  BookTickerStream,
  DepthStream,
  TradeStream,
} from './binance-futures-streams.js';
import type { Stream } from './binance-futures-streams.js';
import {
  DEPTH_LIMIT_DEFAULT,
  WEIGHT_MAX,
  depthBody,
  depthWeight,
  errorBody,
  exchangeInfoBody,
} from './binance-futures-rest.js';
import { BinanceFuturesSession } from './binance-futures-session.js';
import type {
  AnswerWishes,
  Dialect,
  DialectLimits,
  DialectSession,
  SessionOutput,
  SimulatedAnswer,
  SimulatedRequest,
} from './dialect.js';
import type { Exchange } from './exchange.js';
import { FrameWriter } from './frame-writer.js';
import { MarkPriceStream } from './mark-price-stream.js';
import type { BookCopy, Market } from './market.js';
import { RestBudget } from './rest-budget.js';
import { LEVELS_COUNT_MAX } from './simulator-limits.js';

export interface BinanceFuturesOptions {
  readonly exchange: Exchange;
  readonly timeline: Timeline;
  /** With the fields that came in 2026 (`ps`, `st`). */
  readonly extendedFrames?: boolean;
  readonly restWeightMax?: number;
  /** Refusals by 429 within a minute before the address is banned. */
  readonly refusalsMax?: number;
  readonly messagesPerSecondMax?: number;
  readonly pingEveryMs?: number;
  readonly pongDeadlineMs?: number;
  readonly lifetimeMs?: number;
  /** How old the book of a stale snapshot is, at least. */
  readonly staleSnapshotAgeMs?: number;
}

export type Endpoint = 'public' | 'market' | 'legacy';

/** Depth streams by their suffix and interval. */
const DEPTH_INTERVALS_MS: Readonly<Record<string, number>> = {
  depth: 250,
  'depth@100ms': 100,
  'depth@500ms': 500,
};
const DEPTH_AT_ONCE = 'depth@0ms';
/**
 * Markets are flushed in turns, this many to an interval, as the exchange's are: not all at once.
 */
const TURNS = 10;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Mark price streams by their suffix and period. */
const MARK_PRICE_PERIODS_MS: Readonly<Record<string, number>> = {
  markPrice: 3_000,
  'markPrice@1s': 1_000,
};

export class BinanceFuturesDialect implements Dialect {
  readonly venue = 'binance-futures';
  readonly limits: DialectLimits;
  readonly canRetick = true;
  readonly messagesPerSecondMax: number;
  refusalsCount = 0;

  private readonly exchange: Exchange;
  private readonly timeline: Timeline;
  private readonly writer = new FrameWriter();
  private readonly budget: RestBudget;
  private readonly byName = new Map<string, { stream: Stream; endpoint: Endpoint }>();
  private readonly bySymbol = new Map<string, Market>();

  // by market index
  private readonly depthAtOnce: DepthStream[] = [];
  private readonly depthPaced: DepthStream[][] = [];
  private readonly tickers: BookTickerStream[] = [];
  private readonly trades: TradeStream[] = [];
  private readonly aggregates: AggregateTradeStream[] = [];
  /** Books of the past for stale snapshots: two generations, the older is given. */
  private readonly oldBooks: BookCopy[];
  private readonly newerBooks: BookCopy[];
  private readonly staleAgeNs: number;

  constructor(options: BinanceFuturesOptions) {
    this.exchange = options.exchange;
    this.timeline = options.timeline;
    this.budget = new RestBudget(options.restWeightMax ?? WEIGHT_MAX, options.refusalsMax ?? 10);
    this.messagesPerSecondMax = options.messagesPerSecondMax ?? 10;
    this.staleAgeNs = (options.staleSnapshotAgeMs ?? 3000) * 1e6;
    this.limits = {
      pingEveryMs: options.pingEveryMs ?? 3 * MINUTE_MS,
      pongDeadlineMs: options.pongDeadlineMs ?? 10 * MINUTE_MS,
      lifetimeMs: options.lifetimeMs ?? DAY_MS,
    };
    for (const market of options.exchange.markets) {
      this.addMarket(market, options.extendedFrames ?? false);
    }
    this.oldBooks = options.exchange.markets.map((market) => this.copyNow(market));
    this.newerBooks = [...this.oldBooks];
    for (const suffix of Object.keys(DEPTH_INTERVALS_MS)) this.addPace(suffix);
    for (const suffix of Object.keys(MARK_PRICE_PERIODS_MS)) this.addMarkPrices(suffix);
    options.exchange.addCadence(options.exchange.timeNs + this.staleAgeNs, (timeNs) => {
      this.ageBooks();
      return timeNs + this.staleAgeNs;
    });
  }

  private addMarket(market: Market, extended: boolean): void {
    this.bySymbol.set(market.spec.symbol, market);
    const depth = new DepthStream(market, DEPTH_AT_ONCE, extended);
    const paced = Object.keys(DEPTH_INTERVALS_MS).map(
      (suffix) => new DepthStream(market, suffix, extended),
    );
    const ticker = new BookTickerStream(market, extended);
    const trade = new TradeStream(market);
    const aggregate = new AggregateTradeStream(market, extended);
    this.depthAtOnce.push(depth);
    this.depthPaced.push(paced);
    this.tickers.push(ticker);
    this.trades.push(trade);
    this.aggregates.push(aggregate);
    for (const stream of [depth, ...paced, ticker, trade]) {
      this.byName.set(stream.name, { stream, endpoint: 'public' });
    }
    this.byName.set(aggregate.name, { stream: aggregate, endpoint: 'market' });
  }

  private addMarkPrices(suffix: string): void {
    const periodNs = MARK_PRICE_PERIODS_MS[suffix]! * 1e6;
    const streams = this.exchange.markets.map((market) => new MarkPriceStream(market, suffix));
    for (const stream of streams) this.byName.set(stream.name, { stream, endpoint: 'market' });
    this.exchange.addCadence(this.exchange.timeNs + periodNs, (timeNs) => {
      const eventMs = this.unixMs(timeNs);
      for (const stream of streams) {
        if (stream.listenersCount > 0) stream.send(this.writer, eventMs);
      }
      return timeNs + periodNs;
    });
  }

  /** Flushes the streams of one interval, a tenth of the markets at a time. */
  private addPace(suffix: string): void {
    const kind = Object.keys(DEPTH_INTERVALS_MS).indexOf(suffix);
    const stepNs = (DEPTH_INTERVALS_MS[suffix]! * 1e6) / TURNS;
    let turn = 0;
    this.exchange.addCadence(this.exchange.timeNs + stepNs, (timeNs) => {
      const eventMs = this.unixMs(timeNs);
      for (let index = turn; index < this.depthPaced.length; index += TURNS) {
        const stream = this.depthPaced[index]![kind]!;
        if (stream.listenersCount > 0) {
          stream.flush(this.writer, eventMs, this.unixMs(stream.market.changedNs));
        }
      }
      turn = (turn + 1) % TURNS;
      return timeNs + stepNs;
    });
  }

  /** Hot: after each command that changed a book. */
  onCommand(market: Market, timeNs: number): void {
    const index = market.index;
    const nowMs = this.unixMs(timeNs);
    const { writer } = this;
    if (market.command.tradesCount > 0) {
      const trades = this.trades[index]!;
      if (trades.listenersCount > 0) trades.send(writer, nowMs, nowMs);
      this.aggregates[index]!.send(writer, nowMs, nowMs);
    }
    if (market.topChanged) {
      const ticker = this.tickers[index]!;
      if (ticker.listenersCount > 0) ticker.send(writer, nowMs, nowMs);
    }
    const paced = this.depthPaced[index]!;
    for (let kind = 0; kind < paced.length; kind++) {
      const stream = paced[kind]!;
      if (stream.listenersCount > 0) stream.collect();
    }
    const depth = this.depthAtOnce[index]!;
    if (depth.listenersCount > 0) {
      depth.collect();
      depth.flush(writer, nowMs, nowMs);
    }
  }

  beforeRetick(market: Market, timeNs: number): void {
    const nowMs = this.unixMs(timeNs);
    const streams = [this.depthAtOnce[market.index]!, ...this.depthPaced[market.index]!];
    for (const stream of streams) stream.flush(this.writer, nowMs, nowMs);
  }

  openSession(target: string, output: SessionOutput): DialectSession | null {
    const url = new URL(target, 'ws://simulator');
    const path = /^(?:\/(public|market))?\/(ws|stream)(?:\/(.+))?$/.exec(url.pathname);
    if (path === null) return null;
    const [, endpoint = 'legacy', form, rawNames] = path;
    const combined = form === 'stream';
    const names = combined ? url.searchParams.get('streams') : rawNames;
    const session = new BinanceFuturesSession(this, endpoint as Endpoint, output, combined);
    if (names !== null && names !== undefined && names !== '') {
      session.subscribe(names.split('/'));
    }
    return session;
  }

  /** A stream that this endpoint serves, or null: then it is acknowledged and silent. */
  streamOf(name: string, endpoint: Endpoint): Stream | null {
    const found = this.byName.get(name);
    return found !== undefined && found.endpoint === endpoint ? found.stream : null;
  }

  listen(stream: Stream, output: SessionOutput, combined: boolean): void {
    if (stream.listenersCount === 0 && stream instanceof DepthStream) stream.restart();
    stream.add(output, combined);
  }

  isSnapshotRequest(request: SimulatedRequest): boolean {
    return request.target.startsWith('/fapi/v1/depth');
  }

  answer(request: SimulatedRequest, wishes: AnswerWishes, nowNs: number): SimulatedAnswer {
    const url = new URL(request.target, 'http://simulator');
    if (wishes.refuseStatus === 429 || wishes.refuseStatus === 418) {
      return this.refusal(
        wishes.refuseStatus,
        0,
        wishes.refuseStatus === 429 ? 1 : 2,
        request,
        nowNs,
      );
    }
    if (request.method !== 'GET')
      return answerJson(405, 0, errorBody(-1000, 'Method not allowed.'));
    const weight =
      url.pathname === '/fapi/v1/depth'
        ? depthWeight(url.searchParams.get('limit') ?? String(DEPTH_LIMIT_DEFAULT)) || 1
        : 1;
    const charge = this.budget.charge(request.remoteAddress, weight, nowNs);
    if (charge.status !== 200) {
      this.refusalsCount++;
      return this.refusal(charge.status, charge.usedWeight, charge.retryAfterS, request, nowNs);
    }
    switch (url.pathname) {
      case '/fapi/v1/ping':
        return answerJson(200, charge.usedWeight, '{}');
      case '/fapi/v1/time':
        return answerJson(200, charge.usedWeight, `{"serverTime":${this.unixMs(nowNs)}}`);
      case '/fapi/v1/exchangeInfo': {
        const specs = this.exchange.markets.map((market) => market.spec);
        return answerJson(200, charge.usedWeight, exchangeInfoBody(specs, this.unixMs(nowNs)));
      }
      case '/fapi/v1/depth':
        return this.depthAnswer(url.searchParams, wishes.stale, charge.usedWeight, nowNs);
      default:
        return answerJson(
          404,
          charge.usedWeight,
          errorBody(-5000, `Path ${url.pathname}, Method GET is invalid`),
        );
    }
  }

  private depthAnswer(
    query: URLSearchParams,
    stale: boolean,
    usedWeight: number,
    nowNs: number,
  ): SimulatedAnswer {
    const symbol = query.get('symbol');
    if (symbol === null || symbol === '') {
      const text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
      return answerJson(400, usedWeight, errorBody(-1102, text));
    }
    const market = this.bySymbol.get(symbol);
    if (market === undefined)
      return answerJson(400, usedWeight, errorBody(-1121, 'Invalid symbol.'));
    const limit = query.get('limit') ?? String(DEPTH_LIMIT_DEFAULT);
    if (depthWeight(limit) === 0) {
      return answerJson(400, usedWeight, errorBody(-4021, `${limit} is not valid depth limit.`));
    }
    const book = stale ? this.oldBooks[market.index]! : this.copyNow(market);
    const eventMs = stale ? this.unixMs(book.timeNs) : this.unixMs(nowNs);
    const body = depthBody(book, Number(limit), eventMs, this.unixMs(book.timeNs));
    return answerJson(200, usedWeight, body);
  }

  private refusal(
    status: 429 | 418,
    usedWeight: number,
    retryAfterS: number,
    request: SimulatedRequest,
    nowNs: number,
  ): SimulatedAnswer {
    const address = request.remoteAddress;
    const message =
      status === 429
        ? `Too many requests; current limit of IP(${address}) is ${WEIGHT_MAX} requests per ` +
          'minute. Please use the websocket for live updates to avoid polling the API.'
        : `Way too many requests; IP(${address}) banned until ` +
          `${this.unixMs(nowNs) + retryAfterS * 1000}. ` +
          'Please use the websocket for live updates to avoid bans.';
    const answer = answerJson(status, usedWeight, errorBody(-1003, message));
    return { ...answer, headers: { ...answer.headers, 'Retry-After': String(retryAfterS) } };
  }

  private copyNow(market: Market): BookCopy {
    return market.copyBook(market.changedNs, LEVELS_COUNT_MAX);
  }

  private ageBooks(): void {
    for (const market of this.exchange.markets) {
      this.oldBooks[market.index] = this.newerBooks[market.index]!;
      this.newerBooks[market.index] = this.copyNow(market);
    }
  }

  private unixMs(timeNs: number): number {
    return Math.floor((timeNs + this.timeline.originExtraNs) / 1e6) + this.timeline.originUnixMs;
  }
}

function answerJson(status: number, usedWeight: number, body: string): SimulatedAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json;charset=UTF-8',
      'X-MBX-USED-WEIGHT-1M': String(usedWeight),
    },
    body,
  };
}
