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
  let i = behindValue(bytes, at, end, TIME);
  i = behindValue(bytes, i, end, USER);
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
  while (i < end) {
    const key = skipString(bytes, i, end);
    if (key < 0 || key >= end || bytes[i] !== QUOTE || bytes[key] !== COLON) return CURSOR_FAILED;
    const next = skipValue(bytes, key + 1, end);
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
    const isWhole = cuts[row + CUT_CHILDREN]! > 0 && cuts[row + CUT_SIZE]! > cuts[row + CUT_CHILDREN]!;
    return bytes[next] === CLOSE_BRACE && isWhole ? i : CURSOR_FAILED;
  }
  return CURSOR_FAILED;
}

function behindValue(bytes: Uint8Array, at: number, end: number, key: Uint8Array): number {
  if (at < 0 || !startsWith(bytes, at, end, key)) return CURSOR_FAILED;
  return skipValue(bytes, at + key.length, end);
}

/** Writes the told text of the event cut into `cuts[row …]` to `target[to …]`; the end of it. */
export function copyTold(
  bytes: Uint8Array,
  cuts: Int32Array,
  row: number,
  target: Uint8Array,
  to: number,
): number {
  let at = copy(bytes, cuts[row + CUT_START]!, cuts[row + CUT_HASH]!, target, to);
  at = copy(bytes, cuts[row + CUT_STATUS]!, cuts[row + CUT_ORDER]!, target, at);
  at = copy(NO_USER, 0, NO_USER.length, target, at);
  at = copy(bytes, cuts[row + CUT_ORDER]!, cuts[row + CUT_CHILDREN]!, target, at);
  at = copy(bytes, cuts[row + CUT_BEHIND_CHILDREN]!, cuts[row + CUT_SIZE]!, target, at);
  return copy(bytes, cuts[row + CUT_BEHIND_SIZE]!, cuts[row + CUT_END]!, target, at);
}

/** By hand: pieces of 30 to 150 bytes cost less than a view and a call of `set`. */
export function copy(
  source: Uint8Array,
  from: number,
  end: number,
  target: Uint8Array,
  to: number,
): number {
  let at = to;
  for (let i = from; i < end; i++) target[at++] = source[i]!;
  return at;
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
