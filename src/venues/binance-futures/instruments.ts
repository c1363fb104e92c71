/** exchangeInfo → instruments. Cold. USDⓈ-M and COIN-M answer in the same form. */
import { decimalPlaces, parseDecimal } from '../../domain/decimal.js';
import { Trading } from '../../domain/definition.js';
import { instrumentName } from '../../domain/instrument.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import type { HttpRequest } from '../venue.js';
import type { Endpoints } from '../venue-endpoints.js';

export const VENUE_ID = 'binance-futures';

export function instrumentsRequest(endpoints: Endpoints): HttpRequest {
  return { method: 'GET', url: `${endpoints.restUrl}/fapi/v1/exchangeInfo`, weight: 1 };
}

/** The venue's own words; COIN-M says `contractStatus` for `status`. */
interface SymbolInfo {
  readonly symbol?: unknown;
  readonly status?: unknown;
  readonly contractStatus?: unknown;
  readonly contractType?: unknown;
  readonly baseAsset?: unknown;
  readonly quoteAsset?: unknown;
  readonly filters?: unknown;
}

/**
 * The wanted instruments, ids counted from `firstId` in the order of the answer; `'all'` means those
 * that trade now. Decimals are those that the venue writes in its steps (`"0.10"` has two), because
 * its prices are written alike.
 * Throws FaultError FRAME_MALFORMED, or UNKNOWN_SYMBOL naming what is not listed.
 */
export function readInstruments(
  body: string,
  symbols: readonly string[] | 'all',
  firstId: number,
): Instrument[] {
  const wanted = symbols === 'all' ? null : new Set(symbols);
  const instruments: Instrument[] = [];
  for (const info of symbolInfos(body)) {
    const symbol = textOf(info.symbol, 'symbol');
    const isTrading = tradingOf(info) === Trading.Trading;
    if (wanted === null ? !isTrading : !wanted.delete(symbol)) continue;
    instruments.push(readInstrument(info, symbol, firstId + instruments.length));
  }
  if (wanted !== null && wanted.size > 0) {
    throw new FaultError(
      'UNKNOWN_SYMBOL',
      `binance-futures does not list ${[...wanted].join(', ')}`,
    );
  }
  return instruments;
}

/** Those of the answer that are wanted, in whatever state. Throws FaultError FRAME_MALFORMED. */
export function readListed(body: string, isWanted: (symbol: string) => boolean): Instrument[] {
  return symbolInfos(body)
    .filter(({ symbol }) => typeof symbol === 'string' && isWanted(symbol))
    .map((info, id) => readInstrument(info, textOf(info.symbol, 'symbol'), id));
}

/**
 * "contractStatus: PENDING_TRADING, TRADING, PRE_DELIVERING, DELIVERING, DELIVERED, PRE_SETTLE,
 * SETTLING, CLOSE"
 */
function tradingOf(info: SymbolInfo): Trading {
  const status = info.status ?? info.contractStatus;
  if (typeof status !== 'string') return Trading.Unknown;
  if (status === 'TRADING') return Trading.Trading;
  return status === 'DELIVERED' || status === 'CLOSE' ? Trading.Delisted : Trading.Halted;
}

function symbolInfos(body: string): SymbolInfo[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch (cause) {
    throw new FaultError('FRAME_MALFORMED', 'exchangeInfo is no JSON', { cause });
  }
  const symbols = (answer as { symbols?: unknown } | null)?.symbols;
  if (!Array.isArray(symbols))
    throw new FaultError('FRAME_MALFORMED', 'exchangeInfo has no symbols');
  return symbols as SymbolInfo[];
}

function readInstrument(info: SymbolInfo, symbol: string, id: number): Instrument {
  const tickText = stepOf(info, 'PRICE_FILTER', 'tickSize', symbol);
  const lotText = stepOf(info, 'LOT_SIZE', 'stepSize', symbol);
  const priceDecimals = decimalPlaces(tickText);
  const sizeDecimals = decimalPlaces(lotText);
  return {
    id,
    venue: VENUE_ID,
    symbol,
    name: instrumentName(VENUE_ID, symbol),
    base: textOf(info.baseAsset, 'baseAsset'),
    quote: textOf(info.quoteAsset, 'quoteAsset'),
    kind: kindOf(info.contractType),
    priceDecimals,
    sizeDecimals,
    tickSize: parseDecimal(tickText, priceDecimals),
    lotSize: parseDecimal(lotText, sizeDecimals),
    priceSignificantFigures: 0,
    trading: tradingOf(info),
  };
}

/** PERPETUAL, TRADIFI_PERPETUAL; CURRENT_QUARTER, NEXT_QUARTER, CURRENT_MONTH, … */
function kindOf(contractType: unknown): Instrument['kind'] {
  if (typeof contractType !== 'string' || contractType === '') return 'unknown';
  if (contractType.endsWith('PERPETUAL')) return 'perpetual';
  return /QUARTER|MONTH|WEEK/.test(contractType) ? 'future' : 'unknown';
}

function stepOf(info: SymbolInfo, filterType: string, field: string, symbol: string): string {
  const filters: unknown[] = Array.isArray(info.filters) ? info.filters : [];
  for (const filter of filters as Record<string, unknown>[]) {
    if (filter['filterType'] === filterType) return textOf(filter[field], `${symbol} ${field}`);
  }
  throw new FaultError('FRAME_MALFORMED', `exchangeInfo: ${symbol} has no ${filterType}`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') {
    throw new FaultError('FRAME_MALFORMED', `exchangeInfo: ${what} is no text`);
  }
  return value;
}
