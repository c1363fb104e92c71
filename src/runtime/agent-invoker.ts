/**
 * Drives agents by hand, one turn at a time: every simulation test, on a virtual clock, step by step.
 * In production the runners do it (agent-runner.ts, event-loop-runner.ts).
 */
import { timeCell } from '../time/clock.js';
import type { Clock } from '../time/clock.js';
import { AgentGroup } from './agent-group.js';
import type { Agent } from './agent.js';

export class AgentInvoker {
  private readonly group: AgentGroup;
  private readonly clock: Clock;

  constructor(agents: readonly Agent[], clock: Clock) {
    this.group = new AgentGroup(agents);
    this.clock = clock;
  }

  /** One turn of every agent, in order, at one reading of the clock. Returns the work done by all. */
  invoke(): number {
    return this.group.doWork(timeCell(this.clock.nowNs()));
  }

  /** Closes every agent once, in order, even if one of them throws; then throws the first error. */
  close(): void {
    this.group.onClose();
  }
}
