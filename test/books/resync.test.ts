import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { Resync, ResyncPhase } from '../../src/books/resync.js';

const LIMITS = {
  ...DEFAULT_BOOKS_LIMITS,
  retryBaseNs: 100,
  retryNsMax: 1000,
  liveStableNs: 5000,
  snapshotDeadlineNs: 10_000,
  snapshotDeadlineNsMax: 30_000,
};

test('Resync: pauses double with each attempt, up to the limit', () => {
  const resync = new Resync(LIMITS);
  resync.want(1, 0);
  const pauses: number[] = [];
  for (let now = 0; pauses.length < 6; now += 10_000) {
    resync.onSent(now);
    resync.onTooOld(now);
    pauses.push(resync.dueNs - now);
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1000, 1000]);
});

test('Resync: deadlines double with each attempt, up to the limit', () => {
  const resync = new Resync(LIMITS);
  resync.want(1, 0);
  const deadlines = [0, 1, 2, 3].map(() => {
    resync.onSent(0);
    return resync.dueNs;
  });
  assert.deepEqual(deadlines, [10_000, 20_000, 30_000, 30_000]);
  assert.equal(resync.isOverdue, true);
});

test('Resync: a wish while one is pending changes nothing', () => {
  const resync = new Resync(LIMITS);
  resync.want(3, 0);
  resync.onSent(0);
  resync.want(7, 50);
  assert.deepEqual([resync.phase, resync.reason, resync.dueNs], [ResyncPhase.InFlight, 3, 10_000]);
});

test('Resync: a series ends when the book was Live long enough, not before', () => {
  const resync = new Resync(LIMITS);
  resync.want(1, 0);
  resync.onSent(0);
  resync.onSnapshot();
  resync.onLive(100);
  resync.want(1, 200);
  assert.deepEqual([resync.attempts, resync.dueNs], [1, 300]);
  resync.onSent(300);
  resync.onSnapshot();
  resync.onLive(400);
  resync.want(1, 5400);
  assert.deepEqual([resync.attempts, resync.dueNs], [0, 5400]);
});

test('Resync: a refusal waits as long as the venue says, or the pause if that is longer', () => {
  const resync = new Resync(LIMITS);
  resync.want(1, 0);
  resync.onSent(0);
  resync.onRefused(70, 0);
  assert.equal(resync.dueNs, 100);
  resync.onRefused(7000, 50);
  assert.equal(resync.dueNs, 7050);
});

test('Resync: a refusal that nobody waits for is no wish', () => {
  const resync = new Resync(LIMITS);
  resync.onRefused(70, 0);
  assert.equal(resync.phase, ResyncPhase.Idle);
  assert.equal(resync.isDue(1e15), false);
});
