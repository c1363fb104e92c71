/**
 * Lower-case hex digits to 32-bit words, four digits at a time. Ingest thread, hot: 144 digits a trade.
 *
 * Four ASCII digits are one little-endian word `x`, the first in the lowest byte. Per byte:
 *
 *     letter = x >>> 6 & 1          '0' … '9' is 0x30 … 0x39, 'a' … 'f' is 0x61 … 0x66
 *     high nibble                   must be 3, or 6 for a letter
 *     low nibble + 6 + 3 * letter   beyond 15 for ':' and all that follows, for 'g' and all that follows
 *     low nibble                    not 0 for a letter ('`')
 *     value = low nibble + 9 * letter
 */
export const NOT_HEX = -1;

const ONES = 0x01010101;
const LOW_NIBBLES = 0x0f0f0f0f;
const HIGH_NIBBLES = 0xf0f0f0f0 | 0;
const TENS = 0x10101010;
const NO_DIGITS = -1;

/**
 * `words` words of eight digits from `at` into `out[index …]`, the most significant first.
 * Returns the position behind them, or NOT_HEX.
 */
export function scanHex(
  view: DataView,
  at: number,
  words: number,
  out: Float64Array,
  index: number,
): number {
  for (let i = 0; i < words; i++) {
    const high = fourHexDigits(view.getInt32(at, true));
    const low = fourHexDigits(view.getInt32(at + 4, true));
    if ((high | low) < 0) return NOT_HEX;
    out[index + i] = high * 65536 + low;
    at += 8;
  }
  return at;
}

/** 0 … 65535, or NO_DIGITS. */
function fourHexDigits(x: number): number {
  const letters = (x >>> 6) & ONES;
  const low = x & LOW_NIBBLES;
  const wrongHigh = (x & HIGH_NIBBLES) ^ Math.imul(letters + ONES, 0x30);
  const tooLarge = (low + Math.imul(letters, 3) + 0x06060606) & TENS;
  const anyBit = (low | (low >>> 1) | (low >>> 2) | (low >>> 3)) & ONES;
  const noLetter = letters & ~anyBit;
  if ((wrongHigh | tooLarge | noLetter) !== 0) return NO_DIGITS;
  const value = low + Math.imul(letters, 9);
  const pairs = ((value & 0x000f000f) << 4) | ((value >>> 8) & 0x000f000f);
  return ((pairs & 0xff) << 8) | (pairs >>> 16);
}
