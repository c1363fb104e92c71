/**
 * One connection between the dialect and a client, with the faults of the world on it. Simulator's
 * thread; `data` is hot. Stands above the transport, so that sockets and memory behave alike.
 */
import { Channel } from '../domain/channel.js';
import type { Prng } from '../domain/prng.js';
import { corrupted } from './corruption.js';
import type { SessionOutput } from './dialect.js';
import type { FaultCounters, FaultSettings } from './fault-settings.js';
import { STALL_BACKLOG_FRAMES_MAX } from './simulator-limits.js';

/** The client's end, as a transport gives it. */
export interface ClientEnd {
  /** One text frame; the bytes are not written again. */
  send(frame: Uint8Array): void;
  sendText(text: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  /** Cut at once, without a closing handshake. */
  terminate(): void;
  /** Stop (or go on) reading from the client: nothing that it sends is seen, not even its pings. */
  freeze(frozen: boolean): void;
}

/** What all links share; the settings are replaced while they run. */
export interface FaultSource {
  settings: FaultSettings;
  /** True while any per-frame fault can happen: spares the draws otherwise. */
  perFrame: boolean;
  readonly prng: Prng;
  readonly counters: FaultCounters;
}

/** Commands of a test: the next so many frames of a channel (and market) meet with this. */
export interface OrderedFault {
  readonly kind: 'drop' | 'duplicate' | 'reorder' | 'corrupt';
  /** Market index, or -1 for any. */
  readonly market: number;
  /** domain/channel.ts, or -1 for any. */
  readonly channel: number;
  left: number;
}

export class FaultyLink implements SessionOutput {
  private readonly client: ClientEnd;
  private readonly faults: FaultSource;
  private readonly ordered: readonly OrderedFault[];
  /** A frame that waits for the next of its stream to pass it. */
  private held: Uint8Array | null = null;
  private heldMarket = -1;
  private heldChannel = -1;
  private stalled = false;
  /** Kept while stalled for a time; null: lost. */
  private backlog: Uint8Array[] | null = null;
  closed = false;

  /** @param ordered shared by all links: whoever sends a fitting frame first takes it */
  constructor(client: ClientEnd, faults: FaultSource, ordered: readonly OrderedFault[]) {
    this.client = client;
    this.faults = faults;
    this.ordered = ordered;
  }

  data(frame: Uint8Array, marketIndex: number, channel: Channel): void {
    const { counters } = this.faults;
    counters.frames++;
    if (this.faults.perFrame || this.ordered.length > 0) this.faulty(frame, marketIndex, channel);
    else if (this.held === null) this.deliver(frame);
    else this.deliverPast(frame, marketIndex, channel);
  }

  control(text: string): void {
    if (!this.stalled) this.client.sendText(text);
  }

  ping(): void {
    if (!this.stalled) this.client.ping();
  }

  /** A goodbye does not get through a stalled connection either: it is just cut. */
  close(code: number, reason: string): void {
    if (this.stalled) this.client.terminate();
    else this.client.close(code, reason);
  }

  get isStalled(): boolean {
    return this.stalled;
  }

  /** Nothing goes out from now on. @param keep what comes meanwhile is delivered by `resume` */
  stall(keep: boolean): void {
    this.faults.counters.stalls++;
    this.stalled = true;
    this.backlog = keep ? (this.backlog ?? []) : null;
    this.client.freeze(true);
  }

  resume(): void {
    if (!this.stalled) return;
    this.stalled = false;
    this.client.freeze(false);
    const { backlog } = this;
    this.backlog = null;
    if (backlog !== null) for (const frame of backlog) this.client.send(frame);
  }

  /** The end of a half-open connection: its client may be long gone, which nobody here can see. */
  abandon(): void {
    if (!this.closed) this.client.terminate();
  }

  disconnect(): void {
    this.faults.counters.disconnects++;
    if (this.held !== null) this.faults.counters.lost++;
    this.held = null;
    this.client.terminate();
  }

  private faulty(frame: Uint8Array, marketIndex: number, channel: Channel): void {
    const { settings, prng, counters } = this.faults;
    const ordered = this.takeOrdered(marketIndex, channel);
    const isBook = channel === Channel.Book;
    if (ordered === 'drop' || prng.chance(settings.drop)) {
      counters.dropped++;
      if (isBook) counters.bookDropped[marketIndex]!++;
      return;
    }
    let bytes = frame;
    if (ordered === 'corrupt' || prng.chance(settings.corrupt)) {
      counters.corrupted++;
      if (isBook) counters.bookCorrupted[marketIndex]!++;
      bytes = corrupted(frame, prng);
    }
    if (this.held === null && (ordered === 'reorder' || prng.chance(settings.reorder))) {
      counters.reordered++;
      if (isBook) counters.bookReordered[marketIndex]!++;
      this.held = bytes;
      this.heldMarket = marketIndex;
      this.heldChannel = channel;
      return;
    }
    this.deliverPast(bytes, marketIndex, channel);
    if (ordered === 'duplicate' || prng.chance(settings.duplicate)) {
      counters.duplicated++;
      if (isBook) counters.bookDuplicated[marketIndex]!++;
      this.deliver(bytes);
    }
  }

  private takeOrdered(marketIndex: number, channel: Channel): OrderedFault['kind'] | null {
    for (const order of this.ordered) {
      if (order.left <= 0) continue;
      if (order.market >= 0 && order.market !== marketIndex) continue;
      if (order.channel >= 0 && order.channel !== channel) continue;
      order.left--;
      return order.kind;
    }
    return null;
  }

  private deliverPast(frame: Uint8Array, marketIndex: number, channel: Channel): void {
    this.deliver(frame);
    const { held } = this;
    if (held === null || marketIndex !== this.heldMarket || channel !== this.heldChannel) return;
    this.held = null;
    this.deliver(held);
  }

  private deliver(frame: Uint8Array): void {
    if (this.closed) return;
    if (!this.stalled) {
      this.client.send(frame);
    } else if (this.backlog !== null && this.backlog.length < STALL_BACKLOG_FRAMES_MAX) {
      this.backlog.push(frame);
    } else {
      this.faults.counters.lost++;
    }
  }
}
