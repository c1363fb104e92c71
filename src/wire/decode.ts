/**
 * Bytes to a message's fields. Hot: runs in clients, in the broadcaster's mirror and in the tests'
 * oracles; about 5 ns a level, no allocation per message (cells grow to the largest message seen).
 *
 * Accepts any legal layout of the schema, not only this node's: offsets and vtables are followed,
 * every access is bounds-checked, and whatever is out of bounds gives a negative code, never a throw
 * and never a value from outside the message. 64-bit numbers become doubles; a price, size, sequence
 * or id that a double cannot hold exactly is refused (Precision) rather than rounded. Times are unix
 * nanoseconds, as doubles good to about 256 ns, exactly by `…UnixNs()`.
 *
 * The fields hold the last decoded message; which of them are meaningful depends on its type.
 */
import { HEAD_DOUBLES, HeadField } from './head-fields.js';
import { BEYOND_UNSIGNED, TWO_32, readLevels, unsigned64, unsignedDouble } from './int64.js';
import {
  BodyType,
  DECIMALS_UNTOLD,
  DELTA_LEVELS_WORD,
  FILE_IDENTIFIER,
  HEAD_BYTES,
  HEAD_WORD,
  LEVEL_BYTES,
  POSITION_BYTES,
  POSITION_FIELDS,
  TRADE_BYTES,
  TRADE_FIELDS,
} from './message-layout.js';
import { asksWordOfOwnDelta } from './own-delta.js';
import { StatusCells, decimalsOf } from './status-decode.js';
import { DecodeError } from './table-reader.js';

export { DecodeError };
/** A snapshot part holds at most 1024 levels a side; a foreign writer's whole book fits as well. */
export const MESSAGE_BYTES_MAX = 1 << 26;

/** The message is laid out otherwise: the general way must read (or refuse) it. */
const NOT_OURS = 0;
const TIME_WORDS = 8;

export class MessageDecoder extends StatusCells {
  /** HeadField; zeros after a heartbeat, except PublishedNs. */
  readonly head = new Float64Array(HEAD_DOUBLES);
  /** (price, size) pairs, bids first. Replaced by a larger array when a message needs it. */
  levels = new Float64Array(2 * 64);
  bidsCount = 0;
  asksCount = 0;
  depth = 0;
  /** Of a snapshot, a bbo or trades; DECIMALS_UNTOLD where the last two do not say. */
  priceDecimals = 0;
  sizeDecimals = 0;
  /** bidPrice, bidSize, askPrice, askSize, bidOrders, askOrders. */
  readonly bbo = new Float64Array(6);
  /** Per trade: price, size, tradeId, exchangeNs (unix, approximate), aggressor. */
  trades = new Float64Array(TRADE_FIELDS * 16);
  tradesCount = 0;
  /** Per stream: epoch, next sequence, streamId, instrumentId. */
  positions = new Float64Array(POSITION_FIELDS * 16);
  positionsCount = 0;

  /** Exact times of the head as words, and those of the status and the trades. */
  private readonly timeWords = new Int32Array(TIME_WORDS);
  private readonly sinceWords = new Int32Array(2);
  private tradeTimeWords = new Int32Array(2 * 16);
  private nameBytes = new Uint8Array(64);
  private nameLength = 0;
  private scratch = new Int32Array(512);
  private scratchBytes = new Uint8Array(this.scratch.buffer);

  /** The body's union type (BodyType, 1 …), or a DecodeError. `bytes` is not kept. */
  decode(bytes: Uint8Array, offset: number, length: number): number {
    if (offset < 0 || length < 0 || offset + length > bytes.length) return DecodeError.OutOfBounds;
    if (length > MESSAGE_BYTES_MAX) return DecodeError.TooLarge;
    if (length > this.scratchBytes.length) this.growScratch(length);
    if (offset === 0 && length === bytes.length) {
      this.scratchBytes.set(bytes);
    } else {
      this.scratchBytes.set(bytes.subarray(offset, offset + length));
    }
    return this.decodeWords(this.scratch, 0, length);
  }

  /** As `decode`, for a message that stands 8-byte aligned in `words` from word `at`. No copy. */
  decodeWords(words: Int32Array, at: number, lengthBytes: number): number {
    if (at < 0 || lengthBytes < 16 || at * 4 + lengthBytes > words.length * 4) {
      return DecodeError.OutOfBounds;
    }
    this.words = words;
    this.base = at;
    this.length = lengthBytes;
    if (words[at + 1] !== FILE_IDENTIFIER) return DecodeError.WrongIdentifier;
    const own = this.readOwnDelta(words, at, lengthBytes);
    if (own !== NOT_OURS) return own;
    const root = words[at]!;
    if (!this.openTable(root)) return DecodeError.OutOfBounds;
    const typeAt = this.field(0);
    const bodyAt = this.field(1);
    if (typeAt === 0 || bodyAt === 0) return DecodeError.MissingField;
    if (!this.holds(typeAt, 1) || !this.holds(bodyAt, 4)) return DecodeError.OutOfBounds;
    const type = this.byteAt(this.table + typeAt);
    if (type === 0) return DecodeError.MissingField;
    if (type > BodyType.Context) return DecodeError.UnknownBody;
    if (!this.openTable(this.follow(this.table + bodyAt))) return DecodeError.OutOfBounds;
    switch (type) {
      case BodyType.BookDelta:
        return this.readBook(type, 1, 2);
      case BodyType.Bbo:
        return this.readBbo();
      case BodyType.Trades:
        return this.readTrades();
      case BodyType.Status:
        return this.readStatus();
      case BodyType.BookSnapshot:
        return this.readSnapshot();
      case BodyType.OrdersSnapshot:
      case BodyType.OrdersDelta:
        return this.readOrders(type);
      case BodyType.Context:
        return this.readContext(this.readHead());
      default:
        return this.readHeartbeat();
    }
  }

  exchangeUnixNs(): bigint {
    return unsigned64(this.timeWords, 0);
  }
  receivedUnixNs(): bigint {
    return unsigned64(this.timeWords, 2);
  }
  appliedUnixNs(): bigint {
    return unsigned64(this.timeWords, 4);
  }
  /** Also of a heartbeat. */
  publishedUnixNs(): bigint {
    return unsigned64(this.timeWords, 6);
  }
  /** Of a status: since when its state holds. */
  sinceUnixNs(): bigint {
    return unsigned64(this.sinceWords, 0);
  }
  tradeExchangeUnixNs(trade: number): bigint {
    return unsigned64(this.tradeTimeWords, trade * 2);
  }
  /** Of a snapshot; empty if it does not name it. */
  instrumentName(): string {
    return new TextDecoder().decode(this.nameBytes.slice(0, this.nameLength));
  }

  private growScratch(length: number): void {
    this.scratch = new Int32Array(Math.ceil(length / 1024) * 512);
    this.scratchBytes = new Uint8Array(this.scratch.buffer);
  }

  /** Fills `head` from field 0 of the current table. Returns 0 or a DecodeError. */
  private readHead(): number {
    const offset = this.field(0);
    if (offset === 0) return DecodeError.MissingField;
    if (!this.holds(offset, HEAD_BYTES)) return DecodeError.OutOfBounds;
    return this.readHeadAt(this.words, this.wordIndex(this.table + offset));
  }

  private readHeadAt(words: Int32Array, at: number): number {
    const head = this.head;
    const beyond =
      (words[at + 1]! | words[at + 3]! | words[at + 5]! | words[at + 7]!) & BEYOND_UNSIGNED;
    if (beyond !== 0) return DecodeError.Precision;
    head[HeadField.Epoch] = words[at + 1]! * TWO_32 + (words[at]! >>> 0);
    head[HeadField.Sequence] = words[at + 3]! * TWO_32 + (words[at + 2]! >>> 0);
    head[HeadField.FirstSequence] = words[at + 5]! * TWO_32 + (words[at + 4]! >>> 0);
    head[HeadField.VenueSequence] = words[at + 7]! * TWO_32 + (words[at + 6]! >>> 0);
    head[HeadField.HashLow] = words[at + 8]!;
    head[HeadField.HashHigh] = words[at + 9]!;
    const times = this.timeWords;
    times[0] = words[at + 10]!;
    times[1] = words[at + 11]!;
    times[2] = words[at + 12]!;
    times[3] = words[at + 13]!;
    times[4] = words[at + 14]!;
    times[5] = words[at + 15]!;
    times[6] = words[at + 16]!;
    times[7] = words[at + 17]!;
    head[HeadField.ExchangeNs] = unsignedDouble(words, at + 10);
    head[HeadField.ReceivedNs] = unsignedDouble(words, at + 12);
    head[HeadField.AppliedNs] = unsignedDouble(words, at + 14);
    head[HeadField.PublishedNs] = unsignedDouble(words, at + 16);
    head[HeadField.StreamId] = words[at + 18]! >>> 0;
    head[HeadField.InstrumentId] = words[at + 19]! >>> 0;
    head[HeadField.Folded] = words[at + 20]! >>> 0;
    const packed = words[at + 21]!;
    head[HeadField.Flags] = packed & 0xffff;
    head[HeadField.State] = (packed >>> 16) & 0xff;
    head[HeadField.Reason] = packed >>> 24;
    return 0;
  }

  /** The short cut: see own-delta.ts. */
  private readOwnDelta(words: Int32Array, at: number, lengthBytes: number): number {
    const asksWord = asksWordOfOwnDelta(words, at, lengthBytes);
    if (asksWord === 0) return NOT_OURS;
    const bids = words[at + DELTA_LEVELS_WORD - 1]!;
    const asks = words[asksWord - 1]!;
    if (this.readHeadAt(words, at + HEAD_WORD) !== 0) return DecodeError.Precision;
    return this.readSides(words, at + DELTA_LEVELS_WORD, bids, asksWord, asks) === 0
      ? BodyType.BookDelta
      : DecodeError.Precision;
  }

  private readBook(type: number, bidsField: number, asksField: number): number {
    const problem = this.readHead();
    if (problem !== 0) return problem;
    const bidsAt = this.openVector(bidsField, LEVEL_BYTES);
    if (bidsAt < 0) return bidsAt;
    const bids = this.vectorCount;
    const asksAt = this.openVector(asksField, LEVEL_BYTES);
    if (asksAt < 0) return asksAt;
    const asksWord = this.wordIndex(asksAt);
    return this.readSides(this.words, this.wordIndex(bidsAt), bids, asksWord, this.vectorCount) ===
      0
      ? type
      : DecodeError.Precision;
  }

  /** Both sides into `levels`; not 0 if one of the numbers is beyond 2^53. */
  private readSides(
    words: Int32Array,
    bidsWord: number,
    bids: number,
    asksWord: number,
    asks: number,
  ): number {
    const doubles = (bids + asks) * 2;
    if (doubles > this.levels.length) this.levels = new Float64Array(roomFor(doubles));
    this.bidsCount = bids;
    this.asksCount = asks;
    const levels = this.levels;
    return (
      readLevels(words, bidsWord, levels, 0, bids) |
      readLevels(words, asksWord, levels, bids * 2, asks)
    );
  }

  private readSnapshot(): number {
    const result = this.readBook(BodyType.BookSnapshot, 1, 2);
    if (result < 0) return result;
    const depthAt = this.field(5);
    if (!this.readScale(3, 0)) return DecodeError.OutOfBounds;
    if (depthAt !== 0 && !this.holds(depthAt, 4)) return DecodeError.OutOfBounds;
    this.depth = depthAt === 0 ? 0 : this.words[this.wordIndex(this.table + depthAt)]! >>> 0;
    return this.readName(6) ? result : DecodeError.OutOfBounds;
  }

  /** Both exponents, the price's being field `index`. False if they do not lie within the table. */
  private readScale(index: number, untold: number): boolean {
    const priceAt = this.field(index);
    const sizeAt = this.field(index + 1);
    if (priceAt !== 0 && !this.holds(priceAt, 1)) return false;
    if (sizeAt !== 0 && !this.holds(sizeAt, 1)) return false;
    this.priceDecimals = priceAt === 0 ? untold : decimalsOf(this.byteAt(this.table + priceAt));
    this.sizeDecimals = sizeAt === 0 ? untold : decimalsOf(this.byteAt(this.table + sizeAt));
    return true;
  }

  private readName(index: number): boolean {
    this.nameLength = 0;
    if (this.field(index) === 0) return true;
    const at = this.openVector(index, 1);
    if (at < 0 || at + this.vectorCount + 1 > this.length) return false;
    const count = this.vectorCount;
    if (this.byteAt(at + count) !== 0) return false;
    if (count > this.nameBytes.length) this.nameBytes = new Uint8Array(roomFor(count));
    for (let i = 0; i < count; i++) this.nameBytes[i] = this.byteAt(at + i);
    this.nameLength = count;
    return true;
  }

  private readBbo(): number {
    const problem = this.readHead();
    if (problem !== 0) return problem;
    const bidAt = this.field(1);
    const askAt = this.field(2);
    const bidOrdersAt = this.field(3);
    const askOrdersAt = this.field(4);
    if (bidAt === 0 || askAt === 0) return DecodeError.MissingField;
    if (!this.holds(bidAt, LEVEL_BYTES) || !this.holds(askAt, LEVEL_BYTES)) {
      return DecodeError.OutOfBounds;
    }
    if (bidOrdersAt !== 0 && !this.holds(bidOrdersAt, 4)) return DecodeError.OutOfBounds;
    if (askOrdersAt !== 0 && !this.holds(askOrdersAt, 4)) return DecodeError.OutOfBounds;
    if (!this.readScale(5, DECIMALS_UNTOLD)) return DecodeError.OutOfBounds;
    const words = this.words;
    const table = this.table;
    const beyond =
      readLevels(words, this.wordIndex(table + bidAt), this.bbo, 0, 1) |
      readLevels(words, this.wordIndex(table + askAt), this.bbo, 2, 1);
    this.bbo[4] = bidOrdersAt === 0 ? 0 : words[this.wordIndex(table + bidOrdersAt)]! >>> 0;
    this.bbo[5] = askOrdersAt === 0 ? 0 : words[this.wordIndex(table + askOrdersAt)]! >>> 0;
    return beyond === 0 ? BodyType.Bbo : DecodeError.Precision;
  }

  private readTrades(): number {
    const problem = this.readHead();
    if (problem !== 0) return problem;
    if (!this.readScale(3, DECIMALS_UNTOLD)) return DecodeError.OutOfBounds;
    const first = this.openVector(1, TRADE_BYTES);
    if (first < 0) return first;
    const count = this.vectorCount;
    if (count * TRADE_FIELDS > this.trades.length) {
      this.trades = new Float64Array(roomFor(count * TRADE_FIELDS));
      this.tradeTimeWords = new Int32Array(roomFor(count * 2));
    }
    this.tradesCount = count;
    const words = this.words;
    const trades = this.trades;
    const times = this.tradeTimeWords;
    let at = this.wordIndex(first);
    let beyond = 0;
    for (let i = 0; i < count; i++) {
      const to = i * TRADE_FIELDS;
      beyond |= readLevels(words, at, trades, to, 1) | (words[at + 5]! & BEYOND_UNSIGNED);
      trades[to + 2] = words[at + 5]! * TWO_32 + (words[at + 4]! >>> 0);
      trades[to + 3] = unsignedDouble(words, at + 6);
      trades[to + 4] = words[at + 8]! & 0xff;
      times[i * 2] = words[at + 6]!;
      times[i * 2 + 1] = words[at + 7]!;
      at += TRADE_BYTES / 4;
    }
    if (beyond !== 0) return DecodeError.Precision;
    return this.readParties(2, count) ? BodyType.Trades : DecodeError.OutOfBounds;
  }

  private readOrders(type: number): number {
    const problem = this.readHead();
    if (problem !== 0) return problem;
    if (type === BodyType.OrdersDelta) return this.readChanges();
    const result = this.readSnapshotOrders();
    if (result < 0) return result;
    if (!this.readScale(2, 0)) return DecodeError.OutOfBounds;
    return this.readName(5) ? result : DecodeError.OutOfBounds;
  }

  private readStatus(): number {
    const problem = this.readHead();
    if (problem !== 0) return problem;
    const sinceAt = this.field(1);
    if (sinceAt !== 0 && !this.holds(sinceAt, 8)) return DecodeError.OutOfBounds;
    const at = this.wordIndex(this.table + sinceAt);
    this.sinceWords[0] = sinceAt === 0 ? 0 : this.words[at]!;
    this.sinceWords[1] = sinceAt === 0 ? 0 : this.words[at + 1]!;
    return this.readDefinition(2);
  }

  private readHeartbeat(): number {
    const publishedAt = this.field(0);
    if (publishedAt !== 0 && !this.holds(publishedAt, 8)) return DecodeError.OutOfBounds;
    const first = this.openVector(1, POSITION_BYTES);
    if (first < 0) return first;
    const count = this.vectorCount;
    if (count * POSITION_FIELDS > this.positions.length) {
      this.positions = new Float64Array(roomFor(count * POSITION_FIELDS));
    }
    this.positionsCount = count;
    this.head.fill(0);
    this.timeWords.fill(0);
    const words = this.words;
    if (publishedAt !== 0) {
      const at = this.wordIndex(this.table + publishedAt);
      this.timeWords[6] = words[at]!;
      this.timeWords[7] = words[at + 1]!;
      this.head[HeadField.PublishedNs] = unsignedDouble(words, at);
    }
    const positions = this.positions;
    let at = this.wordIndex(first);
    let beyond = 0;
    for (let i = 0; i < count; i++) {
      const to = i * POSITION_FIELDS;
      beyond |= (words[at + 1]! | words[at + 3]!) & BEYOND_UNSIGNED;
      positions[to] = words[at + 1]! * TWO_32 + (words[at]! >>> 0);
      positions[to + 1] = words[at + 3]! * TWO_32 + (words[at + 2]! >>> 0);
      positions[to + 2] = words[at + 4]! >>> 0;
      positions[to + 3] = words[at + 5]! >>> 0;
      at += POSITION_BYTES / 4;
    }
    return beyond === 0 ? BodyType.Heartbeat : DecodeError.Precision;
  }
}

/** The next power of two, so that a slowly growing book does not grow its cells every time. */
function roomFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}
