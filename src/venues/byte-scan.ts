/**
 * Bricks of the hot scanners: decimals, whole numbers and levels from JSON bytes, four at a time.
 * Ingest thread, the hottest code of the node. No brick ever guesses: what is not exactly of the
 * expected shape gives SCAN_FAILED, and the caller hands the frame to its strict parser.
 *
 * Four ASCII bytes are one little-endian word `x`, the first character in the lowest byte:
 *
 *     y = x ^ 0x30303030                       a digit becomes its value 0 … 9
 *     n = (y | y + 0x06060606) & 0xF0F0F0F0    non-zero in the first byte that is no digit
 *     k = bit index of that byte               (bytes beyond it may be wrong and are not used)
 *     y << (32 - k)                            the digits before it, with zeros in front
 *
 * and four digits become a number by two multiplications (tens, then hundreds).
 *
 * A brick may read up to SLACK_BYTES beyond the frame; the caller compares the final position with
 * the frame's end, and since the bricks consume byte after byte, nothing beyond it can have been used.
 */
export const SCAN_FAILED = -1;

const ZEROS = 0x30303030;
const SIXES = 0x06060606;
const HIGH_NIBBLES = 0xf0f0f0f0 | 0;
const ONES = 0x01010101;
const SPACES = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const HIGH_BITS = 0x80808080 | 0;
const QUOTE = 0x22;
const POINT = 0x2e;
const CLOSE_BRACKET = 0x5d;
/** The little-endian word of four ASCII characters. */
export function wordOf(text: string): number {
  return (
    text.charCodeAt(0) |
    (text.charCodeAt(1) << 8) |
    (text.charCodeAt(2) << 16) |
    (text.charCodeAt(3) << 24)
  );
}
const TRUE = wordOf('true');
const FALSE = wordOf('fals');
const NULL = wordOf('null');
/** `["` */
const LEVEL_OPEN = 0x225b;
/** `","` in the low three bytes */
const BETWEEN = 0x222c22;
/** `"],[` */
const NEXT_LEVEL = 0x5b2c5d22;
/** `"]]` in the low three bytes */
const LAST_LEVEL = 0x5d5d22;

/** Decimals up to here are read; 10^22 is the last power of ten that a double holds exactly. */
export const DECIMALS_MAX = 18;

const POWERS_OF_TEN = new Float64Array(23);
for (let i = 0; i < POWERS_OF_TEN.length; i++) POWERS_OF_TEN[i] = Number(`1e${i}`);

/** 10^n for the digits of a second word. */
const WHOLE_FACTORS = Int32Array.of(1, 10, 100, 1000);

/** Bytes that the shortest level takes, `["1","0"],`: bounds the levels of a frame by its length. */
export const LEVEL_BYTES_MIN = 10;

/** The number that four digit values make; `y` holds the most significant one in its lowest byte. */
function fourDigits(y: number): number {
  const tens = (Math.imul(y, 2561) >>> 8) & 0x00ff00ff;
  return Math.imul(tens, 6553601) >>> 16;
}

/**
 * A JSON whole number without sign that begins at `at`, into `out[index]`.
 * Returns the position behind its last digit, which the caller has to judge.
 */
export function scanInteger(view: DataView, at: number, out: Float64Array, index: number): number {
  const x = view.getInt32(at, true);
  const second = view.getInt32(at + 4, true) ^ ZEROS;
  const third = view.getInt32(at + 8, true) ^ ZEROS;
  const last = view.getUint8(at + 12) ^ 0x30;
  const y = x ^ ZEROS;
  // Thirteen digits, as milliseconds and update ids have: no end to look for.
  if (
    ((y | (y + SIXES) | second | (second + SIXES) | third | (third + SIXES)) & HIGH_NIBBLES) ===
      0 &&
    last <= 9 &&
    (y & 0xff) !== 0 &&
    (view.getUint8(at + 13) ^ 0x30) > 9
  ) {
    const high = Math.imul(fourDigits(y), 10000) + fourDigits(second);
    out[index] = high * 100000 + (Math.imul(fourDigits(third), 10) + last);
    return at + 13;
  }
  return scanAnyInteger(view, at, out, index);
}

/** The same for any number of digits, four at a time. */
function scanAnyInteger(view: DataView, at: number, out: Float64Array, index: number): number {
  let value = 0;
  const first = at;
  for (;;) {
    const y = view.getInt32(at, true) ^ ZEROS;
    const n = (y | (y + SIXES)) & HIGH_NIBBLES;
    if (n === 0) {
      value = value * 10000 + fourDigits(y);
      at += 4;
      if (at - first > 16) return SCAN_FAILED;
      continue;
    }
    const k = (31 - Math.clz32(n & -n)) & 0x18;
    if (k !== 0) {
      value = value * POWERS_OF_TEN[k >> 3]! + fourDigits(y << (32 - k));
      at += k >> 3;
    }
    break;
  }
  const digits = at - first;
  if (digits === 0 || value > Number.MAX_SAFE_INTEGER) return SCAN_FAILED;
  // JSON knows no leading zeros: the strict parser is to say so
  if (digits > 1 && view.getUint8(first) === 0x30) return SCAN_FAILED;
  out[index] = value;
  return at;
}

/**
 * A decimal text that begins at `at` and ends at a quote, as a mantissa at `decimals` places into
 * `out[index]`. Returns the position of the closing quote.
 */
export function scanDecimal(
  view: DataView,
  at: number,
  decimals: number,
  out: Float64Array,
  index: number,
): number {
  const x = view.getInt32(at, true);
  const y = x ^ ZEROS;
  const n = (y | (y + SIXES)) & HIGH_NIBBLES;
  let whole: number;
  let end: number;
  if (n === 0) {
    const x2 = view.getInt32(at + 4, true);
    const y2 = x2 ^ ZEROS;
    const n2 = (y2 | (y2 + SIXES)) & HIGH_NIBBLES;
    if (n2 === 0) return scanDecimalLong(view, at, decimals, out, index);
    const k = (31 - Math.clz32(n2 & -n2)) & 0x18;
    whole = fourDigits(y);
    if (k !== 0) whole = whole * POWERS_OF_TEN[k >> 3]! + fourDigits(y2 << (32 - k));
    end = at + 4 + (k >> 3);
  } else {
    const k = (31 - Math.clz32(n & -n)) & 0x18;
    if (k === 0) return SCAN_FAILED;
    whole = fourDigits(y << (32 - k));
    end = at + (k >> 3);
  }
  const stop = view.getUint8(end);
  if (decimals === 0) {
    if (stop !== QUOTE) return scanDecimalLong(view, at, decimals, out, index);
    out[index] = whole;
    return end;
  }
  if (stop !== POINT || decimals > 4) return scanDecimalLong(view, at, decimals, out, index);
  const shift = 32 - (decimals << 3);
  const y3 = (view.getInt32(end + 1, true) ^ ZEROS) << shift;
  if (((y3 | (y3 + SIXES)) & HIGH_NIBBLES) !== 0 || view.getUint8(end + 1 + decimals) !== QUOTE) {
    return scanDecimalLong(view, at, decimals, out, index);
  }
  // at most 8 + 4 digits: exact
  out[index] = whole * POWERS_OF_TEN[decimals]! + fourDigits(y3);
  return end + 1 + decimals;
}

/**
 * As scanDecimal, for venues that write as many decimals as a number needs (`"7.6699"`, `"1.0"`): up to
 * eight digits before the point and up to seven behind it in four words; all else is scanDecimal's.
 */
export function scanLooseDecimal(
  view: DataView,
  at: number,
  decimals: number,
  out: Float64Array,
  index: number,
): number {
  let y = view.getInt32(at, true) ^ ZEROS;
  let n = (y | (y + SIXES)) & HIGH_NIBBLES;
  let whole = 0;
  let stop = at;
  if (n === 0) {
    whole = fourDigits(y);
    stop += 4;
    y = view.getInt32(stop, true) ^ ZEROS;
    n = (y | (y + SIXES)) & HIGH_NIBBLES;
    if (n === 0) return scanDecimal(view, at, decimals, out, index);
  }
  let k = (31 - Math.clz32(n & -n)) & 0x18;
  if (k !== 0) whole = Math.imul(whole, WHOLE_FACTORS[k >> 3]!) + fourDigits(y << (32 - k));
  stop += k >> 3;
  if (stop === at) return SCAN_FAILED;
  if (view.getUint8(stop) !== POINT) return scanDecimal(view, at, decimals, out, index);
  const first = ++stop;
  y = view.getInt32(stop, true) ^ ZEROS;
  n = (y | (y + SIXES)) & HIGH_NIBBLES;
  let fraction = 0;
  if (n === 0) {
    fraction = fourDigits(y);
    stop += 4;
    y = view.getInt32(stop, true) ^ ZEROS;
    n = (y | (y + SIXES)) & HIGH_NIBBLES;
    if (n === 0) return scanDecimal(view, at, decimals, out, index);
  }
  k = (31 - Math.clz32(n & -n)) & 0x18;
  if (k !== 0) fraction = Math.imul(fraction, WHOLE_FACTORS[k >> 3]!) + fourDigits(y << (32 - k));
  stop += k >> 3;
  const spare = decimals - (stop - first);
  if (stop === first || view.getUint8(stop) !== QUOTE || (spare < 0 && fraction !== 0)) {
    return scanDecimal(view, at, decimals, out, index);
  }
  const value =
    whole * POWERS_OF_TEN[decimals]! + (spare < 0 ? 0 : fraction * POWERS_OF_TEN[spare]!);
  if (value > Number.MAX_SAFE_INTEGER) return SCAN_FAILED;
  out[index] = value;
  return stop;
}

/**
 * The same, digit by digit, for every other form of a decimal: long ones, fewer or no decimals, and
 * zeros beyond the instrument's decimals.
 */
function scanDecimalLong(
  view: DataView,
  first: number,
  decimals: number,
  out: Float64Array,
  index: number,
): number {
  let at = first;
  let value = 0;
  let digit = view.getUint8(at) - 0x30;
  while (digit >= 0 && digit <= 9) {
    value = value * 10 + digit;
    if (at - first > 17) return SCAN_FAILED;
    digit = view.getUint8(++at) - 0x30;
  }
  if (at === first) return SCAN_FAILED;
  let places = 0;
  if (digit === POINT - 0x30) {
    const fraction = ++at;
    digit = view.getUint8(at) - 0x30;
    while (digit >= 0 && digit <= 9) {
      if (at - fraction < decimals) {
        value = value * 10 + digit;
        places++;
      } else if (digit !== 0) {
        return SCAN_FAILED;
      }
      if (at - first > 36) return SCAN_FAILED;
      digit = view.getUint8(++at) - 0x30;
    }
  }
  if (digit !== QUOTE - 0x30) return SCAN_FAILED;
  // Above 2^53 every step rounds, but never back below it: one look at the end is enough.
  value *= POWERS_OF_TEN[decimals - places]!;
  if (value > Number.MAX_SAFE_INTEGER) return SCAN_FAILED;
  out[index] = value;
  return at;
}

/**
 * The levels of one side, `["price","size"],…]`, from behind the outer `[`, as (price, size) pairs
 * from `out[index]`, their count into `out[countIndex]`. `out` has room: a level takes at least
 * LEVEL_BYTES_MIN bytes. Returns the position behind the outer `]`.
 */
export function scanLevels(
  view: DataView,
  at: number,
  end: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: Float64Array,
  countIndex: number,
  index: number,
): number {
  out[countIndex] = 0;
  if (view.getUint8(at) === CLOSE_BRACKET) return at + 1;
  if (view.getInt16(at, true) !== LEVEL_OPEN) return SCAN_FAILED;
  at += 2;
  const priceFactor = POWERS_OF_TEN[priceDecimals]!;
  const sizeFactor = POWERS_OF_TEN[sizeDecimals]!;
  const priceShift = fractionShift(priceDecimals);
  const sizeShift = fractionShift(sizeDecimals);
  let slot = index;
  for (;;) {
    // The price: scanDecimal's usual case by hand, since a call a number is a third of the time.
    let y = view.getInt32(at, true) ^ ZEROS;
    let n = (y | (y + SIXES)) & HIGH_NIBBLES;
    let whole = 0;
    let stop = at;
    if (n === 0) {
      whole = fourDigits(y);
      stop += 4;
      y = view.getInt32(stop, true) ^ ZEROS;
      n = (y | (y + SIXES)) & HIGH_NIBBLES;
    }
    let k = (31 - Math.clz32(n & -n)) & 0x18;
    if (k !== 0) whole = Math.imul(whole, WHOLE_FACTORS[k >> 3]!) + fourDigits(y << (32 - k));
    stop += k >> 3;
    y = (view.getInt32(stop + 1, true) ^ ZEROS) << priceShift;
    if (
      n !== 0 &&
      stop !== at &&
      priceShift >= 0 &&
      view.getUint8(stop) === POINT &&
      ((y | (y + SIXES)) & HIGH_NIBBLES) === 0 &&
      (view.getInt32(stop + 1 + priceDecimals, true) & 0xffffff) === BETWEEN
    ) {
      out[slot] = whole * priceFactor + fourDigits(y);
      at = stop + 4 + priceDecimals;
    } else {
      at = scanDecimal(view, at, priceDecimals, out, slot);
      if (at < 0 || (view.getInt32(at, true) & 0xffffff) !== BETWEEN) return SCAN_FAILED;
      at += 3;
    }
    // The size, in the same way.
    y = view.getInt32(at, true) ^ ZEROS;
    n = (y | (y + SIXES)) & HIGH_NIBBLES;
    whole = 0;
    stop = at;
    if (n === 0) {
      whole = fourDigits(y);
      stop += 4;
      y = view.getInt32(stop, true) ^ ZEROS;
      n = (y | (y + SIXES)) & HIGH_NIBBLES;
    }
    k = (31 - Math.clz32(n & -n)) & 0x18;
    if (k !== 0) whole = Math.imul(whole, WHOLE_FACTORS[k >> 3]!) + fourDigits(y << (32 - k));
    stop += k >> 3;
    y = (view.getInt32(stop + 1, true) ^ ZEROS) << sizeShift;
    if (
      n !== 0 &&
      stop !== at &&
      sizeShift >= 0 &&
      view.getUint8(stop) === POINT &&
      ((y | (y + SIXES)) & HIGH_NIBBLES) === 0
    ) {
      out[slot + 1] = whole * sizeFactor + fourDigits(y);
      at = stop + 1 + sizeDecimals;
    } else {
      at = scanDecimal(view, at, sizeDecimals, out, slot + 1);
      if (at < 0) return SCAN_FAILED;
    }
    slot += 2;
    const tail = view.getInt32(at, true);
    if (tail === NEXT_LEVEL) {
      if (view.getUint8(at + 4) !== QUOTE) return SCAN_FAILED;
      at += 5;
      if (at > end) return SCAN_FAILED;
      continue;
    }
    if ((tail & 0xffffff) !== LAST_LEVEL) return SCAN_FAILED;
    out[countIndex] = (slot - index) >> 1;
    return at + 3;
  }
}

/** How far a fraction's word is moved up so that only its digits remain; negative: not in one word. */
function fractionShift(decimals: number): number {
  return decimals >= 1 && decimals <= 4 ? 32 - (decimals << 3) : -1;
}

/**
 * From behind a string's opening quote to behind its closing one. Declines escapes, control
 * characters and everything beyond ASCII. Four bytes at a time: of the high bits that mark a quote, and
 * of those that mark what is declined, the lowest is always right; those above it may be too many.
 */
export function scanPlainString(view: DataView, at: number, end: number): number {
  while (at < end) {
    const x = view.getInt32(at, true);
    const q = x ^ QUOTES;
    const b = x ^ BACKSLASHES;
    const quotes = (q - ONES) & ~q & HIGH_BITS;
    const odd = (x | (x - SPACES) | (x + ONES) | ((b - ONES) & ~b)) & HIGH_BITS;
    if (quotes === 0) {
      if (odd !== 0) return SCAN_FAILED;
      at += 4;
      continue;
    }
    const lowest = quotes & -quotes;
    if ((odd & (lowest - 1)) !== 0) return SCAN_FAILED;
    at += (31 - Math.clz32(lowest)) >> 3;
    return at < end ? at + 1 : SCAN_FAILED;
  }
  return SCAN_FAILED;
}

/**
 * Passes a plain string, a whole number, true, false or null; declines the rest.
 * `out[0]` is used as a place to throw the number away.
 */
export function scanPlainValue(view: DataView, at: number, end: number, out: Float64Array): number {
  const word = view.getInt32(at, true);
  if ((word & 0xff) === QUOTE) return scanPlainString(view, at + 1, end);
  if (word === TRUE || word === NULL) return at + 4;
  if (word === FALSE) return view.getUint8(at + 4) === 0x65 ? at + 5 : SCAN_FAILED;
  return scanInteger(view, at, out, 0);
}
