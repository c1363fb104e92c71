/**
 * Events for the program that embeds a node: reads the books' finished messages from its own rings
 * and hands them on as the typed events that remote clients get too (client/feed-events.ts). Each
 * stream keeps its continuity; what a full ring left out is noticed by the sequence, and the books
 * tell their state again. Main thread; warm: an object an event, none where nobody listens.
 */
import { StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import { invariant } from '../faults/invariant.js';
import { Emitter } from '../client/emitter.js';
import type { EventQueue, QueueOptions } from '../client/event-queue.js';
import type { ChannelEvents, FeedChannel } from '../client/feed-events.js';
import type { LocalBook } from '../client/local-book.js';
import { Outcome, StreamState } from '../client/stream-state.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import {
  OUT_ENVELOPE_DOUBLES,
  OUT_EPOCH,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  OUT_SEQUENCE,
  RecordType,
} from '../rings/record-types.js';
import type { Agent } from '../runtime/agent.js';
import type { TimeCell } from '../time/clock.js';
import { MessageDecoder } from '../wire/decode.js';
import { LIMITS } from './limits.js';

interface Streams {
  readonly book: StreamState<'book'>;
  readonly bbo: StreamState<'bbo'>;
  readonly trades: StreamState<'trades'>;
  readonly status: StreamState<'status'>;
  readonly orders: StreamState<'orders'>;
  readonly context: StreamState<'context'>;
}

/** A reader that fell behind asks to be told again at most this often. */
const RETELL_NS = 1e9;
/**
 * … and not before its ring is this empty. A reader that only just keeps up never finds it quite empty.
 */
const RETELL_USED_SHARE_MAX = 0.25;

export interface BoardCounters {
  messages: number;
  /** Holes in streams: messages that found the ring full. */
  holes: number;
  /** Times the books were asked to tell their state again. */
  retold: number;
}

export class EventBoard implements Agent, RecordHandler {
  readonly name = 'reader';
  readonly counters: BoardCounters = { messages: 0, holes: 0, retold: 0 };
  readonly hashes = { checked: 0, passed: 0, failed: 0, unverifiable: 0 };
  private readonly inputs: readonly RingConsumer[];
  private readonly streams: Streams[];
  private readonly emitter = new Emitter<ChannelEvents>();
  private readonly decoder = new MessageDecoder();
  private polling: RingConsumer | null = null;
  /** Inputs whose books have to tell their state again. */
  private readonly lost = new Set<RingConsumer>();
  private retoldNs = -Infinity;

  constructor(instruments: readonly Instrument[], inputs: readonly RingConsumer[]) {
    this.inputs = inputs;
    this.streams = instruments.map((instrument) => this.createStreams(instrument));
  }

  doWork(now: TimeCell): number {
    const nowNs = now[0]!;
    let work = 0;
    for (const input of this.inputs) {
      this.polling = input;
      work += input.poll(this, LIMITS.embedRecordsPerTurn);
      // Little is left to read: what the books tell again will find room.
      const caughtUp = this.lost.has(input) && input.usedShare() < RETELL_USED_SHARE_MAX;
      if (!caughtUp || nowNs - this.retoldNs < RETELL_NS) continue;
      this.lost.delete(input);
      this.retoldNs = nowNs;
      this.counters.retold++;
      input.announceNewReader();
    }
    return work;
  }

  onRecord(typeId: number, slot: number): void {
    const input = this.polling;
    invariant(input !== null, 'records come while a ring is polled');
    const streams = this.streams[input.doubles[slot + OUT_INSTRUMENT]!];
    const channel = channelOf(typeId);
    if (streams === undefined || channel === null) return;
    this.counters.messages++;
    const stream = streams[channel];
    const bytes = input.doubles[slot + OUT_MESSAGE_BYTES]!;
    const type = this.decoder.decodeWords(input.words, (slot + OUT_ENVELOPE_DOUBLES) * 2, bytes);
    invariant(type > 0, 'the books write messages that can be read');
    const outcome = stream.handle(type, this.decoder);
    if (outcome === Outcome.Gap) {
      this.counters.holes++;
      if (channel === 'book' || channel === 'orders') {
        stream.interrupt(StateReason.RingFull);
        this.lost.add(input);
      } else {
        // The latest value is all that counts, and of trades the rest: go on from here.
        const { doubles } = input;
        stream.tracker.anchor(doubles[slot + OUT_EPOCH]!, doubles[slot + OUT_SEQUENCE]! - 1, true);
        stream.handle(type, this.decoder);
      }
    } else if (outcome === Outcome.HashMismatch) {
      stream.interrupt(StateReason.IntegrityMismatch);
      this.lost.add(input);
    }
  }

  onClose(): void {
    for (const streams of this.streams) {
      for (const stream of Object.values(streams) as StreamState[]) stream.end(null);
    }
  }

  /** Calls back with every event of a channel, of all instruments. Returns the way to stop it. */
  on<C extends FeedChannel>(channel: C, listener: (event: ChannelEvents[C]) => void): () => void {
    return this.emitter.on(channel, listener);
  }

  queue<C extends FeedChannel>(
    channel: C,
    instrumentId: number,
    options: QueueOptions,
  ): EventQueue<ChannelEvents[C]> {
    const stream = this.streamsOf(instrumentId)[channel] as unknown as StreamState<C>;
    return stream.openQueue(options);
  }

  book(instrumentId: number): LocalBook {
    return this.streamsOf(instrumentId).book.book;
  }

  private streamsOf(instrumentId: number): Streams {
    const streams = this.streams[instrumentId];
    invariant(streams !== undefined, 'an instrument of this node');
    return streams;
  }

  private createStreams({ name, priceDecimals, sizeDecimals }: Instrument): Streams {
    const create = <C extends FeedChannel>(channel: C): StreamState<C> => {
      const stream = new StreamState(channel, name, { mode: 'lossless' }, this.hashes, (error) => {
        throw error;
      });
      stream.book.priceDecimals = priceDecimals;
      stream.book.sizeDecimals = sizeDecimals;
      stream.on((event) => this.emitter.emit(channel, event));
      return stream;
    };
    return {
      book: create('book'),
      bbo: create('bbo'),
      trades: create('trades'),
      status: create('status'),
      orders: create('orders'),
      context: create('context'),
    };
  }
}

function channelOf(typeId: number): FeedChannel | null {
  switch (typeId) {
    case RecordType.BookSnapshotOut:
    case RecordType.BookDeltaOut:
    case RecordType.BookStatusOut:
      return 'book';
    case RecordType.BboOut:
      return 'bbo';
    case RecordType.TradesOut:
      return 'trades';
    case RecordType.StatusOut:
      return 'status';
    case RecordType.ContextOut:
      return 'context';
    case RecordType.OrdersSnapshotOut:
    case RecordType.OrdersDeltaOut:
    case RecordType.OrdersStatusOut:
      return 'orders';
    default:
      return null;
  }
}
