/** One client of `/ws`: what it reads, and the bounds on it. Broadcast thread. */
import type { Connection } from '../broadcast-server.js';
import type { TokenBucket } from '../token-bucket.js';
import type { ApiSubscription } from './api-request.js';
import { Outbox } from './outbox.js';
import type { ApiText } from './text-bytes.js';

export class ApiSession {
  readonly connection: Connection;
  readonly requests: TokenBucket;
  /** By canonical text. */
  readonly subscriptions = new Map<string, ApiSubscription>();
  readonly outbox: Outbox;
  slowSinceNs = Infinity;
  /** What the outbox had sent when it was looked at last. */
  seenBytes = 0;
  isDropped = false;
  /** What it follows, whether the server delivers it or the outbox queues it. */
  private readonly topics = new Set<string>();

  constructor(
    connection: Connection,
    requests: TokenBucket,
    onQueueing: (session: ApiSession, isQueueing: boolean) => void,
  ) {
    this.connection = connection;
    this.requests = requests;
    this.outbox = new Outbox(connection, (isQueueing) => {
      // What was published to a topic before it is left is still delivered, before the queue.
      for (const topic of this.topics) {
        if (isQueueing) connection.leave(topic);
        else connection.join(topic);
      }
      onQueueing(this, isQueueing);
    });
  }

  follows(topic: string): boolean {
    return this.topics.has(topic);
  }

  follow(topic: string): void {
    this.topics.add(topic);
    if (!this.outbox.isQueueing) this.connection.join(topic);
  }

  unfollow(topic: string): void {
    if (this.topics.delete(topic) && !this.outbox.isQueueing) this.connection.leave(topic);
  }

  say(text: ApiText): void {
    this.outbox.say(text);
  }

  /** Tells a last text, unless a message is amid: then the close frame's reason has to do. */
  end(text: string, code: number, reason: string): void {
    if (!this.outbox.isAmidMessage) this.connection.sendText(text);
    this.connection.end(code, reason);
  }
}
