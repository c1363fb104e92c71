/**
 * The fast scanner of Hyperliquid frames: bytes → the frame scratch. Ingest thread, the hottest code of
 * this venue; it allocates nothing once the scratch has grown.
 *
 * It reads the compact JSON as the venue sends it, name after name in the order of 2026; everything else
 * (the alphabetical order of 2025, white space, escapes, upper-case hex, coins that are not ours) is
 * declined and left to the strict parser. It never says that a frame is bad.
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
import { NOT_HEX, scanHex } from './scan-hex.js';
import { Literal } from './scan-literal.js';

const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;
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
/** `{"px` and `x":"` */
const PRICE_1 = wordOf('{"px');
const PRICE_2 = wordOf('x":"');
/** `","s` and `z":"` */
const SIZE_1 = wordOf('","s');
const SIZE_2 = wordOf('z":"');
/** `","n` and `":` */
const COUNT_1 = wordOf('","n');
const COUNT_2 = wordOf('":  ') & 0xffff;
/** `},` and `}]` */
const NEXT_LEVEL = wordOf('},  ') & 0xffff;
const LAST_LEVEL = wordOf('}]  ') & 0xffff;
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

  /**
   * Reads `source[start … end)` into the scratch, times as the venue's milliseconds.
   * False: declined, and the scratch holds nothing of use.
   */
  scan(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    const at = this.memory.load(source, start, end);
    this.scratch.reset();
    this.scratch.reserveLevels(((length / LEVEL_BYTES_MIN) | 0) + 2);
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
    at = this.head(BOOK_HEAD.pass(this.view, at), Record.RecordType.DepthSnapshot, Channel.Book);
    at = at < 0 ? at : LEVELS.pass(this.view, at);
    at = at < 0 ? at : this.levels(at, Record.BIDS_COUNT, Record.LEVELS);
    const event = this.event;
    // `,[` of the asks
    if (at < 0 || this.view.getInt16(at, true) !== 0x5b2c) return SCAN_FAILED;
    const bids = event[Record.BIDS_COUNT]!;
    at = this.levels(at + 2, Record.ASKS_COUNT, Record.LEVELS + bids * Record.DOUBLES_PER_LEVEL);
    event[Record.FLAGS] = EventFlag.Snapshot | EventFlag.Last;
    this.scratch.doubles =
      Record.LEVELS + (bids + event[Record.ASKS_COUNT]!) * Record.DOUBLES_PER_LEVEL;
    return at < 0 ? at : this.close(at);
  }

  private ticker(at: number): number {
    at = this.head(TICKER_HEAD.pass(this.view, at), Record.RecordType.BookTicker, Channel.Bbo);
    at = at < 0 ? at : BBO.pass(this.view, at);
    at = at < 0 ? at : this.side(at, Record.TICKER_BID_PRICE);
    if (at < 0 || this.view.getUint8(at) !== COMMA) return SCAN_FAILED;
    at = this.side(at + 1, Record.TICKER_ASK_PRICE);
    if (at < 0 || this.view.getUint8(at) !== CLOSE_BRACKET) return SCAN_FAILED;
    this.event[Record.FLAGS] = EventFlag.Last;
    this.scratch.doubles = Record.BOOK_TICKER_DOUBLES;
    return this.close(at + 1);
  }

  /** `]}}` of a book or ticker, from behind its last side. */
  private close(at: number): number {
    const { view } = this;
    const outer = this.scratch.channel === Channel.Book ? CLOSE_BRACKET : CLOSE_BRACE;
    if (view.getUint8(at) !== outer || view.getUint8(at + 1) !== CLOSE_BRACE) return SCAN_FAILED;
    if (outer === CLOSE_BRACE) return at + 2;
    return view.getUint8(at + 2) === CLOSE_BRACE ? at + 3 : SCAN_FAILED;
  }

  /** Coin and time, which books and tickers begin with, from the coin's first byte. */
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
    at = TIME.pass(this.view, this.coinEnd);
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

  /** The levels of one side, from behind its `[` to behind its `]`. */
  private levels(at: number, countIndex: number, index: number): number {
    const { view, event, end, priceDecimals, sizeDecimals } = this;
    event[countIndex] = 0;
    if (view.getUint8(at) === CLOSE_BRACKET) return at + 1;
    let slot = index;
    for (;;) {
      if (view.getInt32(at, true) !== PRICE_1 || view.getInt32(at + 3, true) !== PRICE_2) {
        return SCAN_FAILED;
      }
      at = scanLooseDecimal(view, at + 7, priceDecimals, event, slot);
      if (at < 0 || view.getInt32(at, true) !== SIZE_1 || view.getInt32(at + 4, true) !== SIZE_2) {
        return SCAN_FAILED;
      }
      at = scanLooseDecimal(view, at + 8, sizeDecimals, event, slot + 1);
      if (at < 0 || view.getInt32(at, true) !== COUNT_1) return SCAN_FAILED;
      if (view.getUint16(at + 4, true) !== COUNT_2) return SCAN_FAILED;
      at = this.orders(at + 6);
      if (at < 0 || at > end) return SCAN_FAILED;
      slot += Record.DOUBLES_PER_LEVEL;
      const next = view.getUint16(at, true);
      at += 2;
      if (next === NEXT_LEVEL) continue;
      if (next !== LAST_LEVEL) return SCAN_FAILED;
      event[countIndex] = (slot - index) / Record.DOUBLES_PER_LEVEL;
      return at;
    }
  }

  /** Number of orders at a level: there is no place for it, but it has to be one. */
  private orders(at: number): number {
    const { view } = this;
    const first = view.getUint8(at) - 0x30;
    if (first < 1 || first > 9) return SCAN_FAILED;
    for (let digits = 1; digits <= 9; digits++) {
      const digit = view.getUint8(++at) - 0x30;
      if (digit < 0 || digit > 9) return at;
    }
    return SCAN_FAILED;
  }

  /** One side of a ticker: `{"px":…}` or null, which is size 0. */
  private side(at: number, index: number): number {
    const { view, event } = this;
    event[index] = 0;
    event[index + 1] = 0;
    if (view.getInt32(at, true) === NULL) return at + 4;
    if (view.getInt32(at, true) !== PRICE_1 || view.getInt32(at + 3, true) !== PRICE_2) {
      return SCAN_FAILED;
    }
    at = scanLooseDecimal(view, at + 7, this.priceDecimals, event, index);
    if (at < 0 || view.getInt32(at, true) !== SIZE_1 || view.getInt32(at + 4, true) !== SIZE_2) {
      return SCAN_FAILED;
    }
    at = scanLooseDecimal(view, at + 8, this.sizeDecimals, event, index + 1);
    if (at < 0 || view.getInt32(at, true) !== COUNT_1) return SCAN_FAILED;
    if (view.getUint16(at + 4, true) !== COUNT_2) return SCAN_FAILED;
    at = this.orders(at + 6);
    return at >= 0 && view.getUint8(at) === CLOSE_BRACE ? at + 1 : SCAN_FAILED;
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
    if (at < 0) return SCAN_FAILED;
    const side = view.getUint8(at);
    if (side !== SIDE_BUY && side !== SIDE_SELL) return SCAN_FAILED;
    trade[Record.TRADE_AGGRESSOR] = side === SIDE_BUY ? Aggressor.Buy : Aggressor.Sell;
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
    return at < 0 ? at : this.parties(at, trade);
  }

  /** From the first hex digit of the hash to behind the trade. */
  private parties(at: number, trade: Float64Array): number {
    const { view } = this;
    at = scanHex(view, at, HASH_WORDS, trade, Record.TRADE_HASH);
    at = at === NOT_HEX ? SCAN_FAILED : TRADE_ID.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, trade, Record.TRADE_ID);
    at = at < 0 ? at : TRADE_USERS.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, ADDRESS_WORDS, trade, Record.TRADE_BUYER);
    at = at < 0 ? at : TRADE_SECOND_USER.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, ADDRESS_WORDS, trade, Record.TRADE_SELLER);
    return at < 0 ? at : TRADE_END.pass(view, at);
  }
}
