/**
 * The envelope of every line the node writes, by block and streaming alike:
 *
 *     {"local_time":"2026-05-05T17:39:13.394386432","block_time":"2026-05-05T17:39:13.024084407",
 *      "block_number":985148182,"events":[…]}
 *
 * `local_time` is when the node wrote it, `block_time` the consensus time; both UTC without zone.
 * Ingest thread, once a line.
 */
import type { Timeline } from '../../time/timeline.js';
import * as Head from '../scan/line-memory.js';
import {
  CURSOR_FAILED,
  Read,
  ReadTime,
  ascii,
  readIsoTime,
  readWhole,
  skipValue,
  startsWith,
} from './json-cursor.js';
import { valueOf } from './order-scan.js';
import { EnvelopeScanner } from './scan-envelope.js';

const LOCAL_TIME = ascii('"local_time":');
const BLOCK_TIME = ascii('"block_time":');
const BLOCK_NUMBER = ascii('"block_number":');
const EVENTS = ascii('"events":');

export class Envelope {
  height = 0;
  /** Timeline nanoseconds. */
  blockNs = 0;
  localNs = 0;
  /** Position behind the opening bracket of `events`. */
  eventsAt = 0;
  private readonly memory: Head.LineMemory | null;
  private readonly scanner: EnvelopeScanner | null;

  /**
   * @param memory where lines may stand that its own scanner reads
   * @param withScanner false: every other line name by name, as the tests' oracle
   */
  constructor(memory: Head.LineMemory | null = null, withScanner = true) {
    this.memory = memory;
    this.scanner = withScanner ? new EnvelopeScanner() : null;
  }

  /** Reads the line that opens at `at`; false if it is none of the node's. */
  read(bytes: Uint8Array, at: number, end: number, timeline: Timeline): boolean {
    const { memory, scanner } = this;
    if (memory !== null && bytes === memory.lines) {
      const eventsAt = memory.scanHead(at, end);
      if (eventsAt >= 0) {
        const { head } = memory;
        this.height = head[Head.HEAD_HEIGHT]!;
        this.blockNs =
          timeline.fromUnixMs(head[Head.HEAD_BLOCK_MS]!) + head[Head.HEAD_BLOCK_EXTRA_NS]!;
        this.localNs =
          timeline.fromUnixMs(head[Head.HEAD_LOCAL_MS]!) + head[Head.HEAD_LOCAL_EXTRA_NS]!;
        this.eventsAt = eventsAt;
        return true;
      }
    }
    if (scanner !== null) {
      const eventsAt = scanner.scan(bytes, at, end);
      if (eventsAt >= 0) {
        this.height = scanner.height[0]!;
        this.blockNs = timeline.fromUnixMs(scanner.blockMs) + scanner.blockExtraNs;
        this.localNs = timeline.fromUnixMs(scanner.localMs) + scanner.localExtraNs;
        this.eventsAt = eventsAt;
        return true;
      }
    }
    return this.readByName(bytes, at, end, timeline);
  }

  private readByName(bytes: Uint8Array, at: number, end: number, timeline: Timeline): boolean {
    this.height = -1;
    this.eventsAt = -1;
    if (bytes[at] !== 0x7b) return false;
    let i = at + 1;
    while (i < end) {
      const value = valueOf(bytes, i, end);
      if (value === CURSOR_FAILED) return false;
      if (startsWith(bytes, i, end, EVENTS)) {
        if (bytes[value] !== 0x5b) return false;
        this.eventsAt = value + 1;
        if (this.height >= 0) return true;
      } else if (startsWith(bytes, i, end, BLOCK_NUMBER)) {
        if (readWhole(bytes, value, end) < 0) return false;
        this.height = Read.Value;
      } else if (startsWith(bytes, i, end, BLOCK_TIME)) {
        if (readIsoTime(bytes, value, end) < 0) return false;
        this.blockNs = timeline.fromUnixMs(Read.Value) + ReadTime.extraNs;
      } else if (startsWith(bytes, i, end, LOCAL_TIME)) {
        if (readIsoTime(bytes, value, end) < 0) return false;
        this.localNs = timeline.fromUnixMs(Read.Value) + ReadTime.extraNs;
      }
      i = skipValue(bytes, value, end);
      if (i < 0) return false;
      if (bytes[i] === 0x7d) break;
      if (bytes[i] !== 0x2c) return false;
      i++;
    }
    return this.height >= 0 && this.eventsAt >= 0;
  }
}
