/**
 * What a thread does when its agents found nothing to do. The strategies, with what they cost:
 *
 *     spin     looks again at once: wakes in 0.3 µs, burns a core; a disaster with more threads than cores
 *     park     sleeps until its doorbell rings: wakes in 5 … 30 µs, costs nothing
 *     hybrid   spins for a while, then parks: helps where a core is free
 */
export const IDLE_NAMES = ['spin', 'park', 'hybrid'] as const;
export type IdleName = (typeof IDLE_NAMES)[number];

/** Empty turns before a hybrid parks: about 50 µs of looking. */
const HYBRID_TURNS = 500;

/** Empty turns in a row after which the thread parks; Infinity never. */
export function emptyTurnsBeforePark(idle: IdleName): number {
  switch (idle) {
    case 'spin':
      return Infinity;
    case 'park':
      return 1;
    case 'hybrid':
      return HYBRID_TURNS;
  }
}

/** A parked thread wakes at least this often, to show its heartbeat and to keep its timers. */
export const PARK_MS_MAX = 20;
