/**
 * Full-jitter back-off: uniform in 0 … min(longest, first × 2^attempt). Ingest thread; cold.
 * The jitter spreads the connections of many nodes that lost the same venue at the same moment
 * (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter); it may be as short as 0, so a
 * rate limit stands behind it.
 */
import type { Prng } from '../domain/prng.js';
import { NS_PER_MS } from './limits.js';

/** 2^30 times any first delay is beyond every longest one. */
const ATTEMPTS_COUNTED_MAX = 30;

export class Backoff {
  private readonly prng: Prng;
  private readonly firstMs: number;
  private readonly longestMs: number;
  private attempt = 0;

  constructor(prng: Prng, firstMs: number, longestMs: number) {
    this.prng = prng;
    this.firstMs = firstMs;
    this.longestMs = longestMs;
  }

  get attempts(): number {
    return this.attempt;
  }

  /** The next delay; each call widens the range of the one after it. */
  nextNs(): number {
    const rangeMs = Math.min(this.longestMs, this.firstMs * 2 ** this.attempt);
    if (this.attempt < ATTEMPTS_COUNTED_MAX) this.attempt++;
    return this.prng.nextFloat() * rangeMs * NS_PER_MS;
  }

  reset(): void {
    this.attempt = 0;
  }
}
