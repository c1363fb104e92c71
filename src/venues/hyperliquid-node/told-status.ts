/**
 * An order status of the node's files as `order_statuses` of an l4Book message has it. Most of what the
 * node writes are statuses, so they are cut out of its line as they stand and never made into objects.
 * Ingest thread, HOT where somebody reads l4Book: 815 a block of BTC.
 *
 *     node   {"time":…,"user":…,"hash":…,"builder":…,"status":…,"order":{"coin":…,"children":[…],…}}
 *     told   {"time":…,"user":…,"status":…,"order":{"user":null,"coin":…, without children, origSz}}
 */
import { CURSOR_FAILED, ascii, skipString, skipValue, startsWith } from './json-cursor.js';

const TIME = ascii('{"time":');
const USER = ascii(',"user":');
const HASH = ascii(',"hash":');
const BUILDER = ascii(',"builder":');
const STATUS = ascii(',"status":');
const ORDER = ascii(',"order":{');
const COIN = ascii('"coin":"');
const CHILDREN = ascii('"children":');
const ORIGINAL_SIZE = ascii('"origSz":');
const NO_USER = ascii('"user":null,');

/** Values of a known width with the quotes; told by what stands behind them. */
const TIME_WIDTH = 31;
const USER_WIDTH = 44;
/** The order's keys as the node writes them, and the width of the value where most have the same. */
const FIELDS: readonly (readonly [key: string, valueWidth: number])[] = [
  ['coin', 0],
  ['side', 3],
  ['limitPx', 0],
  ['sz', 0],
  ['oid', 12],
  ['timestamp', 13],
  ['triggerCondition', 5],
  ['isTrigger', 5],
  ['triggerPx', 5],
  ['children', 2],
  ['isPositionTpsl', 5],
  ['reduceOnly', 5],
  ['orderType', 7],
  ['origSz', 0],
  ['tif', 5],
  ['cloid', 36],
];
/** Width of each key with quotes and colon, and its first letter. */
const KEY_WIDTHS = Uint8Array.from(FIELDS, ([key]) => key.length + 3);
const KEY_LETTERS = Uint8Array.from(FIELDS, ([key]) => key.charCodeAt(0));
const VALUE_WIDTHS = Uint8Array.from(FIELDS, ([, width]) => width);

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** Where one event is cut: what is kept stands between every second pair of them. */
export const CUT_START = 0;
const CUT_HASH = 1;
const CUT_STATUS = 2;
const CUT_ORDER = 3;
const CUT_CHILDREN = 4;
const CUT_BEHIND_CHILDREN = 5;
const CUT_SIZE = 6;
const CUT_BEHIND_SIZE = 7;
export const CUT_END = 8;
export const CUTS = 9;

/** Bytes that a told event may have more than the node's: `"user":null,`. */
export const TOLD_BYTES_MORE = NO_USER.length;

/** Position of the coin's name in the event that was cut last. */
export const Cut = { CoinAt: 0, CoinEnd: 0 };

/**
 * Cuts the event that opens at `at` into `cuts[row …]`. Returns the position behind it, or CURSOR_FAILED
 * if it is not as the node writes them: then `toldText` reads it the long way.
 */
export function cutStatus(
  bytes: Uint8Array,
  at: number,
  end: number,
  cuts: Int32Array,
  row: number,
): number {
  cuts[row + CUT_START] = at;
  let i = behindWide(bytes, at, end, TIME, TIME_WIDTH, USER);
  i = behindWide(bytes, i, end, USER, USER_WIDTH, HASH);
  cuts[row + CUT_HASH] = i;
  i = behindValue(bytes, i, end, HASH);
  i = behindValue(bytes, i, end, BUILDER);
  cuts[row + CUT_STATUS] = i;
  i = behindValue(bytes, i, end, STATUS);
  if (i < 0 || !startsWith(bytes, i, end, ORDER)) return CURSOR_FAILED;
  i += ORDER.length;
  cuts[row + CUT_ORDER] = i;
  if (!startsWith(bytes, i, end, COIN)) return CURSOR_FAILED;
  i = cutOrder(bytes, i, end, cuts, row);
  if (i < 0 || i >= end || bytes[i] !== CLOSE_BRACE) return CURSOR_FAILED;
  cuts[row + CUT_END] = i + 1;
  return i + 1;
}

/** The order's fields from the coin on; children stand before origSz. Position behind its brace. */
function cutOrder(
  bytes: Uint8Array,
  at: number,
  end: number,
  cuts: Int32Array,
  row: number,
): number {
  Cut.CoinAt = at + COIN.length;
  cuts[row + CUT_CHILDREN] = cuts[row + CUT_SIZE] = -1;
  let i = at;
  for (let field = 0; i < end; field++) {
    const value = behindKey(bytes, i, end, field);
    if (value < 0) return CURSOR_FAILED;
    const next = behindField(bytes, value, end, field);
    if (next < 0) return CURSOR_FAILED;
    if (i === at) Cut.CoinEnd = next - 1;
    if (startsWith(bytes, i, end, CHILDREN)) {
      // With the comma before it, which stands there since the coin is first.
      cuts[row + CUT_CHILDREN] = i - 1;
      cuts[row + CUT_BEHIND_CHILDREN] = next;
    } else if (startsWith(bytes, i, end, ORIGINAL_SIZE)) {
      cuts[row + CUT_SIZE] = i - 1;
      cuts[row + CUT_BEHIND_SIZE] = next;
    }
    i = next + 1;
    if (bytes[next] === COMMA) continue;
    const isWhole =
      cuts[row + CUT_CHILDREN]! > 0 && cuts[row + CUT_SIZE]! > cuts[row + CUT_CHILDREN]!;
    return bytes[next] === CLOSE_BRACE && isWhole ? i : CURSOR_FAILED;
  }
  return CURSOR_FAILED;
}

/**
 * From a key's opening quote to its value. A key that stands where it always does is known by its
 * ends; what lies between is passed on as it is, whatever it says.
 */
function behindKey(bytes: Uint8Array, at: number, end: number, field: number): number {
  if (bytes[at] !== QUOTE) return CURSOR_FAILED;
  if (field < KEY_WIDTHS.length && bytes[at + 1] === KEY_LETTERS[field]) {
    const value = at + KEY_WIDTHS[field]!;
    if (value < end && bytes[value - 1] === COLON && bytes[value - 2] === QUOTE) return value;
  }
  const key = skipString(bytes, at, end);
  return key < 0 || key >= end || bytes[key] !== COLON ? CURSOR_FAILED : key + 1;
}

/** Behind the value at `at`: one as wide as most is known by what stands behind it. */
function behindField(bytes: Uint8Array, at: number, end: number, field: number): number {
  const width = field < VALUE_WIDTHS.length ? VALUE_WIDTHS[field]! : 0;
  const next = at + width;
  if (width > 0 && next < end && (bytes[next] === COMMA || bytes[next] === CLOSE_BRACE)) {
    if ((bytes[at] === QUOTE) === (bytes[next - 1] === QUOTE)) return next;
  }
  return skipValue(bytes, at, end);
}

/** As `behindValue`, of a string that is nearly always `width` wide and followed by `next`. */
function behindWide(
  bytes: Uint8Array,
  at: number,
  end: number,
  key: Uint8Array,
  width: number,
  next: Uint8Array,
): number {
  if (at < 0 || !startsWith(bytes, at, end, key)) return CURSOR_FAILED;
  const value = at + key.length;
  const behind = value + width;
  const isWide = bytes[value] === QUOTE && behind < end && bytes[behind - 1] === QUOTE;
  if (isWide && startsWith(bytes, behind, end, next)) return behind;
  return skipValue(bytes, value, end);
}

function behindValue(bytes: Uint8Array, at: number, end: number, key: Uint8Array): number {
  if (at < 0 || !startsWith(bytes, at, end, key)) return CURSOR_FAILED;
  return skipValue(bytes, at + key.length, end);
}

/**
 * Writes the told text of the event cut into `cuts[row …]` to `bytes[to …]`, from the same memory,
 * where its line stands `shift` bytes behind where it was cut. Returns the end of it.
 */
export function copyTold(
  bytes: Uint8Array,
  shift: number,
  cuts: Int32Array,
  row: number,
  to: number,
): number {
  let at = move(bytes, shift, cuts[row + CUT_START]!, cuts[row + CUT_HASH]!, to);
  at = move(bytes, shift, cuts[row + CUT_STATUS]!, cuts[row + CUT_ORDER]!, at);
  for (let i = 0; i < NO_USER.length; i++) bytes[at++] = NO_USER[i]!;
  at = move(bytes, shift, cuts[row + CUT_ORDER]!, cuts[row + CUT_CHILDREN]!, at);
  at = move(bytes, shift, cuts[row + CUT_BEHIND_CHILDREN]!, cuts[row + CUT_SIZE]!, at);
  return move(bytes, shift, cuts[row + CUT_BEHIND_SIZE]!, cuts[row + CUT_END]!, at);
}

/** Within one memory: no view is made, which would cost more than a piece's bytes. */
function move(bytes: Uint8Array, shift: number, from: number, end: number, to: number): number {
  bytes.copyWithin(to, shift + from, shift + end);
  return to + end - from;
}

/** The same from any JSON of an event, fields in any order; null if it is none. */
export function toldText(json: string): string | null {
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch {
    return null;
  }
  if (!isRecord(event) || !isRecord(event['order'])) return null;
  const { time, user, status, order } = event;
  if (typeof user !== 'string' || typeof time !== 'string') return null;
  const { children: _children, origSz: _size, ...rest } = order as Record<string, unknown>;
  return JSON.stringify({ time, user, status, order: { user: null, ...rest } });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
