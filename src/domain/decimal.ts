/**
 * Decimal text to and from integer mantissas, exactly. Cold path: the venues' hot parsers read
 * decimals from bytes themselves and are tested against this.
 */
import { FaultError } from '../faults/fault.js';

const DECIMAL = /^(-?)(\d{1,32})(?:\.(\d{0,32}))?$/;

/**
 * Mantissa of `text` at `decimals` places. Trailing zeros beyond them are dropped.
 * Throws FaultError FRAME_PRECISION if a digit would be lost or the result exceeds 2^53 - 1, and
 * FRAME_MALFORMED if the text is no plain decimal.
 */
export function parseDecimal(text: string, decimals: number): number {
  const match = DECIMAL.exec(text);
  if (match === null)
    throw new FaultError('FRAME_MALFORMED', `not a decimal: ${text.slice(0, 40)}`);
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) {
    throw new FaultError('FRAME_PRECISION', `${text} has more than ${decimals} decimals`);
  }
  const mantissa = Number(match[2] + fraction.padEnd(decimals, '0'));
  if (!Number.isSafeInteger(mantissa)) {
    throw new FaultError('FRAME_PRECISION', `${text} exceeds 2^53 at ${decimals} decimals`);
  }
  return match[1] === '-' ? -mantissa : mantissa;
}

/** Text of a mantissa with exactly `decimals` places, e.g. (6165970, 2) gives `61659.70`. */
export function formatDecimal(mantissa: number, decimals: number): string {
  if (decimals === 0) return String(mantissa);
  const digits = String(Math.abs(mantissa)).padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return `${mantissa < 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Decimal places written in `text`, e.g. `0.10` gives 2. */
export function decimalPlaces(text: string): number {
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/**
 * Shortest text with at least `placesMin` decimals, as Hyperliquid's node prints: 813070 at 1 decimal
 * is `81307.0`, also if it is given as 81307000000 at 6.
 */
export function formatShortDecimal(mantissa: number, decimals: number, placesMin = 1): string {
  const point = formatDecimal(mantissa, decimals);
  const text = decimals === 0 ? `${point}.` : point;
  let end = text.length;
  const least = text.indexOf('.') + 1 + placesMin;
  while (end > least && text.charCodeAt(end - 1) === 0x30) end--;
  return text.slice(0, end).padEnd(least, '0');
}

/** Decimals that a mantissa needs: 18100 at 5 decimals needs 3 (`0.181`). */
export function placesNeeded(mantissa: number, decimals: number): number {
  let rest = Math.abs(mantissa);
  let places = decimals;
  while (places > 0 && rest % 10 === 0) {
    rest /= 10;
    places--;
  }
  return places;
}
