/**
 * Decimals of any scale, exactly: `whole + fraction / 10^places`, both parts below 10^15 and with the
 * number's sign. Cold: the hot scanners read the same from bytes and are tested against this.
 */
import { FaultError } from '../faults/fault.js';

/** Digits before and behind the point that are held: 10^15 is below 2^53. */
export const EXACT_DIGITS_MAX = 15;

const DECIMAL = /^(-?)(\d{1,40})(?:\.(\d{0,40}))?$/;

/**
 * Reads `text` into `out[at … at + 3)`: whole, fraction, places. Zeros in front, and zeros at the end
 * beyond 15 places, are dropped. Throws FaultError FRAME_MALFORMED if it is no plain decimal, and
 * FRAME_PRECISION if it has more digits than are held.
 */
export function parseExactDecimal(text: string, out: Float64Array, at: number): void {
  const match = DECIMAL.exec(text);
  if (match === null) {
    throw new FaultError('FRAME_MALFORMED', `not a decimal: ${text.slice(0, 40)}`);
  }
  const whole = match[2]!.replace(/^0+(?=\d)/, '');
  let fraction = match[3] ?? '';
  while (fraction.length > EXACT_DIGITS_MAX && fraction.endsWith('0')) {
    fraction = fraction.slice(0, -1);
  }
  if (whole.length > EXACT_DIGITS_MAX || fraction.length > EXACT_DIGITS_MAX) {
    throw new FaultError('FRAME_PRECISION', `${text} has more than 15 digits on one side`);
  }
  const isNegative = match[1] === '-';
  out[at] = signed(Number(whole), isNegative);
  out[at + 1] = signed(Number(fraction), isNegative);
  out[at + 2] = fraction.length;
}

/** Never -0. */
function signed(value: number, isNegative: boolean): number {
  return isNegative ? 0 - value : value;
}

/** With exactly `places` decimals: (-1, -5, 2) gives `-1.05`. */
export function formatExactDecimal(whole: number, fraction: number, places: number): string {
  const sign = whole < 0 || fraction < 0 ? '-' : '';
  const digits = String(Math.abs(whole));
  if (places === 0) return sign + digits;
  return `${sign}${digits}.${String(Math.abs(fraction)).padStart(places, '0')}`;
}
