/**
 * A planned connection as a state machine without I/O: `on(input, nowNs)` returns what is to be done,
 * `nextDueNs` says when to call it with a timer. Ingest thread; cold (frames do not pass through here).
 *
 *     idle ─start→ waiting ─budget→ connecting ─opened→ subscribing ─acks→ up ⇄ overlapping
 *                    ↑───────── back-off ────────── lost ───┴───────────┘        (successor)
 *     any ─stop→ closing → idle
 *
 * Rotation (rotation.ts says when): the old socket stays until the successor has joined every stream
 * (line-arbiter.ts says how), so nothing is lost by it.
 */
import { StateReason } from '../domain/book-state.js';
import { unreachable } from '../faults/invariant.js';
import { SourceState } from '../rings/record-types.js';
import type { ControlMessage } from '../venues/venue.js';
import { Backoff } from './backoff.js';
import type {
  ConnectionAction,
  ConnectionEvent,
  ConnectionInput,
  ConnectionOptions,
} from './connection-words.js';
import { ConnectionState } from './connection-words.js';
import { Leg, LegPhase, LegWish } from './leg.js';
import { NS_PER_MS } from './limits.js';
import { LineArbiter } from './line-arbiter.js';
import { hasJoined, hasJoinedAll } from './overlap.js';
import { Rotation } from './rotation.js';
import { Silence } from './silence.js';
import type { StreamWatch } from './stream-watch.js';
import { NEVER_NS, StreamBoard, StreamStatus, WatchFlag } from './stream-watch.js';

/** How often an overlap asks whether all streams have joined. */
const JOIN_POLL_NS = 50 * NS_PER_MS;

export class ConnectionMachine {
  readonly legs: readonly [Leg, Leg];
  readonly board: StreamBoard;
  readonly arbiter: LineArbiter;
  /** When `on` wants to be called with a timer. */
  nextDueNs = Infinity;
  private readonly options: ConnectionOptions;
  private readonly backoff: Backoff;
  private readonly rotation: Rotation;
  private readonly silence: Silence;
  private readonly watches: readonly StreamWatch[];
  private readonly actions: ConnectionAction[] = [];
  private current: Leg;
  private successor: Leg | null = null;
  private started = false;
  /** The current leg was seen Up and is being watched. */
  private watching = false;
  private retryAtNs = Infinity;
  private overlapUntilNs = Infinity;

  constructor(options: ConnectionOptions) {
    this.options = options;
    const { plan, venue, limits, slots, prng } = options;
    this.board = new StreamBoard(plan.streams, slots);
    this.legs = [new Leg(0, plan, venue, limits, slots), new Leg(1, plan, venue, limits, slots)];
    this.watches = [this.legs[0].watch, this.legs[1].watch];
    this.arbiter = new LineArbiter(options.sink, this.board.slots, slots, limits.heldEventsMax);
    this.backoff = new Backoff(prng, limits.backoffMsMin, limits.backoffMsMax);
    this.rotation = new Rotation(venue.connectionLifetimeMs, limits, prng);
    this.silence = new Silence(this.board, limits);
    this.current = this.legs[0];
  }

  get state(): ConnectionState {
    if (!this.started) {
      const closing = this.legs.some((leg) => leg.phase !== LegPhase.Closed);
      return closing ? ConnectionState.Closing : ConnectionState.Idle;
    }
    if (this.successor !== null) return ConnectionState.Overlapping;
    if (this.current.phase === LegPhase.Up) return ConnectionState.Up;
    if (this.current.phase === LegPhase.Subscribing) return ConnectionState.Subscribing;
    if (this.current.phase === LegPhase.Connecting) return ConnectionState.Connecting;
    return ConnectionState.Waiting;
  }

  /** The actions are lent until the next call. */
  on(input: ConnectionInput, nowNs: number): readonly ConnectionAction[] {
    this.actions.length = 0;
    switch (input.kind) {
      case 'start':
        this.start(nowNs);
        break;
      case 'stop':
        this.stop(nowNs);
        break;
      case 'timer':
        break;
      case 'opened':
        if (this.legs[input.leg].phase === LegPhase.Connecting) this.legs[input.leg].opened(nowNs);
        break;
      case 'control':
        this.onControl(this.legs[input.leg], input.message, nowNs);
        break;
      case 'stream':
        this.onStream(this.legs[input.leg], input.slot);
        break;
      case 'refused':
        this.report('refused', `for ${input.retryAfterMs} ms`);
        this.options.attempts.pauseUntil(nowNs + input.retryAfterMs * NS_PER_MS);
        break;
      case 'closed':
        this.onClosed(this.legs[input.leg], input.reason, nowNs);
        break;
      default:
        unreachable(input);
    }
    this.advance(nowNs);
    this.nextDueNs = this.computeDueNs(nowNs);
    return this.actions;
  }

  private start(nowNs: number): void {
    if (this.started) return;
    this.started = true;
    this.retryAtNs = nowNs;
  }

  private stop(nowNs: number): void {
    if (!this.started) return;
    this.started = false;
    this.endOverlap('old');
    this.forgetLife();
    for (const leg of this.legs) this.closeLeg(leg, 'stopping', nowNs);
    this.loseAll(StateReason.Operator);
    this.report('stopped', '');
  }

  private advance(nowNs: number): void {
    for (const leg of this.legs) this.tickLeg(leg, nowNs);
    if (!this.started) return;
    if (this.current.phase === LegPhase.Closed && nowNs >= this.retryAtNs) this.connect(nowNs);
    if (this.current.phase === LegPhase.Up) {
      if (!this.watching) this.beginLife(nowNs);
      if (nowNs >= this.silence.lookAtNs) this.watchSilence(nowNs);
    }
    if (this.successor !== null) this.tryFinishOverlap(this.successor, nowNs);
    else if (nowNs >= this.rotation.dueNs) this.rotate(nowNs);
  }

  private tickLeg(leg: Leg, nowNs: number): void {
    for (;;) {
      const wish = leg.tick(nowNs);
      switch (wish) {
        case LegWish.Nothing:
          return;
        case LegWish.Send:
          this.actions.push({ kind: 'send', leg: leg.index, text: leg.text });
          break;
        case LegWish.Ping:
          this.actions.push({ kind: 'ping', leg: leg.index });
          break;
        case LegWish.Fail:
          this.failLeg(leg, leg.failure, nowNs);
          return;
        default:
          unreachable(wish);
      }
    }
  }

  private connect(nowNs: number): void {
    const waitNs = this.options.attempts.tryTake(1, nowNs);
    if (waitNs > 0) {
      this.retryAtNs = nowNs + waitNs;
      return;
    }
    this.retryAtNs = Infinity;
    this.arbiter.forget();
    this.openLeg(this.current, nowNs);
  }

  private openLeg(leg: Leg, nowNs: number): void {
    leg.connect(this.board.slots, nowNs);
    for (let i = 0; i < this.board.slots.length; i++) {
      this.board.setStatus(i, this.board.statusOf(i), [leg.watch]);
    }
    this.actions.push({ kind: 'open', leg: leg.index, url: this.options.plan.url });
    this.report('connecting', leg === this.successor ? 'successor' : '');
  }

  private beginLife(nowNs: number): void {
    this.watching = true;
    this.silence.begin(nowNs);
    this.rotation.begin(this.current.openedNs);
    this.report('subscribed', `${this.board.slots.length} streams`);
  }

  private forgetLife(): void {
    this.watching = false;
    this.silence.end();
    this.rotation.clear();
  }

  private onControl(leg: Leg, message: ControlMessage, nowNs: number): void {
    if (!leg.isOpen) return;
    switch (message.kind) {
      case 'ack':
        leg.acknowledged(message.id, nowNs);
        break;
      case 'refused':
        this.report('refused', message.message);
        // Before the streams run, a refusal is about our subscription; later it changes nothing.
        if (leg.phase === LegPhase.Subscribing) this.failLeg(leg, 'subscription refused', nowNs);
        break;
      case 'closing':
        this.report('ending', message.message);
        if (leg === this.successor) this.abandonSuccessor(leg, 'announced its end', nowNs);
        else if (this.successor === null) this.rotation.announceEnd(nowNs);
        break;
      case 'pong':
      case 'other':
        break;
      default:
        unreachable(message);
    }
  }

  private onStream(leg: Leg, slot: number): void {
    const index = this.board.indexOf(slot);
    if (index < 0 || !leg.isOpen) return;
    if ((leg.watch.flags[slot]! & WatchFlag.Awaiting) !== 0) {
      leg.watch.flags[slot] = leg.watch.flags[slot]! & ~WatchFlag.Awaiting;
      leg.watch.delivered++;
    }
    const status = this.board.statusOf(index);
    if (status === StreamStatus.Up) return;
    const reason = status === StreamStatus.Silent ? StateReason.StreamResumed : StateReason.None;
    this.board.setStatus(index, StreamStatus.Up, this.watches);
    this.tellBooks(index, SourceState.Up, reason);
    // The old socket does not bring it: there is nothing to wait for.
    if (leg === this.successor) this.actions.push({ kind: 'release', slot });
    // Its silence is measured anew from here.
    this.silence.lookSoon();
  }

  private onClosed(leg: Leg, reason: string, nowNs: number): void {
    if (leg.phase === LegPhase.Closed) return;
    const wasClosing = leg.phase === LegPhase.Closing;
    leg.closed(this.board.slots);
    if (!wasClosing && this.started) this.legGone(leg, reason, nowNs);
  }

  private failLeg(leg: Leg, reason: string, nowNs: number): void {
    const wasClosing = leg.phase === LegPhase.Closing;
    leg.closed(this.board.slots);
    this.actions.push({ kind: 'terminate', leg: leg.index, reason });
    if (!wasClosing && this.started) this.legGone(leg, reason, nowNs);
  }

  private legGone(leg: Leg, reason: string, nowNs: number): void {
    if (leg === this.successor) this.successorGone(reason, nowNs);
    else if (leg === this.current) this.currentGone(leg, reason, nowNs);
  }

  private currentGone(leg: Leg, reason: string, nowNs: number): void {
    this.report('lost', reason);
    const { successor } = this;
    if (successor?.isOpen === true) {
      this.promote(successor, nowNs);
      return;
    }
    this.endOverlap('neither');
    this.forgetLife();
    this.loseAll(StateReason.Disconnected);
    const livedNs = leg.watch.delivered > 0 ? nowNs - leg.openedNs : 0;
    if (livedNs >= this.options.limits.stableMs * NS_PER_MS) this.backoff.reset();
    // A successor that is still connecting simply becomes the connection.
    if (successor !== null) this.current = successor;
    else this.retryAtNs = nowNs + this.backoff.nextNs();
  }

  private rotate(nowNs: number): void {
    const { rotation } = this;
    if (rotation.isRepairDue && !rotation.takeRepair(this.board.hasSilent())) return;
    const leg = this.legs[this.current.index === 0 ? 1 : 0];
    const ready = this.current.phase === LegPhase.Up && leg.phase === LegPhase.Closed;
    const waitNs = ready
      ? this.options.attempts.tryTake(1, nowNs)
      : this.options.limits.closeMsMax * NS_PER_MS;
    if (waitNs > 0) {
      rotation.postpone(nowNs + waitNs);
      return;
    }
    rotation.postpone(Infinity);
    this.successor = leg;
    this.overlapUntilNs = nowNs + this.options.limits.overlapMsMax * NS_PER_MS;
    this.openLeg(leg, nowNs);
    this.actions.push({ kind: 'overlap-begin', old: this.current.index });
  }

  private tryFinishOverlap(leg: Leg, nowNs: number): void {
    const lastCall = nowNs >= this.rotation.endOfLifeNs && leg.watch.delivered > 0;
    const joined = hasJoinedAll(this.board, this.arbiter, this.current, leg, this.options, nowNs);
    if (lastCall || joined) this.promote(leg, nowNs);
    else if (nowNs >= this.overlapUntilNs) {
      this.abandonSuccessor(leg, 'streams did not join in time', nowNs);
    }
  }

  /** The successor becomes the connection. Streams that have not joined lose their continuity. */
  private promote(leg: Leg, nowNs: number): void {
    for (let index = 0; index < this.board.slots.length; index++) {
      const joined = hasJoined(index, this.board, this.arbiter, this.current, leg);
      if (!joined) this.handOver(index, leg);
    }
    this.endOverlap('successor');
    this.closeLeg(this.current, 'replaced by its successor', nowNs);
    this.current = leg;
    this.forgetLife();
    this.report('rotated', '');
    if (leg.phase === LegPhase.Up) this.beginLife(nowNs);
  }

  /** Lost, and Up again if the successor brings the stream already; then what was held. */
  private handOver(index: number, leg: Leg): void {
    const slot = this.board.slots[index]!;
    this.loseStream(index, StateReason.Disconnected);
    if (leg.watch.lastNs[slot] === NEVER_NS) return;
    this.board.setStatus(index, StreamStatus.Up, this.watches);
    this.tellBooks(index, SourceState.Up, StateReason.None);
    this.actions.push({ kind: 'release', slot });
  }

  private abandonSuccessor(leg: Leg, reason: string, nowNs: number): void {
    this.closeLeg(leg, reason, nowNs);
    this.successorGone(reason, nowNs);
  }

  private successorGone(reason: string, nowNs: number): void {
    for (let index = 0; index < this.board.slots.length; index++) {
      const whole = this.arbiter.giveBack(this.board.slots[index]!);
      if (!whole) this.loseStream(index, StateReason.Disconnected);
    }
    this.endOverlap('old');
    this.report('successor-lost', reason);
    this.rotation.retry(nowNs);
  }

  private endOverlap(left: 'old' | 'successor' | 'neither'): void {
    if (this.successor === null) return;
    this.successor = null;
    this.actions.push({ kind: 'overlap-end', left });
  }

  private closeLeg(leg: Leg, reason: string, nowNs: number): void {
    if (leg.isOpen) {
      leg.closing(this.board.slots, nowNs);
      this.actions.push({ kind: 'close', leg: leg.index, reason });
    } else if (leg.phase === LegPhase.Connecting) {
      leg.closed(this.board.slots);
      this.actions.push({ kind: 'terminate', leg: leg.index, reason });
    }
  }

  private loseAll(reason: number): void {
    for (let index = 0; index < this.board.slots.length; index++) this.loseStream(index, reason);
  }

  private loseStream(index: number, reason: number): void {
    if (this.board.statusOf(index) === StreamStatus.Down) return;
    this.board.setStatus(index, StreamStatus.Down, this.watches);
    this.tellBooks(index, SourceState.Lost, reason);
  }

  private tellBooks(stream: number, state: number, reason: number): void {
    this.actions.push({ kind: 'source', stream, state, reason });
  }

  private watchSilence(nowNs: number): void {
    const leg = this.current;
    const watches = this.successor === null ? [leg.watch] : this.watches;
    const { delivered } = leg.watch;
    const { silent, dead } = this.silence.look(watches, leg.subscribedNs, delivered, nowNs);
    for (const index of silent) {
      this.board.setStatus(index, StreamStatus.Silent, this.watches);
      this.tellBooks(index, SourceState.Silent, StateReason.StreamSilent);
      this.report('silent', this.board.streams[index]!.key);
      this.rotation.wantRepair(nowNs);
    }
    if (dead) this.failLeg(leg, 'all streams silent', nowNs);
  }

  private computeDueNs(nowNs: number): number {
    const dueNs = Math.min(this.legs[0].nextDueNs(), this.legs[1].nextDueNs());
    if (!this.started) return dueNs;
    const retryNs = this.current.phase === LegPhase.Closed ? this.retryAtNs : Infinity;
    const silenceNs = this.current.phase === LegPhase.Up ? this.silence.lookAtNs : Infinity;
    const rotateNs = this.successor === null ? this.rotation.dueNs : nowNs + JOIN_POLL_NS;
    return Math.min(dueNs, retryNs, silenceNs, rotateNs);
  }

  private report(event: ConnectionEvent, detail: string): void {
    this.actions.push({ kind: 'report', event, detail });
  }
}
