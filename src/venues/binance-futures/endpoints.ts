/**
 * Where Binance USDⓈ-M lives, and its limits. Cold.
 *
 * Since 2026-04-23 the WebSocket root is split: "/public" carries the book at high frequency (depth,
 * bookTicker) and trade, "/market" everything else (aggTrade, …). The old undivided paths still
 * accept a connection and acknowledge a subscription, and then send nothing: so every stream is
 * watched by itself. https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 */
import type { EndpointOverrides, VenueLimits } from '../venue.js';
import type { Endpoints } from '../venue-endpoints.js';
import { endpointsOf } from '../venue-endpoints.js';

const PRODUCTION: Endpoints = {
  restUrl: 'https://fapi.binance.com',
  webSocketUrl: 'wss://fstream.binance.com',
};

/** Traffic classes of the split WebSocket root. */
export type Route = 'public' | 'market';

/** Throws FaultError BAD_CONFIG for an override that is no URL of the right scheme. */
export function endpointsFrom(overrides: EndpointOverrides): Endpoints {
  return endpointsOf(PRODUCTION, overrides);
}

/** Combined streams: frames are `{"stream":…,"data":…}`. */
export function combinedStreamUrl(endpoints: Endpoints, route: Route): string {
  return `${endpoints.webSocketUrl}/${route}/stream`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const LIMITS: VenueLimits = {
  // 5,000 changed levels are 160 KB; a frame of megabytes is no frame of theirs
  frameBytesMax: 4 * 1024 * 1024,
  // "A single connection is only valid for 24 hours": ours ends before
  connectionLifetimeMs: 23.5 * HOUR_MS,
  // 300 attempts per 5 minutes and address: a third of it is ours
  connectAttempts: { count: 100, perMs: 5 * MINUTE_MS },
  // "10 incoming messages per second", pongs counted: four leave room for them
  sendSpacingMs: 250,
  // "ping frame every 3 minutes … pong frame within a 10 minute period": they ping, we answer
  pongDeadlineMs: 10 * MINUTE_MS,
  pingFrame: null,
  pingEveryMs: 3 * MINUTE_MS,
  // 2,400 a minute and address: the rest is left to other programs there
  restWeight: { count: 2_000, perMs: MINUTE_MS },
  subscribeAckMsMax: 10 * SECOND_MS,
};

/** 1,024 are allowed; fewer share a fate, and a snapshot storm after a loss stays small. */
export const STREAMS_PER_CONNECTION_MAX = 200;
export const STREAMS_PER_SUBSCRIBE_MAX = 50;

/** "Every request will contain X-MBX-USED-WEIGHT-(intervalNum)(intervalLetter)": of the address. */
export function readUsedWeight(headers: Readonly<Record<string, string>>): number | null {
  const text = headers['x-mbx-used-weight-1m'];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
