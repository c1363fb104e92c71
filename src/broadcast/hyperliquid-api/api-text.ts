/**
 * Books, changes and trades as the JSON of order_book_server and of the official API, key by
 * key in the originals' order. Broadcast
 * thread; once a message and variant, whatever the number of clients.
 */
import { formatShortDecimal } from '../../domain/decimal.js';
import type { Instrument } from '../../domain/instrument.js';
import { OWNER_WORDS } from '../../domain/order-identities.js';
import { Side } from '../../domain/side.js';
import { OrderKind } from '../../rings/record-types.js';
import { ORDER_FIELDS } from '../../wire/message-layout.js';

/** `obs`: `81307`; `official`: `81307.0`, as the official API and the node print. */
export const NUMBER_FORMATS = ['obs', 'official'] as const;
export type NumberFormat = (typeof NUMBER_FORMATS)[number];

/** Decimals of a number in the node's own files: at least one. */
const NODE_PLACES = 1;

export function placesOf(format: NumberFormat): number {
  return format === 'obs' ? 0 : NODE_PLACES;
}

/** Shortest text with at least `places` decimals; with 0 no point is left over. */
export function numberText(mantissa: number, decimals: number, places: number): string {
  const text = formatShortDecimal(mantissa, decimals, places);
  return text.endsWith('.') ? text.slice(0, -1) : text;
}

/** `levels`: `count` triples of price, size and orders. */
export function levelsText(
  levels: Float64Array,
  count: number,
  { priceDecimals, sizeDecimals }: Instrument,
  places: number,
): string {
  let text = '[';
  for (let i = 0; i < count; i++) {
    const px = numberText(levels[i * 3]!, priceDecimals, places);
    const sz = numberText(levels[i * 3 + 1]!, sizeDecimals, places);
    text += `${i === 0 ? '' : ','}{"px":"${px}","sz":"${sz}","n":${levels[i * 3 + 2]!}}`;
  }
  return `${text}]`;
}

/**
 * A change of an order as the node's raw diff (`fields[at]`: ORDER_CHANGE_FIELDS), its numbers as the
 * node prints them. `side` is given to the channel bookDiffs, which forks of the original added.
 */
export function diffText(
  fields: Float64Array,
  at: number,
  coinJson: string,
  { priceDecimals, sizeDecimals }: Instrument,
  withSide: boolean,
): string {
  const kind = fields[at + ORDER_FIELDS]!;
  const size = numberText(fields[at + 2]!, sizeDecimals, NODE_PLACES);
  let diff = '"remove"';
  if (kind === OrderKind.New) {
    const beforeId = fields[at + ORDER_FIELDS + 2]!;
    diff = `{"new":{"sz":"${size}"${beforeId > 0 ? `,"insertBefore":${beforeId}` : ''}}}`;
  } else if (kind === OrderKind.Update) {
    const before = numberText(fields[at + ORDER_FIELDS + 1]!, sizeDecimals, NODE_PLACES);
    diff = `{"update":{"origSz":"${before}","newSz":"${size}"}}`;
  }
  return (
    `{"user":"${wordsText(fields, at + 6, OWNER_WORDS)}","oid":${fields[at + 3]!}` +
    `,"px":"${numberText(fields[at + 1]!, priceDecimals, NODE_PLACES)}","coin":${coinJson}` +
    `${withSide ? `,"side":"${sideText(fields[at]!)}"` : ''},"raw_book_diff":${diff}}`
  );
}

export function sideText(side: number): 'A' | 'B' {
  return side === Side.Bid ? 'B' : 'A';
}

/** 32-bit words, most significant first, as `0x…`. */
export function wordsText(source: ArrayLike<number>, at: number, words: number): string {
  let text = '0x';
  for (let i = 0; i < words; i++) text += (source[at + i]! >>> 0).toString(16).padStart(8, '0');
  return text;
}

export function errorText(message: string): string {
  return JSON.stringify({ channel: 'error', data: message });
}
