/**
 * Follows one source of the node's files line by line: over the hour's end, through half-written
 * lines, truncation and replacement. Ingest thread; asked in every duty cycle, it costs one read.
 *
 *     waiting ──file there──▶ reading ──nothing to read, newer file there, nothing to read──▶ next file
 *        ▲                      │
 *        └── directory empty    └── shorter than what was read, or another file: Replaced
 *
 * A line is given to the taker only when its newline is there; the bytes before it are kept, never
 * read again. A line longer than LINE_BYTES_MAX is passed over to its end and told.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { LineMemory } from '../venues/scan/line-memory.js';
import { type HourlyFile, fileOfHeight, newestFile, nextFile } from './hourly-files.js';

/** By-block status lines of all markets reach some megabytes; this is far beyond the largest seen. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;
const READ_BYTES = 1 << 20;
const NEWLINE = 0x0a;
/** How often the directory is looked at for a newer file while nothing arrives. */
const LOOK_NS = 50e6;

export interface LineTaker {
  /** One line without its newline: `bytes[start … end)`, lent until the call returns. */
  onLine(bytes: Buffer, start: number, end: number, receivedNs: number): void;
}

export const TailEvent = {
  None: 0,
  /** The file was truncated or replaced: what was read before does not connect to what follows. */
  Replaced: 1,
  /** A line was longer than LINE_BYTES_MAX and was passed over. */
  LineTooLong: 2,
} as const;

export class FileTail {
  readonly root: string;
  private readonly taker: LineTaker;
  private file: HourlyFile | null = null;
  private descriptor = -1;
  private inode = 0;
  private position = 0;
  private memory: LineMemory | null;
  private buffer: Buffer<ArrayBuffer>;
  /** Bytes of the line that is not whole yet stand in buffer[0 … held). */
  private held = 0;
  private skippingLine = false;
  private lookedNs = -Infinity;
  private sawNewer = false;
  private pendingEvent: number = TailEvent.None;
  bytesRead = 0;
  lines = 0;
  filesOpened = 0;

  /** @param memory where to read the lines to, for the scanners that it has; null: anywhere */
  constructor(root: string, taker: LineTaker, memory: LineMemory | null = null) {
    this.root = root;
    this.taker = taker;
    this.memory = memory;
    this.buffer = memory === null ? Buffer.allocUnsafe(READ_BYTES * 2) : memory.lines;
  }

  get path(): string | null {
    return this.file?.path ?? null;
  }

  /** True while a line is begun and not finished. */
  get isInsideLine(): boolean {
    return this.held > 0;
  }

  /** Opens the newest file at its end: what is there already is not read. */
  startAtEnd(): boolean {
    const newest = newestFile(this.root);
    if (newest === null || !this.open(newest)) return false;
    this.position = fstatSync(this.descriptor).size;
    this.backToLineStart();
    return true;
  }

  /** Opens the file in which the block after `height` is to be found, at its beginning. */
  startAtHeight(height: number): boolean {
    const first = fileOfHeight(this.root, height + 1);
    return first !== null && this.open(first);
  }

  /** Whether there is any file. */
  get hasFiles(): boolean {
    return newestFile(this.root) !== null;
  }

  /** Reads at most `readsMax` pieces; returns how many lines were given. */
  poll(nowNs: number, readsMax: number): number {
    if (this.file === null && !this.openFirst(nowNs)) return 0;
    let lines = 0;
    for (let i = 0; i < readsMax; i++) {
      const read = this.readMore();
      if (read > 0) {
        lines += this.split(read, nowNs);
        continue;
      }
      if (this.file === null) break;
      if (!this.moveOn(nowNs)) break;
    }
    return lines;
  }

  /** A file came or went: what is next is looked for at once. */
  lookAgain(): void {
    this.lookedNs = -Infinity;
  }

  /** What happened since the last call (TailEvent). */
  takeEvent(): number {
    const event = this.pendingEvent;
    this.pendingEvent = TailEvent.None;
    return event;
  }

  close(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
    this.file = null;
  }

  /** Lets go of a file that cannot be read; the newest is opened when it can be. */
  private abandon(): void {
    this.pendingEvent = TailEvent.Replaced;
    this.close();
    this.held = 0;
  }

  private openFirst(nowNs: number): boolean {
    if (nowNs - this.lookedNs < LOOK_NS) return false;
    this.lookedNs = nowNs;
    const first = newestFile(this.root);
    return first !== null && this.open(first);
  }

  private open(file: HourlyFile): boolean {
    let descriptor: number;
    try {
      descriptor = openSync(file.path, 'r');
    } catch {
      return false;
    }
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = descriptor;
    this.inode = fstatSync(descriptor).ino;
    this.file = file;
    this.position = 0;
    this.held = 0;
    this.skippingLine = false;
    this.sawNewer = false;
    this.filesOpened++;
    return true;
  }

  /** A start in the middle of a line would give half of it: the part that is there is read, not given. */
  private backToLineStart(): void {
    let at = this.position;
    const piece = Buffer.allocUnsafe(65536);
    while (at > 0) {
      const from = Math.max(0, at - piece.length);
      const read = readSync(this.descriptor, piece, 0, at - from, from);
      const newline = piece.subarray(0, read).lastIndexOf(NEWLINE);
      if (newline >= 0) {
        this.position = from + newline + 1;
        return;
      }
      at = from;
    }
    this.position = 0;
  }

  private readMore(): number {
    if (this.buffer.length - this.held <= READ_BYTES) this.widen();
    let read: number;
    try {
      read = readSync(this.descriptor, this.buffer, this.held, READ_BYTES, this.position);
    } catch {
      // A disk or a mount that fails: what follows, if it comes back, may not connect.
      this.abandon();
      return 0;
    }
    this.position += read;
    this.bytesRead += read;
    return read;
  }

  private widen(): void {
    if (this.memory?.widen() === true) {
      this.buffer = this.memory.lines;
      return;
    }
    const wider = Buffer.allocUnsafe(this.buffer.length * 2);
    this.buffer.copy(wider, 0, 0, this.held);
    this.buffer = wider;
    this.memory = null;
  }

  /** Nothing more will be written (end of a recording): what has no newline is the last line. */
  finish(nowNs: number): void {
    const { held } = this;
    if (held === 0 || this.skippingLine) return;
    this.held = 0;
    this.lines++;
    this.taker.onLine(this.buffer, 0, held, nowNs);
  }

  /** Gives the whole lines in buffer[0 … held + read) and keeps the rest. */
  private split(read: number, nowNs: number): number {
    const end = this.held + read;
    let start = 0;
    let lines = 0;
    // What is left of earlier reads stands behind: the search ends here.
    this.buffer[end] = NEWLINE;
    let newline = this.buffer.indexOf(NEWLINE, this.held);
    while (newline < end) {
      if (this.skippingLine) this.skippingLine = false;
      else if (newline > start) {
        this.taker.onLine(this.buffer, start, newline, nowNs);
        lines++;
      }
      start = newline + 1;
      newline = this.buffer.indexOf(NEWLINE, start);
    }
    this.held = end - start;
    if (start > 0 && this.held > 0) this.buffer.copyWithin(0, start, end);
    if (this.held > LINE_BYTES_MAX || this.skippingLine) {
      if (!this.skippingLine) this.pendingEvent = TailEvent.LineTooLong;
      this.skippingLine = true;
      this.held = 0;
    }
    this.lines += lines;
    return lines;
  }

  /** Nothing to read: goes to the next file once the old one is drained. True if it did. */
  private moveOn(nowNs: number): boolean {
    if (!this.sawNewer && nowNs - this.lookedNs < LOOK_NS) return false;
    this.lookedNs = nowNs;
    const file = this.file!;
    if (this.isReplaced(file)) {
      this.pendingEvent = TailEvent.Replaced;
      this.held = 0;
      return this.open(file);
    }
    const newer = nextFile(this.root, file.order);
    if (newer === null) return false;
    if (!this.sawNewer) {
      // The writer may have added to the old file before it began the new one: look once more.
      this.sawNewer = true;
      return true;
    }
    // A line that the writer never finished cannot be finished in another file.
    if (this.held > 0) this.pendingEvent = TailEvent.Replaced;
    return this.open(newer);
  }

  private isReplaced(file: HourlyFile): boolean {
    try {
      const now = statSync(file.path);
      return now.ino !== this.inode || now.size < this.position;
    } catch {
      // Removed (by a clean-up): the open descriptor still reads what is left.
      return false;
    }
  }
}
