import type { Scheduler } from './clock.js';
import { SystemClock } from './system-clock.js';

/** Node's timers behind the Scheduler contract. Resolution about 1 ms; late by up to 3 ms. */
export class SystemScheduler extends SystemClock implements Scheduler {
  private readonly timers = new Map<number, NodeJS.Timeout>();
  private nextHandle = 1;

  schedule(delayNs: number, callback: () => void): number {
    const handle = this.nextHandle++;
    const timer = setTimeout(() => {
      this.timers.delete(handle);
      callback();
    }, Math.max(0, Math.ceil(delayNs / 1e6)));
    this.timers.set(handle, timer);
    return handle;
  }

  cancel(handle: number): void {
    const timer = this.timers.get(handle);
    if (timer !== undefined) clearTimeout(timer);
    this.timers.delete(handle);
  }
}
