/**
 * Snapshots of streams at their present position, encoded once for all who ask within one duty cycle:
 * a thousand clients that reconnect together cost one snapshot a stream. Broadcast thread, warm.
 *
 * A snapshot is an anchor: it and all its parts carry the sequence they stand for (event-flags.ts).
 */
import { Channel } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { stampOrigin } from '../wire/head-words.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { MirrorSide } from './mirror-side.js';
import type { RoomContext } from './room-context.js';
import type { Stream } from './topics.js';

export class SnapshotCache {
  private readonly room: RoomContext;
  private readonly kept = new Map<Stream, Int32Array[]>();

  constructor(room: RoomContext) {
    this.room = room;
  }

  /** Something was published: what is kept no longer stands for the present. */
  forget(): void {
    if (this.kept.size > 0) this.kept.clear();
  }

  /**
   * The messages of a snapshot of a book or orders stream, whole words each. Lent until `forget`:
   * patch a copy. Not in the middle of an event.
   */
  parts(feed: InstrumentFeed, stream: Stream): readonly Int32Array[] {
    const found = this.kept.get(stream);
    if (found !== undefined) return found;
    if (stream.channel === Channel.Orders && feed.orders !== null) {
      const orders = feed.orders.parts();
      this.kept.set(stream, orders);
      return orders;
    }
    const { bids, asks } = feed.mirror;
    const depth = stream.depth === 0 ? Infinity : stream.depth;
    const bidsCount = Math.min(bids.count, depth);
    const asksCount = Math.min(asks.count, depth);
    const step = this.room.limits.snapshotPartLevels;
    const partsCount = Math.max(1, Math.ceil(Math.max(bidsCount, asksCount) / step));
    const parts: Int32Array[] = [];
    for (let part = 0; part < partsCount; part++) {
      const flags =
        (part === 0 ? EventFlag.Snapshot : EventFlag.Continued) |
        (part === partsCount - 1 ? EventFlag.Last : 0);
      parts.push(this.part(feed, stream, flags, part * step, bidsCount, asksCount));
    }
    this.kept.set(stream, parts);
    return parts;
  }

  private part(
    feed: InstrumentFeed,
    stream: Stream,
    flags: number,
    from: number,
    bidsCount: number,
    asksCount: number,
  ): Int32Array {
    const { scratch, encoder, limits } = this.room;
    const { mirror } = feed;
    const step = limits.snapshotPartLevels;
    scratch.ensureLevels(step * 2);
    const bids = copyLevels(mirror.bids, from, Math.min(from + step, bidsCount), scratch.levels, 0);
    const asks = copyLevels(
      mirror.asks,
      from,
      Math.min(from + step, asksCount),
      scratch.levels,
      bids * 2,
    );
    const words = new Int32Array(encoder.bookSnapshotBytes(bids, asks, feed.nameUtf8.length) >>> 2);
    scratch.fillHead(stream, flags, mirror.state, mirror.reason);
    encoder.writeBookSnapshot(
      words,
      0,
      scratch.head,
      scratch.levels,
      0,
      bids,
      asks,
      stream.depth,
      mirror.priceDecimals,
      mirror.sizeDecimals,
      feed.nameUtf8,
    );
    stampOrigin(words, 0, mirror.origin);
    encoder.patchPublishedNs(words, 0, this.room.clock.nowNs());
    return words;
  }
}

/** Levels of ranks `from … to`, best first, as pairs at `levels[at …)`; returns how many. */
function copyLevels(
  side: MirrorSide,
  from: number,
  to: number,
  levels: Float64Array,
  at: number,
): number {
  for (let rank = from; rank < to; rank++) {
    levels[at++] = side.priceAt(rank);
    levels[at++] = side.sizeAt(rank);
  }
  return Math.max(0, to - from);
}
