/**
 * Which reader gets what: anchors and resumed messages for those who come, one merged message for
 * those who were too slow and caught up, the door for those who may not be conflated and are too
 * slow. Broadcast thread; `watch` runs once a few duty cycles, the rest when something changes.
 *
 *     Fresh ──answer, anchor or resumed messages──▶ Live ──above high-water (conflated)──▶ Behind
 *                                                    ▲                                       │
 *                                                    └──── at low-water: one merged delta ───┘
 *
 * Every change of phase happens between two duty cycles or at the end of one, when what a client has
 * is exactly the stream's position: leaving a topic still delivers what was published, joining gets
 * what is published from now on.
 */
import { Channel, CHANNEL_NAMES } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { addFlags, setFold } from '../wire/head-words.js';
import { BroadcastColumn } from './broadcast-counters.js';
import { CloseCode } from './close-code.js';
import { Conflator } from './conflation.js';
import type { RoomContext } from './room-context.js';
import { Phase } from './sessions.js';
import type { Session, Subscription } from './sessions.js';
import type { Stream } from './topics.js';

export class Delivery {
  /** Everybody, in no order; removed by swapping in the last. */
  readonly sessions: Session[] = [];
  private readonly room: RoomContext;
  private readonly conflator: Conflator;
  /** Sessions with a subscription that is not Live. */
  private readonly pending = new Set<Session>();
  private droppedSeen = false;
  private watchedNs = -Infinity;
  private watchedBytes = 0;

  constructor(room: RoomContext) {
    this.room = room;
    this.conflator = new Conflator(room);
  }

  add(session: Session): void {
    this.sessions.push(session);
    this.gauge();
  }

  remove(session: Session): void {
    for (const subscription of session.subscriptions.values()) this.leave(session, subscription);
    session.subscriptions.clear();
    this.pending.delete(session);
    const index = this.sessions.indexOf(session);
    const last = this.sessions.pop();
    if (last !== undefined && last !== session) this.sessions[index] = last;
    this.gauge();
  }

  /** Takes a new subscription; its answer and anchor follow as soon as its book is whole. */
  subscribe(session: Session, subscription: Subscription): void {
    session.subscriptions.set(subscription.stream.streamId, subscription);
    subscription.stream.subscriptions++;
    session.pendingCount++;
    this.pending.add(session);
    this.room.counters.add(0, BroadcastColumn.Subscriptions, 1);
    this.pump(session);
  }

  unsubscribe(session: Session, subscription: Subscription): void {
    this.leave(session, subscription);
    session.subscriptions.delete(subscription.stream.streamId);
    if (session.pendingCount === 0) this.pending.delete(session);
  }

  noteDropped(session: Session): void {
    session.dropped = true;
    this.droppedSeen = true;
    this.room.counters.add(0, BroadcastColumn.Dropped, 1);
  }

  /** Serves all who wait. At the end of a duty cycle. Returns how many sessions there were. */
  pumpAll(): number {
    if (this.pending.size === 0) return 0;
    const before = this.pending.size;
    for (const session of this.pending) this.pump(session);
    return before - this.pending.size;
  }

  /** Serves one session's waiting subscriptions as far as its buffer allows. */
  pump(session: Session): void {
    const { connection } = session;
    const { highWaterBytes, lowWaterBytes } = this.room.limits;
    let buffered = connection.bufferedBytes();
    if (buffered > highWaterBytes) return;
    let mayCatchUp = buffered <= lowWaterBytes;
    for (const subscription of session.subscriptions.values()) {
      if (session.pendingCount === 0 || connection.closed) break;
      const { phase, stream, feed } = subscription;
      if (phase === Phase.Live) continue;
      if (phase === Phase.Behind && !mayCatchUp) continue;
      if (feed.isMidEvent(stream)) continue;
      if (phase === Phase.Fresh) this.begin(session, subscription);
      else this.catchUp(session, subscription);
      buffered = connection.bufferedBytes();
      if (buffered > highWaterBytes) break;
      mayCatchUp = mayCatchUp && buffered <= highWaterBytes / 2;
    }
    if (session.pendingCount === 0) this.pending.delete(session);
  }

  /** Looks at the buffers: conflates, closes. Not more often than has a use. Returns sessions acted on. */
  watch(nowNs: number): number {
    const { room } = this;
    const due =
      this.droppedSeen ||
      room.outlet.bytesTotal - this.watchedBytes >= room.limits.highWaterBytes / 4 ||
      nowNs - this.watchedNs >= WATCH_NS;
    if (!due) return 0;
    this.watchedNs = nowNs;
    this.watchedBytes = room.outlet.bytesTotal;
    this.droppedSeen = false;
    let acted = 0;
    let bufferedMax = 0;
    // Backwards: a session that is closed on the way is replaced by one that was looked at already.
    for (let i = this.sessions.length - 1; i >= 0; i--) {
      const session = this.sessions[i]!;
      const buffered = session.connection.bufferedBytes();
      if (buffered > bufferedMax) bufferedMax = buffered;
      if (
        buffered > room.limits.lowWaterBytes ||
        session.dropped ||
        session.slowSinceNs !== Infinity
      ) {
        acted += this.judge(session, buffered, nowNs);
      }
    }
    room.counters.set(0, BroadcastColumn.BufferedBytesMax, bufferedMax);
    room.counters.set(0, BroadcastColumn.Lagging, this.pending.size);
    return acted;
  }

  private judge(session: Session, buffered: number, nowNs: number): number {
    const { limits } = this.room;
    const dropped = session.dropped;
    session.dropped = false;
    if (session.losslessCount > 0 && (dropped || buffered > limits.losslessBytesMax)) {
      this.closeSlow(session, BroadcastColumn.ClosedSlow, 'slower than its lossless streams');
      return 1;
    }
    if (buffered <= limits.lowWaterBytes) session.slowSinceNs = Infinity;
    else if (session.slowSinceNs === Infinity) session.slowSinceNs = nowNs;
    // A lossless reader may live near its bound for as long as it stays below it.
    const mustDrain = session.pendingCount > 0 || session.losslessCount === 0;
    if (nowNs - session.slowSinceNs > limits.stalledNsMax && mustDrain) {
      this.closeSlow(session, BroadcastColumn.ClosedStalled, 'did not read for too long');
      return 1;
    }
    const conflates = dropped || buffered > limits.highWaterBytes;
    let left = 0;
    for (const subscription of session.subscriptions.values()) {
      if (dropped && subscription.phase === Phase.Behind) subscription.uncertain = true;
      if (subscription.lossless || subscription.phase !== Phase.Live) continue;
      if (!dropped) {
        subscription.epoch = subscription.stream.epoch;
        subscription.sequence = subscription.stream.sequence;
      }
      if (!conflates) continue;
      this.fallBehind(session, subscription, dropped);
      left++;
    }
    return left;
  }

  /** Its position was noted just now, or at the last look before the server dropped something. */
  private fallBehind(session: Session, subscription: Subscription, uncertain: boolean): void {
    this.leaveTopic(session, subscription);
    subscription.phase = Phase.Behind;
    subscription.uncertain = uncertain;
    session.pendingCount++;
    this.pending.add(session);
    this.room.counters.add(0, BroadcastColumn.FellBehind, 1);
  }

  /** Tells a reader that it was too slow, as far as that still reaches it, and closes with 4008. */
  private closeSlow(session: Session, column: number, why: string): void {
    this.room.counters.add(0, column, 1);
    const message = { op: 'error', id: null, code: 'SLOW_CONSUMER', message: `closed: ${why}` };
    session.connection.sendText(JSON.stringify(message));
    session.connection.end(CloseCode.SlowConsumer, 'slow consumer');
  }

  private begin(session: Session, subscription: Subscription): void {
    const { stream, resume } = subscription;
    const resumed = resume !== null && this.hasSince(stream, resume.epoch, resume.sequence);
    session.connection.sendText(this.answer(subscription, resumed));
    if (resume !== null) {
      this.count(resumed ? BroadcastColumn.ResumesServed : BroadcastColumn.ResumesRefused);
    }
    if (resumed) this.sendSince(session, stream, resume.sequence);
    else this.sendAnchor(session, subscription);
    this.join(session, subscription);
  }

  /** Everything after that position is there to be sent. */
  private hasSince(stream: Stream, epoch: number, sequence: number): boolean {
    if (epoch !== stream.epoch) return false;
    return sequence === stream.sequence || stream.history.covers(epoch, sequence + 1);
  }

  private answer(subscription: Subscription, resumed: boolean): string {
    const { stream, feed, requestId, resume } = subscription;
    // The levels of a book are at the scale of its last snapshot; the rest is as the venue says now.
    const scale = isKept(stream) ? feed.mirror : feed.instrument;
    const sequence = resumed && resume !== null ? resume.sequence : stream.sequence;
    return JSON.stringify({
      op: 'subscribed',
      id: requestId,
      channel: CHANNEL_NAMES[stream.channel],
      instrument: feed.instrument.name,
      streamId: stream.streamId,
      instrumentId: feed.instrument.id,
      depth: stream.depth,
      mode: subscription.lossless ? 'lossless' : 'conflated',
      priceDecimals: scale.priceDecimals,
      sizeDecimals: scale.sizeDecimals,
      epoch: String(stream.epoch),
      sequence: String(sequence),
      resumed,
    });
  }

  /** The kept messages after `sequence`; the first says that the stream was resumed. */
  private sendSince(session: Session, stream: Stream, sequence: number): void {
    const { scratch } = this.room;
    const { history } = stream;
    for (let next = sequence + 1; next <= stream.sequence; next++) {
      scratch.copyFrom(history.buffer, history.wordAt(next), history.bytesAt(next));
      if (next === sequence + 1) addFlags(scratch.words, 0, EventFlag.Resumed);
      this.send(session, stream, scratch.words, scratch.bytes);
    }
  }

  /** What a stream's reader begins with: a snapshot, the present value, or for trades nothing. */
  private sendAnchor(session: Session, subscription: Subscription): void {
    const { stream } = subscription;
    if (isKept(stream)) {
      this.sendSnapshot(session, subscription, 0, 0);
    } else if (stream.channel !== Channel.Trades && this.conflator.mergePlain(stream, 0, 0)) {
      this.send(session, stream, this.room.scratch.words, this.room.scratch.bytes);
    }
  }

  /** @param first 0, or the first sequence that the snapshot stands in for */
  private sendSnapshot(
    session: Session,
    subscription: Subscription,
    flags: number,
    first: number,
  ): void {
    const { stream, feed } = subscription;
    const { scratch } = this.room;
    for (const part of this.room.snapshots.parts(feed, stream)) {
      if (flags === 0) {
        this.send(session, stream, part, part.length * 4);
        continue;
      }
      scratch.copyFrom(part, 0, part.length * 4);
      addFlags(scratch.words, 0, flags);
      if (first > 0) setFold(scratch.words, 0, first, stream.sequence - first);
      this.send(session, stream, scratch.words, scratch.bytes);
    }
    this.count(BroadcastColumn.Snapshots);
  }

  private catchUp(session: Session, subscription: Subscription): void {
    const { stream, feed, epoch, sequence, uncertain } = subscription;
    const { scratch } = this.room;
    if (uncertain || epoch !== stream.epoch || sequence !== stream.sequence) {
      if (
        stream.channel === Channel.Orders &&
        !uncertain &&
        this.hasSince(stream, epoch, sequence)
      ) {
        // A snapshot of every order is far larger than what a reader missed that was slow for a moment.
        this.sendSince(session, stream, sequence);
      } else if (!isKept(stream)) {
        if (this.conflator.mergePlain(stream, epoch, sequence)) {
          this.room.encoder.patchPublishedNs(scratch.words, 0, this.room.clock.nowNs());
          this.send(session, stream, scratch.words, scratch.bytes);
        }
      } else if (
        stream.channel === Channel.Book &&
        !uncertain &&
        this.conflator.mergeBook(feed, stream, epoch, sequence)
      ) {
        this.room.encoder.patchPublishedNs(scratch.words, 0, this.room.clock.nowNs());
        this.send(session, stream, scratch.words, scratch.bytes);
      } else {
        const first = epoch === stream.epoch ? sequence + 1 : 0;
        this.count(BroadcastColumn.Reanchored);
        this.sendSnapshot(session, subscription, EventFlag.Conflated, first);
      }
    }
    this.join(session, subscription);
  }

  private send(session: Session, stream: Stream, words: Int32Array, bytes: number): void {
    this.count(BroadcastColumn.Direct);
    this.room.counters.add(0, BroadcastColumn.DirectBytes, bytes);
    if (session.json) {
      session.connection.sendText(this.room.outlet.text(words, 0, bytes, stream.instrumentId));
    } else {
      session.connection.sendBinary(new Uint8Array(words.buffer, words.byteOffset, bytes));
    }
  }

  private join(session: Session, subscription: Subscription): void {
    const { stream } = subscription;
    subscription.phase = Phase.Live;
    subscription.uncertain = false;
    subscription.epoch = stream.epoch;
    subscription.sequence = stream.sequence;
    session.pendingCount--;
    if (subscription.lossless) session.losslessCount++;
    if (session.json) stream.jsonJoined++;
    else stream.binaryJoined++;
    session.connection.join(session.json ? stream.jsonTopic : stream.topic);
  }

  private leaveTopic(session: Session, subscription: Subscription): void {
    const { stream } = subscription;
    if (subscription.lossless) session.losslessCount--;
    if (session.json) stream.jsonJoined--;
    else stream.binaryJoined--;
    session.connection.leave(session.json ? stream.jsonTopic : stream.topic);
  }

  private leave(session: Session, subscription: Subscription): void {
    const { stream, feed } = subscription;
    if (subscription.phase === Phase.Live) this.leaveTopic(session, subscription);
    else session.pendingCount--;
    stream.subscriptions--;
    if (stream.subscriptions === 0) feed.noteIdle(stream, this.room.clock.nowNs());
    this.room.counters.add(0, BroadcastColumn.Subscriptions, -1);
  }

  private gauge(): void {
    this.room.counters.set(0, BroadcastColumn.Clients, this.sessions.length);
  }

  private count(column: number): void {
    this.room.counters.add(0, column, 1);
  }
}

/** Streams of state that a snapshot opens. */
function isKept(stream: Stream): boolean {
  return stream.channel === Channel.Book || stream.channel === Channel.Orders;
}

/** How long a slow reader can stay unnoticed when little is published. */
const WATCH_NS = 5e6;
