/**
 * The Retry-After header: seconds or an HTTP date (RFC 9110 10.2.3). Ingest thread; cold.
 */
import type { IngestLimits } from './limits.js';

/** Milliseconds to wait: what the header says within our bounds, else `defaultMs`. */
export function retryAfterMs(
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
