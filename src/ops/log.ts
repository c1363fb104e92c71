/**
 * The node's log: JSON lines on stderr, readable on a terminal. Only the main thread writes; other
 * threads hand their notices to it. Lines of one event are limited in rate, and what was held back
 * is counted; secrets are struck out of the finished line, wherever they stood. Cold.
 */
import { Writable } from 'node:stream';
import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';
import type { Clock } from '../time/clock.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty';
  readonly clock: Clock;
  /** Texts that must never appear in a line. */
  readonly secrets: readonly string[];
  /** Takes each finished line, its newline included. */
  readonly write: (line: string) => void;
}

/** A burst of this many lines a key, then one line a window that tells how many were held back. */
const LINES_PER_WINDOW_MAX = 5;
const WINDOW_NS = 10e9;
/** Keys beyond this are limited together: a bound on memory. */
const KEYS_MAX = 1_000;
const STRUCK_OUT = '[redacted]';

interface Window {
  beganNs: number;
  lines: number;
  suppressed: number;
}

export class Log {
  private readonly pino: PinoLogger;
  private readonly clock: Clock;
  private readonly windows = new Map<string, Window>();
  private suppressedTotal = 0;

  constructor(options: LogOptions) {
    this.clock = options.clock;
    const strike = secretStriker(options.secrets);
    const stream = { write: (line: string) => options.write(strike(line)) };
    const destination =
      options.format === 'pretty'
        ? pretty({ colorize: true, ignore: 'pid,hostname,event', destination: asWritable(stream) })
        : stream;
    this.pino = pino({ level: options.level, base: null }, destination);
  }

  debug(event: string, message: string, fields?: LogFields): void {
    this.write('debug', event, event, message, fields);
  }
  info(event: string, message: string, fields?: LogFields): void {
    this.write('info', event, event, message, fields);
  }
  warn(event: string, message: string, fields?: LogFields): void {
    this.write('warn', event, event, message, fields);
  }
  error(event: string, message: string, fields?: LogFields): void {
    this.write('error', event, event, message, fields);
  }

  /** `key` says which lines are limited together, e.g. the event and the instrument. */
  write(level: LogLevel, key: string, event: string, message: string, fields?: LogFields): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const suppressed = this.admit(key);
    if (suppressed < 0) return;
    const counted = suppressed > 0 ? { suppressed } : {};
    this.pino[level]({ event, ...fields, ...counted }, message);
  }

  /** Tells of lines still held back whose window is over. Call about once a second. */
  flush(): void {
    const nowNs = this.clock.nowNs();
    for (const [key, window] of this.windows) {
      if (nowNs - window.beganNs < WINDOW_NS) continue;
      this.windows.delete(key);
      if (window.suppressed === 0) continue;
      const fields = { event: key, suppressed: window.suppressed };
      this.pino.warn(fields, `${window.suppressed} more lines of this kind were held back`);
    }
  }

  get suppressedLines(): number {
    return this.suppressedTotal;
  }

  /** Lines held back before this one, or -1 if this one is to be held back. */
  private admit(key: string): number {
    const nowNs = this.clock.nowNs();
    const limited = this.windows.has(key) || this.windows.size < KEYS_MAX ? key : 'overflow';
    let window = this.windows.get(limited);
    if (window === undefined) {
      window = { beganNs: nowNs, lines: 0, suppressed: 0 };
      this.windows.set(limited, window);
    }
    let before = 0;
    if (nowNs - window.beganNs >= WINDOW_NS) {
      before = window.suppressed;
      window.beganNs = nowNs;
      window.lines = 0;
      window.suppressed = 0;
    }
    if (++window.lines <= LINES_PER_WINDOW_MAX) return before;
    window.suppressed++;
    this.suppressedTotal++;
    return -1;
  }
}

/** Strikes out each secret as it stands, as JSON writes it, and as a URL writes it. */
function secretStriker(secrets: readonly string[]): (line: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret).toString('base64'));
  }
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (line) => ordered.reduce((text, form) => text.replaceAll(form, STRUCK_OUT), line);
}

function asWritable(stream: { write(line: string): void }): NodeJS.WritableStream {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      stream.write(chunk.toString());
      done();
    },
  });
}
