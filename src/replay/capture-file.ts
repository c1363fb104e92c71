/**
 * One recorded file as entries, in batches. Replay, cold. Tells what was wrong with it: a cut end, and
 * lines that are not of its format.
 */
import { FaultError } from '../faults/fault.js';
import {
  CAPTURE_FORMATS,
  COMMENT,
  formatOf,
  framesLostIn,
  isOurHeader,
  PASSED_OVER,
} from './capture-entry.js';
import type { CaptureEntry, CaptureFormat } from './capture-entry.js';
import { fileChunks } from './file-chunks.js';
import type { ChunkProgress } from './file-chunks.js';

/** A longer line is no recorded frame: the longest there are, lists of all instruments, have 4 MB. */
const LINE_BYTES_MAX = 32 * 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class CaptureFile implements ChunkProgress {
  bytesRead = 0;
  damage: string | null = null;
  /** Why the file is taken as cut, or null. */
  truncation: string | null = null;
  linesMalformed = 0;
  firstMalformedLine = 0;
  /** Frames that the recorder says it received and did not write. */
  framesLost = 0;
  /** It was written by a recorder that says so where it loses frames: ours. */
  tellsLosses = false;
  private format: CaptureFormat | null = null;
  private lines = 0;

  constructor(
    readonly path: string,
    readonly index: number,
  ) {}

  /**
   * All entries in the file's order, once. Throws FaultError FILE_UNREADABLE, or CAPTURE_MALFORMED if
   * the file is of no known format.
   */
  async *batches(): AsyncGenerator<CaptureEntry[]> {
    // Pieces of a line whose end has not come; put together once.
    let rest: Buffer[] = [];
    let restBytes = 0;
    for await (const chunk of fileChunks(this.path, this)) {
      const end = chunk.lastIndexOf(NEWLINE) + 1;
      if (end > 0) {
        const whole = chunk.subarray(0, end);
        const entries = this.entriesOf(rest.length === 0 ? whole : Buffer.concat([...rest, whole]));
        rest = [];
        restBytes = 0;
        if (entries.length > 0) yield entries;
      }
      if (end === chunk.length) continue;
      rest.push(chunk.subarray(end));
      restBytes += chunk.length - end;
      if (restBytes > LINE_BYTES_MAX) throw this.malformed('a line is longer than 32 MiB');
    }
    const last = this.lastLine(Buffer.concat(rest));
    if (last !== null) yield [last];
    if (this.format !== null) return;
    if (this.truncation === null) throw this.malformed('there is nothing in it');
    throw new FaultError('CAPTURE_TRUNCATED', `${this.path}: ${this.truncation}; nothing is left`);
  }

  private entriesOf(bytes: Buffer): CaptureEntry[] {
    const entries: CaptureEntry[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, at);
      const reading = this.readLine(trimmed(bytes.subarray(at, end)));
      if (reading !== null) entries.push(reading);
      at = end + 1;
    }
    return entries;
  }

  private readLine(line: Buffer): CaptureEntry | null {
    this.lines++;
    if (line.length === 0) return null;
    if (line[0] === COMMENT) {
      this.framesLost += framesLostIn(line);
      this.tellsLosses ||= isOurHeader(line);
      return null;
    }
    this.format ??= formatOf(line);
    if (this.format === null) {
      const known = CAPTURE_FORMATS.map(({ name }) => name).join(' or ');
      throw this.malformed(`its first line is neither of ${known}`);
    }
    const reading = this.format.read(line, this.index);
    if (reading === PASSED_OVER) return null;
    if (reading === null) {
      if (this.linesMalformed++ === 0) this.firstMalformedLine = this.lines;
      return null;
    }
    return reading;
  }

  /** A last line without its end is taken if it is whole: some recorders write none. */
  private lastLine(rest: Buffer): CaptureEntry | null {
    if (this.damage !== null) {
      this.truncation = `the compressed data breaks off (${this.damage}) behind line ${this.lines}`;
      return null;
    }
    const line = trimmed(rest);
    if (line.length === 0 || line[0] === COMMENT) return null;
    const format = this.format ?? formatOf(line);
    const reading = format?.read(line, this.index) ?? null;
    const isWhole = reading === PASSED_OVER || (reading !== null && isWholeJson(reading.bytes));
    if (isWhole || format === null) return this.readLine(line);
    this.truncation = `line ${this.lines + 1}, the last one, is cut`;
    return null;
  }

  private malformed(why: string): FaultError {
    return new FaultError(
      'CAPTURE_MALFORMED',
      `${this.path} is no capture that can be replayed: ${why}`,
    );
  }
}

function trimmed(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

function isWholeJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}
