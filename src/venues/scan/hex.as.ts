/**
 * AssemblyScript, part of scanners.as.ts: forty lower-case hex digits to five doubles of 32 bits each, the
 * most significant first. Ingest thread, hot: an order event has an owner. Sixteen digits at a time with
 * vectors, else eight.
 */
import { ZEROS } from './digits.as';

const OWNER_WORDS: i32 = 5;

/** False if one of the forty characters is no such digit. */
// @ts-ignore: decorator
@inline
export function scanOwner(at: i32, out: i32): bool {
  if (ASC_FEATURE_SIMD) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    // The last eight digits, and the eight before them once more.
    const c = v128.load(at, 24);
    if (!i8x16.all_true(v128.and(v128.and(hexMask(a), hexMask(b)), hexMask(c)))) return false;
    v128.store(out, wordsOf(a));
    v128.store(out, wordsOf(b), 16);
    v128.store(out, wordsOf(c), 24);
    return true;
  }
  for (let i: i32 = 0; i < OWNER_WORDS; i++) {
    const x = load<u64>(at + (i << 3));
    const letters = (x >> 6) & 0x0101010101010101;
    const nibbles = (x & 0x0f0f0f0f0f0f0f0f) + letters * 9;
    const wrong =
      ((x & 0xf0f0f0f0f0f0f0f0) ^ (ZEROS + letters * 0x30)) |
      (nibbles & 0xf0f0f0f0f0f0f0f0) |
      (((nibbles + 0x0606060606060606) ^ (letters << 4)) & 0x1010101010101010);
    if (wrong != 0) return false;
    // Of every second byte the pair of digits that it makes with the one behind it.
    const pairs = (nibbles << 4) | (nibbles >> 8);
    const word =
      ((<u32>pairs & 0xff) << 24) |
      ((<u32>(pairs >> 16) & 0xff) << 16) |
      ((<u32>(pairs >> 32) & 0xff) << 8) |
      (<u32>(pairs >> 48) & 0xff);
    store<f64>(out + (i << 3), <f64>word);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function digitMask(x: v128): v128 {
  return i8x16.lt_u(i8x16.sub(x, i8x16.splat(0x30)), i8x16.splat(10));
}

// @ts-ignore: decorator
@inline
function hexMask(x: v128): v128 {
  return v128.or(digitMask(x), i8x16.lt_u(i8x16.sub(x, i8x16.splat(0x61)), i8x16.splat(6)));
}

/** Two doubles of sixteen digits. */
// @ts-ignore: decorator
@inline
function wordsOf(x: v128): v128 {
  const zero = v128.bitselect(i8x16.splat(0x30), i8x16.splat(0x57), digitMask(x));
  const nibbles = i8x16.sub(x, zero);
  // Of every second byte the pair of digits that it makes with the one behind it.
  const pairs = v128.or(i16x8.shl(nibbles, 4), i16x8.shr_u(nibbles, 8));
  const words = i8x16.shuffle(pairs, pairs, 6, 4, 2, 0, 14, 12, 10, 8, 6, 4, 2, 0, 14, 12, 10, 8);
  return f64x2.convert_low_i32x4_u(words);
}
