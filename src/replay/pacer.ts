/** Keeps a replay at the recording's pace, or a multiple of it. Replay thread, cold. */
import type { Scheduler } from '../time/clock.js';

/** The timer's own resolution: nothing is gained by waiting for less. */
const SLACK_NS = 1e6;

export class Pacer {
  private beganNs = -1;
  private firstNs = 0;
  private dueNs = 0;

  /** @param speed how many times faster than recorded; Infinity never waits */
  constructor(
    private readonly scheduler: Scheduler,
    private readonly speed: number,
  ) {}

  /** Whether what was recorded at `recordedNs` may be shown now; if not, `wait` until it may. */
  isDue(recordedNs: number): boolean {
    if (this.speed === Infinity) return true;
    if (this.beganNs < 0) {
      this.beganNs = this.scheduler.nowNs();
      this.firstNs = recordedNs;
    }
    this.dueNs = this.beganNs + (recordedNs - this.firstNs) / this.speed;
    return this.dueNs - this.scheduler.nowNs() < SLACK_NS;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.schedule(this.dueNs - this.scheduler.nowNs(), resolve);
    });
  }
}
