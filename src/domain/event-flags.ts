/**
 * Flags of an event, in the rings and on the wire alike (`Head.flags`).
 *
 * A snapshot in parts: `Snapshot`, then `Continued` …, the final one with `Last`. In a stream each
 * part takes a sequence; a snapshot made for one client is an anchor, and all its parts carry the
 * sequence that it stands for. So a reader takes a `Continued` part whose sequence is that of the part
 * before it or one more.
 */
export const EventFlag = {
  /** Last message of one venue event: only now may a reader act on the book. */
  Last: 1,
  /** Replaces the whole book (first part of a snapshot when it comes in parts). */
  Snapshot: 2,
  /** The stream continues from the position that the client asked for. */
  Resumed: 4,
  /** Several sequences folded into one message: `firstSequence..sequence`. */
  Conflated: 8,
  /** Not from the first line of the venue (for example recovered from a snapshot difference). */
  Synthetic: 16,
  /** A further part of a snapshot; the book is whole when `Last` is set. */
  Continued: 32,
} as const;
