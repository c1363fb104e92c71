/**
 * What is shown of one instrument's book: its levels, state and stamps, as publishers read them.
 * Books thread; hot.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { isSameScale } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';
import { Side } from '../domain/side.js';
import { ABSENT, EXCHANGE_NS, RECEIVED_NS, SEQUENCE_LAST } from '../rings/record-types.js';
import { BookLevels } from './book-levels.js';

export class BookView {
  instrument: Instrument;
  levels: BookLevels;
  state: BookState = BookState.Syncing;
  reason: StateReason = StateReason.Starting;
  sinceNs = 0;
  /** Time of the turn that handles this book now. */
  nowNs = 0;
  /** Of the last update applied. */
  venueSequence: number = ABSENT;
  exchangeNs: number = ABSENT;
  receivedNs: number = ABSENT;
  appliedNs: number = ABSENT;
  /** The best as last published; a side that is empty has size 0. */
  bidPrice = 0;
  bidSize = 0;
  askPrice = 0;
  askSize = 0;
  /** Orders at the best prices, where the venue tells orders; else 0. */
  bidOrders = 0;
  askOrders = 0;

  /** Hash over the levels as last published: those that clients hold. Kept by the writer. */
  toldHashLow = 0;
  toldHashHigh = 0;

  constructor(instrument: Instrument) {
    this.instrument = instrument;
    this.levels = new BookLevels(instrument.tickSize);
  }

  /** True while the contents are a proven book: Live, or Stale. */
  get isAligned(): boolean {
    return this.state === BookState.Live || this.state === BookState.Stale;
  }

  /** Reads the best from the ladder. True if it is not what was published last. Hot. */
  refreshBest(): boolean {
    const { ladder } = this.levels;
    const bidSize = ladder.bestSize(Side.Bid);
    const askSize = ladder.bestSize(Side.Ask);
    const bidPrice = bidSize === 0 ? 0 : ladder.best(Side.Bid);
    const askPrice = askSize === 0 ? 0 : ladder.best(Side.Ask);
    if (
      bidPrice === this.bidPrice &&
      bidSize === this.bidSize &&
      askPrice === this.askPrice &&
      askSize === this.askSize
    ) {
      return false;
    }
    this.bidPrice = bidPrice;
    this.bidSize = bidSize;
    this.askPrice = askPrice;
    this.askSize = askSize;
    return true;
  }

  /** Takes over the number and times of an update or snapshot at `record[at]`. Hot. */
  stamp(record: Float64Array, at: number): void {
    this.venueSequence = record[at + SEQUENCE_LAST]!;
    this.exchangeNs = record[at + EXCHANGE_NS]!;
    this.receivedNs = record[at + RECEIVED_NS]!;
    // The clock may have been read just before the record arrived.
    this.appliedNs = Math.max(this.nowNs, this.receivedNs);
  }

  /**
   * The instrument is another one from here on. Mantissas of before mean nothing under another scale:
   * then the levels are gone. Under the same scale they stand, on a ladder of the new tick.
   */
  redefine(instrument: Instrument): void {
    const before = this.instrument;
    this.instrument = instrument;
    if (!isSameScale(before, instrument)) this.levels = new BookLevels(instrument.tickSize);
    else if (before.tickSize !== instrument.tickSize) {
      this.levels = this.levels.withTick(instrument.tickSize);
    }
  }
}
