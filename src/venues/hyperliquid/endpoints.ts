/**
 * Where Hyperliquid's public API lives, and its limits. Cold.
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
 */
import type { EndpointOverrides, HttpRequest, VenueLimits } from '../venue.js';
import type { Endpoints } from '../venue-endpoints.js';
import { endpointsOf } from '../venue-endpoints.js';

const PRODUCTION: Endpoints = {
  restUrl: 'https://api.hyperliquid.xyz',
  webSocketUrl: 'wss://api.hyperliquid.xyz',
};

/** Throws FaultError BAD_CONFIG for an override that is no URL of the right scheme. */
export function endpointsFrom(overrides: EndpointOverrides): Endpoints {
  return endpointsOf(PRODUCTION, overrides);
}

export function webSocketUrl(endpoints: Endpoints): string {
  return `${endpoints.webSocketUrl}/ws`;
}

/** All questions about the market are one POST. */
export function infoRequest(
  endpoints: Endpoints,
  question: Readonly<Record<string, string>>,
  weight: number,
): HttpRequest {
  return {
    method: 'POST',
    url: `${endpoints.restUrl}/info`,
    body: JSON.stringify(question),
    headers: { 'content-type': 'application/json' },
    weight,
  };
}

/** "l2Book, allMids, clearinghouseState, orderStatus, …: 2"; "All other documented info requests: 20" */
export const BOOK_WEIGHT = 2;
export const META_WEIGHT = 20;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

export const LIMITS: VenueLimits = {
  // allDexsAssetCtxs, the largest frame seen, is 117 KB; a book of 20 levels a side is 2 KB
  frameBytesMax: 1024 * 1024,
  // none is documented; "disconnections may happen periodically and without announcement"
  connectionLifetimeMs: 0,
  // "Maximum of 30 new websocket connections per minute"
  connectAttempts: { count: 24, perMs: MINUTE_MS },
  // "Maximum of 2000 messages sent to Hyperliquid per minute across all websocket connections": five
  // connections (see SUBSCRIPTIONS_MAX) at once send 1,500
  sendSpacingMs: 200,
  pongDeadlineMs: 10 * SECOND_MS,
  // "The server will close any connection if it hasn't sent a message to it in the last 60 seconds"
  pingFrame: '{"method":"ping"}',
  pingEveryMs: 30 * SECOND_MS,
  // "Aggregated weight limit of 1200 per minute": the rest is left to other programs there
  restWeight: { count: 1_000, perMs: MINUTE_MS },
  subscribeAckMsMax: 10 * SECOND_MS,
};

/**
 * "Maximum of 1000 websocket subscriptions" and, since 2026, 10 connections an address. A connection
 * that is being replaced holds its subscriptions twice for a moment: one more of 200 still fits.
 */
export const SUBSCRIPTIONS_PER_CONNECTION_MAX = 200;
export const SUBSCRIPTIONS_MAX = 800;
