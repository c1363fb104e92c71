/**
 * The strict parser of Hyperliquid frames: reads any JSON of a known meaning, in any order of names and
 * with any extra names, exactly, and says what is wrong with everything else. Cold: it runs on the
 * frames that the fast scanner declines, and is its oracle in tests.
 */
import { Channel } from '../../domain/channel.js';
import { parseDecimal } from '../../domain/decimal.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import { Aggressor } from '../../domain/side.js';
import { FaultError } from '../../faults/fault.js';
import * as Record from '../../rings/record-types.js';
import { JsonObject, JsonSyntaxError, readJsonBytes } from '../json-text.js';
import type { JsonValue } from '../json-text.js';
import { ParseResult } from '../venue.js';
import type { FrameScratch } from './frame-scratch.js';
import {
  ADDRESS_HEX_DIGITS,
  CONTROL_CHANNELS,
  GREETING,
  HASH_HEX_DIGITS,
  UNUSED_CHANNELS,
} from './messages.js';
import { StrictContexts } from './parse-strict-context.js';
import { arrayOf, malformed, objectOf, wholeOf } from './strict-json.js';

const HEX_DIGITS_PER_WORD = 8;
const GREETING_BYTES = new TextEncoder().encode(GREETING);

export class StrictParser {
  private readonly bySymbol: Map<string, Instrument>;
  private readonly contexts: StrictContexts;

  constructor(
    instruments: readonly Instrument[],
    private readonly scratch: FrameScratch,
  ) {
    this.bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
    this.contexts = new StrictContexts(this.bySymbol, scratch);
  }

  /** The instrument is another one from the next frame on. */
  redefine(instrument: Instrument): void {
    if (this.bySymbol.has(instrument.symbol)) this.bySymbol.set(instrument.symbol, instrument);
  }

  /**
   * Reads one frame into the scratch. Times stand there as the venue's milliseconds.
   * @param bytes exactly the frame
   */
  parse(bytes: Uint8Array): ParseResult {
    this.scratch.reset();
    return isGreeting(bytes) ? ParseResult.Ignored : this.read(bytes, false);
  }

  /** The same for the answer to an l2Book question by REST: Ignored if it is null, "no such book". */
  parseBook(bytes: Uint8Array): ParseResult {
    this.scratch.reset();
    return this.read(bytes, true);
  }

  private read(bytes: Uint8Array, isBook: boolean): ParseResult {
    try {
      const value = readJsonBytes(bytes);
      if (!isBook) return this.frame(value);
      return value === null ? ParseResult.Ignored : this.book(objectOf(value, 'book'));
    } catch (error) {
      if (error instanceof JsonSyntaxError) return ParseResult.Malformed;
      if (!(error instanceof FaultError)) throw error;
      return error.code === 'FRAME_PRECISION' ? ParseResult.Precision : ParseResult.Malformed;
    }
  }

  private frame(frame: JsonValue): ParseResult {
    if (!(frame instanceof JsonObject) || frame.duplicates !== null) return ParseResult.Malformed;
    const channel = frame.members.get('channel');
    if (channel === undefined) return ParseResult.UnknownType;
    if (typeof channel !== 'string') return ParseResult.Malformed;
    const data = frame.members.get('data');
    switch (channel) {
      case 'l2Book':
        return this.book(objectOf(data, 'data'));
      case 'bbo':
        return this.ticker(objectOf(data, 'data'));
      case 'trades':
        return this.trades(arrayOf(data, 'data'));
      case 'activeAssetCtx':
      case 'activeSpotAssetCtx':
        return this.contexts.asset(objectOf(data, 'data'));
      case 'allMids':
        return this.contexts.mids(objectOf(data, 'data'));
      default:
        if (CONTROL_CHANNELS.has(channel)) return ParseResult.Control;
        return UNUSED_CHANNELS.has(channel) ? ParseResult.Ignored : ParseResult.UnknownType;
    }
  }

  private book(data: JsonObject): ParseResult {
    this.scratch.channel = Channel.Book;
    const instrument = this.coinOf(data);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const sides = arrayOf(data.members.get('levels'), 'levels');
    if (sides.length !== 2) throw malformed('levels');
    const bids = arrayOf(sides[0], 'levels');
    const asks = arrayOf(sides[1], 'levels');
    this.scratch.reserveLevels(bids.length + asks.length + 1);
    const { event } = this.scratch;
    const flags = EventFlag.Snapshot | EventFlag.Last | Record.WITH_BEST_ORDERS;
    this.head(event, instrument, wholeOf(data, 'time'), flags);
    event[Record.SEQUENCE_LAST] = event[Record.EXCHANGE_NS]!;
    event[Record.BIDS_COUNT] = bids.length;
    event[Record.ASKS_COUNT] = asks.length;
    let at = Record.LEVELS;
    for (const level of [...bids, ...asks]) {
      this.level(objectOf(level, 'level'), instrument, event, at);
      at += Record.DOUBLES_PER_LEVEL;
    }
    event[at] = bids.length === 0 ? 0 : wholeOf(objectOf(bids[0], 'level'), 'n');
    event[at + 1] = asks.length === 0 ? 0 : wholeOf(objectOf(asks[0], 'level'), 'n');
    return this.finish(Record.RecordType.DepthSnapshot, at + Record.BEST_ORDERS_DOUBLES);
  }

  private ticker(data: JsonObject): ParseResult {
    this.scratch.channel = Channel.Bbo;
    const instrument = this.coinOf(data);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const sides = arrayOf(data.members.get('bbo'), 'bbo');
    if (sides.length !== 2) throw malformed('bbo');
    const { event } = this.scratch;
    this.head(event, instrument, wholeOf(data, 'time'), EventFlag.Last);
    event[Record.SEQUENCE_LAST] = event[Record.EXCHANGE_NS]!;
    this.tickerSide(sides[0], instrument, Record.TICKER_BID_PRICE);
    this.tickerSide(sides[1], instrument, Record.TICKER_ASK_PRICE);
    return this.finish(Record.RecordType.BookTicker, Record.BOOK_TICKER_DOUBLES);
  }

  /** A side without orders is null: size 0. */
  private tickerSide(side: JsonValue | undefined, instrument: Instrument, at: number): void {
    const { event } = this.scratch;
    event[at] = 0;
    event[at + 1] = 0;
    if (side !== null) this.level(objectOf(side, 'bbo'), instrument, event, at);
  }

  private trades(trades: readonly JsonValue[]): ParseResult {
    const { scratch } = this;
    scratch.channel = Channel.Trades;
    if (trades.length === 0) return ParseResult.Ignored;
    const objects = trades.map((trade) => objectOf(trade, 'trade'));
    const withParties = objects.every(
      ({ members }) => members.has('users') && typeof members.get('hash') === 'string',
    );
    for (const trade of objects) {
      const instrument = this.coinOf(trade);
      if (instrument === undefined) return ParseResult.UnknownSymbol;
      const event = scratch.nextEvent();
      this.trade(trade, instrument, event);
      if (withParties) this.parties(trade, event);
      scratch.eventsCount++;
    }
    return withParties
      ? this.finish(Record.RecordType.TradeParties, Record.TRADE_PARTIES_DOUBLES)
      : this.finish(Record.RecordType.Trade, Record.TRADE_DOUBLES);
  }

  private trade(trade: JsonObject, instrument: Instrument, event: Float64Array): void {
    this.head(event, instrument, wholeOf(trade, 'time'), EventFlag.Last);
    event[Record.SEQUENCE_LAST] = Record.ABSENT;
    const side = trade.members.get('side');
    if (side !== 'A' && side !== 'B') throw malformed('side');
    event[Record.TRADE_AGGRESSOR] = side === 'B' ? Aggressor.Buy : Aggressor.Sell;
    const { members } = trade;
    event[Record.TRADE_PRICE] = amountOf(members.get('px'), instrument.priceDecimals);
    event[Record.TRADE_SIZE] = amountOf(members.get('sz'), instrument.sizeDecimals);
    event[Record.TRADE_ID] = wholeOf(trade, 'tid');
  }

  private parties(trade: JsonObject, event: Float64Array): void {
    writeHex(trade.members.get('hash'), HASH_HEX_DIGITS, event, Record.TRADE_HASH);
    const users = arrayOf(trade.members.get('users'), 'users');
    if (users.length !== 2) throw malformed('users');
    writeHex(users[0], ADDRESS_HEX_DIGITS, event, Record.TRADE_BUYER);
    writeHex(users[1], ADDRESS_HEX_DIGITS, event, Record.TRADE_SELLER);
  }

  /** Undefined: a coin that is not ours. */
  private coinOf(data: JsonObject): Instrument | undefined {
    const coin = data.members.get('coin');
    if (typeof coin !== 'string') throw malformed('coin');
    const instrument = this.bySymbol.get(coin);
    if (instrument !== undefined) this.scratch.instrumentId = instrument.id;
    return instrument;
  }

  private head(event: Float64Array, instrument: Instrument, timeMs: number, flags: number): void {
    event[Record.INSTRUMENT] = instrument.id;
    event[Record.FLAGS] = flags;
    event[Record.EXCHANGE_NS] = timeMs;
    event[Record.SEQUENCE_FIRST] = Record.ABSENT;
    event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    event[Record.ENGINE_NS] = Record.ABSENT;
  }

  private level(level: JsonObject, instrument: Instrument, out: Float64Array, at: number): void {
    out[at] = amountOf(level.members.get('px'), instrument.priceDecimals);
    out[at + 1] = amountOf(level.members.get('sz'), instrument.sizeDecimals);
    wholeOf(level, 'n');
  }

  private finish(recordType: number, doubles: number): ParseResult {
    this.scratch.recordType = recordType;
    this.scratch.doubles = doubles;
    return ParseResult.Events;
  }
}

function isGreeting(bytes: Uint8Array): boolean {
  return (
    bytes.length === GREETING_BYTES.length && GREETING_BYTES.every((byte, i) => byte === bytes[i])
  );
}

/** A decimal text, not negative, as a mantissa. */
function amountOf(value: JsonValue | undefined, decimals: number): number {
  if (typeof value !== 'string' || value.startsWith('-')) throw malformed('amount');
  return parseDecimal(value, decimals);
}

/** `0x` and exactly `digits` hex digits, as words of 32 bits, the most significant first. */
function writeHex(
  value: JsonValue | undefined,
  digits: number,
  out: Float64Array,
  at: number,
): void {
  const hex = typeof value === 'string' && value.startsWith('0x') ? value.slice(2) : '';
  if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) throw malformed('hex');
  for (let i = 0; i < digits / HEX_DIGITS_PER_WORD; i++) {
    const word = hex.slice(i * HEX_DIGITS_PER_WORD, (i + 1) * HEX_DIGITS_PER_WORD);
    out[at + i] = Number.parseInt(word, 16);
  }
}
