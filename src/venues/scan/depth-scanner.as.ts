/**
 * AssemblyScript, compiled to WebAssembly by `npm run build`, once with vectors and once without: reads
 * a depth frame of the Binance dialect in linear memory and writes the event record that it becomes.
 * Ingest thread, hottest of all. It knows one shape; whatever differs returns a negative number and
 * the JavaScript scanner decides.
 *
 *     4096 …      constants                                digits.as.ts, levels.as.ts
 *     FRAME       the frame's bytes                        wasm-memory.ts knows these addresses
 *     EVENT       the record, in the layout of rings/record-types.ts, times as the venue's ms
 *     SYMBOLS     open addressing, an entry of 32 bytes    see addSymbol
 *
 * Words are read beyond the frame's end, never used: bytes are consumed one behind the other, and the
 * last of them must be the frame's last.
 */
import { COMMA, endOfNumber, QUOTE, scanWhole } from './digits.as';
import { prepareDecimals, scanLevels } from './levels.as';

// Indexes of doubles in a DepthUpdate (rings/record-types.ts), as byte offsets.
const INSTRUMENT: usize = 0;
const FLAGS: usize = 8;
const EXCHANGE_MS: usize = 16;
const SEQUENCE_FIRST: usize = 32;
const SEQUENCE_LAST: usize = 40;
const SEQUENCE_PREVIOUS: usize = 48;
const ENGINE_MS: usize = 56;
const BIDS_COUNT: i32 = 64;
const ASKS_COUNT: i32 = 72;
const LEVELS: i32 = 80;
/** domain/event-flags.ts */
const FLAG_LAST: f64 = 1;

const OPEN: u8 = 0x5b;
const CLOSE_BRACE: u8 = 0x7d;
const SYMBOLS: usize = 3145728;
const ENTRY_BITS: usize = 5;
const SYMBOLS_BITS: u64 = 12;
const SYMBOLS_MASK: usize = (1 << 12) - 1;
const SYMBOL_BYTES_MAX: i32 = 16;
/** A symbol that finds no place within so many is left to the other scanner. */
const PROBES_MAX: i32 = 8;
// Offsets in an entry: the text in two words with zeros behind it; an empty entry begins with zero.
const ENTRY_LOW: usize = 0;
const ENTRY_HIGH: usize = 8;
const ENTRY_ID: usize = 16;
const ENTRY_PRICE_DECIMALS: usize = 24;
const ENTRY_SIZE_DECIMALS: usize = 26;
const ENTRY_BYTES: usize = 28;

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
 * Makes an instrument known. Its symbol stands at `at`: at most 16 bytes of printable ASCII without
 * quote and backslash, and a quote behind them. False if there is no room.
 */
export function addSymbol(at: i32, id: f64, priceDecimals: i32, sizeDecimals: i32): bool {
  const symbolBytes = readSymbol(at);
  if (symbolBytes <= 0) return false;
  let place = placeOf(symbolLow, symbolHigh);
  for (let i: i32 = 0; i < PROBES_MAX; i++) {
    const entry = SYMBOLS + (place << ENTRY_BITS);
    if (load<u64>(entry, ENTRY_LOW) == 0) {
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

let symbolLow: u64 = 0;
let symbolHigh: u64 = 0;

/** Text up to the quote into `symbolLow`, `symbolHigh`; its length, or -1 if it is longer than 16. */
// @ts-ignore: decorator
@inline
function readSymbol(at: i32): i32 {
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
function findSymbol(symbolBytes: i32): usize {
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
function findQuote(at: i32, end: i32): i32 {
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

/**
 * Reads a whole frame, `{"stream":"…","data":{"e":"depthUpdate",…}}` or the inner object alone, into
 * the record at `event`. Returns how many doubles it takes, or -1 if the frame is of another shape.
 */
export function scanFrame(at: i32, end: i32, event: i32): i32 {
  if (load<u64>(at) != 0x6d6165727473227b) return scanMessage(at, end, event, 1); // {"stream
  if (load<u16>(at, 8) != 0x3a22 || load<u8>(at, 10) != QUOTE) return -1; // ":"
  const quote = findQuote(at + 11, end);
  // ","data":   is 9 bytes with the quote
  if (load<u64>(quote) != 0x2261746164222c22 || load<u8>(quote, 8) != 0x3a) return -1;
  return scanMessage(quote + 9, end, event, 2);
}

/**
 * `{"e":"depthUpdate","E":…,"T":…,"s":"…",["ps":"…",]["st":n,]"U":…,"u":…,"pu":…,"b":[…],"a":[…]}` and
 * in all `closing` braces, which must end the frame.
 */
// @ts-ignore: decorator
@inline
function scanMessage(at: i32, end: i32, event: i32, closing: i32): i32 {
  // {"e":"depthUpdate","E":   is 23 bytes
  if (
    load<u64>(at) != 0x6564223a2265227b || // {"e":"de
    load<u64>(at, 8) != 0x7461647055687470 || // pthUpdat
    load<u64>(at, 15) != 0x3a2245222c226574 // te","E":
  ) {
    return -1;
  }
  const eventMs = scanWhole(at + 23);
  let i = endOfNumber();
  if (eventMs < 0 || load<u32>(i) != 0x3a225422) return -1; // "T":
  const engineMs = scanWhole(i + 4);
  i = endOfNumber();
  if (engineMs < 0 || load<u32>(i) != 0x3a227322 || load<u8>(i, 4) != QUOTE) return -1; // "s":"
  const symbolBytes = readSymbol(i + 5);
  const entry = findSymbol(symbolBytes);
  i += 5 + symbolBytes;
  if (entry == 0 || load<u8>(i, 1) != COMMA) return -1;
  i = passExtras(i + 2, end);
  if (i < 0 || load<u32>(i) != 0x3a225522) return -1; // "U":
  const firstId = scanWhole(i + 4);
  i = endOfNumber();
  if (firstId < 0 || load<u32>(i) != 0x3a227522) return -1; // "u":
  const lastId = scanWhole(i + 4);
  i = endOfNumber();
  if (lastId < firstId || load<u32>(i) != 0x22757022 || load<u8>(i, 4) != 0x3a) return -1; // "pu":
  const previousId = scanWhole(i + 5);
  i = endOfNumber();
  if (previousId < 0 || load<u32>(i) != 0x3a226222 || load<u8>(i, 4) != OPEN) return -1; // "b":[
  store<f64>(event, load<f64>(entry, ENTRY_ID), INSTRUMENT);
  store<f64>(event, FLAG_LAST, FLAGS);
  store<f64>(event, eventMs, EXCHANGE_MS);
  store<f64>(event, firstId, SEQUENCE_FIRST);
  store<f64>(event, lastId, SEQUENCE_LAST);
  store<f64>(event, previousId, SEQUENCE_PREVIOUS);
  store<f64>(event, engineMs, ENGINE_MS);
  const priceDecimals = <i32>load<u16>(entry, ENTRY_PRICE_DECIMALS);
  const sizeDecimals = <i32>load<u16>(entry, ENTRY_SIZE_DECIMALS);
  const levels = event + LEVELS;
  i = scanLevels(i + 5, end, priceDecimals, sizeDecimals, levels, event + BIDS_COUNT);
  if (i < 0 || load<u32>(i) != 0x2261222c || load<u16>(i, 4) != 0x5b3a) return -1; // ,"a":[
  const bids = <i32>load<f64>(event + BIDS_COUNT);
  const asksAt = levels + (bids << 4);
  i = scanLevels(i + 6, end, priceDecimals, sizeDecimals, asksAt, event + ASKS_COUNT);
  if (i < 0 || load<u8>(i) != CLOSE_BRACE || i + closing != end) return -1;
  if (closing == 2 && load<u8>(i, 1) != CLOSE_BRACE) return -1;
  return (LEVELS >> 3) + ((bids + <i32>load<f64>(event + ASKS_COUNT)) << 1);
}

/** `"ps":"…",` and `"st":n,`, which newer frames have. */
// @ts-ignore: decorator
@inline
function passExtras(at: i32, end: i32): i32 {
  let i = at;
  if (load<u32>(i) == 0x22737022 && load<u16>(i, 4) == 0x223a) { // "ps":"
    i = findQuote(i + 6, end);
    if (load<u8>(i, 1) != COMMA) return -1;
    i += 2;
  }
  if (load<u32>(i) == 0x22747322 && load<u8>(i, 4) == 0x3a) { // "st":
    if (scanWhole(i + 5) < 0) return -1;
    i = endOfNumber();
  }
  return i;
}
