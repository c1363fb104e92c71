/**
 * When to look at a connection's streams, and what their silence means. Ingest thread; cold: a look
 * happens when a deadline can have passed at the earliest, not on every frame.
 */
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';
import type { StreamBoard, StreamWatch } from './stream-watch.js';

export interface SilenceFinding {
  /** Indexes into the plan's streams that have just become silent. */
  readonly silent: readonly number[];
  /** Every stream with a cadence is silent for too long: the connection is half open. */
  readonly dead: boolean;
}

export class Silence {
  /** When to look again. */
  lookAtNs = Infinity;
  private readonly board: StreamBoard;
  private readonly limits: IngestLimits;
  private allSinceNs = Infinity;

  constructor(board: StreamBoard, limits: IngestLimits) {
    this.board = board;
    this.limits = limits;
  }

  begin(nowNs: number): void {
    this.lookAtNs = nowNs;
    this.allSinceNs = Infinity;
  }

  end(): void {
    this.lookAtNs = Infinity;
  }

  /** A stream came back: its deadline is to be computed anew. */
  lookSoon(): void {
    if (this.lookAtNs !== Infinity) this.lookAtNs = -Infinity;
  }

  /**
   * @param watches of the sockets in use  @param subscribedNs when the current one was subscribed
   * @param deliveredCount streams that the current one has delivered at all
   */
  look(
    watches: readonly StreamWatch[],
    subscribedNs: number,
    deliveredCount: number,
    nowNs: number,
  ): SilenceFinding {
    const { silent, nextDueNs, allSilent } = this.board.sweep(watches, subscribedNs, nowNs);
    this.lookAtNs = Math.max(nextDueNs, nowNs + this.limits.sweepMsMin * NS_PER_MS);
    if (!allSilent) {
      this.allSinceNs = Infinity;
      return { silent, dead: false };
    }
    this.allSinceNs = Math.min(this.allSinceNs, nowNs);
    const graceMs = (this.limits.deadSilenceFactor - 1) * this.board.silenceMsMax;
    const deadAtNs = deliveredCount === 0 ? nowNs : this.allSinceNs + graceMs * NS_PER_MS;
    if (nowNs < deadAtNs) this.lookAtNs = Math.min(this.lookAtNs, deadAtNs);
    return { silent, dead: nowNs >= deadAtNs };
  }
}
