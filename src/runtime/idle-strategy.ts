/**
 * What a thread does between duty cycles. Hot in the sense that its latency is ours: a sleeping hop
 * costs about 25 µs (a futex in C costs the same), a spinning one 0.3 µs and a whole core.
 *
 *   spin    never sleeps. Only for a thread with a core to itself: three spinning threads on two cores
 *           give p50 8 µs and p99 2 ms, four give p50 of milliseconds.
 *   park    sleeps at its doorbell as soon as there is nothing to do. The default where cores are few.
 *   hybrid  spins for a while, then parks: 0.3 µs while traffic is dense, no core burnt in silence.
 *           Helps only where a core is free to spin on. An event loop, whose polls are dearer, does so
 *           only while work comes densely (poll-gauge.ts).
 *   auto    hybrid if every hot thread can have a core and one is left over, else park.
 *
 * How parking loses no wake-up: the first idle turn only *announces* sleep; the runner's next duty
 * cycle is the second look that the doorbell's protocol asks for (rings/doorbell.ts); only if that
 * one finds nothing either, the thread waits. Atomics.wait with a timeout costs 76 µs at least, so
 * `idleMsMax` bounds silence (heartbeats, watchdogs), it is no pause.
 */
import { invariant, unreachable } from '../faults/invariant.js';
import { DoorbellWaiter } from '../rings/doorbell.js';

export const IDLE_NAMES = ['spin', 'park', 'hybrid'] as const;
export type IdleName = (typeof IDLE_NAMES)[number];

export interface IdleStrategy {
  readonly kind: IdleName;
  /**
   * Called after every duty cycle with the work it did; returns when the next one is due. True if sleep
   * was announced or slept: the runner looks at the clock and at its request to stop before that.
   */
  idle(workCount: number): boolean;
  /** Takes back an announced sleep. The runner calls it when it ends. */
  close(): void;
}

export interface IdleChoice {
  readonly kind: IdleName;
  /** For `serve --explain` and the log, in one sentence. */
  readonly reason: string;
}

/**
 * Resolves `auto`.
 * @param hotThreads threads that carry data (ingest, books, broadcast, …), the main thread not counted
 */
export function chooseIdle(
  wanted: IdleName | 'auto',
  cores: number,
  hotThreads: number,
): IdleChoice {
  if (wanted !== 'auto') return { kind: wanted, reason: `${wanted}: as configured` };
  const numbers = `${hotThreads} hot threads on ${cores} cores`;
  if (cores > hotThreads) {
    return {
      kind: 'hybrid',
      reason: `hybrid: ${numbers}, so each may spin and one core is left over`,
    };
  }
  return {
    kind: 'park',
    reason: `park: ${numbers}, so a spinning thread would take another's core`,
  };
}

export interface IdleOptions {
  /** The bell that the writers of this thread's rings ring. */
  readonly doorbell: SharedArrayBuffer;
  /** Longest sleep; at least this often the thread makes a duty cycle and beats. */
  readonly idleMsMax: number;
  /** hybrid: empty duty cycles before it parks (each 15 to 50 ns). */
  readonly spinTurnsMax?: number;
}

/** Longest sleep by default: a fifth of the 250 ms in which a hanging thread must be replaced. */
export const IDLE_MS_MAX = 50;
/** About 50 µs of empty turns: twice what the sleep and its wake-up would cost. */
const SPIN_TURNS_MAX = 1000;

export function createIdleStrategy(kind: IdleName, options: IdleOptions): IdleStrategy {
  invariant(options.idleMsMax > 0, 'the longest sleep is positive');
  switch (kind) {
    case 'spin':
      return new SpinIdle();
    case 'park':
      return new ParkIdle(options, 0, kind);
    case 'hybrid':
      return new ParkIdle(options, options.spinTurnsMax ?? SPIN_TURNS_MAX, kind);
    default:
      return unreachable(kind);
  }
}

class SpinIdle implements IdleStrategy {
  readonly kind = 'spin';
  idle(): boolean {
    return false;
  }
  close(): void {}
}

class ParkIdle implements IdleStrategy {
  readonly kind: IdleName;
  private readonly waiter: DoorbellWaiter;
  private readonly idleMsMax: number;
  private readonly spinTurnsMax: number;
  private emptyTurns = 0;
  private announced = false;

  constructor(options: IdleOptions, spinTurnsMax: number, kind: IdleName) {
    this.kind = kind;
    this.waiter = new DoorbellWaiter(options.doorbell);
    this.idleMsMax = options.idleMsMax;
    this.spinTurnsMax = spinTurnsMax;
  }

  idle(workCount: number): boolean {
    if (workCount > 0) {
      this.emptyTurns = 0;
      if (this.announced) this.close();
      return false;
    }
    if (this.announced) {
      this.announced = false;
      this.emptyTurns = 0;
      this.waiter.wait(this.idleMsMax);
      return true;
    }
    if (++this.emptyTurns <= this.spinTurnsMax) return false;
    this.announced = true;
    this.waiter.prepare();
    return true;
  }

  close(): void {
    if (!this.announced) return;
    this.announced = false;
    this.waiter.cancel();
  }
}
