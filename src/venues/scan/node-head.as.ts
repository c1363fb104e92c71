/**
 * AssemblyScript, part of scanners.as.ts: the envelope of a line that a Hyperliquid node writes, up
 * to its events. Ingest thread, once a line, which in the streaming form is once an event.
 *
 *     0    {"local_time":"2026-05-05T17:39:13.394386432
 *     44   ","block_time":"2026-05-05T17:39:13.024084407
 *     89   ","block_number":985148182,"events":[
 *
 * Of each time only what follows the minute is read: the sixteen characters before it are those of
 * the line before, or they are read anew.
 */
import { COMMA, combineEight, endOfNumber, nonDigitMask, scanWholeBefore } from './digits.as';

const LOCAL_AT: i32 = 15;
const BLOCK_AT: i32 = 60;
const HEIGHT_AT: i32 = 106;
// Where the doubles go, from `head` on: height; milliseconds since 1970 and nanoseconds beyond them.
const HEIGHT: usize = 0;
const BLOCK_MS: i32 = 8;
const LOCAL_MS: i32 = 24;

/** The minutes read last, of both times: sixteen characters and the milliseconds they stand for. */
const MINUTES: usize = memory.data(48, 16);
const MINUTE_BYTES: usize = 24;
const MINUTE_MS: usize = 16;

/** Reads the line's head to the doubles at `head`. The address behind the `[`, or -1: declined. */
export function scanHead(at: i32, end: i32, head: i32): i32 {
  if (
    load<u64>(at) != 0x5f6c61636f6c227b || // {"local_
    load<u64>(at, 7) != 0x223a22656d69745f || // _time":"
    load<u64>(at, 44) != 0x6b636f6c62222c22 || // ","block
    load<u64>(at, 52) != 0x223a22656d69745f || // _time":"
    load<u64>(at, 89) != 0x6b636f6c62222c22 || // ","block
    load<u64>(at, 97) != 0x227265626d756e5f || // _number"
    load<u8>(at, 105) != 0x3a
  ) {
    return -1;
  }
  if (!scanTime(at + LOCAL_AT, MINUTES, head + LOCAL_MS)) return -1;
  if (!scanTime(at + BLOCK_AT, MINUTES + MINUTE_BYTES, head + BLOCK_MS)) return -1;
  const height = scanWholeBefore(at + HEIGHT_AT, COMMA);
  const i = endOfNumber();
  // "events":[
  if (height < 0 || load<u64>(i) != 0x2273746e65766522 || load<u16>(i, 8) != 0x5b3a) return -1;
  store<f64>(head, height, HEIGHT);
  return i + 10 <= end ? i + 10 : -1;
}

/** `2026-05-05T17:39:13.394386432` at `at`, milliseconds and what is beyond them to `out`. */
// @ts-ignore: decorator
@inline
function scanTime(at: i32, minute: usize, out: i32): bool {
  // :13.3943 and 94386432
  const second = load<u64>(at, 16);
  const last = load<u64>(at, 21);
  if (
    (second & 0xff0000ff) != 0x2e00003a ||
    nonDigitMask(second) != 0x0000000080000080 ||
    nonDigitMask(last) != 0
  ) {
    return false;
  }
  if (
    load<u64>(at) != load<u64>(minute) ||
    load<u64>(at, 8) != load<u64>(minute, 8)
  ) {
    if (!readMinute(at, minute)) return false;
  }
  const seconds = twoDigits(<u32>(second >> 8));
  const nanoseconds = <i32>((second >> 32) & 15) * 100000000 + <i32>combineEight(last);
  const milliseconds = nanoseconds / 1000000;
  store<f64>(out, load<f64>(minute, MINUTE_MS) + <f64>(seconds * 1000 + milliseconds));
  store<f64>(out, <f64>(nanoseconds - milliseconds * 1000000), 8);
  return true;
}

/** Of two characters that are digits. */
// @ts-ignore: decorator
@inline
function twoDigits(word: u32): i32 {
  return <i32>((word & 15) * 10 + ((word >> 8) & 15));
}

/**
 * `2026-05-05T17:39` becomes the minute to compare with. Days since 1970 are those of a proleptic
 * Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
 */
function readMinute(at: i32, minute: usize): bool {
  const date = load<u64>(at); // 2026-05-
  const time = load<u64>(at, 8); // 05T17:39
  if (
    (date & 0xff0000ff00000000) != 0x2d00002d00000000 ||
    nonDigitMask(date) != 0x8000008000000000 ||
    (time & 0x0000ff0000ff0000) != 0x00003a0000540000 ||
    nonDigitMask(time) != 0x0000800000800000
  ) {
    return false;
  }
  const year = twoDigits(<u32>date) * 100 + twoDigits(<u32>(date >> 16));
  const month = twoDigits(<u32>(date >> 40));
  const day = twoDigits(<u32>time);
  if (year < 1970 || month < 1 || month > 12) return false;
  const y = month <= 2 ? year - 1 : year;
  const era = y / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const days =
    era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
  const minutes = twoDigits(<u32>(time >> 24)) * 60 + twoDigits(<u32>(time >> 48));
  store<u64>(minute, date);
  store<u64>(minute, time, 8);
  store<f64>(minute, <f64>days * 86400000 + <f64>(minutes * 60000), MINUTE_MS);
  return true;
}
