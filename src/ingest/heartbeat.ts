/**
 * Is the peer still there? One per socket; no I/O, no clock of its own. Ingest thread; cold.
 *
 * A venue with an application ping gets it on its schedule, used or not. Where the venue pings us
 * (the transport answers), we ask with a WebSocket ping, but only after silence: the peer must answer
 * it (RFC 6455 5.5.3), and it costs nothing while frames flow. Anything read counts as an answer.
 */
import type { VenueLimits } from '../venues/venue.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';

export const HeartbeatVerdict = { Quiet: 0, Ping: 1, Dead: 2 } as const;
export type HeartbeatVerdict = (typeof HeartbeatVerdict)[keyof typeof HeartbeatVerdict];

export class Heartbeat {
  /** Text of the application ping, or null: ping on the WebSocket level. */
  readonly pingFrame: string | null;
  private readonly everyNs: number;
  private readonly deadlineNs: number;
  private pingedNs = 0;
  private awaiting = false;

  constructor(venue: VenueLimits, limits: IngestLimits) {
    this.pingFrame = venue.pingFrame;
    const own = limits.probeDeadlineMs;
    const deadlineMs = venue.pongDeadlineMs > 0 ? Math.min(venue.pongDeadlineMs, own) : own;
    this.everyNs = (this.pingFrame === null ? limits.probeIdleMs : venue.pingEveryMs) * NS_PER_MS;
    this.deadlineNs = deadlineMs * NS_PER_MS;
  }

  start(nowNs: number): void {
    this.pingedNs = nowNs;
    this.awaiting = false;
  }

  /** `lastReadNs`: when anything was last read from this socket. */
  tick(nowNs: number, lastReadNs: number): HeartbeatVerdict {
    if (this.awaiting && lastReadNs > this.pingedNs) this.awaiting = false;
    if (this.awaiting && nowNs - this.pingedNs >= this.deadlineNs) return HeartbeatVerdict.Dead;
    if (this.awaiting || nowNs < this.pingDueNs(lastReadNs)) return HeartbeatVerdict.Quiet;
    this.pingedNs = nowNs;
    this.awaiting = true;
    return HeartbeatVerdict.Ping;
  }

  /** When `tick` may have something to say, if nothing is read until then. */
  nextDueNs(lastReadNs: number): number {
    if (this.awaiting && lastReadNs <= this.pingedNs) return this.pingedNs + this.deadlineNs;
    return this.pingDueNs(lastReadNs);
  }

  private pingDueNs(lastReadNs: number): number {
    if (this.everyNs <= 0) return Infinity;
    if (this.pingFrame !== null) return this.pingedNs + this.everyNs;
    return Math.max(lastReadNs, this.pingedNs) + this.everyNs;
  }
}
