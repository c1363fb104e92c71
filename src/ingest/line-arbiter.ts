/**
 * Two sockets carry the same streams for a while (rotation): what goes on to the books is each event
 * once, in order. Ingest thread; used only while two connections overlap, so warm, not hot.
 *
 * Per stream the old socket is the authority until the successor has *joined*: until one of its
 * events stands exactly where the line is (`line` = sequence of the last event passed on).
 *
 *     successor's event e            meaning                         done
 *     e.last  <  line                the successor is behind         drop; proven if a cut of the old
 *     e.last  == line                same cut: the next continues    drop, joined
 *     e.previous == line             continues exactly               pass on, joined
 *     e.previous >  line             the successor is ahead          hold; old ones will get there
 *     e.previous <  line < e.last    cut elsewhere: no way over      drop; wait for a common cut
 *
 * From then on the successor is the authority, and the old socket's copies are dropped, or held where
 * they are ahead, in case the successor dies. A successor that is always behind joins never; but once
 * one of its events ended where an event of the old socket did, it is *proven* that it will reach the
 * line at a common cut: the old socket may be closed, and the stream pauses until it is there. So there
 * is no gap by construction, and no duplicate either. A stream without continuity (a ticker: only
 * the newest counts) joins at the first event that is not older.
 *
 * Where events have no number at all, both sockets' are passed on as soon as the successor brings one, if
 * it does no harm that they are told twice: contexts stand for themselves, and of trades with an id the
 * books drop what they know. Others never join: they change hands with the connection.
 */
import { streamIdOf } from '../domain/channel.js';
import { invariant } from '../faults/invariant.js';
import {
  ABSENT,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  TRADE_ID,
} from '../rings/record-types.js';
import type { EventSink } from '../venues/venue.js';
import type { StreamWatch } from './stream-watch.js';
import { WatchFlag } from './stream-watch.js';

const Mode = {
  Off: 0,
  Old: 1,
  Successor: 2,
  /** One socket is left, and it is behind: its copies are dropped up to the line. */
  Tail: 3,
  /** Both sockets' events are passed on. */
  Both: 4,
} as const;

const SLOTS_PER_INSTRUMENT = streamIdOf(1, 0);

/** Cuts of the old socket that are remembered: more than it can be ahead in any sane network. */
const CUTS_MAX = 512;

interface HeldEvent {
  readonly recordType: number;
  readonly event: Float64Array;
}

export class LineArbiter {
  /** Copies dropped because the other socket had brought the event already. */
  duplicates = 0;
  private readonly sink: EventSink;
  private readonly slots: Int32Array;
  private readonly heldEventsMax: number;
  /** By slot: last sequence passed on, ABSENT before the first. */
  private readonly line: Float64Array;
  private readonly mode: Uint8Array;
  /** By slot: a contiguous run, ahead of the line, of the socket that is not the authority. */
  private readonly held = new Map<number, HeldEvent[]>();
  /** By slot: where the latest events passed on ended. */
  private readonly cuts = new Map<number, number[]>();
  /** By slot: 1 if the successor, though behind, will reach the line at a common cut. */
  private readonly proven: Uint8Array;
  /** By slot: 1 if the old socket itself is still behind the line, from the overlap before. */
  private readonly catchingUp: Uint8Array;
  private old: StreamWatch | null = null;
  private successor: StreamWatch | null = null;

  /** @param slots of the plan's streams  @param slotsMax how many slots there are at all */
  constructor(sink: EventSink, slots: Int32Array, slotsMax: number, heldEventsMax: number) {
    this.sink = sink;
    this.slots = slots;
    this.heldEventsMax = heldEventsMax;
    this.line = new Float64Array(slotsMax).fill(ABSENT);
    this.mode = new Uint8Array(slotsMax);
    this.proven = new Uint8Array(slotsMax);
    this.catchingUp = new Uint8Array(slotsMax);
  }

  begin(old: StreamWatch, successor: StreamWatch): void {
    invariant(this.old === null, 'one overlap at a time');
    this.old = old;
    this.successor = successor;
    this.held.clear();
    for (const slot of this.slots) {
      this.catchingUp[slot] = this.mode[slot] === Mode.Tail ? 1 : 0;
      if (this.mode[slot] !== Mode.Tail) this.line[slot] = old.sequence[slot]!;
      this.mode[slot] = Mode.Old;
      this.proven[slot] = 0;
      this.cuts.set(slot, [this.line[slot]!]);
      old.flags[slot] = old.flags[slot]! | WatchFlag.Arbitrated;
      successor.flags[slot] = successor.flags[slot]! | WatchFlag.Arbitrated;
    }
  }

  /**
   * One socket is left, or none that continues anything. What is still held is forgotten: release it,
   * or give it back, before.
   */
  end(left: 'old' | 'successor' | 'neither'): void {
    const watch = left === 'old' ? this.old : this.successor;
    for (const slot of this.slots) {
      const behind = left === 'old' ? this.catchingUp[slot] === 1 : this.proven[slot] === 1;
      if (this.mode[slot] === Mode.Old && behind) this.mode[slot] = Mode.Tail;
      if (this.mode[slot] === Mode.Tail && left !== 'neither') continue;
      this.mode[slot] = Mode.Off;
      if (watch !== null) watch.flags[slot] = watch.flags[slot]! & ~WatchFlag.Arbitrated;
    }
    this.old = null;
    this.successor = null;
    this.held.clear();
    this.cuts.clear();
  }

  /** A new line begins: nothing of an earlier one is to be compared with it. */
  forget(): void {
    this.mode.fill(Mode.Off);
  }

  /** True if the successor has the stream, or can take it over without a hole. */
  isJoined(slot: number): boolean {
    const mode = this.mode[slot];
    return mode === Mode.Successor || mode === Mode.Both || this.proven[slot] === 1;
  }

  /** An event of either socket. Returns false only if the sink refused one that was passed on. */
  offer(
    watch: StreamWatch,
    slot: number,
    type: number,
    event: Float64Array,
    doubles: number,
  ): boolean {
    if (this.mode[slot] === Mode.Both) return this.sink.accept(type, event, doubles);
    if (this.mode[slot] === Mode.Tail) return this.offerTail(watch, slot, type, event, doubles);
    const fromSuccessor = watch === this.successor;
    if (fromSuccessor === (this.mode[slot] === Mode.Successor)) {
      if (!fromSuccessor && this.isCatchingUp(slot, event)) return this.dropCopy();
      const accepted = this.pass(slot, type, event, doubles);
      this.afterPass(slot);
      return accepted;
    }
    if (fromSuccessor) return this.offerEarly(slot, type, event, doubles);
    if (event[SEQUENCE_LAST]! <= this.line[slot]!) this.duplicates++;
    else this.hold(slot, type, event, doubles);
    return true;
  }

  /**
   * A frame of this stream was refused on that socket. True if that is a loss for the books; if the
   * other socket is the authority, it only breaks what is held.
   */
  spoil(watch: StreamWatch, slot: number): boolean {
    const authority = this.mode[slot] === Mode.Successor ? this.successor : this.old;
    // Where both are passed on, the other socket brings what this one lost.
    if (this.mode[slot] === Mode.Both) return false;
    if (this.old === null || watch === authority) return true;
    this.held.delete(slot);
    this.proven[slot] = 0;
    return false;
  }

  /** What is held of an instrument is at a scale that is no more: as if its frames had been refused. */
  forgetHeld(instrumentId: number): void {
    for (const slot of this.held.keys()) {
      if (Math.floor(slot / SLOTS_PER_INSTRUMENT) !== instrumentId) continue;
      this.held.delete(slot);
      this.proven[slot] = 0;
    }
  }

  /** Gives the stream to the successor as it is, held events first: continuity is not proven. */
  release(slot: number): void {
    if (this.mode[slot] === Mode.Both) return;
    const events = this.mode[slot] === Mode.Successor ? undefined : this.held.get(slot);
    this.held.delete(slot);
    this.mode[slot] = Mode.Successor;
    this.passAll(slot, events);
  }

  /**
   * The successor is lost: gives the stream back to the old socket. False if that leaves a hole,
   * which the caller has to tell the books before it calls `end`.
   */
  giveBack(slot: number): boolean {
    if (this.mode[slot] !== Mode.Successor) return true;
    const events = this.held.get(slot);
    this.held.delete(slot);
    this.mode[slot] = Mode.Tail;
    const first = events?.[0];
    if (first === undefined) return this.old!.sequence[slot]! <= this.line[slot]!;
    const previous = previousOf(first.recordType, first.event);
    const whole = previous === ABSENT || previous === this.line[slot]!;
    if (whole) this.passAll(slot, events);
    return whole;
  }

  private isCatchingUp(slot: number, event: Float64Array): boolean {
    if (this.catchingUp[slot] === 1 && event[SEQUENCE_LAST]! > this.line[slot]!) {
      this.catchingUp[slot] = 0;
    }
    return this.catchingUp[slot] === 1;
  }

  private offerTail(
    watch: StreamWatch,
    slot: number,
    type: number,
    event: Float64Array,
    doubles: number,
  ): boolean {
    const last = event[SEQUENCE_LAST]!;
    if (last !== ABSENT && last <= this.line[slot]!) return this.dropCopy();
    this.mode[slot] = Mode.Off;
    watch.flags[slot] = watch.flags[slot]! & ~WatchFlag.Arbitrated;
    return this.pass(slot, type, event, doubles);
  }

  /** An event of a successor that has not joined yet: the table at the head of this file. */
  private offerEarly(slot: number, type: number, event: Float64Array, doubles: number): boolean {
    const last = event[SEQUENCE_LAST]!;
    const line = this.line[slot]!;
    if (last === ABSENT) {
      if (!mayBeToldTwice(type, event)) return this.dropCopy();
      this.mode[slot] = Mode.Both;
      return this.sink.accept(type, event, doubles);
    }
    const previous = previousOf(type, event);
    if (last < line) {
      if (previous === ABSENT || this.cuts.get(slot)!.includes(last)) this.proven[slot] = 1;
      return this.dropCopy();
    }
    const continues = previous === ABSENT || previous === line;
    if (last === line || continues) {
      this.held.delete(slot);
      this.mode[slot] = Mode.Successor;
      return last === line ? this.dropCopy() : this.pass(slot, type, event, doubles);
    }
    if (previous > line) this.hold(slot, type, event, doubles);
    else this.duplicates++;
    return true;
  }

  /** The line moved: what is held may be behind it now, or continue it. */
  private afterPass(slot: number): void {
    const events = this.held.get(slot);
    if (events === undefined) return;
    const line = this.line[slot]!;
    let common = false;
    while (events.length > 0 && events[0]!.event[SEQUENCE_LAST]! <= line) {
      common = events.shift()!.event[SEQUENCE_LAST] === line;
      this.duplicates++;
    }
    if (this.mode[slot] === Mode.Successor) return;
    const first = events[0];
    if (first === undefined) this.held.delete(slot);
    if (common || (first !== undefined && previousOf(first.recordType, first.event) === line)) {
      this.release(slot);
    }
  }

  /** Keeps a contiguous run; too long a run starts anew. */
  private hold(slot: number, recordType: number, event: Float64Array, doubles: number): void {
    let events = this.held.get(slot);
    if (events === undefined) this.held.set(slot, (events = []));
    if (events.length >= this.heldEventsMax) events.length = 0;
    events.push({ recordType, event: event.slice(0, doubles) });
  }

  private passAll(slot: number, events: readonly HeldEvent[] | undefined): void {
    for (const { recordType, event } of events ?? []) {
      this.pass(slot, recordType, event, event.length);
    }
  }

  private pass(slot: number, type: number, event: Float64Array, doubles: number): boolean {
    const last = event[SEQUENCE_LAST]!;
    this.line[slot] = last;
    const cuts = this.cuts.get(slot);
    if (cuts !== undefined && cuts.push(last) > CUTS_MAX) cuts.shift();
    return this.sink.accept(type, event, doubles);
  }

  private dropCopy(): boolean {
    this.duplicates++;
    return true;
  }
}

/** The number that an event continues: its own word for it, else the one before its first. */
function previousOf(recordType: number, event: Float64Array): number {
  if (event[SEQUENCE_PREVIOUS] !== ABSENT) return event[SEQUENCE_PREVIOUS]!;
  if (recordType === RecordType.BookTicker || event[SEQUENCE_FIRST] === ABSENT) return ABSENT;
  return event[SEQUENCE_FIRST]! - 1;
}

/** Whether the books can do with an unnumbered event of each socket. */
function mayBeToldTwice(recordType: number, event: Float64Array): boolean {
  if (recordType === RecordType.ContextUpdate) return true;
  const isTrade = recordType === RecordType.Trade || recordType === RecordType.TradeParties;
  return isTrade && event[TRADE_ID] !== ABSENT;
}
