/**
 * AssemblyScript, part of scanners.as.ts: texts in JSON strings, and from an instrument's symbol to its
 * id and decimals. Ingest thread, hottest of all: once a frame, once an order event.
 *
 * Open addressing, an entry of 32 bytes, at most PROBES_MAX of them looked at; a symbol that finds no
 * place is left to the other scanner.
 */
import { QUOTE } from './digits.as';
import { prepareDecimals } from './levels.as';

const SYMBOLS: usize = 16384;
const ENTRY_BITS: usize = 5;
const SYMBOLS_BITS: u64 = 12;
const SYMBOLS_MASK: usize = (1 << 12) - 1;
const SYMBOL_BYTES_MAX: i32 = 16;
const PROBES_MAX: i32 = 8;
// Offsets in an entry: the text in two words with zeros behind it; an empty entry begins with zero.
const ENTRY_LOW: usize = 0;
const ENTRY_HIGH: usize = 8;
const ENTRY_ID: usize = 16;
const ENTRY_PRICE_DECIMALS: usize = 24;
const ENTRY_SIZE_DECIMALS: usize = 26;
const ENTRY_BYTES: usize = 28;

/** The text of the symbol read last. */
let symbolLow: u64 = 0;
let symbolHigh: u64 = 0;

// @ts-ignore: decorator
@inline
function placeOf(low: u64, high: u64): usize {
  const mixed = (low ^ (high * 0xc2b2ae3d27d4eb4f)) * 0x9e3779b97f4a7c15;
  return <usize>(mixed >> (64 - SYMBOLS_BITS));
}

/** Bytes of a word before the first quote, the others zero. */
// @ts-ignore: decorator
@inline
function beforeQuote(word: u64, found: u64): u64 {
  // `found` has the high bit of the quote's byte: all bits below that byte
  return word & (((found & (0 - found)) >> 7) - 1);
}

/** High bit of each byte that is a quote; above the first it may mark too many. */
// @ts-ignore: decorator
@inline
function quoteMask(word: u64): u64 {
  const x = word ^ 0x2222222222222222;
  return (x - 0x0101010101010101) & ~x & 0x8080808080808080;
}

/**
 * Makes an instrument known, or known anew with other decimals. Its symbol stands at `at`: at most 16
 * bytes of printable ASCII without quote and backslash, and a quote behind them. False if there is no
 * room.
 */
export function addSymbol(at: i32, id: f64, priceDecimals: i32, sizeDecimals: i32): bool {
  const symbolBytes = readSymbol(at);
  if (symbolBytes <= 0) return false;
  let place = placeOf(symbolLow, symbolHigh);
  for (let i: i32 = 0; i < PROBES_MAX; i++) {
    const entry = SYMBOLS + (place << ENTRY_BITS);
    const there = load<u64>(entry, ENTRY_LOW);
    if (there == 0 || (there == symbolLow && load<u64>(entry, ENTRY_HIGH) == symbolHigh)) {
      store<u64>(entry, symbolLow, ENTRY_LOW);
      store<u64>(entry, symbolHigh, ENTRY_HIGH);
      store<f64>(entry, id, ENTRY_ID);
      store<u16>(entry, <u16>priceDecimals, ENTRY_PRICE_DECIMALS);
      store<u16>(entry, <u16>sizeDecimals, ENTRY_SIZE_DECIMALS);
      store<i32>(entry, symbolBytes, ENTRY_BYTES);
      prepareDecimals(priceDecimals);
      prepareDecimals(sizeDecimals);
      return true;
    }
    place = (place + 1) & SYMBOLS_MASK;
  }
  return false;
}

/** The instrument whose symbol stands at `at` is not known any more. */
export function dropSymbol(at: i32): void {
  const entry = findSymbol(readSymbol(at));
  // No symbol has no bytes; the text stays, for those that were placed behind it.
  if (entry != 0) store<i32>(entry, 0, ENTRY_BYTES);
}

/** Reads the text up to the quote; its length, or -1 if it is longer than 16. */
// @ts-ignore: decorator
@inline
export function readSymbol(at: i32): i32 {
  const low = load<u64>(at);
  const found = quoteMask(low);
  if (found != 0) {
    symbolLow = beforeQuote(low, found);
    symbolHigh = 0;
    return <i32>(ctz(found) >> 3);
  }
  const high = load<u64>(at, 8);
  const foundHigh = quoteMask(high);
  symbolLow = low;
  symbolHigh = high;
  if (foundHigh == 0) return load<u8>(at, 16) == QUOTE ? SYMBOL_BYTES_MAX : -1;
  symbolHigh = beforeQuote(high, foundHigh);
  return 8 + <i32>(ctz(foundHigh) >> 3);
}

/** Entry of the symbol read last, or 0. Its length counts too: a frame may hold zero bytes. */
// @ts-ignore: decorator
@inline
export function findSymbol(symbolBytes: i32): usize {
  const low = symbolLow;
  const high = symbolHigh;
  if (symbolBytes <= 0) return 0;
  let place = placeOf(low, high);
  for (let i: i32 = 0; i < PROBES_MAX; i++) {
    const entry = SYMBOLS + (place << ENTRY_BITS);
    const there = load<u64>(entry, ENTRY_LOW);
    if (
      there == low &&
      load<u64>(entry, ENTRY_HIGH) == high &&
      load<i32>(entry, ENTRY_BYTES) == symbolBytes
    ) {
      return entry;
    }
    if (there == 0) return 0;
    place = (place + 1) & SYMBOLS_MASK;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function symbolId(entry: usize): f64 {
  return load<f64>(entry, ENTRY_ID);
}

// @ts-ignore: decorator
@inline
export function symbolPriceDecimals(entry: usize): i32 {
  return <i32>load<u16>(entry, ENTRY_PRICE_DECIMALS);
}

// @ts-ignore: decorator
@inline
export function symbolSizeDecimals(entry: usize): i32 {
  return <i32>load<u16>(entry, ENTRY_SIZE_DECIMALS);
}

/** High bits where a byte is a control character, a backslash or beyond ASCII; may mark too many. */
// @ts-ignore: decorator
@inline
function oddMask(x: u64): u64 {
  const y = x ^ 0x5c5c5c5c5c5c5c5c;
  const backslash = (y - 0x0101010101010101) & ~y;
  return (x | (x - 0x2020202020202020) | (x + 0x0101010101010101) | backslash) & 0x8080808080808080;
}

/** Address of the quote that ends the plain string at `at`; `end` if it is not plain or not ended. */
// @ts-ignore: decorator
@inline
export function findQuote(at: i32, end: i32): i32 {
  while (at < end) {
    const word = load<u64>(at);
    const found = quoteMask(word);
    if (found != 0) {
      const before = ((found & (0 - found)) >> 7) - 1;
      // What stands behind the quote is filled with spaces, which are plain.
      const text = (word & before) | (0x2020202020202020 & ~before);
      return oddMask(text) != 0 ? end : at + <i32>(ctz(found) >> 3);
    }
    if (oddMask(word) != 0) return end;
    at += 8;
  }
  return end;
}
