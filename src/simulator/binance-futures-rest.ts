/**
 * Binance USDⓈ-M's REST bodies: exchangeInfo and depth in the field order of recorded answers,
 * errors with the venue's codes. Simulator's thread; cold. Pure.
 */
import { formatDecimal } from '../domain/decimal.js';
import type { BookCopy } from './market.js';
import type { MarketSpec } from './market-specs.js';

/** "Adjusted based on the limit: 5, 10, 20, 50 → 2; 100 → 5; 500 → 10; 1000 → 20." */
const DEPTH_WEIGHTS: Readonly<Record<string, number>> = {
  5: 2,
  10: 2,
  20: 2,
  50: 2,
  100: 5,
  500: 10,
  1000: 20,
};
export const DEPTH_LIMIT_DEFAULT = 500;
export const WEIGHT_MAX = 2400;

/** Weight of a depth request, or 0 if the limit is none of the venue's. */
export function depthWeight(limit: string): number {
  return DEPTH_WEIGHTS[limit] ?? 0;
}

export function errorBody(code: number, msg: string): string {
  return JSON.stringify({ code, msg });
}

export function depthBody(
  book: BookCopy,
  limit: number,
  eventMs: number,
  transactionMs: number,
): string {
  const { spec } = book;
  const side = (pairs: Float64Array): string => {
    const levels: string[] = [];
    for (let i = 0; i < pairs.length && levels.length < limit; i += 2) {
      const price = formatDecimal(pairs[i]!, spec.priceDecimals);
      levels.push(`["${price}","${formatDecimal(pairs[i + 1]!, spec.sizeDecimals)}"]`);
    }
    return levels.join(',');
  };
  return (
    `{"lastUpdateId":${book.updateId},"E":${eventMs},"T":${transactionMs},` +
    `"bids":[${side(book.bids)}],"asks":[${side(book.asks)}]}`
  );
}

export function exchangeInfoBody(specs: readonly MarketSpec[], serverTimeMs: number): string {
  const quotes = [...new Set(specs.map((spec) => spec.quote))];
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: serverTimeMs,
    futuresType: 'U_MARGINED',
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: WEIGHT_MAX },
      { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
    ],
    exchangeFilters: [],
    assets: quotes.map((asset) => ({ asset, marginAvailable: true, autoAssetExchange: '-10000' })),
    symbols: specs.map(symbolInfo),
  });
}

function symbolInfo(spec: MarketSpec): Record<string, unknown> {
  const price = (mantissa: number): string => formatDecimal(mantissa, spec.priceDecimals);
  const size = (lots: number): string => formatDecimal(lots * spec.lotSize, spec.sizeDecimals);
  const { tickSize, openingPrice } = spec;
  return {
    symbol: spec.symbol,
    pair: spec.symbol,
    contractType: 'PERPETUAL',
    deliveryDate: 4133404800000,
    onboardDate: 1569398400000,
    status: spec.halted ?? 'TRADING',
    maintMarginPercent: '2.5000',
    requiredMarginPercent: '5.0000',
    baseAsset: spec.base,
    quoteAsset: spec.quote,
    marginAsset: spec.quote,
    pricePrecision: spec.priceDecimals,
    quantityPrecision: spec.sizeDecimals,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    underlyingSubType: [],
    settlePlan: 0,
    triggerProtect: '0.0500',
    liquidationFee: '0.012000',
    marketTakeBound: '0.30',
    filters: [
      {
        minPrice: price(tickSize),
        maxPrice: price(Math.round(openingPrice / tickSize) * tickSize * 20),
        filterType: 'PRICE_FILTER',
        tickSize: price(tickSize),
      },
      {
        stepSize: size(1),
        filterType: 'LOT_SIZE',
        maxQty: size(spec.typicalLots * 100_000),
        minQty: size(1),
      },
      {
        stepSize: size(1),
        filterType: 'MARKET_LOT_SIZE',
        maxQty: size(spec.typicalLots * 10_000),
        minQty: size(1),
      },
      { limit: 200, filterType: 'MAX_NUM_ORDERS' },
      { limit: 10, filterType: 'MAX_NUM_ALGO_ORDERS' },
      { notional: '5', filterType: 'MIN_NOTIONAL' },
      {
        multiplierDown: '0.8500',
        multiplierUp: '1.1500',
        multiplierDecimal: '4',
        filterType: 'PERCENT_PRICE',
      },
    ],
    orderTypes: [
      'LIMIT',
      'MARKET',
      'STOP',
      'STOP_MARKET',
      'TAKE_PROFIT',
      'TAKE_PROFIT_MARKET',
      'TRAILING_STOP_MARKET',
    ],
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX'],
  };
}
