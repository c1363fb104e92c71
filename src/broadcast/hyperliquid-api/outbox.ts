/**
 * What one client of `/ws` is still to be sent beside what its topics bring. As a rule nothing: texts
 * go out at once and topics deliver. A Snapshot of megabytes goes out as fragments of one message, as
 * fast as its socket takes them; until it has gone nothing else may come between, so the client
 * leaves its topics and everything for it stands in this queue, in order. Broadcast thread.
 *
 *     direct ──send(Snapshot)──▶ queueing: [Snapshot, text, text, …] ──all gone──▶ direct
 *
 * Bounded: the queue is looked at by the slow-reader rule (api-clients.ts); what a socket holds of it
 * is SOCKET_BYTES. Texts are shared by all clients that wait for them.
 */
import type { Connection } from '../broadcast-server.js';
import { L4Snapshot } from './l4-snapshot.js';
import type { ApiText } from './text-bytes.js';

/** Bytes in the socket's buffer up to which more is handed to it: above what a round trip needs. */
const SOCKET_BYTES = 512 * 1024;

export class Outbox {
  /** Bytes of texts that wait behind a Snapshot. */
  queuedBytes = 0;
  /** Bytes handed to the socket from the queue: moves as long as the reader reads. */
  sentBytes = 0;
  private readonly connection: Connection;
  /** The queue was empty and is not any more; it is empty again. */
  private readonly onQueueing: (isQueueing: boolean) => void;
  private queue: (ApiText | L4Snapshot)[] = [];
  private nextPiece = 0;

  constructor(connection: Connection, onQueueing: (isQueueing: boolean) => void) {
    this.connection = connection;
    this.onQueueing = onQueueing;
  }

  get isQueueing(): boolean {
    return this.queue.length > 0;
  }

  /** In the middle of a message: nothing but a close frame can be said now. */
  get isAmidMessage(): boolean {
    return this.nextPiece > 0;
  }

  /** Sends a text in its turn; kept until then. */
  say(text: ApiText): void {
    if (this.queue.length === 0) {
      this.connection.sendText(text);
      return;
    }
    this.queue.push(text);
    this.queuedBytes += text.length;
  }

  /** Queues a written Snapshot, which is held until it has gone. It goes out by `pump`. */
  send(snapshot: L4Snapshot): void {
    snapshot.hold();
    this.queue.push(snapshot);
    if (this.queue.length === 1) this.onQueueing(true);
  }

  /** Hands the socket up to `budgetBytes` and what a last piece has beyond them; returns how many. */
  pump(budgetBytes: number): number {
    const { connection } = this;
    let sent = 0;
    let taken = 0;
    while (taken < this.queue.length && sent < budgetBytes) {
      if (connection.closed || connection.bufferedBytes() > SOCKET_BYTES) break;
      const next = this.queue[taken]!;
      if (!(next instanceof L4Snapshot)) {
        connection.sendText(next);
        this.queuedBytes -= next.length;
        sent += next.length;
        taken++;
        continue;
      }
      sent += this.sendPiece(next);
      if (this.nextPiece > 0) continue;
      next.release();
      taken++;
    }
    if (taken > 0) this.queue.splice(0, taken);
    this.sentBytes += sent;
    if (taken > 0 && this.queue.length === 0) this.onQueueing(false);
    return sent;
  }

  /** The client has gone. */
  drop(): void {
    for (const item of this.queue) if (item instanceof L4Snapshot) item.release();
    this.queue = [];
    this.queuedBytes = 0;
  }

  private sendPiece(snapshot: L4Snapshot): number {
    const piece = snapshot.pieces[this.nextPiece]!;
    const isLast = this.nextPiece + 1 === snapshot.pieces.length;
    this.connection.sendTextPart(piece, this.nextPiece === 0, isLast);
    this.nextPiece = isLast ? 0 : this.nextPiece + 1;
    return piece.length;
  }
}
