/**
 * How long to wait before the next attempt: full jitter, that is, uniform between a floor and a
 * ceiling that doubles with each failure up to a cap. Many clients of one node then do not return
 * in the same instant. Cold.
 */
import type { Prng } from '../domain/prng.js';

export interface BackOffOptions {
  readonly floorMs: number;
  readonly firstMs: number;
  readonly capMs: number;
}

export class BackOff {
  private failures = 0;
  private readonly options: BackOffOptions;
  private readonly prng: Prng;

  constructor(options: BackOffOptions, prng: Prng) {
    this.options = options;
    this.prng = prng;
  }

  get failuresCount(): number {
    return this.failures;
  }

  /** Delay of the next attempt; counts as one more failure. */
  nextMs(): number {
    const { floorMs, firstMs, capMs } = this.options;
    const ceilingMs = Math.min(capMs, firstMs * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    return floorMs + this.prng.nextFloat() * Math.max(0, ceilingMs - floorMs);
  }

  reset(): void {
    this.failures = 0;
  }
}
