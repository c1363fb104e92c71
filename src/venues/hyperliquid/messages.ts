/**
 * Hyperliquid's own words on its public WebSocket, and how they map to ours. Shared by the fast and the
 * strict parser, so that both know the same.
 *
 *     l2Book  {"channel":"l2Book","data":{"coin","time" ms,"levels":[[bid…],[ask…]]}}
 *     bbo     {"channel":"bbo","data":{"coin","time" ms,"bbo":[bid|null,ask|null]}}
 *     trades  {"channel":"trades","data":[{"coin","side","px","sz","time" ms,"hash","tid",
 *              "users":[buyer,seller]},…]}
 *     activeAssetCtx, activeSpotAssetCtx
 *             {"channel":…,"data":{"coin","ctx":{"markPx","midPx" |null,"funding",…}}}
 *     allMids {"channel":"allMids","data":{"mids":{"BTC":"80868.5","@142":"80907.5",…}}}
 *
 * A level is {"px","sz","n" orders}. A book is whole and best first. `side` is the aggressor's: "B"
 * bought, "A" sold.
 */

import { ContextField, NEXT_FUNDING_BIT } from '../../domain/context-fields.js';

/** The first text of a connection may be this, which is no JSON (hyperliquid-python-sdk skips it). */
export const GREETING = 'Websocket connection established.';

/** Market data that is understood and for which the feed has no place, and answers we do not ask for. */
export const UNUSED_CHANNELS: ReadonlySet<string> = new Set([
  'activeAssetData',
  'allDexsAssetCtxs',
  'assetCtxs',
  'candle',
  'fastAssetCtxs',
  'notification',
  'post',
  'spotAssetCtxs',
]);

/**
 * Values of a context by the venue's names. It does not say when funding is next paid ("every hour").
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
 */
export const CONTEXT_VALUES: ReadonlyMap<string, ContextField> = new Map([
  ['funding', ContextField.FundingRate],
  ['openInterest', ContextField.OpenInterest],
  ['prevDayPx', ContextField.PreviousDayPrice],
  ['dayNtlVlm', ContextField.DayNotional],
  ['premium', ContextField.Premium],
  ['oraclePx', ContextField.IndexPrice],
  ['markPx', ContextField.MarkPrice],
  ['midPx', ContextField.MidPrice],
  ['dayBaseVlm', ContextField.DayVolume],
]);
/** Its value is a pair, bid and ask, or null. */
export const IMPACT_PRICES = 'impactPxs';
/** Of spot contexts; plain values, without a place in ours. */
export const UNUSED_CONTEXT_VALUES: readonly string[] = [
  'circulatingSupply',
  'totalSupply',
  'coin',
];
/** A context is whole: what it does not name, it says to be none. */
export const CONTEXT_TOLD = NEXT_FUNDING_BIT - 1;

/** Channels that concern the connection. */
export const CONTROL_CHANNELS: ReadonlySet<string> = new Set([
  'error',
  'pong',
  'subscriptionResponse',
]);

/** Words of five uint32 an address takes, of eight a transaction hash; hex digits of each. */
export const ADDRESS_HEX_DIGITS = 40;
export const HASH_HEX_DIGITS = 64;
