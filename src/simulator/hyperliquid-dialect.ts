/**
 * The simulated exchange in Hyperliquid's public dialect: `/ws` and `POST /info`. Simulator's thread;
 * `onCommand` is hot, all else happens once a block.
 *
 *     l2Book            all coins on one clock, every 5.4 s (fast: 0.54 s), changed or not
 *     bbo               per block, if it changed; trades per block, if there were some
 *     allMids           every 5 s, of one dex; activeAssetCtx every second
 *
 * A subscription is acknowledged at once and served with the end of the block under way; trades begin
 * with the last twenty seconds.
 */
import { Channel } from '../domain/channel.js';
import { formatShortDecimal } from '../domain/decimal.js';
import { Prng } from '../domain/prng.js';
import { Side } from '../domain/side.js';
import type { Timeline } from '../time/timeline.js';
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
import {
  BlockBook,
  BookTruths,
  LEVELS_FAST,
  LEVELS_FULL,
  aggregationOf,
} from './hyperliquid-books.js';
import { CoinContext, ContextTruths } from './hyperliquid-contexts.js';
import type { Json } from './hyperliquid-info.js';
import {
  allPerpMetasOf,
  dexOf,
  jsonAnswer,
  metaOf,
  perpDexsOf,
  perpsOf,
  questionOf,
  spotMetaOf,
  textAnswer,
} from './hyperliquid-info.js';
import { isSpot } from './hyperliquid-specs.js';
import { HyperliquidSession } from './hyperliquid-session.js';
import type { Wanted } from './hyperliquid-session.js';
import type { Market } from './market.js';
import { addressOf, hashOf } from './node-block.js';

export interface HyperliquidOptions {
  readonly exchange: Exchange;
  readonly timeline: Timeline;
  readonly seed?: number;
  /** Begin a connection with the text that is no JSON. */
  readonly greeting?: boolean;
  readonly bookEveryMs?: number;
  readonly fastEveryMs?: number;
}

const BLOCK_NS_MIN = 55e6;
const BLOCK_NS_MAX = 77e6;
const MIDS_EVERY_NS = 5e9;
const CONTEXT_EVERY_NS = 1e9;
const HISTORY_NS = 20e9;
/** "The server will close any connection if it hasn't sent a message to it in the last 60 seconds." */
const UNSENT_NS_MAX = 60e9;
const GREETING = 'Websocket connection established.';
const NEVER_MS = 1e12;
const TRADE_ID_BASE = 2 ** 48;

/** What is told of one coin. */
interface Coin {
  readonly market: Market;
  readonly context: CoinContext;
  book: BlockBook;
  /** A stale answer's: some blocks old. */
  oldBook: BlockBook;
  isChanged: boolean;
  bestTold: string;
  /** Of the block under way. */
  trades: string[];
  readonly history: { readonly timeNs: number; readonly text: string }[];
}

export class HyperliquidDialect implements Dialect {
  readonly venue = 'hyperliquid';
  readonly limits: DialectLimits = {
    pingEveryMs: NEVER_MS,
    pongDeadlineMs: NEVER_MS,
    lifetimeMs: NEVER_MS,
  };
  refusalsCount = 0;
  readonly truths = new BookTruths();
  readonly contextTruths = new ContextTruths();
  private readonly options: HyperliquidOptions;
  private readonly prng: Prng;
  private readonly coins = new Map<string, Coin>();
  /** By market index. */
  private readonly byIndex: readonly Coin[];
  private readonly sessions = new Set<HyperliquidSession>();
  private readonly clocks: Record<'full' | 'fast' | 'mids' | 'context', Clock>;
  private timeMs: number;
  private blocks = 0;

  constructor(options: HyperliquidOptions) {
    this.options = options;
    const { exchange } = options;
    this.prng = new Prng((options.seed ?? 1) ^ 0x417d);
    this.timeMs = this.unixMs(exchange.timeNs);
    this.byIndex = exchange.markets.map((market) => {
      const book = new BlockBook(market, this.timeMs);
      const bestTold = book.bestText();
      const context = new CoinContext(market.spec);
      const coin = { market, context, book, oldBook: book, isChanged: false, bestTold };
      return { ...coin, trades: [], history: [] };
    });
    for (const coin of this.byIndex) this.coins.set(coin.market.spec.symbol, coin);
    this.clocks = {
      full: new Clock((options.bookEveryMs ?? 5_400) * 1e6),
      fast: new Clock((options.fastEveryMs ?? 540) * 1e6),
      mids: new Clock(MIDS_EVERY_NS),
      context: new Clock(CONTEXT_EVERY_NS),
    };
    exchange.addCadence(exchange.timeNs + this.gapNs(), (timeNs) => {
      this.endBlock(timeNs);
      return timeNs + this.gapNs();
    });
  }

  onCommand(market: Market, timeNs: number): void {
    const coin = this.byIndex[market.index]!;
    coin.isChanged = true;
    const { command } = market;
    for (let i = 0; i < command.tradesCount; i++) {
      const text = this.tradeText(market, i);
      coin.trades.push(text);
      coin.history.push({ timeNs, text });
      coin.context.onTrade(command.tradePrice[i]!, command.tradeSize[i]!);
    }
  }

  hasCoin(name: string): boolean {
    return this.coins.has(name);
  }

  openSession(target: string, output: SessionOutput): DialectSession | null {
    if (new URL(target, 'ws://simulator').pathname !== '/ws') return null;
    const nowNs = this.options.exchange.timeNs;
    const session = new HyperliquidSession(this, output, nowNs);
    this.sessions.add(session);
    if (this.options.greeting === true) session.say(GREETING, nowNs);
    return session;
  }

  forget(session: HyperliquidSession): void {
    this.sessions.delete(session);
  }

  isSnapshotRequest(request: SimulatedRequest): boolean {
    return request.body?.includes('"l2Book"') === true;
  }

  answer(request: SimulatedRequest, wishes: AnswerWishes, _nowNs: number): SimulatedAnswer {
    if (wishes.refuseStatus !== 0) return jsonAnswer(wishes.refuseStatus, null);
    if (request.method !== 'POST') return textAnswer(405, '');
    const question = questionOf(request.body ?? '');
    const isInfo = new URL(request.target, 'http://simulator').pathname === '/info';
    if (!isInfo) return textAnswer(404, '');
    if (question === null) return textAnswer(422, 'Failed to deserialize the JSON body');
    const specs = this.options.exchange.markets.map(({ spec }) => spec);
    const dex = typeof question['dex'] === 'string' ? question['dex'] : '';
    switch (question['type']) {
      case 'meta':
        return jsonAnswer(200, metaOf(specs, dex));
      case 'spotMeta':
        return jsonAnswer(200, spotMetaOf(specs));
      case 'perpDexs':
        return jsonAnswer(200, perpDexsOf(specs));
      case 'allPerpMetas':
        return jsonAnswer(200, allPerpMetasOf(specs));
      case 'allMids':
        return textAnswer(200, this.midsText(dex));
      case 'l2Book':
        return textAnswer(200, this.bookAnswer(question, wishes.stale));
      case 'recentTrades':
        return textAnswer(200, this.recentTrades(question['coin']));
      case 'metaAndAssetCtxs':
        return jsonAnswer(200, [
          metaOf(specs, dex),
          perpsOf(specs, dex).map(({ symbol }) => this.contextOf(this.coins.get(symbol)!)),
        ]);
      case 'exchangeStatus':
        return jsonAnswer(200, { time: this.timeMs, specialStatuses: null });
      default:
        return textAnswer(422, 'Failed to deserialize the JSON body into the target type');
    }
  }

  /** The true hash of a book as it was sent for that block, or null. */
  hashAt(symbol: string, timeMs: number, levels: number): string | null {
    return this.truths.hashAt(symbol, timeMs, levels);
  }

  private endBlock(timeNs: number): void {
    this.timeMs = Math.max(this.unixMs(timeNs), this.timeMs + 1);
    this.blocks++;
    for (const coin of this.byIndex) {
      if (coin.isChanged) {
        coin.isChanged = false;
        if (this.blocks % 16 === 0) coin.oldBook = coin.book;
        coin.book = new BlockBook(coin.market, this.timeMs);
      }
      while (coin.history.length > 0 && coin.history[0]!.timeNs < timeNs - HISTORY_NS) {
        coin.history.shift();
      }
    }
    this.send(timeNs);
    for (const coin of this.byIndex) {
      coin.trades = [];
      coin.bestTold = coin.book.bestText();
    }
    for (const session of this.sessions) {
      if (timeNs - session.sentNs > UNSENT_NS_MAX) session.output.close(1000, 'Inactive');
    }
  }

  /** Frames are made once, whoever gets them. */
  private send(timeNs: number): void {
    const due = {
      full: this.clocks.full.isDue(timeNs),
      fast: this.clocks.fast.isDue(timeNs),
      mids: this.clocks.mids.isDue(timeNs),
      context: this.clocks.context.isDue(timeNs),
    };
    const frames = new Map<string, Uint8Array>();
    for (const session of this.sessions) {
      for (const [key, wanted] of session.wanted) {
        const coin = this.coins.get(wanted.coin);
        const name = wanted.type === 'trades' && wanted.isFresh ? `fresh ${key}` : key;
        let frame = frames.get(name);
        if (frame === undefined) {
          if (!this.isWorth(wanted, coin, due)) continue;
          frame = Buffer.from(this.frameText(wanted, coin));
          frames.set(name, frame);
        } else if (!this.isWorth(wanted, coin, due)) continue;
        wanted.isFresh = false;
        session.sentNs = timeNs;
        const channel = CHANNELS[wanted.type] ?? Channel.Status;
        session.output.data(frame, coin?.market.index ?? 0, channel);
      }
    }
  }

  private isWorth(
    wanted: Wanted,
    coin: Coin | undefined,
    due: Readonly<Record<'full' | 'fast' | 'mids' | 'context', boolean>>,
  ): boolean {
    switch (wanted.type) {
      case 'l2Book':
        return wanted.isFresh || (wanted.isFast ? due.fast : due.full);
      case 'bbo':
        return wanted.isFresh || coin!.book.bestText() !== coin!.bestTold;
      case 'trades':
        return wanted.isFresh ? coin!.history.length > 0 : coin!.trades.length > 0;
      case 'activeAssetCtx':
        return wanted.isFresh || due.context;
      default:
        return wanted.isFresh || due.mids;
    }
  }

  private frameText(wanted: Wanted, coin: Coin | undefined): string {
    switch (wanted.type) {
      case 'l2Book': {
        const levels = wanted.isFast ? LEVELS_FAST : LEVELS_FULL;
        const { book } = coin!;
        if (wanted.aggregation === null) this.truths.note(book, this.timeMs, levels);
        const text = book.bookText(this.timeMs, levels, wanted.aggregation);
        return `{"channel":"l2Book","data":${text}}`;
      }
      case 'bbo':
        return (
          `{"channel":"bbo","data":{"coin":"${wanted.coin}","time":${this.timeMs},` +
          `"bbo":${coin!.book.bestText()}}}`
        );
      case 'trades': {
        const trades = wanted.isFresh ? coin!.history.map(({ text }) => text) : coin!.trades;
        return `{"channel":"trades","data":[${trades.join(',')}]}`;
      }
      case 'activeAssetCtx': {
        const channel = isSpot(wanted.coin) ? 'activeSpotAssetCtx' : 'activeAssetCtx';
        return JSON.stringify({
          channel,
          data: { coin: wanted.coin, ctx: this.contextOf(coin!) },
        });
      }
      default:
        return `{"channel":"allMids","data":{"mids":${this.midsText(wanted.dex)}}}`;
    }
  }

  private contextOf({ market, context, book }: Coin): Json {
    const values = context.valuesAt(this.timeMs, book.twiceMid());
    this.contextTruths.noteContext(market.spec.symbol, values);
    return values;
  }

  /** "Spot mids are only included with the first perp dex." */
  private midsText(dex: string): string {
    const mids: Record<string, string> = {};
    for (const [name, { book }] of this.coins) {
      const mid = dexOf(name) === dex ? book.midText() : null;
      if (mid === null) continue;
      mids[name] = mid;
      this.contextTruths.noteMid(name, mid);
    }
    return JSON.stringify(mids);
  }

  private bookAnswer(question: Readonly<Record<string, unknown>>, stale: boolean): string {
    const name = question['coin'];
    const coin = typeof name === 'string' ? this.coins.get(name) : undefined;
    const aggregation = aggregationOf(question['nSigFigs'], question['mantissa']);
    if (coin === undefined || aggregation === undefined) return 'null';
    if (aggregation !== null) return coin.book.bookText(this.timeMs, LEVELS_FULL, aggregation);
    const book = stale ? coin.oldBook : coin.book;
    const timeMs = stale ? book.timeMs : this.timeMs;
    this.truths.note(book, timeMs, LEVELS_FULL);
    this.truths.note(book, timeMs, LEVELS_FAST);
    return book.bookText(timeMs, LEVELS_FULL);
  }

  private recentTrades(name: unknown): string {
    const coin = typeof name === 'string' ? this.coins.get(name) : undefined;
    return coin === undefined ? 'null' : `[${coin.history.map(({ text }) => text).join(',')}]`;
  }

  private tradeText(market: Market, index: number): string {
    const { command, spec } = market;
    const { takerSide } = command;
    const id = command.tradeId[index]!;
    const [buyer, seller] = takerSide === Side.Bid ? [101, 7] : [7, 101];
    return (
      `{"coin":"${spec.symbol}","side":"${takerSide === Side.Bid ? 'B' : 'A'}",` +
      `"px":"${formatShortDecimal(command.tradePrice[index]!, spec.priceDecimals)}",` +
      `"sz":"${formatShortDecimal(command.tradeSize[index]!, spec.sizeDecimals)}",` +
      `"time":${this.timeMs},"hash":"${hashOf(id)}","tid":${TRADE_ID_BASE + id},` +
      `"users":["${addressOf(buyer)}","${addressOf(seller)}"]}`
    );
  }

  private gapNs(): number {
    return BLOCK_NS_MIN + this.prng.nextFloat() * (BLOCK_NS_MAX - BLOCK_NS_MIN);
  }

  private unixMs(timeNs: number): number {
    const { originExtraNs, originUnixMs } = this.options.timeline;
    return Math.floor((timeNs + originExtraNs) / 1e6) + originUnixMs;
  }
}

const CHANNELS: Readonly<Record<string, Channel>> = {
  l2Book: Channel.Book,
  bbo: Channel.Bbo,
  trades: Channel.Trades,
  activeAssetCtx: Channel.Context,
  allMids: Channel.Context,
};

/** Ticks at the first block at or after each multiple of its period. */
class Clock {
  private nextNs = -Infinity;

  constructor(private readonly everyNs: number) {}

  isDue(timeNs: number): boolean {
    if (timeNs < this.nextNs) return false;
    this.nextNs = (Math.floor(timeNs / this.everyNs) + 1) * this.everyNs;
    return true;
  }
}
