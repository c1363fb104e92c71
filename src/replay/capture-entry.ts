/**
 * One entry of a recording, and the text formats that recordings come in. Replay, cold.
 *
 *     hftbacktest   1723161255088156767 {"stream":…}          local time (10 to 19 digits: s … ns), frame
 *     cryptofeed    wss://… <-> 1626992741.05                  connected
 *                   wss://… <- 1626992741.06: {…}              sent by the recorder
 *                   https://… -> 1626992741.30: {…}            answer to a request [ header: …]
 *                   1626992741.06217: {…}                      frame
 *                   configuration: {…}
 *
 * In either, a line that begins with # is a comment; our own recorder marks there what it lost:
 *                   # lost frames=12 bytes=3456 …
 */
export interface CaptureEntry {
  readonly kind: 'frame' | 'answer';
  /** When the recorder received it, unix time. */
  readonly second: number;
  readonly nano: number;
  /** Of the request, for an answer; null for a frame. */
  readonly url: string | null;
  readonly bytes: Uint8Array;
  /** Which file of the run. */
  readonly file: number;
}

/** Understood, and nothing that was received. */
export const PASSED_OVER = 'passed over';
export type LineReading = CaptureEntry | typeof PASSED_OVER | null;

/** Reads one line without its end; null if it is not of the format. */
export type LineReader = (line: Buffer, file: number) => LineReading;

export interface CaptureFormat {
  readonly name: string;
  readonly read: LineReader;
}

/** The first byte of a comment. */
export const COMMENT = 0x23;
const SPACE = 0x20;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const UNIX_SECOND_DIGITS = 10;
const NANO_DIGITS = 9;

function isJsonStart(byte: number | undefined): boolean {
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

function digitsFrom(line: Buffer, at: number): number {
  let end = at;
  while (end < line.length && line[end]! >= 0x30 && line[end]! <= 0x39) end++;
  return end - at;
}

/** Digits as a fraction of a second in ns; what is finer is dropped. */
function nanosOf(digits: string): number {
  return Number(digits.slice(0, NANO_DIGITS).padEnd(NANO_DIGITS, '0'));
}

function readHftbacktest(line: Buffer, file: number): LineReading {
  const digits = digitsFrom(line, 0);
  if (digits < UNIX_SECOND_DIGITS || digits > UNIX_SECOND_DIGITS + NANO_DIGITS) return null;
  if (line[digits] !== SPACE || !isJsonStart(line[digits + 1])) return null;
  const time = line.toString('latin1', 0, digits);
  return {
    kind: 'frame',
    second: Number(time.slice(0, UNIX_SECOND_DIGITS)),
    nano: nanosOf(time.slice(UNIX_SECOND_DIGITS)),
    url: null,
    bytes: line.subarray(digits + 1),
    file,
  };
}

/** `1626992741.06217` from `at`; null if none stands there. */
function readSeconds(
  line: Buffer,
  at: number,
): { second: number; nano: number; end: number } | null {
  const whole = digitsFrom(line, at);
  if (whole < 9 || whole > 11) return null;
  const second = Number(line.toString('latin1', at, at + whole));
  let end = at + whole;
  if (line[end] !== 0x2e) return { second, nano: 0, end };
  const digits = digitsFrom(line, end + 1);
  const nano = nanosOf(line.toString('latin1', end + 1, end + 1 + digits));
  end += 1 + digits;
  return { second, nano, end };
}

const HEADER_MARK = ' header: ';

function readCryptofeed(line: Buffer, file: number): LineReading {
  const time = readSeconds(line, 0);
  if (time !== null) {
    if (line[time.end] !== COLON || line[time.end + 1] !== SPACE) return null;
    const { second, nano } = time;
    return { kind: 'frame', second, nano, url: null, bytes: line.subarray(time.end + 2), file };
  }
  const space = line.indexOf(SPACE);
  if (space <= 0) return null;
  if (line.toString('latin1', 0, space) === 'configuration:') return PASSED_OVER;
  const arrowEnd = line.indexOf(SPACE, space + 1);
  const arrow = line.toString('latin1', space + 1, arrowEnd);
  if (arrow !== '<->' && arrow !== '<-' && arrow !== '->') return null;
  const at = readSeconds(line, arrowEnd + 1);
  if (at === null) return null;
  if (arrow === '<->') return PASSED_OVER;
  if (line[at.end] !== COLON || line[at.end + 1] !== SPACE) return null;
  if (arrow === '<-') return PASSED_OVER;
  const headerAt = line.lastIndexOf(HEADER_MARK);
  const bodyEnd = headerAt > at.end ? headerAt : line.length;
  return {
    kind: 'answer',
    second: at.second,
    nano: at.nano,
    url: line.toString('latin1', 0, space),
    bytes: line.subarray(at.end + 2, bodyEnd),
    file,
  };
}

export const CAPTURE_FORMATS: readonly CaptureFormat[] = [
  { name: 'hftbacktest', read: readHftbacktest },
  { name: 'cryptofeed', read: readCryptofeed },
];

/** By the first line that holds anything. Null: neither. */
export function formatOf(firstLine: Buffer): CaptureFormat | null {
  return CAPTURE_FORMATS.find((format) => format.read(firstLine, 0) !== null) ?? null;
}

const LOST = /^# lost frames=(\d+)\b/;

/** How many frames a comment says were received and not written; 0 for any other comment. */
export function framesLostIn(comment: Buffer): number {
  return Number(LOST.exec(comment.toString('latin1', 0, 64))?.[1] ?? 0);
}

/** Our recorder's first line: `# ringside capture 1 …`. */
export function isOurHeader(comment: Buffer): boolean {
  return comment.toString('latin1', 0, 19) === '# ringside capture ';
}
