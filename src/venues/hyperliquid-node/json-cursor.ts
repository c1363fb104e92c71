/**
 * Walks compact JSON in bytes without making objects: the node's files are one JSON value a line,
 * written without spaces. Ingest thread, hot. Every function takes a position and returns the one
 * behind what it read, or CURSOR_FAILED; nothing is ever guessed.
 */
export const CURSOR_FAILED = -1;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const POINT = 0x2e;
const COLON = 0x3a;
const ZERO = 0x30;

/** ASCII text as bytes, for `startsWith`. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** True if `text` stands at `at`. */
export function startsWith(bytes: Uint8Array, at: number, end: number, text: Uint8Array): boolean {
  const length = text.length;
  if (at + length > end) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** From a string's opening quote to behind its closing one; escapes are passed over. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i++;
  }
  return CURSOR_FAILED;
}

/** Behind any value: string, number, literal, object or list of bounded depth. */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (at >= end) return CURSOR_FAILED;
  if (first === QUOTE) return skipString(bytes, at, end);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(bytes, at, end);
  let i = at;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
    i++;
  }
  return i === at ? CURSOR_FAILED : i;
}

function skipNested(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  let i = at;
  while (i < end) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      i = skipString(bytes, i, end);
      if (i < 0) return CURSOR_FAILED;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 0) return i + 1;
    }
    i++;
  }
  return CURSOR_FAILED;
}

/** What a decimal or number reader found. */
export const Read = { Value: 0 };

/**
 * Whole number without sign at `at`, at most 2^53 - 1, into `Read.Value`. Returns the position
 * behind its last digit.
 */
export function readWhole(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let i = at;
  while (i < end) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    i++;
  }
  if (i === at || i - at > 16 || value > Number.MAX_SAFE_INTEGER) return CURSOR_FAILED;
  Read.Value = value;
  return i;
}

const POWERS_OF_TEN = new Float64Array(19);
for (let i = 0; i < POWERS_OF_TEN.length; i++) POWERS_OF_TEN[i] = Number(`1e${i}`);

/**
 * Decimal text of the string that opens at `at` (a quote), as a mantissa at `decimals`, into
 * `Read.Value`. Fails on digits beyond `decimals` that are not zero, and beyond 2^53.
 * Returns the position behind the closing quote.
 */
export function readDecimal(bytes: Uint8Array, at: number, end: number, decimals: number): number {
  if (bytes[at] !== QUOTE) return CURSOR_FAILED;
  let i = at + 1;
  let value = 0;
  let digit = bytes[i]! - ZERO;
  while (digit >= 0 && digit <= 9 && i < end) {
    value = value * 10 + digit;
    digit = bytes[++i]! - ZERO;
  }
  if (i === at + 1) return CURSOR_FAILED;
  let places = 0;
  if (bytes[i] === POINT) {
    const fraction = ++i;
    digit = bytes[i]! - ZERO;
    while (digit >= 0 && digit <= 9 && i < end) {
      if (places < decimals) {
        value = value * 10 + digit;
        places++;
      } else if (digit !== 0) {
        return CURSOR_FAILED;
      }
      digit = bytes[++i]! - ZERO;
    }
    if (i === fraction) return CURSOR_FAILED;
  }
  if (i >= end || bytes[i] !== QUOTE || i - at > 40) return CURSOR_FAILED;
  value *= POWERS_OF_TEN[decimals - places]!;
  if (value > Number.MAX_SAFE_INTEGER) return CURSOR_FAILED;
  Read.Value = value;
  return i + 1;
}

/**
 * `0x` and hex digits of the string that opens at `at`, as `words` numbers below 2^32 into
 * `target[index …]`, most significant first. Fewer digits are taken as a smaller number.
 */
export function readHex(
  bytes: Uint8Array,
  at: number,
  end: number,
  words: number,
  target: Float64Array,
  index: number,
): number {
  if (bytes[at] !== QUOTE || bytes[at + 1] !== ZERO || bytes[at + 2] !== 0x78) return CURSOR_FAILED;
  let close = at + 3;
  while (close < end && bytes[close] !== QUOTE) close++;
  if (close >= end || close - at - 3 > words * 8 || close === at + 3) return CURSOR_FAILED;
  let i = close;
  for (let word = words - 1; word >= 0; word--) {
    const first = Math.max(at + 3, i - 8);
    let value = 0;
    for (let j = first; j < i; j++) {
      const digit = hexDigit(bytes[j]!);
      if (digit < 0) return CURSOR_FAILED;
      value = value * 16 + digit;
    }
    target[index + word] = value;
    i = first;
  }
  return close + 1;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * `"2026-05-05T17:39:13.024084407"` (UTC, no zone, up to nine digits of fraction) at `at`: the
 * milliseconds since 1970 into `Read.Value`, the nanoseconds beyond them into `ReadTime.extraNs`.
 */
export const ReadTime = { extraNs: 0 };

/** NaN if they are no digits, which makes all that is reckoned from them NaN. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

export function readIsoTime(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE || at + 21 > end) return CURSOR_FAILED;
  const year = twoDigits(bytes, at + 1) * 100 + twoDigits(bytes, at + 3);
  if (bytes[at + 5] !== 0x2d || bytes[at + 8] !== 0x2d || bytes[at + 11] !== 0x54)
    return CURSOR_FAILED;
  if (bytes[at + 14] !== COLON || bytes[at + 17] !== COLON) return CURSOR_FAILED;
  const days = daysFromCivil(year, twoDigits(bytes, at + 6), twoDigits(bytes, at + 9));
  const seconds =
    days * 86400 +
    twoDigits(bytes, at + 12) * 3600 +
    twoDigits(bytes, at + 15) * 60 +
    twoDigits(bytes, at + 18);
  let i = at + 20;
  let nanoseconds = 0;
  if (bytes[i] === POINT) {
    let unit = 100_000_000;
    for (i++; i < end && bytes[i] !== QUOTE; i++) {
      const digit = bytes[i]! - ZERO;
      if (digit < 0 || digit > 9) return CURSOR_FAILED;
      nanoseconds += digit * unit;
      unit = Math.floor(unit / 10);
    }
  }
  if (i >= end || bytes[i] !== QUOTE || !Number.isInteger(seconds)) return CURSOR_FAILED;
  const milliseconds = Math.floor(nanoseconds / 1e6);
  Read.Value = seconds * 1000 + milliseconds;
  ReadTime.extraNs = nanoseconds - milliseconds * 1e6;
  return i + 1;
}

/**
 * Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level date
 * algorithms").
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}
