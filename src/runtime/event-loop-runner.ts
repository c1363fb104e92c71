/**
 * Runs an agent on a thread that also has sockets: duty cycles between turns of the event loop. Used
 * by ingest and broadcast, and by the fused layout. Hot.
 *
 *     Polling  after a turn with work: again at once by setImmediate, so that sockets get their share
 *     Armed    nothing to do: asleep at the doorbell by Atomics.waitAsync (the cheapest wake-up of a
 *              loop that was measured: 12 µs against 18 of postMessage and 543 of a 1 ms timer)
 *
 * Agents of this very thread (ingest for the books beside it) end its sleep without the system: where
 * their socket's callback rings, the turn is made there and then, and the sleep goes on. Nothing is
 * allocated on that way, and the loop makes no iteration for it: each costs 56 bytes (Node makes an
 * empty object in its check phase) and, asked for by setImmediate, another object.
 *
 * Between the two stands the second look of the doorbell's protocol: announce, work once more, and
 * only then wait. One interval timer bounds the sleep: it rings our own bell every `idleMsMax`, which
 * keeps heartbeats and watchdogs going, and keeps the loop alive (a pending waitAsync does not).
 * waitAsync itself is given no timeout: each would leave a timer behind until it expires.
 */
import { DoorbellRinger, DoorbellWaiter } from '../rings/doorbell.js';
import type { Clock, TimeCell } from '../time/clock.js';
import type { Agent } from './agent.js';
import { IDLE_MS_MAX } from './idle-strategy.js';
import type { IdleName } from './idle-strategy.js';
import { PollGauge } from './poll-gauge.js';
import { ThreadReporter, ThreadState } from './thread-control.js';

export interface EventLoopRunnerOptions {
  readonly agent: Agent;
  readonly clock: Clock;
  /** The bell that the writers of this thread's rings ring. */
  readonly doorbell: SharedArrayBuffer;
  /** Of createThreadControl. */
  readonly control: SharedArrayBuffer;
  /** spin polls for ever (a whole core), hybrid while traffic is dense, park arms at once. */
  readonly idleKind?: IdleName;
  readonly idleMsMax?: number;
  /**
   * Duty cycles are repeated for so long while there is work, before sockets get their share again:
   * where one socket read brings more than a cycle takes, rings would fill up behind it. 0 (the
   * default) makes one cycle a turn, for agents whose output goes out at the end of the turn.
   */
  readonly turnNsMax?: number;
  /**
   * Called once when a stop is asked for, e.g. to say goodbye to clients. Duty cycles go on until it
   * resolves; then what is there is worked off and the agent is closed.
   */
  readonly windUp?: () => Promise<void>;
}

/** Turns that a stopping thread may still take to work off what stands in its rings. */
const DRAIN_TURNS_MAX = 10_000;

export class EventLoopRunner {
  private readonly agent: Agent;
  private readonly clock: Clock;
  private readonly waiter: DoorbellWaiter;
  private readonly bell: DoorbellRinger;
  private readonly reporter: ThreadReporter;
  private readonly idleKind: IdleName;
  private readonly gauge = new PollGauge();
  private readonly idleMsMax: number;
  private readonly turnNsMax: number;
  private readonly windUp: (() => Promise<void>) | undefined;
  /** Time of the turn, and of its end where turns are long. */
  private readonly now: TimeCell = new Float64Array(1);
  private readonly later: TimeCell = new Float64Array(1);
  private running = false;
  /** Inside an agent: what it rings itself is for a turn of its own. */
  private working = false;
  private stopping = false;
  private windingUp = false;
  private woundUp = false;
  private interval: NodeJS.Timeout | undefined;
  private resolve: () => void = () => {};
  private reject: (error: unknown) => void = () => {};
  private readonly onTurn: () => void;
  /** Rung by an agent of this very thread, e.g. ingest for the books beside it: no system call. */
  private readonly onRungHere: () => void;
  private readonly onImmediate: () => void;
  private isScheduled = false;

  constructor(options: EventLoopRunnerOptions) {
    this.agent = options.agent;
    this.clock = options.clock;
    this.waiter = new DoorbellWaiter(options.doorbell);
    this.bell = new DoorbellRinger(options.doorbell);
    this.reporter = new ThreadReporter(options.control);
    this.idleKind = options.idleKind ?? 'park';
    this.idleMsMax = options.idleMsMax ?? IDLE_MS_MAX;
    this.turnNsMax = options.turnNsMax ?? 0;
    this.windUp = options.windUp;
    this.onTurn = () => this.turn();
    this.onRungHere = () => this.turnHere();
    this.onImmediate = () => {
      this.isScheduled = false;
      this.turn();
    };
  }

  /**
   * Runs until `stop` or the supervisor's request; then the agent is closed and the promise resolves.
   * It rejects with the error of an agent that threw (closed as well; state Failed). Call once.
   */
  run(): Promise<void> {
    this.running = true;
    this.reporter.setState(ThreadState.Running);
    // Rings only an armed bell, so a busy loop pays one load for it.
    this.interval = setInterval(() => this.bell.ring(), this.idleMsMax);
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.schedule();
    });
  }

  /** From the same thread; another thread uses ThreadController.requestStop. `run` resolves soon. */
  stop(): void {
    this.stopping = true;
    this.bell.ring();
  }

  /** A turn in this iteration of the loop, after its sockets; however often it is asked for, one. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(this.onImmediate);
  }

  private turn(): void {
    if (!this.running) return;
    try {
      if (this.shouldStop() && !this.windingUp) this.beginStop();
      if (this.woundUp) {
        this.finish();
      } else if (this.workTurn() > 0 || this.isPolling()) {
        this.schedule();
      } else {
        this.arm();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * A turn inside of the callback that rang, e.g. of the socket that was read, and back to sleep. What
   * belongs to the end of the runner, or is rung by the very turn under way, waits for the loop.
   */
  private turnHere(): void {
    if (!this.running) return;
    if (this.working || this.shouldStop()) {
      this.schedule();
      return;
    }
    try {
      this.workTurn();
      if (this.isPolling()) this.schedule();
      else this.arm();
    } catch (error) {
      this.failLater(error);
    }
  }

  /** Whoever rang is in the middle of something: the agent is closed when it is through. */
  private failLater(error: unknown): void {
    setImmediate(() => this.fail(error));
  }

  /** Work of the first cycle; 0 means idle. */
  private workTurn(): number {
    const first = this.work();
    if (first === 0 || this.turnNsMax === 0) return first;
    const { clock, now, later, turnNsMax } = this;
    const startedNs = now[0]!;
    while (this.work() > 0 && !this.shouldStop()) {
      clock.readInto(later, 0);
      if (later[0]! - startedNs >= turnNsMax) break;
    }
    return first;
  }

  private isPolling(): boolean {
    if (this.idleKind === 'hybrid') return this.gauge.isWorthwhile(this.now[0]!);
    return this.idleKind === 'spin';
  }

  private work(): number {
    const { now } = this;
    this.clock.readInto(now, 0);
    this.working = true;
    const work = this.agent.doWork(now);
    this.working = false;
    this.reporter.beat();
    if (work > 0 && this.idleKind === 'hybrid') this.gauge.onWork(now[0]!);
    return work;
  }

  private arm(): void {
    this.waiter.prepare();
    // The second look: a writer may have committed before it could see the announcement. The stop
    // words are looked at again too, for the same reason.
    if (this.work() > 0 || this.woundUp || (this.shouldStop() && !this.windingUp)) {
      this.waiter.cancel();
      this.schedule();
      return;
    }
    if (!this.waiter.waitAsync(this.onTurn, this.onRungHere)) this.schedule();
  }

  private shouldStop(): boolean {
    return this.stopping || this.reporter.stopRequested();
  }

  private beginStop(): void {
    this.windingUp = true;
    this.reporter.setState(ThreadState.Stopping);
    if (this.windUp === undefined) {
      this.woundUp = true;
      return;
    }
    this.windUp().then(
      () => {
        this.woundUp = true;
        this.bell.ring();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Throws what the agent throws: the turn that called it fails. */
  private finish(): void {
    for (let turn = 0; turn < DRAIN_TURNS_MAX && this.work() > 0; turn++);
    this.running = false;
    clearInterval(this.interval);
    this.waiter.leave();
    try {
      this.agent.onClose();
    } catch (error) {
      this.reporter.setState(ThreadState.Failed);
      this.reject(error);
      return;
    }
    this.reporter.setState(ThreadState.Stopped);
    this.resolve();
  }

  private fail(error: unknown): void {
    if (!this.running) return;
    this.running = false;
    clearInterval(this.interval);
    this.waiter.leave();
    this.reporter.setState(ThreadState.Failed);
    try {
      this.agent.onClose();
    } catch {
      // The first error says what went wrong; this one is most likely its consequence.
    }
    this.reject(error);
  }
}
