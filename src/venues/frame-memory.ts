/**
 * Frame bytes where a scanner can read them four at a time. Ingest thread, hot, once a frame.
 *
 * A scanner reads words that may reach SLACK_BYTES beyond the frame's end: it judges by position at
 * the end, so what stands there does not matter, but it must be memory. A frame in the receive buffer
 * that was adopted is read in place; any other is copied behind one another's remains here.
 */
const FIRST_BYTES = 1 << 16;
/** The most that a scanner may read beyond the end of a frame. */
export const SLACK_BYTES = 128;

export class FrameMemory {
  bytes: Uint8Array = new Uint8Array(FIRST_BYTES + SLACK_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  private ownBytes = this.bytes;
  private ownView = this.view;
  private adoptedBytes: Uint8Array = this.bytes;
  private adoptedView: DataView = this.view;

  /** A receive buffer whose frames are to be read in place. It replaces the one adopted before. */
  adopt(buffer: ArrayBuffer | SharedArrayBuffer): void {
    this.adoptedBytes = new Uint8Array(buffer);
    this.adoptedView = new DataView(buffer);
  }

  /** Makes `source[start … end)` readable through `bytes` and `view`; returns where it begins there. */
  load(source: Uint8Array, start: number, end: number): number {
    const adopted = this.adoptedBytes;
    if (source.buffer === adopted.buffer) {
      const base = source.byteOffset + start;
      if (base + (end - start) + SLACK_BYTES <= adopted.length) {
        this.bytes = adopted;
        this.view = this.adoptedView;
        return base;
      }
    }
    const length = end - start;
    if (length + SLACK_BYTES > this.ownBytes.length) this.grow(length);
    this.bytes = this.ownBytes;
    this.view = this.ownView;
    this.bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end));
    return 0;
  }

  private grow(length: number): void {
    this.ownBytes = new Uint8Array(2 ** Math.ceil(Math.log2(length + SLACK_BYTES)));
    this.ownView = new DataView(this.ownBytes.buffer);
  }
}
