/**
 * Binance USDⓈ-M's market streams: `<symbol>@depth`, `@bookTicker`, `@aggTrade`, `@trade`. One
 * object a stream, shared by all who listen. Simulator's thread; hot: a frame is written once, as
 * bytes, in the combined form; the raw form is the same bytes without their wrapping.
 *
 * Field order and number formats are those of recorded frames, e.g.
 *
 *     {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1721347022504,"T":1721347022504,
 *      "s":"BTCUSDT","U":4984028367545,"u":4984028370730,"pu":4984028367494,
 *      "b":[["62598.50","0.802"]],"a":[["63947.40","0.109"],["63951.10","0.000"]]}}
 */
import { Channel } from '../domain/channel.js';
import { Side } from '../domain/side.js';
import { ChangeSet } from './change-set.js';
import type { SessionOutput } from './dialect.js';
import { asciiBytes } from './frame-writer.js';
import type { FrameWriter } from './frame-writer.js';
import type { Market } from './market.js';

/** Bytes of a level at most: brackets, quotes, commas and two numbers of 16 digits with a point. */
const LEVEL_BYTES_MAX = 48;
const FRAME_BYTES_MAX = 512;

const EVENT_TIME = asciiBytes(',"E":');
const TRANSACTION_TIME = asciiBytes(',"T":');
const FIRST_ID = asciiBytes(',"U":');
const LAST_ID = asciiBytes(',"u":');
const PREVIOUS_ID = asciiBytes(',"pu":');
const BIDS = asciiBytes(',"b":[');
const ASKS = asciiBytes('],"a":[');
const DEPTH_END = asciiBytes(']}}');
const LEVEL_BEGIN = asciiBytes('["');
const LEVEL_MIDDLE = asciiBytes('","');
const LEVEL_END = asciiBytes('"],');
const BID_PRICE = asciiBytes(',"b":"');
const BID_SIZE = asciiBytes('","B":"');
const ASK_PRICE = asciiBytes('","a":"');
const ASK_SIZE = asciiBytes('","A":"');
const TICKER_TIME = asciiBytes('","T":');
const OBJECTS_END = asciiBytes('}}');
const PRICE = asciiBytes(',"p":"');
const SIZE = asciiBytes('","q":"');
const AGGREGATE_FIRST = asciiBytes('","f":');
const AGGREGATE_LAST = asciiBytes(',"l":');
const AGGREGATE_ID = asciiBytes(',"a":');
const TRADE_ID = asciiBytes(',"t":');
const TRADE_KIND = asciiBytes('","X":"MARKET","m":');
const MAKER_IS_BUYER = asciiBytes(',"m":');
const TRUE_END = asciiBytes('true}}');
const FALSE_END = asciiBytes('false}}');
const NEW_TAIL = asciiBytes(',"st":1');

/** Whom a stream's frames go to. */
export class Stream {
  readonly name: string;
  readonly channel: Channel;
  readonly market: Market;
  /** `{"stream":"<name>","data":` */
  protected readonly wrapping: Uint8Array;
  protected readonly symbolField: Uint8Array;
  private readonly combined: SessionOutput[] = [];
  private readonly raw: SessionOutput[] = [];

  constructor(market: Market, suffix: string, channel: Channel) {
    this.market = market;
    this.channel = channel;
    this.name = `${market.spec.symbol.toLowerCase()}@${suffix}`;
    this.wrapping = asciiBytes(`{"stream":"${this.name}","data":`);
    this.symbolField = asciiBytes(`,"s":"${market.spec.symbol}"`);
  }

  get listenersCount(): number {
    return this.combined.length + this.raw.length;
  }

  add(output: SessionOutput, combined: boolean): void {
    (combined ? this.combined : this.raw).push(output);
  }

  remove(output: SessionOutput): void {
    for (const list of [this.combined, this.raw]) {
      const index = list.indexOf(output);
      if (index >= 0) list.splice(index, 1);
    }
  }

  protected publish(writer: FrameWriter): void {
    const { combined, raw, market, channel } = this;
    if (combined.length > 0) {
      const frame = writer.take(0, 0);
      for (let i = 0; i < combined.length; i++) combined[i]!.data(frame, market.index, channel);
    }
    if (raw.length > 0) {
      const frame = writer.take(this.wrapping.length, 1);
      for (let i = 0; i < raw.length; i++) raw[i]!.data(frame, market.index, channel);
    }
  }
}

/** `@depth` at one interval: what changed since its last frame, with the chain of ids. */
export class DepthStream extends Stream {
  private readonly begin: Uint8Array;
  private readonly extended: Uint8Array | null;
  private readonly bids = new ChangeSet();
  private readonly asks = new ChangeSet();
  private firstUpdateId = 0;
  private pending = false;
  /** `u` of the last frame, whether somebody listened or not. */
  private previousUpdateId: number;

  constructor(market: Market, suffix: string, extended: boolean) {
    super(market, suffix, Channel.Book);
    this.begin = asciiBytes('{"e":"depthUpdate"');
    this.extended = extended ? asciiBytes(`,"ps":"${market.spec.symbol}","st":1`) : null;
    this.previousUpdateId = market.lastUpdateId;
  }

  /** Takes up what the command under way changed. */
  collect(): void {
    const { market } = this;
    if (!this.pending) {
      this.pending = true;
      this.firstUpdateId = market.command.firstUpdateId;
    }
    for (let i = 0; i < market.command.changesCount; i++) {
      const changes = market.command.changedSide[i] === Side.Bid ? this.bids : this.asks;
      changes.add(market.command.changedPrice[i]!);
    }
  }

  /** Somebody listens again after nobody did: the chain goes on from the book as it is. */
  restart(): void {
    this.bids.clear();
    this.asks.clear();
    this.pending = false;
    this.previousUpdateId = this.market.lastUpdateId;
  }

  flush(writer: FrameWriter, eventMs: number, transactionMs: number): void {
    if (!this.pending) return;
    const { market } = this;
    const bids = this.bids.settle();
    const asks = this.asks.settle();
    writer.begin(FRAME_BYTES_MAX + (bids + asks) * LEVEL_BYTES_MAX);
    writer.ascii(this.wrapping);
    writer.ascii(this.begin);
    writer.ascii(EVENT_TIME);
    writer.integer(eventMs);
    writer.ascii(TRANSACTION_TIME);
    writer.integer(transactionMs);
    writer.ascii(this.symbolField);
    if (this.extended !== null) writer.ascii(this.extended);
    writer.ascii(FIRST_ID);
    writer.integer(this.firstUpdateId);
    writer.ascii(LAST_ID);
    writer.integer(market.lastUpdateId);
    writer.ascii(PREVIOUS_ID);
    writer.integer(this.previousUpdateId);
    writer.ascii(BIDS);
    this.writeLevels(writer, Side.Bid, this.bids, bids);
    writer.ascii(ASKS);
    this.writeLevels(writer, Side.Ask, this.asks, asks);
    writer.ascii(DEPTH_END);
    this.bids.clear();
    this.asks.clear();
    this.pending = false;
    this.previousUpdateId = market.lastUpdateId;
    this.publish(writer);
  }

  private writeLevels(writer: FrameWriter, side: Side, changes: ChangeSet, count: number): void {
    const { engine, spec } = this.market;
    for (let i = 0; i < count; i++) {
      const price = changes.at(i);
      writer.ascii(LEVEL_BEGIN);
      writer.decimal(price, spec.priceDecimals);
      writer.ascii(LEVEL_MIDDLE);
      writer.decimal(engine.book.levelSize(side, price), spec.sizeDecimals);
      writer.ascii(LEVEL_END);
    }
    if (count > 0) writer.back();
  }
}

/** `@bookTicker`: `u` is the id of the book update that changed the best of a side. */
export class BookTickerStream extends Stream {
  private readonly begin = asciiBytes('{"e":"bookTicker"');
  private readonly extended: Uint8Array | null;

  constructor(market: Market, extended: boolean) {
    super(market, 'bookTicker', Channel.Bbo);
    this.extended = extended ? asciiBytes(`,"st":1,"ps":"${market.spec.symbol}"`) : null;
  }

  send(writer: FrameWriter, eventMs: number, transactionMs: number): void {
    const { market } = this;
    const { priceDecimals, sizeDecimals } = market.spec;
    writer.begin(FRAME_BYTES_MAX);
    writer.ascii(this.wrapping);
    writer.ascii(this.begin);
    writer.ascii(LAST_ID);
    writer.integer(market.lastUpdateId);
    writer.ascii(this.symbolField);
    writer.ascii(BID_PRICE);
    writer.decimal(market.bidPrice, priceDecimals);
    writer.ascii(BID_SIZE);
    writer.decimal(market.bidSize, sizeDecimals);
    writer.ascii(ASK_PRICE);
    writer.decimal(market.askPrice, priceDecimals);
    writer.ascii(ASK_SIZE);
    writer.decimal(market.askSize, sizeDecimals);
    writer.ascii(TICKER_TIME);
    writer.integer(transactionMs);
    writer.ascii(EVENT_TIME);
    writer.integer(eventMs);
    if (this.extended !== null) writer.ascii(this.extended);
    writer.ascii(OBJECTS_END);
    this.publish(writer);
  }
}

/** `@trade`: one frame for each resting order that a taker met. */
export class TradeStream extends Stream {
  private readonly begin = asciiBytes('{"e":"trade"');

  constructor(market: Market) {
    super(market, 'trade', Channel.Trades);
  }

  send(writer: FrameWriter, eventMs: number, transactionMs: number): void {
    const { market } = this;
    const { priceDecimals, sizeDecimals } = market.spec;
    for (let i = 0; i < market.command.tradesCount; i++) {
      writer.begin(FRAME_BYTES_MAX);
      writer.ascii(this.wrapping);
      writer.ascii(this.begin);
      writer.ascii(EVENT_TIME);
      writer.integer(eventMs);
      writer.ascii(TRANSACTION_TIME);
      writer.integer(transactionMs);
      writer.ascii(this.symbolField);
      writer.ascii(TRADE_ID);
      writer.integer(market.command.tradeId[i]!);
      writer.ascii(PRICE);
      writer.decimal(market.command.tradePrice[i]!, priceDecimals);
      writer.ascii(SIZE);
      writer.decimal(market.command.tradeSize[i]!, sizeDecimals);
      writer.ascii(TRADE_KIND);
      writer.ascii(market.command.takerSide === Side.Ask ? TRUE_END : FALSE_END);
      this.publish(writer);
    }
  }
}

/** `@aggTrade`: what one taker order traded at one price. */
export class AggregateTradeStream extends Stream {
  private readonly begin = asciiBytes('{"e":"aggTrade"');
  private readonly extended: boolean;
  private nextAggregateId: number;

  constructor(market: Market, extended: boolean) {
    super(market, 'aggTrade', Channel.Trades);
    this.extended = extended;
    this.nextAggregateId = 2_000_000_000 + market.index * 1_000_000;
  }

  /** Numbers are given whether somebody listens or not, as the venue's are. */
  send(writer: FrameWriter, eventMs: number, transactionMs: number): void {
    const { market } = this;
    let first = 0;
    while (first < market.command.tradesCount) {
      const price = market.command.tradePrice[first]!;
      let size = market.command.tradeSize[first]!;
      let end = first + 1;
      while (end < market.command.tradesCount && market.command.tradePrice[end] === price) {
        size += market.command.tradeSize[end++]!;
      }
      const aggregateId = this.nextAggregateId++;
      if (this.listenersCount > 0) {
        this.write(writer, eventMs, transactionMs, aggregateId, first, end - 1, size);
      }
      first = end;
    }
  }

  private write(
    writer: FrameWriter,
    eventMs: number,
    transactionMs: number,
    aggregateId: number,
    first: number,
    last: number,
    size: number,
  ): void {
    const { market } = this;
    writer.begin(FRAME_BYTES_MAX);
    writer.ascii(this.wrapping);
    writer.ascii(this.begin);
    writer.ascii(EVENT_TIME);
    writer.integer(eventMs);
    writer.ascii(AGGREGATE_ID);
    writer.integer(aggregateId);
    writer.ascii(this.symbolField);
    writer.ascii(PRICE);
    writer.decimal(market.command.tradePrice[first]!, market.spec.priceDecimals);
    writer.ascii(SIZE);
    writer.decimal(size, market.spec.sizeDecimals);
    writer.ascii(AGGREGATE_FIRST);
    writer.integer(market.command.tradeId[first]!);
    writer.ascii(AGGREGATE_LAST);
    writer.integer(market.command.tradeId[last]!);
    writer.ascii(TRANSACTION_TIME);
    writer.integer(transactionMs);
    writer.ascii(MAKER_IS_BUYER);
    writer.ascii(market.command.takerSide === Side.Ask ? TRUE_END : FALSE_END);
    if (this.extended) this.extend(writer);
    this.publish(writer);
  }

  /** `…,"m":true,"st":1}}`: since 2026. */
  private extend(writer: FrameWriter): void {
    writer.back();
    writer.back();
    writer.ascii(NEW_TAIL);
    writer.ascii(OBJECTS_END);
  }
}
