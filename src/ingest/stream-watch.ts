/**
 * Per-stream watchdogs. Ingest thread. The frame path (hot) only writes a time and a sequence into
 * typed arrays at the stream's slot (domain/channel.ts streamIdOf); everything else is looked at by a
 * sweep, when a deadline can have passed at the earliest.
 *
 * A StreamWatch belongs to one socket, a StreamBoard to one planned connection with its one or two
 * sockets. Acknowledged is not alive: Binance's legacy URLs ack a subscription and then send nothing
 * (binance-public-data#472), so each stream has a deadline for its first frame by itself.
 */
import { Channel, streamIdOf } from '../domain/channel.js';
import { invariant } from '../faults/invariant.js';
import { ABSENT, RecordType } from '../rings/record-types.js';
import type { StreamPlan } from '../venues/venue.js';
import { NS_PER_MS } from './limits.js';

/** Flags of a stream on one socket; 0 is the normal case, in which the frame path does no more. */
export const WatchFlag = {
  /** This socket has not delivered the stream yet. */
  Awaiting: 1,
  /** The connection's board does not hold the stream as Up: a frame has to change that first. */
  NotUp: 2,
  /** Two sockets deliver the stream: the arbiter decides. */
  Arbitrated: 4,
  /** The socket is being closed: what it still brings is not ours any more. */
  Muted: 8,
} as const;

export const NEVER_NS = -Infinity;

/** Channels an instrument can have: slots per instrument. */
const SLOTS_PER_INSTRUMENT = streamIdOf(1, 0);

/** Slots for instrument ids 0 … instrumentIdMax. */
export function slotCount(instrumentIdMax: number): number {
  return (instrumentIdMax + 1) * SLOTS_PER_INSTRUMENT;
}

/** Channel of the stream that a feed event belongs to, by record type. */
export const CHANNEL_OF_RECORD = new Uint8Array(64).fill(Channel.Status);
CHANNEL_OF_RECORD[RecordType.DepthUpdate] = Channel.Book;
CHANNEL_OF_RECORD[RecordType.DepthSnapshot] = Channel.Book;
CHANNEL_OF_RECORD[RecordType.BookTicker] = Channel.Bbo;
CHANNEL_OF_RECORD[RecordType.Trade] = Channel.Trades;
CHANNEL_OF_RECORD[RecordType.TradeParties] = Channel.Trades;
CHANNEL_OF_RECORD[RecordType.ContextUpdate] = Channel.Context;
CHANNEL_OF_RECORD[RecordType.OrderEvent] = Channel.Orders;
CHANNEL_OF_RECORD[RecordType.OrderSnapshot] = Channel.Orders;
CHANNEL_OF_RECORD[RecordType.BlockEnd] = Channel.Orders;

export class StreamWatch {
  /** By slot: receivedNs of the last event of the stream on this socket. Hot, plain stores. */
  readonly lastNs: Float64Array;
  /** By slot: SEQUENCE_LAST of that event, or ABSENT. */
  readonly sequence: Float64Array;
  readonly flags: Uint8Array;
  /** When anything was last read from this socket. */
  readNs = NEVER_NS;
  /** Streams of the plan that this socket has delivered. */
  delivered = 0;

  constructor(slots: number) {
    this.lastNs = new Float64Array(slots);
    this.sequence = new Float64Array(slots);
    this.flags = new Uint8Array(slots);
  }

  /** A new socket: nothing delivered. Flags of streams outside the plan stay 0. */
  begin(slots: Int32Array, nowNs: number): void {
    for (const slot of slots) {
      this.lastNs[slot] = NEVER_NS;
      this.sequence[slot] = ABSENT;
      this.flags[slot] = WatchFlag.Awaiting | WatchFlag.NotUp;
    }
    this.readNs = nowNs;
    this.delivered = 0;
  }

  mute(slots: Int32Array): void {
    for (const slot of slots) this.flags[slot] = WatchFlag.Muted;
  }
}

export const StreamStatus = { Down: 0, Up: 1, Silent: 2 } as const;
export type StreamStatus = (typeof StreamStatus)[keyof typeof StreamStatus];

/** What a sweep found. */
export interface SweepResult {
  /** Indexes into the plan's streams that have just become silent; lent until the next sweep. */
  readonly silent: readonly number[];
  /** The earliest time at which another stream can become silent. */
  readonly nextDueNs: number;
  /** Every stream that has a threshold is beyond it. */
  readonly allSilent: boolean;
}

export class StreamBoard {
  readonly streams: readonly StreamPlan[];
  /** Slot of each stream of the plan. */
  readonly slots: Int32Array;
  private readonly status: Uint8Array;
  private readonly indexOfSlot: Int32Array;
  private readonly found: number[] = [];

  constructor(streams: readonly StreamPlan[], slots: number) {
    this.streams = streams;
    this.slots = new Int32Array(streams.length);
    this.status = new Uint8Array(streams.length);
    this.indexOfSlot = new Int32Array(slots).fill(-1);
    streams.forEach((stream, index) => {
      const slot = streamIdOf(stream.instrumentId, stream.channel);
      invariant(slot < slots, 'a planned stream belongs to a known instrument');
      invariant(this.indexOfSlot[slot] === -1, 'a connection carries a stream once');
      this.slots[index] = slot;
      this.indexOfSlot[slot] = index;
    });
  }

  /** Index into the plan's streams, or -1. */
  indexOf(slot: number): number {
    return this.indexOfSlot[slot] ?? -1;
  }

  statusOf(index: number): StreamStatus {
    return this.status[index] as StreamStatus;
  }

  setStatus(index: number, status: StreamStatus, watches: readonly StreamWatch[]): void {
    this.status[index] = status;
    const slot = this.slots[index]!;
    for (const watch of watches) {
      if ((watch.flags[slot]! & WatchFlag.Muted) !== 0) continue;
      if (status === StreamStatus.Up) watch.flags[slot] = watch.flags[slot]! & ~WatchFlag.NotUp;
      else watch.flags[slot] = watch.flags[slot]! | WatchFlag.NotUp;
    }
  }

  /** Longest silence threshold among the streams that have one, 0 if none has. */
  get silenceMsMax(): number {
    return this.streams.reduce((most, stream) => Math.max(most, stream.silenceMsMax), 0);
  }

  hasSilent(): boolean {
    return this.status.includes(StreamStatus.Silent);
  }

  /**
   * Looks at every stream with a threshold. A stream lives if either socket delivered it in time;
   * one that never came is measured from the subscription.
   */
  sweep(watches: readonly StreamWatch[], subscribedNs: number, nowNs: number): SweepResult {
    this.found.length = 0;
    let nextDueNs = Infinity;
    let watched = 0;
    let beyond = 0;
    for (let index = 0; index < this.streams.length; index++) {
      const dueNs = this.silentAtNs(index, watches, subscribedNs);
      if (dueNs === Infinity) continue;
      watched++;
      if (dueNs > nowNs) {
        nextDueNs = Math.min(nextDueNs, dueNs);
        continue;
      }
      beyond++;
      if (this.status[index] !== StreamStatus.Silent) this.found.push(index);
    }
    return { silent: this.found, nextDueNs, allSilent: watched > 0 && beyond === watched };
  }

  /** When the stream is to be called silent if nothing more comes; Infinity if never. */
  private silentAtNs(index: number, watches: readonly StreamWatch[], subscribedNs: number): number {
    const stream = this.streams[index]!;
    const slot = this.slots[index]!;
    let lastNs = NEVER_NS;
    for (const watch of watches) lastNs = Math.max(lastNs, watch.lastNs[slot]!);
    const cameAtAll = lastNs !== NEVER_NS;
    const thresholdMs = cameAtAll ? stream.silenceMsMax : stream.firstFrameMsMax;
    if (thresholdMs <= 0) return Infinity;
    return (cameAtAll ? lastNs : subscribedNs) + thresholdMs * NS_PER_MS;
  }
}
