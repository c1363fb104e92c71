/**
 * A text as UTF-8 bytes that grows where it lies and is used again: l4Book messages of hundreds of
 * kilobytes a block, for which strings cost a millisecond. Broadcast thread, warm.
 */

/** What a client is sent: as a string where it is short, as bytes where it is long. */
export type ApiText = string | Uint8Array;

const BYTES_FIRST = 4096;
const COMMA = 0x2c;

export class TextBytes {
  length = 0;
  private bytes = Buffer.allocUnsafeSlow(BYTES_FIRST);

  clear(): void {
    this.length = 0;
  }

  addText(text: string): void {
    this.reserve(Buffer.byteLength(text));
    this.length += this.bytes.write(text, this.length);
  }

  /** Copies. */
  addBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Between two entries of a list: none before the first. */
  separate(): void {
    if (this.length === 0) return;
    this.reserve(1);
    this.bytes[this.length++] = COMMA;
  }

  /** Lent until it is written to again. */
  get view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const wider = Buffer.allocUnsafeSlow((this.length + bytes) * 2);
    this.bytes.copy(wider, 0, 0, this.length);
    this.bytes = wider;
  }
}
