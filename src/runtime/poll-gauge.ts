/**
 * Whether an event loop that has nothing to do should look again at once or sleep: where work comes so
 * densely that a look would mostly find it, a sleep and its wake-up (about 25 µs) are saved; where it
 * does not, looking only burns a core, and a thread that sleeps is woken no later for having looked.
 *
 * Told by the gaps between turns with work: dense if most of the last ones were shorter than a
 * polling lasts. Hot; allocates nothing.
 */

/** Work within this of the last one is worth waiting for: six times what sleeping would cost. */
export const POLL_NS_MAX = 150_000;
/** Score of dense traffic; it falls faster than it rises, so that what is rare never polls. */
const SCORE_MAX = 16;
const SCORE_DENSE = 8;
const SCORE_LOSS = 2;

export class PollGauge {
  private readonly lastWorkNs = new Float64Array(1);
  private score = 0;

  /** A turn had work, at this time. */
  onWork(nowNs: number): void {
    const isNear = nowNs - this.lastWorkNs[0]! <= POLL_NS_MAX;
    this.lastWorkNs[0] = nowNs;
    this.score = isNear
      ? Math.min(this.score + 1, SCORE_MAX)
      : Math.max(this.score - SCORE_LOSS, 0);
  }

  /** True if an idle turn at this time should be followed by another one at once. */
  isWorthwhile(nowNs: number): boolean {
    return this.score >= SCORE_DENSE && nowNs - this.lastWorkNs[0]! <= POLL_NS_MAX;
  }
}
