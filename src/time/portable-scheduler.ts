/**
 * The scheduler of a client: the same code in Node and in a browser, so nothing of Node is used.
 * Milliseconds-grade timers. Cold.
 */
import type { Scheduler } from './clock.js';

/** What Node and browsers both offer; spelled out because neither's own types are assumed here. */
interface PortableGlobals {
  readonly performance: { readonly timeOrigin: number; now(): number };
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

const host = globalThis as unknown as PortableGlobals;

export class PortableScheduler implements Scheduler {
  private readonly timers = new Map<number, unknown>();
  private nextHandle = 1;

  nowNs(): number {
    return Math.round(host.performance.now() * 1e6);
  }

  readInto(cells: Float64Array, at: number): void {
    cells[at] = this.nowNs();
  }

  schedule(delayNs: number, callback: () => void): number {
    const handle = this.nextHandle++;
    const timer = host.setTimeout(
      () => {
        this.timers.delete(handle);
        callback();
      },
      Math.max(0, Math.ceil(delayNs / 1e6)),
    );
    this.timers.set(handle, timer);
    return handle;
  }

  cancel(handle: number): void {
    const timer = this.timers.get(handle);
    if (timer !== undefined) host.clearTimeout(timer);
    this.timers.delete(handle);
  }
}

/** Unix time in milliseconds with a fraction: good to some microseconds, where the host allows it. */
export function unixMsNow(): number {
  return host.performance.timeOrigin + host.performance.now();
}

/** A seed that differs from one process or page to the next, for jitter; never for secrets. */
export function jitterSeed(): number {
  return Math.floor((host.performance.timeOrigin % 1e6) * 4096 + host.performance.now() * 1e3) | 0;
}
