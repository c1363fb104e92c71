/**
 * When to ask for a snapshot: pure state, no I/O. One per instrument. Books thread; cold.
 *
 *     Idle ──want──▶ Waiting ──due, sent──▶ InFlight ──snapshot──▶ Idle (loaded; soon Live)
 *                      ▲                       │
 *                      ├──── too old, refused ─┤  after a pause that doubles with each attempt
 *                      └──── deadline ─────────┘  at once: the deadline was the pause
 *
 * A book that stays Live for `liveStableNs` ends its series: the next loss is asked for at once. One
 * that breaks sooner goes on counting, so a stream that loses something all the time cannot make us
 * ask without end.
 */
import type { BooksLimits } from './limits.js';

export const ResyncPhase = { Idle: 0, Waiting: 1, InFlight: 2 } as const;
export type ResyncPhase = (typeof ResyncPhase)[keyof typeof ResyncPhase];

export class Resync {
  phase: ResyncPhase = ResyncPhase.Idle;
  /** Requests sent in this series. */
  attempts = 0;
  /** StateReason of the wish. */
  reason = 0;
  /** Waiting: when to ask. InFlight: when to give the answer up. */
  dueNs = Infinity;
  private liveSinceNs = Infinity;
  private readonly limits: BooksLimits;

  constructor(limits: BooksLimits) {
    this.limits = limits;
  }

  /** A snapshot is needed. One that is already on its way is waited for: it will be judged. */
  want(reason: number, nowNs: number): void {
    if (this.phase !== ResyncPhase.Idle) return;
    if (nowNs - this.liveSinceNs >= this.limits.liveStableNs) this.attempts = 0;
    this.liveSinceNs = Infinity;
    this.reason = reason;
    this.wait(nowNs, 0);
  }

  /** True when a request should go out now. */
  isDue(nowNs: number): boolean {
    return nowNs >= this.dueNs;
  }

  /** Due because an answer never came. */
  get isOverdue(): boolean {
    return this.phase === ResyncPhase.InFlight;
  }

  onSent(nowNs: number): void {
    this.attempts++;
    this.phase = ResyncPhase.InFlight;
    const { snapshotDeadlineNs, snapshotDeadlineNsMax } = this.limits;
    this.dueNs =
      nowNs + Math.min(snapshotDeadlineNs * 2 ** (this.attempts - 1), snapshotDeadlineNsMax);
  }

  /** A whole snapshot is loaded. */
  onSnapshot(): void {
    this.phase = ResyncPhase.Idle;
    this.dueNs = Infinity;
  }

  /** The snapshot does not reach the first update kept. */
  onTooOld(nowNs: number): void {
    this.wait(nowNs, 0);
  }

  /** @param retryAfterNs from now, as the venue or our own budget asks; 0 if nobody says */
  onRefused(retryAfterNs: number, nowNs: number): void {
    if (this.phase !== ResyncPhase.Idle) this.wait(nowNs, retryAfterNs);
  }

  /** Whoever was to answer is gone (the ingest thread was replaced). */
  onForgotten(nowNs: number): void {
    if (this.phase === ResyncPhase.InFlight) this.wait(nowNs, 0);
  }

  onLive(nowNs: number): void {
    this.liveSinceNs = nowNs;
  }

  private wait(nowNs: number, leastNs: number): void {
    const { retryBaseNs, retryNsMax } = this.limits;
    const pauseNs =
      this.attempts === 0 ? 0 : Math.min(retryBaseNs * 2 ** (this.attempts - 1), retryNsMax);
    this.phase = ResyncPhase.Waiting;
    this.dueNs = nowNs + Math.max(pauseNs, leastNs);
  }
}
