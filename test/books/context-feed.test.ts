/** Contexts through the books room: what is merged, when it is told, and what is said of its source. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BooksColumn } from '../../src/books/books-counters.js';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { ContextField } from '../../src/domain/context-fields.js';
import * as R from '../../src/rings/record-types.js';
import { BooksRig, TIMELINE, instrument } from '../support/books-rig.js';
import type { OutMessage } from '../support/stream-checker.js';

const { MarkPrice, MidPrice, FundingRate } = ContextField;
const MARK = [84148, 0, 1] as const;
const MID = [84143, 5, 1] as const;

const contexts = (messages: readonly OutMessage[]): OutMessage[] =>
  messages.filter(({ typeId }) => typeId === R.RecordType.ContextOut);

function rigWithContexts(): BooksRig {
  const rig = new BooksRig({ contexts: true });
  const [first, ...more] = contexts(rig.turn());
  assert.equal(more.length, 0);
  assert.deepEqual([first!.state, first!.reason], [BookState.Syncing, StateReason.Starting]);
  assert.ok(first!.context.every((value) => value === null));
  return rig;
}

/** The contexts told by what `act` fed. */
function toldBy(rig: BooksRig, act: () => void): OutMessage[] {
  act();
  return contexts(rig.turn());
}

test('Context: each update is told as the whole context; what it does not name stays', () => {
  const rig = rigWithContexts();
  const [first] = toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK, [MidPrice]: MID }));
  assert.deepEqual([first!.state, first!.reason], [BookState.Live, StateReason.Aligned]);
  assert.deepEqual(first!.context[MarkPrice], [...MARK]);
  const [second] = toldBy(rig, () => rig.contextUpdate({ [MidPrice]: [84144, 25, 2] }));
  assert.deepEqual(second!.context[MarkPrice], [...MARK]);
  assert.deepEqual(second!.context[MidPrice], [84144, 25, 2]);
  assert.equal(second!.sequence, first!.sequence + 1);
  assert.equal(second!.epoch, first!.epoch);
});

test('Context: a value that is told to be none is none, and comes back', () => {
  const rig = rigWithContexts();
  toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK, [MidPrice]: MID }));
  const [none] = toldBy(rig, () => rig.contextUpdate({ [MidPrice]: null }));
  assert.equal(none!.context[MidPrice], null);
  assert.deepEqual(none!.context[MarkPrice], [...MARK]);
  const [back] = toldBy(rig, () => rig.contextUpdate({ [MidPrice]: MID }));
  assert.deepEqual(back!.context[MidPrice], [...MID], 'told though it is as it was before');
});

test('Context: an update that changes nothing is counted and not told', () => {
  const rig = rigWithContexts();
  toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK }, 5e9));
  assert.equal(toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK }, 5e9)).length, 0);
  assert.equal(rig.count(BooksColumn.Contexts), 2);
  assert.equal(rig.count(BooksColumn.ContextsUnchanged), 1);
  const [scale] = toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: [84148, 0, 2] }));
  assert.deepEqual(scale!.context[MarkPrice], [84148, 0, 2], 'another scale is another text');
  const [later] = toldBy(rig, () => rig.contextUpdate({}, 6e9));
  assert.equal(later!.nextFundingUnixNs, String(TIMELINE.toUnixNs(6e9)));
});

test('Context: a source that is silent, gone or refused is told with the last values', () => {
  const rig = rigWithContexts();
  toldBy(rig, () => rig.contextUpdate({ [FundingRate]: [0, -125, 7] }));
  const states = [
    [R.SourceState.Silent, StateReason.StreamSilent, BookState.Stale],
    [R.SourceState.Lost, StateReason.Disconnected, BookState.Stale],
    [R.SourceState.FrameLost, StateReason.PrecisionLost, BookState.Suspect],
    [R.SourceState.Silent, StateReason.StreamSilent, BookState.Suspect],
  ] as const;
  for (const [source, reason, state] of states) {
    const [told] = toldBy(rig, () => rig.source(source, reason, Channel.Context));
    assert.deepEqual([told!.state, told!.reason], [state, reason]);
    assert.deepEqual(told!.context[FundingRate], [0, -125, 7]);
  }
  const up = toldBy(rig, () => rig.source(R.SourceState.Up, 0, Channel.Context));
  assert.equal(up.length, 0, 'a source that is there has not said anything yet');
  const [again] = toldBy(rig, () => rig.contextUpdate({ [FundingRate]: [0, -125, 7] }));
  assert.deepEqual([again!.state, again!.reason], [BookState.Live, StateReason.StreamResumed]);
});

test('Context: before the first update a lost source says so and nothing is Live or Stale', () => {
  const rig = rigWithContexts();
  const [lost] = toldBy(rig, () =>
    rig.source(R.SourceState.Lost, StateReason.Disconnected, Channel.Context),
  );
  assert.deepEqual([lost!.state, lost!.reason], [BookState.Syncing, StateReason.Disconnected]);
});

test('Context: sources of other channels, and the book, are no matter of it', () => {
  const rig = rigWithContexts();
  toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK }));
  for (const channel of [Channel.Book, Channel.Bbo, Channel.Trades]) {
    const told = toldBy(rig, () => rig.source(R.SourceState.Lost, 6, channel));
    assert.equal(told.length, 0);
  }
  assert.equal(rig.agent.book(0)!.state, BookState.Syncing, 'and the book is none of the context');
});

test('Context: an instrument of another worker, or a node without contexts, tells none', () => {
  const rig = new BooksRig({ contexts: false });
  rig.turn();
  assert.equal(toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK })).length, 0);
  const two = new BooksRig({ contexts: true, instruments: [instrument(0), instrument(1)] });
  two.turn();
  const told = toldBy(two, () => two.contextUpdate({ [MarkPrice]: MARK }, undefined, 1));
  assert.deepEqual(
    told.map((message) => message.instrument),
    [1],
  );
});

test('Context: a worker that takes over begins a new epoch without values, sequences going on', () => {
  const rig = rigWithContexts();
  const [before] = toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK }));
  rig.clock.advanceBy(1e6);
  rig.agent = rig.createAgent(true);
  const [first] = contexts(rig.turn());
  assert.deepEqual([first!.state, first!.reason], [BookState.Syncing, StateReason.WorkerRestarted]);
  assert.ok(first!.epoch > before!.epoch);
  assert.equal(first!.context[MarkPrice], null);
});

test('Context: a reader of the output that was replaced is told the context again', () => {
  const rig = rigWithContexts();
  toldBy(rig, () => rig.contextUpdate({ [MarkPrice]: MARK }));
  rig.announceNewReader();
  const [again] = contexts(rig.turn());
  assert.deepEqual(again!.context[MarkPrice], [...MARK]);
});
