/**
 * One subscribed stream: judges each message by the tracker, keeps the book or the latest value,
 * proves the book by its hash, and hands events to callbacks and to `for await` loops. No I/O: the
 * client tells it what came, and asks what to do. Hot in a client.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { EventFlag } from '../domain/event-flags.js';
import { hashText } from '../domain/level-hash.js';
import { unreachable } from '../faults/invariant.js';
import type { MessageDecoder } from '../wire/decode.js';
import { HeadField } from '../wire/head-fields.js';
import { BodyType, DECIMALS_UNTOLD } from '../wire/message-layout.js';
import type { Subscribed } from './control-messages.js';
import { callGuarded, type Listener, type ReportError } from './emitter.js';
import { EventQueue, type QueueOptions } from './event-queue.js';
import type { BookEvent, ChannelEvents, FeedChannel, FeedEvent } from './feed-events.js';
import { LocalBook } from './local-book.js';
import { LocalOrders } from './local-orders.js';
import {
  MadeBboEvent,
  MadeBookEvent,
  MadeContextEvent,
  MadeOrdersEvent,
  MadeStatusEvent,
  MadeTradesEvent,
  copyOf,
} from './made-events.js';
import { StreamTracker, Verdict, type MessageKind, type Position } from './stream-tracker.js';

const QUEUE_DEFAULTS: Record<FeedChannel, Required<QueueOptions>> = {
  book: { capacity: 256, overflow: 'drop-oldest' },
  bbo: { capacity: 256, overflow: 'drop-oldest' },
  status: { capacity: 256, overflow: 'drop-oldest' },
  orders: { capacity: 256, overflow: 'drop-oldest' },
  context: { capacity: 256, overflow: 'drop-oldest' },
  trades: { capacity: 16_384, overflow: 'fail' },
};

/** What the client must do after a message. */
export const Outcome = { Used: 0, Ignored: 1, Gap: 2, HashMismatch: 3, Unexpected: 4 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** `mode` and `depth` are the node's (DESIGN section 4). */
export interface SubscribeOptions {
  /** Levels a side; left out or 0: the full book. Channel `book` only. */
  readonly depth?: number;
  /**
   * `conflated` (the node's default): merged messages, which say what they cover, while this end is
   * slow. `lossless`: every message, and closed with code 4008 if this end is too slow for that.
   * Trades are never merged.
   */
  readonly mode?: 'lossless' | 'conflated';
}

/** How often the hash was compared. What cannot be compared is counted too. */
export interface HashTally {
  checked: number;
  passed: number;
  failed: number;
  /** Messages of a book that carry no hash, or stand inside a venue event that is not complete. */
  unverifiable: number;
}

export class StreamState<C extends FeedChannel = FeedChannel> {
  readonly channel: C;
  readonly instrument: string;
  readonly options: SubscribeOptions;
  readonly book = new LocalBook();
  readonly tracker: StreamTracker;
  private readonly tally: HashTally;
  private readonly report: ReportError;
  private readonly listeners = new Set<Listener<ChannelEvents[C]>>();
  private readonly queues = new Set<EventQueue<ChannelEvents[C]>>();
  private madeOrders: LocalOrders | null = null;
  private latest: ChannelEvents[C] | null = null;
  private ended: Error | null | undefined;
  private stateBefore: BookState = BookState.Syncing;
  private reasonBefore: StateReason = StateReason.Starting;

  constructor(
    channel: C,
    instrument: string,
    options: SubscribeOptions,
    tally: HashTally,
    report: ReportError,
  ) {
    this.channel = channel;
    this.instrument = instrument;
    this.options = options;
    this.tally = tally;
    this.report = report;
    this.tracker = new StreamTracker(channel);
  }

  /** Empty but on channel `orders`, where `book` is derived from it; made when first asked for. */
  get orders(): LocalOrders {
    this.madeOrders ??= new LocalOrders(this.book);
    return this.madeOrders;
  }

  /** The node's answer to subscribe. */
  anchor(answer: Subscribed): void {
    this.tracker.anchor(answer.epoch, answer.sequence, answer.resumed);
    this.book.priceDecimals = answer.priceDecimals;
    this.book.sizeDecimals = answer.sizeDecimals;
    this.book.depth = answer.depth;
    if (answer.resumed) {
      // What changed meanwhile follows in sequence; if nothing did, the state is as it was.
      this.book.state = this.stateBefore;
      this.book.reason = this.reasonBefore;
      return;
    }
    this.book.clear();
    this.madeOrders?.forget();
    this.book.state = BookState.Syncing;
    this.book.reason = StateReason.Starting;
  }

  /** The connection is gone or the stream is begun anew: nothing may pass for live any more. */
  interrupt(reason: StateReason): void {
    this.stateBefore = this.book.state;
    this.reasonBefore = this.book.reason;
    if (this.book.state === BookState.Syncing) return;
    this.book.state = BookState.Suspect;
    this.book.reason = reason;
  }

  handle(bodyType: number, message: MessageDecoder): Outcome {
    const kind = kindOf(bodyType, this.channel);
    if (kind === null) return Outcome.Unexpected;
    const head = message.head;
    const position: Position = {
      epoch: head[HeadField.Epoch]!,
      sequence: head[HeadField.Sequence]!,
      firstSequence: head[HeadField.FirstSequence]!,
      flags: head[HeadField.Flags]!,
    };
    const verdict = this.tracker.onMessage(kind, position);
    if (verdict === Verdict.Gap) return Outcome.Gap;
    if (verdict === Verdict.Stale) return Outcome.Ignored;
    switch (kind) {
      case 'snapshot':
      case 'delta':
        return this.channel === 'orders'
          ? this.onOrders(kind, message)
          : this.onLevels(kind, message);
      case 'bbo':
        this.takeScale(message);
        this.deliver(new MadeBboEvent(message, this.instrument, this.book));
        return Outcome.Used;
      case 'trades':
        this.takeScale(message);
        this.deliver(new MadeTradesEvent(message, this.instrument, this.book));
        return Outcome.Used;
      case 'context':
        this.deliver(new MadeContextEvent(message, this.instrument));
        return Outcome.Used;
      case 'status':
        return this.onStatus(message);
      default:
        return unreachable(kind);
    }
  }

  on(listener: Listener<ChannelEvents[C]>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** A queue for one loop. On a stream of state it begins with the present value, where there is one. */
  openQueue(options: QueueOptions): EventQueue<ChannelEvents[C]> {
    const settings = { ...QUEUE_DEFAULTS[this.channel], ...options };
    const queue = new EventQueue<ChannelEvents[C]>(settings, (done) => this.queues.delete(done));
    if (this.latest !== null && this.channel !== 'trades') {
      queue.push(copyOf(this.latest));
    }
    if (this.ended === undefined) this.queues.add(queue);
    else queue.end(this.ended);
    return queue;
  }

  end(error: Error | null): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    for (const queue of this.queues) queue.end(error);
    this.queues.clear();
  }

  /** The latest value of a bbo, status, context or book stream, null before the first. */
  get latestEvent(): ChannelEvents[C] | null {
    return this.latest;
  }

  /** Where the message tells it; else it is as the node's answer said. */
  private takeScale(message: MessageDecoder): void {
    if (message.priceDecimals === DECIMALS_UNTOLD) return;
    this.book.priceDecimals = message.priceDecimals;
    this.book.sizeDecimals = message.sizeDecimals;
  }

  private onLevels(kind: 'snapshot' | 'delta', message: MessageDecoder): Outcome {
    const book = this.book;
    const head = message.head;
    const flags = head[HeadField.Flags]!;
    if ((flags & EventFlag.Snapshot) !== 0) book.clear();
    book.apply(message.levels, message.bidsCount, message.asksCount);
    this.takeHead(message);
    if (kind === 'snapshot') {
      book.priceDecimals = message.priceDecimals;
      book.sizeDecimals = message.sizeDecimals;
      book.depth = message.depth;
    }
    book.whole = (flags & EventFlag.Last) !== 0;
    if (!book.whole) {
      this.tally.unverifiable += 1;
      return Outcome.Used;
    }
    if (!this.hashHolds(message)) return Outcome.HashMismatch;
    this.deliverBook(kind, message);
    return Outcome.Used;
  }

  private onOrders(kind: 'snapshot' | 'delta', message: MessageDecoder): Outcome {
    const { book, orders } = this;
    const isLast = (message.head[HeadField.Flags]! & EventFlag.Last) !== 0;
    if (kind === 'snapshot') {
      book.priceDecimals = message.priceDecimals;
      book.sizeDecimals = message.sizeDecimals;
    }
    const holds = orders.apply(kind, message);
    this.takeHead(message);
    book.whole = isLast && holds;
    if (isLast || !holds) {
      this.tally.checked += 1;
      if (holds) this.tally.passed += 1;
      else this.tally.failed += 1;
    } else {
      this.tally.unverifiable += 1;
    }
    if (!holds) return Outcome.HashMismatch;
    if (isLast) this.deliver(new MadeOrdersEvent(message, this.instrument, kind, orders));
    return Outcome.Used;
  }

  private onStatus(message: MessageDecoder): Outcome {
    this.takeHead(message);
    if (this.channel === 'book') {
      this.deliverBook('status', message);
    } else if (this.channel === 'orders') {
      this.deliver(new MadeOrdersEvent(message, this.instrument, 'status', this.orders));
    } else {
      this.deliver(new MadeStatusEvent(message, this.instrument));
    }
    return Outcome.Used;
  }

  private hashHolds(message: MessageDecoder): boolean {
    const low = message.head[HeadField.HashLow]!;
    const high = message.head[HeadField.HashHigh]!;
    const empty = this.book.bids.count === 0 && this.book.asks.count === 0;
    if (low === 0 && high === 0 && !empty) {
      this.tally.unverifiable += 1;
      return true;
    }
    this.tally.checked += 1;
    const holds = this.book.hashEquals(low, high);
    if (holds) this.tally.passed += 1;
    else this.tally.failed += 1;
    return holds;
  }

  private takeHead(message: MessageDecoder): void {
    const head = message.head;
    const book = this.book;
    book.epoch = head[HeadField.Epoch]!;
    book.sequence = head[HeadField.Sequence]!;
    book.venueSequence = head[HeadField.VenueSequence]!;
    book.state = head[HeadField.State]! as BookState;
    book.reason = head[HeadField.Reason]! as StateReason;
  }

  private deliverBook(kind: BookEvent['kind'], message: MessageDecoder): void {
    this.deliver(new MadeBookEvent(message, this.instrument, kind, this.book));
  }

  /** The event is of this stream's channel: the kind of message has been judged by `kindOf`. */
  private deliver(made: FeedEvent): void {
    const event = made as ChannelEvents[C];
    this.latest = event;
    for (const listener of this.listeners) callGuarded(listener, event, this.report);
    if (this.queues.size === 0) return;
    // Each loop has its own `skipped`, so with several of them each gets its own object.
    let own = event;
    for (const queue of this.queues) {
      queue.push(own);
      if (this.queues.size > 1) own = copyOf(event);
    }
  }
}

/** Null where a message of that type has no place on the channel. */
function kindOf(bodyType: number, channel: FeedChannel): MessageKind | null {
  switch (bodyType) {
    case BodyType.BookSnapshot:
      return channel === 'book' ? 'snapshot' : null;
    case BodyType.BookDelta:
      return channel === 'book' ? 'delta' : null;
    case BodyType.OrdersSnapshot:
      return channel === 'orders' ? 'snapshot' : null;
    case BodyType.OrdersDelta:
      return channel === 'orders' ? 'delta' : null;
    case BodyType.Bbo:
      return channel === 'bbo' ? 'bbo' : null;
    case BodyType.Trades:
      return channel === 'trades' ? 'trades' : null;
    case BodyType.Context:
      return channel === 'context' ? 'context' : null;
    case BodyType.Status:
      return channel === 'bbo' || channel === 'trades' || channel === 'context' ? null : 'status';
    default:
      return null;
  }
}

/** The two hashes of the message that failed, for the event. */
export function hashesOf(
  message: MessageDecoder,
  stream: Pick<StreamState, 'channel' | 'book' | 'orders'>,
): [expected: string, found: string] {
  const head = message.head;
  const found = stream.channel === 'orders' ? stream.orders.hash : stream.book.hash;
  return [hashText(head[HeadField.HashHigh]!, head[HeadField.HashLow]!), found];
}
