/**
 * Reads one order object as the node writes it (in statuses and in snapshots), in any key order:
 *
 *     {"coin":"BTC","side":"A","limitPx":"81307.0","sz":"0.92969","oid":412036472617,
 *      "timestamp":1778002753024,"triggerCondition":"N/A","isTrigger":false,"triggerPx":"0.0",
 *      "children":[],"isPositionTpsl":false,"reduceOnly":false,"orderType":"Limit",
 *      "origSz":"0.92969","tif":"Alo","cloid":"0x…"|null}
 *
 * Ingest thread, hot: 51,000 of them in a snapshot, a dozen a block from the statuses.
 */
import { OrderAttribute, OrderType, TimeInForce } from '../../domain/order-attributes.js';
import { Side } from '../../domain/side.js';
import {
  CURSOR_FAILED,
  Read,
  ascii,
  readHex,
  readWhole,
  skipValue,
  startsWith,
} from './json-cursor.js';

/** Words of a client id (16 bytes). */
const CLIENT_ID_WORDS = 4;

const KEY_COIN = ascii('"coin":"');
const KEY_SIDE = ascii('"side":"');
const KEY_LIMIT_PRICE = ascii('"limitPx":"');
const KEY_SIZE = ascii('"sz":"');
const KEY_OID = ascii('"oid":');
const KEY_TIMESTAMP = ascii('"timestamp":');
const KEY_CONDITION = ascii('"triggerCondition":"');
const KEY_IS_TRIGGER = ascii('"isTrigger":');
const KEY_POSITION = ascii('"isPositionTpsl":');
const KEY_REDUCE_ONLY = ascii('"reduceOnly":');
const KEY_ORDER_TYPE = ascii('"orderType":"');
const KEY_TIF = ascii('"tif":');
const KEY_CLOID = ascii('"cloid":');
const TRIGGERED = ascii('Triggered"');
const NULL = ascii('null');

const ORDER_TYPES: readonly (readonly [Uint8Array, OrderType])[] = [
  [ascii('Limit"'), OrderType.Limit],
  [ascii('Stop Market"'), OrderType.StopMarket],
  [ascii('Stop Limit"'), OrderType.StopLimit],
  [ascii('Take Profit Market"'), OrderType.TakeProfitMarket],
  [ascii('Take Profit Limit"'), OrderType.TakeProfitLimit],
  [ascii('Market"'), OrderType.Market],
];
const TIMES_IN_FORCE: readonly (readonly [Uint8Array, TimeInForce])[] = [
  [ascii('"Alo"'), TimeInForce.Alo],
  [ascii('"Gtc"'), TimeInForce.Gtc],
  [ascii('"Ioc"'), TimeInForce.Ioc],
  [ascii('"FrontendMarket"'), TimeInForce.FrontendMarket],
];

function codeAt<Code extends number>(
  bytes: Uint8Array,
  at: number,
  end: number,
  table: readonly (readonly [Uint8Array, Code])[],
): Code | 0 {
  for (let i = 0; i < table.length; i++) {
    const row = table[i]!;
    if (startsWith(bytes, at, end, row[0])) return row[1];
  }
  return 0;
}

/** The last order read. Positions are into the bytes that were given. */
export class OrderScan {
  coinAt = 0;
  coinEnd = 0;
  side: Side = Side.Bid;
  /** Opening quote of the decimal texts; the caller knows the instrument's decimals. */
  priceAt = 0;
  sizeAt = 0;
  oid = 0;
  placedMs = 0;
  attributes = 0;
  /** Waits for its trigger: does not rest in the book. */
  isTrigger = false;
  readonly clientId = new Float64Array(CLIENT_ID_WORDS);

  /** Reads the object that opens at `at`; returns the position behind it or CURSOR_FAILED. */
  read(bytes: Uint8Array, at: number, end: number): number {
    this.coinAt = this.priceAt = this.sizeAt = 0;
    this.oid = 0;
    this.placedMs = 0;
    this.attributes = OrderAttribute.Identified;
    this.isTrigger = false;
    this.clientId.fill(0);
    let side = -1;
    if (bytes[at] !== 0x7b) return CURSOR_FAILED;
    let i = at + 1;
    while (i < end) {
      const valueAt = this.field(bytes, i, end);
      if (valueAt === CURSOR_FAILED) return CURSOR_FAILED;
      if (startsWith(bytes, i, end, KEY_SIDE)) side = sideAt(bytes, i + KEY_SIDE.length);
      i = skipValue(bytes, valueAt, end);
      if (i < 0) return CURSOR_FAILED;
      const next = bytes[i];
      if (next === 0x7d) {
        if (side < 0 || this.coinAt === 0 || this.priceAt === 0 || this.sizeAt === 0) break;
        this.side = side as Side;
        return i + 1;
      }
      if (next !== 0x2c) return CURSOR_FAILED;
      i++;
    }
    return CURSOR_FAILED;
  }

  /** Takes the field whose key stands at `at`, if it is one of ours; returns where its value begins. */
  private field(bytes: Uint8Array, at: number, end: number): number {
    switch (bytes[at + 1]) {
      case 0x63: // c
        if (startsWith(bytes, at, end, KEY_COIN)) {
          this.coinAt = at + KEY_COIN.length;
          this.coinEnd = skipValue(bytes, this.coinAt - 1, end) - 1;
          return this.coinAt - 1;
        }
        if (startsWith(bytes, at, end, KEY_CLOID)) return this.readClientId(bytes, at, end);
        break;
      case 0x6c: // l
        if (startsWith(bytes, at, end, KEY_LIMIT_PRICE)) {
          return (this.priceAt = at + KEY_LIMIT_PRICE.length - 1);
        }
        break;
      case 0x73: // s
        if (startsWith(bytes, at, end, KEY_SIZE)) return (this.sizeAt = at + KEY_SIZE.length - 1);
        break;
      case 0x6f: // o
        if (startsWith(bytes, at, end, KEY_OID)) {
          if (readWhole(bytes, at + KEY_OID.length, end) < 0) return CURSOR_FAILED;
          this.oid = Read.Value;
        } else if (startsWith(bytes, at, end, KEY_ORDER_TYPE)) {
          const type = codeAt(bytes, at + KEY_ORDER_TYPE.length, end, ORDER_TYPES);
          this.attributes |= type << OrderAttribute.OrderTypeShift;
        }
        break;
      case 0x74: // t
        this.fieldT(bytes, at, end);
        break;
      case 0x69: // i
        if (startsWith(bytes, at, end, KEY_IS_TRIGGER)) {
          this.isTrigger = bytes[at + KEY_IS_TRIGGER.length] === 0x74;
        } else if (isTrue(bytes, at, end, KEY_POSITION)) {
          this.attributes |= OrderAttribute.PositionTpsl;
        }
        break;
      case 0x72: // r
        if (isTrue(bytes, at, end, KEY_REDUCE_ONLY)) this.attributes |= OrderAttribute.ReduceOnly;
        break;
      default:
        break;
    }
    return valueOf(bytes, at, end);
  }

  private fieldT(bytes: Uint8Array, at: number, end: number): void {
    if (startsWith(bytes, at, end, KEY_TIMESTAMP)) {
      if (readWhole(bytes, at + KEY_TIMESTAMP.length, end) >= 0) this.placedMs = Read.Value;
    } else if (startsWith(bytes, at, end, KEY_TIF)) {
      this.attributes |= codeAt(bytes, at + KEY_TIF.length, end, TIMES_IN_FORCE);
    } else if (startsWith(bytes, at, end, KEY_CONDITION)) {
      if (startsWith(bytes, at + KEY_CONDITION.length, end, TRIGGERED)) {
        this.attributes |= OrderAttribute.Triggered;
      }
    }
  }

  private readClientId(bytes: Uint8Array, at: number, end: number): number {
    const value = at + KEY_CLOID.length;
    if (startsWith(bytes, value, end, NULL)) return value;
    if (readHex(bytes, value, end, CLIENT_ID_WORDS, this.clientId, 0) < 0) return CURSOR_FAILED;
    this.attributes |= OrderAttribute.HasClientId;
    return value;
  }
}

function isTrue(bytes: Uint8Array, at: number, end: number, key: Uint8Array): boolean {
  return startsWith(bytes, at, end, key) && bytes[at + key.length] === 0x74;
}

/** `A` and `B` in the files, `Ask` and `Bid` in the documentation: both are taken. -1 otherwise. */
export function sideAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first === 0x42) return Side.Bid;
  return first === 0x41 ? Side.Ask : -1;
}

/** Where the value of the key at `at` begins. */
export function valueOf(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== 0x22) return CURSOR_FAILED;
  const colon = skipValue(bytes, at, end);
  return colon > 0 && bytes[colon] === 0x3a ? colon + 1 : CURSOR_FAILED;
}
