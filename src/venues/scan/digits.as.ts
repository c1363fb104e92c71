/**
 * AssemblyScript, part of scanners.as.ts: numbers from eight bytes at a time (SWAR). Ingest
 * thread, hottest of all. Never a wrong value: a number is taken only when its closing character
 * stands where the digits end; whatever is not of the known shape gives a negative number.
 *
 * The first byte that is no digit is found by a mask, the digits are moved to the top of the word
 * and combined by three multiplications (Lemire, "Number parsing at a gigabyte per second",
 * section 3).
 */
export const QUOTE: u8 = 0x22;
export const POINT: u8 = 0x2e;
export const COMMA: u8 = 0x2c;
export const ZEROS: u64 = 0x3030303030303030;
const SAFE: u64 = 9007199254740991;

/** Where the last number ended. */
let cursor: i32 = 0;
/** Its digits. */
let digits: i32 = 0;

// @ts-ignore: decorator
@inline
export function endOfNumber(): i32 {
  return cursor;
}

// @ts-ignore: decorator
@inline
export function nonDigitMask(word: u64): u64 {
  // High bit of each byte that is not '0'…'9': after the XOR a digit is 0…9.
  const x = word ^ ZEROS;
  return ((x + 0x7676767676767676) | x) & 0x8080808080808080;
}

/** High bit of each byte that is zero; above the first it may mark too many. */
// @ts-ignore: decorator
@inline
export function zeroBytes(word: u64): u64 {
  return (word - 0x0101010101010101) & ~word & 0x8080808080808080;
}

// @ts-ignore: decorator
@inline
export function combineEight(word: u64): i64 {
  let v = word - ZEROS;
  v = v * 10 + (v >> 8);
  return <i64>(
    (((v & 0x000000ff000000ff) * 0x000f424000000064 +
      ((v >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>
      32)
  );
}

const POWERS: usize = memory.data<i64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
]);

// @ts-ignore: decorator
@inline
function powerOfTen(n: i32): i64 {
  return load<i64>(POWERS + (n << 3));
}

/** Digits at `at`, at most 16; sets `cursor` behind them and `digits`. */
function scanDigits(at: i32): i64 {
  const word = load<u64>(at);
  const mask = nonDigitMask(word);
  if (mask == 0) return scanLong(at, combineEight(word));
  const count = <i32>(ctz(mask) >> 3);
  digits = count;
  cursor = at + count;
  if (count == 0) return 0;
  // The digits move to the high bytes; '0' bytes come in below them.
  const shift = <u64>((8 - count) << 3);
  return combineEight((word << shift) | (ZEROS >> (64 - shift)));
}

function scanLong(at: i32, high: i64): i64 {
  const word = load<u64>(at, 8);
  const mask = nonDigitMask(word);
  const count = mask == 0 ? 8 : <i32>(ctz(mask) >> 3);
  digits = 8 + count;
  cursor = at + 8 + count;
  if (count == 0) return high;
  if (count == 8) return high * 100000000 + combineEight(word);
  const shift = <u64>((8 - count) << 3);
  return high * powerOfTen(count) + combineEight((word << shift) | (ZEROS >> (64 - shift)));
}

/**
 * A whole number that ends in a comma, as a double; -1 if it is none. `endOfNumber` is behind the
 * comma. Thirteen digits, as milliseconds have until 2286 and update ids for as long, are read at
 * fixed places: what follows need not wait for the end to be found.
 */
// @ts-ignore: decorator
@inline
export function scanWhole(at: i32): f64 {
  const high = load<u64>(at);
  const low = load<u64>(at, 5);
  if (
    load<u8>(at, 13) == COMMA &&
    (nonDigitMask(high) | nonDigitMask(low)) == 0 &&
    (high & 0xff) != 0x30
  ) {
    cursor = at + 14;
    return <f64>(combineEight((high << 24) | (ZEROS >> 40)) * 100000000 + combineEight(low));
  }
  return scanWholeBefore(at, COMMA);
}

/** The same of a number with any count of digits that ends in `closing`. */
export function scanWholeBefore(at: i32, closing: u8): f64 {
  const value = scanDigits(at);
  if (digits == 0 || digits > 16 || <u64>value > SAFE || load<u8>(cursor) != closing) return -1;
  // JSON knows no leading zeros: the strict parser is to say so.
  if (digits > 1 && load<u8>(at) == 0x30) return -1;
  cursor = cursor + 1;
  return <f64>value;
}

/** Decimal text of any length that ends in a quote; -1 if it has another form. Sets `cursor` to the quote. */
export function scanDecimal(at: i32, decimals: i32): f64 {
  const whole = scanDigits(at);
  const wholeDigits = digits;
  if (wholeDigits == 0 || wholeDigits + decimals > 15) return -1;
  if (load<u8>(cursor) == QUOTE) return <f64>(whole * powerOfTen(decimals));
  if (load<u8>(cursor) != POINT) return -1;
  const fraction = scanDigits(cursor + 1);
  const places = digits;
  if (places == 0 || load<u8>(cursor) != QUOTE) return -1;
  // `5.0` of an instrument without places
  if (places > decimals) return fraction == 0 ? <f64>(whole * powerOfTen(decimals)) : -1;
  return <f64>(whole * powerOfTen(decimals) + fraction * powerOfTen(decimals - places));
}

/**
 * One level from its price's first digit, in any form that scanDecimal reads, as two doubles at
 * `target`. Returns the address of the quote that ends its size, or -1.
 */
export function scanAnyLevel(
  at: i32,
  priceDecimals: i32,
  sizeDecimals: i32,
  target: i32,
): i32 {
  const price = scanDecimal(at, priceDecimals);
  if (price < 0 || (load<u32>(cursor) & 0xffffff) != 0x222c22) return -1; // ","
  const size = scanDecimal(cursor + 3, sizeDecimals);
  if (size < 0) return -1;
  store<f64>(target, price);
  store<f64>(target, size, 8);
  return cursor;
}
