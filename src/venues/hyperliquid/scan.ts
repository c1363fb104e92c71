/**
 * The fast scanner of Hyperliquid frames: bytes → the frame scratch. Ingest thread, the hottest code of
 * this venue; it allocates nothing once the scratch has grown.
 *
 * It reads the compact JSON as the venue sends it, name after name in the order of 2026, and books and
 * trades in that of 2025, which is alphabetical; everything else (white space, escapes, upper-case
 * hex, coins that are not ours) is declined and left to the strict parser. It never says that a frame
 * is bad.
 */
import { Channel } from '../../domain/channel.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import { Aggressor } from '../../domain/side.js';
import { invariant } from '../../faults/invariant.js';
import * as Record from '../../rings/record-types.js';
import {
  DECIMALS_MAX,
  SCAN_FAILED,
  scanInteger,
  scanLooseDecimal,
  scanPlainString,
  wordOf,
} from '../byte-scan.js';
import { FrameMemory } from '../frame-memory.js';
import { NO_SYMBOL, SymbolTable } from '../symbol-table.js';
import type { FrameScratch } from './frame-scratch.js';
import { ContextScanner } from './scan-context.js';
import { scanHex } from './scan-hex.js';
import { ordersOf, scanLevel, SIZE_1, SIZE_2 } from './scan-level.js';
import { Literal } from './scan-literal.js';

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
const TWO_CLOSE_BRACES = 0x7d7d;
const CLOSE_BRACKET = 0x5d;
const SIDE_BUY = 0x42;
const SIDE_SELL = 0x41;

const BOOK_HEAD = new Literal('{"channel":"l2Book","data":{"coin":"');
const TICKER_HEAD = new Literal('{"channel":"bbo","data":{"coin":"');
const TRADES_HEAD = new Literal('{"channel":"trades","data":[');
const TIME = new Literal(',"time":');
const LEVELS = new Literal(',"levels":[[');
const BBO = new Literal(',"bbo":[');
const TRADE_COIN = new Literal('{"coin":"');
const TRADE_SIDE = new Literal(',"side":"');
const TRADE_PRICE = new Literal('","px":"');
const TRADE_TIME = new Literal('","time":');
const TRADE_HASH = new Literal(',"hash":"0x');
const TRADE_ID = new Literal('","tid":');
const TRADE_USERS = new Literal(',"users":["0x');
const TRADE_SECOND_USER = new Literal('","0x');
const TRADE_END = new Literal('"]}');
/** The same in alphabetical order. */
const FIRST_HASH = new Literal(',"hash":"0x');
const HASH_PRICE = new Literal('","px":"');
const PRICE_SIDE = new Literal('","side":"');
const SIDE_SIZE = new Literal('","sz":"');
const SIZE_ID = new Literal('","tid":');
const NULL = wordOf('null');

/** `{"px":"1","sz":"1","n":1},`: bounds the levels of a frame by its length. */
const LEVEL_BYTES_MIN = 26;
/** Tells the kind of a frame: `{"channel":"` and then l, b, t or a. */
const KIND_AT = 12;
const ADDRESS_WORDS = 5;
const HASH_WORDS = 8;

export class HyperliquidScanner {
  readonly memory = new FrameMemory();
  private readonly symbols: SymbolTable;
  private readonly ids: Int32Array;
  private readonly contexts: ContextScanner;
  private readonly priceDecimalsOf: Int32Array;
  private readonly sizeDecimalsOf: Int32Array;
  private view: DataView;
  private bytes: Uint8Array;
  private event: Float64Array;
  private end = 0;
  private priceDecimals = 0;
  private sizeDecimals = 0;

  constructor(
    instruments: readonly Instrument[],
    private readonly scratch: FrameScratch,
  ) {
    for (const { priceDecimals, sizeDecimals } of instruments) {
      invariant(priceDecimals <= DECIMALS_MAX && sizeDecimals <= DECIMALS_MAX, 'decimals in range');
    }
    this.symbols = new SymbolTable(instruments.map((instrument) => instrument.symbol));
    this.ids = Int32Array.from(instruments, (instrument) => instrument.id);
    this.contexts = new ContextScanner(this.symbols, this.ids, scratch);
    this.priceDecimalsOf = Int32Array.from(instruments, (instrument) => instrument.priceDecimals);
    this.sizeDecimalsOf = Int32Array.from(instruments, (instrument) => instrument.sizeDecimals);
    this.view = this.memory.view;
    this.bytes = this.memory.bytes;
    this.event = scratch.event;
  }

  /** The instrument has other decimals from the next frame on. */
  redefine({ id, priceDecimals, sizeDecimals }: Instrument): void {
    const index = this.ids.indexOf(id);
    if (index < 0) return;
    this.priceDecimalsOf[index] = priceDecimals;
    this.sizeDecimalsOf[index] = sizeDecimals;
  }

  /**
   * Reads `source[start … end)` into the scratch, times as the venue's milliseconds.
   * False: declined, and the scratch holds nothing of use.
   */
  scan(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const at = this.memory.load(source, start, end);
    this.scratch.reset();
    this.scratch.reserveLevels(((length / LEVEL_BYTES_MIN) | 0) + 3);
    this.view = this.memory.view;
    this.bytes = this.memory.bytes;
    this.event = this.scratch.event;
    this.end = at + length;
    let stop = SCAN_FAILED;
    switch (this.view.getUint8(at + KIND_AT)) {
      case 0x6c: // l2Book
        stop = this.book(at);
        break;
      case 0x62: // bbo
        stop = this.ticker(at);
        break;
      case 0x74: // trades
        stop = this.trades(at);
        break;
      case 0x61: // activeAssetCtx, activeSpotAssetCtx, allMids
        stop = this.contexts.scan(this.view, this.bytes, at, this.end);
        break;
    }
    return stop === this.end;
  }

  private book(at: number): number {
    const { view, event } = this;
    at = this.head(BOOK_HEAD.pass(view, at), Record.RecordType.DepthSnapshot, Channel.Book);
    if (at < 0) return SCAN_FAILED;
    event[Record.FLAGS] = EventFlag.Snapshot | EventFlag.Last | Record.WITH_BEST_ORDERS;
    const behindTime = this.time(at);
    at = this.levels(LEVELS.pass(view, behindTime < 0 ? at : behindTime));
    // In alphabetical order the time is last.
    if (at >= 0 && behindTime < 0) at = this.time(at);
    return at >= 0 && view.getUint16(at, true) === TWO_CLOSE_BRACES ? at + 2 : SCAN_FAILED;
  }

  private ticker(at: number): number {
    const { view } = this;
    at = this.head(TICKER_HEAD.pass(view, at), Record.RecordType.BookTicker, Channel.Bbo);
    at = at < 0 ? at : this.time(at);
    at = at < 0 ? at : BBO.pass(view, at);
    at = at < 0 ? at : this.side(at, Record.TICKER_BID_PRICE);
    if (at < 0 || view.getUint8(at) !== COMMA) return SCAN_FAILED;
    at = this.side(at + 1, Record.TICKER_ASK_PRICE);
    if (at < 0 || view.getUint8(at) !== CLOSE_BRACKET) return SCAN_FAILED;
    this.event[Record.FLAGS] = EventFlag.Last;
    this.scratch.doubles = Record.BOOK_TICKER_DOUBLES;
    return view.getUint16(at + 1, true) === TWO_CLOSE_BRACES ? at + 3 : SCAN_FAILED;
  }

  /** The coin, which books and tickers begin with, from its first byte to behind its closing quote. */
  private head(at: number, recordType: number, channel: Channel): number {
    const index = at < 0 ? NO_SYMBOL : this.coin(at);
    if (index === NO_SYMBOL) return SCAN_FAILED;
    const { scratch, event } = this;
    scratch.instrumentId = this.ids[index]!;
    scratch.recordType = recordType;
    scratch.channel = channel;
    event[Record.INSTRUMENT] = scratch.instrumentId;
    event[Record.SEQUENCE_FIRST] = Record.ABSENT;
    event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    event[Record.ENGINE_NS] = Record.ABSENT;
    return this.coinEnd;
  }

  /** `,"time":…` of a book or ticker. */
  private time(at: number): number {
    const { event } = this;
    at = TIME.pass(this.view, at);
    if (at < 0) return SCAN_FAILED;
    at = scanInteger(this.view, at, event, Record.SEQUENCE_LAST);
    event[Record.EXCHANGE_NS] = event[Record.SEQUENCE_LAST]!;
    return at;
  }

  /** Behind the closing quote of the last coin. */
  private coinEnd = 0;

  /** Index of the coin that begins at `at`, whose decimals then hold; or NO_SYMBOL. */
  private coin(at: number): number {
    const stop = scanPlainString(this.view, at, this.end);
    if (stop < 0) return NO_SYMBOL;
    const index = this.symbols.find(this.bytes, at, stop - 1);
    if (index === NO_SYMBOL) return NO_SYMBOL;
    this.coinEnd = stop;
    this.priceDecimals = this.priceDecimalsOf[index]!;
    this.sizeDecimals = this.sizeDecimalsOf[index]!;
    return index;
  }

  /** Both sides of a book, from behind `[[` to behind `]]`; then the record's length is known. */
  private levels(at: number): number {
    const { event, scratch, view } = this;
    at = at < 0 ? at : this.levelsOf(at, Record.BIDS_COUNT, Record.LEVELS);
    const bidOrders = this.bestOrders;
    // `,[` of the asks
    if (at < 0 || view.getUint16(at, true) !== 0x5b2c) return SCAN_FAILED;
    const asksAt = Record.LEVELS + event[Record.BIDS_COUNT]! * Record.DOUBLES_PER_LEVEL;
    at = this.levelsOf(at + 2, Record.ASKS_COUNT, asksAt);
    const end = asksAt + event[Record.ASKS_COUNT]! * Record.DOUBLES_PER_LEVEL;
    event[end] = bidOrders;
    event[end + 1] = this.bestOrders;
    scratch.doubles = end + Record.BEST_ORDERS_DOUBLES;
    return at >= 0 && view.getUint8(at) === CLOSE_BRACKET ? at + 1 : SCAN_FAILED;
  }

  /** Of the best level of the side that was read last; 0 if it is empty. */
  private bestOrders = 0;

  /** The levels of one side, from behind its `[` to behind its `]`. */
  private levelsOf(at: number, countIndex: number, index: number): number {
    const { view, event, end, priceDecimals, sizeDecimals } = this;
    event[countIndex] = 0;
    this.bestOrders = 0;
    if (view.getUint8(at) === CLOSE_BRACKET) return at + 1;
    const first = at;
    let slot = index;
    for (;;) {
      at = scanLevel(view, at, priceDecimals, sizeDecimals, event, slot);
      if (at < 0 || at > end) return SCAN_FAILED;
      if (slot === index) this.bestOrders = ordersOf(view, first, at);
      slot += Record.DOUBLES_PER_LEVEL;
      const next = view.getUint8(at++);
      if (next === COMMA) continue;
      if (next !== CLOSE_BRACKET) return SCAN_FAILED;
      event[countIndex] = (slot - index) / Record.DOUBLES_PER_LEVEL;
      return at;
    }
  }

  /** One side of a ticker: a level or null, which is size 0. */
  private side(at: number, index: number): number {
    const { view, event } = this;
    if (view.getInt32(at, true) !== NULL) {
      return scanLevel(view, at, this.priceDecimals, this.sizeDecimals, event, index);
    }
    event[index] = 0;
    event[index + 1] = 0;
    return at + 4;
  }

  private trades(at: number): number {
    const { view, scratch } = this;
    at = TRADES_HEAD.pass(view, at);
    if (at < 0) return SCAN_FAILED;
    scratch.channel = Channel.Trades;
    scratch.recordType = Record.RecordType.TradeParties;
    scratch.doubles = Record.TRADE_PARTIES_DOUBLES;
    for (;;) {
      at = this.trade(at, scratch.nextEvent());
      if (at < 0 || at > this.end) return SCAN_FAILED;
      scratch.eventsCount++;
      const next = view.getUint8(at++);
      if (next === COMMA) continue;
      if (next !== CLOSE_BRACKET || view.getUint8(at) !== CLOSE_BRACE) return SCAN_FAILED;
      return at + 1;
    }
  }

  private trade(at: number, trade: Float64Array): number {
    const { view } = this;
    at = TRADE_COIN.pass(view, at);
    const index = at < 0 ? NO_SYMBOL : this.coin(at);
    if (index === NO_SYMBOL) return SCAN_FAILED;
    this.scratch.instrumentId = this.ids[index]!;
    trade[Record.INSTRUMENT] = this.scratch.instrumentId;
    trade[Record.FLAGS] = EventFlag.Last;
    trade[Record.SEQUENCE_FIRST] = Record.ABSENT;
    trade[Record.SEQUENCE_LAST] = Record.ABSENT;
    trade[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    trade[Record.ENGINE_NS] = Record.ABSENT;
    at = TRADE_SIDE.pass(view, this.coinEnd);
    return at < 0 ? this.alphabeticalTrade(this.coinEnd, trade) : this.usualTrade(at, trade);
  }

  /** From the side's letter to behind the trade. */
  private usualTrade(at: number, trade: Float64Array): number {
    const { view } = this;
    if (!this.takesSide(at, trade)) return SCAN_FAILED;
    at = TRADE_PRICE.pass(view, at + 1);
    if (at < 0) return SCAN_FAILED;
    at = scanLooseDecimal(view, at, this.priceDecimals, trade, Record.TRADE_PRICE);
    if (at < 0 || view.getInt32(at, true) !== SIZE_1 || view.getInt32(at + 4, true) !== SIZE_2) {
      return SCAN_FAILED;
    }
    at = scanLooseDecimal(view, at + 8, this.sizeDecimals, trade, Record.TRADE_SIZE);
    at = at < 0 ? at : TRADE_TIME.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, trade, Record.EXCHANGE_NS);
    at = at < 0 ? at : TRADE_HASH.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, HASH_WORDS, trade, Record.TRADE_HASH);
    at = at < 0 ? at : TRADE_ID.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, trade, Record.TRADE_ID);
    return at < 0 ? at : this.users(at, trade);
  }

  /** From behind the coin to behind the trade. */
  private alphabeticalTrade(at: number, trade: Float64Array): number {
    const { view } = this;
    at = FIRST_HASH.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, HASH_WORDS, trade, Record.TRADE_HASH);
    at = at < 0 ? at : HASH_PRICE.pass(view, at);
    at = at < 0 ? at : scanLooseDecimal(view, at, this.priceDecimals, trade, Record.TRADE_PRICE);
    at = at < 0 ? at : PRICE_SIDE.pass(view, at);
    if (at < 0 || !this.takesSide(at, trade)) return SCAN_FAILED;
    at = SIDE_SIZE.pass(view, at + 1);
    at = at < 0 ? at : scanLooseDecimal(view, at, this.sizeDecimals, trade, Record.TRADE_SIZE);
    at = at < 0 ? at : SIZE_ID.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, trade, Record.TRADE_ID);
    at = at < 0 ? at : TIME.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, trade, Record.EXCHANGE_NS);
    return at < 0 ? at : this.users(at, trade);
  }

  private takesSide(at: number, trade: Float64Array): boolean {
    const letter = this.view.getUint8(at);
    trade[Record.TRADE_AGGRESSOR] = letter === SIDE_BUY ? Aggressor.Buy : Aggressor.Sell;
    return letter === SIDE_BUY || letter === SIDE_SELL;
  }

  /** Buyer and seller, with which a trade ends in either order. */
  private users(at: number, trade: Float64Array): number {
    const { view } = this;
    at = TRADE_USERS.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, ADDRESS_WORDS, trade, Record.TRADE_BUYER);
    at = at < 0 ? at : TRADE_SECOND_USER.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, ADDRESS_WORDS, trade, Record.TRADE_SELLER);
    return at < 0 ? at : TRADE_END.pass(view, at);
  }
}
