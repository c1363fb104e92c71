import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateReason } from '../../src/domain/book-state.js';
import { VenueColumn } from '../../src/ingest/ingest-counters.js';
import { IngestHarness, MS } from '../support/ingest-harness.js';
import type { HarnessOptions } from '../support/ingest-harness.js';
import { settle } from '../support/memory-http.js';
import { toyVenue } from '../support/toy-venue.js';

function harness(options: Partial<HarnessOptions> = {}): IngestHarness {
  return new IngestHarness({ venue: toyVenue(), ...options });
}

const REFUSED = StateReason.SnapshotRefused;

test('SnapshotSource: a failure is told to the book, and the wish stays until it is fulfilled', async () => {
  const h = harness();
  h.want(0);
  h.http.requests[0]!.answer(503, 'down');
  await settle();
  const [told] = h.take();
  assert.match(told!, new RegExp(`^refused 0 ${REFUSED} \\d+ms$`));
  assert.ok(Number(/(\d+)ms/.exec(told!)![1]) <= 500);
  h.advance(501);
  assert.equal(h.http.requests.length, 2, 'tried again without being asked');
  h.http.requests[1]!.fail('127.0.0.1:1: too slow: beyond 10000 ms');
  await settle();
  h.advance(1_001);
  h.http.requests[2]!.answer(200, '{}');
  await settle();
  h.advance(2_001);
  h.http.requests[3]!.answer(200, 'not-now');
  await settle();
  h.advance(4_001);
  h.http.requests[4]!.answer(200, 'snapshot 9');
  await settle();
  assert.equal(h.take().at(-1), 'snapshot 0 9');
  assert.deepEqual(
    h.snapshots.map((report) => report.outcome),
    ['refused', 'unreachable', 'malformed', 'refused'],
  );
  assert.equal(h.faults.length, 2, 'both bodies are shown');
  assert.equal(h.venueRow.get(0, VenueColumn.Timeouts), 1);
  h.advance(600_000);
  assert.equal(h.http.requests.length, 5);
});

test('SnapshotSource: a second wish while one is queued or under way changes nothing', async () => {
  const h = harness({ instruments: 20, limits: { snapshotConcurrencyMax: 2 } });
  for (let round = 0; round < 3; round++) for (let id = 0; id < 20; id++) h.want(id);
  assert.equal(h.http.requests.length, 2, 'no more at once than allowed');
  for (let answered = 0; answered < 20; answered++) {
    h.http.waiting[0]!.answer(200, 'snapshot 5');
    await settle();
    h.advance(1);
  }
  assert.equal(h.http.requests.length, 20);
  const urls = new Set(h.http.requests.map((request) => request.request.url));
  assert.equal(urls.size, 20, 'each instrument once');
  assert.equal(h.take().filter((event) => event.startsWith('snapshot')).length, 20);
});

test('SnapshotSource: 429 pauses the whole venue for Retry-After and tells every waiting book', async () => {
  const h = harness({ instruments: 4, limits: { snapshotConcurrencyMax: 2 } });
  for (let id = 0; id < 4; id++) h.want(id);
  h.http.requests[0]!.answer(429, '', { 'retry-after': '30' });
  await settle();
  assert.deepEqual(
    h.take(),
    [2, 3, 0].map((id) => `refused ${id} ${REFUSED} 31000ms`),
  );
  h.http.requests[1]!.answer(200, 'snapshot 1');
  await settle();
  h.advance(30_900);
  assert.equal(h.http.requests.length, 2, 'nothing is sent in the pause');
  h.want(1);
  h.advance(50);
  assert.equal(h.http.requests.length, 2, 'not even what is wished for now');
  h.advance(200);
  assert.equal(h.http.requests.length, 4);
  assert.equal(h.venueRow.get(0, VenueColumn.RateLimited), 1);
});

test('SnapshotSource: 418 without a word of how long pauses for ten minutes', async () => {
  const h = harness();
  h.want(0);
  h.http.requests[0]!.answer(418, '');
  await settle();
  assert.deepEqual(h.take(), [`refused 0 ${REFUSED} 600000ms`]);
  h.advance(599_000);
  assert.equal(h.http.requests.length, 1);
  h.advance(1_100);
  assert.equal(h.http.requests.length, 2);
  assert.equal(h.venueRow.get(0, VenueColumn.Banned), 1);
});

test('SnapshotSource: Retry-After as a date is understood, nonsense is not believed', async () => {
  for (const [header, ms] of [
    ['Mon, 21 Sep 2026 14:14:20 GMT', 61_000],
    ['soon', 60_000],
    ['99999999', 3 * 86_400_000],
    ['0', 1_000],
  ] as const) {
    const h = harness();
    // The harness's origin is 1790000000 s after 1970: 2026-09-21T14:13:20Z.
    h.clock.advanceTo(0);
    h.want(0);
    h.http.requests[0]!.answer(429, '', { 'retry-after': header });
    await settle();
    assert.deepEqual(h.take(), [`refused 0 ${REFUSED} ${ms}ms`], header);
  }
});

test('SnapshotSource: a book that asks again and again is served ever more slowly', async () => {
  const h = harness();
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    h.want(0);
    while (h.http.waiting.length === 0) h.advance(10);
    times.push(h.clock.nowNs() / MS);
    h.http.waiting[0]!.answer(200, `snapshot ${i}`);
    await settle();
    h.advance(1);
  }
  const pauses = times.slice(1).map((time, i) => time - times[i]!);
  assert.ok(pauses[0]! <= 120, 'the first repetition comes soon');
  assert.ok(pauses.at(-1)! > 10_000, `the last pause is ${pauses.at(-1)} ms`);
  h.advance(120_000);
  h.want(0);
  assert.equal(h.http.waiting.length, 1, 'much later it is served at once');
});

test('SnapshotSource: use reported by the venue counts against the budget', async () => {
  const h = harness({ instruments: 60, limits: { snapshotConcurrencyMax: 60 } });
  h.want(0);
  h.http.requests[0]!.answer(200, 'snapshot 1', { 'x-used': '1900' });
  await settle();
  for (let id = 1; id < 60; id++) h.want(id);
  assert.equal(h.http.requests.length, 2, '20 of 1920 are left');
  h.advance(61_000);
  assert.ok(h.http.requests.length > 40);
});

test('SnapshotSource: after the end nothing is sent and late answers are thrown away', async () => {
  const h = harness();
  h.want(0);
  h.ingest.onClose();
  h.http.requests[0]!.answer(200, 'snapshot 1');
  await settle();
  h.want(0);
  h.advance(100_000);
  assert.deepEqual(h.take(), []);
  assert.equal(h.http.requests.length, 1);
});
