import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { BOOKS_COLUMNS, BooksColumn } from '../../src/books/books-counters.js';
import { BookView } from '../../src/books/book-view.js';
import { BboCheck } from '../../src/books/integrity.js';
import { DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import {
  ABSENT,
  BOOK_TICKER_DOUBLES,
  SEQUENCE_LAST,
  TICKER_BID_PRICE,
} from '../../src/rings/record-types.js';
import { instrument } from '../support/books-rig.js';

type Best = readonly [bidPrice: number, bidSize: number, askPrice: number, askSize: number];

class Bench {
  readonly counters = new CounterTable(createCounterTable(1, BOOKS_COLUMNS), BOOKS_COLUMNS);
  readonly check: BboCheck;
  private readonly view = new BookView(instrument(0));

  constructor(tickersMax = 8, statesMax = 4) {
    this.check = new BboCheck({ ...DEFAULT_BOOKS_LIMITS, tickersMax, statesMax }, this.counters, 0);
  }

  ticker(id: number, best: Best): boolean {
    const record = new Float64Array(BOOK_TICKER_DOUBLES);
    record[SEQUENCE_LAST] = id;
    record.set(best, TICKER_BID_PRICE);
    return this.check.onTicker(record, 0);
  }

  state(id: number, [bidPrice, bidSize, askPrice, askSize]: Best): boolean {
    Object.assign(this.view, { venueSequence: id, bidPrice, bidSize, askPrice, askSize });
    return this.check.onState(this.view);
  }

  /** Checked, passed, failed, unverifiable. */
  get counts(): number[] {
    const { Checked, Passed, Failed, Unverifiable } = BooksColumn;
    return [Checked, Passed, Failed, Unverifiable].map((column) => this.counters.get(0, column));
  }
}

const A: Best = [99, 1, 101, 1];
const B: Best = [99, 2, 101, 1];

test('BboCheck: several states wait until the ticker stream passes them', () => {
  const bench = new Bench();
  bench.ticker(10, A);
  for (const id of [11, 12, 14]) assert.equal(bench.state(id, A), false);
  assert.deepEqual(bench.counts, [0, 0, 0, 0]);
  bench.ticker(13, A);
  assert.deepEqual(bench.counts, [2, 2, 0, 0]);
  assert.equal(bench.ticker(14, B), true, 'the very id: a contradiction');
  assert.deepEqual(bench.counts, [3, 2, 1, 0]);
});

test('BboCheck: tickers that come again or too late say nothing', () => {
  const bench = new Bench();
  bench.ticker(10, A);
  bench.ticker(20, A);
  assert.equal(bench.ticker(10, B), false);
  assert.equal(bench.ticker(20, B), false);
  assert.equal(bench.state(20, A), false);
  assert.equal(bench.state(15, A), false);
  assert.deepEqual(bench.counts, [2, 2, 0, 0]);
});

test('BboCheck: a state from before the oldest ticker remembered is unverifiable', () => {
  const bench = new Bench(4);
  for (let id = 10; id < 200; id++) bench.ticker(id, [99, id, 101, 1]);
  bench.state(195, [99, 195, 101, 1]);
  assert.deepEqual(bench.counts, [0, 0, 0, 1]);
  for (const id of [196, 197, 198, 199]) bench.state(id, [99, id, 101, 1]);
  assert.deepEqual(bench.counts, [4, 4, 0, 1]);
});

test('BboCheck: states that wait too long are unverifiable, not passed', () => {
  const bench = new Bench(8, 2);
  bench.ticker(10, A);
  for (const id of [11, 12, 13, 14]) bench.state(id, A);
  assert.deepEqual(bench.counts, [0, 0, 0, 2]);
  bench.check.forgetStates();
  assert.deepEqual(bench.counts, [0, 0, 0, 4]);
  assert.equal(bench.ticker(14, B), false, 'a forgotten state contradicts nothing');
});

test('BboCheck: between two tickers of a broken stream nothing is proven', () => {
  const bench = new Bench();
  bench.ticker(10, A);
  bench.check.forgetTickers();
  bench.ticker(20, A);
  bench.state(15, A);
  assert.deepEqual(bench.counts, [0, 0, 0, 1]);
});

test('BboCheck: without an update id a state is unverifiable', () => {
  const bench = new Bench();
  bench.ticker(10, A);
  bench.state(ABSENT, A);
  assert.deepEqual(bench.counts, [0, 0, 0, 1]);
});

test('BboCheck: the price of an empty side does not count', () => {
  const bench = new Bench();
  bench.ticker(10, [0, 0, 101, 1]);
  bench.state(10, [55, 0, 101, 1]);
  assert.deepEqual(bench.counts, [1, 1, 0, 0]);
});

test('BboCheck: never a false alarm, and every state is accounted for, whatever is lost', () => {
  const steps = fc.array(
    fc.record({
      changes: fc.boolean(),
      hasState: fc.boolean(),
      tickerLost: fc.boolean(),
      lag: fc.nat(6),
    }),
    { maxLength: 80, size: 'max' },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const bench = new Bench(16, 4);
      let size = 1;
      let states = 0;
      // The ticker of step i arrives `lag` states later, in order.
      const late: { id: number; best: Best; due: number }[] = [];
      list.forEach(({ changes, hasState, tickerLost, lag }, id) => {
        if (changes) size++;
        const best: Best = [99, size, 101, 1];
        if (changes && !tickerLost) late.push({ id, best, due: id + lag });
        if (hasState) {
          states++;
          assert.equal(bench.state(id, best), false);
        }
        while (late.length > 0 && late[0]!.due <= id) {
          const ticker = late.shift()!;
          assert.equal(bench.ticker(ticker.id, ticker.best), false);
        }
      });
      bench.check.forgetStates();
      const [checked, passed, failed, unverifiable] = bench.counts;
      assert.equal(failed, 0);
      assert.equal(checked, passed);
      assert.equal(checked! + unverifiable!, states);
    }),
    { numRuns: 200 },
  );
});
