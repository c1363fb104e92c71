/**
 * AssemblyScript, compiled to WebAssembly by `npm run build`: scans a depth frame of the Binance
 * dialect in linear memory. Ingest thread, hottest of all. It knows one shape; whatever differs
 * returns a negative number and the JavaScript scanner decides. Never a wrong value: a number is
 * taken only when its closing character stands where the digits end.
 *
 *     memory:  0 … 127 header (doubles)  |  FRAME … the frame's bytes, 16 zero bytes behind them
 *              |  levels as (price, size) doubles at an address that the caller gives
 *
 * Decimals are read eight bytes at a time (SWAR): the first byte that is no digit is found by a
 * mask, the digits are moved to the top of the word and combined by three multiplications
 * (Lemire, "Number parsing at a gigabyte per second", section 3).
 */

// Header, indexes of doubles from address 0.
const EVENT_MS: i32 = 0;
const ENGINE_MS: i32 = 1;
const FIRST_ID: i32 = 2;
const LAST_ID: i32 = 3;
const PREVIOUS_ID: i32 = 4;
const SYMBOL_AT: i32 = 5;
const SYMBOL_END: i32 = 6;
const BIDS_AT: i32 = 7;
const BIDS_COUNT: i32 = 8;
const ASKS_COUNT: i32 = 9;

const ZEROS: u64 = 0x3030303030303030;
const QUOTE: u8 = 0x22;
const POINT: u8 = 0x2e;
const COMMA: u8 = 0x2c;
const OPEN: u8 = 0x5b;
const CLOSE: u8 = 0x5d;
const SAFE: u64 = 9007199254740991;

/** Where the last number ended. */
let cursor: i32 = 0;
/** Its digits. */
let digits: i32 = 0;

// @ts-ignore: decorator
@inline
function nonDigitMask(word: u64): u64 {
  // High bit of each byte that is not '0'…'9': after the XOR a digit is 0…9.
  const x = word ^ ZEROS;
  return ((x + 0x7676767676767676) | x) & 0x8080808080808080;
}

// @ts-ignore: decorator
@inline
function combineEight(word: u64): u64 {
  let v = word - ZEROS;
  v = v * 10 + (v >> 8);
  return (
    ((v & 0x000000ff000000ff) * 0x000f424000000064 +
      ((v >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
    32
  );
}

// @ts-ignore: decorator
@inline
function powerOfTen(n: i32): u64 {
  return load<u64>(POWERS + (n << 3));
}

const POWERS: usize = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
]);

/** Digits at `at`, at most 16; sets `cursor` behind them and `digits`. */
// @ts-ignore: decorator
@inline
function scanDigits(at: i32): u64 {
  const word = load<u64>(at);
  const mask = nonDigitMask(word);
  if (mask != 0) {
    const count = <i32>(ctz(mask) >> 3);
    digits = count;
    cursor = at + count;
    if (count == 0) return 0;
    // The digits move to the high bytes; '0' bytes come in below them.
    const shift = <u64>((8 - count) << 3);
    return combineEight((word << shift) | (ZEROS >> (64 - shift)));
  }
  return scanLong(at, combineEight(word));
}

function scanLong(at: i32, high: u64): u64 {
  const word = load<u64>(at + 8);
  const mask = nonDigitMask(word);
  const count = mask == 0 ? 8 : <i32>(ctz(mask) >> 3);
  digits = 8 + count;
  cursor = at + 8 + count;
  if (count == 0) return high;
  if (count == 8) return high * 100000000 + combineEight(word);
  const shift = <u64>((8 - count) << 3);
  return high * powerOfTen(count) + combineEight((word << shift) | (ZEROS >> (64 - shift)));
}

/** High bits where a byte is a control character, a backslash or beyond ASCII; may mark too many. */
// @ts-ignore: decorator
@inline
function oddMask(x: u64): u64 {
  const y = x ^ 0x5c5c5c5c5c5c5c5c;
  const backslash = (y - 0x0101010101010101) & ~y;
  return (x | (x - 0x2020202020202020) | (x + 0x0101010101010101) | backslash) & 0x8080808080808080;
}

/** Address of the quote that ends the plain string at `at`; `end` if it is not plain or not ended. */
// @ts-ignore: decorator
@inline
function findQuote(at: i32, end: i32): i32 {
  while (at < end) {
    const word = load<u64>(at);
    const x = word ^ 0x2222222222222222;
    const found = (x - 0x0101010101010101) & ~x & 0x8080808080808080;
    if (found != 0) {
      const bits = ctz(found) & 0x78;
      const before = bits == 0 ? 0 : (<u64>1 << bits) - 1;
      // What stands behind the quote is filled with spaces, which are plain.
      const text = (word & before) | (0x2020202020202020 & ~before);
      return oddMask(text) != 0 ? end : at + <i32>(bits >> 3);
    }
    if (oddMask(word) != 0) return end;
    at += 8;
  }
  return end;
}

/** A whole number that ends in a comma, as a double; -1 if it is none. Leaves `cursor` behind the comma. */
function scanWhole(at: i32): f64 {
  const word = load<u64>(at);
  // JSON knows no leading zeros: the strict parser is to say so.
  if ((word & 0xff) == 0x30) return -1;
  const mask = nonDigitMask(word);
  if (mask == 0) {
    // Nine to fifteen digits: times in milliseconds and update ids, the usual case.
    const rest = load<u64>(at + 8);
    const restMask = nonDigitMask(rest);
    const bits = ctz(restMask) & 0x78;
    const stop = at + 8 + <i32>(bits >> 3);
    if (bits == 0 || restMask == 0 || load<u8>(stop) != COMMA) return scanOther(at);
    cursor = stop + 1;
    const low = combineEight((rest << (64 - bits)) | (ZEROS >> bits));
    return <f64>(combineEight(word) * powerOfTen(<i32>(bits >> 3)) + low);
  }
  return scanOther(at);
}

function scanOther(at: i32): f64 {
  const value = scanDigits(at);
  if (digits == 0 || digits > 16 || value > SAFE || load<u8>(cursor) != COMMA) return -1;
  cursor = cursor + 1;
  return <f64>value;
}

/** Decimal text of any length the fast way does not take; -1 if it has another form. Sets `cursor`. */
function scanLongDecimal(at: i32, decimals: i32): f64 {
  const whole = scanDigits(at);
  const wholeDigits = digits;
  if (wholeDigits == 0 || wholeDigits + decimals > 15) return -1;
  if (load<u8>(cursor) == QUOTE) return <f64>(whole * powerOfTen(decimals));
  if (load<u8>(cursor) != POINT) return -1;
  const fraction = scanDigits(cursor + 1);
  const places = digits;
  if (places == 0 || places > decimals || load<u8>(cursor) != QUOTE) return -1;
  return <f64>(whole * powerOfTen(decimals) + fraction * powerOfTen(decimals - places));
}

/**
 * Levels after `[`; returns their count and leaves `cursor` behind the closing `]`; or -1.
 * A decimal of at most eight digits with exactly the instrument's places (nearly all of them) is
 * combined in one word: whole digits below, fraction above, zeros in front. Locals only: a global
 * is a load and a store each time.
 */
function scanLevels(at: i32, end: i32, priceDecimals: i32, sizeDecimals: i32, out: i32): i32 {
  let target = out;
  if (load<u8>(at) == CLOSE) {
    cursor = at + 1;
    return 0;
  }
  const priceBits = <u64>(priceDecimals << 3);
  const sizeBits = <u64>(sizeDecimals << 3);
  const priceShift = (64 - priceBits) & 63;
  const sizeShift = (64 - sizeBits) & 63;
  while (at < end) {
    if (load<u16>(at) != 0x225b) return -1; // ["
    at += 2;
    let word = load<u64>(at);
    let bits = ctz(nonDigitMask(word)) & 0x78;
    let stop = at + <i32>(bits >> 3);
    let close = stop + 1 + priceDecimals;
    let fraction = load<u64>(stop + 1);
    // bits is 8 × the whole digits (0x40 if all eight bytes are digits: then the sum is too large).
    if (
      bits - 8 < 56 - priceBits + 1 &&
      priceBits != 0 &&
      load<u8>(stop) == POINT &&
      ctz(nonDigitMask(fraction)) >> 3 == <u64>priceDecimals &&
      load<u8>(close) == QUOTE
    ) {
      const used = bits + priceBits;
      word =
        (fraction << priceShift) |
        ((word << (64 - bits)) >> priceBits) |
        (used == 64 ? 0 : ZEROS >> used);
      store<f64>(target, <f64>combineEight(word));
    } else {
      const price = scanLongDecimal(at, priceDecimals);
      if (price < 0) return -1;
      close = cursor;
      store<f64>(target, price);
    }
    if (load<u16>(close + 1) != 0x222c) return -1; // ,"   the quote before it was seen
    at = close + 3;
    word = load<u64>(at);
    bits = ctz(nonDigitMask(word)) & 0x78;
    stop = at + <i32>(bits >> 3);
    close = stop + 1 + sizeDecimals;
    fraction = load<u64>(stop + 1);
    if (
      bits - 8 < 56 - sizeBits + 1 &&
      sizeBits != 0 &&
      load<u8>(stop) == POINT &&
      ctz(nonDigitMask(fraction)) >> 3 == <u64>sizeDecimals &&
      load<u8>(close) == QUOTE
    ) {
      const used = bits + sizeBits;
      word =
        (fraction << sizeShift) |
        ((word << (64 - bits)) >> sizeBits) |
        (used == 64 ? 0 : ZEROS >> used);
      store<f64>(target + 8, <f64>combineEight(word));
    } else {
      const size = scanLongDecimal(at, sizeDecimals);
      if (size < 0) return -1;
      close = cursor;
      store<f64>(target + 8, size);
    }
    target += 16;
    const after = load<u16>(close + 1);
    at = close + 3;
    if (after == 0x2c5d) continue; // ],
    if (after != 0x5d5d) return -1; // ]]
    cursor = at;
    return (target - out) >> 4;
  }
  return -1;
}

/**
 * Reads `"e":"depthUpdate","E":…,"T":…,"s":"…",["ps":"…",]["st":n,]"U":…,"u":…,"pu":…,"b":[` at `at`.
 * Returns 0 with the header filled, or -1.
 */
export function scanHeader(at: i32, end: i32): i32 {
  // "e":"depthUpdate","E":   is 22 bytes
  if (
    load<u64>(at) != 0x706564223a226522 || // "e":"dep
    load<u64>(at + 8) != 0x6574616470556874 || // thUpdate
    load<u32>(at + 16) != 0x45222c22 || // ","E
    load<u16>(at + 20) != 0x3a22 // ":
  ) {
    return -1;
  }
  const eventMs = scanWhole(at + 22);
  if (eventMs < 0 || load<u32>(cursor) != 0x3a225422) return -1; // "T":
  const engineMs = scanWhole(cursor + 4);
  if (engineMs < 0 || load<u32>(cursor) != 0x3a227322 || load<u8>(cursor + 4) != QUOTE) return -1;
  const symbolAt = cursor + 5;
  let i = findQuote(symbolAt, end);
  if (load<u8>(i + 1) != COMMA) return -1;
  store<f64>(SYMBOL_AT << 3, symbolAt);
  store<f64>(SYMBOL_END << 3, i);
  i += 2;
  if (load<u32>(i) == 0x22737022 && load<u16>(i + 4) == 0x223a) {
    // "ps":"…",
    i = findQuote(i + 6, end);
    if (load<u8>(i + 1) != COMMA) return -1;
    i += 2;
  }
  if (load<u32>(i) == 0x22747322 && load<u8>(i + 4) == 0x3a) {
    // "st":n,
    if (scanWhole(i + 5) < 0) return -1;
    i = cursor;
  }
  if (load<u32>(i) != 0x3a225522) return -1; // "U":
  const firstId = scanWhole(i + 4);
  if (firstId < 0 || load<u32>(cursor) != 0x3a227522) return -1; // "u":
  const lastId = scanWhole(cursor + 4);
  if (lastId < 0 || load<u32>(cursor) != 0x22757022 || load<u8>(cursor + 4) != 0x3a) return -1; // "pu":
  const previousId = scanWhole(cursor + 5);
  if (previousId < 0 || load<u32>(cursor) != 0x3a226222 || load<u8>(cursor + 4) != OPEN) return -1;
  store<f64>(EVENT_MS << 3, eventMs);
  store<f64>(ENGINE_MS << 3, engineMs);
  store<f64>(FIRST_ID << 3, firstId);
  store<f64>(LAST_ID << 3, lastId);
  store<f64>(PREVIOUS_ID << 3, previousId);
  store<f64>(BIDS_AT << 3, cursor + 5);
  return 0;
}

/**
 * Reads a whole combined frame's beginning, `{"stream":"…","data":{` and the header. Returns 0 with
 * the header filled, or -1.
 */
export function scanCombined(at: i32, end: i32): i32 {
  if (
    load<u64>(at) != 0x6d6165727473227b || // {"stream
    load<u16>(at + 8) != 0x3a22 ||
    load<u8>(at + 10) != QUOTE
  ) {
    return -1;
  }
  const quote = findQuote(at + 11, end);
  // ","data":{   is 10 bytes
  if (load<u64>(quote) != 0x2261746164222c22 || load<u16>(quote + 8) != 0x7b3a) return -1;
  return scanHeader(quote + 10, end);
}

/**
 * Reads the bids at BIDS_AT, then `,"a":[` and the asks, into doubles at `out`. Returns the address
 * behind the last `]` (of the event's own object), or -1. Counts go to the header.
 */
export function scanBook(end: i32, priceDecimals: i32, sizeDecimals: i32, out: i32): i32 {
  const bids = scanLevels(<i32>load<f64>(BIDS_AT << 3), end, priceDecimals, sizeDecimals, out);
  if (bids < 0) return -1;
  // ,"a":[
  if (load<u32>(cursor) != 0x2261222c || load<u16>(cursor + 4) != 0x5b3a) return -1;
  const asks = scanLevels(cursor + 6, end, priceDecimals, sizeDecimals, out + (bids << 4));
  if (asks < 0) return -1;
  store<f64>(BIDS_COUNT << 3, bids);
  store<f64>(ASKS_COUNT << 3, asks);
  return cursor > end ? -1 : cursor;
}
