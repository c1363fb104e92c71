import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamTracker, Verdict, type MessageKind } from '../../src/client/stream-tracker.js';
import { EventFlag } from '../../src/domain/event-flags.js';

const { Last, Snapshot, Continued } = EventFlag;
const at = (epoch: number, sequence: number, flags: number = Last, firstSequence = sequence) => ({
  epoch,
  sequence,
  firstSequence,
  flags,
});

type Step = [kind: MessageKind, position: ReturnType<typeof at>, verdict: Verdict];

function book(): StreamTracker {
  const tracker = new StreamTracker('book');
  tracker.anchor(7, 10, false);
  assert.equal(tracker.onMessage('snapshot', at(7, 10, Snapshot | Last)), Verdict.Accept);
  return tracker;
}

function judge(tracker: StreamTracker, steps: Step[]): void {
  for (const [kind, position, verdict] of steps) {
    assert.equal(tracker.onMessage(kind, position), verdict, `${kind} ${JSON.stringify(position)}`);
  }
}

test('StreamTracker: contiguous deltas after the anchor are accepted', () => {
  const tracker = book();
  judge(tracker, [
    ['delta', at(7, 11), Verdict.Accept],
    ['delta', at(7, 12, 0), Verdict.Accept],
    ['status', at(7, 13), Verdict.Accept],
  ]);
  assert.deepEqual(tracker.resumePoint, { epoch: 7, sequence: 13 });
});

test('StreamTracker: a hole in the sequence is a gap and moves nothing', () => {
  const tracker = book();
  judge(tracker, [['delta', at(7, 12), Verdict.Gap]]);
  assert.equal(tracker.expectedSequence, 11);
});

test('StreamTracker: a message already contained is stale', () => {
  judge(book(), [
    ['delta', at(7, 10), Verdict.Stale],
    ['delta', at(7, 9), Verdict.Stale],
    ['delta', at(6, 99), Verdict.Stale],
  ]);
});

test('StreamTracker: a folded message must reach back to what is expected', () => {
  judge(book(), [
    ['delta', at(7, 15, Last, 11), Verdict.Accept],
    ['delta', at(7, 20, Last, 17), Verdict.Gap],
    ['delta', at(7, 20, Last, 14), Verdict.Accept],
  ]);
});

test('StreamTracker: a delta before the snapshot, or amid its parts, is a gap', () => {
  const fresh = new StreamTracker('book');
  fresh.anchor(7, 10, false);
  assert.equal(fresh.resumePoint, null);
  judge(fresh, [
    ['delta', at(7, 11), Verdict.Gap],
    ['snapshot', at(7, 10, Snapshot), Verdict.Accept],
    ['delta', at(7, 11), Verdict.Gap],
  ]);
  assert.equal(fresh.resumePoint, null);
});

test('StreamTracker: parts of a snapshot share a sequence or take the next one', () => {
  const anchored = new StreamTracker('book');
  anchored.anchor(7, 10, false);
  judge(anchored, [
    ['snapshot', at(7, 10, Snapshot), Verdict.Accept],
    ['snapshot', at(7, 10, Continued), Verdict.Accept],
    ['snapshot', at(7, 10, Continued | Last), Verdict.Accept],
    ['delta', at(7, 11), Verdict.Accept],
    ['snapshot', at(8, 12, Snapshot), Verdict.Accept],
    ['snapshot', at(8, 13, Continued | Last), Verdict.Accept],
    ['delta', at(8, 14), Verdict.Accept],
    ['snapshot', at(8, 15, Continued | Last), Verdict.Gap],
  ]);
});

test('StreamTracker: a part that skips one is a gap', () => {
  const tracker = book();
  judge(tracker, [
    ['snapshot', at(8, 11, Snapshot), Verdict.Accept],
    ['snapshot', at(8, 13, Continued | Last), Verdict.Gap],
  ]);
});

test('StreamTracker: a status of a new epoch voids the book until its snapshot', () => {
  const tracker = book();
  judge(tracker, [['status', at(8, 11), Verdict.Accept]]);
  assert.equal(tracker.resumePoint, null);
  judge(tracker, [
    ['delta', at(8, 12), Verdict.Gap],
    ['snapshot', at(8, 12, Snapshot | Last), Verdict.Accept],
    ['delta', at(8, 13), Verdict.Accept],
  ]);
});

test('StreamTracker: a delta of a new epoch without a snapshot is a gap', () => {
  judge(book(), [['delta', at(8, 11), Verdict.Gap]]);
});

test('StreamTracker: a bbo may repeat its anchor once, then continues', () => {
  const tracker = new StreamTracker('bbo');
  tracker.anchor(7, 10, false);
  judge(tracker, [
    ['bbo', at(7, 10), Verdict.Accept],
    ['bbo', at(7, 10), Verdict.Stale],
    ['bbo', at(7, 11), Verdict.Accept],
    ['bbo', at(9, 40), Verdict.Accept],
  ]);
});

test('StreamTracker: trades have no anchor, and none is counted twice', () => {
  const tracker = new StreamTracker('trades');
  tracker.anchor(7, 10, false);
  assert.deepEqual(tracker.resumePoint, { epoch: 7, sequence: 10 });
  judge(tracker, [
    ['trades', at(7, 10), Verdict.Stale],
    ['trades', at(7, 12, Last, 10), Verdict.Gap],
    ['trades', at(7, 12, Last, 11), Verdict.Accept],
  ]);
});

test('StreamTracker: a resumed book needs no snapshot', () => {
  const tracker = book();
  tracker.anchor(7, 10, true);
  judge(tracker, [['delta', at(7, 11), Verdict.Accept]]);
});

test('StreamTracker: a heartbeat tells silence from loss', () => {
  const tracker = book();
  for (let beat = 0; beat < 3; beat++) assert.equal(tracker.onHeartbeat(7, 11), false, 'silence');
  assert.equal(tracker.onHeartbeat(7, 12), false, 'on the way');
  assert.equal(tracker.onHeartbeat(7, 12), true, 'it never came');
});

test('StreamTracker: what a heartbeat announces may still come until the next one', () => {
  const late = book();
  assert.equal(late.onHeartbeat(7, 15), false);
  assert.equal(late.onMessage('delta', at(7, 16, Last, 11)), Verdict.Accept);
  assert.equal(late.onHeartbeat(7, 20), false);
  assert.equal(late.onMessage('delta', at(7, 17)), Verdict.Accept);
  assert.equal(late.onHeartbeat(7, 22), true, 'only a part of it came');
});

test('StreamTracker: an epoch that only heartbeats know of is a loss', () => {
  const tracker = book();
  assert.equal(tracker.onHeartbeat(8, 12), false);
  assert.equal(tracker.onHeartbeat(8, 13), true);
});
