/**
 * The bytes that the fast scanner looks for, as little-endian words, and the names that a message of
 * each type must have. Constants only.
 */
import { wordOf } from '../byte-scan.js';

/** `"x":` for any letter x: the word without its second byte. */
export const ONE_LETTER_MASK = 0xffff00ff | 0;
export const ONE_LETTER = 0x3a220022;
export const PU = wordOf('"pu"');
export const ST = wordOf('"st"');

export const STREAM_1 = wordOf('{"st');
export const STREAM_2 = wordOf('ream');
export const STREAM_3 = wordOf('":"\0');
export const DATA_1 = wordOf(',"da');
export const DATA_2 = wordOf('ta":');
export const DEPTH_1 = wordOf('"dep');
export const DEPTH_2 = wordOf('thUp');
export const DEPTH_3 = wordOf('date');
export const TICKER_1 = wordOf('"boo');
export const TICKER_2 = wordOf('kTic');
export const TICKER_3 = wordOf('ker"');
export const AGG_TRADE_1 = wordOf('"agg');
export const AGG_TRADE_2 = wordOf('Trad');
export const AGG_TRADE_3 = wordOf('e"\0\0');
export const TRADE_1 = wordOf('"tra');
export const TRADE_2 = wordOf('de"\0');
export const MARKET_1 = wordOf('"MAR');
export const MARKET_2 = wordOf('KET"');
export const TRUE = wordOf('true');
export const FALSE = wordOf('fals');
export const TWO_BYTES = 0xffff;
export const THREE_BYTES = 0xffffff;

export const NONE = 0;
export const DEPTH = 1;
export const TICKER = 2;
export const AGG_TRADE = 3;
export const TRADE = 4;

/** One bit a name, so that a name that stands twice or is missing is noticed. */
export const Seen = {
  e: 1 << 0,
  E: 1 << 1,
  T: 1 << 2,
  s: 1 << 3,
  U: 1 << 4,
  u: 1 << 5,
  pu: 1 << 6,
  b: 1 << 7,
  a: 1 << 8,
  B: 1 << 9,
  A: 1 << 10,
  t: 1 << 11,
  p: 1 << 12,
  q: 1 << 13,
  f: 1 << 14,
  l: 1 << 15,
  X: 1 << 16,
  m: 1 << 17,
} as const;
export const HEAD = Seen.e | Seen.E | Seen.s;
export const NEEDED_DEPTH = HEAD | Seen.U | Seen.u | Seen.pu | Seen.b | Seen.a;
export const NEEDED_TICKER = HEAD | Seen.u | Seen.b | Seen.B | Seen.a | Seen.A;
export const NEEDED_AGG_TRADE = HEAD | Seen.a | Seen.f | Seen.l | Seen.p | Seen.q | Seen.m;
export const NEEDED_TRADE = HEAD | Seen.t | Seen.p | Seen.q | Seen.m;
