/**
 * Gives a thread without an event loop to its agents: works, and when there is nothing to do idles
 * by its strategy. Returns when asked to stop. Runs on book workers (piscina tasks). Hot: the loop
 * itself; it allocates nothing.
 */
import type { DoorbellWaiter } from '../rings/doorbell.js';
import type { ThreadPulse } from '../rings/thread-control.js';
import type { AgentInvoker } from './agent-invoker.js';
import { emptyTurnsBeforePark, PARK_MS_MAX } from './idle-strategy.js';
import type { IdleName } from './idle-strategy.js';

/** Turns that a stopping thread may still take to work off what is in its rings. */
const DRAIN_TURNS_MAX = 100_000;

export class AgentRunner {
  private readonly invoker: AgentInvoker;
  private readonly bell: DoorbellWaiter;
  private readonly pulse: ThreadPulse;
  private readonly emptyTurnsMax: number;

  constructor(invoker: AgentInvoker, bell: DoorbellWaiter, pulse: ThreadPulse, idle: IdleName) {
    this.invoker = invoker;
    this.bell = bell;
    this.pulse = pulse;
    this.emptyTurnsMax = emptyTurnsBeforePark(idle);
  }

  /** Blocks until a stop is requested, then works off what is there and closes the agents. */
  run(): void {
    const { invoker, bell, pulse, emptyTurnsMax } = this;
    let emptyTurns = 0;
    while (!pulse.stopRequested()) {
      pulse.beat();
      if (invoker.invoke() > 0) {
        emptyTurns = 0;
        continue;
      }
      if (++emptyTurns < emptyTurnsMax) continue;
      bell.prepare();
      // Whoever committed before the announcement did not ring: look once more.
      if (invoker.invoke() > 0) {
        bell.cancel();
        emptyTurns = 0;
      } else {
        bell.wait(PARK_MS_MAX);
      }
    }
    for (let turn = 0; turn < DRAIN_TURNS_MAX && invoker.invoke() > 0; turn++) pulse.beat();
    invoker.close();
  }
}
