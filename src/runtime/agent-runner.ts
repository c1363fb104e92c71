/**
 * Gives an agent a thread of its own, without an event loop: a blocking loop of duty cycles until it
 * is told to stop. Hot: this is the outermost loop of the books threads.
 *
 * While `run` runs, nothing else on the thread does: no timer, no message, no promise. Whatever the
 * thread must hear comes through rings and the words of thread-control.ts.
 */
import type { Clock, TimeCell } from '../time/clock.js';
import type { Agent } from './agent.js';
import type { IdleStrategy } from './idle-strategy.js';
import { ThreadReporter, ThreadState } from './thread-control.js';

/** Turns that a stopping thread may still take to work off what stands in its rings. */
const DRAIN_TURNS_MAX = 100_000;

/**
 * Empty turns between two looks at the clock and at the words of thread-control.ts: together they cost
 * 60 ns, an empty turn without them some 10, and a record that comes meanwhile waits for one turn.
 */
const EMPTY_TURNS_PER_LOOK = 16;

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
  private readonly now: TimeCell = new Float64Array(1);

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
    const { agent, clock, idle, reporter, now } = this;
    let turnsUntilLook = 0;
    for (;;) {
      if (turnsUntilLook === 0) {
        if (reporter.stopRequested()) return;
        reporter.beat();
        clock.readInto(now, 0);
        turnsUntilLook = EMPTY_TURNS_PER_LOOK;
      }
      turnsUntilLook--;
      const work = agent.doWork(now);
      if (idle.idle(work) || work > 0) turnsUntilLook = 0;
    }
  }

  private drain(): void {
    const { agent, clock, reporter, now } = this;
    for (let turn = 0; turn < DRAIN_TURNS_MAX; turn++) {
      clock.readInto(now, 0);
      if (agent.doWork(now) === 0) return;
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
