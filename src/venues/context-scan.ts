/**
 * Bricks for the scanners of contexts: values of a scale of their own. Ingest thread, warm. As in
 * byte-scan.ts nothing is guessed: SCAN_FAILED sends the frame to the strict parser.
 */
import { EXACT_DIGITS_MAX } from '../domain/exact-decimal.js';
import * as Record from '../rings/record-types.js';
import { SCAN_FAILED } from './byte-scan.js';

const QUOTE = 0x22;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/**
 * A decimal text from behind its opening quote, as whole, fraction and places into `out[index …]`
 * (domain/exact-decimal.ts). Returns the position of its closing quote.
 */
export function scanExactDecimal(
  view: DataView,
  at: number,
  out: Float64Array,
  index: number,
): number {
  const isNegative = view.getUint8(at) === MINUS;
  const first = isNegative ? at + 1 : at;
  let whole = 0;
  at = first;
  let digit = view.getUint8(at) - ZERO;
  while (digit >= 0 && digit <= 9) {
    whole = whole * 10 + digit;
    digit = view.getUint8(++at) - ZERO;
    if (at - first > EXACT_DIGITS_MAX) return SCAN_FAILED;
  }
  if (at === first) return SCAN_FAILED;
  let fraction = 0;
  let places = 0;
  if (digit === POINT - ZERO) {
    digit = view.getUint8(++at) - ZERO;
    while (digit >= 0 && digit <= 9) {
      fraction = fraction * 10 + digit;
      if (++places > EXACT_DIGITS_MAX) return SCAN_FAILED;
      digit = view.getUint8(++at) - ZERO;
    }
  }
  if (digit !== QUOTE - ZERO) return SCAN_FAILED;
  // 0 - 0 is 0, unlike -0
  out[index] = isNegative ? 0 - whole : whole;
  out[index + 1] = isNegative ? 0 - fraction : fraction;
  out[index + 2] = places;
  return at;
}

/** The header of a ContextUpdate that names no time and no number; nothing is told yet. */
export function beginContext(event: Float64Array, instrumentId: number, flags: number): void {
  event[Record.INSTRUMENT] = instrumentId;
  event[Record.FLAGS] = flags;
  event[Record.EXCHANGE_NS] = Record.ABSENT;
  event[Record.SEQUENCE_FIRST] = Record.ABSENT;
  event[Record.SEQUENCE_LAST] = Record.ABSENT;
  event[Record.SEQUENCE_PREVIOUS] = Record.ABSENT;
  event[Record.ENGINE_NS] = Record.ABSENT;
  event[Record.CONTEXT_TOLD] = 0;
  event[Record.CONTEXT_PRESENT] = 0;
  event[Record.CONTEXT_NEXT_FUNDING_NS] = Record.ABSENT;
  event.fill(0, Record.CONTEXT_VALUES, Record.CONTEXT_UPDATE_DOUBLES);
}
