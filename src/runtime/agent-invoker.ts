/**
 * Runs several agents in one thread, one turn at a time: the fused layout, and every simulation test
 * (there on a virtual clock, step by step). Hot: the loop body of a thread.
 */
import type { Clock } from '../time/clock.js';
import type { Agent } from './agent.js';

export class AgentInvoker {
  private readonly agents: readonly Agent[];
  private readonly clock: Clock;
  private closed = false;

  constructor(agents: readonly Agent[], clock: Clock) {
    this.agents = agents;
    this.clock = clock;
  }

  /** One turn of every agent, in order, at one reading of the clock. Returns the work done by all. */
  invoke(): number {
    const agents = this.agents;
    const nowNs = this.clock.nowNs();
    let work = 0;
    for (let i = 0; i < agents.length; i++) work += agents[i]!.doWork(nowNs);
    return work;
  }

  /** Closes every agent once, in order, even if one of them throws; then throws the first error. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    let failed = false;
    let firstError: unknown;
    for (const agent of this.agents) {
      try {
        agent.onClose();
      } catch (error) {
        if (!failed) firstError = error;
        failed = true;
      }
    }
    if (failed) throw firstError;
  }
}
