/** Time that moves only when told, for tests and simulations: every run from a seed is the same. */
import { invariant } from '../faults/invariant.js';
import type { Scheduler } from './clock.js';

interface Timer {
  readonly handle: number;
  readonly dueNs: number;
  readonly callback: () => void;
}

/** A clock that moves only when told: fires due timers in order of (time, handle). Deterministic. */
export class VirtualClock implements Scheduler {
  private timers: Timer[] = [];
  private nextHandle = 1;
  private now: number;

  constructor(startNs = 0) {
    this.now = startNs;
  }

  nowNs(): number {
    return this.now;
  }

  readInto(cells: Float64Array, at: number): void {
    cells[at] = this.now;
  }

  schedule(delayNs: number, callback: () => void): number {
    const handle = this.nextHandle++;
    this.timers.push({ handle, dueNs: this.now + Math.max(0, delayNs), callback });
    return handle;
  }

  cancel(handle: number): void {
    this.timers = this.timers.filter((timer) => timer.handle !== handle);
  }

  /** Time of the next timer, or Infinity. */
  get nextDueNs(): number {
    return this.timers.reduce((least, timer) => Math.min(least, timer.dueNs), Infinity);
  }

  /** Moves to `timeNs`, firing on the way every timer that falls due, each at its own time. */
  advanceTo(timeNs: number): void {
    invariant(timeNs >= this.now, 'a virtual clock moves forward only');
    for (;;) {
      const due = this.nextDueNs;
      if (due > timeNs) break;
      const timer = this.timers
        .filter((candidate) => candidate.dueNs === due)
        .reduce((first, candidate) => (candidate.handle < first.handle ? candidate : first));
      this.now = due;
      this.cancel(timer.handle);
      timer.callback();
    }
    this.now = timeNs;
  }

  advanceBy(deltaNs: number): void {
    this.advanceTo(this.now + deltaNs);
  }
}
