/**
 * AssemblyScript, part of scanners.as.ts: the levels of one side, `["price","size"],…]`, as
 * (price, size) doubles. Ingest thread, hottest of all. Two ways with one meaning, chosen when it is
 * compiled: with vectors of 16 bytes, and with words of eight for machines without.
 *
 * Both take a level of the usual form only (each decimal of at most eight digits, with exactly the
 * instrument's places) and leave any other to scanAnyLevel.
 */
import {
  combineEight,
  nonDigitMask,
  POINT,
  QUOTE,
  scanAnyLevel,
  ZEROS,
} from './digits.as';

const CLOSE: u8 = 0x5d;
/** Digits of a decimal that both ways read at once. */
const DIGITS_MAX: i32 = 8;
/** More places than this leave no digit before the point among eight. */
const VECTOR_DECIMALS_MAX: i32 = 7;

/** Sixteen bytes from KEEP + n on keep the last n of a vector. */
const KEEP: usize = memory.data<u64>([0, 0, 0xffffffffffffffff, 0xffffffffffffffff]);

/** By number of decimals, 64 bytes each: see prepareDecimals. */
const SHAPES: usize = memory.data(512, 16);
const SHAPE_ZEROS: usize = 0;
const SHAPE_LIMITS: usize = 16;
const SHAPE_PRICE: usize = 32;
const SHAPE_SIZE: usize = 48;

/**
 * Writes what the vectors need to know of decimals with so many places. A decimal is loaded so that its
 * last digit is byte 15; then the point is byte 15 - decimals.
 *
 *     zeros     what to subtract: '0' from a digit, '.' from the point
 *     limits    the most that may be left: 9 of a digit, 0 of the point
 *     price     where eight digits without the point come from, to bytes 0 … 7; to the others zero
 *     size      the same to bytes 8 … 15
 */
export function prepareDecimals(decimals: i32): void {
  if (decimals > VECTOR_DECIMALS_MAX) return;
  const shape = SHAPES + (<usize>decimals << 6);
  for (let i: i32 = 0; i < 16; i++) {
    const isPoint = decimals != 0 && i == 15 - decimals;
    store<u8>(shape + i, isPoint ? POINT : 0x30, SHAPE_ZEROS);
    store<u8>(shape + i, isPoint ? 0 : 9, SHAPE_LIMITS);
    store<u8>(shape + i, 0x80, SHAPE_PRICE);
    store<u8>(shape + i, 0x80, SHAPE_SIZE);
  }
  for (let i: i32 = 0; i < DIGITS_MAX; i++) {
    const isFraction = decimals == 0 || i > 7 - decimals;
    store<u8>(shape + i, <u8>(isFraction ? 8 + i : 7 + i), SHAPE_PRICE);
    store<u8>(shape + 8 + i, <u8>(isFraction ? 8 + i : 7 + i), SHAPE_SIZE);
  }
}

/**
 * The levels from behind a side's `[` to `out`, their count as a double to `countAt`. Returns the
 * address behind the side's `]`, or -1. Reads at most 48 bytes beyond `end`, for the caller to notice.
 */
export function scanLevels(
  at: i32,
  end: i32,
  priceDecimals: i32,
  sizeDecimals: i32,
  out: i32,
  countAt: i32,
): i32 {
  if (load<u8>(at) == CLOSE) {
    store<f64>(countAt, 0);
    return at + 1;
  }
  if (load<u16>(at) != 0x225b) return -1; // ["
  if (ASC_FEATURE_SIMD) {
    if (priceDecimals <= VECTOR_DECIMALS_MAX && sizeDecimals <= VECTOR_DECIMALS_MAX) {
      return scanVectors(at + 2, end, priceDecimals, sizeDecimals, out, countAt);
    }
  }
  return scanWords(at + 2, end, priceDecimals, sizeDecimals, out, countAt);
}

/**
 * A level's quotes are found in 32 bytes at once; both decimals are loaded so that they end at byte
 * 15, stripped of what stands before them and of the point, put side by side in one vector and made
 * numbers together: sixteen digits, eight pairs, four fours, two eights, two doubles.
 */
function scanVectors(
  at: i32,
  end: i32,
  priceDecimals: i32,
  sizeDecimals: i32,
  out: i32,
  countAt: i32,
): i32 {
  const priceShape = SHAPES + (<usize>priceDecimals << 6);
  const sizeShape = SHAPES + (<usize>sizeDecimals << 6);
  const priceZeros = v128.load(priceShape, SHAPE_ZEROS);
  const priceLimits = v128.load(priceShape, SHAPE_LIMITS);
  const priceMoves = v128.load(priceShape, SHAPE_PRICE);
  const sizeZeros = v128.load(sizeShape, SHAPE_ZEROS);
  const sizeLimits = v128.load(sizeShape, SHAPE_LIMITS);
  const sizeMoves = v128.load(sizeShape, SHAPE_SIZE);
  // A point takes one byte, and a digit must stand before it.
  const priceMin = priceDecimals + (priceDecimals != 0 ? 2 : 1);
  const sizeMin = sizeDecimals + (sizeDecimals != 0 ? 2 : 1);
  const priceSpan = <u32>(DIGITS_MAX + (priceDecimals != 0 ? 1 : 0) - priceMin);
  const sizeSpan = <u32>(DIGITS_MAX + (sizeDecimals != 0 ? 1 : 0) - sizeMin);
  let target = out;
  while (at < end) {
    const quotes =
      <u32>i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(QUOTE))) |
      (<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), i8x16.splat(QUOTE))) << 16);
    const behindPrice = quotes & (quotes - 1);
    const priceBytes = <i32>ctz(quotes);
    // The third quote; if there is none in 32 bytes, what stands behind them is looked at as such.
    let close = at + <i32>ctz(behindPrice & (behindPrice - 1));
    const priceEnd = at + priceBytes;
    const sizeBytes = close - priceEnd - 3;
    let isUsual = false;
    if (
      <u32>(priceBytes - priceMin) <= priceSpan &&
      <u32>(sizeBytes - sizeMin) <= sizeSpan &&
      (load<u32>(priceEnd) & 0xffffff) == 0x222c22 // ","
    ) {
      const price = v128.and(
        i8x16.sub(v128.load(priceEnd - 16), priceZeros),
        v128.load(KEEP + priceBytes),
      );
      const size = v128.and(
        i8x16.sub(v128.load(close - 16), sizeZeros),
        v128.load(KEEP + sizeBytes),
      );
      const wrong = v128.or(
        i8x16.sub_sat_u(price, priceLimits),
        i8x16.sub_sat_u(size, sizeLimits),
      );
      isUsual = !v128.any_true(wrong);
      const digits = v128.or(
        i8x16.swizzle(price, priceMoves),
        i8x16.swizzle(size, sizeMoves),
      );
      // d0 + 256 d1 times 2561 is 256 (10 d0 + d1) + d0, modulo 2^16.
      const pairs = i16x8.shr_u(i16x8.mul(digits, i16x8.splat(2561)), 8);
      const fours = i32x4.dot_i16x8_s(pairs, i32x4.splat(0x00010064));
      const eights = i32x4.dot_i16x8_s(
        i16x8.narrow_i32x4_s(fours, fours),
        i32x4.splat(0x00012710),
      );
      v128.store(target, f64x2.convert_low_i32x4_s(eights));
    }
    if (!isUsual) {
      close = scanAnyLevel(at, priceDecimals, sizeDecimals, target);
      if (close < 0) return -1;
    }
    target += 16;
    const tail = load<u32>(close);
    at = close + 5;
    if (tail == 0x5b2c5d22) { // "],[
      if (load<u8>(close, 4) != QUOTE) return -1;
      continue;
    }
    if ((tail & 0xffffff) != 0x5d5d22) return -1; // "]]
    store<f64>(countAt, <f64>((target - out) >> 4));
    return close + 3;
  }
  return -1;
}

/**
 * A decimal is combined in one word: whole digits below, fraction above, zeros in front. Locals
 * only: a global is a load and a store each time.
 */
function scanWords(
  at: i32,
  end: i32,
  priceDecimals: i32,
  sizeDecimals: i32,
  out: i32,
  countAt: i32,
): i32 {
  let target = out;
  while (at < end) {
    const price = scanWord(at, priceDecimals);
    let close = at + (wordDigits(at) + priceDecimals + 1);
    const sizeAt = close + 3;
    const size = scanWord(sizeAt, sizeDecimals);
    if (price >= 0 && size >= 0 && (load<u32>(close) & 0xffffff) == 0x222c22) {
      close = sizeAt + (wordDigits(sizeAt) + sizeDecimals + 1);
      store<f64>(target, <f64>price);
      store<f64>(target, <f64>size, 8);
    } else {
      close = scanAnyLevel(at, priceDecimals, sizeDecimals, target);
      if (close < 0) return -1;
    }
    target += 16;
    const tail = load<u32>(close);
    at = close + 5;
    if (tail == 0x5b2c5d22) { // "],[
      if (load<u8>(close, 4) != QUOTE) return -1;
      continue;
    }
    if ((tail & 0xffffff) != 0x5d5d22) return -1; // "]]
    store<f64>(countAt, <f64>((target - out) >> 4));
    return close + 3;
  }
  return -1;
}

/** Digits before the point, 8 if there is none among eight bytes. */
// @ts-ignore: decorator
@inline
function wordDigits(at: i32): i32 {
  return <i32>(ctz(nonDigitMask(load<u64>(at))) >> 3);
}

/** A decimal of at most eight digits with exactly `decimals` places, not none; or -1. */
// @ts-ignore: decorator
@inline
function scanWord(at: i32, decimals: i32): i64 {
  const places = <u64>(decimals << 3);
  const word = load<u64>(at);
  const bits = ctz(nonDigitMask(word)) & 0x78;
  const stop = at + <i32>(bits >> 3);
  const fraction = load<u64>(stop, 1);
  // bits is 8 × the whole digits (0x40 if all eight bytes are digits: then the sum is too large).
  if (
    <u32>(decimals - 1) >= 7 ||
    bits - 8 >= 56 - places + 1 ||
    load<u8>(stop) != POINT ||
    ctz(nonDigitMask(fraction)) >> 3 != <u64>decimals ||
    load<u8>(stop + 1 + decimals) != QUOTE
  ) {
    return -1;
  }
  const used = bits + places;
  return combineEight(
    (fraction << (64 - places)) |
      ((word << (64 - bits)) >> places) |
      (used == 64 ? 0 : ZEROS >> used),
  );
}
