/**
 * Work is not a thread: an agent does a little work when asked. A runner gives it a thread, an
 * invoker drives it in a test or shares one thread among several.
 */
import type { TimeCell } from '../time/clock.js';

export interface Agent {
  readonly name: string;
  /**
   * Does what is there to do, bounded; returns how much it did (0: idle).
   * @param now the time of this turn, lent until the call returns; while turns are empty it may be some
   *   turns old (well below a microsecond)
   */
  doWork(now: TimeCell): number;
  /** Publishes what is unfinished and lets go of everything. Called once, on the agent's thread. */
  onClose(): void;
}
