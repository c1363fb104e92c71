/**
 * Fills: two a trade, one for each user, with the same `tid`; the legs are neighbours in a by-block
 * line and lines of their own in the streaming layout, taker or maker first.
 *
 *     ["0xuser",{"coin":"BTC","px":"81308.0","sz":"0.00033","side":"B","time":1778002753024,…,
 *                "hash":"0x…","oid":412036451245,"crossed":true,…,"tid":316059956208702,…}]
 *
 * A trade is told when both legs are there and agree; `crossed` is the taker's. A leg without its
 * other half (token-alias fills of `#…` coins are one-sided) is never made into a trade, and counted.
 * Ingest thread; a few a block.
 */
import { Aggressor, Side } from '../../domain/side.js';
import {
  ABSENT,
  ENGINE_NS,
  EXCHANGE_NS,
  FLAGS,
  INSTRUMENT,
  RECEIVED_NS,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  TRADE_AGGRESSOR,
  TRADE_BUYER,
  TRADE_HASH,
  TRADE_ID,
  TRADE_PARTIES_DOUBLES,
  TRADE_PRICE,
  TRADE_SELLER,
  TRADE_SIZE,
} from '../../rings/record-types.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Timeline } from '../../time/timeline.js';
import { NO_SYMBOL } from '../symbol-table.js';
import { Claim, type ClaimTaker, NO_CLAIMS } from './claims.js';
import type { Envelope } from './envelope.js';
import {
  CURSOR_FAILED,
  Read,
  ascii,
  readDecimal,
  readHex,
  readWhole,
  skipValue,
  startsWith,
} from './json-cursor.js';
import type { NodeInstruments } from './node-instruments.js';
import { sideAt, valueOf } from './order-scan.js';

const OWNER_WORDS = 5;
const HASH_WORDS = 8;
/** Legs waiting for their other half; beyond this the oldest are given up and counted. */
const WAITING_LEGS_MAX = 4096;
/** Blocks after which a leg's other half is no longer expected. */
const LEG_BLOCKS_MAX = 64;

const KEY_COIN = ascii('"coin":');
const KEY_PRICE = ascii('"px":');
const KEY_SIZE = ascii('"sz":');
const KEY_SIDE = ascii('"side":');
const KEY_TIME = ascii('"time":');
const KEY_HASH = ascii('"hash":');
const KEY_CROSSED = ascii('"crossed":');
const KEY_TID = ascii('"tid":');
const KEY_OID = ascii('"oid":');
const KEY_DIRECTION = ascii('"dir":');
const KEY_LIQUIDATION = ascii('"liquidation":');
/** What a resting order that is traded with does; other directions may pass the book by. */
const DIRECTIONS = [
  '"Open Long"',
  '"Open Short"',
  '"Close Long"',
  '"Close Short"',
  '"Long > Short"',
  '"Short > Long"',
  '"Buy"',
  '"Sell"',
].map(ascii);

/** Takes one trade in the layout of RecordType.TradeParties, lent until the call returns. */
export interface TradeTaker {
  onTrade(event: Float64Array): void;
}

class Leg {
  height = 0;
  instrument: number = ABSENT;
  price = 0;
  size = 0;
  side: number = ABSENT;
  timeMs = 0;
  crossed = false;
  /** A trade on the book as any other. */
  isUsual = false;
  oid: number = ABSENT;
  tid: number = ABSENT;
  readonly user = new Float64Array(OWNER_WORDS);
  readonly hash = new Float64Array(HASH_WORDS);
}

export class FillParser {
  private readonly instruments: NodeInstruments;
  private readonly timeline: Timeline;
  private readonly claims: ClaimTaker;
  private readonly event = new Float64Array(TRADE_PARTIES_DOUBLES);
  private readonly waiting = new Map<number, Leg>();
  private leg = new Leg();
  /** Legs given up without their other half. */
  unpaired = 0;
  /** Legs with a price or size that does not fit their coin's decimals. */
  misfits = 0;
  /** Pairs whose legs do not agree on coin, price, size or sides. */
  mismatched = 0;

  /** @param claims hears what they say about the diffs of their block */
  constructor(instruments: NodeInstruments, timeline: Timeline, claims: ClaimTaker = NO_CLAIMS) {
    this.instruments = instruments;
    this.timeline = timeline;
    this.claims = claims;
  }

  /** Reads a line of fills. Returns the number of trades told, or CURSOR_FAILED if it is malformed. */
  parse(
    bytes: Uint8Array,
    envelope: Envelope,
    end: number,
    receivedNs: number,
    taker: TradeTaker,
  ): number {
    let i = envelope.eventsAt;
    let trades = 0;
    while (i < end && bytes[i] !== 0x5d) {
      i = this.readFill(bytes, i, end);
      if (i < 0) return CURSOR_FAILED;
      if (this.leg.instrument !== ABSENT && this.pair(envelope, receivedNs, taker)) trades++;
      if (bytes[i] === 0x2c) i++;
      else if (bytes[i] !== 0x5d) return CURSOR_FAILED;
    }
    this.expire(envelope.height);
    return i < end ? trades : CURSOR_FAILED;
  }

  /** `["0xuser",{…}]` into `leg`. */
  private readFill(bytes: Uint8Array, at: number, end: number): number {
    const { leg } = this;
    leg.instrument = leg.side = leg.tid = leg.oid = ABSENT;
    leg.isUsual = false;
    if (bytes[at] !== 0x5b) return CURSOR_FAILED;
    let i = readHex(bytes, at + 1, end, OWNER_WORDS, leg.user, 0);
    if (i < 0 || bytes[i] !== 0x2c || bytes[i + 1] !== 0x7b) return CURSOR_FAILED;
    i += 2;
    let isLiquidation = false;
    let priceAt = -1;
    let sizeAt = -1;
    while (i < end) {
      const value = valueOf(bytes, i, end);
      const next = value < 0 ? value : skipValue(bytes, value, end);
      if (next < 0) return CURSOR_FAILED;
      if (startsWith(bytes, i, end, KEY_PRICE)) priceAt = value;
      else if (startsWith(bytes, i, end, KEY_SIZE)) sizeAt = value;
      else if (startsWith(bytes, i, end, KEY_LIQUIDATION)) isLiquidation = true;
      else if (!this.readField(bytes, i, value, next, end)) return CURSOR_FAILED;
      i = next + 1;
      if (bytes[next] === 0x7d) break;
      if (bytes[next] !== 0x2c) return CURSOR_FAILED;
    }
    if (bytes[i] !== 0x5d || priceAt < 0 || sizeAt < 0) return CURSOR_FAILED;
    if (isLiquidation) leg.isUsual = false;
    if (leg.instrument === ABSENT) return i + 1;
    if (leg.side < 0 || leg.tid < 0) return CURSOR_FAILED;
    const price = readDecimal(bytes, priceAt, end, this.instruments.priceDecimals(leg.instrument));
    leg.price = Read.Value;
    const size = readDecimal(bytes, sizeAt, end, this.instruments.sizeDecimals(leg.instrument));
    leg.size = Read.Value;
    if (price < 0 || size < 0) {
      // Not a number of this coin's decimals: no trade of it, and no other coin's loss.
      this.misfits++;
      leg.instrument = ABSENT;
    }
    return i + 1;
  }

  private readField(
    bytes: Uint8Array,
    key: number,
    value: number,
    next: number,
    end: number,
  ): boolean {
    const { leg } = this;
    if (startsWith(bytes, key, end, KEY_COIN)) {
      const symbol = this.instruments.symbols.find(bytes, value + 1, next - 1);
      leg.instrument = symbol === NO_SYMBOL ? ABSENT : this.instruments.idOf(symbol);
    } else if (startsWith(bytes, key, end, KEY_SIDE)) {
      leg.side = sideAt(bytes, value + 1);
    } else if (startsWith(bytes, key, end, KEY_TIME)) {
      if (readWhole(bytes, value, end) !== next) return false;
      leg.timeMs = Read.Value;
    } else if (startsWith(bytes, key, end, KEY_TID)) {
      if (readWhole(bytes, value, end) !== next) return false;
      leg.tid = Read.Value;
    } else if (startsWith(bytes, key, end, KEY_OID)) {
      if (readWhole(bytes, value, end) !== next) return false;
      leg.oid = Read.Value;
    } else if (startsWith(bytes, key, end, KEY_DIRECTION)) {
      leg.isUsual = DIRECTIONS.some((direction) => startsWith(bytes, value, next, direction));
    } else if (startsWith(bytes, key, end, KEY_CROSSED)) {
      leg.crossed = bytes[value] === 0x74;
    } else if (startsWith(bytes, key, end, KEY_HASH)) {
      return readHex(bytes, value, end, HASH_WORDS, leg.hash, 0) === next;
    }
    return true;
  }

  /** Joins the leg just read with its other half, if that is there already. */
  private pair(envelope: Envelope, receivedNs: number, taker: TradeTaker): boolean {
    const { leg } = this;
    leg.height = envelope.height;
    const other = this.waiting.get(leg.tid);
    if (other === undefined) {
      this.waiting.set(leg.tid, leg);
      this.leg = new Leg();
      return false;
    }
    const isSame =
      other.instrument === leg.instrument &&
      other.price === leg.price &&
      other.size === leg.size &&
      other.side !== leg.side;
    if (!isSame) {
      // Trade ids are unique within a block and coin only: the newer leg begins anew.
      this.mismatched++;
      this.waiting.set(leg.tid, leg);
      this.leg = new Leg();
      return false;
    }
    this.waiting.delete(leg.tid);
    this.claim(other, leg);
    this.tell(other, leg, envelope, receivedNs, taker);
    return true;
  }

  /** The maker's order has shrunk in this block. */
  private claim(first: Leg, second: Leg): void {
    if (first.crossed === second.crossed || first.height !== second.height) return;
    const maker = first.crossed ? second : first;
    if (maker.isUsual && maker.oid !== ABSENT)
      this.claims.onClaim(maker.height, maker.oid, Claim.Shrunk);
  }

  private tell(
    first: Leg,
    second: Leg,
    envelope: Envelope,
    receivedNs: number,
    taker: TradeTaker,
  ): void {
    const buyer = first.side === Side.Bid ? first : second;
    const seller = first.side === Side.Bid ? second : first;
    const { event } = this;
    event[INSTRUMENT] = first.instrument;
    event[FLAGS] = EventFlag.Last;
    event[EXCHANGE_NS] = this.timeline.fromUnixMs(seller.timeMs);
    event[ENGINE_NS] = envelope.localNs;
    event[RECEIVED_NS] = receivedNs;
    // A trade id here is a hash: it has no order, so it is no sequence.
    event[SEQUENCE_FIRST] = ABSENT;
    event[SEQUENCE_LAST] = ABSENT;
    event[SEQUENCE_PREVIOUS] = ABSENT;
    event[TRADE_PRICE] = seller.price;
    event[TRADE_SIZE] = seller.size;
    event[TRADE_AGGRESSOR] = seller.crossed ? Aggressor.Sell : Aggressor.Buy;
    event[TRADE_ID] = first.tid;
    for (let i = 0; i < OWNER_WORDS; i++) {
      event[TRADE_BUYER + i] = buyer.user[i]!;
      event[TRADE_SELLER + i] = seller.user[i]!;
    }
    for (let i = 0; i < HASH_WORDS; i++) event[TRADE_HASH + i] = seller.hash[i]!;
    taker.onTrade(event);
  }

  private expire(height: number): void {
    for (const [tid, leg] of this.waiting) {
      if (this.waiting.size <= WAITING_LEGS_MAX && leg.height + LEG_BLOCKS_MAX >= height) break;
      this.waiting.delete(tid);
      this.unpaired++;
    }
  }
}
