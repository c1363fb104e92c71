/**
 * Publishing to the API's topics: to all who follow by the server, which fans a text out once, and to
 * the few whose outbox is at work (outbox.ts) one by one. Broadcast thread.
 */
import type { BroadcastServer } from '../broadcast-server.js';
import type { ApiSession } from './api-session.js';

/** What one turn hands to sockets of Snapshots, all clients together: about 1 ms. */
const TURN_BYTES = 512 * 1024;

export class ApiTopics {
  private readonly server: BroadcastServer;
  private readonly queueing = new Set<ApiSession>();

  constructor(server: BroadcastServer) {
    this.server = server;
  }

  publish(topic: string, text: string): void {
    this.server.publishText(topic, text);
    for (const session of this.queueing) {
      if (session.follows(topic)) session.say(text);
    }
  }

  /**
   * The same of bytes that are lent until the call returns. Returns a copy of them if one was made,
   * for outboxes that deliver later.
   */
  publishBytes(topic: string, bytes: Uint8Array): Uint8Array | null {
    this.server.publishText(topic, bytes);
    let kept: Uint8Array | null = null;
    for (const session of this.queueing) {
      if (!session.follows(topic)) continue;
      kept ??= Buffer.from(bytes);
      session.say(kept);
    }
    return kept;
  }

  onQueueing(session: ApiSession, isQueueing: boolean): void {
    if (isQueueing) this.queueing.add(session);
    else this.queueing.delete(session);
  }

  forget(session: ApiSession): void {
    this.queueing.delete(session);
    session.outbox.drop();
  }

  /** Hands on what waits, in turns among the clients. Returns how many were served. */
  pump(): number {
    let left = TURN_BYTES;
    let served = 0;
    for (const session of this.queueing) {
      if (left <= 0) break;
      const sent = session.outbox.pump(left);
      if (sent === 0) continue;
      left -= sent;
      served++;
      // The next turn begins with another one.
      if (this.queueing.delete(session) && session.outbox.isQueueing) this.queueing.add(session);
    }
    return served;
  }

  /** The client's buffer went down. */
  onDrain(session: ApiSession): void {
    if (session.outbox.isQueueing) session.outbox.pump(TURN_BYTES);
  }
}
