/**
 * Everything the broadcast thread has of one instrument: the mirror of its book, its streams, its
 * depth views, and the rules by which messages from the books pass through. Broadcast thread, hot.
 *
 * Nothing is passed on that does not continue: a message of the book stream must carry the sequence
 * after the last one in the same epoch, or be a snapshot of a later position. What does not is held
 * back, counted, and answered by a Status in the same stream (state Suspect, flag Synthetic), which
 * takes the next number; the stream is then sealed until a later epoch or snapshot arrives. On the
 * other channels numbers that never came are named by a Status that covers them.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import { definedBy } from '../domain/definition.js';
import { EventFlag } from '../domain/event-flags.js';
import type { Instrument } from '../domain/instrument.js';
import { RecordType } from '../rings/record-types.js';
import {
  addFlags,
  flagsOf,
  hashHighOf,
  hashLowOf,
  reasonOf,
  setFold,
  stateOf,
} from '../wire/head-words.js';
import type { JsonInstrument } from '../wire/message-json.js';
import { BodyType } from '../wire/message-layout.js';
import { Applied, BookMirror } from './book-mirror.js';
import { BroadcastColumn } from './broadcast-counters.js';
import { DepthView } from './depth-view.js';
import { FeedVoice } from './feed-voice.js';
import { OrdersFeed } from './orders-feed.js';
import type { RoomContext } from './room-context.js';
import { Stream } from './topics.js';

export class InstrumentFeed implements JsonInstrument {
  /** As the books told it last: the venue may define it anew while the node runs. */
  instrument: Instrument;
  readonly nameUtf8: Uint8Array;
  readonly mirror: BookMirror;
  readonly book: Stream;
  readonly bbo: Stream;
  readonly trades: Stream;
  readonly status: Stream;
  /** Null where contexts are not taken. */
  readonly context: Stream | null;
  /** Null where the venue tells levels only. */
  readonly orders: OrdersFeed | null;
  views: DepthView[] = [];
  /** Our own fault or the ring's: the books are well and would only have to tell the book again. */
  wantsRetelling = false;
  private readonly room: RoomContext;
  private sinceHashCheck = 0;
  private readonly voice: FeedVoice;

  constructor(instrument: Instrument, room: RoomContext, hasOrders = false, hasContext = false) {
    this.instrument = instrument;
    this.room = room;
    this.nameUtf8 = new TextEncoder().encode(instrument.name);
    const { priceDecimals, sizeDecimals, id } = instrument;
    this.mirror = new BookMirror(priceDecimals, sizeDecimals, room.limits);
    this.book = new Stream(id, Channel.Book, 0, room.createHistory());
    this.bbo = new Stream(id, Channel.Bbo, 0, room.createHistory());
    this.trades = new Stream(id, Channel.Trades, 0, room.createHistory());
    this.status = new Stream(id, Channel.Status, 0, room.createHistory());
    this.context = hasContext ? new Stream(id, Channel.Context, 0, room.createHistory()) : null;
    this.orders = hasOrders ? new OrdersFeed(this, room) : null;
    this.voice = new FeedVoice(this, room);
    room.outlet.describe(id, this);
  }

  get name(): string {
    return this.instrument.name;
  }
  /** Of the levels, as the last snapshot said: bbo and trades say their own. */
  get priceDecimals(): number {
    return this.mirror.priceDecimals;
  }
  get sizeDecimals(): number {
    return this.mirror.sizeDecimals;
  }

  /** A record of the books for this instrument: message at `words[at]`. Hot. */
  onMessage(
    typeId: number,
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    switch (typeId) {
      case RecordType.BookDeltaOut:
        this.onBookDelta(words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.BookSnapshotOut:
        this.onBookSnapshot(words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.BookStatusOut:
        this.onBookStatus(words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.BboOut:
        this.onPlain(this.bbo, words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.TradesOut:
        this.onPlain(this.trades, words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.StatusOut:
        this.takeDefinition(words, at, bytes);
        this.onPlain(this.status, words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.ContextOut:
        this.onContext(words, at, bytes, epoch, sequence, nowNs);
        break;
      case RecordType.OrdersSnapshotOut:
      case RecordType.OrdersDeltaOut:
      case RecordType.OrdersStatusOut:
        this.orders?.onMessage(typeId, words, at, bytes, epoch, sequence, nowNs);
        break;
      default:
        this.count(BroadcastColumn.Malformed);
    }
  }

  /**
   * Continuity with the books is lost: says so in the book stream, and if their thread was replaced
   * also where its state is shown (bbo, status). Without effect while it is lost already.
   */
  lose(reason: StateReason, nowNs: number): void {
    const { mirror } = this;
    const known = this.book.epoch !== 0;
    if (!mirror.trusted && mirror.state !== BookState.Live && mirror.reason === reason) return;
    mirror.trusted = false;
    mirror.state = BookState.Suspect;
    mirror.reason = reason;
    mirror.sinceNs = nowNs;
    if (!known) return;
    // What was kept may not add up to the mirror: who is behind gets a snapshot.
    this.book.history.clear();
    this.voice.sayStatus(this.book, nowNs, 1);
    this.book.sealed = true;
    // The status goes with the levels that its readers have; who comes now gets the mirror's.
    this.book.hashLow = mirror.hashLow();
    this.book.hashHigh = mirror.hashHigh();
    this.abandonEvent(nowNs);
    if (reason === StateReason.WorkerRestarted) {
      this.orders?.lose(reason, nowNs);
      this.voice.sayLostElsewhere(this.bbo, this.status, this.context, nowNs);
    } else {
      this.wantsRetelling = true;
    }
  }

  /** In the middle of an event nobody may look at what a stream is made from. */
  isMidEvent(stream: Stream): boolean {
    if (stream.channel === Channel.Orders) return this.orders?.midEvent === true;
    return stream.channel === Channel.Book && this.mirror.midEvent;
  }

  /** A view of `depth` levels, made or found. Null if there are too many. */
  viewOf(depth: number, nowNs: number): DepthView | null {
    const found = this.views.find((view) => view.depth === depth);
    if (found !== undefined) return found;
    if (this.views.length >= this.room.limits.viewsPerInstrumentMax && !this.dropIdleView())
      return null;
    const stream = new Stream(this.instrument.id, Channel.Book, depth, this.room.createHistory());
    stream.epoch = this.room.nextEpoch(nowNs);
    stream.sequence = 1;
    const view = new DepthView(stream, this.mirror);
    if (!this.mirror.midEvent) view.reset();
    this.voice.noteTold(view);
    this.views.push(view);
    return view;
  }

  /** Lets go of views that nobody came back to. */
  dropViews(idleBeforeNs: number): void {
    for (let i = this.views.length - 1; i >= 0; i--) {
      const view = this.views[i]!;
      if (view.stream.subscriptions > 0 || view.idleSinceNs > idleBeforeNs) continue;
      view.stream.history.dispose();
      this.views.splice(i, 1);
    }
  }

  /** The last reader of a stream left. */
  noteIdle(stream: Stream, nowNs: number): void {
    const view = this.views.find((candidate) => candidate.stream === stream);
    if (view !== undefined) view.idleSinceNs = nowNs;
  }

  /** The stream of a channel at a depth, if it exists. */
  findStream(channel: Channel, depth: number): Stream | undefined {
    if (channel === Channel.Bbo) return this.bbo;
    if (channel === Channel.Trades) return this.trades;
    if (channel === Channel.Status) return this.status;
    if (channel === Channel.Orders) return this.orders?.stream;
    if (channel === Channel.Context) return this.context ?? undefined;
    if (depth === 0) return this.book;
    return this.views.find((view) => view.depth === depth)?.stream;
  }

  private takeDefinition(words: Int32Array, at: number, bytes: number): void {
    const { decoder } = this.room;
    const isStatus = decoder.decodeWords(words, at, bytes) === BodyType.Status;
    if (isStatus && decoder.hasDefinition) {
      this.instrument = definedBy(this.instrument, decoder.definition, 0);
    }
  }

  private onBookDelta(
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const { book, mirror, room } = this;
    if (!mirror.trusted || epoch !== book.epoch || sequence !== book.sequence + 1) {
      this.holdBack(nowNs);
      return;
    }
    if (!mirror.midEvent) mirror.beginEvent();
    const hasViews = this.views.length > 0;
    const applied = hasViews ? Applied.Not : mirror.applyWords(words, at, bytes);
    if (applied !== Applied.Whole) {
      if (room.decoder.decodeWords(words, at, bytes) !== BodyType.BookDelta) {
        this.onMalformed(nowNs);
        return;
      }
      if (applied === Applied.Refused || !mirror.apply(room.decoder, hasViews)) {
        this.lose(StateReason.BufferOverflow, nowNs);
        return;
      }
    }
    this.finishBookMessage(words, at, bytes, epoch, sequence, nowNs);
  }

  private onBookSnapshot(
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const { book, mirror, room } = this;
    const first = (flagsOf(words, at) & EventFlag.Snapshot) !== 0;
    const later = epoch > book.epoch || (epoch === book.epoch && sequence > book.sequence);
    const continues = mirror.midEvent && mirror.replaced && epoch === book.epoch;
    if (first ? !later : !continues || sequence !== book.sequence + 1) {
      this.holdBack(nowNs);
      return;
    }
    if (room.decoder.decodeWords(words, at, bytes) !== BodyType.BookSnapshot) {
      this.onMalformed(nowNs);
      return;
    }
    if (first) {
      mirror.beginEvent();
      mirror.clear();
      mirror.replaced = true;
      mirror.priceDecimals = room.decoder.priceDecimals;
      mirror.sizeDecimals = room.decoder.sizeDecimals;
      book.sealed = false;
      if (epoch !== book.epoch) this.count(BroadcastColumn.EpochChanges);
      else if (sequence > book.sequence + 1) this.noteSkipped(words, at, sequence);
    }
    if (!mirror.apply(room.decoder, false)) {
      this.lose(StateReason.BufferOverflow, nowNs);
      return;
    }
    mirror.trusted = true;
    this.wantsRetelling = false;
    this.finishBookMessage(words, at, bytes, epoch, sequence, nowNs);
  }

  /** Told again after a loss: the snapshot says that it stands for the numbers that never came. */
  private noteSkipped(words: Int32Array, at: number, sequence: number): void {
    addFlags(words, at, EventFlag.Conflated);
    setFold(words, at, this.book.sequence + 1, sequence - this.book.sequence - 1);
  }

  /** A status in sequence; one of a later epoch announces a snapshot and is told at once. */
  private onBookStatus(
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const { book, mirror } = this;
    const inSequence = epoch === book.epoch && sequence === book.sequence + 1 && !book.sealed;
    const state = stateOf(words, at) as BookState;
    if (!inSequence) {
      if (epoch <= book.epoch || state === BookState.Live) {
        this.holdBack(nowNs);
        return;
      }
      mirror.trusted = false;
      book.sealed = false;
      this.count(BroadcastColumn.EpochChanges);
    }
    this.noteState(state, reasonOf(words, at) as StateReason, nowNs);
    if (!inSequence) this.abandonEvent(nowNs);
    this.room.outlet.deliver(book, words, at, bytes, epoch, sequence);
    mirror.noteOrigin(words, at);
    if (mirror.midEvent) return;
    for (const view of this.views) this.voice.sayState(view, nowNs);
  }

  /** After the levels were applied: hash, state, delivery, and at the end of the event the views. */
  private finishBookMessage(
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const { book, mirror, room } = this;
    const hashLow = hashLowOf(words, at);
    const hashHigh = hashHighOf(words, at);
    const last = (flagsOf(words, at) & EventFlag.Last) !== 0;
    mirror.midEvent = !last;
    if (last && (mirror.replaced || ++this.sinceHashCheck >= room.limits.hashCheckEvery)) {
      this.sinceHashCheck = 0;
      this.count(BroadcastColumn.HashChecked);
      if (!mirror.hashMatches(hashLow, hashHigh)) {
        this.count(BroadcastColumn.HashFailed);
        this.lose(StateReason.IntegrityMismatch, nowNs);
        return;
      }
    }
    book.hashLow = hashLow;
    book.hashHigh = hashHigh;
    mirror.noteOrigin(words, at);
    this.noteState(stateOf(words, at) as BookState, reasonOf(words, at) as StateReason, nowNs);
    room.outlet.deliver(book, words, at, bytes, epoch, sequence);
    if (last) this.flushViews(nowNs);
  }

  /** The event under way will not be finished: views and mirror are made to agree, as they are. */
  private abandonEvent(nowNs: number): void {
    this.mirror.midEvent = false;
    this.flushViews(nowNs);
  }

  private flushViews(nowNs: number): void {
    const { views, mirror, voice } = this;
    const changed = mirror.unflushed;
    mirror.unflushed = false;
    for (let i = 0; i < views.length; i++) {
      const view = views[i]!;
      if (view.fresh) view.reset();
      else if (changed && mirror.replaced) voice.replaceView(view, nowNs);
      else if (changed && view.diff() > 0) voice.sayDiff(view, nowNs);
      else voice.sayState(view, nowNs);
    }
  }

  /** Streams whose messages stand for themselves: bbo, trades, status. */
  private onPlain(
    stream: Stream,
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    if (epoch === stream.epoch) {
      if (stream.sealed || sequence <= stream.sequence) {
        this.count(BroadcastColumn.HeldBack);
        return;
      }
      const missing = sequence - stream.sequence - 1;
      if (missing > 0) {
        this.count(BroadcastColumn.SequenceGaps);
        this.voice.sayStatus(stream, nowNs, missing);
      }
    } else if (epoch < stream.epoch) {
      this.count(BroadcastColumn.HeldBack);
      return;
    }
    stream.sealed = false;
    this.room.outlet.deliver(stream, words, at, bytes, epoch, sequence);
  }

  /** Each stands for all before it: where numbers never came, the next one says that it covers them. */
  private onContext(
    words: Int32Array,
    at: number,
    bytes: number,
    epoch: number,
    sequence: number,
    nowNs: number,
  ): void {
    const stream = this.context;
    if (stream === null) return;
    const missing = epoch === stream.epoch ? sequence - stream.sequence - 1 : 0;
    if (missing > 0 && !stream.sealed) {
      this.count(BroadcastColumn.SequenceGaps);
      addFlags(words, at, EventFlag.Conflated);
      setFold(words, at, stream.sequence + 1, missing);
      stream.sequence = sequence - 1;
      stream.history.clear();
    }
    this.onPlain(stream, words, at, bytes, epoch, sequence, nowNs);
  }

  private noteState(state: BookState, reason: StateReason, nowNs: number): void {
    const { mirror } = this;
    if (mirror.state === state && mirror.reason === reason) return;
    mirror.state = state;
    mirror.reason = reason;
    mirror.sinceNs = nowNs;
  }

  private holdBack(nowNs: number): void {
    this.count(BroadcastColumn.HeldBack);
    if (!this.mirror.trusted) return;
    this.count(BroadcastColumn.SequenceGaps);
    this.lose(StateReason.RingFull, nowNs);
  }

  private onMalformed(nowNs: number): void {
    this.count(BroadcastColumn.Malformed);
    this.lose(StateReason.IntegrityMismatch, nowNs);
  }

  private dropIdleView(): boolean {
    const before = this.views.length;
    this.dropViews(Infinity);
    return this.views.length < before;
  }

  private count(column: number): void {
    this.room.counters.add(0, column, 1);
  }
}
