/**
 * The bounded queue between the socket and one `for await` loop. Its policy when the loop is too
 * slow is chosen and written, never silent:
 *
 *   drop-oldest   the oldest event goes; the next one delivered tells in `skipped` how many went.
 *                 For state (book, bbo, status), where only the latest value counts.
 *   fail          the loop ends with FeedError QUEUE_OVERFLOW. For trades, where each one counts.
 */
import { FeedError } from './feed-error.js';

export type OverflowPolicy = 'drop-oldest' | 'fail';

export interface QueueOptions {
  /** Events held at most. */
  readonly capacity?: number;
  readonly overflow?: OverflowPolicy;
}

interface Waiter<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: Error) => void;
}

export class EventQueue<T extends { skipped: number }> implements AsyncIterableIterator<T> {
  private readonly capacity: number;
  private readonly overflow: OverflowPolicy;
  private readonly onReturn: (queue: EventQueue<T>) => void;
  private readonly slots: (T | undefined)[];
  private head = 0;
  private length = 0;
  private readonly waiters: Waiter<T>[] = [];
  private ended = false;
  private failure: Error | null = null;

  constructor(
    options: Required<QueueOptions>,
    onReturn: (queue: EventQueue<T>) => void = () => undefined,
  ) {
    if (!Number.isInteger(options.capacity) || options.capacity < 1) {
      throw new RangeError('the capacity of an event queue is a whole number of at least 1');
    }
    this.capacity = options.capacity;
    this.overflow = options.overflow;
    this.onReturn = onReturn;
    this.slots = Array.from<T | undefined>({ length: this.capacity });
  }

  get queuedCount(): number {
    return this.length;
  }

  push(event: T): void {
    if (this.ended) return;
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    if (this.length === this.capacity) {
      if (this.overflow === 'fail') {
        this.end(new FeedError('QUEUE_OVERFLOW', `the reader fell ${this.capacity} events behind`));
        return;
      }
      const dropped = this.take();
      const heir = this.length === 0 ? event : this.slots[this.head]!;
      heir.skipped += dropped.skipped + 1;
    }
    this.slots[(this.head + this.length) % this.capacity] = event;
    this.length += 1;
  }

  /** No further events. Those queued are still delivered; then the loop ends, or throws `error`. */
  end(error: Error | null = null): void {
    if (this.ended) return;
    this.ended = true;
    this.failure = error;
    for (const waiter of this.waiters.splice(0)) this.settle(waiter);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.length > 0) return Promise.resolve({ done: false, value: this.take() });
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      if (this.ended) this.settle(waiter);
      else this.waiters.push(waiter);
    });
  }

  /** Called by `break` out of a `for await`. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    this.slots.fill(undefined);
    this.length = 0;
    this.onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private take(): T {
    const event = this.slots[this.head]!;
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) % this.capacity;
    this.length -= 1;
    return event;
  }

  private settle(waiter: Waiter<T>): void {
    const failure = this.failure;
    this.failure = null;
    if (failure === null) waiter.resolve({ done: true, value: undefined });
    else waiter.reject(failure);
  }
}
