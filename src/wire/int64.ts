/**
 * 64-bit integers of the wire as doubles and back, through two little-endian 32-bit halves: ten times
 * faster than BigInt. Hot. Small enough that the optimiser puts them in place.
 */
export const TWO_32 = 4294967296;
/** Exact: a power of two. */
const PER_TWO_32 = 1 / TWO_32;
/** Set in `high & BEYOND_UNSIGNED` if an unsigned 64-bit value is beyond 2^53. */
export const BEYOND_UNSIGNED = ~0x1f_ffff;
/** Set in `(high + HALF) & BEYOND` if a signed one is. */
const HALF = 0x20_0000;
const BEYOND = ~0x3f_ffff;

/** Whether a signed value with this upper half is within 2^53. */
export function isExactInt64(high: number): boolean {
  return ((high + HALF) & BEYOND) === 0;
}

/** Stores a whole double below 2^53: `| 0` is modulo 2^32, the floor carries the sign. */
export function storeInt64(words: Int32Array, index: number, value: number): void {
  words[index] = value | 0;
  words[index + 1] = Math.floor(value * PER_TWO_32);
}

/** Levels from word `at` into `levels[to …)`; not 0 if one of the numbers is beyond 2^53. */
export function readLevels(
  words: Int32Array,
  at: number,
  levels: Float64Array,
  to: number,
  count: number,
): number {
  let beyond = 0;
  const end = to + count * 2;
  while (to < end) {
    const priceHigh = words[at + 1]!;
    const sizeHigh = words[at + 3]!;
    // Nearly always; a third faster than the general way.
    if ((priceHigh | sizeHigh) === 0) {
      levels[to] = words[at]! >>> 0;
      levels[to + 1] = words[at + 2]! >>> 0;
    } else {
      beyond |= ((priceHigh + HALF) | (sizeHigh + HALF)) & BEYOND;
      levels[to] = priceHigh * TWO_32 + (words[at]! >>> 0);
      levels[to + 1] = sizeHigh * TWO_32 + (words[at + 2]! >>> 0);
    }
    at += 4;
    to += 2;
  }
  return beyond;
}

export function unsignedDouble(words: Int32Array, at: number): number {
  return (words[at + 1]! >>> 0) * TWO_32 + (words[at]! >>> 0);
}

export function unsigned64(words: Int32Array, at: number): bigint {
  return (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
}
