/**
 * Hyperliquid's own words on its public WebSocket, and how they map to ours. Shared by the fast and the
 * strict parser, so that both know the same.
 *
 *     l2Book  {"channel":"l2Book","data":{"coin","time" ms,"levels":[[bid…],[ask…]]}}
 *     bbo     {"channel":"bbo","data":{"coin","time" ms,"bbo":[bid|null,ask|null]}}
 *     trades  {"channel":"trades","data":[{"coin","side","px","sz","time" ms,"hash","tid",
 *              "users":[buyer,seller]},…]}
 *
 * A level is {"px","sz","n" orders}. A book is whole and best first. `side` is the aggressor's: "B"
 * bought, "A" sold.
 */

/** The first text of a connection may be this, which is no JSON (hyperliquid-python-sdk skips it). */
export const GREETING = 'Websocket connection established.';

/** Market data that is understood and for which the feed has no place, and answers we do not ask for. */
export const UNUSED_CHANNELS: ReadonlySet<string> = new Set([
  'activeAssetCtx',
  'activeAssetData',
  'activeSpotAssetCtx',
  'allDexsAssetCtxs',
  'allMids',
  'assetCtxs',
  'candle',
  'fastAssetCtxs',
  'notification',
  'post',
  'spotAssetCtxs',
]);

/** Channels that concern the connection. */
export const CONTROL_CHANNELS: ReadonlySet<string> = new Set([
  'error',
  'pong',
  'subscriptionResponse',
]);

/** Words of five uint32 an address takes, of eight a transaction hash; hex digits of each. */
export const ADDRESS_HEX_DIGITS = 40;
export const HASH_HEX_DIGITS = 64;
