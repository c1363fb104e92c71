/**
 * Everything the broadcast thread has of one instrument order by order: its stream, a mirror that is
 * kept by the stream's own messages, and the snapshots made of it. Broadcast thread; hot in a delta:
 * one decode and some 30 ns an order, whoever reads it, because the books tell every order only when
 * a book is aligned.
 *
 * The rules are those of the book stream (instrument-feed.ts): what does not continue is held back,
 * answered by a Status in sequence, and the stream is sealed until a snapshot of a later position.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { setLevelPairs } from '../domain/level-pairs.js';
import { type LevelSink, NO_SLOT } from '../domain/order-ledger.js';
import { Side } from '../domain/side.js';
import { invariant } from '../faults/invariant.js';
import { RecordType } from '../rings/record-types.js';
import type { MessageDecoder } from '../wire/decode.js';
import {
  ORIGIN_WORDS,
  flagsOf,
  reasonOf,
  saveOrigin,
  stampOrigin,
  stateOf,
} from '../wire/head-words.js';
import { BodyType, ORDER_FIELDS } from '../wire/message-layout.js';
import { OrdersMirror } from '../wire/orders-mirror.js';
import { BroadcastColumn } from './broadcast-counters.js';
import { sayStatus } from './feed-voice.js';
import { ORDERS_PER_PART } from './limits.js';
import { MirrorSide } from './mirror-side.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { RoomContext } from './room-context.js';
import { Stream } from './topics.js';

/** Hears what befell an instrument's orders, after the mirror has taken it. The decoder is lent. */
export interface OrdersListener {
  /** A part of a snapshot; with the last one the book is whole. */
  onOrdersSnapshot(instrumentId: number, decoder: MessageDecoder, isWhole: boolean): void;
  /** Changes that continue what was told before. */
  onOrdersDelta(instrumentId: number, decoder: MessageDecoder): void;
  /** Told by the books, or lost here. */
  onOrdersState(instrumentId: number, state: BookState): void;
}

/** The levels of the orders, for those who look at both: kept where somebody does. */
class OrderLevels implements LevelSink {
  sides: readonly [MirrorSide, MirrorSide] | null = null;

  apply(levels: Float64Array, at: number, bids: number, asks: number): void {
    if (this.sides !== null) setLevelPairs(this.sides, levels, at, bids, asks);
  }

  clear(): void {
    if (this.sides === null) return;
    this.sides[Side.Bid].clear();
    this.sides[Side.Ask].clear();
  }
}

export class OrdersFeed {
  readonly stream: Stream;
  private readonly levels = new OrderLevels();
  /** The one mirror of these orders on this thread, kept whoever reads: the books tell all orders
   *  only when a book is aligned, so one that begins later would have to wait for that. */
  readonly mirror = new OrdersMirror(this.levels);
  /** Between the first and the last message of one block. */
  midEvent = false;
  private readonly feed: InstrumentFeed;
  private readonly room: RoomContext;
  private readonly origin = new Int32Array(ORIGIN_WORDS);
  private readonly part = new Float64Array(ORDERS_PER_PART * ORDER_FIELDS);
  private partCount = 0;
  private listener: OrdersListener | null = null;
  private state: BookState = BookState.Syncing;
  private reason: StateReason = StateReason.Starting;
  /** Contiguous since a snapshot: while it is not, only a snapshot or a status is taken. */
  private trusted = false;

  constructor(feed: InstrumentFeed, room: RoomContext) {
    this.feed = feed;
    this.room = room;
    this.stream = new Stream(feed.instrument.id, Channel.Orders, 0, room.createHistory());
  }

  /** As the books said last, or Suspect if the stream does not continue. */
  get bookState(): BookState {
    return this.state;
  }

  /** Every order is the books' as of the stream's position, perhaps amid an event. */
  get isProven(): boolean {
    return this.trusted && !this.mirror.isBroken && !this.mirror.isLoading;
  }

  /** From the beginning on: tells the listener of everything, and keeps levels, which it returns. */
  listen(listener: OrdersListener): readonly [MirrorSide, MirrorSide] {
    invariant(this.stream.epoch === 0, 'a listener hears the first snapshot');
    const { mirrorLevelsMax } = this.room.limits;
    const sides = [
      new MirrorSide(Side.Bid, mirrorLevelsMax),
      new MirrorSide(Side.Ask, mirrorLevelsMax),
    ] as const;
    this.listener = listener;
    this.levels.sides = sides;
    return sides;
  }

  /** A record of the books for this stream: message at `words[at]`. Hot. */
  onMessage(
    typeId: number,
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const { stream } = this;
    const follows = epoch === stream.epoch && sequence === stream.sequence + 1 && !stream.sealed;
    const later = epoch > stream.epoch || (epoch === stream.epoch && sequence > stream.sequence);
    const opens = (flagsOf(words, at) & EventFlag.Snapshot) !== 0;
    switch (typeId) {
      case RecordType.OrdersDeltaOut:
        if (!follows || !this.trusted) return this.holdBack(nowNs);
        break;
      case RecordType.OrdersSnapshotOut:
        if (opens ? !later : !follows || !this.mirror.isLoading) return this.holdBack(nowNs);
        break;
      default:
        // A status of a later epoch announces a snapshot; it cannot make anything Live.
        if (follows) break;
        if (epoch <= stream.epoch || stateOf(words, at) === BookState.Live)
          return this.holdBack(nowNs);
        this.trusted = false;
    }
    stream.sealed = false;
    if (typeId !== RecordType.OrdersStatusOut && !this.apply(typeId, words, at, bytes)) {
      this.count(BroadcastColumn.HashFailed);
      return this.lose(StateReason.IntegrityMismatch, nowNs);
    }
    this.state = stateOf(words, at) as BookState;
    this.reason = reasonOf(words, at) as StateReason;
    saveOrigin(words, at, this.origin);
    this.room.outlet.deliver(stream, words, at, bytes, epoch, sequence);
    if (this.listener !== null) this.tellListener(this.listener, typeId);
  }

  /** The message was decoded to be applied. */
  private tellListener(listener: OrdersListener, typeId: number): void {
    const { id } = this.feed.instrument;
    const { decoder } = this.room;
    if (typeId === RecordType.OrdersDeltaOut) listener.onOrdersDelta(id, decoder);
    else if (typeId === RecordType.OrdersStatusOut) listener.onOrdersState(id, this.state);
    else listener.onOrdersSnapshot(id, decoder, this.isProven && !this.midEvent);
  }

  /** Says that the stream no longer continues, once. */
  lose(reason: StateReason, nowNs: number): void {
    const { stream, room } = this;
    this.trusted = false;
    this.midEvent = false;
    this.state = BookState.Suspect;
    this.reason = reason;
    this.mirror.orders.clear();
    this.mirror.isBroken = true;
    this.mirror.isLoading = false;
    if (reason !== StateReason.WorkerRestarted) this.feed.wantsRetelling = true;
    this.listener?.onOrdersState(this.feed.instrument.id, this.state);
    if (stream.epoch === 0 || stream.sealed) return;
    // Who is behind gets a snapshot: what was kept may not add up to one.
    stream.history.clear();
    const { state, origin } = this;
    const told = { state, reason, sinceNs: nowNs, origin };
    sayStatus(room, stream, this.feed.instrument, told, nowNs, 1);
    stream.sealed = true;
  }

  /** The messages of a snapshot at the present position. Not in the middle of an event. */
  parts(): Int32Array[] {
    const { ledger } = this.mirror.orders;
    const parts: Int32Array[] = [];
    this.partCount = 0;
    for (const side of [Side.Bid, Side.Ask]) {
      for (const price of this.pricesOf(side)) {
        for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.nextOf(slot)) {
          if (this.partCount === ORDERS_PER_PART) parts.push(this.takePart(parts.length, 0));
          this.addOrder(slot, side, price);
        }
      }
    }
    parts.push(this.takePart(parts.length, EventFlag.Last));
    return parts;
  }

  /** False if the mirror is not the books' book (any more). */
  private apply(typeId: number, words: Int32Array, at: number, bytes: number): boolean {
    const { mirror, room } = this;
    const type = room.decoder.decodeWords(words, at, bytes);
    const isLast = (flagsOf(words, at) & EventFlag.Last) !== 0;
    this.midEvent = !isLast;
    if (isLast) this.count(BroadcastColumn.HashChecked);
    if (typeId === RecordType.OrdersDeltaOut)
      return type === BodyType.OrdersDelta && mirror.applyDelta(room.decoder);
    if (type !== BodyType.OrdersSnapshot) return false;
    const isWhole = mirror.applySnapshot(room.decoder);
    this.trusted = isWhole;
    return isLast ? isWhole : !mirror.isBroken;
  }

  /** Best first. Cold: sorts the heads of all queues. */
  private pricesOf(side: Side): Float64Array {
    const { ledger } = this.mirror.orders;
    let count = 0;
    const prices = new Float64Array(ledger.orderCount);
    for (let slot = 0; slot < ledger.usedSlots; slot++) {
      if (!ledger.isUsed(slot) || ledger.previousOf(slot) !== NO_SLOT) continue;
      if (ledger.sideOf(slot) === side) prices[count++] = ledger.priceOf(slot);
    }
    const sorted = prices.subarray(0, count).sort();
    return side === Side.Bid ? sorted.reverse() : sorted;
  }

  private addOrder(slot: number, side: number, price: number): void {
    const { ledger } = this.mirror.orders;
    const { part } = this;
    const to = this.partCount * ORDER_FIELDS;
    part[to] = side;
    part[to + 1] = price;
    part[to + 2] = ledger.sizeOf(slot);
    part[to + 3] = ledger.idOf(slot);
    ledger.identities.copy(slot, part, to + 4);
    this.partCount++;
  }

  private takePart(index: number, lastFlag: number): Int32Array {
    const { room, feed, stream } = this;
    const { scratch, encoder } = room;
    const { orders } = this.mirror;
    const bytes = encoder.ordersSnapshotBytes(this.partCount, feed.nameUtf8.length);
    const words = new Int32Array(bytes >>> 2);
    stream.hashLow = orders.hashLow;
    stream.hashHigh = orders.hashHigh;
    const first = index === 0 ? EventFlag.Snapshot : EventFlag.Continued;
    scratch.fillHead(stream, first | lastFlag, this.state, this.reason);
    encoder.writeOrdersSnapshot(
      words,
      0,
      scratch.head,
      this.part,
      0,
      this.partCount,
      orders.ledger.orderCount,
      feed.priceDecimals,
      feed.sizeDecimals,
      feed.nameUtf8,
    );
    stampOrigin(words, 0, this.origin);
    encoder.patchPublishedNs(words, 0, room.clock.nowNs());
    this.partCount = 0;
    return words;
  }

  private holdBack(nowNs: number): void {
    this.count(BroadcastColumn.HeldBack);
    if (!this.trusted && !this.mirror.isLoading) return;
    this.count(BroadcastColumn.SequenceGaps);
    this.lose(StateReason.RingFull, nowNs);
  }

  private count(column: number): void {
    this.room.counters.add(0, column, 1);
  }
}
