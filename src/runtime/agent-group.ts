/**
 * Several agents as one, for a thread that runs more than one room's work (the split and fused
 * layouts). Each is asked in order, at one reading of the clock. Hot.
 */
import type { TimeCell } from '../time/clock.js';
import type { Agent } from './agent.js';

export class AgentGroup implements Agent {
  readonly name: string;
  private readonly agents: readonly Agent[];
  private closed = false;

  constructor(agents: readonly Agent[]) {
    this.agents = agents;
    this.name = agents.map((agent) => agent.name).join('+');
  }

  doWork(now: TimeCell): number {
    const agents = this.agents;
    let work = 0;
    for (let i = 0; i < agents.length; i++) work += agents[i]!.doWork(now);
    return work;
  }

  /** Closes every agent once, in order, even if one of them throws; then throws the first error. */
  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const errors: unknown[] = [];
    for (const agent of this.agents) {
      try {
        agent.onClose();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
