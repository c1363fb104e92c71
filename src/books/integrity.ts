/**
 * Cross-check of a book with the venue's own best bid and ask (Binance bookTicker, whose `u` is a
 * book update id). Both streams are ordered by id, but either may be ahead of the other, so the last
 * tickers and the best levels that await a ticker are remembered, bounded. Books thread; hot.
 *
 *     exact      a ticker with the very id of the update: any difference is a definite mismatch
 *     between    the id lies between two tickers that we have: nothing changed since the earlier
 *                one, so an equal best passes; a different one only means that a ticker never
 *                reached us (seen in real captures), which proves nothing: unverifiable
 *
 * Never a false alarm: only `exact` fails.
 */
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  SEQUENCE_LAST,
  TICKER_ASK_PRICE,
  TICKER_ASK_SIZE,
  TICKER_BID_PRICE,
  TICKER_BID_SIZE,
} from '../rings/record-types.js';
import type { BookView } from './book-view.js';
import { BooksColumn } from './books-counters.js';
import type { BooksLimits } from './limits.js';

/** Id, bid price, bid size, ask price, ask size. */
const FIELDS = 5;

export class BboCheck {
  private readonly counters: CounterTable;
  private readonly row: number;
  private readonly tickersMax: number;
  private readonly statesMax: number;
  /** Circular, ids rising. Allocated with the first ticker. */
  private tickers = new Float64Array(0);
  private tickersFirst = 0;
  private tickersCount = 0;
  private lastTickerId = ABSENT;
  private readonly states: Float64Array;
  private statesFirst = 0;
  private statesCount = 0;

  constructor(limits: BooksLimits, counters: CounterTable, row: number) {
    this.counters = counters;
    this.row = row;
    this.tickersMax = limits.tickersMax;
    this.statesMax = limits.statesMax;
    this.states = new Float64Array(limits.statesMax * FIELDS);
  }

  /** A BookTicker record arrived. True if it definitely contradicts a state of the book. */
  onTicker(record: Float64Array, recordAt: number): boolean {
    const id = record[recordAt + SEQUENCE_LAST]!;
    if (id === ABSENT || id <= this.lastTickerId) return false;
    if (this.tickers.length === 0) this.tickers = new Float64Array(this.tickersMax * FIELDS);
    if (this.tickersCount === this.tickersMax) {
      this.tickersFirst = (this.tickersFirst + 1) % this.tickersMax;
      this.tickersCount--;
    }
    const at = ((this.tickersFirst + this.tickersCount) % this.tickersMax) * FIELDS;
    this.tickers[at] = id;
    this.tickers[at + 1] = record[recordAt + TICKER_BID_PRICE]!;
    this.tickers[at + 2] = record[recordAt + TICKER_BID_SIZE]!;
    this.tickers[at + 3] = record[recordAt + TICKER_ASK_PRICE]!;
    this.tickers[at + 4] = record[recordAt + TICKER_ASK_SIZE]!;
    this.tickersCount++;
    this.lastTickerId = id;
    let contradicted = false;
    while (this.statesCount > 0 && this.states[this.statesFirst * FIELDS]! <= id) {
      if (!this.judge(this.statesFirst * FIELDS)) contradicted = true;
      this.dropState();
    }
    return contradicted;
  }

  /** The best that was published for the update just applied. True if definitely contradicted. */
  onState(view: BookView): boolean {
    const id = view.venueSequence;
    if (this.statesCount === this.statesMax) {
      this.noteUnverifiable(1);
      this.dropState();
    }
    if (id === ABSENT || this.lastTickerId === ABSENT) {
      this.noteUnverifiable(1);
      return false;
    }
    const at = ((this.statesFirst + this.statesCount) % this.statesMax) * FIELDS;
    this.states[at] = id;
    this.states[at + 1] = view.bidPrice;
    this.states[at + 2] = view.bidSize;
    this.states[at + 3] = view.askPrice;
    this.states[at + 4] = view.askSize;
    if (id > this.lastTickerId) {
      this.statesCount++;
      return false;
    }
    return !this.judge(at);
  }

  /** The book is taken anew: what it was no longer counts. */
  forgetStates(): void {
    this.noteUnverifiable(this.statesCount);
    this.statesCount = 0;
  }

  /** The ticker stream lost continuity: no id lies between two tickers across the break. */
  forgetTickers(): void {
    this.tickersCount = 0;
    this.lastTickerId = ABSENT;
    this.forgetStates();
  }

  get memoryBytes(): number {
    return this.tickers.byteLength + this.states.byteLength;
  }

  private dropState(): void {
    this.statesFirst = (this.statesFirst + 1) % this.statesMax;
    this.statesCount--;
  }

  private noteUnverifiable(states: number): void {
    this.counters.add(this.row, BooksColumn.Unverifiable, states);
  }

  /** Judges the state at `states[at]`, whose id is at most that of the newest ticker. False: wrong. */
  private judge(at: number): boolean {
    const { states, tickers } = this;
    const id = states[at]!;
    // Newest ticker with an id of at most `id`.
    let low = 0;
    let high = this.tickersCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.tickerId(middle) <= id) low = middle + 1;
      else high = middle;
    }
    const ticker = ((this.tickersFirst + low - 1 + this.tickersMax) % this.tickersMax) * FIELDS;
    const equal =
      low > 0 &&
      sameSide(tickers[ticker + 1]!, tickers[ticker + 2]!, states[at + 1]!, states[at + 2]!) &&
      sameSide(tickers[ticker + 3]!, tickers[ticker + 4]!, states[at + 3]!, states[at + 4]!);
    const exact = low > 0 && tickers[ticker] === id;
    if (!equal && !exact) {
      this.noteUnverifiable(1);
      return true;
    }
    this.counters.add(this.row, BooksColumn.Checked, 1);
    this.counters.add(this.row, equal ? BooksColumn.Passed : BooksColumn.Failed, 1);
    return equal;
  }

  private tickerId(index: number): number {
    return this.tickers[((this.tickersFirst + index) % this.tickersMax) * FIELDS]!;
  }
}

/** An empty side has size 0, whatever stands for its price. */
function sameSide(priceA: number, sizeA: number, priceB: number, sizeB: number): boolean {
  return sizeA === sizeB && (priceA === priceB || sizeA === 0);
}
