/**
 * One coin as the API looks at it: the mirror of its orders stream (orders-feed.ts; proven by the hash
 * each message carries) with its levels, aggregated as clients ask. Broadcast thread; texts are made
 * once a block for what somebody reads.
 */
import { BookState } from '../../domain/book-state.js';
import type { FrozenLedger } from '../../domain/frozen-ledger.js';
import type { Instrument } from '../../domain/instrument.js';
import type { OrderLedger } from '../../domain/order-ledger.js';
import { aggregateLevels } from '../../domain/price-bucket.js';
import { Side } from '../../domain/side.js';
import type { MessageDecoder } from '../../wire/decode.js';
import { HeadField } from '../../wire/head-fields.js';
import type { MirrorSide } from '../mirror-side.js';
import type { OrdersFeed } from '../orders-feed.js';
import { levelsText, numberText } from './api-text.js';

const NS_PER_MS = 1_000_000n;
/** Levels looked at first for an aggregated book; four times as many until there are enough. */
const LEVELS_FIRST = 256;

/** Of all coins. */
export interface NewestBlock {
  /** Unix milliseconds, 0 before the first. */
  timeMs: number;
}

export class CoinBook {
  readonly instrument: Instrument;
  readonly coinJson: string;
  readonly sides: readonly [MirrorSide, MirrorSide];
  /** Block of the last change. */
  height = 0;
  /** Unix milliseconds of that block, 0 while it is not known: a snapshot has no time. */
  private changedMs = 0;
  private readonly newest: NewestBlock;
  private readonly feed: OrdersFeed;
  /** (price, size, orders) of the best levels a side, as far as they were asked for since the block. */
  private readonly triples: [Float64Array, Float64Array];
  private readonly filled: [number, number] = [0, 0];
  private buckets = new Float64Array(3 * 128);

  constructor(
    instrument: Instrument,
    feed: OrdersFeed,
    sides: readonly [MirrorSide, MirrorSide],
    newest: NewestBlock,
  ) {
    this.newest = newest;
    this.instrument = instrument;
    this.feed = feed;
    this.sides = sides;
    this.coinJson = JSON.stringify(instrument.symbol);
    this.triples = [new Float64Array(3 * LEVELS_FIRST), new Float64Array(3 * LEVELS_FIRST)];
  }

  /** Unix milliseconds of the block that changed it last, or of the newest there was since it was told. */
  get timeMs(): number {
    return this.changedMs > 0 ? this.changedMs : this.newest.timeMs;
  }

  get state(): BookState {
    return this.feed.bookState;
  }

  get epoch(): number {
    return this.feed.stream.epoch;
  }

  /** A block's changes or a snapshot's orders are still coming. */
  get isBetween(): boolean {
    return this.feed.midEvent;
  }

  /**
   * The book is proven and the venue's as of its block, perhaps amid the next one. While the node is
   * silent (Stale) it still is; its time says how old it is.
   */
  get isTrusted(): boolean {
    const isKnown = this.state === BookState.Live || this.state === BookState.Stale;
    return isKnown && this.feed.isProven;
  }

  /** As `isTrusted`, and between blocks. */
  get isReady(): boolean {
    return this.isTrusted && !this.isBetween;
  }

  /** The message of the stream that was applied last. */
  noteMessage(decoder: MessageDecoder): void {
    this.height = decoder.head[HeadField.VenueSequence]!;
    this.changedMs = Number(decoder.exchangeUnixNs() / NS_PER_MS);
    if (this.changedMs > this.newest.timeMs) this.newest.timeMs = this.changedMs;
    this.filled[0] = 0;
    this.filled[1] = 0;
  }

  freezeInto(frozen: FrozenLedger): void {
    this.ledger.freezeInto(frozen);
  }

  /** `[[bids],[asks]]` of an l2Book. */
  levels(nSigFigs: number | null, mantissa: number | null, most: number, places: number): string {
    const side = (of: Side): string => {
      const count = this.aggregate(of, nSigFigs ?? 0, mantissa ?? 1, most);
      return levelsText(this.buckets, count, this.instrument, places);
    };
    return `[${side(Side.Bid)},${side(Side.Ask)}]`;
  }

  /** The best level of a side, `null` if there is none. */
  best(side: Side, places: number): string {
    const levels = this.sides[side];
    if (levels.count === 0) return 'null';
    const { priceDecimals, sizeDecimals } = this.instrument;
    const price = levels.priceAt(0);
    const px = numberText(price, priceDecimals, places);
    const sz = numberText(levels.sizeAt(0), sizeDecimals, places);
    return `{"px":"${px}","sz":"${sz}","n":${this.ledger.orderCountAt(side, price)}}`;
  }

  /** Middle of the best prices, '' while a side is empty. */
  mid(places: number): string {
    const [bids, asks] = this.sides;
    if (bids.count === 0 || asks.count === 0) return '';
    const twice = bids.priceAt(0) + asks.priceAt(0);
    return numberText(twice * 5, this.instrument.priceDecimals + 1, places);
  }

  /** The best `most` buckets of a side into `buckets`; how many there are. */
  private aggregate(side: Side, sigFigs: number, mantissa: number, most: number): number {
    const { count } = this.sides[side];
    const { priceDecimals } = this.instrument;
    if ((most + 1) * 3 > this.buckets.length) this.buckets = new Float64Array((most + 1) * 3);
    for (let look = sigFigs === 0 ? most : LEVELS_FIRST; ; look *= 4) {
      const looked = Math.min(look, count);
      const triples = this.fill(side, looked);
      // One bucket more than asked for: when it opens, those before it are complete.
      const made = aggregateLevels(
        side,
        triples,
        looked,
        priceDecimals,
        sigFigs,
        mantissa,
        most + 1,
        this.buckets,
      );
      if (made > most || looked === count || sigFigs === 0) return Math.min(made, most);
    }
  }

  private fill(side: Side, count: number): Float64Array {
    let triples = this.triples[side];
    if (count * 3 > triples.length) {
      const wider = new Float64Array(count * 3);
      wider.set(triples);
      triples = wider;
      this.triples[side] = wider;
    }
    const levels = this.sides[side];
    const { ledger } = this;
    for (let rank = this.filled[side]; rank < count; rank++) {
      const price = levels.priceAt(rank);
      triples[rank * 3] = price;
      triples[rank * 3 + 1] = levels.sizeAt(rank);
      triples[rank * 3 + 2] = ledger.orderCountAt(side, price);
    }
    if (count > this.filled[side]) this.filled[side] = count;
    return triples;
  }

  private get ledger(): OrderLedger {
    return this.feed.mirror.orders.ledger;
  }
}
