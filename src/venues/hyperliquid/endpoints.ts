/**
 * Where Hyperliquid's public API lives, and its limits. Cold.
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits
 */
import { FaultError } from '../../faults/fault.js';
import type { EndpointOverrides, HttpRequest, VenueLimits } from '../venue.js';

const PRODUCTION_REST_URL = 'https://api.hyperliquid.xyz';
const PRODUCTION_WEB_SOCKET_URL = 'wss://api.hyperliquid.xyz';

export interface Endpoints {
  /** Without a slash at the end. */
  readonly restUrl: string;
  readonly webSocketUrl: string;
}

/** Throws FaultError BAD_CONFIG for an override that is no URL of the right scheme. */
export function endpointsFrom(overrides: EndpointOverrides): Endpoints {
  return {
    restUrl: checked(overrides.restUrl ?? PRODUCTION_REST_URL, ['http:', 'https:']),
    webSocketUrl: checked(overrides.webSocketUrl ?? PRODUCTION_WEB_SOCKET_URL, ['ws:', 'wss:']),
  };
}

function checked(text: string, schemes: readonly string[]): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !schemes.includes(url.protocol)) {
    throw new FaultError('BAD_CONFIG', `expected a ${schemes.join('// or ')}// URL, got ${text}`);
  }
  return text.replace(/\/+$/, '');
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
