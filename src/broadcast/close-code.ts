/** Close codes that clients of the feed meet. 4000 and above are ours; the others are RFC 6455's. */
export const CloseCode = {
  /** The node shuts down. */
  GoingAway: 1001,
  /** A binary frame: clients speak JSON text. */
  Unsupported: 1003,
  InvalidUtf8: 1007,
  /** Too many requests or pings. */
  Policy: 1008,
  TooBig: 1009,
  /** The reader was slower than its bounded queue; nothing was skipped before this. */
  SlowConsumer: 4008,
  Unauthorized: 4401,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
