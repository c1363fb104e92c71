/**
 * AssemblyScript, part of scanners.as.ts: one event of a diff line of a Hyperliquid node, in the layout
 * of rings/record-types.ts. Ingest thread, hot. It reads this shape only; whatever differs is declined
 * and the JavaScript scanner decides.
 *
 *     0    {"user":"0x…40 digits","oid":412036231803,"coin":"BTC","side":"A","px":"81308.0",
 *          "raw_book_diff":"remove"}
 *                          {"new":{"sz":"0.61488"}}}
 *                          {"new":{"sz":"0.61488","insertBefore":105338503859}}}
 *                          {"update":{"origSz":"0.1804","newSz":"0.18007"}}}
 */
import { COMMA, endOfNumber, scanDecimal, scanWholeBefore } from './digits.as';
import { scanOwner } from './hex.as';
import {
  findQuote,
  findSymbol,
  readSymbol,
  symbolId,
  symbolPriceDecimals,
  symbolSizeDecimals,
} from './symbols.as';

// Indexes of doubles in an OrderEvent (rings/record-types.ts), as byte offsets.
const INSTRUMENT: usize = 0;
const KIND: usize = 64;
const SIDE: usize = 72;
const PRICE: usize = 80;
const SIZE: usize = 88;
const SIZE_BEFORE: usize = 96;
const ID: usize = 104;
const BEFORE_ID: usize = 112;
const PLACED_MS: usize = 120;
const ATTRIBUTES: usize = 128;
const OWNER: i32 = 136;
const CLIENT_ID: usize = 176;
const ABSENT: f64 = -1;
/** OrderKind */
const NEW: f64 = 0;
const UPDATE: f64 = 1;
const REMOVE: f64 = 2;

const CLOSE_BRACE: u8 = 0x7d;
const BID: u8 = 0x42;
const ASK: u8 = 0x41;
/** Places that the numbers of a coin which nobody wants may have. */
const UNWANTED_DECIMALS: i32 = 8;

/** Whether a coin that is not among the symbols may yet be one of ours. */
let isUnknownDeclined: bool = false;

/** From now on: one of our coins found no place among the symbols. */
export function declineUnknown(): void {
  isUnknownDeclined = true;
}

/**
 * The event at `at` into the record at `event`, without its header; its instrument is ABSENT if its
 * coin is none of ours. Returns the address behind it, or -1: declined, and the record holds nothing of
 * use.
 */
export function scanDiff(at: i32, end: i32, event: i32): i32 {
  if (
    load<u64>(at) != 0x3a2272657375227b || // {"user":
    load<u32>(at, 7) != 0x7830223a || // :"0x
    load<u64>(at, 51) != 0x3a2264696f222c22 || // ","oid":
    !scanOwner(at + 11, event + OWNER)
  ) {
    return -1;
  }
  const id = scanWholeBefore(at + 59, COMMA);
  let i = endOfNumber();
  if (id < 0 || load<u64>(i) != 0x223a226e696f6322) return -1; // "coin":"
  i += 8;
  const symbolBytes = readSymbol(i);
  const entry = findSymbol(symbolBytes);
  let instrument = ABSENT;
  let priceDecimals = UNWANTED_DECIMALS;
  let sizeDecimals = UNWANTED_DECIMALS;
  if (entry != 0) {
    instrument = symbolId(entry);
    priceDecimals = symbolPriceDecimals(entry);
    sizeDecimals = symbolSizeDecimals(entry);
  } else if (symbolBytes <= 0 || isUnknownDeclined || findQuote(i, end) != i + symbolBytes) {
    return -1;
  }
  i += symbolBytes;
  const side = load<u8>(i, 10);
  if (
    load<u64>(i) != 0x2265646973222c22 || // ","side"
    load<u16>(i, 8) != 0x223a || // :"
    (side != BID && side != ASK) ||
    load<u64>(i, 11) != 0x223a227870222c22 // ","px":"
  ) {
    return -1;
  }
  const price = scanDecimal(i + 19, priceDecimals);
  i = endOfNumber();
  if (
    price < 0 ||
    load<u64>(i) != 0x625f776172222c22 || // ","raw_b
    load<u64>(i, 8) != 0x666669645f6b6f6f || // ook_diff
    load<u16>(i, 16) != 0x3a22 // ":
  ) {
    return -1;
  }
  store<f64>(event, instrument, INSTRUMENT);
  store<f64>(event, side == BID ? 0 : 1, SIDE);
  store<f64>(event, price, PRICE);
  store<f64>(event, id, ID);
  store<f64>(event, ABSENT, BEFORE_ID);
  store<f64>(event, 0, PLACED_MS);
  store<f64>(event, 0, ATTRIBUTES);
  store<f64>(event, 0, CLIENT_ID);
  store<f64>(event, 0, CLIENT_ID + 8);
  store<f64>(event, 0, CLIENT_ID + 16);
  store<f64>(event, 0, CLIENT_ID + 24);
  const behind = scanChange(i + 18, sizeDecimals, event);
  return behind <= end ? behind : -1;
}

/** From the value of `raw_book_diff` to behind the event; -1 if it has another form. */
// @ts-ignore: decorator
@inline
function scanChange(at: i32, decimals: i32, event: i32): i32 {
  const first = load<u64>(at);
  if (first == 0x2265766f6d657222) { // "remove"
    store<f64>(event, REMOVE, KIND);
    store<f64>(event, 0, SIZE);
    store<f64>(event, ABSENT, SIZE_BEFORE);
    return load<u8>(at, 8) == CLOSE_BRACE ? at + 9 : -1;
  }
  if (first == 0x7b3a2277656e227b && load<u64>(at, 6) == 0x223a227a73227b3a) { // {"new":{  :{"sz":"
    const size = scanDecimal(at + 14, decimals);
    if (size < 0) return -1;
    store<f64>(event, NEW, KIND);
    store<f64>(event, size, SIZE);
    store<f64>(event, ABSENT, SIZE_BEFORE);
    return behindNew(endOfNumber(), event);
  }
  // {"update" e":{"ori  gSz":"
  if (
    first != 0x657461647075227b ||
    load<u64>(at, 7) != 0x69726f227b3a2265 ||
    (load<u64>(at, 15) & 0x0000ffffffffffff) != 0x0000223a227a5367
  ) {
    return -1;
  }
  const before = scanDecimal(at + 21, decimals);
  let i = endOfNumber();
  // ","newSz":"
  if (before < 0 || load<u64>(i) != 0x7a5377656e222c22 || load<u32>(i, 7) != 0x223a227a) return -1;
  const size = scanDecimal(i + 11, decimals);
  i = endOfNumber();
  if (size < 0 || load<u32>(i) != 0x7d7d7d22) return -1; // "}}}
  store<f64>(event, UPDATE, KIND);
  store<f64>(event, size, SIZE);
  store<f64>(event, before, SIZE_BEFORE);
  return i + 4;
}

/** From the quote behind a new order's size to behind the event. */
// @ts-ignore: decorator
@inline
function behindNew(at: i32, event: i32): i32 {
  if (load<u32>(at) == 0x7d7d7d22) return at + 4; // "}}}
  if (
    load<u64>(at) != 0x7265736e69222c22 || // ","inser
    load<u64>(at, 8) != 0x2265726f66654274 || // tBefore"
    load<u8>(at, 16) != 0x3a
  ) {
    return -1;
  }
  const beforeId = scanWholeBefore(at + 17, CLOSE_BRACE);
  const i = endOfNumber();
  if (beforeId < 0 || load<u16>(i) != 0x7d7d) return -1; // }}
  store<f64>(event, beforeId, BEFORE_ID);
  return i + 2;
}
