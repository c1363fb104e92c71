/**
 * The strict parser: reads any JSON of a known meaning, in any order of names and with any extra
 * names, exactly, and says what is wrong with everything else. Cold: it runs on the frames that the
 * fast scanner declines, and is its oracle in tests.
 */
import { Channel } from '../../domain/channel.js';
import { DOUBLES_PER_DECIMAL, contextBit } from '../../domain/context-fields.js';
import { parseDecimal } from '../../domain/decimal.js';
import { EventFlag } from '../../domain/event-flags.js';
import { parseExactDecimal } from '../../domain/exact-decimal.js';
import type { Instrument } from '../../domain/instrument.js';
import { Aggressor } from '../../domain/side.js';
import { FaultError } from '../../faults/fault.js';
import * as Record from '../../rings/record-types.js';
import { beginContext } from '../context-scan.js';
import type { EventScratch } from '../event-scratch.js';
import { JsonNumber, JsonObject, JsonSyntaxError, readJsonBytes } from '../json-text.js';
import type { JsonValue } from '../json-text.js';
import { ParseResult } from '../venue.js';
import {
  CONTROL_TYPES,
  MARK_PRICE_TYPE,
  MARK_PRICE_VALUES,
  OFF_BOOK_TRADES,
  UNUSED_TYPES,
} from './messages.js';
import type { TradeKind } from './messages.js';
import { finishMarkPrice } from './scan-mark-price.js';

/** Names whose double occurrence would leave the meaning open. */
const FRAME_NAMES: ReadonlySet<string> = new Set(['stream', 'data']);
const MESSAGE_NAMES: ReadonlySet<string> = new Set(
  'e E T s U u pu b a B A t p q f l X m i r'.split(' '),
);

export class StrictParser {
  /** Id of the trade in the last frame if that was off the book and therefore ignored; or ABSENT. */
  offBookTradeId: number = Record.ABSENT;
  private readonly bySymbol: Map<string, Instrument>;

  constructor(
    instruments: readonly Instrument[],
    private readonly tradeKind: TradeKind,
    private readonly scratch: EventScratch,
  ) {
    this.bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]));
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
    this.offBookTradeId = Record.ABSENT;
    try {
      return this.frame(readJsonBytes(bytes));
    } catch (error) {
      if (error instanceof JsonSyntaxError) return ParseResult.Malformed;
      if (!(error instanceof FaultError)) throw error;
      return error.code === 'FRAME_PRECISION' ? ParseResult.Precision : ParseResult.Malformed;
    }
  }

  private frame(frame: JsonValue): ParseResult {
    if (!(frame instanceof JsonObject)) return ParseResult.Malformed;
    if (isAmbiguous(frame, FRAME_NAMES)) return ParseResult.Malformed;
    const data = frame.members.get('data');
    if (!frame.members.has('stream') || data === undefined) return this.message(frame);
    // arrays: streams like !ticker@arr, which we do not subscribe to
    if (Array.isArray(data)) return ParseResult.UnknownType;
    if (!(data instanceof JsonObject)) return ParseResult.Malformed;
    if (typeof frame.members.get('stream') !== 'string') return ParseResult.Malformed;
    return this.message(data);
  }

  private message(message: JsonObject): ParseResult {
    if (isAmbiguous(message, MESSAGE_NAMES)) return ParseResult.Malformed;
    const type = message.members.get('e');
    if (type === undefined)
      return isAnswer(message) ? ParseResult.Control : ParseResult.UnknownType;
    if (typeof type !== 'string') return ParseResult.Malformed;
    switch (type) {
      case 'depthUpdate':
        return this.depth(message);
      case 'bookTicker':
        return this.ticker(message);
      case 'aggTrade':
      case 'trade':
        return this.trade(message, type);
      case MARK_PRICE_TYPE:
        return this.markPrice(message);
      default:
        if (UNUSED_TYPES.has(type)) return ParseResult.Ignored;
        return CONTROL_TYPES.has(type) ? ParseResult.Control : ParseResult.UnknownType;
    }
  }

  private depth(message: JsonObject): ParseResult {
    const instrument = this.begin(message, Channel.Book);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const bids = arrayOf(message, 'b');
    const asks = arrayOf(message, 'a');
    this.scratch.reserveLevels(bids.length + asks.length);
    const event = this.scratch.event;
    event[Record.SEQUENCE_FIRST] = wholeOf(message, 'U');
    event[Record.SEQUENCE_LAST] = wholeOf(message, 'u');
    event[Record.SEQUENCE_PREVIOUS] = wholeOf(message, 'pu');
    if (event[Record.SEQUENCE_FIRST] > event[Record.SEQUENCE_LAST]) return ParseResult.Malformed;
    event[Record.BIDS_COUNT] = bids.length;
    event[Record.ASKS_COUNT] = asks.length;
    let at = writeLevels(event, Record.LEVELS, bids, instrument);
    at = writeLevels(event, at, asks, instrument);
    return this.finish(Record.RecordType.DepthUpdate, at);
  }

  private ticker(message: JsonObject): ParseResult {
    const instrument = this.begin(message, Channel.Bbo);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const event = this.scratch.event;
    event[Record.SEQUENCE_LAST] = wholeOf(message, 'u');
    event[Record.SEQUENCE_FIRST] = event[Record.SEQUENCE_LAST]!;
    event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    const { priceDecimals, sizeDecimals } = instrument;
    event[Record.TICKER_BID_PRICE] = amountOf(message.members.get('b'), priceDecimals);
    event[Record.TICKER_BID_SIZE] = amountOf(message.members.get('B'), sizeDecimals);
    event[Record.TICKER_ASK_PRICE] = amountOf(message.members.get('a'), priceDecimals);
    event[Record.TICKER_ASK_SIZE] = amountOf(message.members.get('A'), sizeDecimals);
    return this.finish(Record.RecordType.BookTicker, Record.BOOK_TICKER_DOUBLES);
  }

  private trade(message: JsonObject, kind: TradeKind): ParseResult {
    const instrument = this.begin(message, Channel.Trades);
    if (kind !== this.tradeKind) return ParseResult.Ignored;
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const event = this.scratch.event;
    const id = wholeOf(message, kind === 'trade' ? 't' : 'a');
    if (kind === 'aggTrade' && wholeOf(message, 'f') > wholeOf(message, 'l')) {
      return ParseResult.Malformed;
    }
    event[Record.SEQUENCE_FIRST] = id;
    event[Record.SEQUENCE_LAST] = id;
    event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
    event[Record.TRADE_ID] = id;
    const type = message.members.get('X');
    if (type !== undefined && typeof type !== 'string') return ParseResult.Malformed;
    if (type !== undefined && OFF_BOOK_TRADES.has(type)) {
      this.offBookTradeId = id;
      return ParseResult.Ignored;
    }
    event[Record.TRADE_PRICE] = amountOf(message.members.get('p'), instrument.priceDecimals);
    event[Record.TRADE_SIZE] = amountOf(message.members.get('q'), instrument.sizeDecimals);
    const buyerIsMaker = message.members.get('m');
    if (typeof buyerIsMaker !== 'boolean') return ParseResult.Malformed;
    event[Record.TRADE_AGGRESSOR] = buyerIsMaker ? Aggressor.Sell : Aggressor.Buy;
    return this.finish(Record.RecordType.Trade, Record.TRADE_DOUBLES);
  }

  private markPrice(message: JsonObject): ParseResult {
    const instrument = this.begin(message, Channel.Context);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    const { event } = this.scratch;
    beginContext(event, instrument.id, EventFlag.Last);
    event[Record.EXCHANGE_NS] = wholeOf(message, 'E');
    for (const [name, field] of MARK_PRICE_VALUES) {
      const value = message.members.get(name);
      if (value === undefined || value === '') continue;
      if (typeof value !== 'string') throw malformed(name);
      parseExactDecimal(value, event, Record.CONTEXT_VALUES + field * DOUBLES_PER_DECIMAL);
      event[Record.CONTEXT_PRESENT]! |= contextBit(field);
    }
    if (message.members.has('T')) {
      event[Record.CONTEXT_NEXT_FUNDING_NS] = wholeOf(message, 'T');
    }
    finishMarkPrice(event, instrument.id);
    return this.finish(Record.RecordType.ContextUpdate, Record.CONTEXT_UPDATE_DOUBLES);
  }

  /** What all events have in common. Undefined: a symbol that is not ours. */
  private begin(message: JsonObject, channel: Channel): Instrument | undefined {
    const scratch = this.scratch;
    scratch.channel = channel;
    const symbol = message.members.get('s');
    if (typeof symbol !== 'string') throw malformed('s');
    const instrument = this.bySymbol.get(symbol);
    if (instrument !== undefined) scratch.instrumentId = instrument.id;
    scratch.event[Record.INSTRUMENT] = instrument?.id ?? Record.ABSENT;
    scratch.event[Record.FLAGS] = EventFlag.Last;
    scratch.event[Record.EXCHANGE_NS] = wholeOf(message, 'E');
    scratch.event[Record.ENGINE_NS] = message.members.has('T')
      ? wholeOf(message, 'T')
      : Record.ABSENT;
    return instrument;
  }

  private finish(recordType: number, doubles: number): ParseResult {
    this.scratch.recordType = recordType;
    this.scratch.doubles = doubles;
    return ParseResult.Events;
  }
}

/** Answers to our requests: `{"result":null,"id":1}`, `{"id":1,"error":{…}}`, `{"code":2,"msg":"…"}`. */
function isAnswer(message: JsonObject): boolean {
  const has = (name: string): boolean => message.members.has(name);
  return (
    (has('id') && (has('result') || has('error'))) || (has('code') && has('msg')) || has('error')
  );
}

function isAmbiguous(object: JsonObject, names: ReadonlySet<string>): boolean {
  if (object.duplicates === null) return false;
  for (const name of object.duplicates) if (names.has(name)) return true;
  return false;
}

function malformed(name: string): FaultError {
  return new FaultError('FRAME_MALFORMED', `field ${name}`);
}

/** A whole number without sign, fraction or exponent. */
export function wholeOf(message: JsonObject, name: string): number {
  const value = message.members.get(name);
  if (!(value instanceof JsonNumber) || !/^\d+$/.test(value.lexeme)) throw malformed(name);
  const number = Number(value.lexeme);
  if (!Number.isSafeInteger(number)) throw new FaultError('FRAME_PRECISION', `field ${name}`);
  return number;
}

function arrayOf(message: JsonObject, name: string): JsonValue[] {
  const value = message.members.get(name);
  if (!Array.isArray(value)) throw malformed(name);
  return value;
}

/** A decimal text, not negative, as a mantissa. */
function amountOf(value: JsonValue | undefined, decimals: number): number {
  if (typeof value !== 'string' || value.startsWith('-')) throw malformed('amount');
  return parseDecimal(value, decimals);
}

/** Writes `[["price","size"],…]` as pairs and returns the index behind them. */
export function writeLevels(
  out: Float64Array,
  at: number,
  levels: readonly JsonValue[],
  instrument: Instrument,
): number {
  for (const level of levels) {
    if (!Array.isArray(level) || level.length !== 2) throw malformed('level');
    out[at++] = amountOf(level[0], instrument.priceDecimals);
    out[at++] = amountOf(level[1], instrument.sizeDecimals);
  }
  return at;
}
