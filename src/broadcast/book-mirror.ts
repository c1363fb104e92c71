/**
 * One instrument's full book as the broadcast thread holds it: built only from the messages of the
 * book stream, so that snapshots, depth views, merged deltas and resume never cross threads.
 * Broadcast thread, hot.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Side } from '../domain/side.js';
import type { MessageDecoder } from '../wire/decode.js';
import { HEAD_WORDS } from '../wire/message-layout.js';
import { saveHead } from '../wire/head-words.js';
import { MirrorSide } from './mirror-side.js';
import { TouchedLevels } from './touched-levels.js';

export class BookMirror {
  readonly bids: MirrorSide;
  readonly asks: MirrorSide;
  readonly touchedBids = new TouchedLevels();
  readonly touchedAsks = new TouchedLevels();
  /** Head of the last book message, as words: the origin of what is derived from it. */
  readonly head = new Int32Array(HEAD_WORDS);
  priceDecimals: number;
  sizeDecimals: number;
  state: BookState = BookState.Syncing;
  reason: StateReason = StateReason.Starting;
  /** Since when, on the timeline. */
  sinceNs = 0;
  /** Between the first and the last message of one venue event: nobody may look at the levels. */
  midEvent = false;
  /** Levels changed that the views were not told yet. */
  unflushed = false;
  /** Contiguous since a snapshot. While it is not, only a snapshot or a status is taken. */
  trusted = false;
  /** The event under way replaces the book. */
  replaced = false;

  constructor(priceDecimals: number, sizeDecimals: number, levelsMax: number) {
    this.priceDecimals = priceDecimals;
    this.sizeDecimals = sizeDecimals;
    this.bids = new MirrorSide(Side.Bid, levelsMax);
    this.asks = new MirrorSide(Side.Ask, levelsMax);
  }

  noteHead(words: Int32Array, at: number): void {
    saveHead(words, at, this.head);
  }

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }

  beginEvent(): void {
    this.touchedBids.clear();
    this.touchedAsks.clear();
    this.replaced = false;
  }

  /** Applies a decoded message's levels. False if a side is full. Hot. */
  apply(decoder: MessageDecoder, noteTouched: boolean): boolean {
    const bids = decoder.bidsCount * 2;
    const end = bids + decoder.asksCount * 2;
    this.unflushed = true;
    return (
      applySide(this.bids, this.touchedBids, decoder.levels, 0, bids, noteTouched) &&
      applySide(this.asks, this.touchedAsks, decoder.levels, bids, end, noteTouched)
    );
  }

  /** Whether the levels hash to these lanes. Cold: proportional to the number of levels. */
  hashMatches(low: number, high: number): boolean {
    return (
      (this.bids.hashLow() ^ this.asks.hashLow()) === (low | 0) &&
      (this.bids.hashHigh() ^ this.asks.hashHigh()) === (high | 0)
    );
  }
}

function applySide(
  side: MirrorSide,
  touched: TouchedLevels,
  levels: Float64Array,
  from: number,
  to: number,
  noteTouched: boolean,
): boolean {
  for (let i = from; i < to; i += 2) {
    const price = levels[i]!;
    const before = side.set(price, levels[i + 1]!);
    if (before < 0) return false;
    if (noteTouched) touched.note(price, before);
  }
  return true;
}
