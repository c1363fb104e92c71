/**
 * ASCII text as bytes, written straight into pieces of one size: for messages of megabytes, where
 * strings cost ten times as much. Broadcast thread, warm.
 */
import { invariant } from '../../faults/invariant.js';

const ZERO = 0x30;
const POINT = 0x2e;
/** Digits of the largest safe integer, and what decimals may add in front. */
const DIGITS_MAX = 32;
const INT32_MAX = 0x7fffffff;

/** Two hexadecimal digits of each byte. */
const HEX = Uint8Array.from(
  Array.from({ length: 256 }, (_, byte) => [
    ...Buffer.from(byte.toString(16).padStart(2, '0')),
  ]).flat(),
);

export class AsciiWriter {
  /** Full ones; the last is added by `finish`. */
  pieces: Uint8Array[] = [];
  private readonly pieceBytes: number;
  private bytes: Uint8Array;
  private at = 0;
  private readonly digits = new Uint8Array(DIGITS_MAX);

  constructor(pieceBytes: number) {
    this.pieceBytes = pieceBytes;
    this.bytes = new Uint8Array(0);
  }

  /** Begins a new text. */
  begin(): void {
    this.pieces = [];
    this.bytes = newPiece(this.pieceBytes);
    this.at = 0;
  }

  /** Makes sure that so many bytes go into one piece. */
  ensure(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    invariant(bytes <= this.pieceBytes, 'what belongs together fits a piece');
    this.pieces.push(this.bytes.subarray(0, this.at));
    this.bytes = newPiece(this.pieceBytes);
    this.at = 0;
  }

  /** All pieces; the writer keeps none of them. */
  finish(): Uint8Array[] {
    const { pieces } = this;
    pieces.push(this.bytes.subarray(0, this.at));
    this.pieces = [];
    this.bytes = new Uint8Array(0);
    this.at = 0;
    return pieces;
  }

  /** Text of any length; bytes beyond ASCII as UTF-8. */
  text(text: string): void {
    const encoded = Buffer.from(text, 'utf8');
    this.ensure(encoded.length);
    this.raw(encoded);
  }

  /** Room was ensured. */
  raw(bytes: Uint8Array): void {
    const target = this.bytes;
    let { at } = this;
    for (let i = 0; i < bytes.length; i++) target[at++] = bytes[i]!;
    this.at = at;
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  whole(value: number): void {
    const from = this.spell(value, 1);
    const target = this.bytes;
    let { at } = this;
    for (let i = from; i < DIGITS_MAX; i++) target[at++] = this.digits[i]!;
    this.at = at;
  }

  /** As numberText: the shortest text of a mantissa, not negative, with at least `places` decimals. */
  decimal(mantissa: number, decimals: number, places: number): void {
    const { digits } = this;
    const from = this.spell(mantissa, decimals + 1);
    const point = DIGITS_MAX - decimals;
    let end = DIGITS_MAX;
    const least = point + Math.min(places, decimals);
    while (end > least && digits[end - 1] === ZERO) end--;
    const target = this.bytes;
    let { at } = this;
    for (let i = from; i < point; i++) target[at++] = digits[i]!;
    if (end > point || places > 0) target[at++] = POINT;
    for (let i = point; i < end; i++) target[at++] = digits[i]!;
    for (let i = end; i < point + places; i++) target[at++] = ZERO;
    this.at = at;
  }

  /** 32-bit words, most significant first, 8 hexadecimal digits each. */
  hex(words: Int32Array, from: number, count: number): void {
    const target = this.bytes;
    let { at } = this;
    for (let i = from; i < from + count; i++) {
      const word = words[i]!;
      for (let shift = 24; shift >= 0; shift -= 8) {
        const pair = ((word >>> shift) & 0xff) * 2;
        target[at++] = HEX[pair]!;
        target[at++] = HEX[pair + 1]!;
      }
    }
    this.at = at;
  }

  /** At least `least` digits of a value at the end of `digits`; where they begin. */
  private spell(value: number, least: number): number {
    const { digits } = this;
    let at = DIGITS_MAX;
    let rest = value;
    while (rest > INT32_MAX) {
      // Exact: a quotient below 2^50 differs from the next whole number by 0.1 or more.
      const tenth = Math.floor(rest / 10);
      digits[--at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
    let low = rest | 0;
    while (low > 0) {
      const tenth = (low / 10) | 0;
      digits[--at] = ZERO + (low - tenth * 10);
      low = tenth;
    }
    while (at > DIGITS_MAX - least) digits[--at] = ZERO;
    return at;
  }
}

/** Not from a pool that it would keep alive. */
function newPiece(bytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(bytes);
}
