/**
 * Writes JSON text as bytes into chunks that are handed out and never written again, so that a frame
 * can wait in many sockets without being copied. Simulator's thread; hot; allocates one view a frame
 * and one chunk every few hundred frames.
 */
import { InvariantError } from '../faults/invariant.js';

const CHUNK_BYTES = 256 * 1024;
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

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

  /** A mantissa with exactly `decimals` places. */
  decimal(mantissa: number, decimals: number): void {
    const { chunk } = this;
    let rest = mantissa;
    if (rest < 0) {
      chunk[this.at++] = MINUS;
      rest = -rest;
    }
    const bytes = Math.max(digitsOf(rest), decimals + 1) + (decimals > 0 ? 1 : 0);
    let at = this.at + bytes;
    if (at > chunk.length) throw new InvariantError('frame over its bound');
    this.at = at;
    for (let place = 0; place < decimals; place++) {
      const quotient = Math.floor(rest / 10);
      chunk[--at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    }
    if (decimals > 0) chunk[--at] = POINT;
    do {
      const quotient = Math.floor(rest / 10);
      chunk[--at] = ZERO + (rest - quotient * 10);
      rest = quotient;
    } while (rest > 0);
    // A whole part of zero before at least one digit: "0.05".
    while (at > this.at - bytes) chunk[--at] = ZERO;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
