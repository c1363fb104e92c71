/**
 * Order events to the rings of the book shards, without ever dropping one: the files themselves are
 * the buffer. What finds no room waits here, in order, and the reader stops reading until it has
 * gone. Ingest thread; hot: one call an event.
 */
import { EventFlag } from '../domain/event-flags.js';
import { invariant } from '../faults/invariant.js';
import {
  ABSENT,
  BLOCK_END_DOUBLES,
  ENGINE_NS,
  EXCHANGE_NS,
  FEED_HEADER_DOUBLES,
  FLAGS,
  INSTRUMENT,
  ORDERS_COUNT,
  ORDER_EVENT_DOUBLES,
  RECEIVED_NS,
  REFUSED_REASON,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  SNAPSHOT_ORDERS,
  SNAPSHOT_ORDER_DOUBLES,
  SNAPSHOT_REFUSED_DOUBLES,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SOURCE_STATE_DOUBLES,
  TRADE_PARTIES_DOUBLES,
} from '../rings/record-types.js';
import { RING_FULL } from '../rings/ring-producer.js';
import type { BlockTaker } from './block-assembler.js';
import type { ShardOutput } from './shard-router.js';

/** Orders in one part of a snapshot: 30 KB a record. */
export const SNAPSHOT_PART_ORDERS = 256;
/** Doubles in front of a waiting record: shard, type, length. */
const WAITING_HEADER = 3;

export class OrderOutlet implements BlockTaker {
  private readonly outputs: readonly ShardOutput[];
  private readonly shardOf: Int32Array;
  private readonly dirty: Uint8Array;
  private readonly instruments: readonly number[];
  private waiting = new Float64Array(4096);
  private waitingFrom = 0;
  private waitingTo = 0;
  private readonly header = new Float64Array(Math.max(SOURCE_STATE_DOUBLES, FEED_HEADER_DOUBLES));
  private readonly part = new Float64Array(
    SNAPSHOT_ORDERS + SNAPSHOT_PART_ORDERS * SNAPSHOT_ORDER_DOUBLES,
  );
  private partOrders = 0;
  private partFlags = 0;
  private onHoleFound: (from: number, to: number) => void = () => {};
  events = 0;
  blocks = 0;

  constructor(
    outputs: readonly ShardOutput[],
    shardOf: Int32Array,
    instruments: readonly number[],
  ) {
    this.outputs = outputs;
    this.shardOf = shardOf;
    this.instruments = instruments;
    this.dirty = new Uint8Array(outputs.length);
  }

  /** True while something waits for room: do not read on. */
  get isBlocked(): boolean {
    return this.waitingTo > this.waitingFrom;
  }

  whenHole(callback: (from: number, to: number) => void): void {
    this.onHoleFound = callback;
  }

  onBlock(
    height: number,
    previous: number,
    blockNs: number,
    receivedNs: number,
    events: Float64Array,
    count: number,
  ): void {
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_EVENT_DOUBLES;
      this.put(
        this.shardOf[events[at + INSTRUMENT]!]!,
        RecordType.OrderEvent,
        events,
        at,
        ORDER_EVENT_DOUBLES,
      );
    }
    this.events += count;
    this.blocks++;
    const end = this.stamp(ABSENT, height, receivedNs);
    end[EXCHANGE_NS] = blockNs;
    end[SEQUENCE_PREVIOUS] = previous;
    end[FLAGS] = EventFlag.Last;
    for (let shard = 0; shard < this.outputs.length; shard++) {
      this.put(shard, RecordType.BlockEnd, end, 0, BLOCK_END_DOUBLES);
    }
  }

  onHole(from: number, to: number): void {
    this.onHoleFound(from, to);
  }

  onTrade(event: Float64Array): void {
    this.put(
      this.shardOf[event[INSTRUMENT]!]!,
      RecordType.TradeParties,
      event,
      0,
      TRADE_PARTIES_DOUBLES,
    );
  }

  /** Every instrument's books hear of their source. */
  sourceState(state: number, channel: number, reason: number, nowNs: number): void {
    for (const id of this.instruments) {
      const record = this.stamp(id, ABSENT, nowNs);
      record[SOURCE_STATE] = state;
      record[SOURCE_CHANNEL] = channel;
      record[SOURCE_REASON] = reason;
      this.put(this.shardOf[id]!, RecordType.SourceState, record, 0, SOURCE_STATE_DOUBLES);
    }
  }

  snapshotRefused(instrumentId: number, reason: number, retryAfterNs: number, nowNs: number): void {
    const record = this.stamp(instrumentId, ABSENT, nowNs);
    record[REFUSED_REASON] = reason;
    record[RETRY_AFTER_NS] = retryAfterNs;
    this.put(
      this.shardOf[instrumentId]!,
      RecordType.SnapshotRefused,
      record,
      0,
      SNAPSHOT_REFUSED_DOUBLES,
    );
  }

  announceSnapshot(height: number, nowNs: number): void {
    const record = this.stamp(ABSENT, height, nowNs);
    for (let shard = 0; shard < this.outputs.length; shard++) {
      this.put(shard, RecordType.SnapshotAnnounced, record, 0, FEED_HEADER_DOUBLES);
    }
  }

  /** Begins the snapshot of one instrument at a height. */
  beginSnapshot(instrumentId: number, height: number, nowNs: number): void {
    const { part } = this;
    part.set(this.stamp(instrumentId, height, nowNs));
    this.partOrders = 0;
    this.partFlags = EventFlag.Snapshot;
  }

  /** The next order of the snapshot, in queue order. */
  addOrder(order: Float64Array): void {
    if (this.partOrders === SNAPSHOT_PART_ORDERS) this.putPart(0);
    const at = SNAPSHOT_ORDERS + this.partOrders * SNAPSHOT_ORDER_DOUBLES;
    for (let i = 0; i < SNAPSHOT_ORDER_DOUBLES; i++) this.part[at + i] = order[i]!;
    this.partOrders++;
  }

  endSnapshot(): void {
    this.putPart(EventFlag.Last);
  }

  /** Writes what waits, publishes, wakes. Returns true if nothing waits any more. */
  flush(): boolean {
    while (this.waitingFrom < this.waitingTo) {
      const at = this.waitingFrom;
      const doubles = this.waiting[at + 2]!;
      const first = at + WAITING_HEADER;
      if (!this.tryPut(this.waiting[at]!, this.waiting[at + 1]!, this.waiting, first, doubles))
        break;
      this.waitingFrom = first + doubles;
    }
    if (this.waitingFrom === this.waitingTo) this.waitingFrom = this.waitingTo = 0;
    for (let shard = 0; shard < this.dirty.length; shard++) {
      if (this.dirty[shard] === 0) continue;
      this.dirty[shard] = 0;
      this.outputs[shard]!.ring.commit();
      this.outputs[shard]!.bell.ring();
    }
    return !this.isBlocked;
  }

  private putPart(lastFlag: number): void {
    const { part } = this;
    part[ORDERS_COUNT] = this.partOrders;
    part[FLAGS] = this.partFlags | lastFlag;
    const doubles = SNAPSHOT_ORDERS + this.partOrders * SNAPSHOT_ORDER_DOUBLES;
    this.put(this.shardOf[part[INSTRUMENT]!]!, RecordType.OrderSnapshot, part, 0, doubles);
    this.partOrders = 0;
    this.partFlags = EventFlag.Continued;
  }

  private stamp(instrumentId: number, height: number, nowNs: number): Float64Array {
    const { header } = this;
    header[INSTRUMENT] = instrumentId;
    header[FLAGS] = 0;
    header[EXCHANGE_NS] = ABSENT;
    header[RECEIVED_NS] = nowNs;
    header[SEQUENCE_FIRST] = height;
    header[SEQUENCE_LAST] = height;
    header[SEQUENCE_PREVIOUS] = ABSENT;
    header[ENGINE_NS] = ABSENT;
    return header;
  }

  private put(
    shard: number,
    type: number,
    source: Float64Array,
    at: number,
    doubles: number,
  ): void {
    if (!this.isBlocked && this.tryPut(shard, type, source, at, doubles)) return;
    this.reserve(WAITING_HEADER + doubles);
    const to = this.waitingTo;
    this.waiting[to] = shard;
    this.waiting[to + 1] = type;
    this.waiting[to + 2] = doubles;
    this.waiting.set(source.subarray(at, at + doubles), to + WAITING_HEADER);
    this.waitingTo = to + WAITING_HEADER + doubles;
  }

  private tryPut(
    shard: number,
    type: number,
    source: Float64Array,
    at: number,
    doubles: number,
  ): boolean {
    const { ring } = this.outputs[shard]!;
    const slot = ring.tryClaim(type, doubles << 3);
    if (slot < 0) {
      invariant(slot === RING_FULL, 'an order record fits into half a ring');
      return false;
    }
    const target = ring.doubles;
    for (let i = 0; i < doubles; i++) target[slot + i] = source[at + i]!;
    this.dirty[shard] = 1;
    return true;
  }

  private reserve(doubles: number): void {
    if (this.waitingTo + doubles <= this.waiting.length) return;
    if (this.waitingFrom > 0) {
      this.waiting.copyWithin(0, this.waitingFrom, this.waitingTo);
      this.waitingTo -= this.waitingFrom;
      this.waitingFrom = 0;
    }
    if (this.waitingTo + doubles <= this.waiting.length) return;
    const wider = new Float64Array(2 ** Math.ceil(Math.log2(this.waitingTo + doubles)));
    wider.set(this.waiting.subarray(0, this.waitingTo));
    this.waiting = wider;
  }
}
