/**
 * A line's envelope as the node writes it, name after name. Ingest thread, once a line, which in the
 * streaming form is once an event. Whatever differs is declined, and Envelope reads it name by name.
 *
 *     {"local_time":"2026-05-05T17:39:13.394386432","block_time":"2026-05-05T17:39:13.024084407",
 *      "block_number":985148182,"events":[
 *
 * Of a time only what follows the minute is read each time: the sixteen characters before it are those
 * of the time that was read last, or it goes the other way and is remembered.
 */
import { scanInteger } from '../byte-scan.js';
import { Literal } from '../hyperliquid/scan-literal.js';
import { CURSOR_FAILED, Read, readIsoTime } from './json-cursor.js';

const LOCAL_TIME = new Literal('{"local_time":"');
const BLOCK_TIME = new Literal('","block_time":"');
const BLOCK_NUMBER = new Literal('","block_number":');
const EVENTS = new Literal(',"events":[');

const COLON = 0x3a;
const POINT = 0x2e;
const QUOTE = 0x22;
const ZERO = 0x30;
/** `2026-05-05T17:39` and `2026-05-05T17:39:13.394386432` */
const MINUTE_BYTES = 16;
const TIME_BYTES = 29;
const NOT_DIGITS = -1;
/** More than the envelope can take, and the words that are read beyond it. */
const ENVELOPE_BYTES_MAX = 256;

export class EnvelopeScanner {
  readonly height = new Float64Array(1);
  /** Milliseconds since 1970, and the nanoseconds beyond them. */
  blockMs = 0;
  blockExtraNs = 0;
  localMs = 0;
  localExtraNs = 0;
  /** The line reader's own buffer: the same from line to line. */
  private source: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.source.buffer);
  /** The minute read last: its sixteen characters, and its milliseconds. */
  private readonly minute = new Int32Array(MINUTE_BYTES / 4);
  private minuteMs = 0;
  private ms = 0;
  private extraNs = 0;

  /** Position behind the `[` of the events, or CURSOR_FAILED: declined. */
  scan(bytes: Uint8Array, at: number, end: number): number {
    if (bytes !== this.source) {
      this.source = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    if (at + ENVELOPE_BYTES_MAX > bytes.length) return CURSOR_FAILED;
    const { view } = this;
    let i = LOCAL_TIME.pass(view, at);
    if (i < 0 || !this.time(bytes, i, end)) return CURSOR_FAILED;
    this.localMs = this.ms;
    this.localExtraNs = this.extraNs;
    i = BLOCK_TIME.pass(view, i + TIME_BYTES);
    if (i < 0 || !this.time(bytes, i, end)) return CURSOR_FAILED;
    this.blockMs = this.ms;
    this.blockExtraNs = this.extraNs;
    i = BLOCK_NUMBER.pass(view, i + TIME_BYTES);
    i = i < 0 ? i : scanInteger(view, i, this.height, 0);
    i = i < 0 ? i : EVENTS.pass(view, i);
    return i >= 0 && i <= end ? i : CURSOR_FAILED;
  }

  /** The time whose first digit is at `at`, to `ms` and `extraNs`; false if it has another form. */
  private time(bytes: Uint8Array, at: number, end: number): boolean {
    const second = digits(bytes, at + 17, 2);
    const nanoseconds = digits(bytes, at + 20, 9);
    if (second < 0 || nanoseconds < 0) return false;
    if (bytes[at + 16] !== COLON || bytes[at + 19] !== POINT) return false;
    if (bytes[at + TIME_BYTES] !== QUOTE) return false;
    const milliseconds = Math.floor(nanoseconds / 1e6);
    const behindMinuteMs = second * 1000 + milliseconds;
    if (!this.isLastMinute(at)) {
      if (readIsoTime(bytes, at - 1, end) < 0) return false;
      this.minuteMs = Read.Value - behindMinuteMs;
      for (let i = 0; i < this.minute.length; i++) {
        this.minute[i] = this.view.getInt32(at + 4 * i, true);
      }
    }
    this.ms = this.minuteMs + behindMinuteMs;
    this.extraNs = nanoseconds - milliseconds * 1e6;
    return true;
  }

  private isLastMinute(at: number): boolean {
    const { view, minute } = this;
    return (
      view.getInt32(at + 12, true) === minute[3] &&
      view.getInt32(at + 8, true) === minute[2] &&
      view.getInt32(at + 4, true) === minute[1] &&
      view.getInt32(at, true) === minute[0]
    );
  }
}

/** The number that `count` digits make, or NOT_DIGITS. */
function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return NOT_DIGITS;
    value = value * 10 + digit;
  }
  return value;
}
