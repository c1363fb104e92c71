/**
 * One event of a diff line as the node writes it, name after name, four bytes at a time. Ingest thread,
 * hot. It reads this shape only; whatever differs is declined and DiffParser reads it name by name.
 * It never accepts what that would refuse, and never says that an event is bad.
 *
 *     {"user":"0x…40 digits","oid":412036231803,"coin":"BTC","side":"A","px":"81308.0",
 *      "raw_book_diff":"remove"}
 *                     {"new":{"sz":"0.61488"}}}
 *                     {"new":{"sz":"0.61488","insertBefore":105338503859}}}
 *                     {"update":{"origSz":"0.1804","newSz":"0.18007"}}}
 */
import * as Record from '../../rings/record-types.js';
import { SCAN_FAILED, scanInteger, scanLooseDecimal, scanPlainString } from '../byte-scan.js';
import { scanHex } from '../hyperliquid/scan-hex.js';
import { Literal } from '../hyperliquid/scan-literal.js';
import { NO_SYMBOL } from '../symbol-table.js';
import type { NodeInstruments } from './node-instruments.js';
import { sideAt } from './order-scan.js';

const OWNER_WORDS = 5;
const POINT = 0x2e;
const QUOTE = 0x22;
const COMMA = 0x2c;
/** Longer coins and decimals are left to the other way. */
const TEXT_BYTES_MAX = 48;
/** More than an event of this shape can take, and the words that are read beyond it. */
const EVENT_BYTES_MAX = 512;

const USER = new Literal('{"user":"0x');
const OID = new Literal('","oid":');
const COIN = new Literal(',"coin":"');
const SIDE = new Literal(',"side":"');
const PRICE = new Literal('","px":"');
const REMOVE = new Literal('","raw_book_diff":"remove"}');
const NEW = new Literal('","raw_book_diff":{"new":{"sz":"');
const BEFORE = new Literal('","insertBefore":');
const UPDATE = new Literal('","raw_book_diff":{"update":{"origSz":"');
const NEW_SIZE = new Literal('","newSz":"');
const END = new Literal('"}}}');
const END_AFTER_NUMBER = new Literal('}}}');

export class DiffScanner {
  /** The line reader's own buffer: the same from line to line. */
  private source: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.source.buffer);

  constructor(private readonly instruments: NodeInstruments) {}

  /**
   * The event that opens at `at`, into what an OrderEvent has beyond its line's own fields; INSTRUMENT
   * is ABSENT for one that nobody wants. Returns the position behind it, or SCAN_FAILED: declined.
   */
  scan(bytes: Uint8Array, at: number, end: number, event: Float64Array): number {
    if (bytes !== this.source) {
      this.source = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    if (at + EVENT_BYTES_MAX > bytes.length) return SCAN_FAILED;
    const { view, instruments } = this;
    at = USER.pass(view, at);
    at = at < 0 ? at : scanHex(view, at, OWNER_WORDS, event, Record.ORDER_OWNER);
    at = at < 0 ? at : OID.pass(view, at);
    at = at < 0 ? at : scanInteger(view, at, event, Record.ORDER_ID);
    at = at < 0 ? at : COIN.pass(view, at);
    if (at < 0) return SCAN_FAILED;
    const behindCoin = scanPlainString(view, at, at + TEXT_BYTES_MAX);
    if (behindCoin < 0) return SCAN_FAILED;
    const symbol = instruments.symbols.find(bytes, at, behindCoin - 1);
    at = SIDE.pass(view, behindCoin);
    if (at < 0) return SCAN_FAILED;
    event[Record.ORDER_SIDE] = sideAt(bytes, at);
    if (event[Record.ORDER_SIDE]! < 0) return SCAN_FAILED;
    at = PRICE.pass(view, at + 1);
    if (at < 0) return SCAN_FAILED;
    event[Record.ORDER_PLACED_MS] = 0;
    event[Record.ORDER_ATTRIBUTES] = 0;
    event[Record.ORDER_CLIENT_ID] = 0;
    event[Record.ORDER_CLIENT_ID + 1] = 0;
    event[Record.ORDER_CLIENT_ID + 2] = 0;
    event[Record.ORDER_CLIENT_ID + 3] = 0;
    if (symbol === NO_SYMBOL) {
      event[Record.INSTRUMENT] = Record.ABSENT;
      return within(this.change(at, -1, -1, event), end);
    }
    const id = instruments.idOf(symbol);
    event[Record.INSTRUMENT] = id;
    const priceDecimals = instruments.priceDecimals(id);
    return within(this.change(at, priceDecimals, instruments.sizeDecimals(id), event), end);
  }

  /** From the price's first digit to behind the event. Negative decimals: the numbers do not matter. */
  private change(
    at: number,
    priceDecimals: number,
    sizeDecimals: number,
    event: Float64Array,
  ): number {
    const { view } = this;
    at = this.decimal(at, priceDecimals, event, Record.ORDER_PRICE);
    if (at < 0) return SCAN_FAILED;
    event[Record.ORDER_SIZE] = 0;
    event[Record.ORDER_SIZE_BEFORE] = Record.ABSENT;
    event[Record.ORDER_BEFORE_ID] = Record.ABSENT;
    const removed = REMOVE.pass(view, at);
    if (removed >= 0) {
      event[Record.ORDER_KIND] = Record.OrderKind.Remove;
      return removed;
    }
    const isNew = NEW.pass(view, at);
    if (isNew >= 0) {
      event[Record.ORDER_KIND] = Record.OrderKind.New;
      at = this.decimal(isNew, sizeDecimals, event, Record.ORDER_SIZE);
      if (at < 0) return SCAN_FAILED;
      if (view.getUint8(at + 1) !== COMMA) return END.pass(view, at);
      at = BEFORE.pass(view, at);
      at = at < 0 ? at : scanInteger(view, at, event, Record.ORDER_BEFORE_ID);
      return at < 0 ? at : END_AFTER_NUMBER.pass(view, at);
    }
    at = UPDATE.pass(view, at);
    at = at < 0 ? at : this.decimal(at, sizeDecimals, event, Record.ORDER_SIZE_BEFORE);
    at = at < 0 ? at : NEW_SIZE.pass(view, at);
    at = at < 0 ? at : this.decimal(at, sizeDecimals, event, Record.ORDER_SIZE);
    event[Record.ORDER_KIND] = Record.OrderKind.Update;
    return at < 0 ? at : END.pass(view, at);
  }

  /** Returns the position of the closing quote. The other way wants a digit behind a point. */
  private decimal(at: number, decimals: number, event: Float64Array, index: number): number {
    const { view } = this;
    if (decimals < 0) {
      const behind = scanPlainString(view, at, at + TEXT_BYTES_MAX);
      return behind < 0 ? SCAN_FAILED : behind - 1;
    }
    const close = scanLooseDecimal(view, at, decimals, event, index);
    if (close < 0 || view.getUint8(close) !== QUOTE) return SCAN_FAILED;
    return view.getUint8(close - 1) === POINT ? SCAN_FAILED : close;
  }
}

/** An event that reaches beyond its line is none. */
function within(stop: number, end: number): number {
  return stop <= end ? stop : SCAN_FAILED;
}
