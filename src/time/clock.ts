/**
 * Time is handed in. A clock tells nanoseconds on the node's timeline (monotonic; see timeline.ts).
 * Only this folder and main.ts may call Date.now, performance.now or process.hrtime.
 */

/**
 * A time in ns, at index 0. Hot calls hand times on in cells: V8 puts every double that it returns from
 * or passes to a call it does not inline into a box of 16 bytes, and which calls it inlines is its own
 * affair.
 */
export type TimeCell = Float64Array;

export interface Clock {
  /** Nanoseconds since the timeline's origin, monotonic, one line for all threads of the node. */
  nowNs(): number;
  /** The same into `cells[at]`: nothing is allocated. Hot. */
  readInto(cells: Float64Array, at: number): void;
}

/** A cell of its own for a time that is known already. Cold. */
export function timeCell(timeNs: number): TimeCell {
  return Float64Array.of(timeNs);
}

/** Schedules work on the same line as its clock; the virtual clock fires timers when advanced. */
export interface Scheduler extends Clock {
  /** Calls back once after at least `delayNs`. Returns a handle for `cancel`. */
  schedule(delayNs: number, callback: () => void): number;
  cancel(handle: number): void;
}
