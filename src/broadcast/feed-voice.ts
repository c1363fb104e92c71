/**
 * The messages that the broadcast thread makes itself for one instrument: the diffs and snapshots of
 * its depth views, and the statuses by which it says that continuity was lost. Broadcast thread, hot
 * where there are views.
 */
import type { BookState, StateReason } from '../domain/book-state.js';
import { EventFlag } from '../domain/event-flags.js';
import type { Instrument } from '../domain/instrument.js';
import { addFlags, setFold, setSequence, setState, stampOrigin } from '../wire/head-words.js';
import type { DepthView } from './depth-view.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { RoomContext } from './room-context.js';
import type { Stream } from './topics.js';

/** What a Status of our own says: the state of a book as this thread holds it. */
export interface ToldState {
  readonly state: BookState;
  readonly reason: StateReason;
  /** Since when, on the timeline. */
  readonly sinceNs: number;
  /** Of the last message from the books. */
  readonly origin: Int32Array;
}

/** A Status of our own at the stream's next number, or in the place of several that never came. */
export function sayStatus(
  room: RoomContext,
  stream: Stream,
  instrument: Instrument,
  told: ToldState,
  nowNs: number,
  numbers: number,
): void {
  const { scratch, encoder, outlet } = room;
  const first = stream.sequence + 1;
  stream.sequence += numbers;
  scratch.ensureBytes(encoder.statusBytes);
  const { words, head } = scratch;
  scratch.fillHead(stream, EventFlag.Last | EventFlag.Synthetic, told.state, told.reason);
  const bytes = encoder.writeStatus(words, 0, head, told.sinceNs, instrument);
  stampOrigin(words, 0, told.origin);
  encoder.patchPublishedNs(words, 0, nowNs);
  if (numbers > 1) {
    addFlags(words, 0, EventFlag.Conflated);
    setFold(words, 0, first, numbers - 1);
  }
  outlet.deliver(stream, words, 0, bytes, stream.epoch, stream.sequence);
}

export class FeedVoice {
  private readonly feed: InstrumentFeed;
  private readonly room: RoomContext;

  constructor(feed: InstrumentFeed, room: RoomContext) {
    this.feed = feed;
    this.room = room;
  }

  /** The book was replaced: the view begins anew, in a new epoch, with a snapshot in its stream. */
  replaceView(view: DepthView, nowNs: number): void {
    const { room } = this;
    const { stream } = view;
    view.reset();
    stream.epoch = room.nextEpoch(nowNs);
    room.snapshots.forget();
    const parts = room.snapshots.parts(this.feed, stream);
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      const sequence = stream.sequence + 1;
      setSequence(part, 0, sequence);
      room.encoder.patchPublishedNs(part, 0, nowNs);
      room.outlet.deliver(stream, part, 0, part.length * 4, stream.epoch, sequence);
    }
    room.snapshots.forget();
    this.noteTold(view);
  }

  /** The levels of the view's last diff. Hot. */
  sayDiff(view: DepthView, nowNs: number): void {
    const { mirror } = this.feed;
    const { scratch, encoder, outlet } = this.room;
    const { stream, bidsCount, asksCount } = view;
    scratch.ensureBytes(encoder.bookDeltaBytes(bidsCount, asksCount));
    stream.sequence++;
    scratch.fillHead(stream, EventFlag.Last, mirror.state, mirror.reason);
    const { words, head } = scratch;
    const bytes = encoder.writeBookDelta(words, 0, head, view.levels, 0, bidsCount, asksCount);
    stampOrigin(words, 0, mirror.origin);
    encoder.patchPublishedNs(words, 0, nowNs);
    outlet.deliver(stream, words, 0, bytes, stream.epoch, stream.sequence);
    this.noteTold(view);
  }

  /** Tells a view's readers the state of the book, if they were told another one last. */
  sayState(view: DepthView, nowNs: number): void {
    const { mirror } = this.feed;
    if (view.toldState === mirror.state && view.toldReason === mirror.reason) return;
    this.noteTold(view);
    this.sayStatus(view.stream, nowNs, 1);
  }

  noteTold(view: DepthView): void {
    view.toldState = this.feed.mirror.state;
    view.toldReason = this.feed.mirror.reason;
  }

  /** See sayStatus above: the state is that of the book. */
  sayStatus(stream: Stream, nowNs: number, numbers: number): void {
    const { instrument, mirror } = this.feed;
    sayStatus(this.room, stream, instrument, mirror, nowNs, numbers);
  }

  /** The books' thread was replaced: nobody may go on believing the last status, BBO or context. */
  sayLostElsewhere(bbo: Stream, status: Stream, context: Stream | null, nowNs: number): void {
    if (status.epoch !== 0 && !status.sealed) {
      this.sayStatus(status, nowNs, 1);
      status.sealed = true;
    }
    this.sayNewestLost(bbo, nowNs);
    if (context !== null) this.sayNewestLost(context, nowNs);
  }

  /** The last value of a stream once more, with the state that it is worth now. */
  private sayNewestLost(stream: Stream, nowNs: number): void {
    const { mirror } = this.feed;
    const { scratch, encoder, outlet } = this.room;
    if (stream.epoch === 0 || stream.sealed || stream.history.size === 0) return;
    const { history } = stream;
    const newest = history.newestSequence;
    scratch.copyFrom(history.buffer, history.wordAt(newest), history.bytesAt(newest));
    const { words } = scratch;
    const sequence = stream.sequence + 1;
    setSequence(words, 0, sequence);
    setState(words, 0, mirror.state, mirror.reason);
    addFlags(words, 0, EventFlag.Synthetic);
    encoder.patchPublishedNs(words, 0, nowNs);
    outlet.deliver(stream, words, 0, scratch.bytes, stream.epoch, sequence);
    stream.sealed = true;
  }
}
