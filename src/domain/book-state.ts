/** State of a book as its clients see it. Values are those of the wire schema. */
export const BookState = {
  /** No aligned snapshot yet: nothing may be shown. */
  Syncing: 0,
  /** Snapshot aligned, continuity proven, not crossed. */
  Live: 1,
  /** Contiguous so far, but its stream has been silent for too long. */
  Stale: 2,
  /** Continuity or integrity was lost; a resync is under way. */
  Suspect: 3,
} as const;
export type BookState = (typeof BookState)[keyof typeof BookState];

/** Why a book entered its state. Values are those of the wire schema. */
export const StateReason = {
  None: 0,
  Starting: 1,
  Aligned: 2,
  Gap: 3,
  Crossed: 4,
  StreamSilent: 5,
  Disconnected: 6,
  MalformedFrame: 7,
  WorkerRestarted: 8,
  RingFull: 9,
  ChecksumMismatch: 10,
  SnapshotRefused: 11,
  InstrumentChanged: 12,
  BufferOverflow: 13,
  PrecisionLost: 14,
  SourceLagging: 15,
  IntegrityMismatch: 16,
  Operator: 17,
  StreamResumed: 18,
} as const;
export type StateReason = (typeof StateReason)[keyof typeof StateReason];

function nameOf(table: Record<string, number>, value: number): string {
  for (const name in table) if (table[name] === value) return name;
  return `unknown(${value})`;
}
export const bookStateName = (state: number): string => nameOf(BookState, state);
export const stateReasonName = (reason: number): string => nameOf(StateReason, reason);
