/**
 * Gives a thread with an event loop to its agents: sockets and timers get their turn between theirs.
 * While there is work it polls once a loop turn; when idle it arms its doorbell, whose ring comes in
 * as a resolved promise (about 12 µs; the cheapest wake-up of a libuv loop that sleeps). Runs on the
 * ingest, broadcast and fused threads. Warm: one allocation a sleep.
 */
import type { DoorbellWaiter } from '../rings/doorbell.js';
import type { ThreadPulse } from '../rings/thread-control.js';
import type { AgentInvoker } from './agent-invoker.js';
import { emptyTurnsBeforePark, PARK_MS_MAX } from './idle-strategy.js';
import type { IdleName } from './idle-strategy.js';

export interface EventLoopRunnerOptions {
  readonly invoker: AgentInvoker;
  readonly bell: DoorbellWaiter;
  readonly pulse: ThreadPulse;
  readonly idle: IdleName;
  /** A stop was requested: the thread winds up and then calls `stop`. Called once. */
  readonly onStopRequested: () => void;
  /** An agent threw: the loop has ended, nothing was closed. Called at most once. */
  readonly onError: (error: unknown) => void;
}

export class EventLoopRunner {
  private readonly options: EventLoopRunnerOptions;
  private readonly emptyTurnsMax: number;
  private readonly boundTurn = (): void => this.turn();
  private emptyTurns = 0;
  private stopSeen = false;
  private ended = false;

  constructor(options: EventLoopRunnerOptions) {
    this.options = options;
    this.emptyTurnsMax = emptyTurnsBeforePark(options.idle);
  }

  start(): void {
    setImmediate(this.boundTurn);
  }

  /** Works off what is there and closes the agents. */
  stop(): void {
    if (this.ended) return;
    this.ended = true;
    const { invoker } = this.options;
    for (let turn = 0; turn < 1_000 && invoker.invoke() > 0; turn++) this.options.pulse.beat();
    invoker.close();
  }

  private turn(): void {
    if (this.ended) return;
    const { bell, pulse } = this.options;
    bell.cancel();
    pulse.beat();
    if (!this.stopSeen && pulse.stopRequested()) {
      this.stopSeen = true;
      this.options.onStopRequested();
      if (this.ended) return;
    }
    const work = this.invoke();
    if (work < 0) return;
    if (work > 0) {
      this.emptyTurns = 0;
    } else if (++this.emptyTurns >= this.emptyTurnsMax) {
      this.park();
      return;
    }
    setImmediate(this.boundTurn);
  }

  private park(): void {
    const { bell } = this.options;
    bell.prepare();
    // Whoever committed before the announcement did not ring: look once more.
    const work = this.invoke();
    if (work < 0) return;
    const rung = work > 0 ? undefined : bell.waitAsync(PARK_MS_MAX);
    if (rung === undefined) setImmediate(this.boundTurn);
    else void rung.then(this.boundTurn);
  }

  /** Work done, or -1 if an agent threw. */
  private invoke(): number {
    try {
      return this.options.invoker.invoke();
    } catch (error) {
      this.ended = true;
      this.options.onError(error);
      return -1;
    }
  }
}
