/**
 * AssemblyScript, part of scanners.as.ts: reads a depth frame of the Binance dialect in linear memory
 * and writes the event record that it becomes, in the layout of rings/record-types.ts, times as the
 * venue's ms. Ingest thread, hottest of all. It knows one shape; whatever differs returns a negative
 * number and the JavaScript scanner decides.
 *
 * Words are read beyond the frame's end, never used: bytes are consumed one behind the other, and the
 * last of them must be the frame's last.
 */
import { COMMA, endOfNumber, QUOTE, scanWhole } from './digits.as';
import { scanLevels } from './levels.as';
import {
  findQuote,
  findSymbol,
  readSymbol,
  symbolId,
  symbolPriceDecimals,
  symbolSizeDecimals,
} from './symbols.as';

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
  store<f64>(event, symbolId(entry), INSTRUMENT);
  store<f64>(event, FLAG_LAST, FLAGS);
  store<f64>(event, eventMs, EXCHANGE_MS);
  store<f64>(event, firstId, SEQUENCE_FIRST);
  store<f64>(event, lastId, SEQUENCE_LAST);
  store<f64>(event, previousId, SEQUENCE_PREVIOUS);
  store<f64>(event, engineMs, ENGINE_MS);
  const priceDecimals = symbolPriceDecimals(entry);
  const sizeDecimals = symbolSizeDecimals(entry);
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
