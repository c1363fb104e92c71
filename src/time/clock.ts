/**
 * Time is handed in. A clock tells nanoseconds on the node's timeline (monotonic; see timeline.ts).
 * Only this folder and main.ts may call Date.now, performance.now or process.hrtime.
 */
export interface Clock {
  /** Nanoseconds since the timeline's origin, monotonic, one line for all threads of the node. */
  nowNs(): number;
}

/** Schedules work on the same line as its clock; the virtual clock fires timers when advanced. */
export interface Scheduler extends Clock {
  /** Calls back once after at least `delayNs`. Returns a handle for `cancel`. */
  schedule(delayNs: number, callback: () => void): number;
  cancel(handle: number): void;
}
