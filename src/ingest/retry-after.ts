/**
 * For how long a venue that refuses us over HTTP is left alone, on REST and at a WebSocket's upgrade.
 * Ingest thread, and main for the instruments; cold.
 */
import type { IngestLimits } from './limits.js';

/** Too many requests. */
const RATE_LIMITED = 429;
/** The address is banned for going on after a 429. */
export const BANNED = 418;

/** Milliseconds to wait after an answer of this status; null where it says nothing of our rate. */
export function refusalPauseMs(
  status: number,
  retryAfter: string | undefined,
  limits: IngestLimits,
  nowUnixMs: number,
): number | null {
  if (status !== RATE_LIMITED && status !== BANNED) return null;
  const usualMs = status === BANNED ? limits.bannedMs : limits.rateLimitedMs;
  return retryAfterMs(retryAfter, usualMs, limits, nowUnixMs);
}

/** What the header says, seconds or an HTTP date (RFC 9110 10.2.3), within our bounds; else `defaultMs`. */
function retryAfterMs(
  header: string | undefined,
  defaultMs: number,
  limits: IngestLimits,
  nowUnixMs: number,
): number {
  if (header === undefined) return defaultMs;
  const text = header.trim();
  // A second more than asked: the venue counts by its own clock.
  const askedMs = /^\d{1,9}$/.test(text)
    ? Number(text) * 1_000 + 1_000
    : Date.parse(text) - nowUnixMs + 1_000;
  if (!Number.isFinite(askedMs)) return defaultMs;
  return Math.min(limits.retryAfterMsMax, Math.max(1_000, askedMs));
}
