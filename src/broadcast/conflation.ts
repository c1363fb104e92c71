/**
 * Honest conflation: everything that a slow reader missed of one stream folded into one message that
 * says what it covers (`firstSequence … sequence`, count folded, flag Conflated). Folded from the
 * stream's history; the last word on a level wins. Broadcast thread, warm: only for slow readers.
 */
import { EventFlag } from '../domain/event-flags.js';
import { addFlags, setFold, stampOrigin } from '../wire/head-words.js';
import { BodyType } from '../wire/message-layout.js';
import { BroadcastColumn } from './broadcast-counters.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { RoomContext } from './room-context.js';
import type { Stream } from './topics.js';

export class Conflator {
  private readonly room: RoomContext;
  private readonly bids = new Map<number, number>();
  private readonly asks = new Map<number, number>();

  constructor(room: RoomContext) {
    this.room = room;
  }

  /**
   * Lays out in the scratch what a reader that has everything up to `sequence` of `epoch` misses of a
   * book stream. False where one message cannot say it: history too short, another epoch, a snapshot
   * on the way, or more levels than the book has: then the reader gets a snapshot. At least one
   * message is missing; not in the middle of an event.
   */
  mergeBook(feed: InstrumentFeed, stream: Stream, epoch: number, sequence: number): boolean {
    const first = sequence + 1;
    if (!stream.history.covers(epoch, first) || epoch !== stream.epoch) return false;
    if (first === stream.sequence) {
      this.copyNewest(stream);
      return true;
    }
    if (!this.fold(stream, first)) return false;
    const { scratch, encoder } = this.room;
    const { mirror } = feed;
    const levelsCount = this.bids.size + this.asks.size;
    const depth = stream.depth === 0 ? Infinity : stream.depth;
    const whole = Math.min(mirror.bidsCount, depth) + Math.min(mirror.asksCount, depth);
    if (levelsCount > whole + this.room.limits.snapshotPartLevels) return false;
    scratch.ensureLevels(levelsCount);
    scratch.ensureBytes(encoder.bookDeltaBytes(this.bids.size, this.asks.size));
    let at = 0;
    for (const side of [this.bids, this.asks]) {
      for (const [price, size] of side) {
        scratch.levels[at++] = price;
        scratch.levels[at++] = size;
      }
    }
    scratch.fillHead(stream, EventFlag.Last | EventFlag.Conflated, mirror.state, mirror.reason);
    scratch.bytes = encoder.writeBookDelta(
      scratch.words,
      0,
      scratch.head,
      scratch.levels,
      0,
      this.bids.size,
      this.asks.size,
    );
    stampOrigin(scratch.words, 0, mirror.origin);
    setFold(scratch.words, 0, first, stream.sequence - first);
    this.noteMerged(stream.sequence - first);
    return true;
  }

  /**
   * The newest message of a stream whose messages stand for themselves (bbo, status, context), in the
   * scratch, saying what it covers. False if there is none.
   */
  mergePlain(stream: Stream, epoch: number, sequence: number): boolean {
    if (stream.history.size === 0) return false;
    this.copyNewest(stream);
    if (epoch !== stream.epoch || sequence + 1 >= stream.sequence) return true;
    const { words } = this.room.scratch;
    addFlags(words, 0, EventFlag.Conflated);
    setFold(words, 0, sequence + 1, stream.sequence - sequence - 1);
    this.noteMerged(stream.sequence - sequence - 1);
    return true;
  }

  private copyNewest(stream: Stream): void {
    const { history } = stream;
    const newest = history.newestSequence;
    this.room.scratch.copyFrom(history.buffer, history.wordAt(newest), history.bytesAt(newest));
  }

  /** Collects the last size of each level that the messages `first …` name. False at a snapshot. */
  private fold(stream: Stream, first: number): boolean {
    const { decoder } = this.room;
    const { history } = stream;
    this.bids.clear();
    this.asks.clear();
    for (let sequence = first; sequence <= history.newestSequence; sequence++) {
      const type = decoder.decodeWords(
        history.buffer,
        history.wordAt(sequence),
        history.bytesAt(sequence),
      );
      if (type === BodyType.Status) continue;
      if (type !== BodyType.BookDelta) return false;
      const bidsEnd = decoder.bidsCount * 2;
      const end = bidsEnd + decoder.asksCount * 2;
      for (let i = 0; i < end; i += 2) {
        const side = i < bidsEnd ? this.bids : this.asks;
        side.set(decoder.levels[i]!, decoder.levels[i + 1]!);
      }
    }
    return true;
  }

  private noteMerged(folded: number): void {
    this.room.counters.add(0, BroadcastColumn.Merged, 1);
    this.room.counters.add(0, BroadcastColumn.Folded, folded);
  }
}
