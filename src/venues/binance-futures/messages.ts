/**
 * Binance's own words on the futures streams and how they map to ours. Shared by the fast and the
 * strict parser, so that both know the same types.
 *
 *     depthUpdate  {"e","E" event ms,"T" engine ms,"s" symbol,["ps" pair],["st"],
 *                   "U" first id,"u" last id,"pu" last id of the event before,"b" bids,"a" asks}
 *     bookTicker   {"e","u" book id,"s",["ps"],"b" bid,"B" size,"a" ask,"A" size,"T","E",["st"]}
 *     aggTrade     {"e","E","a" aggregate id,"s","p","q","f" first trade,"l" last trade,"T",
 *                   "m" buyer is maker,["st"],["nq"]}
 *     trade        {"e","E","T","s","t" trade id,"p","q","X" order type,"m"}
 *     markPriceUpdate  {"e","E","s","p" mark price,"i" index price,"P" estimated settlement,
 *                   "r" funding rate,"T" next funding time,["ap"],["st"]}
 *
 * Each stands alone (raw streams) or as `{"stream":"btcusdt@depth@100ms","data":{…}}` (combined).
 */

import { ContextField, NEXT_FUNDING_BIT, contextBit } from '../../domain/context-fields.js';

/** Types of market data that are understood and not used: no fault, just ignored. */
export const UNUSED_TYPES: ReadonlySet<string> = new Set([
  '24hrMiniTicker',
  '24hrTicker',
  'assetIndexUpdate',
  'compositeIndex',
  'contractInfo',
  'continuous_kline',
  'forceOrder',
  'index_kline',
  'kline',
  'markPrice_kline',
  'rpiDepthUpdate',
  'tradingSession',
]);

export const MARK_PRICE_TYPE = 'markPriceUpdate';
/** Values of a mark price by the venue's names. An empty text is none: contracts without funding. */
export const MARK_PRICE_VALUES: ReadonlyMap<string, ContextField> = new Map([
  ['p', ContextField.MarkPrice],
  ['i', ContextField.IndexPrice],
  ['r', ContextField.FundingRate],
]);
export const MARK_PRICE_TOLD =
  contextBit(ContextField.MarkPrice) |
  contextBit(ContextField.IndexPrice) |
  contextBit(ContextField.FundingRate) |
  NEXT_FUNDING_BIT;

/** Types that concern the connection. */
export const CONTROL_TYPES: ReadonlySet<string> = new Set(['serverShutdown']);

/**
 * `X` of a trade that did not happen on the book: "ignore X in INSURANCE_FUND, ADL, NA"
 * (tardis-node, src/mappers/binance.ts; reference/venue-protocols.md section 2).
 */
export const OFF_BOOK_TRADES: ReadonlySet<string> = new Set(['INSURANCE_FUND', 'ADL', 'NA']);

/** Which of the two trade channels is used: never both, they tell of the same trades. */
export type TradeKind = 'aggTrade' | 'trade';
