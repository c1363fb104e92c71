/**
 * A decoded message as a plain object: for `?format=json`, ndjson output and people. Cold.
 *
 * Names are those of schemas/market-data.fbs in camelCase. 64-bit values are decimal strings, since
 * JSON readers round beyond 2^53; prices and sizes are decimal text as the venue writes them; state,
 * reason, aggressor and flags go by name. A level is `[price, size]`; an empty side of a BBO is null.
 *
 *     {"type":"bookDelta","instrument":"binance-futures:BTCUSDT","head":{"epoch":"1785…",…,
 *      "flags":["last"],"state":"Live","reason":"Aligned"},"bids":[["61659.70","1.486"]],"asks":[]}
 */
import { bookStateName, stateReasonName } from '../domain/book-state.js';
import { formatDecimal } from '../domain/decimal.js';
import { DefinitionField, tradingName } from '../domain/definition.js';
import { EventFlag } from '../domain/event-flags.js';
import { Aggressor } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import { type JsonContext, contextOf } from './context-json.js';
import type { MessageDecoder } from './decode.js';
import { HeadField } from './head-fields.js';
import { BodyType, DECIMALS_UNTOLD, POSITION_FIELDS, TRADE_FIELDS } from './message-layout.js';
import {
  type JsonOrder,
  type JsonOrderChange,
  type JsonParties,
  changesOf,
  ordersOf,
  partiesOf,
} from './orders-json.js';

/** What of an instrument is needed; any domain Instrument will do. */
export interface JsonInstrument {
  readonly name: string;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
}

export type JsonLevel = readonly [price: string, size: string];

export interface JsonHead {
  readonly epoch: string;
  readonly sequence: string;
  readonly firstSequence: string;
  readonly venueSequence: string;
  readonly hash: string;
  readonly exchangeNs: string;
  readonly receivedNs: string;
  readonly appliedNs: string;
  readonly publishedNs: string;
  readonly streamId: number;
  readonly instrumentId: number;
  readonly folded: number;
  readonly flags: readonly string[];
  readonly state: string;
  readonly reason: string;
}

interface JsonData {
  readonly instrument: string;
  readonly head: JsonHead;
}

export interface JsonTrade {
  readonly price: string;
  readonly size: string;
  readonly tradeId: string;
  readonly exchangeNs: string;
  readonly aggressor: string;
}

export interface JsonPosition {
  readonly epoch: string;
  readonly nextSequence: string;
  readonly streamId: number;
  readonly instrumentId: number;
}

/** What the venue says of the instrument itself; steps as decimal text. */
export interface JsonDefinition {
  readonly tickSize: string;
  readonly lotSize: string;
  readonly priceExponent: number;
  readonly sizeExponent: number;
  readonly significantFigures: number;
  readonly trading: string;
}

export type JsonMessage =
  | (JsonData & {
      readonly type: 'bookSnapshot';
      readonly bids: readonly JsonLevel[];
      readonly asks: readonly JsonLevel[];
      readonly priceExponent: number;
      readonly sizeExponent: number;
      readonly depth: number;
    })
  | (JsonData & {
      readonly type: 'bookDelta';
      readonly bids: readonly JsonLevel[];
      readonly asks: readonly JsonLevel[];
    })
  | (JsonData & {
      readonly type: 'bbo';
      readonly bid: JsonLevel | null;
      readonly ask: JsonLevel | null;
      readonly bidOrders: number;
      readonly askOrders: number;
    })
  | (JsonData & {
      readonly type: 'trades';
      readonly trades: readonly JsonTrade[];
      /** Only of venues that tell who traded; one a trade. */
      readonly parties?: readonly JsonParties[];
    })
  | (JsonData & {
      readonly type: 'ordersSnapshot';
      readonly orders: readonly JsonOrder[];
      readonly priceExponent: number;
      readonly sizeExponent: number;
      readonly orderCount: number;
    })
  | (JsonData & { readonly type: 'ordersDelta'; readonly changes: readonly JsonOrderChange[] })
  | (JsonData & {
      readonly type: 'status';
      readonly sinceNs: string;
      readonly definition: JsonDefinition | null;
    })
  | (JsonData & { readonly type: 'context' } & JsonContext)
  | {
      readonly type: 'heartbeat';
      readonly publishedNs: string;
      readonly streams: readonly JsonPosition[];
    };

/**
 * @param type what `decoder.decode` has just returned, a BodyType
 * @param instrument of the message; not looked at for a heartbeat
 */
export function messageToJson(
  decoder: MessageDecoder,
  type: number,
  instrument: JsonInstrument | null,
): JsonMessage {
  if (type === BodyType.Heartbeat) return heartbeatOf(decoder);
  if (instrument === null) throw new InvariantError('only a heartbeat has no instrument');
  const data = { instrument: instrument.name, head: headOf(decoder) };
  const { bidsCount, asksCount } = decoder;
  switch (type) {
    case BodyType.BookSnapshot:
      return {
        type: 'bookSnapshot',
        ...data,
        bids: levelsOf(decoder, 0, bidsCount, instrument),
        asks: levelsOf(decoder, bidsCount, asksCount, instrument),
        priceExponent: 0 - decoder.priceDecimals,
        sizeExponent: 0 - decoder.sizeDecimals,
        depth: decoder.depth,
      };
    case BodyType.BookDelta:
      return {
        type: 'bookDelta',
        ...data,
        bids: levelsOf(decoder, 0, bidsCount, instrument),
        asks: levelsOf(decoder, bidsCount, asksCount, instrument),
      };
    case BodyType.Bbo:
      return bboMessage(decoder, data, scaleOf(decoder, instrument));
    case BodyType.Trades:
      return tradesMessage(decoder, data, scaleOf(decoder, instrument));
    case BodyType.OrdersSnapshot:
      return {
        type: 'ordersSnapshot',
        ...data,
        orders: ordersOf(decoder, instrument),
        priceExponent: 0 - decoder.priceDecimals,
        sizeExponent: 0 - decoder.sizeDecimals,
        orderCount: decoder.ordersTotal,
      };
    case BodyType.OrdersDelta:
      return { type: 'ordersDelta', ...data, changes: changesOf(decoder, instrument) };
    case BodyType.Context:
      return { type: 'context', ...data, ...contextOf(decoder) };
    case BodyType.Status:
      return {
        type: 'status',
        ...data,
        sinceNs: String(decoder.sinceUnixNs()),
        definition: definitionOf(decoder),
      };
    default:
      throw new InvariantError('a message was decoded before it is shown');
  }
}

type Scale = Pick<JsonInstrument, 'priceDecimals' | 'sizeDecimals'>;

/** Bbo and trades say their own scale: that of the instrument may have changed since. */
function scaleOf(decoder: MessageDecoder, instrument: JsonInstrument): Scale {
  return decoder.priceDecimals === DECIMALS_UNTOLD ? instrument : decoder;
}

function definitionOf(decoder: MessageDecoder): JsonDefinition | null {
  if (!decoder.hasDefinition) return null;
  const { definition } = decoder;
  const priceDecimals = definition[DefinitionField.PriceDecimals]!;
  const sizeDecimals = definition[DefinitionField.SizeDecimals]!;
  return {
    tickSize: formatDecimal(definition[DefinitionField.TickSize]!, priceDecimals),
    lotSize: formatDecimal(definition[DefinitionField.LotSize]!, sizeDecimals),
    priceExponent: 0 - priceDecimals,
    sizeExponent: 0 - sizeDecimals,
    significantFigures: definition[DefinitionField.SignificantFigures]!,
    trading: tradingName(definition[DefinitionField.Trading]!),
  };
}

function bboMessage(decoder: MessageDecoder, data: JsonData, scale: Scale): JsonMessage {
  const { bbo } = decoder;
  return {
    type: 'bbo',
    ...data,
    bid: bestOf(bbo[0]!, bbo[1]!, scale),
    ask: bestOf(bbo[2]!, bbo[3]!, scale),
    bidOrders: bbo[4]!,
    askOrders: bbo[5]!,
  };
}

function tradesMessage(decoder: MessageDecoder, data: JsonData, instrument: Scale): JsonMessage {
  const trades = tradesOf(decoder, instrument);
  const parties = partiesOf(decoder);
  return parties === null
    ? { type: 'trades', ...data, trades }
    : { type: 'trades', ...data, trades, parties };
}

function headOf(decoder: MessageDecoder): JsonHead {
  const { head } = decoder;
  const hash =
    (BigInt(head[HeadField.HashHigh]! >>> 0) << 32n) | BigInt(head[HeadField.HashLow]! >>> 0);
  return {
    epoch: String(head[HeadField.Epoch]),
    sequence: String(head[HeadField.Sequence]),
    firstSequence: String(head[HeadField.FirstSequence]),
    venueSequence: String(head[HeadField.VenueSequence]),
    hash: String(hash),
    exchangeNs: String(decoder.exchangeUnixNs()),
    receivedNs: String(decoder.receivedUnixNs()),
    appliedNs: String(decoder.appliedUnixNs()),
    publishedNs: String(decoder.publishedUnixNs()),
    streamId: head[HeadField.StreamId]!,
    instrumentId: head[HeadField.InstrumentId]!,
    folded: head[HeadField.Folded]!,
    flags: flagNames(head[HeadField.Flags]!),
    state: bookStateName(head[HeadField.State]!),
    reason: stateReasonName(head[HeadField.Reason]!),
  };
}

/** Flags by name, lower-case first letter; bits that this version does not know as their number. */
export function flagNames(flags: number): string[] {
  const names: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(EventFlag)) {
    if ((flags & bit) === 0) continue;
    names.push(name.charAt(0).toLowerCase() + name.slice(1));
    rest &= ~bit;
  }
  if (rest !== 0) names.push(String(rest));
  return names;
}

function levelsOf(
  decoder: MessageDecoder,
  first: number,
  count: number,
  instrument: JsonInstrument,
): JsonLevel[] {
  const levels: JsonLevel[] = [];
  for (let i = first; i < first + count; i++) {
    levels.push(levelOf(decoder.levels[i * 2]!, decoder.levels[i * 2 + 1]!, instrument));
  }
  return levels;
}

function levelOf(price: number, size: number, instrument: Scale): JsonLevel {
  return [
    formatDecimal(price, instrument.priceDecimals),
    formatDecimal(size, instrument.sizeDecimals),
  ];
}

function bestOf(price: number, size: number, instrument: Scale): JsonLevel | null {
  return size === 0 ? null : levelOf(price, size, instrument);
}

const AGGRESSOR_NAMES = new Map<number, string>(
  Object.entries(Aggressor).map(([name, value]) => [value, name]),
);

function tradesOf(decoder: MessageDecoder, instrument: Scale): JsonTrade[] {
  const trades: JsonTrade[] = [];
  for (let i = 0; i < decoder.tradesCount; i++) {
    const at = i * TRADE_FIELDS;
    const [price, size] = levelOf(decoder.trades[at]!, decoder.trades[at + 1]!, instrument);
    trades.push({
      price,
      size,
      tradeId: String(decoder.trades[at + 2]),
      exchangeNs: String(decoder.tradeExchangeUnixNs(i)),
      aggressor: AGGRESSOR_NAMES.get(decoder.trades[at + 4]!) ?? 'Unknown',
    });
  }
  return trades;
}

function heartbeatOf(decoder: MessageDecoder): JsonMessage {
  const streams: JsonPosition[] = [];
  for (let i = 0; i < decoder.positionsCount; i++) {
    const at = i * POSITION_FIELDS;
    streams.push({
      epoch: String(decoder.positions[at]),
      nextSequence: String(decoder.positions[at + 1]),
      streamId: decoder.positions[at + 2]!,
      instrumentId: decoder.positions[at + 3]!,
    });
  }
  return { type: 'heartbeat', publishedNs: String(decoder.publishedUnixNs()), streams };
}
