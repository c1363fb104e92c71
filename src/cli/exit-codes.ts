/** Exit codes of every command: stable, so that scripts can tell what went wrong. */
import type { FaultCode } from '../faults/fault.js';
import { FaultError } from '../faults/fault.js';

export const EXIT = {
  Ok: 0,
  /** A bug, or something nobody foresaw. */
  Unexpected: 1,
  /** The command line itself was wrong. */
  Usage: 2,
  BadConfig: 3,
  UnknownVenue: 4,
  UnknownSymbol: 5,
  PortInUse: 6,
  /** Or not writable. */
  FileUnreadable: 7,
  VenueUnreachable: 8,
  /** A thread failed again and again. */
  ThreadFailing: 9,
  /** A capture was cut short or is no capture. */
  BadCapture: 10,
  /** A check was run and something did not pass. */
  CheckFailed: 11,
  /** A command that needs a running node found none. */
  NodeUnreachable: 12,
  /** Stopped by a second signal before the shutdown was through. */
  Interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_FAULT: Partial<Record<FaultCode, ExitCode>> = {
  BAD_CONFIG: EXIT.BadConfig,
  UNKNOWN_VENUE: EXIT.UnknownVenue,
  UNKNOWN_SYMBOL: EXIT.UnknownSymbol,
  PORT_IN_USE: EXIT.PortInUse,
  FILE_UNREADABLE: EXIT.FileUnreadable,
  FILE_UNWRITABLE: EXIT.FileUnreadable,
  VENUE_UNREACHABLE: EXIT.VenueUnreachable,
  THREAD_FAILING: EXIT.ThreadFailing,
  CAPTURE_TRUNCATED: EXIT.BadCapture,
  CAPTURE_MALFORMED: EXIT.BadCapture,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof FaultError ? (BY_FAULT[error.code] ?? EXIT.Unexpected) : EXIT.Unexpected;
}

/** For `--help`. */
export const EXIT_CODES_HELP = `Exit codes:
  0 done   1 unexpected   2 command line   3 configuration   4 unknown venue   5 unknown symbol
  6 port in use   7 file not read or written   8 venue unreachable   9 a thread keeps failing
  10 bad capture   11 a check failed   12 no node answers   130 interrupted (137: killed)`;
