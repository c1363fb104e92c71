/**
 * Lower-case hex digits to 32-bit words, two digits at a time. Ingest thread, hot: 144 digits a trade.
 *
 * Two ASCII digits are one little-endian index into a table of all their 2^16 values. Of its 128 KB
 * only the 2 KB are ever touched that stand for digits (and what a faulty frame holds).
 */
export const NOT_HEX = -1;

const DIGITS = '0123456789abcdef';
const PAIRS = new Int16Array(1 << 16).fill(NOT_HEX);
for (let value = 0; value < 256; value++) {
  const first = DIGITS.charCodeAt(value >> 4);
  PAIRS[first | (DIGITS.charCodeAt(value & 15) << 8)] = value;
}

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
    const a = PAIRS[view.getUint16(at, true)]!;
    const b = PAIRS[view.getUint16(at + 2, true)]!;
    const c = PAIRS[view.getUint16(at + 4, true)]!;
    const d = PAIRS[view.getUint16(at + 6, true)]!;
    if ((a | b | c | d) < 0) return NOT_HEX;
    out[index + i] = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    at += 8;
  }
  return at;
}
