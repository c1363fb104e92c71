/** The state machine of a book, driven through real rings by the rig; its streams checked all along. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BboRow } from '../../src/books/bbo-row.js';
import { BooksColumn } from '../../src/books/books-counters.js';
import {
  BookState,
  bookStateName,
  StateReason,
  stateReasonName,
} from '../../src/domain/book-state.js';
import { Trading } from '../../src/domain/definition.js';
import { Channel } from '../../src/domain/channel.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { Prng } from '../../src/domain/prng.js';
import { RecordType, SourceState } from '../../src/rings/record-types.js';
import { BooksRig, instrument } from '../support/books-rig.js';
import type { OutMessage } from '../support/stream-checker.js';

const NAMES: Readonly<Record<number, string>> = {
  [RecordType.BookSnapshotOut]: 'snapshot',
  [RecordType.BookDeltaOut]: 'delta',
  [RecordType.BboOut]: 'bbo',
  [RecordType.TradesOut]: 'trades',
  [RecordType.StatusOut]: 'status',
  [RecordType.BookStatusOut]: 'book-status',
};

/** `what state/reason @venue sequence`, the way the tables below are written. */
function told(messages: readonly OutMessage[]): string[] {
  return messages.map((m) => {
    const state = `${NAMES[m.typeId]} ${bookStateName(m.state)}/${stateReasonName(m.reason)}`;
    return m.typeId === RecordType.BookDeltaOut || m.typeId === RecordType.BookSnapshotOut
      ? `${state} @${m.venueSequence}`
      : state;
  });
}

const BIDS = [
  [99, 5],
  [98, 3],
] as const;
const ASKS = [
  [101, 4],
  [102, 2],
] as const;

/** A rig whose book is Live at update 110. */
function liveRig(options: ConstructorParameters<typeof BooksRig>[0] = {}): BooksRig {
  const rig = new BooksRig(options);
  rig.turn();
  rig.source(SourceState.Up);
  rig.depth(95, 100, 90, [[97, 1]], []);
  rig.snapshot(105, BIDS, ASKS);
  rig.depth(101, 110, 100, [[99, 6]], []);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  rig.wanted();
  return rig;
}

test('OrderBook: says at the start that it is Syncing, and asks for nothing before frames arrive', () => {
  const rig = new BooksRig();
  assert.deepEqual(told(rig.turn()), [
    'status Syncing/Starting',
    'book-status Syncing/Starting',
    'bbo Syncing/Starting',
  ]);
  assert.deepEqual(rig.wanted(), []);
  assert.equal(rig.bboRow()![BboRow.State], BookState.Syncing);
});

test('OrderBook: asks for a snapshot when its source is up, or when the first update comes', () => {
  const byState = new BooksRig();
  byState.source(SourceState.Up);
  byState.turn();
  assert.deepEqual(byState.wanted(), [{ instrument: 0, reason: StateReason.Starting, attempt: 1 }]);
  const byUpdate = new BooksRig();
  byUpdate.depth(1, 2, 0, [], []);
  byUpdate.turn();
  assert.equal(byUpdate.wanted().length, 1);
  byUpdate.depth(3, 4, 2, [], []);
  byUpdate.source(SourceState.Up);
  byUpdate.turn();
  assert.deepEqual(byUpdate.wanted(), [], 'one request is under way');
});

test('OrderBook: is Live when the first update kept continues the snapshot; each update makes one delta', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(95, 100, 90, [[97, 1]], []);
  rig.depth(101, 110, 100, [[99, 6]], []);
  rig.depth(111, 112, 110, [], [[101, 0]]);
  rig.snapshot(105, BIDS, ASKS);
  assert.deepEqual(told(rig.turn()), [
    'snapshot Live/Aligned @105',
    'status Live/Aligned',
    'bbo Live/Aligned',
    'delta Live/Aligned @110',
    'bbo Live/Aligned',
    'delta Live/Aligned @112',
    'bbo Live/Aligned',
  ]);
  const book = rig.checker.book();
  assert.deepEqual(
    book.levels.levels(0),
    [
      [99, 6],
      [98, 3],
    ],
    'an update before the snapshot is dropped',
  );
  assert.deepEqual(book.levels.levels(1), [[102, 2]]);
  assert.equal(rig.count(BooksColumn.Stale), 1);
  assert.equal(rig.count(BooksColumn.Applied), 2);
  assert.equal(rig.count(BooksColumn.Resyncs), 0);
  assert.equal(rig.count(BooksColumn.Buffered), 0);
  assert.equal(rig.messages.find((m) => m.name !== '')?.name, 'test:S0USDT');
});

test('OrderBook: a snapshot alone does not make it Live', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(95, 100, 90, [], []);
  rig.snapshot(105, BIDS, ASKS);
  assert.deepEqual(told(rig.turn()), []);
  assert.equal(rig.bboRow()![BboRow.State], BookState.Syncing);
  rig.depth(106, 110, 105, [[98, 4]], []);
  assert.deepEqual(told(rig.turn()).slice(0, 1), ['snapshot Live/Aligned @105']);
});

test('OrderBook: an update that the snapshot already contains makes an empty delta', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 105, 100, [[99, 77]], []);
  rig.snapshot(105, BIDS, ASKS);
  const messages = rig.turn();
  const delta = messages.find((m) => m.typeId === RecordType.BookDeltaOut)!;
  assert.equal(delta.venueSequence, 105);
  assert.deepEqual([...delta.bids, ...delta.asks], []);
  assert.deepEqual(
    rig.checker.book().levels.levels(0),
    BIDS.map((level) => [...level]),
  );
});

test('OrderBook: an update in order that changes nothing still makes one delta, and no new best', () => {
  const rig = liveRig();
  rig.depth(111, 115, 110, [[99, 6]], [[500, 0]]);
  assert.deepEqual(told(rig.turn()), ['delta Live/Aligned @115']);
});

test('OrderBook: a gap makes it Suspect in-band at once, in the old epoch, and asks anew', () => {
  const rig = liveRig();
  const epoch = rig.checker.book().epoch;
  rig.clock.advanceBy(2e9);
  rig.depth(121, 130, 120, [[99, 1]], []);
  const messages = rig.turn();
  assert.deepEqual(told(messages), [
    'status Suspect/Gap',
    'book-status Suspect/Gap',
    'bbo Suspect/Gap',
  ]);
  assert.equal(messages[1]!.epoch, epoch);
  assert.deepEqual(rig.wanted(), [{ instrument: 0, reason: StateReason.Gap, attempt: 1 }]);
  assert.equal(rig.count(BooksColumn.Gaps), 1);
  assert.equal(rig.count((BooksColumn.ResyncsByReason + StateReason.Gap) as BooksColumn), 1);
  assert.equal(rig.bboRow()![BboRow.State], BookState.Suspect);
  // What came after the gap was kept, the very update that showed it included.
  rig.depth(131, 140, 130, [], [[101, 9]]);
  rig.snapshot(125, [[99, 2]], [[101, 4]]);
  assert.deepEqual(
    told(rig.turn()).filter((line) => !line.startsWith('bbo')),
    [
      'snapshot Live/Aligned @125',
      'status Live/Aligned',
      'delta Live/Aligned @130',
      'delta Live/Aligned @140',
    ],
  );
  assert.ok(rig.checker.book().epoch > epoch, 'the new book is a new epoch');
});

test('OrderBook: a gap among the updates kept is found while they are taken', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [[99, 6]], []);
  rig.depth(121, 130, 120, [[99, 7]], []);
  rig.depth(131, 140, 130, [[99, 8]], []);
  rig.snapshot(105, BIDS, ASKS);
  const lines = told(rig.turn());
  assert.ok(lines.includes('delta Live/Aligned @110'));
  assert.equal(lines.at(-1), 'bbo Suspect/Gap');
  assert.equal(rig.count(BooksColumn.Buffered), 2);
  rig.snapshot(125, BIDS, ASKS);
  assert.deepEqual(
    told(rig.turn()).filter((line) => line.startsWith('delta')),
    ['delta Live/Aligned @130', 'delta Live/Aligned @140'],
  );
});

test('OrderBook: a snapshot older than the first update kept is asked for again, after a pause', () => {
  const rig = new BooksRig({ limits: { retryBaseNs: 50e6 } });
  rig.turn();
  rig.depth(101, 110, 100, [[99, 6]], []);
  rig.snapshot(80, BIDS, ASKS);
  assert.deepEqual(told(rig.turn()), []);
  assert.equal(rig.count(BooksColumn.SnapshotsTooOld), 1);
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [1],
  );
  rig.clock.advanceBy(40e6);
  rig.turn();
  assert.deepEqual(rig.wanted(), []);
  rig.clock.advanceBy(20e6);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [2],
  );
  rig.snapshot(105, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
});

test('OrderBook: a snapshot that never comes is asked for again at its deadline, ever more slowly', () => {
  const rig = new BooksRig({ limits: { snapshotDeadlineNs: 1e9, snapshotDeadlineNsMax: 4e9 } });
  rig.turn();
  rig.source(SourceState.Up);
  rig.turn();
  const attempts: number[] = [];
  for (let ms = 0; ms <= 12_000; ms += 10) {
    for (const { attempt } of rig.wanted()) attempts.push(ms, attempt);
    rig.clock.advanceBy(10e6);
    rig.turn();
  }
  assert.deepEqual(attempts, [0, 1, 1000, 2, 3000, 3, 7000, 4, 11_000, 5]);
  assert.equal(rig.count(BooksColumn.SnapshotTimeouts), 4);
});

test('OrderBook: a refused snapshot is asked for again when the refusal says, and the reason is told', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.source(SourceState.Up);
  rig.turn();
  rig.refused(3e9);
  assert.deepEqual(told(rig.turn()), [
    'status Syncing/SnapshotRefused',
    'book-status Syncing/SnapshotRefused',
    'bbo Syncing/SnapshotRefused',
  ]);
  assert.equal(rig.wanted().length, 1);
  rig.clock.advanceBy(2.9e9);
  rig.turn();
  assert.deepEqual(rig.wanted(), []);
  rig.clock.advanceBy(0.2e9);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [2],
  );
});

test('OrderBook: one that breaks right after it was Live continues its series of attempts', () => {
  const rig = liveRig({ limits: { retryBaseNs: 100e6, liveStableNs: 1e9 } });
  rig.depth(121, 130, 120, [], []);
  rig.turn();
  assert.deepEqual(rig.wanted(), [], 'not at once: it was Live for an instant only');
  rig.clock.advanceBy(110e6);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [2],
  );
});

test('OrderBook: snapshots in parts count only when whole', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [[90, 1]], []);
  rig.snapshot(105, [[99, 5]], [], EventFlag.Snapshot);
  rig.snapshot(105, [[98, 3]], [], EventFlag.Continued);
  assert.deepEqual(rig.turn(), []);
  rig.depth(111, 112, 110, [[91, 1]], []);
  rig.snapshot(105, [], ASKS, EventFlag.Continued | EventFlag.Last);
  rig.turn();
  assert.deepEqual(rig.checker.book().levels.levels(0), [
    [99, 5],
    [98, 3],
    [91, 1],
    [90, 1],
  ]);
  assert.deepEqual(
    rig.checker.book().levels.levels(1),
    ASKS.map((level) => [...level]),
  );
});

test('OrderBook: parts without their beginning are not used', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [], []);
  rig.snapshot(105, [[98, 3]], [], EventFlag.Continued);
  rig.snapshot(105, [], ASKS, EventFlag.Continued | EventFlag.Last);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Syncing);
});

test('OrderBook: a snapshot that comes while the book is whole is not used', () => {
  const rig = liveRig();
  rig.snapshot(300, [[1, 1]], [[2, 1]]);
  rig.snapshot(301, [[1, 1]], [], EventFlag.Snapshot);
  rig.snapshot(301, [], [[2, 1]], EventFlag.Continued | EventFlag.Last);
  assert.deepEqual(rig.turn(), []);
  assert.equal(rig.count(BooksColumn.SnapshotsIgnored), 2);
  rig.depth(111, 115, 110, [[99, 1]], []);
  assert.deepEqual(told(rig.turn())[0], 'delta Live/Aligned @115');
});

test('OrderBook: a crossed book is never shown as Live', () => {
  const rig = liveRig();
  rig.depth(111, 115, 110, [[101, 1]], []);
  assert.deepEqual(told(rig.turn()), [
    'status Suspect/Crossed',
    'book-status Suspect/Crossed',
    'bbo Suspect/Crossed',
  ]);
  assert.equal(rig.count(BooksColumn.Crossed), 1);
  assert.deepEqual(rig.messages.at(-1)!.bbo, [99, 6, 101, 4], 'the last best that was good');
  // A snapshot from before the update that crossed cannot be continued: one after it can.
  rig.clock.advanceBy(10e9);
  rig.depth(116, 120, 115, [], []);
  rig.snapshot(111, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.count(BooksColumn.SnapshotsTooOld), 1);
  rig.snapshot(118, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
});

test('OrderBook: a crossed snapshot is not shown', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [], []);
  rig.snapshot(105, [[103, 1]], ASKS);
  assert.deepEqual(told(rig.turn())[0], 'status Syncing/Crossed');
  rig.clock.advanceBy(1e9);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [1, 2],
  );
});

test('OrderBook: sides that cross inside an update and not at its end are fine', () => {
  const rig = liveRig();
  rig.depth(111, 115, 110, [[101, 1]], [[101, 0]]);
  assert.deepEqual(told(rig.turn()), ['delta Live/Aligned @115', 'bbo Live/Aligned']);
});

test('OrderBook: silence makes it Stale, the next update in order Live again without a new epoch', () => {
  const rig = liveRig();
  const epoch = rig.checker.book().epoch;
  rig.source(SourceState.Silent);
  assert.deepEqual(told(rig.turn()), [
    'status Stale/StreamSilent',
    'book-status Stale/StreamSilent',
    'bbo Stale/StreamSilent',
  ]);
  rig.source(SourceState.Up);
  assert.deepEqual(rig.turn(), []);
  rig.depth(111, 115, 110, [[99, 1]], []);
  assert.deepEqual(told(rig.turn()), [
    'status Live/StreamResumed',
    'book-status Live/StreamResumed',
    'bbo Live/StreamResumed',
    'delta Live/StreamResumed @115',
    'bbo Live/StreamResumed',
  ]);
  assert.equal(rig.checker.book().epoch, epoch);
  assert.equal(rig.count(BooksColumn.Resyncs), 0);
});

test('OrderBook: a lost connection leaves it Stale; continuity proven by the next update needs no snapshot', () => {
  const rig = liveRig();
  rig.source(SourceState.Lost);
  assert.deepEqual(told(rig.turn())[1], 'book-status Stale/Disconnected');
  rig.source(SourceState.Up);
  rig.depth(111, 115, 110, [], []);
  assert.deepEqual(told(rig.turn())[1], 'book-status Live/StreamResumed');
  assert.deepEqual(rig.wanted(), []);
});

test('OrderBook: a lost connection that skipped updates is a gap', () => {
  const rig = liveRig();
  rig.clock.advanceBy(5e9);
  rig.source(SourceState.Lost);
  rig.source(SourceState.Up);
  rig.depth(121, 130, 120, [], []);
  assert.deepEqual(
    told(rig.turn()).filter((line) => line.startsWith('book-status')),
    ['book-status Stale/Disconnected', 'book-status Suspect/Gap'],
  );
  assert.equal(rig.wanted().length, 1);
});

test('OrderBook: asks for no snapshot while its source is lost', () => {
  const rig = liveRig();
  rig.clock.advanceBy(5e9);
  rig.source(SourceState.Lost);
  rig.source(SourceState.FrameLost, StateReason.RingFull);
  rig.turn();
  assert.deepEqual(rig.wanted(), []);
  rig.source(SourceState.Up);
  rig.turn();
  assert.deepEqual(rig.wanted(), [{ instrument: 0, reason: StateReason.RingFull, attempt: 1 }]);
});

for (const reason of [
  StateReason.MalformedFrame,
  StateReason.RingFull,
  StateReason.PrecisionLost,
]) {
  test(`OrderBook: a lost frame (${stateReasonName(reason)}) makes it Suspect with that reason`, () => {
    const rig = liveRig();
    rig.source(SourceState.FrameLost, reason);
    assert.equal(told(rig.turn())[1], `book-status Suspect/${stateReasonName(reason)}`);
    assert.equal(rig.count((BooksColumn.ResyncsByReason + reason) as BooksColumn), 1);
  });
}

test('OrderBook: a frame lost on another channel does not touch it', () => {
  const rig = liveRig();
  rig.source(SourceState.FrameLost, StateReason.MalformedFrame, Channel.Trades);
  rig.source(SourceState.Lost, 0, Channel.Bbo);
  assert.deepEqual(rig.turn(), []);
});

test('OrderBook: too many updates before the snapshot: the oldest are forgotten, and it says so', () => {
  const rig = new BooksRig({ limits: { pendingRecordsMax: 3 } });
  rig.turn();
  for (let i = 0; i < 5; i++)
    rig.depth(101 + 10 * i, 110 + 10 * i, 100 + 10 * i, [[90 + i, 1]], []);
  const lines = told(rig.turn());
  assert.deepEqual(
    lines.filter((line) => line.startsWith('book-status')),
    ['book-status Syncing/BufferOverflow'],
  );
  assert.equal(rig.count(BooksColumn.BufferDropped), 2);
  // The snapshot under way is older than what is left.
  rig.snapshot(105, BIDS, ASKS);
  rig.turn();
  assert.equal(rig.count(BooksColumn.SnapshotsTooOld), 1);
  rig.clock.advanceBy(1e9);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [1, 2],
  );
  rig.snapshot(135, BIDS, ASKS);
  assert.ok(told(rig.turn()).includes('delta Live/Aligned @150'));
});

test('OrderBook: new decimals start the book anew, with nothing of the old mantissas', () => {
  const rig = liveRig();
  rig.defined(2, 3, 5);
  const messages = rig.turn();
  assert.equal(told(messages)[1], 'book-status Suspect/InstrumentChanged');
  assert.deepEqual(messages.at(-1)!.bbo, [0, 0, 0, 0]);
  rig.clock.advanceBy(5e9);
  rig.depth(111, 115, 110, [], []);
  rig.snapshot(112, [[9900, 5]], [[10_100, 4]]);
  rig.turn();
  assert.deepEqual(rig.checker.book().bbo, [9900, 5, 10_100, 4]);
});

test('OrderBook: another tick or state at the same decimals is told, and the book goes on', () => {
  const rig = liveRig();
  const before = rig.checker.book();
  rig.defined(1, 3, 5, 0, Trading.Halted);
  const messages = rig.turn();
  assert.deepEqual(
    told(messages).filter((line) => line.includes('status')),
    ['status Live/Aligned', 'book-status Live/Aligned'],
  );
  assert.deepEqual(rig.checker.book().bbo, before.bbo);
  assert.equal(rig.count(BooksColumn.Redefinitions), 1);
  assert.equal(rig.count(BooksColumn.Resyncs), 0);
  // Prices off the coarser tick and beyond it are as good as before.
  rig.depth(111, 120, 110, [[98, 4]], [[103, 2]]);
  assert.ok(told(rig.turn()).includes('delta Live/Aligned @120'));
});

test('OrderBook: a second new scale before the book is Live again is told too', () => {
  const rig = liveRig();
  rig.defined(2, 3, 5);
  rig.turn();
  rig.defined(3, 3, 5);
  const lines = told(rig.turn());
  assert.ok(lines.includes('status Suspect/InstrumentChanged'), lines.join(', '));
  assert.equal(rig.count(BooksColumn.Redefinitions), 2);
});

test('OrderBook: the same decimals told again change nothing', () => {
  const rig = liveRig();
  rig.defined(1, 3, 1);
  assert.deepEqual(rig.turn(), []);
});

test('OrderBook: a duplicate is counted and makes no message', () => {
  const rig = liveRig();
  rig.depth(101, 110, 100, [[99, 55]], []);
  assert.deepEqual(rig.turn(), []);
  assert.equal(rig.count(BooksColumn.Stale), 2);
});

test('OrderBook: trades pass in every state; duplicates are dropped, lost ones make a new epoch', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.trade(7, 100, 2, 1);
  rig.trade(7, 100, 2, 1);
  rig.trade(8, 101, 3);
  rig.trade(11, 102, 1);
  const trades = rig.turn();
  assert.deepEqual(
    trades.map((m) => m.trades[0]!.slice(0, 3)),
    [
      [100, 2, 7],
      [101, 3, 8],
      [102, 1, 11],
    ],
  );
  assert.equal(trades[0]!.trades[0]![4], 1, 'the aggressor');
  assert.equal(trades[0]!.epoch, trades[1]!.epoch);
  assert.ok(trades[2]!.epoch > trades[1]!.epoch);
  assert.equal(rig.count(BooksColumn.Trades), 3);
  assert.equal(rig.count(BooksColumn.TradeDuplicates), 1);
  assert.equal(rig.count(BooksColumn.TradeGaps), 1);
});

test('OrderBook: the ticker at the very id of an update must agree, whichever comes first', () => {
  const before = liveRig();
  before.ticker(115, [99, 9], [101, 4]);
  before.depth(111, 115, 110, [[99, 8]], []);
  assert.equal(told(before.turn()).at(-1), 'bbo Suspect/IntegrityMismatch');
  const after = liveRig();
  after.ticker(90, [99, 9], [101, 4]);
  after.depth(111, 115, 110, [[99, 8]], []);
  after.turn();
  assert.equal(after.checker.book().state, BookState.Live);
  after.ticker(115, [99, 9], [101, 4]);
  assert.equal(told(after.turn()).at(-1), 'bbo Suspect/IntegrityMismatch');
  assert.equal(after.count(BooksColumn.Failed), 1);
  const equal = liveRig();
  equal.ticker(115, [99, 8], [101, 4]);
  equal.depth(111, 115, 110, [[99, 8]], []);
  equal.turn();
  assert.equal(equal.checker.book().state, BookState.Live);
  assert.equal(equal.count(BooksColumn.Passed), 1);
  assert.equal(equal.count(BooksColumn.Checked), 1);
});

test('OrderBook: between two tickers an equal best passes and a different one proves nothing', () => {
  const rig = liveRig();
  rig.ticker(112, [99, 8], [101, 4]);
  rig.ticker(119, [99, 7], [101, 4]);
  rig.depth(111, 115, 110, [[99, 8]], []);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Passed), 1);
  rig.ticker(122, [99, 3], [101, 4]);
  rig.ticker(140, [99, 2], [101, 4]);
  rig.depth(116, 130, 115, [[99, 7]], []);
  const unverifiable = rig.count(BooksColumn.Unverifiable);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.equal(rig.count(BooksColumn.Unverifiable), unverifiable + 1);
  assert.equal(rig.count(BooksColumn.Failed), 0);
});

test('OrderBook: without a ticker stream every update is unverifiable, never passed', () => {
  const rig = liveRig();
  rig.depth(111, 115, 110, [], []);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Unverifiable), 2);
  assert.equal(rig.count(BooksColumn.Checked), 0);
});

test('OrderBook: a book beyond its bound is taken anew', () => {
  const rig = liveRig({ limits: { levelsPerSideMax: 4 } });
  rig.depth(
    111,
    115,
    110,
    [
      [10, 1],
      [11, 1],
    ],
    [],
  );
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  rig.depth(116, 120, 115, [[12, 1]], []);
  assert.equal(told(rig.turn()).at(-1), 'bbo Suspect/BufferOverflow');
});

test('OrderBook: a venue that sends its snapshot in the stream is Live with it, and again with the next', () => {
  const rig = new BooksRig({ snapshotInStream: true });
  rig.turn();
  rig.snapshot(105, BIDS, ASKS);
  assert.equal(told(rig.turn())[0], 'snapshot Live/Aligned @105');
  rig.depth(106, 110, 105, [[99, 6]], []);
  rig.snapshot(200, [[50, 1]], [[60, 1]]);
  const lines = told(rig.turn());
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('bbo')),
    ['delta Live/Aligned @110', 'snapshot Live/Aligned @200', 'status Live/Aligned'],
  );
  assert.deepEqual(rig.checker.book().bbo, [50, 1, 60, 1]);
});

test('OrderBook: the seqlock row holds the best, the state and the place of every update', () => {
  const rig = liveRig();
  rig.depth(111, 115, 110, [[97, 1]], []);
  rig.turn();
  const row = rig.bboRow()!;
  const book = rig.checker.book();
  assert.deepEqual(Array.from(row.subarray(0, 4)), [99, 6, 101, 4]);
  assert.equal(row[BboRow.State], BookState.Live);
  assert.equal(row[BboRow.VenueSequence], 115);
  assert.equal(row[BboRow.Epoch], book.epoch);
  assert.deepEqual([row[BboRow.BidLevels], row[BboRow.AskLevels]], [3, 2]);
  const lastBook = rig.messages.findLast((m) => m.typeId === RecordType.BookDeltaOut)!;
  assert.equal(row[BboRow.Sequence], lastBook.sequence);
});

test('OrderBook: losing one instrument leaves the others as they are', () => {
  const rig = new BooksRig({ instruments: [instrument(0), instrument(1), instrument(5)] });
  rig.turn();
  for (const id of [0, 1, 5]) {
    rig.depth(101, 110, 100, [], [], id);
    rig.snapshot(105, BIDS, ASKS, EventFlag.Snapshot | EventFlag.Last, id);
  }
  rig.turn();
  rig.depth(121, 130, 120, [], [], 1);
  rig.depth(111, 115, 110, [[99, 1]], [], 0);
  rig.depth(111, 115, 110, [[99, 1]], [], 5);
  rig.turn();
  assert.deepEqual(
    [0, 1, 5].map((id) => rig.checker.book(id).state),
    [BookState.Live, BookState.Suspect, BookState.Live],
  );
});

test('OrderBook: an update in several records is whole with its last one', () => {
  const rig = liveRig();
  rig.feed(RecordType.DepthUpdate, rig.book(0, 0, [111, 115, 110], [[101, 1]], []));
  rig.feed(RecordType.DepthUpdate, rig.book(0, EventFlag.Last, [111, 115, 110], [], [[101, 0]]));
  const messages = rig.turn();
  assert.deepEqual(told(messages), [
    'delta Live/Aligned @115',
    'delta Live/Aligned @115',
    'bbo Live/Aligned',
  ]);
  assert.deepEqual([messages[0]!.flags, messages[1]!.flags], [0, EventFlag.Last]);
  assert.equal(rig.count(BooksColumn.Applied), 2);
});

test('OrderBook: the rest of an update that a loss cut in two is judged anew', () => {
  const rig = liveRig();
  rig.clock.advanceBy(5e9);
  rig.feed(RecordType.DepthUpdate, rig.book(0, 0, [111, 115, 110], [[98, 1]], []));
  rig.source(SourceState.FrameLost, StateReason.MalformedFrame);
  rig.feed(RecordType.DepthUpdate, rig.book(0, EventFlag.Last, [111, 115, 110], [[97, 1]], []));
  rig.snapshot(120, BIDS, ASKS);
  rig.depth(121, 125, 120, [], []);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.deepEqual(
    rig.checker.book().levels.levels(0),
    BIDS.map((level) => [...level]),
  );
});

test('OrderBook: what was kept before a lost frame is forgotten, and no second request goes out', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [], []);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Buffered), 1);
  rig.source(SourceState.FrameLost, StateReason.MalformedFrame);
  rig.turn();
  assert.equal(rig.count(BooksColumn.Buffered), 0);
  rig.clock.advanceBy(1e9);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [1],
    'the one under way will be judged',
  );
});

test('OrderBook: a snapshot older than the one that is loaded is not used', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(95, 100, 90, [], []);
  rig.snapshot(105, BIDS, ASKS);
  rig.snapshot(90, [[1, 1]], [[2, 1]]);
  rig.depth(106, 110, 105, [], []);
  assert.equal(told(rig.turn())[0], 'snapshot Live/Aligned @105');
});

test('OrderBook: a frame lost between the parts of a snapshot spoils it', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.depth(101, 110, 100, [], []);
  rig.snapshot(105, BIDS, [], EventFlag.Snapshot);
  rig.source(SourceState.FrameLost, StateReason.RingFull);
  rig.snapshot(105, [], ASKS, EventFlag.Continued | EventFlag.Last);
  rig.depth(106, 112, 105, [], []);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Syncing);
  assert.equal(rig.count(BooksColumn.Snapshots), 0);
});

test('OrderBook: silence before it was ever Live changes nothing', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.source(SourceState.Silent);
  assert.deepEqual(rig.turn(), []);
});

test('OrderBook: one of 1,000 levels a side takes at most 400 KB with all that it keeps', () => {
  const rig = new BooksRig({ follow: false });
  rig.turn();
  const book = rig.agent.book(0)!;
  assert.ok(
    book.memoryBytes < 4096,
    'an instrument that nothing is known of takes next to nothing',
  );
  const prng = new Prng(3);
  const side = (worse: number): [number, number][] =>
    Array.from({ length: 1000 }, (_, i) => [1_000_000 + worse * (1 + i * 9 + prng.nextInt(9)), 5]);
  rig.depth(101, 110, 100, [], []);
  rig.snapshot(105, side(-1), side(1));
  rig.turn();
  for (let i = 0; i < 20_000; i++) {
    const last = 112 + 2 * i;
    const worse = prng.chance(0.5) ? -1 : 1;
    const away = 1 + prng.nextInt(prng.chance(0.9) ? 3000 : 60_000);
    const price = 1_000_000 + worse * away;
    const ladder = book.levels.ladder;
    const isThere = ladder.sizeAt(worse < 0 ? 0 : 1, price) > 0;
    const isFull = ladder.count(worse < 0 ? 0 : 1) >= 1000;
    const change: [number, number][] = isThere || isFull ? [[price, 0]] : [[price, 3]];
    rig.depth(last, last, last - 2, worse < 0 ? change : [], worse < 0 ? [] : change);
    rig.ticker(last - 1, [1, 1], [2, 2]);
    if (i % 50 === 0) rig.turn();
    assert.ok(book.memoryBytes <= 400_000, `${book.memoryBytes} B after ${i} updates`);
  }
  rig.turn();
  assert.equal(rig.count(BooksColumn.Applied), 20_001);
});
