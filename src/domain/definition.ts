/**
 * What a venue may change of an instrument while we run: its scales, steps and whether it trades; as
 * doubles, the same in ring records, in the shared table and in a decoded message. Any thread, cold.
 */
import type { Instrument } from './instrument.js';

/** Whether the venue lets an instrument trade. */
export const Trading = {
  /** The venue does not say. */
  Unknown: 0,
  Trading: 1,
  /** Not now: before its opening, between two states, while it is settled. */
  Halted: 2,
  /** Not any more. */
  Delisted: 3,
} as const;
export type Trading = (typeof Trading)[keyof typeof Trading];

const TRADING_NAMES = ['Unknown', 'Trading', 'Halted', 'Delisted'] as const;
export type TradingName = (typeof TRADING_NAMES)[number];

export function tradingName(trading: number): TradingName {
  return TRADING_NAMES[trading] ?? 'Unknown';
}

/** By the venue itself: nothing is to come of the instrument. */
export function isClosed(trading: Trading): boolean {
  return trading === Trading.Halted || trading === Trading.Delisted;
}

/** Places of a definition's values, wherever it stands as doubles. */
export const DefinitionField = {
  PriceDecimals: 0,
  SizeDecimals: 1,
  TickSize: 2,
  LotSize: 3,
  SignificantFigures: 4,
  Trading: 5,
} as const;
export const DEFINITION_DOUBLES = 6;

/** Decimals that any of our scanners and the wire's exponents hold. */
export const DECIMALS_MAX = 18;

export type Definition = Pick<
  Instrument,
  'priceDecimals' | 'sizeDecimals' | 'tickSize' | 'lotSize' | 'priceSignificantFigures' | 'trading'
>;

export function writeDefinition(of: Definition, target: Float64Array, at: number): void {
  target[at + DefinitionField.PriceDecimals] = of.priceDecimals;
  target[at + DefinitionField.SizeDecimals] = of.sizeDecimals;
  target[at + DefinitionField.TickSize] = of.tickSize;
  target[at + DefinitionField.LotSize] = of.lotSize;
  target[at + DefinitionField.SignificantFigures] = of.priceSignificantFigures;
  target[at + DefinitionField.Trading] = of.trading;
}

/** The instrument as the doubles from `at` say; the same object if they say nothing new. */
export function definedBy(before: Instrument, source: Float64Array, at: number): Instrument {
  const said: Definition = {
    priceDecimals: source[at + DefinitionField.PriceDecimals]!,
    sizeDecimals: source[at + DefinitionField.SizeDecimals]!,
    tickSize: source[at + DefinitionField.TickSize]!,
    lotSize: source[at + DefinitionField.LotSize]!,
    priceSignificantFigures: source[at + DefinitionField.SignificantFigures]!,
    trading: source[at + DefinitionField.Trading]! as Trading,
  };
  return isSameDefinition(before, said) ? before : { ...before, ...said };
}

export function isSameDefinition(a: Definition, b: Definition): boolean {
  return (
    isSameScale(a, b) &&
    a.tickSize === b.tickSize &&
    a.lotSize === b.lotSize &&
    a.priceSignificantFigures === b.priceSignificantFigures &&
    a.trading === b.trading
  );
}

/** Mantissas mean the same under both. */
export function isSameScale(a: Definition, b: Definition): boolean {
  return a.priceDecimals === b.priceDecimals && a.sizeDecimals === b.sizeDecimals;
}

/**
 * What becomes of an instrument when the venue defines it anew. Scales are ours, steps are the venue's:
 * decimals only grow, for what rests in a book keeps the old, finer grid when steps grow, and a scale
 * that does not change costs no resync. Null if the venue's words cannot be true.
 * @param mayNarrow numbers do not fit the present scale, and no finer one explains it
 */
export function redefined(
  before: Instrument,
  told: Definition,
  mayNarrow: boolean,
): Instrument | null {
  if (told.priceDecimals > DECIMALS_MAX || told.sizeDecimals > DECIMALS_MAX) return null;
  const least = mayNarrow ? { priceDecimals: 0, sizeDecimals: 0 } : before;
  const priceDecimals = Math.max(least.priceDecimals, told.priceDecimals);
  const sizeDecimals = Math.max(least.sizeDecimals, told.sizeDecimals);
  const tickSize = told.tickSize * 10 ** (priceDecimals - told.priceDecimals);
  const lotSize = told.lotSize * 10 ** (sizeDecimals - told.sizeDecimals);
  if (!Number.isSafeInteger(tickSize) || !Number.isSafeInteger(lotSize)) return null;
  const { priceSignificantFigures, trading } = told;
  const after = {
    ...before,
    priceDecimals,
    sizeDecimals,
    tickSize,
    lotSize,
    priceSignificantFigures,
    trading,
  };
  return isSameDefinition(before, after) ? before : after;
}
