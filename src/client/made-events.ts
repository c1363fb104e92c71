/**
 * The events of feed-events.ts, made of a decoded message. Classes, because one object of a known
 * shape a message is many times cheaper than spreading its parts into a literal (measured: 0.3 µs
 * against 3 µs). Hot in a client.
 */
import type { BookState, StateReason } from '../domain/book-state.js';
import { ContextField, DOUBLES_PER_DECIMAL, contextBit } from '../domain/context-fields.js';
import { formatDecimal } from '../domain/decimal.js';
import { DefinitionField, tradingName } from '../domain/definition.js';
import { formatExactDecimal } from '../domain/exact-decimal.js';
import { Aggressor } from '../domain/side.js';
import type { MessageDecoder } from '../wire/decode.js';
import { HeadField } from '../wire/head-fields.js';
import { TRADE_FIELDS } from '../wire/message-layout.js';
import type {
  BboEvent,
  BookEvent,
  ContextEvent,
  EventHead,
  ExactDecimal,
  OrdersEvent,
  StatusEvent,
  TradePrint,
  ToldDefinition,
  TradesEvent,
} from './feed-events.js';
import { Level } from './level.js';
import type { LocalOrders } from './local-orders.js';
import type { LocalBook } from './local-book.js';

class MadeHead implements EventHead {
  readonly instrument: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly firstSequence: number;
  readonly folded: number;
  readonly venueSequence: number;
  readonly flags: number;
  readonly state: BookState;
  readonly reason: StateReason;
  readonly exchangeNs: bigint;
  readonly receivedNs: bigint;
  readonly appliedNs: bigint;
  readonly publishedNs: bigint;
  skipped = 0;

  constructor(instrument: string, message: MessageDecoder) {
    const head = message.head;
    this.instrument = instrument;
    this.epoch = head[HeadField.Epoch]!;
    this.sequence = head[HeadField.Sequence]!;
    this.firstSequence = head[HeadField.FirstSequence]!;
    this.folded = head[HeadField.Folded]!;
    this.venueSequence = head[HeadField.VenueSequence]!;
    this.flags = head[HeadField.Flags]!;
    this.state = head[HeadField.State]! as BookState;
    this.reason = head[HeadField.Reason]! as StateReason;
    this.exchangeNs = message.exchangeUnixNs();
    this.receivedNs = message.receivedUnixNs();
    this.appliedNs = message.appliedUnixNs();
    this.publishedNs = message.publishedUnixNs();
  }
}

export class MadeBookEvent extends MadeHead implements BookEvent {
  readonly channel = 'book';
  readonly kind: BookEvent['kind'];
  readonly book: LocalBook;

  constructor(
    message: MessageDecoder,
    instrument: string,
    kind: BookEvent['kind'],
    book: LocalBook,
  ) {
    super(instrument, message);
    this.kind = kind;
    this.book = book;
  }
}

export class MadeOrdersEvent extends MadeHead implements OrdersEvent {
  readonly channel = 'orders';
  readonly kind: OrdersEvent['kind'];
  readonly orders: LocalOrders;

  constructor(
    message: MessageDecoder,
    instrument: string,
    kind: OrdersEvent['kind'],
    orders: LocalOrders,
  ) {
    super(instrument, message);
    this.kind = kind;
    this.orders = orders;
  }
}

export class MadeBboEvent extends MadeHead implements BboEvent {
  readonly channel = 'bbo';
  readonly bid: Level | null;
  readonly ask: Level | null;
  readonly bidOrders: number;
  readonly askOrders: number;

  constructor(message: MessageDecoder, instrument: string, scale: LocalBook) {
    super(instrument, message);
    const bbo = message.bbo;
    const { priceDecimals, sizeDecimals } = scale;
    this.bid = bbo[1] === 0 ? null : new Level(bbo[0]!, bbo[1]!, priceDecimals, sizeDecimals);
    this.ask = bbo[3] === 0 ? null : new Level(bbo[2]!, bbo[3]!, priceDecimals, sizeDecimals);
    this.bidOrders = bbo[4]!;
    this.askOrders = bbo[5]!;
  }
}

export class MadeTradesEvent extends MadeHead implements TradesEvent {
  readonly channel = 'trades';
  readonly trades: readonly TradePrint[];

  constructor(message: MessageDecoder, instrument: string, scale: LocalBook) {
    super(instrument, message);
    const prints: TradePrint[] = [];
    const fields = message.trades;
    for (let i = 0; i < message.tradesCount; i++) {
      const at = i * TRADE_FIELDS;
      prints.push({
        at: new Level(fields[at]!, fields[at + 1]!, scale.priceDecimals, scale.sizeDecimals),
        tradeId: fields[at + 2]!,
        aggressor: aggressorName(fields[at + 4]!),
        exchangeUnixMs: fields[at + 3]! / 1e6,
      });
    }
    this.trades = prints;
  }
}

export class MadeStatusEvent extends MadeHead implements StatusEvent {
  readonly channel = 'status';
  readonly sinceNs: bigint;
  readonly definition: ToldDefinition | null;

  constructor(message: MessageDecoder, instrument: string) {
    super(instrument, message);
    this.sinceNs = message.sinceUnixNs();
    this.definition = message.hasDefinition ? definitionOf(message.definition) : null;
  }
}

function definitionOf(told: Float64Array): ToldDefinition {
  const priceDecimals = told[DefinitionField.PriceDecimals]!;
  const sizeDecimals = told[DefinitionField.SizeDecimals]!;
  const tickSize = told[DefinitionField.TickSize]!;
  const lotSize = told[DefinitionField.LotSize]!;
  return {
    priceDecimals,
    sizeDecimals,
    tickSize,
    lotSize,
    tickSizeText: formatDecimal(tickSize, priceDecimals),
    lotSizeText: formatDecimal(lotSize, sizeDecimals),
    priceSignificantFigures: told[DefinitionField.SignificantFigures]!,
    trading: tradingName(told[DefinitionField.Trading]!),
  };
}

export class MadeContextEvent extends MadeHead implements ContextEvent {
  readonly channel = 'context';
  readonly markPrice: ExactDecimal | null;
  readonly indexPrice: ExactDecimal | null;
  readonly midPrice: ExactDecimal | null;
  readonly previousDayPrice: ExactDecimal | null;
  readonly fundingRate: ExactDecimal | null;
  readonly premium: ExactDecimal | null;
  readonly impactBidPrice: ExactDecimal | null;
  readonly impactAskPrice: ExactDecimal | null;
  readonly openInterest: ExactDecimal | null;
  readonly dayVolume: ExactDecimal | null;
  readonly dayNotional: ExactDecimal | null;
  readonly nextFundingNs: bigint | null;

  constructor(message: MessageDecoder, instrument: string) {
    super(instrument, message);
    this.markPrice = valueOf(message, ContextField.MarkPrice);
    this.indexPrice = valueOf(message, ContextField.IndexPrice);
    this.midPrice = valueOf(message, ContextField.MidPrice);
    this.previousDayPrice = valueOf(message, ContextField.PreviousDayPrice);
    this.fundingRate = valueOf(message, ContextField.FundingRate);
    this.premium = valueOf(message, ContextField.Premium);
    this.impactBidPrice = valueOf(message, ContextField.ImpactBidPrice);
    this.impactAskPrice = valueOf(message, ContextField.ImpactAskPrice);
    this.openInterest = valueOf(message, ContextField.OpenInterest);
    this.dayVolume = valueOf(message, ContextField.DayVolume);
    this.dayNotional = valueOf(message, ContextField.DayNotional);
    const nextFundingNs = message.nextFundingUnixNs();
    this.nextFundingNs = nextFundingNs === 0n ? null : nextFundingNs;
  }
}

/** A value of a context; its text is made when it is asked for. */
class MadeDecimal implements ExactDecimal {
  constructor(
    readonly whole: number,
    readonly fraction: number,
    readonly places: number,
  ) {}

  get text(): string {
    return formatExactDecimal(this.whole, this.fraction, this.places);
  }

  toJSON(): string {
    return this.text;
  }
}

function valueOf(message: MessageDecoder, field: ContextField): ExactDecimal | null {
  if ((message.contextPresent & contextBit(field)) === 0) return null;
  const at = field * DOUBLES_PER_DECIMAL;
  const { context } = message;
  return new MadeDecimal(context[at]!, context[at + 1]!, context[at + 2]!);
}

/** The same event for another reader, with its own count of what that reader missed. */
export function copyOf<E extends EventHead>(event: E): E {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(event)) as E, event);
  copy.skipped = 0;
  return copy;
}

function aggressorName(value: number): TradePrint['aggressor'] {
  if (value === Aggressor.Buy) return 'buy';
  return value === Aggressor.Sell ? 'sell' : 'unknown';
}
