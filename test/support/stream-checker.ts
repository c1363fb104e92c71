/**
 * The contract of the output streams, checked message by message by a naive follower:
 *
 *   - sequences of a stream rise by one, whatever the epoch; epochs only rise
 *   - the book of the follower after each message has the hash that the message carries
 *   - a new epoch of a book begins with a snapshot or a status; a delta never comes before a snapshot
 *   - a book is Live only if its last snapshot is of this epoch, and it is not crossed
 *   - the best of a Live book is told after every change
 *   - the envelope says what the message says; the times are in order
 */
import assert from 'node:assert/strict';
import { BookState } from '../../src/domain/book-state.js';
import { Channel, streamIdOf } from '../../src/domain/channel.js';
import { CONTEXT_FIELDS } from '../../src/domain/context-fields.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import {
  HASH_SEED_HIGH,
  HASH_SEED_LOW,
  hashText,
  levelHashLane,
} from '../../src/domain/level-hash.js';
import { Side } from '../../src/domain/side.js';
import * as R from '../../src/rings/record-types.js';
import type { RingConsumer } from '../../src/rings/ring-consumer.js';
import { BodyType } from '../../src/wire/message-layout.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { verifyMessage } from '../../src/wire/verifier.js';
import { NaiveLadder } from './naive-ladder.js';

export interface OutMessage {
  readonly typeId: number;
  readonly instrument: number;
  readonly head: Float64Array;
  readonly hash: string;
  readonly state: number;
  readonly reason: number;
  readonly flags: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly venueSequence: number;
  readonly bids: [number, number][];
  readonly asks: [number, number][];
  /** bidPrice, bidSize, askPrice, askSize. */
  readonly bbo: number[];
  /** Orders at the best bid and ask. */
  readonly bboOrders: number[];
  readonly trades: number[][];
  readonly name: string;
  /** Of a context: [whole, fraction, places] of each value, null where there is none. */
  readonly context: (number[] | null)[];
  readonly nextFundingUnixNs: string;
}

const decoder = new MessageDecoder();

const BODY_OF: Readonly<Record<number, number>> = {
  [R.RecordType.BookSnapshotOut]: BodyType.BookSnapshot,
  [R.RecordType.BookDeltaOut]: BodyType.BookDelta,
  [R.RecordType.BboOut]: BodyType.Bbo,
  [R.RecordType.TradesOut]: BodyType.Trades,
  [R.RecordType.StatusOut]: BodyType.Status,
  [R.RecordType.BookStatusOut]: BodyType.Status,
  [R.RecordType.ContextOut]: BodyType.Context,
};

const CHANNEL_OF: Readonly<Record<number, Channel>> = {
  [R.RecordType.BookSnapshotOut]: Channel.Book,
  [R.RecordType.BookDeltaOut]: Channel.Book,
  [R.RecordType.BookStatusOut]: Channel.Book,
  [R.RecordType.BboOut]: Channel.Bbo,
  [R.RecordType.TradesOut]: Channel.Trades,
  [R.RecordType.StatusOut]: Channel.Status,
  [R.RecordType.ContextOut]: Channel.Context,
};

/** Decodes an output record and holds its envelope against the message. */
export function readOutMessage(
  ring: RingConsumer,
  typeId: number,
  slot: number,
  payloadBytes: number,
): OutMessage {
  const envelope = ring.doubles.subarray(slot, slot + R.OUT_ENVELOPE_DOUBLES);
  const messageBytes = envelope[R.OUT_MESSAGE_BYTES]!;
  assert.equal(payloadBytes, R.OUT_ENVELOPE_DOUBLES * 8 + messageBytes);
  const at = (slot + R.OUT_ENVELOPE_DOUBLES) * 8;
  const bytes = ring.bytes.slice(at, at + messageBytes);
  assert.equal(verifyMessage(bytes), null);
  assert.equal(
    decoder.decode(bytes, 0, messageBytes),
    BODY_OF[typeId],
    'the body is of the type told',
  );
  const head = decoder.head.slice();
  const field = (index: number): number => head[index]!;
  assert.equal(envelope[R.OUT_INSTRUMENT], field(HeadField.InstrumentId));
  assert.equal(envelope[R.OUT_FLAGS], field(HeadField.Flags));
  assert.equal(envelope[R.OUT_EPOCH], field(HeadField.Epoch));
  assert.equal(envelope[R.OUT_SEQUENCE], field(HeadField.Sequence));
  assert.equal(envelope[R.OUT_STATE], field(HeadField.State));
  const pairs = (first: number, count: number): [number, number][] =>
    Array.from({ length: count }, (_, i) => [
      decoder.levels[2 * (first + i)]!,
      decoder.levels[2 * (first + i) + 1]!,
    ]);
  const isBook = typeId === R.RecordType.BookSnapshotOut || typeId === R.RecordType.BookDeltaOut;
  const isContext = typeId === R.RecordType.ContextOut;
  const isTrades = typeId === R.RecordType.TradesOut;
  return {
    typeId,
    instrument: field(HeadField.InstrumentId),
    head,
    hash: hashText(field(HeadField.HashHigh), field(HeadField.HashLow)),
    state: field(HeadField.State),
    reason: field(HeadField.Reason),
    flags: field(HeadField.Flags),
    epoch: field(HeadField.Epoch),
    sequence: field(HeadField.Sequence),
    venueSequence: field(HeadField.VenueSequence),
    bids: isBook ? pairs(0, decoder.bidsCount) : [],
    asks: isBook ? pairs(decoder.bidsCount, decoder.asksCount) : [],
    bbo: typeId === R.RecordType.BboOut ? Array.from(decoder.bbo.subarray(0, 4)) : [],
    bboOrders: typeId === R.RecordType.BboOut ? Array.from(decoder.bbo.subarray(4, 6)) : [],
    trades: isTrades
      ? Array.from({ length: decoder.tradesCount }, (_, i) =>
          Array.from(decoder.trades.subarray(5 * i, 5 * i + 5)),
        )
      : [],
    name: typeId === R.RecordType.BookSnapshotOut ? decoder.instrumentName() : '',
    context: isContext
      ? Array.from({ length: CONTEXT_FIELDS }, (_, i) =>
          (decoder.contextPresent & (1 << i)) === 0
            ? null
            : Array.from(decoder.context.subarray(3 * i, 3 * i + 3)),
        )
      : [],
    nextFundingUnixNs: isContext ? String(decoder.nextFundingUnixNs()) : '',
  };
}

/** The book of one instrument as a client holds it. */
export class FollowedBook {
  readonly levels = new NaiveLadder();
  hashLow = 0;
  hashHigh = 0;
  epoch = 0;
  state: number = BookState.Syncing;
  reason = 0;
  venueSequence = 0;
  isWhole = false;
  isComplete = false;
  bbo: number[] = [];

  get hash(): string {
    return hashText(this.hashHigh, this.hashLow);
  }

  apply(
    bids: readonly (readonly [number, number])[],
    asks: readonly (readonly [number, number])[],
  ): void {
    for (const [price, size] of bids) this.set(Side.Bid, price, size);
    for (const [price, size] of asks) this.set(Side.Ask, price, size);
  }

  clear(): void {
    this.levels.clear();
    this.hashLow = 0;
    this.hashHigh = 0;
  }

  private set(side: Side, price: number, size: number): void {
    const old = this.levels.set(side, price, size);
    for (const quantity of [old, size]) {
      if (quantity === 0) continue;
      this.hashLow ^= levelHashLane(HASH_SEED_LOW, side, price, quantity);
      this.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side, price, quantity);
    }
  }
}

function bestOf(levels: NaiveLadder): number[] {
  return [Side.Bid, Side.Ask].flatMap((side) => {
    const best = levels.best(side);
    return best < 0 ? [0, 0] : [best, levels.sizeAt(side, best)];
  });
}

export class StreamChecker {
  private readonly positions = new Map<number, { epoch: number; sequence: number }>();
  private readonly books = new Map<number, FollowedBook>();

  book(instrument = 0): FollowedBook {
    let book = this.books.get(instrument);
    if (book === undefined) {
      book = new FollowedBook();
      this.books.set(instrument, book);
    }
    return book;
  }

  accept(message: OutMessage): void {
    this.checkPosition(message);
    const book = this.book(message.instrument);
    switch (message.typeId) {
      case R.RecordType.BookSnapshotOut:
        if ((message.flags & EventFlag.Snapshot) !== 0) book.clear();
        else assert.ok((message.flags & EventFlag.Continued) !== 0, 'a further part says so');
        book.apply(message.bids, message.asks);
        book.isWhole = (message.flags & EventFlag.Last) !== 0;
        this.follow(book, message);
        break;
      case R.RecordType.BookDeltaOut:
        assert.ok(book.isWhole, 'a delta comes after a whole snapshot');
        assert.equal(message.epoch, book.epoch, 'a delta is of the epoch of its snapshot');
        book.apply(message.bids, message.asks);
        this.follow(book, message);
        break;
      case R.RecordType.BookStatusOut:
        if (message.epoch !== book.epoch) {
          assert.equal(
            message.state,
            BookState.Syncing,
            'an epoch told by a status has no book yet',
          );
        } else {
          assert.equal(message.hash, book.hash, 'a status carries the hash of what was told');
        }
        if (message.epoch !== book.epoch) book.isWhole = false;
        this.follow(book, message);
        break;
      case R.RecordType.BboOut:
        book.bbo = message.bbo;
        assert.equal(message.state, book.state, 'the best is told in the state of the book');
        if (message.state === BookState.Live) assert.deepEqual(message.bbo, bestOf(book.levels));
        break;
      default:
        break;
    }
  }

  private follow(book: FollowedBook, message: OutMessage): void {
    book.epoch = message.epoch;
    book.state = message.state;
    book.reason = message.reason;
    book.venueSequence = message.venueSequence;
    book.isComplete = (message.flags & EventFlag.Last) !== 0;
    const isBook = message.typeId !== R.RecordType.BookStatusOut;
    if (isBook && book.isWhole)
      assert.equal(message.hash, book.hash, 'the hash is that of the levels');
    if (message.state !== BookState.Live) return;
    assert.ok(
      book.isWhole || (message.flags & EventFlag.Last) === 0,
      'a Live book has its snapshot',
    );
    if (!book.isComplete) return;
    const [bid, ask] = [book.levels.best(Side.Bid), book.levels.best(Side.Ask)];
    assert.ok(bid < 0 || ask < 0 || bid < ask, 'a Live book is not crossed');
  }

  private checkPosition(message: OutMessage): void {
    const { head, epoch, sequence } = message;
    const channel = CHANNEL_OF[message.typeId]!;
    const stream = head[HeadField.StreamId]!;
    assert.equal(stream, streamIdOf(message.instrument, channel));
    const before = this.positions.get(stream);
    assert.equal(sequence, (before?.sequence ?? 0) + 1, 'sequences rise by one');
    assert.equal(head[HeadField.FirstSequence], sequence);
    assert.ok(epoch >= (before?.epoch ?? 1), 'epochs rise');
    assert.ok(head[HeadField.AppliedNs]! >= head[HeadField.ReceivedNs]!, 'applied after received');
    this.positions.set(stream, { epoch, sequence });
  }
}
