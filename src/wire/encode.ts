/**
 * Messages to bytes. Hot: runs on the books threads (into the output ring) and on the broadcast
 * thread (views, conflation); about 5 ns a level, no allocation, no BigInt.
 *
 * The constant words of a message are laid out once (message-layout.ts, with a drawing); here they are
 * copied, the head and values patched in and the vectors of fixed structs appended. 64-bit values
 * are whole doubles below 2^53 in magnitude and go out as two 32-bit halves.
 *
 * `words` is a view over the target buffer, `at` an even word index (8-byte aligned). Every `write…`
 * returns the bytes written, always a multiple of 8; the caller has made room by the `…Bytes` of
 * the same message.
 */
import { CONTEXT_FIELDS, DOUBLES_PER_DECIMAL } from '../domain/context-fields.js';
import type { Definition } from '../domain/definition.js';
import type { Timeline } from '../time/timeline.js';
import { HeadField } from './head-fields.js';
import { storeInt64 } from './int64.js';
import {
  BBO_ASK_ORDERS_WORD,
  BBO_ASK_WORD,
  BBO_BID_ORDERS_WORD,
  BBO_BID_WORD,
  BBO_BYTES,
  BBO_EXPONENTS_WORD,
  BBO_TEMPLATE,
  CONTEXT_BYTES,
  CONTEXT_NEXT_FUNDING_WORD,
  CONTEXT_TEMPLATE,
  CONTEXT_VALUES_WORD,
  CONTEXT_VTABLE_WORD,
  CONTEXT_VTABLE_WORDS,
  DECIMAL_BYTES,
  DELTA_ASKS_OFFSET_WORD,
  DELTA_LEVELS_WORD,
  DELTA_TEMPLATE,
  HEAD_PUBLISHED_WORD,
  HEAD_WORD,
  HEARTBEAT_PUBLISHED_WORD,
  HEARTBEAT_STREAMS_WORD,
  HEARTBEAT_TEMPLATE,
  LEVEL_BYTES,
  POSITION_BYTES,
  POSITION_FIELDS,
  SNAPSHOT_ASKS_OFFSET_WORD,
  SNAPSHOT_DEPTH_WORD,
  SNAPSHOT_EXPONENTS_WORD,
  SNAPSHOT_INSTRUMENT_OFFSET_WORD,
  SNAPSHOT_LEVELS_WORD,
  SNAPSHOT_TEMPLATE,
  STATUS_BYTES,
  STATUS_DEFINITION_WORD,
  STATUS_SINCE_WORD,
  STATUS_TEMPLATE,
  TRADE_BYTES,
  TRADE_FIELDS,
  TRADES_EXPONENTS_WORD,
  TRADES_PARTIES_OFFSET_WORD,
  TRADES_TEMPLATE,
  TRADES_WORD,
} from './message-layout.js';

const ABSENT_NS = -1;
/** Halves of a vtable before the entry of the first value: its two sizes and the head. */
const FIRST_VALUE_ENTRY = 3;

export class MessageEncoder {
  readonly bboBytes = BBO_BYTES;
  readonly statusBytes = STATUS_BYTES;
  readonly contextBytes = CONTEXT_BYTES;
  private readonly timeline: Timeline;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }

  bookDeltaBytes(bids: number, asks: number): number {
    return DELTA_LEVELS_WORD * 4 + 8 + LEVEL_BYTES * (bids + asks);
  }

  bookSnapshotBytes(bids: number, asks: number, instrumentNameBytes: number): number {
    const string = (4 + instrumentNameBytes + 1 + 7) & ~7;
    return SNAPSHOT_LEVELS_WORD * 4 + 8 + LEVEL_BYTES * (bids + asks) + string;
  }

  tradesBytes(count: number): number {
    return TRADES_WORD * 4 + TRADE_BYTES * count;
  }

  heartbeatBytes(streams: number): number {
    return HEARTBEAT_STREAMS_WORD * 4 + POSITION_BYTES * streams;
  }

  /** @param levels (price, size) pairs from `levelsAt`: `bids` of them, then `asks`. Hot. */
  writeBookDelta(
    words: Int32Array,
    at: number,
    head: Float64Array,
    levels: Float64Array,
    levelsAt: number,
    bids: number,
    asks: number,
  ): number {
    for (let i = 0; i < HEAD_WORD; i++) words[at + i] = DELTA_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    const asksAt = this.writeSides(words, at + DELTA_LEVELS_WORD, levels, levelsAt, bids, asks);
    words[at + DELTA_ASKS_OFFSET_WORD] = (asksAt - 1 - (at + DELTA_ASKS_OFFSET_WORD)) * 4;
    return (asksAt + asks * 4 - at) * 4;
  }

  /**
   * @param levels as for a delta; the whole book, or one part of it, best first
   * @param depth levels a side of the stream, 0 for the full book
   */
  writeBookSnapshot(
    words: Int32Array,
    at: number,
    head: Float64Array,
    levels: Float64Array,
    levelsAt: number,
    bids: number,
    asks: number,
    depth: number,
    priceDecimals: number,
    sizeDecimals: number,
    nameUtf8: Uint8Array,
  ): number {
    for (let i = 0; i < SNAPSHOT_LEVELS_WORD; i++) words[at + i] = SNAPSHOT_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    const asksAt = this.writeSides(words, at + SNAPSHOT_LEVELS_WORD, levels, levelsAt, bids, asks);
    const nameAt = asksAt + asks * 4;
    words[at + SNAPSHOT_ASKS_OFFSET_WORD] = (asksAt - 1 - (at + SNAPSHOT_ASKS_OFFSET_WORD)) * 4;
    words[at + SNAPSHOT_DEPTH_WORD] = depth;
    words[at + SNAPSHOT_INSTRUMENT_OFFSET_WORD] =
      (nameAt - (at + SNAPSHOT_INSTRUMENT_OFFSET_WORD)) * 4;
    words[at + SNAPSHOT_EXPONENTS_WORD] = exponentsWord(priceDecimals, sizeDecimals);
    return (writeString(words, nameAt, nameUtf8) - at) * 4;
  }

  /** A side without levels has size 0. Hot. */
  writeBbo(
    words: Int32Array,
    at: number,
    head: Float64Array,
    bidPrice: number,
    bidSize: number,
    askPrice: number,
    askSize: number,
    bidOrders: number,
    askOrders: number,
    priceDecimals: number,
    sizeDecimals: number,
  ): number {
    for (let i = 0; i < HEAD_WORD; i++) words[at + i] = BBO_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    storeInt64(words, at + BBO_BID_WORD, bidPrice);
    storeInt64(words, at + BBO_BID_WORD + 2, bidSize);
    storeInt64(words, at + BBO_ASK_WORD, askPrice);
    storeInt64(words, at + BBO_ASK_WORD + 2, askSize);
    words[at + BBO_BID_ORDERS_WORD] = bidOrders;
    words[at + BBO_ASK_ORDERS_WORD] = askOrders;
    words[at + BBO_EXPONENTS_WORD] = exponentsWord(priceDecimals, sizeDecimals);
    words[at + BBO_EXPONENTS_WORD + 1] = 0;
    return BBO_BYTES;
  }

  /** @param trades TRADE_FIELDS doubles each: price, size, tradeId, exchangeNs (timeline), aggressor */
  writeTrades(
    words: Int32Array,
    at: number,
    head: Float64Array,
    trades: Float64Array,
    tradesAt: number,
    count: number,
    priceDecimals: number,
    sizeDecimals: number,
  ): number {
    for (let i = 0; i < HEAD_WORD; i++) words[at + i] = TRADES_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    words[at + TRADES_PARTIES_OFFSET_WORD] = 0;
    words[at + TRADES_EXPONENTS_WORD] = exponentsWord(priceDecimals, sizeDecimals);
    words[at + TRADES_WORD - 2] = 0;
    words[at + TRADES_WORD - 1] = count;
    let word = at + TRADES_WORD;
    let from = tradesAt;
    for (let i = 0; i < count; i++) {
      storeInt64(words, word, trades[from]!);
      storeInt64(words, word + 2, trades[from + 1]!);
      storeInt64(words, word + 4, trades[from + 2]!);
      this.writeTime(words, word + 6, trades[from + 3]!);
      words[word + 8] = trades[from + 4]!;
      words[word + 9] = 0;
      word += TRADE_BYTES / 4;
      from += TRADE_FIELDS;
    }
    return (word - at) * 4;
  }

  /** @param sinceNs timeline time since when the state holds, ABSENT if unknown */
  writeStatus(
    words: Int32Array,
    at: number,
    head: Float64Array,
    sinceNs: number,
    definition: Definition,
  ): number {
    for (let i = 0; i < HEAD_WORD; i++) words[at + i] = STATUS_TEMPLATE[i]!;
    this.writeHead(words, at + HEAD_WORD, head);
    this.writeTime(words, at + STATUS_SINCE_WORD, sinceNs);
    const word = at + STATUS_DEFINITION_WORD;
    const { priceDecimals, sizeDecimals, priceSignificantFigures, trading } = definition;
    storeInt64(words, word, definition.tickSize);
    storeInt64(words, word + 2, definition.lotSize);
    const exponents = exponentsWord(priceDecimals, sizeDecimals);
    words[word + 4] = exponents | (priceSignificantFigures << 16) | (trading << 24);
    words[word + 5] = 0;
    return STATUS_BYTES;
  }

  /**
   * @param present bit i: value i stands at `values[valuesAt + 3 * i]` (domain/context-fields.ts)
   * @param nextFundingNs timeline time, ABSENT if not told
   */
  writeContext(
    words: Int32Array,
    at: number,
    head: Float64Array,
    present: number,
    values: Float64Array,
    valuesAt: number,
    nextFundingNs: number,
  ): number {
    for (let i = 0; i < HEAD_WORD; i++) words[at + i] = CONTEXT_TEMPLATE[i]!;
    for (let i = CONTEXT_VTABLE_WORD; i < CONTEXT_VTABLE_WORD + CONTEXT_VTABLE_WORDS; i++) {
      words[at + i] = CONTEXT_TEMPLATE[i]!;
    }
    this.writeHead(words, at + HEAD_WORD, head);
    this.writeTime(words, at + CONTEXT_NEXT_FUNDING_WORD, nextFundingNs);
    let word = at + CONTEXT_VALUES_WORD;
    let from = valuesAt;
    for (let i = 0; i < CONTEXT_FIELDS; i++) {
      const isPresent = (present & (1 << i)) !== 0;
      storeInt64(words, word, isPresent ? values[from]! : 0);
      storeInt64(words, word + 2, isPresent ? values[from + 1]! : 0);
      words[word + 4] = isPresent ? values[from + 2]! : 0;
      words[word + 5] = 0;
      if (!isPresent) {
        const entry = FIRST_VALUE_ENTRY + i;
        const kept = (entry & 1) === 0 ? 0xffff0000 : 0xffff;
        const vtableWord = at + CONTEXT_VTABLE_WORD + (entry >>> 1);
        words[vtableWord] = words[vtableWord]! & kept;
      }
      word += DECIMAL_BYTES / 4;
      from += DOUBLES_PER_DECIMAL;
    }
    return CONTEXT_BYTES;
  }

  /** @param positions POSITION_FIELDS doubles each: epoch, next sequence, streamId, instrumentId */
  writeHeartbeat(
    words: Int32Array,
    at: number,
    publishedNs: number,
    positions: Float64Array,
    count: number,
  ): number {
    for (let i = 0; i < HEARTBEAT_STREAMS_WORD; i++) words[at + i] = HEARTBEAT_TEMPLATE[i]!;
    this.writeTime(words, at + HEARTBEAT_PUBLISHED_WORD, publishedNs);
    words[at + HEARTBEAT_STREAMS_WORD - 1] = count;
    let word = at + HEARTBEAT_STREAMS_WORD;
    let from = 0;
    for (let i = 0; i < count; i++) {
      storeInt64(words, word, positions[from]!);
      storeInt64(words, word + 2, positions[from + 1]!);
      words[word + 4] = positions[from + 2]!;
      words[word + 5] = positions[from + 3]!;
      word += POSITION_BYTES / 4;
      from += POSITION_FIELDS;
    }
    return (word - at) * 4;
  }

  /** Stamps a finished message of this encoder that has a Head: it stands at the same word in all. */
  patchPublishedNs(words: Int32Array, at: number, publishedNs: number): void {
    this.writeTime(words, at + HEAD_PUBLISHED_WORD, publishedNs);
  }

  protected writeHead(words: Int32Array, at: number, head: Float64Array): void {
    storeInt64(words, at, head[HeadField.Epoch]!);
    storeInt64(words, at + 2, head[HeadField.Sequence]!);
    storeInt64(words, at + 4, head[HeadField.FirstSequence]!);
    const venueSequence = head[HeadField.VenueSequence]!;
    storeInt64(words, at + 6, venueSequence < 0 ? 0 : venueSequence);
    words[at + 8] = head[HeadField.HashLow]!;
    words[at + 9] = head[HeadField.HashHigh]!;
    this.writeTime(words, at + 10, head[HeadField.ExchangeNs]!);
    this.writeTime(words, at + 12, head[HeadField.ReceivedNs]!);
    this.writeTime(words, at + 14, head[HeadField.AppliedNs]!);
    this.writeTime(words, at + 16, head[HeadField.PublishedNs]!);
    words[at + 18] = head[HeadField.StreamId]!;
    words[at + 19] = head[HeadField.InstrumentId]!;
    words[at + 20] = head[HeadField.Folded]!;
    words[at + 21] =
      (head[HeadField.Flags]! & 0xffff) |
      ((head[HeadField.State]! & 0xff) << 16) |
      (head[HeadField.Reason]! << 24);
  }

  private writeTime(words: Int32Array, at: number, timelineNs: number): void {
    if (timelineNs === ABSENT_NS) {
      words[at] = 0;
      words[at + 1] = 0;
    } else {
      this.timeline.writeUnixNs(words, at, timelineNs);
    }
  }

  /** Both vectors, the bids' elements from `word` on; returns where the asks' elements begin. */
  private writeSides(
    words: Int32Array,
    word: number,
    levels: Float64Array,
    levelsAt: number,
    bids: number,
    asks: number,
  ): number {
    words[word - 2] = 0;
    words[word - 1] = bids;
    writeLevels(words, word, levels, levelsAt, bids);
    const asksAt = word + bids * 4 + 2;
    words[asksAt - 2] = 0;
    words[asksAt - 1] = asks;
    writeLevels(words, asksAt, levels, levelsAt + bids * 2, asks);
    return asksAt;
  }
}

/** Both exponents, the price's in the lowest byte. */
export function exponentsWord(priceDecimals: number, sizeDecimals: number): number {
  return (-priceDecimals & 0xff) | ((-sizeDecimals & 0xff) << 8);
}

function writeLevels(
  words: Int32Array,
  word: number,
  levels: Float64Array,
  levelsAt: number,
  count: number,
): void {
  const end = levelsAt + count * 2;
  for (let from = levelsAt; from < end; from += 2) {
    storeInt64(words, word, levels[from]!);
    storeInt64(words, word + 2, levels[from + 1]!);
    word += 4;
  }
}

/** Count, bytes, NUL, padding; returns the word after it, an even number of words from `word`. */
export function writeString(words: Int32Array, word: number, utf8: Uint8Array): number {
  const wordsTotal = ((4 + utf8.length + 1 + 7) & ~7) >>> 2;
  words[word] = utf8.length;
  for (let i = 1; i < wordsTotal; i++) {
    let packed = 0;
    for (let k = 0; k < 4; k++) {
      const index = (i - 1) * 4 + k;
      if (index < utf8.length) packed |= utf8[index]! << (8 * k);
    }
    words[word + i] = packed;
  }
  return word + wordsTotal;
}
