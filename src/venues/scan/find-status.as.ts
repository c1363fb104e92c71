/**
 * AssemblyScript, part of scanners.as.ts: where in a line of a Hyperliquid node's statuses one stands
 * that can matter. Ingest thread, hot: 7 MB/s of them, nearly all rejections that are passed over here.
 * Vectors of 16 bytes, four a turn, or words of eight where there are none. Both read up to 66 bytes
 * beyond the end, and judge by none of them.
 */
import { zeroBytes } from './digits.as';

const LETTER_S: u8 = 0x73;
const COLON: u8 = 0x3a;
/** From the first byte of `"status":"` to its last s. */
const STATUS_TO_S: i32 = 6;

// @ts-ignore: decorator
@inline
function bitsOf(a: v128, b: v128, c: v128, d: v128): u64 {
  return (
    <u64>(<u32>i8x16.bitmask(a)) |
    (<u64>(<u32>i8x16.bitmask(b)) << 16) |
    (<u64>(<u32>i8x16.bitmask(c)) << 32) |
    (<u64>(<u32>i8x16.bitmask(d)) << 48)
  );
}

/** Which statuses `findStatus` looks for. */
const OPEN: i32 = 1;
const TRIGGERED: i32 = 2;
const CANCELED: i32 = 4;

/**
 * Address of the first `"status":"open"`, `"status":"triggered"` or `"status":"canceled"` in
 * [at, end), of those whose bit is in `kinds`, or `end`. What is looked for in each vector is an s with a
 * colon two behind it, which in a line of the node's only this key has.
 */
export function findStatus(at: i32, end: i32, kinds: i32): i32 {
  at += STATUS_TO_S;
  if (ASC_FEATURE_SIMD) {
    for (; at < end; at += 64) {
      const a = pairs(at);
      const b = pairs(at + 16);
      const c = pairs(at + 32);
      const d = pairs(at + 48);
      if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue;
      let bits = bitsOf(a, b, c, d);
      do {
        const status = at + <i32>ctz(bits) - STATUS_TO_S;
        if (isStatus(status, end, kinds)) return status;
        bits &= bits - 1;
      } while (bits != 0);
    }
    return end;
  }
  for (; at < end; at += 8) {
    let found = zeroBytes(
      (load<u64>(at) ^ 0x7373737373737373) | (load<u64>(at, 2) ^ 0x3a3a3a3a3a3a3a3a),
    );
    for (; found != 0; found &= found - 1) {
      const status = at + <i32>(ctz(found) >> 3) - STATUS_TO_S;
      if (isStatus(status, end, kinds)) return status;
    }
  }
  return end;
}

/** Where an s stands and a colon two behind it. */
// @ts-ignore: decorator
@inline
function pairs(at: i32): v128 {
  return v128.and(
    i8x16.eq(v128.load(at), i8x16.splat(LETTER_S)),
    i8x16.eq(v128.load(at, 2), i8x16.splat(COLON)),
  );
}

function isStatus(at: i32, end: i32, kinds: i32): bool {
  if (load<u64>(at) != 0x2273757461747322) return false; // "status"
  const value = load<u64>(at, 8);
  if ((value & 0x00ffffffffffffff) == 0x00226e65706f223a) { // :"open"
    return (kinds & OPEN) != 0 && at + 15 <= end;
  }
  if (value == 0x656767697274223a) { // :"trigge  red"
    return (kinds & TRIGGERED) != 0 && load<u32>(at, 16) == 0x22646572 && at + 20 <= end;
  }
  if (value == 0x6c65636e6163223a) { // :"cancel  ed"
    return (
      (kinds & CANCELED) != 0 && (load<u32>(at, 16) & 0xffffff) == 0x00226465 && at + 19 <= end
    );
  }
  return false;
}
