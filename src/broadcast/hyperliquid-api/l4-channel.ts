/**
 * The readers of one coin's `l4Book`: each gets the orders after a block and then every block after
 * it. Broadcast thread.
 *
 *     subscribed ─▶ waiting ──Snapshot of H and the blocks since──▶ following ─▶ …
 *                      ▲                                                │
 *                      └──────────── the book was told anew ────────────┘
 *
 * **Invariant**: a reader gets the orders as they are after block H and then exactly the blocks after
 * H, whose `prevSeq` continue the Snapshot's `seq`. A Snapshot is frozen when nothing up to H waits
 * for its statuses any more (block-queue.ts). All that ask while one is made, or shortly after, get
 * the same one and the blocks since. A reader that still takes an earlier Snapshot, of whatever coin,
 * waits until it has gone: what is queued for it stays bounded however many coins it asks for.
 */
import type { ApiSession } from './api-session.js';
import type { ApiTopics } from './api-topics.js';
import { errorText } from './api-text.js';
import { type Block, BlockQueue } from './block-queue.js';
import type { CoinBook } from './coin-book.js';
import type { L4Snapshot } from './l4-snapshot.js';
import type { PressClient, SnapshotPress } from './snapshot-press.js';
import { TextBytes } from './text-bytes.js';

/** How long a written Snapshot is given to others who ask, and how much may have followed it: a second
 *  of BTC, so that a crowd that reconnects costs a Snapshot a second. */
const SHARED_NS = 1e9;
const LATER_BYTES_MAX = 4 * 1024 * 1024;

export class L4Channel implements PressClient {
  readonly book: CoinBook;
  readonly queue: BlockQueue;
  /** `seq` of the last message. */
  sequence = 0;
  private readonly topics: ApiTopics;
  private readonly press: SnapshotPress;
  private readonly topic: string;
  /** The message being told. */
  private readonly message = new TextBytes();
  private readonly readers = new Set<ApiSession>();
  /** Those of them that have no Snapshot yet, in the order in which they asked. */
  private waiting: ApiSession[] = [];
  /** Being made, or still given to those who ask. */
  private shared: L4Snapshot | null = null;

  constructor(book: CoinBook, topics: ApiTopics, press: SnapshotPress, hasStatuses: boolean) {
    this.book = book;
    this.topics = topics;
    this.press = press;
    this.topic = JSON.stringify({ type: 'l4Book', coin: book.instrument.symbol });
    this.queue = new BlockQueue((block) => this.tellBlock(block), hasStatuses);
  }

  get hasReaders(): boolean {
    return this.readers.size > 0;
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  get canFreeze(): boolean {
    const { book, queue, shared } = this;
    if (shared !== null || !book.isReady || !queue.isSettled(book.height)) return false;
    return this.waiting.some(canTake);
  }

  add(session: ApiSession): void {
    this.readers.add(session);
    this.wait(session);
  }

  remove(session: ApiSession): void {
    this.readers.delete(session);
    this.waiting = this.waiting.filter((waiting) => waiting !== session);
    session.unfollow(this.topic);
    if (this.readers.size > 0) return;
    this.unshare();
    this.queue.stop();
  }

  /** The book's changes of a block as the node's diffs. */
  onDiffs(diffs: string[], nowNs: number): void {
    if (this.readers.size === 0) return;
    this.queue.onDiffs(this.book.height, this.book.timeMs, diffs, nowNs);
    this.settle(nowNs);
  }

  /** The book begins anew: so does every reader. */
  onAligned(): void {
    this.queue.restart(this.book.height);
    this.unshare();
    if (this.readers.size === 0) return;
    this.sequence++;
    this.waiting = [];
    for (const session of this.readers) {
      session.unfollow(this.topic);
      this.wait(session);
    }
  }

  /** The book is not the venue's (any more): whoever reads it hears that at once. */
  onLost(message: string): void {
    // What is not written yet will not be; what is has been true, and is on its way.
    this.unshare();
    const text = errorText(message);
    for (const session of this.waiting) session.say(text);
    this.topics.publish(this.topic, text);
  }

  /** Told that it stands still: still the book of its block. */
  onStale(message: string): void {
    const text = errorText(message);
    for (const session of this.waiting) session.say(text);
    this.topics.publish(this.topic, text);
  }

  /** Tells blocks that are whole by now, and sees to those who wait. */
  settle(nowNs: number): void {
    this.queue.drain(nowNs);
    const { shared } = this;
    if (shared !== null && shared.isWritten) {
      this.serve(shared);
      const isOver = nowNs - shared.writtenNs > SHARED_NS || shared.laterBytes > LATER_BYTES_MAX;
      if (isOver) this.unshare();
    }
    if (this.waiting.length > 0 && this.shared === null) this.press.ask(this);
  }

  onFrozen(snapshot: L4Snapshot): void {
    this.shared = snapshot;
  }

  onWritten(snapshot: L4Snapshot): void {
    this.serve(snapshot);
  }

  private wait(session: ApiSession): void {
    this.waiting.push(session);
    this.press.ask(this);
  }

  private serve(snapshot: L4Snapshot): void {
    if (this.waiting.length === 0) return;
    const ready = this.waiting.filter(canTake);
    if (ready.length === 0) return;
    this.waiting = this.waiting.filter((session) => !ready.includes(session));
    for (const session of ready) {
      session.outbox.send(snapshot);
      for (const text of snapshot.later) session.say(text);
      session.follow(this.topic);
    }
  }

  private unshare(): void {
    this.press.abandon(this);
    this.shared?.release();
    this.shared = null;
  }

  private tellBlock({ height, timeMs, statuses, diffs, lost }: Block): void {
    const before = this.sequence++;
    const { message } = this;
    message.clear();
    message.addText(
      `{"channel":"l4Book","data":{"Updates":{"time":${timeMs},"height":${height},"order_statuses":[`,
    );
    message.addBytes(statuses.view);
    const lostStatuses = lost === 0 ? '' : `,"lostStatuses":${lost}`;
    message.addText(
      `],"book_diffs":[${diffs.join(',')}],"seq":${this.sequence},"prevSeq":${before}` +
        `,"epoch":${this.book.epoch}${lostStatuses}}}}`,
    );
    const kept = this.topics.publishBytes(this.topic, message.view);
    this.shared?.noteLater(kept ?? Buffer.from(message.view));
  }
}

const canTake = (session: ApiSession): boolean => !session.outbox.isQueueing;
