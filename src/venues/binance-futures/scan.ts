/**
 * The fast scanner of futures frames: bytes → one event in the scratch. Ingest thread, the hottest
 * code of this venue; it allocates nothing.
 *
 * It reads the venue's compact JSON as it is sent, with the names of a message in any order as long as
 * `e` and `s` stand before what depends on them, and skips plain values under names that it does not
 * know. Everything else (white space, escapes, names twice, numbers of another form, other types,
 * symbols that are not ours) is declined: the strict parser decides. It never says that a frame is
 * bad, so the two can only differ where this one accepts; test/venues proves that they do not.
 */
import { Channel } from '../../domain/channel.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import { Aggressor } from '../../domain/side.js';
import { invariant } from '../../faults/invariant.js';
import * as Record from '../../rings/record-types.js';
import {
  DECIMALS_MAX,
  LEVEL_BYTES_MIN,
  SCAN_FAILED,
  scanDecimal,
  scanInteger,
  scanLevels,
  scanPlainString,
  scanPlainValue,
} from '../byte-scan.js';
import type { EventScratch } from '../event-scratch.js';
import { FrameMemory } from '../frame-memory.js';
import { NO_SYMBOL, SymbolTable } from '../symbol-table.js';
import type { TradeKind } from './messages.js';
import {
  AGG_TRADE,
  AGG_TRADE_1,
  AGG_TRADE_2,
  AGG_TRADE_3,
  DATA_1,
  DATA_2,
  DEPTH,
  DEPTH_1,
  DEPTH_2,
  DEPTH_3,
  FALSE,
  MARKET_1,
  MARKET_2,
  NEEDED_AGG_TRADE,
  NEEDED_DEPTH,
  NEEDED_TICKER,
  NEEDED_TRADE,
  NONE,
  ONE_LETTER,
  ONE_LETTER_MASK,
  PU,
  Seen,
  ST,
  STREAM_1,
  STREAM_2,
  STREAM_3,
  THREE_BYTES,
  TICKER,
  TICKER_1,
  TICKER_2,
  TICKER_3,
  TRADE,
  TRADE_1,
  TRADE_2,
  TRUE,
  TWO_BYTES,
} from './scan-words.js';

const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;

export class FuturesScanner {
  /** Where frames are read; a receive buffer may be adopted there. */
  readonly memory = new FrameMemory();
  private readonly symbols: SymbolTable;
  private readonly ids: Int32Array;
  private readonly priceDecimalsOf: Int32Array;
  private readonly sizeDecimalsOf: Int32Array;
  private readonly wantedTrade: number;
  private view: DataView;
  private bytes: Uint8Array;
  private event: Float64Array;
  private end = 0;
  private type = NONE;
  private seen = 0;
  private priceDecimals = 0;
  private sizeDecimals = 0;

  constructor(
    instruments: readonly Instrument[],
    tradeKind: TradeKind,
    private readonly scratch: EventScratch,
  ) {
    for (const { priceDecimals, sizeDecimals } of instruments) {
      invariant(priceDecimals <= DECIMALS_MAX && sizeDecimals <= DECIMALS_MAX, 'decimals in range');
    }
    this.symbols = new SymbolTable(instruments.map((instrument) => instrument.symbol));
    this.ids = Int32Array.from(instruments, (instrument) => instrument.id);
    this.priceDecimalsOf = Int32Array.from(instruments, (instrument) => instrument.priceDecimals);
    this.sizeDecimalsOf = Int32Array.from(instruments, (instrument) => instrument.sizeDecimals);
    this.wantedTrade = tradeKind === 'trade' ? TRADE : AGG_TRADE;
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
    let at = this.memory.load(source, start, end);
    this.scratch.reserveLevels(((length / LEVEL_BYTES_MIN) | 0) + 2);
    this.view = this.memory.view;
    this.bytes = this.memory.bytes;
    this.event = this.scratch.event;
    this.end = at + length;
    this.type = NONE;
    this.seen = 0;
    const view = this.view;
    const isCombined = view.getInt32(at, true) === STREAM_1;
    if (isCombined) at = this.passStreamName(at);
    if (at < 0 || view.getUint8(at) !== OPEN_BRACE) return false;
    at = this.members(at + 1);
    if (at < 0) return false;
    if (isCombined) {
      if (view.getUint8(at) !== CLOSE_BRACE) return false;
      at++;
    }
    return at === this.end && this.finish();
  }

  /** From `{"stream":"…","data":` to behind it. */
  private passStreamName(at: number): number {
    const view = this.view;
    if (view.getInt32(at + 4, true) !== STREAM_2) return SCAN_FAILED;
    if ((view.getInt32(at + 8, true) & THREE_BYTES) !== STREAM_3) return SCAN_FAILED;
    at = scanPlainString(view, at + 11, this.end);
    if (at < 0) return SCAN_FAILED;
    if (view.getInt32(at, true) !== DATA_1 || view.getInt32(at + 4, true) !== DATA_2) {
      return SCAN_FAILED;
    }
    return at + 8;
  }

  /** From behind a `{` to behind its `}`. */
  private members(at: number): number {
    const view = this.view;
    for (;;) {
      const name = view.getInt32(at, true);
      if ((name & ONE_LETTER_MASK) === ONE_LETTER) {
        at = this.member((name >> 8) & 0xff, at + 4);
      } else if (name === PU) {
        at = this.previous(at + 4);
      } else {
        at = this.passMember(at, name);
      }
      if (at < 0) return SCAN_FAILED;
      const next = view.getUint8(at);
      if (next === CLOSE_BRACE) return at + 1;
      if (next !== COMMA || at > this.end) return SCAN_FAILED;
      at++;
    }
  }

  private member(letter: number, at: number): number {
    const type = this.type;
    switch (letter) {
      case 0x65: // e
        return this.typeName(at);
      case 0x45: // E
        return this.whole(at, Seen.E, Record.EXCHANGE_NS);
      case 0x54: // T
        return this.whole(at, Seen.T, Record.ENGINE_NS);
      case 0x73: // s
        return this.symbol(at);
      case 0x55: // U
        return type === DEPTH ? this.whole(at, Seen.U, Record.SEQUENCE_FIRST) : SCAN_FAILED;
      case 0x75: // u; COIN-M tickers send it before `e`
        return type === DEPTH || type === TICKER || type === NONE
          ? this.whole(at, Seen.u, Record.SEQUENCE_LAST)
          : SCAN_FAILED;
      case 0x62: // b
        if (type === DEPTH) return this.levels(at, Seen.b, Record.BIDS_COUNT);
        if (type === TICKER) return this.price(at, Seen.b, Record.TICKER_BID_PRICE);
        return SCAN_FAILED;
      case 0x61: // a
        if (type === DEPTH) return this.levels(at, Seen.a, Record.ASKS_COUNT);
        if (type === TICKER) return this.price(at, Seen.a, Record.TICKER_ASK_PRICE);
        return type === AGG_TRADE ? this.whole(at, Seen.a, Record.TRADE_ID) : SCAN_FAILED;
      case 0x42: // B
        return type === TICKER ? this.size(at, Seen.B, Record.TICKER_BID_SIZE) : SCAN_FAILED;
      case 0x41: // A
        return type === TICKER ? this.size(at, Seen.A, Record.TICKER_ASK_SIZE) : SCAN_FAILED;
      default:
        return type === TRADE || type === AGG_TRADE ? this.tradeMember(letter, at) : SCAN_FAILED;
    }
  }

  private tradeMember(letter: number, at: number): number {
    switch (letter) {
      case 0x70: // p
        return this.price(at, Seen.p, Record.TRADE_PRICE);
      case 0x71: // q
        return this.size(at, Seen.q, Record.TRADE_SIZE);
      case 0x6d: // m
        return this.buyerIsMaker(at);
      case 0x74: // t
        return this.type === TRADE ? this.whole(at, Seen.t, Record.TRADE_ID) : SCAN_FAILED;
      case 0x66: // f
        return this.type === AGG_TRADE
          ? this.whole(at, Seen.f, Record.SEQUENCE_FIRST)
          : SCAN_FAILED;
      case 0x6c: // l
        return this.type === AGG_TRADE ? this.whole(at, Seen.l, Record.SEQUENCE_LAST) : SCAN_FAILED;
      case 0x58: // X: all but the common case is for the strict parser
        return this.marketOrder(at);
      default:
        return SCAN_FAILED;
    }
  }

  private typeName(at: number): number {
    if (!this.takes(Seen.e)) return SCAN_FAILED;
    const view = this.view;
    const first = view.getInt32(at, true);
    const second = view.getInt32(at + 4, true);
    const third = view.getInt32(at + 8, true);
    if (first === DEPTH_1 && second === DEPTH_2 && third === DEPTH_3) {
      this.type = DEPTH;
      return view.getUint8(at + 12) === QUOTE ? at + 13 : SCAN_FAILED;
    }
    if (first === TICKER_1 && second === TICKER_2 && third === TICKER_3) {
      this.type = TICKER;
      return at + 12;
    }
    if (first === AGG_TRADE_1 && second === AGG_TRADE_2 && (third & TWO_BYTES) === AGG_TRADE_3) {
      this.type = AGG_TRADE;
      return this.wantedTrade === AGG_TRADE ? at + 10 : SCAN_FAILED;
    }
    if (first === TRADE_1 && (second & THREE_BYTES) === TRADE_2) {
      this.type = TRADE;
      return this.wantedTrade === TRADE ? at + 7 : SCAN_FAILED;
    }
    return SCAN_FAILED;
  }

  private symbol(at: number): number {
    if (this.view.getUint8(at) !== QUOTE || !this.takes(Seen.s)) return SCAN_FAILED;
    const close = scanPlainString(this.view, at + 1, this.end);
    if (close < 0) return SCAN_FAILED;
    const index = this.symbols.find(this.bytes, at + 1, close - 1);
    if (index === NO_SYMBOL) return SCAN_FAILED;
    this.scratch.instrumentId = this.ids[index]!;
    this.priceDecimals = this.priceDecimalsOf[index]!;
    this.sizeDecimals = this.sizeDecimalsOf[index]!;
    return close;
  }

  private levels(at: number, bit: number, countIndex: number): number {
    const isAsks = countIndex === Record.ASKS_COUNT;
    // the bids stand before the asks in the record, so they must in the frame
    const needed = isAsks ? Seen.s | Seen.b : Seen.s;
    if ((this.seen & needed) !== needed || !this.takes(bit)) return SCAN_FAILED;
    if (this.view.getUint8(at) !== OPEN_BRACKET) return SCAN_FAILED;
    const event = this.event;
    const index = isAsks
      ? Record.LEVELS + event[Record.BIDS_COUNT]! * Record.DOUBLES_PER_LEVEL
      : Record.LEVELS;
    return scanLevels(
      this.view,
      at + 1,
      this.end,
      this.priceDecimals,
      this.sizeDecimals,
      event,
      countIndex,
      index,
    );
  }

  private whole(at: number, bit: number, index: number): number {
    return this.takes(bit) ? scanInteger(this.view, at, this.event, index) : SCAN_FAILED;
  }

  private previous(at: number): number {
    if (this.type !== DEPTH || this.view.getUint8(at) !== 0x3a) return SCAN_FAILED;
    return this.whole(at + 1, Seen.pu, Record.SEQUENCE_PREVIOUS);
  }

  private price(at: number, bit: number, index: number): number {
    return this.amount(at, bit, index, this.priceDecimals);
  }

  private size(at: number, bit: number, index: number): number {
    return this.amount(at, bit, index, this.sizeDecimals);
  }

  private amount(at: number, bit: number, index: number, decimals: number): number {
    if ((this.seen & Seen.s) === 0 || !this.takes(bit)) return SCAN_FAILED;
    if (this.view.getUint8(at) !== QUOTE) return SCAN_FAILED;
    const close = scanDecimal(this.view, at + 1, decimals, this.event, index);
    return close < 0 ? SCAN_FAILED : close + 1;
  }

  /** `m`: the buyer was the maker, so the aggressor sold. */
  private buyerIsMaker(at: number): number {
    if (!this.takes(Seen.m)) return SCAN_FAILED;
    const word = this.view.getInt32(at, true);
    if (word === TRUE) {
      this.event[Record.TRADE_AGGRESSOR] = Aggressor.Sell;
      return at + 4;
    }
    if (word !== FALSE || this.view.getUint8(at + 4) !== 0x65) return SCAN_FAILED;
    this.event[Record.TRADE_AGGRESSOR] = Aggressor.Buy;
    return at + 5;
  }

  private marketOrder(at: number): number {
    if (!this.takes(Seen.X)) return SCAN_FAILED;
    const view = this.view;
    return view.getInt32(at, true) === MARKET_1 && view.getInt32(at + 4, true) === MARKET_2
      ? at + 8
      : SCAN_FAILED;
  }

  /** A name that we do not use: passes it and its value if that is plain. */
  private passMember(at: number, name: number): number {
    const letter = (name >> 8) & 0xff;
    // `stream` and `data` make a frame a combined one: not ours to pass
    if ((letter === 0x73 && name !== ST) || letter === 0x64) return SCAN_FAILED;
    if (this.view.getUint8(at) !== QUOTE) return SCAN_FAILED;
    const close = scanPlainString(this.view, at + 1, this.end);
    // one letter and no letter: such a name may be ours with something odd about it
    if (close < at + 4 || this.view.getUint8(close) !== 0x3a) return SCAN_FAILED;
    return scanPlainValue(this.view, close + 1, this.end, this.event);
  }

  private takes(bit: number): boolean {
    if ((this.seen & bit) !== 0) return false;
    this.seen |= bit;
    return true;
  }

  private finish(): boolean {
    const { event, scratch, seen } = this;
    if ((seen & Seen.T) === 0) event[Record.ENGINE_NS] = Record.ABSENT;
    event[Record.INSTRUMENT] = scratch.instrumentId;
    event[Record.FLAGS] = EventFlag.Last;
    switch (this.type) {
      case DEPTH:
        if ((seen & NEEDED_DEPTH) !== NEEDED_DEPTH) return false;
        scratch.channel = Channel.Book;
        scratch.recordType = Record.RecordType.DepthUpdate;
        scratch.doubles =
          Record.LEVELS +
          (event[Record.BIDS_COUNT]! + event[Record.ASKS_COUNT]!) * Record.DOUBLES_PER_LEVEL;
        return event[Record.SEQUENCE_FIRST]! <= event[Record.SEQUENCE_LAST]!;
      case TICKER:
        if ((seen & NEEDED_TICKER) !== NEEDED_TICKER) return false;
        scratch.channel = Channel.Bbo;
        scratch.recordType = Record.RecordType.BookTicker;
        scratch.doubles = Record.BOOK_TICKER_DOUBLES;
        event[Record.SEQUENCE_FIRST] = event[Record.SEQUENCE_LAST]!;
        event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
        return true;
      default:
        return this.finishTrade();
    }
  }

  private finishTrade(): boolean {
    const { event, scratch, seen } = this;
    if (this.type === TRADE) {
      if ((seen & NEEDED_TRADE) !== NEEDED_TRADE) return false;
    } else {
      if ((seen & NEEDED_AGG_TRADE) !== NEEDED_AGG_TRADE) return false;
      if (event[Record.SEQUENCE_FIRST]! > event[Record.SEQUENCE_LAST]!) return false;
    }
    event[Record.SEQUENCE_FIRST] = event[Record.TRADE_ID]!;
    event[Record.SEQUENCE_LAST] = event[Record.TRADE_ID]!;
    event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    scratch.channel = Channel.Trades;
    scratch.recordType = Record.RecordType.Trade;
    scratch.doubles = Record.TRADE_DOUBLES;
    return true;
  }
}
