/** The agent between its rings: routing, backpressure, several outputs, replaced neighbours, take-over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BboRow } from '../../src/books/bbo-row.js';
import { BooksColumn, BooksWorkerColumn } from '../../src/books/books-counters.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { Prng } from '../../src/domain/prng.js';
import { InvariantError } from '../../src/faults/invariant.js';
import { ABSENT, RecordType, SourceState } from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import type { OutMessage } from '../support/stream-checker.js';
import { BooksRig, instrument, type RigOptions } from '../support/books-rig.js';
import { timeCell } from '../../src/time/clock.js';

function goLive(rig: BooksRig): void {
  rig.turn();
  rig.source(SourceState.Up);
  rig.depth(95, 100, 90, [], []);
  rig.snapshot(100, [[99, 5]], [[101, 4]]);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  rig.wanted();
}

/** `count` updates in order from 101 on, sizes by the seed. */
function feedUpdates(rig: BooksRig, count: number, seed: number, from = 100): void {
  const prng = new Prng(seed);
  for (let i = 0; i < count; i++) {
    rig.depth(
      from + i + 1,
      from + i + 1,
      from + i,
      [[99 - prng.nextInt(40), prng.nextInt(9)]],
      [[101 + prng.nextInt(40), prng.nextInt(9)]],
    );
  }
}

test('BooksAgent: all outputs get the same bytes in the same order', () => {
  const rig = new BooksRig({ outputs: 3 });
  goLive(rig);
  feedUpdates(rig, 50, 1);
  rig.turn(false);
  const second = rig.readRaw(1);
  const third = rig.readRaw(2);
  assert.ok(second.length > 50);
  assert.deepEqual(second, third);
  const before = rig.messages.length;
  const first = rig.readOutputs();
  assert.equal(before + first.length, second.length);
});

test('BooksAgent: a full output holds back the input; nothing is lost, nothing blocks', () => {
  const options: RigOptions = { outputWords: 4096, limits: { levelsPerMessageMax: 16 } };
  const rig = new BooksRig(options);
  const roomy = new BooksRig({ ...options, outputWords: 1 << 20 });
  goLive(rig);
  goLive(roomy);
  feedUpdates(rig, 600, 7);
  feedUpdates(roomy, 600, 7);
  rig.turn(false);
  assert.ok(rig.worker.get(0, BooksWorkerColumn.Spilled) > 0);
  assert.ok(rig.worker.get(0, BooksWorkerColumn.SpilledBytesMax) < 8192, 'the turn ended early');
  const recordsBefore = rig.worker.get(0, BooksWorkerColumn.Records);
  for (let i = 0; i < 5; i++) rig.turn(false);
  assert.equal(rig.worker.get(0, BooksWorkerColumn.Records), recordsBefore, 'no input is taken');
  for (let i = 0; i < 400; i++) rig.turn();
  for (let i = 0; i < 10; i++) roomy.turn();
  const digest = (all: readonly OutMessage[]): string[] => all.map((m) => JSON.stringify(m));
  assert.deepEqual(digest(rig.messages), digest(roomy.messages));
  assert.equal(rig.count(BooksColumn.Applied), 601);
});

test('BooksAgent: a whole book and all updates kept for it pass through a small output in order', () => {
  const rig = new BooksRig({
    inputWords: 1 << 19,
    outputWords: 4096,
    limits: { levelsPerMessageMax: 16 },
  });
  rig.turn();
  feedUpdates(rig, 900, 3);
  for (let i = 0; i < 5; i++) rig.turn();
  const asks = Array.from({ length: 500 }, (_, i) => [101 + i, i + 1] as const);
  rig.snapshot(100, [[99, 1]], asks);
  for (let i = 0; i < 1000; i++) rig.turn();
  assert.equal(rig.count(BooksColumn.Applied), 900);
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.ok(rig.worker.get(0, BooksWorkerColumn.SpilledBytesMax) > 16_384);
});

for (const [leaving, waiting] of [
  [1, 0],
  [0, 1],
] as const) {
  test(`BooksAgent: output ${leaving} leaves out what finds it full, output ${waiting} misses nothing`, () => {
    const rig = new BooksRig({
      outputs: 2,
      leaving: [leaving],
      outputWords: 4096,
      limits: { levelsPerMessageMax: 16 },
    });
    rig.turn(false);
    rig.depth(95, 100, 90, [], []);
    rig.snapshot(100, [[99, 5]], [[101, 4]]);
    const got: { readonly [output: number]: { typeId: number; bytes: Buffer }[] } = [[], []];
    for (let i = 0; i < 400; i++) {
      if (i < 200) feedUpdates(rig, 1, i, 100 + i);
      rig.turn(false);
      got[waiting]!.push(...rig.readRaw(waiting));
      // The other reader looks once in a while only.
      if (i % 150 === 149) got[leaving]!.push(...rig.readRaw(leaving));
    }
    got[leaving]!.push(...rig.readRaw(leaving));
    const leftOut = rig.worker.get(0, BooksWorkerColumn.LeftOut);
    assert.ok(leftOut > 20, `${leftOut} left out`);
    assert.equal(rig.count(BooksColumn.Applied), 201);
    assert.equal(got[leaving]!.length + leftOut, got[waiting]!.length);
    // What did arrive is whole, and in order.
    let at = 0;
    for (const record of got[leaving]!) {
      while (!got[waiting]![at]!.bytes.equals(record.bytes)) at++;
    }
    const deltas = got[waiting]!.filter(({ typeId }) => typeId === RecordType.BookDeltaOut);
    assert.equal(deltas.length, 201);
  });
}

test('BooksAgent: a big update goes out in parts, only the final one is Last', () => {
  const rig = new BooksRig({ limits: { levelsPerMessageMax: 4 } });
  goLive(rig);
  const bids = Array.from({ length: 13 }, (_, i) => [98 - i, 1] as const);
  const asks = Array.from({ length: 9 }, (_, i) => [102 + i, 1] as const);
  rig.depth(101, 105, 100, bids, asks);
  const parts = rig.turn().filter((m) => m.typeId === RecordType.BookDeltaOut);
  assert.deepEqual(
    parts.map((m) => [m.bids.length, m.asks.length, m.flags]),
    [
      [8, 0, 0],
      [5, 3, 0],
      [0, 6, 1],
    ],
  );
  assert.equal(rig.count(BooksColumn.Applied), 2);
  assert.equal(rig.checker.book().levels.count(0), 14);
});

test('BooksAgent: an output ring in which the largest message has no room is refused at the start', () => {
  assert.throws(() => new BooksRig({ outputWords: 1024 }), InvariantError);
});

test('BooksAgent: a record for an instrument of another worker is counted and not used', () => {
  const rig = new BooksRig({ instruments: [instrument(0), instrument(4)] });
  rig.turn();
  for (const id of [1, 5, 77]) rig.depth(1, 2, 0, [], [], id);
  assert.deepEqual(rig.turn(), []);
  assert.equal(rig.worker.get(0, BooksWorkerColumn.Misrouted), 3);
});

test('BooksAgent: a source state without an instrument concerns all', () => {
  const rig = new BooksRig({ instruments: [instrument(0), instrument(1)] });
  rig.turn();
  rig.source(SourceState.Up, 0, ABSENT, ABSENT);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.instrument),
    [0, 1],
  );
});

test('BooksAgent: a turn takes a bounded number of records', () => {
  const rig = new BooksRig({ limits: { recordsPerTurnMax: 16 } });
  rig.turn();
  feedUpdates(rig, 100, 2);
  assert.equal(rig.agent.doWork(timeCell(rig.clock.nowNs())), 16);
});

test('BooksAgent: an ingest thread that was replaced leaves books Stale until the stream proves itself', () => {
  const rig = new BooksRig();
  goLive(rig);
  rig.inputProducer.announceNewWriter();
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Stale);
  assert.equal(rig.checker.book().reason, StateReason.Disconnected);
  feedUpdates(rig, 1, 1);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
  assert.equal(rig.checker.book().reason, StateReason.StreamResumed);
});

test('BooksAgent: what a replaced ingest thread was asked for is asked for again', () => {
  const rig = new BooksRig();
  rig.turn();
  rig.source(SourceState.Up);
  rig.turn();
  assert.equal(rig.wanted().length, 1);
  rig.inputProducer.announceNewWriter();
  rig.source(SourceState.Up);
  rig.turn();
  rig.clock.advanceBy(200e6);
  rig.turn();
  assert.deepEqual(
    rig.wanted().map((w) => w.attempt),
    [2],
  );
});

test('BooksAgent: a reader that was replaced is told everything again, in sequence', () => {
  const rig = new BooksRig({ instruments: [instrument(0), instrument(1)] });
  goLive(rig);
  new RingConsumer(rig.outputRings[0]!).announceNewReader();
  const messages = rig.turn();
  const kinds = (id: number): number[] =>
    messages.filter((m) => m.instrument === id).map((m) => m.typeId);
  assert.deepEqual(kinds(0), [RecordType.BookSnapshotOut, RecordType.StatusOut, RecordType.BboOut]);
  assert.deepEqual(kinds(1), [RecordType.StatusOut, RecordType.BookStatusOut, RecordType.BboOut]);
  feedUpdates(rig, 5, 1);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
});

test('BooksAgent: one that takes over trusts nothing, continues every sequence in a new epoch', () => {
  const rig = new BooksRig();
  goLive(rig);
  feedUpdates(rig, 3, 1);
  rig.trade(1, 100, 1);
  rig.turn();
  const epoch = rig.checker.book().epoch;
  // The worker dies; its successor finds records that it must not trust.
  feedUpdates(rig, 3, 1, 500);
  rig.agent = rig.createAgent(true);
  const first = rig.turn();
  assert.equal(rig.checker.book().state, BookState.Syncing);
  assert.equal(rig.checker.book().reason, StateReason.WorkerRestarted);
  assert.ok(rig.checker.book().epoch > epoch);
  assert.deepEqual(first.at(-1)!.bbo, [0, 0, 0, 0]);
  assert.equal(rig.bboRow()![BboRow.State], BookState.Syncing);
  assert.deepEqual(rig.wanted(), [
    { instrument: 0, reason: StateReason.WorkerRestarted, attempt: 1 },
  ]);
  rig.depth(601, 610, 600, [[98, 7]], []);
  rig.snapshot(605, [[99, 5]], [[101, 4]]);
  rig.trade(2, 100, 1);
  rig.turn();
  assert.equal(rig.checker.book().state, BookState.Live);
});

test('BooksAgent: latencies are measured, and none is negative when the venue clock is ahead', () => {
  const rig = new BooksRig();
  goLive(rig);
  rig.latencies.venueToReceived.length = 0;
  rig.latencies.receivedToApplied.length = 0;
  feedUpdates(rig, 1, 1);
  rig.clock.advanceBy(1000);
  rig.turn();
  assert.deepEqual(rig.latencies.venueToReceived, [5_000_000]);
  assert.deepEqual(rig.latencies.receivedToApplied, [1000]);
  const ahead = rig.book(0, 1, [102, 102, 101], [], []);
  ahead[2] = rig.clock.nowNs() + 1e6;
  rig.feed(RecordType.DepthUpdate, ahead);
  rig.turn();
  assert.equal(rig.latencies.venueToReceived.length, 1);
});

test('BooksAgent: closing publishes what is unfinished', () => {
  const rig = new BooksRig({ outputWords: 4096, limits: { levelsPerMessageMax: 16 } });
  goLive(rig);
  feedUpdates(rig, 300, 7);
  rig.turn(false);
  rig.readOutputs();
  rig.agent.onClose();
  assert.ok(rig.readOutputs().length > 0);
});
