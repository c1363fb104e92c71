/**
 * Continuity of one subscribed stream, as a machine without I/O: each message and each heartbeat is
 * judged by (epoch, sequence). Rules: DESIGN section 4 and schemas/README.md.
 *
 *   same epoch       first_sequence..sequence must cover the sequence that is expected next
 *   another epoch    continuity was lost at the node and it says so: accepted, but a book is then
 *                    worth nothing until its next snapshot
 *   snapshot         replaces everything, so it is accepted at any sequence; its parts follow on
 *   heartbeat        its next sequence equal to ours: the stream is silent. Above: messages are on the
 *                    way, or lost if they have not come by the following heartbeat
 */
import { EventFlag } from '../domain/event-flags.js';
import type { ChannelName } from '../domain/channel.js';

export const Verdict = {
  /** In order: use it. */
  Accept: 0,
  /** Already contained in what we have: drop it. */
  Stale: 1,
  /** Something before it is missing: the stream must be subscribed anew. */
  Gap: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

export type MessageKind = 'snapshot' | 'delta' | 'bbo' | 'trades' | 'status' | 'context';

/** What the tracker reads of a message's head. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
  readonly firstSequence: number;
  readonly flags: number;
}

export class StreamTracker {
  private readonly channel: ChannelName;
  /** A stream whose messages build on a snapshot. */
  private readonly isBuilt: boolean;
  private epoch = 0;
  private next = 0;
  /** The message with the anchor's own sequence may still come (a bbo's or status' first value). */
  private anchorDue = false;
  private snapshotDue = false;
  private insideSnapshot = false;
  /** What the previous heartbeat promised, where we had not got so far; -1 otherwise. */
  private promisedNext = -1;
  private promisedEpoch = -1;

  constructor(channel: ChannelName) {
    this.channel = channel;
    this.isBuilt = channel === 'book' || channel === 'orders';
  }

  /** Epoch and sequence to resume from, or null where there is nothing to build on. */
  get resumePoint(): { epoch: number; sequence: number } | null {
    if (this.snapshotDue || this.insideSnapshot || this.anchorDue || this.next === 0) return null;
    return { epoch: this.epoch, sequence: this.next - 1 };
  }

  get expectedSequence(): number {
    return this.next;
  }

  get currentEpoch(): number {
    return this.epoch;
  }

  /** The node's answer to subscribe: the position of the last message already contained. */
  anchor(epoch: number, sequence: number, resumed: boolean): void {
    this.epoch = epoch;
    this.next = sequence + 1;
    this.insideSnapshot = false;
    this.snapshotDue = this.isBuilt && !resumed;
    this.anchorDue = !resumed && this.channel !== 'trades';
    this.promisedNext = -1;
  }

  onMessage(kind: MessageKind, at: Position): Verdict {
    const verdict = kind === 'snapshot' ? this.onSnapshot(at) : this.onSingle(kind, at);
    if (verdict === Verdict.Accept) {
      this.next = at.sequence + 1;
      this.anchorDue = false;
    }
    return verdict;
  }

  /** True if this heartbeat proves a loss: what the one before announced has still not come. */
  onHeartbeat(epoch: number, nextSequence: number): boolean {
    const announced = this.promisedNext >= 0;
    const sequenceMissing = this.promisedEpoch === this.epoch && this.next < this.promisedNext;
    const epochMissing = this.promisedEpoch > this.epoch;
    if (announced && (sequenceMissing || epochMissing)) return true;
    const behind = epoch > this.epoch || (epoch === this.epoch && nextSequence > this.next);
    this.promisedNext = behind ? nextSequence : -1;
    this.promisedEpoch = epoch;
    return false;
  }

  private onSnapshot(at: Position): Verdict {
    const last = (at.flags & EventFlag.Last) !== 0;
    if ((at.flags & EventFlag.Snapshot) !== 0) {
      this.epoch = at.epoch;
    } else {
      // A further part shares the first part's sequence or takes the next one.
      const follows = at.sequence === this.next || at.sequence === this.next - 1;
      if (!this.insideSnapshot || at.epoch !== this.epoch || !follows) return Verdict.Gap;
    }
    this.insideSnapshot = !last;
    this.snapshotDue = false;
    return Verdict.Accept;
  }

  private onSingle(kind: MessageKind, at: Position): Verdict {
    if (at.epoch !== this.epoch) return this.onNewEpoch(kind, at);
    if (at.firstSequence > this.next) return Verdict.Gap;
    if (at.sequence < this.next) {
      return this.anchorDue && at.sequence === this.next - 1 && kind !== 'delta'
        ? Verdict.Accept
        : Verdict.Stale;
    }
    if (kind === 'delta' && (this.snapshotDue || this.insideSnapshot)) return Verdict.Gap;
    // A level's size is absolute, so covering one twice does no harm; a trade or an order counts once.
    if ((kind === 'trades' || this.channel === 'orders') && at.firstSequence < this.next)
      return Verdict.Gap;
    return Verdict.Accept;
  }

  private onNewEpoch(kind: MessageKind, at: Position): Verdict {
    if (at.epoch < this.epoch) return Verdict.Stale;
    if (this.isBuilt) {
      if (kind === 'delta') return Verdict.Gap;
      this.snapshotDue = true;
      this.insideSnapshot = false;
    }
    this.epoch = at.epoch;
    return Verdict.Accept;
  }
}
