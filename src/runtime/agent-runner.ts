/**
 * Gives an agent a thread of its own, without an event loop: a blocking loop of duty cycles until it
 * is told to stop. Hot: this is the outermost loop of the books threads.
 *
 * While `run` runs, nothing else on the thread does: no timer, no message, no promise. Whatever the
 * thread must hear comes through rings and the words of thread-control.ts.
 */
import type { Clock } from '../time/clock.js';
import type { Agent } from './agent.js';
import type { IdleStrategy } from './idle-strategy.js';
import { ThreadReporter, ThreadState } from './thread-control.js';

/** Turns that a stopping thread may still take to work off what stands in its rings. */
const DRAIN_TURNS_MAX = 100_000;

export interface AgentRunnerOptions {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly idle: IdleStrategy;
  /** Of createThreadControl. */
  readonly control: SharedArrayBuffer;
}

export class AgentRunner {
  private readonly agent: Agent;
  private readonly clock: Clock;
  private readonly idle: IdleStrategy;
  private readonly reporter: ThreadReporter;

  constructor(options: AgentRunnerOptions) {
    this.agent = options.agent;
    this.clock = options.clock;
    this.idle = options.idle;
    this.reporter = new ThreadReporter(options.control);
  }

  /**
   * Blocks until the supervisor asks to stop, then works off what is there (bounded) and closes the
   * agent. An error of the agent closes it
   * too, marks the thread Failed and is thrown on; an error of closing it after that is not told.
   */
  run(): void {
    this.reporter.setState(ThreadState.Running);
    try {
      this.loop();
      this.reporter.setState(ThreadState.Stopping);
      this.drain();
    } catch (error) {
      this.closeAfterFailure();
      throw error;
    }
    try {
      this.idle.close();
      this.agent.onClose();
    } catch (error) {
      this.reporter.setState(ThreadState.Failed);
      throw error;
    }
    this.reporter.setState(ThreadState.Stopped);
  }

  private loop(): void {
    const { agent, clock, idle, reporter } = this;
    while (!reporter.stopRequested()) {
      const work = agent.doWork(clock.nowNs());
      reporter.beat();
      idle.idle(work);
    }
  }

  private drain(): void {
    const { agent, clock, reporter } = this;
    for (let turn = 0; turn < DRAIN_TURNS_MAX; turn++) {
      if (agent.doWork(clock.nowNs()) === 0) return;
      reporter.beat();
    }
  }

  private closeAfterFailure(): void {
    this.reporter.setState(ThreadState.Failed);
    try {
      this.idle.close();
      this.agent.onClose();
    } catch {
      // The first error says what went wrong; this one is most likely its consequence.
    }
  }
}
