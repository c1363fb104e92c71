/**
 * What a venue says about an instrument beside its book: which values there are, and how they stand in
 * an array. Pure; used where contexts are parsed, kept, encoded and shown.
 *
 * A value is an exact decimal of three doubles, `whole + fraction / 10^places`, whole and fraction with
 * the number's sign: a captured day's volume has 20 digits, which no mantissa below 2^64 holds.
 */
export const ContextField = {
  MarkPrice: 0,
  /** Price that the venue takes from elsewhere: Binance's index, Hyperliquid's oracle. */
  IndexPrice: 1,
  MidPrice: 2,
  PreviousDayPrice: 3,
  /** Of the funding period under way. */
  FundingRate: 4,
  Premium: 5,
  /** Average price of a trade of the venue's impact size, selling and buying. */
  ImpactBidPrice: 6,
  ImpactAskPrice: 7,
  OpenInterest: 8,
  /** Of the last 24 hours, in the base and in the quote. */
  DayVolume: 9,
  DayNotional: 10,
} as const;
export type ContextField = (typeof ContextField)[keyof typeof ContextField];
export const CONTEXT_FIELDS = 11;

/** In this order, as JSON and events name them. */
export const CONTEXT_FIELD_NAMES = [
  'markPrice',
  'indexPrice',
  'midPrice',
  'previousDayPrice',
  'fundingRate',
  'premium',
  'impactBidPrice',
  'impactAskPrice',
  'openInterest',
  'dayVolume',
  'dayNotional',
] as const;
export type ContextFieldName = (typeof CONTEXT_FIELD_NAMES)[number];

/** Whole, fraction, places. */
export const DOUBLES_PER_DECIMAL = 3;
export const CONTEXT_VALUE_DOUBLES = CONTEXT_FIELDS * DOUBLES_PER_DECIMAL;
/** Bit of the next funding time in masks of fields, behind those of the values. */
export const NEXT_FUNDING_BIT = 1 << CONTEXT_FIELDS;

export function contextBit(field: ContextField): number {
  return 1 << field;
}
