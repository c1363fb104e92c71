/**
 * A memory that lines are read into, with the WebAssembly scanners of a Hyperliquid node's lines beside
 * it: they read a line where the kernel put it. One a source that is followed; ingest thread, hot.
 *
 *     0          constants, symbols            see scanners.as.ts
 *     HEAD       what a line's head says       five doubles
 *     EVENT      the order event read last     in the layout of rings/record-types.ts
 *     LINES      the lines                     at first 2 MiB; `widen` doubles them
 *
 * All of it is another after `widen`, an instance with more memory. Positions are those in `lines`;
 * whoever is handed bytes compares them with `lines` to know that they stand here.
 */
import type { Instrument } from '../../domain/instrument.js';
import { ORDER_EVENT_DOUBLES } from '../../rings/record-types.js';
import {
  PAGE_BYTES,
  type ScannerExports,
  type ScannerInstance,
  TEXT_AT,
  addSymbols,
  createScanner,
} from './wasm-code.js';

const HEAD_AT = TEXT_AT;
const EVENT_AT = HEAD_AT + 64;
const LINES_AT = TEXT_AT + 1024;
/** Behind the lines: what the scanners may read beyond the end of one. */
const SLACK_BYTES = 1024;
const LINES_BYTES_FIRST = 2 << 20;
/** 256 MiB: twice what the longest line that is read needs (ingest/file-tail.ts). */
const PAGES_MAX = 4096;

/** Statuses that are looked for; any of them together. */
export const StatusKind = { Open: 1, Triggered: 2, Canceled: 4 } as const;

/** Indexes of the head's doubles: milliseconds since 1970 and the nanoseconds beyond them. */
export const HEAD_HEIGHT = 0;
export const HEAD_BLOCK_MS = 1;
export const HEAD_BLOCK_EXTRA_NS = 2;
export const HEAD_LOCAL_MS = 3;
export const HEAD_LOCAL_EXTRA_NS = 4;
const HEAD_DOUBLES = 5;

export class LineMemory {
  lines!: Buffer<ArrayBuffer>;
  head!: Float64Array;
  event!: Float64Array;
  readonly usesVectors: boolean;
  private exports!: ScannerExports;
  private instance!: ScannerInstance;
  private isUnknownDeclined = false;

  private constructor(instance: ScannerInstance) {
    this.usesVectors = instance.usesVectors;
    this.take(instance, LINES_BYTES_FIRST);
  }

  /** Null where there is no WebAssembly. */
  static create(withVectors = true): LineMemory | null {
    const instance = createScanner(pagesOf(LINES_BYTES_FIRST), withVectors);
    return instance === null ? null : new LineMemory(instance);
  }

  /** Makes the coins known whose events `scanDiff` reads. Once. */
  know(instruments: readonly Instrument[]): void {
    this.isUnknownDeclined = !addSymbols(this.instance, instruments);
    if (this.isUnknownDeclined) this.exports.declineUnknown();
  }

  /** Doubles the room for lines and keeps what they hold; false if there is no more. */
  widen(): boolean {
    const linesBytes = this.lines.length * 2;
    if (pagesOf(linesBytes) > PAGES_MAX) return false;
    const wider = createScanner(pagesOf(linesBytes), this.usesVectors);
    if (wider === null) return false;
    new Uint8Array(wider.buffer).set(new Uint8Array(this.instance.buffer));
    if (this.isUnknownDeclined) wider.exports.declineUnknown();
    this.take(wider, linesBytes);
    return true;
  }

  /** Position of the first `"status":"…"` of these kinds that ends before `end`, or `end`. */
  findStatus(start: number, end: number, kinds: number): number {
    return this.exports.findStatus(LINES_AT + start, LINES_AT + end, kinds) - LINES_AT;
  }

  /** Reads a line's envelope to `head`. The position behind the `[` of its events; negative: declined. */
  scanHead(at: number, end: number): number {
    return this.exports.scanHead(LINES_AT + at, LINES_AT + end, HEAD_AT) - LINES_AT;
  }

  /** Reads a diff line's event to `event`. The position behind it; negative: declined. */
  scanDiff(at: number, end: number): number {
    return this.exports.scanDiff(LINES_AT + at, LINES_AT + end, EVENT_AT) - LINES_AT;
  }

  private take(instance: ScannerInstance, linesBytes: number): void {
    this.instance = instance;
    this.exports = instance.exports;
    const { buffer } = instance;
    this.lines = Buffer.from(buffer, LINES_AT, linesBytes);
    this.head = new Float64Array(buffer, HEAD_AT, HEAD_DOUBLES);
    this.event = new Float64Array(buffer, EVENT_AT, ORDER_EVENT_DOUBLES);
  }
}

function pagesOf(linesBytes: number): number {
  return Math.ceil((LINES_AT + linesBytes + SLACK_BYTES) / PAGE_BYTES);
}
