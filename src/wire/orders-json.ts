/**
 * Orders of a decoded message as plain objects, for `?format=json`, ndjson and people. Cold. Names
 * are those of schemas/market-data.fbs in camelCase; addresses and client ids are hex text.
 */
import { formatDecimal } from '../domain/decimal.js';
import { OrderAttribute, OrderType, TimeInForce } from '../domain/order-attributes.js';
import type { MessageDecoder } from './decode.js';
import { ORDER_CHANGE_FIELDS, ORDER_FIELDS, PARTIES_FIELDS } from './message-layout.js';

const OWNER_WORDS = 5;
const CLIENT_ID_WORDS = 4;
const HASH_WORDS = 8;

export interface DecimalPlaces {
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
}

export interface JsonOrder {
  readonly orderId: string;
  readonly side: 'Bid' | 'Ask';
  readonly price: string;
  readonly size: string;
  readonly owner: string;
  readonly placedMs: string;
  readonly clientId: string | null;
  readonly timeInForce: string;
  readonly orderType: string;
  readonly reduceOnly: boolean;
}

export interface JsonOrderChange {
  readonly kind: 'New' | 'Update' | 'Remove';
  readonly order: JsonOrder;
  readonly sizeBefore: string | null;
  readonly beforeOrderId: string | null;
}

export interface JsonParties {
  readonly buyer: string;
  readonly seller: string;
  readonly hash: string;
}

/** `words` 32-bit numbers, most significant first, as `0x…`. */
export function hexOf(source: Float64Array, at: number, words: number): string {
  let text = '0x';
  for (let i = 0; i < words; i++) text += (source[at + i]! >>> 0).toString(16).padStart(8, '0');
  return text;
}

function nameIn(table: Record<string, number>, value: number): string {
  return Object.keys(table).find((name) => table[name] === value) ?? 'Unknown';
}

function orderOf(fields: Float64Array, at: number, places: DecimalPlaces): JsonOrder {
  const attributes = fields[at + 5]!;
  const hasClientId = (attributes & OrderAttribute.HasClientId) !== 0;
  const type = (attributes & OrderAttribute.OrderTypeMask) >>> OrderAttribute.OrderTypeShift;
  return {
    orderId: String(fields[at + 3]),
    side: fields[at] === 0 ? 'Bid' : 'Ask',
    price: formatDecimal(fields[at + 1]!, places.priceDecimals),
    size: formatDecimal(fields[at + 2]!, places.sizeDecimals),
    owner: hexOf(fields, at + 6, OWNER_WORDS),
    placedMs: String(fields[at + 4]),
    clientId: hasClientId ? hexOf(fields, at + 6 + OWNER_WORDS, CLIENT_ID_WORDS) : null,
    timeInForce: nameIn(TimeInForce, attributes & OrderAttribute.TimeInForceMask),
    orderType: nameIn(OrderType, type),
    reduceOnly: (attributes & OrderAttribute.ReduceOnly) !== 0,
  };
}

export function ordersOf(decoder: MessageDecoder, places: DecimalPlaces): JsonOrder[] {
  return Array.from({ length: decoder.ordersCount }, (_, i) =>
    orderOf(decoder.orders, i * ORDER_FIELDS, places),
  );
}

const KINDS = ['New', 'Update', 'Remove'] as const;

export function changesOf(decoder: MessageDecoder, places: DecimalPlaces): JsonOrderChange[] {
  return Array.from({ length: decoder.ordersCount }, (_, i) => {
    const at = i * ORDER_CHANGE_FIELDS;
    const before = decoder.orders[at + ORDER_FIELDS + 1]!;
    const anchor = decoder.orders[at + ORDER_FIELDS + 2]!;
    return {
      kind: KINDS[decoder.orders[at + ORDER_FIELDS]!] ?? 'Update',
      order: orderOf(decoder.orders, at, places),
      sizeBefore: before < 0 ? null : formatDecimal(before, places.sizeDecimals),
      beforeOrderId: anchor === 0 ? null : String(anchor),
    };
  });
}

export function partiesOf(decoder: MessageDecoder): JsonParties[] | null {
  if (!decoder.hasParties) return null;
  return Array.from({ length: decoder.tradesCount }, (_, i) => {
    const at = i * PARTIES_FIELDS;
    return {
      buyer: hexOf(decoder.parties, at, OWNER_WORDS),
      seller: hexOf(decoder.parties, at + OWNER_WORDS, OWNER_WORDS),
      hash: hexOf(decoder.parties, at + 2 * OWNER_WORDS, HASH_WORDS),
    };
  });
}
