/** What the fan-out bench and its readers share, be they a thread or peers/fanout-readers.c. */
export interface ReaderWork {
  readonly port: number;
  readonly clients: number;
  readonly frameBytes: number;
  readonly originMonotonicNs: bigint;
  /** READER_DOUBLES and then one per latency, in ns. */
  readonly results: SharedArrayBuffer;
}

/** Doubles of the results. */
export const Reader = {
  /** Bytes read after the handshakes, all sockets together. */
  Bytes: 0,
  /** When the first message of the schedule is due, or 0: nothing is timed. */
  FirstDueNs: 1,
  StepNs: 2,
  /** Latencies written so far. */
  Samples: 3,
} as const;
export type ReaderCell = (typeof Reader)[keyof typeof Reader];
export const READER_DOUBLES = 4;
