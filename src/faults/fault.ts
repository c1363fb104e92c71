/**
 * Faults: what the world does to us (venue, client, file, configuration, operating system).
 * Each has a stable code, which is part of the public contract, and the recovery that it asks for.
 */
export const Recovery = {
  /** Nothing to do beyond counting it; the input was refused. */
  Refuse: 'refuse',
  /** Close the connection and open it again under back-off. */
  Reconnect: 'reconnect',
  /** Discard the instrument's book and take a new snapshot. */
  Resync: 'resync',
  /** The process cannot serve its purpose: exit with a message. */
  Exit: 'exit',
} as const;
export type Recovery = (typeof Recovery)[keyof typeof Recovery];

/** Every code a user or client can meet, with its recovery. Codes are never renamed. */
export const FAULTS = {
  // configuration and command line
  BAD_CONFIG: Recovery.Exit,
  UNKNOWN_VENUE: Recovery.Exit,
  UNKNOWN_SYMBOL: Recovery.Exit,
  PORT_IN_USE: Recovery.Exit,
  FILE_UNREADABLE: Recovery.Exit,
  FILE_UNWRITABLE: Recovery.Exit,
  VENUE_UNREACHABLE: Recovery.Exit,
  /** A thread was replaced more often than its budget allows. */
  THREAD_FAILING: Recovery.Exit,
  // captures
  CAPTURE_TRUNCATED: Recovery.Refuse,
  CAPTURE_MALFORMED: Recovery.Refuse,
  // venue frames
  FRAME_MALFORMED: Recovery.Refuse,
  FRAME_TOO_LARGE: Recovery.Reconnect,
  FRAME_UNKNOWN_SYMBOL: Recovery.Refuse,
  FRAME_UNKNOWN_TYPE: Recovery.Refuse,
  FRAME_PRECISION: Recovery.Resync,
  SUBSCRIBE_REFUSED: Recovery.Reconnect,
  SNAPSHOT_REFUSED: Recovery.Resync,
  /** The events since a snapshot cannot be had any more. */
  SNAPSHOT_TOO_OLD: Recovery.Resync,
  RATE_LIMITED: Recovery.Resync,
  // clients of the feed
  MALFORMED_REQUEST: Recovery.Refuse,
  UNKNOWN_OP: Recovery.Refuse,
  UNKNOWN_CHANNEL: Recovery.Refuse,
  UNKNOWN_INSTRUMENT: Recovery.Refuse,
  BAD_DEPTH: Recovery.Refuse,
  BAD_MODE: Recovery.Refuse,
  BAD_RESUME: Recovery.Refuse,
  ALREADY_SUBSCRIBED: Recovery.Refuse,
  NOT_SUBSCRIBED: Recovery.Refuse,
  TOO_MANY_SUBSCRIPTIONS: Recovery.Refuse,
  TOO_MANY_VIEWS: Recovery.Refuse,
  TOO_MANY_CONNECTIONS: Recovery.Refuse,
  RATE_EXCEEDED: Recovery.Refuse,
  UNAUTHORIZED: Recovery.Refuse,
  FORBIDDEN_ORIGIN: Recovery.Refuse,
  FORBIDDEN_HOST: Recovery.Refuse,
  NOT_FOUND: Recovery.Refuse,
  SLOW_CONSUMER: Recovery.Refuse,
  UNAVAILABLE: Recovery.Refuse,
} as const satisfies Record<string, Recovery>;

export type FaultCode = keyof typeof FAULTS;

export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
  get recovery(): Recovery {
    return FAULTS[this.code];
  }
}
