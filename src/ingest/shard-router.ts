/**
 * Feed events to the rings of the book shards. Ingest thread; HOT: one call an event, no allocation.
 *
 * Claim and copy here, commit and ring the doorbell once per socket read (`flush`). A full ring never
 * blocks the sockets: the event is dropped and counted, and the stream carries a mark from then on.
 * The mark is written as a SourceState record as soon as there is room, always before any later event
 * of that ring, so that the book turns Suspect instead of silently missing an update. The same holds for
 * a new definition of an instrument: until it stands in the ring, no event at its scale does.
 */
import { StateReason } from '../domain/book-state.js';
import { streamIdOf } from '../domain/channel.js';
import { writeDefinition } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import { invariant } from '../faults/invariant.js';
import { copyDoubles } from '../rings/copy-doubles.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import {
  ABSENT,
  DEFINED,
  ENGINE_NS,
  EXCHANGE_NS,
  FLAGS,
  INSTRUMENT,
  INSTRUMENT_DEFINED_DOUBLES,
  RECEIVED_NS,
  REFUSED_REASON,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  SNAPSHOT_REFUSED_DOUBLES,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SOURCE_STATE_DOUBLES,
  SourceState,
} from '../rings/record-types.js';
import type { RingProducer } from '../rings/ring-producer.js';
import { RECORD_TOO_LARGE } from '../rings/ring-producer.js';
import type { EventSink } from '../venues/venue.js';
import { CHANNEL_OF_RECORD } from './stream-watch.js';

export interface ShardOutput {
  readonly ring: RingProducer;
  readonly bell: DoorbellRinger;
}

/** What a stream has to say once there is room. Bits; written in this order. */
const Mark = { FrameLost: 1, Lost: 2, Silent: 4, Up: 8 } as const;
const MARK_OF_STATE = new Uint8Array(4);
MARK_OF_STATE[SourceState.FrameLost] = Mark.FrameLost;
MARK_OF_STATE[SourceState.Lost] = Mark.Lost;
MARK_OF_STATE[SourceState.Silent] = Mark.Silent;
MARK_OF_STATE[SourceState.Up] = Mark.Up;
/** States in the order in which marks are written; the reason of each is kept beside it. */
const STATES_IN_ORDER = [
  SourceState.FrameLost,
  SourceState.Lost,
  SourceState.Silent,
  SourceState.Up,
] as const;
const STATES = STATES_IN_ORDER.length;

const SLOTS_PER_INSTRUMENT = streamIdOf(1, 0);

export class ShardRouter implements EventSink {
  /** Events dropped because a ring was full, and records too large for any ring. */
  dropped = 0;
  tooLarge = 0;
  /** Events passed on. */
  accepted = 0;
  private readonly rings: readonly RingProducer[];
  private readonly bells: readonly DoorbellRinger[];
  /** Shard of each instrument id. */
  private readonly shardOf: Int32Array;
  private readonly dirty: Uint8Array;
  /** Per shard: streams with marks to be written, by slot. */
  private readonly marked: Set<number>[];
  private readonly markedCount: Int32Array;
  private readonly marks: Uint8Array;
  private readonly reasons: Uint8Array;
  /** Per shard: instruments whose new definition is to be written. */
  private readonly redefined: Map<number, Instrument>[];
  /** Per instrument: when a refused snapshot may be asked for again, and why; while unwritten. */
  private readonly refusals = new Map<number, { reason: number; retryAfterNs: number }>();
  private readonly scratch = new Float64Array(INSTRUMENT_DEFINED_DOUBLES);

  /** @param shardOf index into `outputs` by instrument id */
  constructor(outputs: readonly ShardOutput[], shardOf: Int32Array) {
    this.rings = outputs.map((output) => output.ring);
    this.bells = outputs.map((output) => output.bell);
    this.shardOf = shardOf;
    this.dirty = new Uint8Array(outputs.length);
    this.marked = outputs.map(() => new Set<number>());
    this.redefined = outputs.map(() => new Map<number, Instrument>());
    this.markedCount = new Int32Array(outputs.length);
    this.marks = new Uint8Array(shardOf.length * SLOTS_PER_INSTRUMENT);
    this.reasons = new Uint8Array(this.marks.length * STATES);
    for (const shard of shardOf) invariant(shard < outputs.length, 'every shard has a ring');
  }

  /** Hot. Copies the event; false if it was dropped (and marked). */
  accept(recordType: number, event: Float64Array, doubles: number): boolean {
    const shard = this.shardOf[event[INSTRUMENT]!]!;
    if (this.markedCount[shard] !== 0 && !this.writeMarks(shard)) {
      return this.drop(recordType, event, StateReason.RingFull);
    }
    const ring = this.rings[shard]!;
    const slot = ring.tryClaim(recordType, doubles << 3);
    if (slot < 0) {
      const tooLarge = slot === RECORD_TOO_LARGE;
      if (tooLarge) this.tooLarge++;
      const reason = tooLarge ? StateReason.BufferOverflow : StateReason.RingFull;
      return this.drop(recordType, event, reason);
    }
    const target = ring.doubles;
    copyDoubles(event, doubles, target, slot);
    this.dirty[shard] = 1;
    this.accepted++;
    return true;
  }

  /** Publishes what was accepted since the last flush, one commit and one ring a shard. Hot. */
  flush(): void {
    for (let shard = 0; shard < this.dirty.length; shard++) {
      if (this.markedCount[shard] !== 0) this.writeMarks(shard);
      if (this.dirty[shard] === 0) continue;
      this.dirty[shard] = 0;
      this.rings[shard]!.commit();
      this.bells[shard]!.ring();
    }
    if (this.refusals.size > 0) this.writeRefusals();
  }

  /** True while something waits for room in a ring: flush again soon. */
  get hasBacklog(): boolean {
    if (this.refusals.size > 0) return true;
    for (const count of this.markedCount) if (count !== 0) return true;
    return false;
  }

  /** Tells the books about a stream; kept until there is room, in order with its events. */
  writeSourceState(
    instrumentId: number,
    channel: number,
    state: number,
    reason: number,
    nowNs: number,
  ): void {
    const shard = this.shardOf[instrumentId]!;
    this.mark(shard, streamIdOf(instrumentId, channel as 0), state, reason);
    this.nowNs = nowNs;
    this.writeMarks(shard);
  }

  /** Tells a book what its instrument is from here on; kept until there is room, before any later event. */
  writeDefinition(instrument: Instrument, nowNs: number): void {
    const shard = this.shardOf[instrument.id]!;
    this.redefined[shard]!.set(instrument.id, instrument);
    this.countMarks(shard);
    this.nowNs = nowNs;
    this.writeMarks(shard);
  }

  /** Tells a book that its snapshot was refused and when it may ask again. */
  writeSnapshotRefused(
    instrumentId: number,
    reason: number,
    retryAfterNs: number,
    nowNs: number,
  ): void {
    this.refusals.set(instrumentId, { reason, retryAfterNs });
    this.nowNs = nowNs;
    this.writeRefusals();
  }

  /** Time of the latest word from outside: stamps what is written late. */
  private nowNs = 0;

  private drop(recordType: number, event: Float64Array, reason: number): boolean {
    this.dropped++;
    const instrumentId = event[INSTRUMENT]!;
    const channel = CHANNEL_OF_RECORD[recordType]!;
    const slot = streamIdOf(instrumentId, channel as 0);
    this.nowNs = event[RECEIVED_NS]!;
    this.mark(this.shardOf[instrumentId]!, slot, SourceState.FrameLost, reason);
    return false;
  }

  /** A later loss makes an earlier Up or Silent worthless; an Up follows the losses before it. */
  private mark(shard: number, slot: number, state: number, reason: number): void {
    let marks = this.marks[slot]!;
    if (marks === 0) this.marked[shard]!.add(slot);
    if (state !== SourceState.FrameLost) marks &= ~(Mark.Silent | Mark.Up);
    marks |= MARK_OF_STATE[state]!;
    this.marks[slot] = marks;
    this.reasons[slot * STATES + state] = reason;
    this.countMarks(shard);
  }

  private countMarks(shard: number): void {
    this.markedCount[shard] = this.marked[shard]!.size + this.redefined[shard]!.size;
  }

  /** Writes what is marked, stream by stream; false if the ring is full again. */
  private writeMarks(shard: number): boolean {
    const waiting = this.marked[shard]!;
    for (const slot of waiting) {
      for (const state of STATES_IN_ORDER) {
        const bit = MARK_OF_STATE[state]!;
        if ((this.marks[slot]! & bit) === 0) continue;
        if (!this.writeState(shard, slot, state)) return false;
        this.marks[slot] = this.marks[slot]! & ~bit;
      }
      waiting.delete(slot);
      this.countMarks(shard);
    }
    const redefined = this.redefined[shard]!;
    for (const instrument of redefined.values()) {
      const record = this.header(instrument.id);
      writeDefinition(instrument, record, DEFINED);
      const type = RecordType.InstrumentDefined;
      if (!this.write(shard, type, record, INSTRUMENT_DEFINED_DOUBLES)) return false;
      redefined.delete(instrument.id);
      this.countMarks(shard);
    }
    return true;
  }

  private writeState(shard: number, slot: number, state: number): boolean {
    const record = this.header(Math.floor(slot / SLOTS_PER_INSTRUMENT));
    record[SOURCE_STATE] = state;
    record[SOURCE_CHANNEL] = slot % SLOTS_PER_INSTRUMENT;
    record[SOURCE_REASON] = this.reasons[slot * STATES + state]!;
    return this.write(shard, RecordType.SourceState, record, SOURCE_STATE_DOUBLES);
  }

  private writeRefusals(): void {
    for (const [instrumentId, { reason, retryAfterNs }] of this.refusals) {
      const shard = this.shardOf[instrumentId]!;
      const record = this.header(instrumentId);
      record[REFUSED_REASON] = reason;
      record[RETRY_AFTER_NS] = retryAfterNs;
      const written = this.write(
        shard,
        RecordType.SnapshotRefused,
        record,
        SNAPSHOT_REFUSED_DOUBLES,
      );
      if (written) this.refusals.delete(instrumentId);
    }
  }

  private header(instrumentId: number): Float64Array {
    const record = this.scratch;
    record[INSTRUMENT] = instrumentId;
    record[FLAGS] = 0;
    record[EXCHANGE_NS] = ABSENT;
    record[RECEIVED_NS] = this.nowNs;
    record[SEQUENCE_FIRST] = ABSENT;
    record[SEQUENCE_LAST] = ABSENT;
    record[SEQUENCE_PREVIOUS] = ABSENT;
    record[ENGINE_NS] = ABSENT;
    return record;
  }

  private write(shard: number, type: number, record: Float64Array, doubles: number): boolean {
    const ring = this.rings[shard]!;
    const slot = ring.tryClaim(type, doubles << 3);
    if (slot < 0) return false;
    for (let i = 0; i < doubles; i++) ring.doubles[slot + i] = record[i]!;
    this.dirty[shard] = 1;
    return true;
  }
}
