/**
 * Takes what a venue sends and hands it on as lines, in chunks, to the segment writer. Ingest thread;
 * HOT (`onFrame`): one view and one copy a frame into a chunk, a new chunk every 256 KiB.
 *
 * The queue of chunks is bounded. A frame that does not fit is dropped and counted; the next one that
 * does is preceded by a line that says what is missing there.
 */
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { SegmentWriter } from './segment-writer.js';

export interface RecorderOptions {
  readonly writer: SegmentWriter;
  readonly timeline: Timeline;
  readonly scheduler: Scheduler;
  /** Text that may wait to be written, bytes. */
  readonly queueBytesMax?: number;
  readonly chunkBytes?: number;
  /** Called once when no more can be written: the disk failed (the error), or all the room is used. */
  readonly onEnd: (error: unknown) => void;
}

export interface RecorderCounts {
  frames: number;
  answers: number;
  /** Of messages as received. */
  bytes: number;
  framesLost: number;
  bytesLost: number;
  newlinesReplaced: number;
}

export const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
export const CHUNK_BYTES = 256 * 1024;
/** What came is in the file's hands after this, so that a kill loses little. */
const FLUSH_NS = 1e9;
/** `1795255599.123456789: ` */
const STAMP_BYTES = 22;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const STATUS_OK = 200;

export class Recorder {
  readonly counts: RecorderCounts = {
    frames: 0,
    answers: 0,
    bytes: 0,
    framesLost: 0,
    bytesLost: 0,
    newlinesReplaced: 0,
  };
  private readonly options: RecorderOptions;
  private readonly queueBytesMax: number;
  private readonly chunkBytes: number;
  /** Unix time of the timeline's origin. */
  private readonly originSecond: number;
  private readonly originNano: number;
  private chunk: Buffer;
  private filled = 0;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private writing: Promise<void> | null = null;
  private timer: number;
  private ended = false;
  private failed = false;
  private lostFrames = 0;
  private lostBytes = 0;
  private lostFromNs = 0;
  private lostToNs = 0;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.queueBytesMax = options.queueBytesMax ?? QUEUE_BYTES_MAX;
    this.chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
    const { originUnixMs, originExtraNs } = options.timeline;
    this.originSecond = Math.floor(originUnixMs / 1000);
    this.originNano = (originUnixMs % 1000) * 1e6 + originExtraNs;
    this.chunk = Buffer.allocUnsafeSlow(this.chunkBytes);
    this.timer = options.scheduler.schedule(FLUSH_NS, () => this.onTimer());
  }

  onConnected(url: string, atNs: number): void {
    this.line(`${url} <-> ${this.stampOf(atNs)}`, atNs);
  }

  onSent(url: string, text: string, atNs: number): void {
    this.line(`${url} <- ${this.stampOf(atNs)}: ${text}`, atNs);
  }

  /** Hot. */
  onFrame(bytes: Uint8Array, start: number, end: number, receivedNs: number): void {
    const length = end - start;
    if (!this.makeRoom(STAMP_BYTES + length + 1, length, receivedNs)) return;
    this.counts.frames++;
    this.counts.bytes += length;
    this.writeStamp(receivedNs);
    this.copy(bytes.subarray(start, end));
    this.chunk[this.filled++] = NEWLINE;
  }

  onAnswer(url: string, status: number, body: Uint8Array, atNs: number): void {
    if (status !== STATUS_OK) {
      this.line(`# refused status=${status} at=${this.stampOf(atNs)} url=${url}`, atNs);
      return;
    }
    const head = Buffer.from(`${url} -> ${this.stampOf(atNs)}: `);
    // The reader takes what stands before the last of these words, whatever the body holds.
    const tail = Buffer.from(` header: {"status":${status}}\n`);
    const length = head.length + body.length + tail.length;
    if (!this.makeRoom(length, body.length, atNs)) return;
    this.counts.answers++;
    this.counts.bytes += body.length;
    this.filled += head.copy(this.chunk, this.filled);
    this.copy(body);
    this.filled += tail.copy(this.chunk, this.filled);
  }

  /** Writes what is left and ends the segment. Throws FaultError FILE_UNWRITABLE. */
  async close(): Promise<void> {
    this.options.scheduler.cancel(this.timer);
    // Frames that were lost at the very end are marked too: the queue is empty then.
    this.passOn();
    await this.writing;
    this.tellLosses();
    this.passOn();
    this.ended = true;
    await this.writing;
    await this.options.writer.close();
  }

  private line(text: string, atNs: number): void {
    const bytes = Buffer.from(text);
    if (!this.makeRoom(bytes.length + 1, bytes.length, atNs)) return;
    this.copy(bytes);
    this.chunk[this.filled++] = NEWLINE;
  }

  /** Room for a whole line in the chunk; false if the line has to be dropped. */
  private makeRoom(bytes: number, messageBytes: number, atNs: number): boolean {
    if (this.ended) return false;
    if (this.filled + bytes <= this.chunk.length && this.lostFrames === 0) return true;
    if (this.queuedBytes + this.filled + bytes > this.queueBytesMax) {
      this.lose(messageBytes, atNs);
      return false;
    }
    this.tellLosses();
    if (this.filled + bytes <= this.chunk.length) return true;
    this.passOn();
    if (bytes > this.chunk.length) this.chunk = Buffer.allocUnsafeSlow(bytes);
    return true;
  }

  private lose(bytes: number, atNs: number): void {
    if (this.lostFrames === 0) this.lostFromNs = atNs;
    this.lostFrames++;
    this.lostBytes += bytes;
    this.lostToNs = atNs;
    this.counts.framesLost++;
    this.counts.bytesLost += bytes;
  }

  private tellLosses(): void {
    if (this.lostFrames === 0) return;
    const text =
      `# lost frames=${this.lostFrames} bytes=${this.lostBytes} ` +
      `from=${this.stampOf(this.lostFromNs)} to=${this.stampOf(this.lostToNs)}\n`;
    this.lostFrames = 0;
    this.lostBytes = 0;
    if (this.filled + text.length > this.chunk.length) this.passOn();
    this.filled += this.chunk.write(text, this.filled, 'latin1');
  }

  /** Hot. */
  private copy(bytes: Uint8Array): void {
    const at = this.filled;
    this.chunk.set(bytes, at);
    this.filled = at + bytes.length;
    if (bytes.includes(NEWLINE) || bytes.includes(CARRIAGE_RETURN)) this.replaceBreaks(at);
  }

  private replaceBreaks(from: number): void {
    for (let at = from; at < this.filled; at++) {
      if (this.chunk[at] !== NEWLINE && this.chunk[at] !== CARRIAGE_RETURN) continue;
      this.chunk[at] = SPACE;
      this.counts.newlinesReplaced++;
    }
  }

  /** Hot: seconds and nanoseconds digit by digit, without a string or BigInt. */
  private writeStamp(atNs: number): void {
    const { chunk } = this;
    const total = this.originNano + atNs;
    const seconds = Math.floor(total / 1e9);
    let nano = Math.floor(total - seconds * 1e9);
    let second = this.originSecond + seconds;
    const at = this.filled;
    for (let i = 9; i >= 0; i--) {
      chunk[at + i] = 0x30 + (second % 10);
      second = Math.floor(second / 10);
    }
    chunk[at + 10] = 0x2e;
    for (let i = 19; i > 10; i--) {
      chunk[at + i] = 0x30 + (nano % 10);
      nano = Math.floor(nano / 10);
    }
    chunk[at + 20] = 0x3a;
    chunk[at + 21] = SPACE;
    this.filled = at + STAMP_BYTES;
  }

  private stampOf(atNs: number): string {
    const text = this.options.timeline.toUnixNs(atNs).toString();
    return `${text.slice(0, -9)}.${text.slice(-9)}`;
  }

  private onTimer(): void {
    this.passOn();
    this.timer = this.options.scheduler.schedule(FLUSH_NS, () => this.onTimer());
  }

  private passOn(): void {
    if (this.filled === 0 || this.failed) return;
    this.queue.push(this.chunk.subarray(0, this.filled));
    this.queuedBytes += this.filled;
    this.chunk = Buffer.allocUnsafeSlow(this.chunkBytes);
    this.filled = 0;
    this.writing ??= this.writeAll();
  }

  private async writeAll(): Promise<void> {
    const { writer, scheduler, onEnd } = this.options;
    try {
      for (let lines = this.queue.shift(); lines !== undefined; lines = this.queue.shift()) {
        await writer.write(lines, scheduler.nowNs());
        this.queuedBytes -= lines.length;
        if (writer.isFull && !this.ended) {
          this.ended = true;
          onEnd(null);
        }
      }
    } catch (error) {
      this.ended = true;
      this.failed = true;
      this.queue = [];
      this.queuedBytes = 0;
      onEnd(error);
    } finally {
      this.writing = null;
    }
  }
}
