/**
 * Writes JSON text as bytes into chunks that are handed out and never written again, so that a
 * frame can wait in many sockets without being copied. Simulator's thread; hot; allocates one view
 * a frame and one chunk every few hundred frames.
 */
import { InvariantError } from '../faults/invariant.js';

const CHUNK_BYTES = 256 * 1024;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;
const BILLION = 1e9;

/** Bytes of constant text, for `ascii`. */
export function asciiBytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export class FrameWriter {
  private chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  private start = 0;
  private at = 0;

  /** Begins a frame of at most `bytesMax` bytes. */
  begin(bytesMax: number): void {
    if (this.at + bytesMax > this.chunk.length) {
      this.chunk = new Uint8Array(new ArrayBuffer(Math.max(CHUNK_BYTES, bytesMax)));
      this.at = 0;
    }
    this.start = this.at;
  }

  /** Bytes written since `begin`. */
  get length(): number {
    return this.at - this.start;
  }

  /** The frame, from `skip` bytes after its begin to `cut` bytes before its end. */
  take(skip: number, cut: number): Uint8Array {
    return this.chunk.subarray(this.start + skip, this.at - cut);
  }

  ascii(bytes: Uint8Array): void {
    const { chunk } = this;
    let at = this.at;
    if (at + bytes.length > chunk.length) throw new InvariantError('frame over its bound');
    for (let i = 0; i < bytes.length; i++) chunk[at++] = bytes[i]!;
    this.at = at;
  }

  byte(value: number): void {
    this.chunk[this.at++] = value;
  }

  /** Takes back the last byte, for a comma after the last of a list. */
  back(): void {
    this.at--;
  }

  /** A whole number below 2^53. */
  integer(value: number): void {
    this.decimal(value, 0);
  }

  /**
   * A mantissa with exactly `decimals` places. Digits are made from the right, nine at a time in
   * 32-bit arithmetic: dividing doubles digit by digit costs three times as much.
   */
  decimal(mantissa: number, decimals: number): void {
    const { chunk } = this;
    let rest = mantissa;
    if (rest < 0) {
      chunk[this.at++] = MINUS;
      rest = -rest;
    }
    const start = this.at;
    const digits = digitsOf(rest);
    // A whole part of zero stands before the point: "0.05".
    const places = digits > decimals ? digits : decimals + 1;
    const end = start + places + (decimals > 0 ? 1 : 0);
    if (end > chunk.length) throw new InvariantError('frame over its bound');
    this.at = end;
    let at = end;
    let place = 0;
    while (place < places) {
      const above = rest < BILLION ? 0 : Math.floor(rest / BILLION);
      let low = (rest - above * BILLION) | 0;
      rest = above;
      const until = places - place < 9 ? places : place + 9;
      for (; place < until; place++) {
        if (place === decimals && place > 0) chunk[--at] = POINT;
        const quotient = (low / 10) | 0;
        chunk[--at] = ZERO + (low - quotient * 10);
        low = quotient;
      }
    }
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
