/** What a program holds of one subscribed stream: callbacks, `for await`, the book, and an end. */
import type { Listener } from './emitter.js';
import type { EventQueue, QueueOptions } from './event-queue.js';
import type { ChannelEvents, FeedChannel } from './feed-events.js';
import type { LocalBook } from './local-book.js';
import type { LocalOrders } from './local-orders.js';
import type { StreamState } from './stream-state.js';

export class Subscription<C extends FeedChannel> implements AsyncIterable<ChannelEvents[C]> {
  private readonly stream: StreamState<C>;
  private readonly release: () => void;
  /** Fulfilled once the node has accepted; rejected with FeedError if it refuses for good. */
  readonly ready: Promise<this>;

  constructor(stream: StreamState<C>, accepted: Promise<void>, release: () => void) {
    this.stream = stream;
    this.release = release;
    this.ready = accepted.then(() => this);
    // A refusal also ends every loop with the same error, so nobody has to await `ready`.
    this.ready.catch(() => undefined);
  }

  get channel(): C {
    return this.stream.channel;
  }

  get instrument(): string {
    return this.stream.instrument;
  }

  /** The live book. Filled on channel `book`; elsewhere it only knows decimals and state. */
  get book(): LocalBook {
    return this.stream.book;
  }

  /** The live orders. Filled on channel `orders`; their levels stand in `book`. */
  get orders(): LocalOrders {
    return this.stream.orders;
  }

  /** The latest event, null before the first. */
  get latest(): ChannelEvents[C] | null {
    return this.stream.latestEvent;
  }

  /** Calls back with every event, in the turn in which it arrives. Returns the way to stop it. */
  on(listener: Listener<ChannelEvents[C]>): () => void {
    return this.stream.on(listener);
  }

  /** A loop's own bounded queue; see event-queue.ts for what happens when the loop is too slow. */
  events(options: QueueOptions = {}): EventQueue<ChannelEvents[C]> {
    return this.stream.openQueue(options);
  }

  [Symbol.asyncIterator](): EventQueue<ChannelEvents[C]> {
    return this.events();
  }

  /** Unsubscribes; loops end after the events that are already queued. */
  close(): void {
    this.release();
  }
}
