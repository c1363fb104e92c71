/**
 * One socket of a connection as the state machine sees it: how far the subscription is, whether the
 * peer lives. No I/O, no clock. Ingest thread; cold. The machine has two legs and uses them in turn.
 */
import type { ConnectionPlan, VenueLimits } from '../venues/venue.js';
import { Heartbeat, HeartbeatVerdict } from './heartbeat.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';
import { StreamWatch } from './stream-watch.js';

export const LegPhase = {
  Closed: 0,
  Connecting: 1,
  Subscribing: 2,
  /** Subscribed and acknowledged. */
  Up: 3,
  /** Our close frame is out; waiting for theirs. */
  Closing: 4,
} as const;
export type LegPhase = (typeof LegPhase)[keyof typeof LegPhase];

/** What a leg wants after a tick. */
export const LegWish = { Nothing: 0, Send: 1, Ping: 2, Fail: 3 } as const;
export type LegWish = (typeof LegWish)[keyof typeof LegWish];

export class Leg {
  readonly index: 0 | 1;
  readonly watch: StreamWatch;
  phase: LegPhase = LegPhase.Closed;
  openedNs = 0;
  /** When the last acknowledgement came; first-frame deadlines count from here. */
  subscribedNs = Infinity;
  /** Text to send, after LegWish.Send. */
  text = '';
  /** Why it failed, after LegWish.Fail. */
  failure = '';
  private readonly plan: ConnectionPlan;
  private readonly venue: VenueLimits;
  private readonly limits: IngestLimits;
  private readonly heartbeat: Heartbeat;
  private readonly ackIds = new Set<string>();
  private anonymousAcks = 0;
  private framesSent = 0;
  private nextSendNs = 0;
  private deadlineNs = Infinity;

  constructor(
    index: 0 | 1,
    plan: ConnectionPlan,
    venue: VenueLimits,
    limits: IngestLimits,
    slots: number,
  ) {
    this.index = index;
    this.plan = plan;
    this.venue = venue;
    this.limits = limits;
    this.watch = new StreamWatch(slots);
    this.heartbeat = new Heartbeat(venue, limits);
  }

  get isOpen(): boolean {
    return this.phase === LegPhase.Subscribing || this.phase === LegPhase.Up;
  }

  get acks(): number {
    return this.ackIds.size + this.anonymousAcks;
  }

  connect(slots: Int32Array, nowNs: number): void {
    this.phase = LegPhase.Connecting;
    this.watch.begin(slots, nowNs);
    this.subscribedNs = Infinity;
    this.ackIds.clear();
    this.anonymousAcks = 0;
    this.framesSent = 0;
    this.deadlineNs = nowNs + this.limits.handshakeMsMax * NS_PER_MS;
  }

  opened(nowNs: number): void {
    this.phase = LegPhase.Subscribing;
    this.openedNs = nowNs;
    this.watch.readNs = nowNs;
    this.nextSendNs = nowNs;
    this.deadlineNs = Infinity;
    this.heartbeat.start(nowNs);
    this.noteProgress(nowNs);
  }

  /** One of our subscribe frames was acknowledged; venues that name none are counted. */
  acknowledged(id: string, nowNs: number): void {
    if (id === '') this.anonymousAcks++;
    else this.ackIds.add(id);
    this.noteProgress(nowNs);
  }

  closing(slots: Int32Array, nowNs: number): void {
    this.phase = LegPhase.Closing;
    this.watch.mute(slots);
    this.deadlineNs = nowNs + this.limits.closeMsMax * NS_PER_MS;
  }

  closed(slots: Int32Array): void {
    this.phase = LegPhase.Closed;
    this.watch.mute(slots);
    this.subscribedNs = Infinity;
    this.deadlineNs = Infinity;
  }

  /** Does what is due; call again until it wishes nothing. */
  tick(nowNs: number): LegWish {
    if (this.phase === LegPhase.Closed) return LegWish.Nothing;
    if (nowNs >= this.deadlineNs) return this.fail(this.deadlineText());
    if (!this.isOpen) return LegWish.Nothing;
    if (this.framesSent < this.plan.subscribeFrames.length) {
      if (nowNs >= this.nextSendNs) return this.sendSubscribe(nowNs);
      return LegWish.Nothing;
    }
    if (nowNs < this.nextSendNs) return LegWish.Nothing;
    const verdict = this.heartbeat.tick(nowNs, this.watch.readNs);
    if (verdict === HeartbeatVerdict.Quiet) return LegWish.Nothing;
    if (verdict === HeartbeatVerdict.Dead) return this.fail('no answer to a ping');
    this.nextSendNs = nowNs + this.venue.sendSpacingMs * NS_PER_MS;
    if (this.heartbeat.pingFrame === null) return LegWish.Ping;
    this.text = this.heartbeat.pingFrame;
    return LegWish.Send;
  }

  nextDueNs(): number {
    if (this.phase === LegPhase.Closed) return Infinity;
    if (!this.isOpen) return this.deadlineNs;
    if (this.framesSent < this.plan.subscribeFrames.length) return this.nextSendNs;
    const beatNs = Math.max(this.nextSendNs, this.heartbeat.nextDueNs(this.watch.readNs));
    return Math.min(this.deadlineNs, beatNs);
  }

  private sendSubscribe(nowNs: number): LegWish {
    this.text = this.plan.subscribeFrames[this.framesSent]!;
    this.framesSent++;
    this.nextSendNs = nowNs + this.venue.sendSpacingMs * NS_PER_MS;
    this.noteProgress(nowNs);
    return LegWish.Send;
  }

  /** Subscribed when all frames are out and all are acknowledged (where the venue does that). */
  private noteProgress(nowNs: number): void {
    if (this.phase !== LegPhase.Subscribing) return;
    const frames = this.plan.subscribeFrames.length;
    if (this.framesSent < frames) return;
    if (this.acks >= frames || this.venue.subscribeAckMsMax <= 0) {
      this.phase = LegPhase.Up;
      this.subscribedNs = nowNs;
      this.deadlineNs = Infinity;
    } else if (this.deadlineNs === Infinity) {
      this.deadlineNs = nowNs + this.venue.subscribeAckMsMax * NS_PER_MS;
    }
  }

  private deadlineText(): string {
    if (this.phase === LegPhase.Connecting) return 'handshake took too long';
    if (this.phase === LegPhase.Closing) return 'peer did not answer the close frame';
    const missing = this.plan.subscribeFrames.length - this.acks;
    return `${missing} of ${this.plan.subscribeFrames.length} subscriptions not acknowledged`;
  }

  private fail(reason: string): LegWish {
    this.failure = reason;
    return LegWish.Fail;
  }
}
