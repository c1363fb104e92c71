/**
 * One level of a Hyperliquid book or ticker, in either order in which the venue has written its names.
 * Ingest thread, hot: forty a book.
 *
 *     2026   {"px":"84143.0","sz":"10.25923","n":36}
 *     2025   {"n":5,"px":"105055.0","sz":"3.03622"}       alphabetical, as all names of a frame then
 */
import { SCAN_FAILED, scanLooseDecimal, wordOf } from '../byte-scan.js';

const CLOSE_BRACE = 0x7d;
const TWO_BYTES = 0xffff;
/** `{"px` and `x":"` */
const PRICE_1 = wordOf('{"px');
const PRICE_2 = wordOf('x":"');
/** `","s` and `z":"`: between price and size, wherever the two stand together */
export const SIZE_1 = wordOf('","s');
export const SIZE_2 = wordOf('z":"');
/** `","n` and `":` */
const COUNT_1 = wordOf('","n');
const COUNT_2 = wordOf('":  ') & TWO_BYTES;
/** `{"n"` and `:` */
const COUNT_FIRST = wordOf('{"n"');
const COLON = 0x3a;
/** `,"px` */
const NEXT_PRICE_1 = wordOf(',"px');
/** `"}` */
const SIZE_END = wordOf('"}  ') & TWO_BYTES;

/** From a level's `{` to behind its `}`, price and size into `out[index]` and the next. */
export function scanLevel(
  view: DataView,
  at: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: Float64Array,
  index: number,
): number {
  if (view.getInt32(at, true) !== PRICE_1 || view.getInt32(at + 3, true) !== PRICE_2) {
    return view.getInt32(at, true) === COUNT_FIRST
      ? scanAlphabetical(view, at, priceDecimals, sizeDecimals, out, index)
      : SCAN_FAILED;
  }
  at = scanLooseDecimal(view, at + 7, priceDecimals, out, index);
  if (at < 0 || view.getInt32(at, true) !== SIZE_1 || view.getInt32(at + 4, true) !== SIZE_2) {
    return SCAN_FAILED;
  }
  at = scanLooseDecimal(view, at + 8, sizeDecimals, out, index + 1);
  if (at < 0 || view.getInt32(at, true) !== COUNT_1) return SCAN_FAILED;
  if (view.getUint16(at + 4, true) !== COUNT_2) return SCAN_FAILED;
  at = passOrders(view, at + 6);
  return at >= 0 && view.getUint8(at) === CLOSE_BRACE ? at + 1 : SCAN_FAILED;
}

function scanAlphabetical(
  view: DataView,
  at: number,
  priceDecimals: number,
  sizeDecimals: number,
  out: Float64Array,
  index: number,
): number {
  if (view.getUint8(at + 4) !== COLON) return SCAN_FAILED;
  at = passOrders(view, at + 5);
  if (at < 0 || view.getInt32(at, true) !== NEXT_PRICE_1) return SCAN_FAILED;
  if (view.getInt32(at + 3, true) !== PRICE_2) return SCAN_FAILED;
  at = scanLooseDecimal(view, at + 7, priceDecimals, out, index);
  if (at < 0 || view.getInt32(at, true) !== SIZE_1 || view.getInt32(at + 4, true) !== SIZE_2) {
    return SCAN_FAILED;
  }
  at = scanLooseDecimal(view, at + 8, sizeDecimals, out, index + 1);
  return at >= 0 && view.getUint16(at, true) === SIZE_END ? at + 2 : SCAN_FAILED;
}

/** Number of orders at a level: it has to be one; `ordersOf` reads it where it is wanted. */
function passOrders(view: DataView, at: number): number {
  const first = view.getUint8(at) - 0x30;
  if (first < 1 || first > 9) return SCAN_FAILED;
  for (let digits = 1; digits <= 9; digits++) {
    const digit = view.getUint8(++at) - 0x30;
    if (digit < 0 || digit > 9) return at;
  }
  return SCAN_FAILED;
}

/** Number of orders at the level from `at` to `end`, which `scanLevel` has read. */
export function ordersOf(view: DataView, at: number, end: number): number {
  let from = at + 5;
  if (view.getInt32(at, true) !== COUNT_FIRST) {
    // 2026: the digits stand in front of the closing brace.
    from = end - 2;
    while (isDigit(view.getUint8(from - 1))) from--;
  }
  let orders = 0;
  for (; isDigit(view.getUint8(from)); from++) orders = orders * 10 + view.getUint8(from) - 0x30;
  return orders;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
