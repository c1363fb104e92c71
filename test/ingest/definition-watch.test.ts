/** When the venue is asked for its instruments, by a table on a clock of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/domain/prng.js';
import { DefinitionWatch } from '../../src/ingest/definition-watch.js';
import type { DefinitionsAnswer } from '../../src/ingest/definition-watch.js';
import { VENUE_COLUMNS, VenueColumn } from '../../src/ingest/ingest-counters.js';
import { INGEST_LIMITS, NS_PER_MS } from '../../src/ingest/limits.js';
import { RateLimit } from '../../src/ingest/rate-limit.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { toyInstruments } from '../support/toy-venue.js';

const LEAST_MS = INGEST_LIMITS.definitionsAgainMsMin;
const MOST_MS = INGEST_LIMITS.definitionsAgainMsMax;
const NOTHING: DefinitionsAnswer = { outcome: 'told', changed: [], usedWeight: null };
const FAILED: DefinitionsAnswer = { outcome: 'failed', retryAfterMs: 0 };
const changed = (...ids: number[]): DefinitionsAnswer => ({
  outcome: 'told',
  changed: toyInstruments(8).filter(({ id }) => ids.includes(id)),
  usedWeight: null,
});

class Rig {
  readonly counters = new CounterTable(createCounterTable(1, VENUE_COLUMNS), VENUE_COLUMNS);
  readonly budget = new RateLimit({ count: 100, perMs: 60_000 }, 1, 1);
  /** Time and doubts of each question. */
  readonly asked: { ms: number; doubted: readonly number[] }[] = [];
  readonly watch: DefinitionWatch;
  nowMs = 0;

  constructor(everyMs = 0, weight = 1) {
    this.watch = new DefinitionWatch({
      source: {
        everyMs,
        weight,
        ask: (doubted) => this.asked.push({ ms: this.nowMs, doubted: [...doubted] }),
      },
      budget: this.budget,
      prng: new Prng(5),
      limits: INGEST_LIMITS,
      counters: this.counters,
    });
    this.watch.start(0);
  }

  doubt(id: number): void {
    this.watch.doubt(id, this.nowMs * NS_PER_MS);
    this.look();
  }

  answer(answer: DefinitionsAnswer): void {
    this.watch.onAnswer(answer, this.nowMs * NS_PER_MS);
    this.look();
  }

  run(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += 1;
      this.look();
    }
  }

  private look(): void {
    this.watch.onTime(this.nowMs * NS_PER_MS);
  }
}

test('DefinitionWatch: asks every so often, with some jitter, one question at a time', () => {
  const rig = new Rig(10_000);
  for (let round = 1; round <= 5; round++) {
    const before = rig.nowMs;
    rig.run(11_100);
    assert.equal(rig.asked.length, round);
    const gapMs = rig.asked.at(-1)!.ms - before;
    assert.ok(gapMs >= 8_990 && gapMs <= 11_010, `${gapMs} ms`);
    rig.answer(NOTHING);
    // From here the next period is counted.
    rig.run(0);
  }
  assert.deepEqual(rig.asked[0]!.doubted, []);
});

test('DefinitionWatch: without a period nothing is asked until a scale is in doubt, then at once', () => {
  const rig = new Rig(0);
  rig.run(3_600_000);
  assert.deepEqual(rig.asked, []);
  rig.doubt(4);
  rig.doubt(4);
  rig.doubt(2);
  assert.deepEqual(rig.asked, [{ ms: 3_600_000, doubted: [4] }]);
  assert.equal(rig.counters.get(0, VenueColumn.DefinitionsDoubted), 3);
  rig.answer(changed(4));
  rig.run(LEAST_MS - 1);
  assert.equal(rig.asked.length, 1, 'not again so soon');
  rig.run(1);
  assert.deepEqual(rig.asked[1], { ms: 3_600_000 + LEAST_MS, doubted: [2] });
});

test('DefinitionWatch: a doubt that came while we asked is settled by the answer that explains it', () => {
  const rig = new Rig(0);
  rig.doubt(4);
  rig.doubt(4);
  rig.answer(changed(4));
  rig.run(10 * MOST_MS);
  assert.equal(rig.asked.length, 1);
});

test('DefinitionWatch: answers that explain nothing are followed up ever more slowly', () => {
  const rig = new Rig(0);
  for (let round = 0; round < 40; round++) {
    rig.doubt(1);
    rig.run(1);
    if (rig.asked.length > round) rig.answer(NOTHING);
    rig.run(MOST_MS + LEAST_MS);
  }
  const gaps: number[] = [];
  const storm = new Rig(0);
  for (let ms = 0; ms < 600_000; ms++) {
    storm.doubt(1);
    storm.run(1);
    if (storm.asked.length > gaps.length) {
      gaps.push(storm.nowMs);
      storm.answer(NOTHING);
    }
  }
  assert.ok(gaps.length < 80, `${gaps.length} questions in ten minutes of doubt`);
  assert.ok(gaps.length > 15, 'and never given up');
  for (let i = 1; i < gaps.length; i++) assert.ok(gaps[i]! - gaps[i - 1]! >= LEAST_MS);
});

test('DefinitionWatch: a failure keeps the doubt, counts, and is tried again', () => {
  const rig = new Rig(0);
  rig.doubt(6);
  rig.answer(FAILED);
  assert.equal(rig.asked.length, 1);
  rig.run(3 * LEAST_MS);
  assert.deepEqual(rig.asked[1]?.doubted, [6]);
  assert.equal(rig.counters.get(0, VenueColumn.DefinitionFailures), 1);
});

test('DefinitionWatch: an answer that does not come is a failure', () => {
  const rig = new Rig(0);
  rig.doubt(6);
  rig.run(INGEST_LIMITS.definitionsMsMax);
  assert.equal(rig.counters.get(0, VenueColumn.DefinitionFailures), 1);
  rig.run(3 * LEAST_MS);
  assert.equal(rig.asked.length, 2);
  // The late answer to the first question is taken for the second's: it changes nothing for the worse.
  rig.answer(NOTHING);
  rig.answer(NOTHING);
});

test('DefinitionWatch: the venue’s budget comes first, and "not now" is obeyed', () => {
  const rig = new Rig(0, 60);
  rig.doubt(1);
  rig.answer(changed(1));
  rig.run(LEAST_MS);
  rig.doubt(2);
  rig.run(30_000);
  assert.equal(rig.asked.length, 1, 'the second would be beyond the budget of a minute');
  rig.run(30_000);
  assert.equal(rig.asked.length, 2);
  rig.answer({ outcome: 'failed', retryAfterMs: 300_000 });
  assert.ok(rig.budget.tryTake(1, rig.nowMs * NS_PER_MS) > 0, 'snapshots wait too');
  rig.run(299_000);
  assert.equal(rig.asked.length, 2);
  rig.run(2_000);
  assert.equal(rig.asked.length, 3);
});

test('DefinitionWatch: once stopped it asks no more and takes no answer', () => {
  const rig = new Rig(1_000);
  rig.watch.stop();
  rig.doubt(1);
  rig.answer(NOTHING);
  rig.run(100_000);
  assert.deepEqual(rig.asked, []);
});
