/** A book that every frame replaces: what is told of it, and what is not; through real rings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { BboRow } from '../../src/books/bbo-row.js';
import { BookDiff } from '../../src/books/book-diff.js';
import { BookLevels } from '../../src/books/book-levels.js';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { Side } from '../../src/domain/side.js';
import * as R from '../../src/rings/record-types.js';
import { BlockTimeSequencer } from '../../src/venues/hyperliquid/sequencer.js';
import { BooksRig } from '../support/books-rig.js';
import type { Levels } from '../support/books-rig.js';
import type { OutMessage } from '../support/stream-checker.js';

const BIDS: Levels = [
  [99, 5],
  [98, 3],
];
const ASKS: Levels = [
  [101, 4],
  [102, 2],
];

function replacedRig(): BooksRig {
  const rig = new BooksRig({
    snapshotInEveryFrame: true,
    createSequencer: () => new BlockTimeSequencer(),
  });
  rig.turn();
  rig.source(R.SourceState.Up);
  rig.snapshot(1000, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  rig.wanted();
  return rig;
}

const ofType = (messages: readonly OutMessage[], typeId: number): OutMessage[] =>
  messages.filter((message) => message.typeId === typeId);

test('ReplacedBook: a frame goes out as one delta of what differs, in the same epoch', () => {
  const rig = replacedRig();
  const { epoch } = rig.checker.book();
  rig.snapshot(
    1500,
    [
      [99, 6],
      [97, 1],
    ],
    [
      [100, 1],
      [101, 4],
      [102, 2],
    ],
  );
  const messages = rig.turn();
  assert.equal(ofType(messages, R.RecordType.BookSnapshotOut).length, 0);
  const [delta, ...more] = ofType(messages, R.RecordType.BookDeltaOut);
  assert.equal(more.length, 0);
  assert.deepEqual(delta!.bids, [
    [99, 6],
    [98, 0],
    [97, 1],
  ]);
  assert.deepEqual(delta!.asks, [[100, 1]]);
  assert.equal(delta!.epoch, epoch);
  assert.equal(delta!.venueSequence, 1500);
  assert.equal(rig.count(BooksColumn.Applied), 2);
  assert.equal(rig.count(BooksColumn.Resyncs), 0);
});

test('ReplacedBook: a frame like the one before is told as a delta without levels', () => {
  const rig = replacedRig();
  rig.snapshot(1000, BIDS, ASKS);
  const [delta] = ofType(rig.turn(), R.RecordType.BookDeltaOut);
  assert.deepEqual([delta!.bids, delta!.asks], [[], []]);
  assert.equal(ofType(rig.messages, R.RecordType.BboOut).at(-1)!.state, BookState.Live);
});

test('ReplacedBook: a frame of an earlier block is dropped', () => {
  const rig = replacedRig();
  rig.snapshot(999, [[90, 1]], [[110, 1]]);
  assert.deepEqual(rig.turn(), []);
  assert.equal(rig.count(BooksColumn.Stale), 1);
});

test('ReplacedBook: a crossed frame makes it Suspect, the next one Live in a new epoch', () => {
  const rig = replacedRig();
  const { epoch } = rig.checker.book();
  rig.snapshot(1500, [[105, 1]], [[104, 1]]);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Suspect);
  assert.equal(rig.count(BooksColumn.Crossed), 1);
  rig.snapshot(2000, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.ok(rig.checker.book().epoch > epoch);
});

test('ReplacedBook: a frame that is not best first makes it Suspect', () => {
  for (const bids of [
    [
      [98, 3],
      [99, 5],
    ],
    [
      [99, 5],
      [99, 6],
    ],
  ] as const) {
    const rig = replacedRig();
    rig.snapshot(1500, bids, ASKS);
    const messages = rig.turn();
    assert.equal(ofType(messages, R.RecordType.BookDeltaOut).length, 0);
    assert.equal(rig.checker.book().state, BookState.Suspect);
    assert.equal(messages.at(-1)!.reason, StateReason.MalformedFrame);
  }
});

test('ReplacedBook: a lost connection makes it Stale; the next frame goes on in its epoch', () => {
  const rig = replacedRig();
  const { epoch } = rig.checker.book();
  rig.source(R.SourceState.Lost, StateReason.Disconnected);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Stale);
  rig.source(R.SourceState.Up);
  rig.snapshot(9000, [[95, 1]], [[96, 1]]);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.equal(rig.checker.book().epoch, epoch);
});

test('ReplacedBook: a side may be empty, and a book with neither is no fault', () => {
  const rig = replacedRig();
  rig.snapshot(1500, [], ASKS);
  rig.snapshot(2000, [], []);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.equal(rig.bboRow()![0], 0);
});

test('ReplacedBook: a best bid and ask of the same block must be those of the frame', () => {
  const rig = replacedRig();
  rig.ticker(1500, [99, 5], [101, 4]);
  rig.snapshot(1500, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Passed), 1);
  rig.ticker(2000, [99, 5], [101, 9]);
  rig.snapshot(2000, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Failed), 1);
  assert.equal(rig.checker.book().state, BookState.Suspect);
});

const side = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 20 });
const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 40, maxLength: 40 });
const wholeBook = fc.record({ bids: side, asks: side, sizes }).map((made) => ({
  bids: made.bids
    .toSorted((a, b) => b - a)
    .map((price, i) => [price, made.sizes[i]!] as [number, number]),
  asks: made.asks
    .toSorted((a, b) => a - b)
    .map((price, i) => [price + 100, made.sizes[20 + i]!] as [number, number]),
}));

test('BookDiff: leads from any book to any other, with equal hash and no level too many', () => {
  const diff = new BookDiff();
  fc.assert(
    fc.property(fc.array(wholeBook, { minLength: 2, maxLength: 6 }), (books) => {
      const levels = new BookLevels(1);
      const before = new Map<string, number>();
      for (const { bids, asks } of books) {
        const header = Array.from({ length: R.FEED_HEADER_DOUBLES }, (_, i) => i);
        const record = Float64Array.of(
          7,
          7,
          7,
          ...header,
          bids.length,
          asks.length,
          ...bids.flat(),
          ...asks.flat(),
        );
        const update = diff.between(levels.ladder, record, 3)!;
        const [bidsCount, asksCount] = [update[R.BIDS_COUNT]!, update[R.ASKS_COUNT]!];
        assert.deepEqual([...update.subarray(0, R.FEED_HEADER_DOUBLES)], header);
        const after = new Map<string, number>();
        for (const [price, size] of bids) after.set(`b${price}`, size);
        for (const [price, size] of asks) after.set(`a${price}`, size);
        const changed = new Set([...before.keys(), ...after.keys()]);
        for (const key of changed) if (before.get(key) === after.get(key)) changed.delete(key);
        assert.equal(bidsCount + asksCount, changed.size);
        levels.apply(update, R.LEVELS, bidsCount, asksCount);
        const fresh = new BookLevels(1);
        fresh.apply(
          Float64Array.from([...bids.flat(), ...asks.flat()]),
          0,
          bids.length,
          asks.length,
        );
        assert.equal(levels.hash.low, fresh.hash.low);
        assert.equal(levels.hash.high, fresh.hash.high);
        assert.equal(levels.ladder.count(Side.Bid), bids.length);
        assert.equal(levels.ladder.count(Side.Ask), asks.length);
        before.clear();
        for (const [key, size] of after) before.set(key, size);
      }
    }),
  );
});

/** A trade without channel numbers, as Hyperliquid's are. */
function offer(rig: BooksRig, id: number, timeNs: number): void {
  const header = [0, EventFlag.Last, timeNs, 1, R.ABSENT, R.ABSENT, R.ABSENT, R.ABSENT];
  rig.feed(R.RecordType.Trade, [...header, 100, 1, 0, id]);
}

const tradeEpochs = (messages: readonly OutMessage[]): number[] =>
  ofType(messages, R.RecordType.TradesOut).map((message) => message.epoch);

test('TradeFeed: without numbers, a trade is told once by time and id, in whatever order', () => {
  const rig = replacedRig();
  for (const [id, time] of [
    [9, 10],
    [5, 10],
    [9, 11],
    [9, 10],
    [5, 10],
    [9, 11],
    [5, 12],
  ]) {
    offer(rig, id!, time!);
  }
  assert.equal(tradeEpochs(rig.turn()).length, 4);
  assert.equal(rig.count(BooksColumn.TradeDuplicates), 3);
  assert.equal(rig.count(BooksColumn.TradeGaps), 0);
});

test('TradeFeed: after a break, a repeated trade proves that nothing was lost; none is a gap', () => {
  const rig = replacedRig();
  offer(rig, 1, 10);
  rig.source(R.SourceState.Lost, StateReason.Disconnected, Channel.Trades);
  offer(rig, 1, 10);
  offer(rig, 2, 11);
  const joined = tradeEpochs(rig.turn());
  assert.equal(joined.length, 2);
  assert.equal(joined[0], joined[1]);
  rig.source(R.SourceState.Lost, StateReason.Disconnected, Channel.Trades);
  offer(rig, 3, 50);
  const [after] = tradeEpochs(rig.turn());
  assert.ok(after! > joined[1]!);
  assert.equal(rig.count(BooksColumn.TradeGaps), 1);
});

test('TradeFeed: remembers thousands of trades, and forgets the oldest', () => {
  const rig = replacedRig();
  let told = 0;
  const offerAll = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      // every third trade has the id of one before it, at another time
      offer(rig, i % 3 === 0 ? 7 : i + 10, i);
      if (i % 100 === 0) told += tradeEpochs(rig.turn()).length;
    }
    told += tradeEpochs(rig.turn()).length;
  };
  offerAll(0, 10_000);
  assert.equal(told, 10_000);
  offerAll(6_000, 10_000);
  assert.equal(told, 10_000);
  offerAll(0, 3);
  assert.equal(told, 10_003);
});

/** A frame with the orders at its best prices. */
function frameWithOrders(rig: BooksRig, sequence: number, bidOrders: number, askOrders: number): void {
  const flags = EventFlag.Snapshot | EventFlag.Last | R.WITH_BEST_ORDERS;
  const frame = rig.book(0, flags, [R.ABSENT, sequence, R.ABSENT], BIDS, ASKS);
  rig.feed(R.RecordType.DepthSnapshot, [...frame, bidOrders, askOrders]);
}

test('ReplacedBook: the orders at the best prices are told with them, also when they alone change', () => {
  const rig = replacedRig();
  const bbos = (): number[][] =>
    ofType(rig.turn(), R.RecordType.BboOut).map(({ bboOrders }) => bboOrders);
  frameWithOrders(rig, 1500, 7, 3);
  assert.deepEqual(bbos(), [[7, 3]]);
  frameWithOrders(rig, 2000, 7, 3);
  assert.deepEqual(bbos(), [], 'nothing changed');
  frameWithOrders(rig, 2500, 8, 3);
  assert.deepEqual(bbos(), [[8, 3]]);
  frameWithOrders(rig, 2400, 1, 1);
  assert.deepEqual(bbos(), [], 'a frame older than the book says nothing');
  rig.snapshot(3000, BIDS, []);
  assert.deepEqual(bbos(), [[0, 0]], 'a frame that does not tell them');
  assert.equal(rig.bboRow()![BboRow.BidOrders], 0);
});
