/**
 * One instrument's full book as the broadcast thread holds it: built only from the messages of the
 * book stream, so that snapshots, depth views, merged deltas and resume never cross threads.
 * Broadcast thread, hot.
 *
 * Nobody looks at the levels of most books most of the time, so they are kept without order, as they
 * stand in the messages. Whoever asks for a side has them sorted; they stay sorted for as long as
 * somebody looks at them (a depth view does so with each event), and fall back to disorder after
 * `rankedMessages` messages that nobody asked about.
 *
 *     tables   ── bids or asks asked for ──▶   ranked sides
 *              ◀── not asked for for long ──
 */
import { BookState, StateReason } from '../domain/book-state.js';
import { Side } from '../domain/side.js';
import type { MessageDecoder } from '../wire/decode.js';
import { ORIGIN_WORDS, saveOrigin } from '../wire/head-words.js';
import { DELTA_LEVELS_WORD } from '../wire/message-layout.js';
import { asksWordOfOwnDelta, hasExactHead } from '../wire/own-delta.js';
import { LevelTable } from './level-table.js';
import { MirrorSide } from './mirror-side.js';
import { TouchedLevels } from './touched-levels.js';

export interface MirrorLimits {
  readonly mirrorLevelsMax: number;
  readonly rankedMessages: number;
}

export class BookMirror {
  readonly touchedBids = new TouchedLevels();
  readonly touchedAsks = new TouchedLevels();
  /** Origin of the last book message, as words: that of all that is derived from it. */
  readonly origin = new Int32Array(ORIGIN_WORDS);
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

  private readonly bidTable: LevelTable;
  private readonly askTable: LevelTable;
  private readonly rankedBids: MirrorSide;
  private readonly rankedAsks: MirrorSide;
  /** The levels stand in the ranked sides, else in the tables; the others are empty. */
  private isRanked = false;
  private sinceAsked = 0;
  private readonly rankedMessages: number;

  constructor(priceDecimals: number, sizeDecimals: number, limits: MirrorLimits) {
    const { mirrorLevelsMax: levelsMax } = limits;
    this.priceDecimals = priceDecimals;
    this.sizeDecimals = sizeDecimals;
    this.rankedMessages = limits.rankedMessages;
    this.bidTable = new LevelTable(Side.Bid, levelsMax);
    this.askTable = new LevelTable(Side.Ask, levelsMax);
    this.rankedBids = new MirrorSide(Side.Bid, levelsMax);
    this.rankedAsks = new MirrorSide(Side.Ask, levelsMax);
  }

  /** Best first. Sorts the book if it is not: see bidsCount. */
  get bids(): MirrorSide {
    this.rank();
    return this.rankedBids;
  }
  get asks(): MirrorSide {
    this.rank();
    return this.rankedAsks;
  }

  get bidsCount(): number {
    return this.isRanked ? this.rankedBids.count : this.bidTable.count;
  }
  get asksCount(): number {
    return this.isRanked ? this.rankedAsks.count : this.askTable.count;
  }

  noteOrigin(words: Int32Array, at: number): void {
    saveOrigin(words, at, this.origin);
  }

  clear(): void {
    this.bidTable.clear();
    this.askTable.clear();
    this.rankedBids.clear();
    this.rankedAsks.clear();
  }

  beginEvent(): void {
    this.touchedBids.clear();
    this.touchedAsks.clear();
    this.replaced = false;
  }

  /**
   * Applies the levels of a message of `bytes` at `words[at]` without decoding it, if it is a delta in
   * our own layout and the levels are not ranked. Hot.
   */
  applyWords(words: Int32Array, at: number, bytes: number): Applied {
    if (this.isRanked) return Applied.Not;
    const asksWord = asksWordOfOwnDelta(words, at, bytes);
    if (asksWord === 0 || !hasExactHead(words, at)) return Applied.Not;
    this.unflushed = true;
    const bidsWord = at + DELTA_LEVELS_WORD;
    return this.bidTable.setAll(words, bidsWord, words[bidsWord - 1]!) &&
      this.askTable.setAll(words, asksWord, words[asksWord - 1]!)
      ? Applied.Whole
      : Applied.Refused;
  }

  /** Applies a decoded message's levels. False if a side is full. Hot while ranked. */
  apply(decoder: MessageDecoder, noteTouched: boolean): boolean {
    if (noteTouched) this.rank();
    else if (this.isRanked && ++this.sinceAsked > this.rankedMessages) this.unrank();
    const bids = decoder.bidsCount * 2;
    const end = bids + decoder.asksCount * 2;
    const { levels } = decoder;
    this.unflushed = true;
    if (!this.isRanked) {
      return fill(this.bidTable, levels, 0, bids) && fill(this.askTable, levels, bids, end);
    }
    return (
      applySide(this.rankedBids, this.touchedBids, levels, 0, bids, noteTouched) &&
      applySide(this.rankedAsks, this.touchedAsks, levels, bids, end, noteTouched)
    );
  }

  /** Lanes of the hash over all levels. Cold: proportional to their number. */
  hashLow(): number {
    return this.isRanked
      ? this.rankedBids.hashLow() ^ this.rankedAsks.hashLow()
      : this.bidTable.hashLow() ^ this.askTable.hashLow();
  }
  hashHigh(): number {
    return this.isRanked
      ? this.rankedBids.hashHigh() ^ this.rankedAsks.hashHigh()
      : this.bidTable.hashHigh() ^ this.askTable.hashHigh();
  }

  /** Whether the levels hash to these lanes. Cold. */
  hashMatches(low: number, high: number): boolean {
    return this.hashLow() === (low | 0) && this.hashHigh() === (high | 0);
  }

  private rank(): void {
    this.sinceAsked = 0;
    if (this.isRanked) return;
    this.isRanked = true;
    this.rankedBids.load(this.bidTable);
    this.rankedAsks.load(this.askTable);
    this.bidTable.clear();
    this.askTable.clear();
  }

  private unrank(): void {
    this.isRanked = false;
    this.rankedBids.moveTo(this.bidTable);
    this.rankedAsks.moveTo(this.askTable);
  }
}

export const Applied = {
  Whole: 1,
  /** Nothing was done: the message must be decoded. */
  Not: 0,
  /** A number is beyond 2^53 or a side is full: some of the levels may be set. */
  Refused: -1,
} as const;
export type Applied = (typeof Applied)[keyof typeof Applied];

function fill(table: LevelTable, levels: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 2) {
    if (!table.set(levels[i]!, levels[i + 1]!)) return false;
  }
  return true;
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
