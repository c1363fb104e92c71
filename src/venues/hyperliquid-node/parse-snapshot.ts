/**
 * Reads an L4 snapshot as its bytes arrive, in chunks, so that neither a file of hundreds of
 * megabytes nor its objects ever stand in memory, and a caller can stop after a bounded amount:
 *
 *     [985148181,[["BTC",[[["0xuser",{order}],…],[["0xuser",{order}],…]]],["ETH",…],…]]
 *
 * or without the height, as the command line of the node writes it: [["BTC",…],…]. Orders stand best
 * first and in time priority within a price; those that wait for a trigger are passed over.
 * Ingest thread, cold but long: 51,000 orders for BTC.
 */
import { ABSENT, SNAPSHOT_ORDER_DOUBLES } from '../../rings/record-types.js';
import { JsonCompactor, beginsSpaced } from './compact-json.js';
import { NO_SYMBOL } from '../symbol-table.js';
import {
  CURSOR_FAILED,
  Read,
  readDecimal,
  readHex,
  readWhole,
  skipString,
  skipValue,
} from './json-cursor.js';
import type { NodeInstruments } from './node-instruments.js';
import { OrderScan } from './order-scan.js';

const OWNER_WORDS = 5;
const CLIENT_ID_WORDS = 4;
/** One order with its children is never near this. */
const TOKEN_BYTES_MAX = 1 << 20;
/** Spaces between tokens show here if there are any. */
const HEAD_BYTES = 4096;

export interface SnapshotTaker {
  /** The file's height, or ABSENT where it does not say. */
  onHeight(height: number): void;
  /** A coin begins; `instrumentId` is ABSENT if nobody wants it. */
  onCoin(instrumentId: number, name: string): void;
  /**
   * One order of the coin, in queue order (layout: SNAPSHOT_ORDERS in rings/record-types.ts). Price
   * and size are ABSENT where they do not fit the instrument's decimals: no book can take that.
   */
  onOrder(order: Float64Array): void;
  onCoinEnd(): void;
}

const State = {
  Start: 0,
  Coins: 1,
  Coin: 2,
  Sides: 3,
  Orders: 4,
  SideEnd: 5,
  CoinEnd: 6,
  Done: 7,
} as const;

export const SnapshotResult = {
  NeedMore: 0,
  Done: 1,
  Paused: 2,
  Malformed: -1,
} as const;

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;

export class SnapshotParser {
  private readonly instruments: NodeInstruments;
  private readonly taker: SnapshotTaker;
  private readonly scan = new OrderScan();
  private readonly order = new Float64Array(SNAPSHOT_ORDER_DOUBLES);
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private state: number = State.Start;
  private isFirst = true;
  /** Of a file with spaces between its tokens. */
  private compactor: JsonCompactor | null = null;
  private instrument: number = ABSENT;
  private side = 0;
  orders = 0;
  triggersPassed = 0;

  constructor(instruments: NodeInstruments, taker: SnapshotTaker) {
    this.instruments = instruments;
    this.taker = taker;
  }

  /** Adds the next bytes of the file. */
  feed(chunk: Buffer): void {
    if (this.isFirst && beginsSpaced(chunk.subarray(0, HEAD_BYTES))) {
      this.compactor = new JsonCompactor();
    }
    this.isFirst = false;
    this.append(this.compactor === null ? chunk : this.compactor.compact(chunk));
  }

  private append(chunk: Buffer): void {
    this.bytes =
      this.at === this.bytes.length ? chunk : Buffer.concat([this.bytes.subarray(this.at), chunk]);
    this.at = 0;
  }

  /**
   * Goes on until the bytes are used up, the file is whole, or `ordersMax` orders were told.
   * NeedMore at the true end of the file means that the file is cut short.
   */
  step(ordersMax: number): number {
    const until = this.orders + ordersMax;
    while (this.state !== State.Done) {
      if (this.orders >= until) return SnapshotResult.Paused;
      const before = this.at;
      const next = this.advance();
      if (next === CURSOR_FAILED) {
        const isCut = this.bytes.length - before < TOKEN_BYTES_MAX && this.isCut(before);
        return isCut ? SnapshotResult.NeedMore : SnapshotResult.Malformed;
      }
      this.at = next;
    }
    return SnapshotResult.Done;
  }

  /** Nothing that stands there is wrong as far as it goes: it may only be incomplete. */
  private isCut(at: number): boolean {
    if (at >= this.bytes.length) return true;
    const first = this.bytes[at];
    const plausible =
      first === OPEN_BRACKET || first === QUOTE || first === COMMA || first === CLOSE_BRACKET;
    const digit = first !== undefined && first >= 0x30 && first <= 0x39;
    return (plausible || digit) && skipValueOrCut(this.bytes, at);
  }

  private advance(): number {
    const { bytes, at } = this;
    const end = bytes.length;
    switch (this.state) {
      case State.Start:
        return this.start(at, end);
      case State.Coins:
        return this.punctuated(at, State.Coin, State.Done);
      case State.Coin:
        return this.coin(at, end);
      case State.Sides:
        if (at + 1 >= end || bytes[at] !== OPEN_BRACKET) return CURSOR_FAILED;
        this.state = State.Orders;
        return at + 1;
      case State.Orders:
        return bytes[at] === CLOSE_BRACKET || bytes[at] === COMMA
          ? this.punctuated(at, State.Orders, State.SideEnd)
          : this.readOrder(at, end);
      case State.SideEnd:
        return this.sideEnd(at);
      default:
        return CURSOR_FAILED;
    }
  }

  private start(at: number, end: number): number {
    if (end - at < 3 || bytes2(this.bytes, at) === 0) return CURSOR_FAILED;
    if (this.bytes[at] !== OPEN_BRACKET) return CURSOR_FAILED;
    if (this.bytes[at + 1] === OPEN_BRACKET || this.bytes[at + 1] === CLOSE_BRACKET) {
      this.taker.onHeight(ABSENT);
      this.state = State.Coins;
      return at + 1;
    }
    const next = readWhole(this.bytes, at + 1, end);
    if (next < 0 || this.bytes[next] !== COMMA || this.bytes[next + 1] !== OPEN_BRACKET)
      return CURSOR_FAILED;
    this.taker.onHeight(Read.Value);
    this.state = State.Coins;
    return next + 2;
  }

  /** At a comma, a closing bracket or the first element: goes on to `more` or `done`. */
  private punctuated(at: number, more: number, done: number): number {
    const byte = this.bytes[at];
    if (byte === CLOSE_BRACKET) {
      this.state = done;
      return at + 1;
    }
    this.state = more;
    if (byte === COMMA) return at + 1;
    return byte === OPEN_BRACKET ? at : CURSOR_FAILED;
  }

  /** `["BTC",[` */
  private coin(at: number, end: number): number {
    if (this.bytes[at] !== OPEN_BRACKET || this.bytes[at + 1] !== QUOTE) return CURSOR_FAILED;
    const close = skipString(this.bytes, at + 1, end);
    if (
      close < 0 ||
      close + 1 >= end ||
      this.bytes[close] !== COMMA ||
      this.bytes[close + 1] !== OPEN_BRACKET
    ) {
      return CURSOR_FAILED;
    }
    const symbol = this.instruments.symbols.find(this.bytes, at + 2, close - 1);
    this.instrument = symbol === NO_SYMBOL ? ABSENT : this.instruments.idOf(symbol);
    this.side = 0;
    this.taker.onCoin(this.instrument, this.bytes.toString('latin1', at + 2, close - 1));
    this.state = State.Sides;
    return close + 2;
  }

  /** Behind a side's `]`: a comma before the asks, or `]]` at the coin's end. */
  private sideEnd(at: number): number {
    if (this.side === 0) {
      if (this.bytes[at] !== COMMA) return CURSOR_FAILED;
      this.side = 1;
      this.state = State.Sides;
      return at + 1;
    }
    if (this.bytes[at] !== CLOSE_BRACKET || this.bytes[at + 1] !== CLOSE_BRACKET)
      return CURSOR_FAILED;
    this.taker.onCoinEnd();
    this.state = State.Coins;
    return at + 2;
  }

  /** `["0xuser",{…}]`, or `{…}` where the node was asked for no users. */
  private readOrder(at: number, end: number): number {
    const { order, scan } = this;
    if (this.instrument === ABSENT) {
      const next = skipValue(this.bytes, at, end);
      if (next >= 0) this.orders++;
      return next;
    }
    order.fill(0);
    let opens = at;
    const hasUser = this.bytes[at] === OPEN_BRACKET;
    if (hasUser) {
      const next = readHex(this.bytes, at + 1, end, OWNER_WORDS, order, 6);
      if (next < 0 || this.bytes[next] !== COMMA) return CURSOR_FAILED;
      opens = next + 1;
    }
    let next = scan.read(this.bytes, opens, end);
    if (next < 0 || next >= end) return CURSOR_FAILED;
    if (hasUser) {
      if (this.bytes[next] !== CLOSE_BRACKET) return CURSOR_FAILED;
      next++;
    }
    this.orders++;
    if (scan.isTrigger) {
      this.triggersPassed++;
      return next;
    }
    this.readNumbers(end);
    this.taker.onOrder(order);
    return next;
  }

  private readNumbers(end: number): void {
    const { order, scan, bytes } = this;
    const priceDecimals = this.instruments.priceDecimals(this.instrument);
    const sizeDecimals = this.instruments.sizeDecimals(this.instrument);
    order[0] = scan.side;
    order[1] = readDecimal(bytes, scan.priceAt, end, priceDecimals) < 0 ? ABSENT : Read.Value;
    order[2] = readDecimal(bytes, scan.sizeAt, end, sizeDecimals) < 0 ? ABSENT : Read.Value;
    order[3] = scan.oid;
    order[4] = scan.placedMs;
    order[5] = scan.attributes;
    for (let i = 0; i < CLIENT_ID_WORDS; i++) order[6 + OWNER_WORDS + i] = scan.clientId[i]!;
  }
}

function bytes2(bytes: Buffer, at: number): number {
  return at + 1 < bytes.length ? 1 : 0;
}

/** True if the value at `at` runs into the end of the bytes. */
function skipValueOrCut(bytes: Buffer, at: number): boolean {
  return skipValue(bytes, at, bytes.length) < 0 || bytes.length - at < 64;
}
