/**
 * Hands a whole book to a sink as DepthSnapshot records, in parts if it is large. Ingest thread, cold.
 * Parts carry `Snapshot`, then `Continued` …; the final one also `Last` (domain/event-flags.ts).
 */
import { EventFlag } from '../domain/event-flags.js';
import * as Record from '../rings/record-types.js';
import type { EventSink } from './venue.js';

/** Levels of both sides in one record: 32 KB, so that it fits twice in a ring of 128 KB. */
export const PART_LEVELS_MAX = 2048;

/**
 * @param head   the common header (FEED_HEADER_DOUBLES); FLAGS is written here
 * @param levels (price, size) pairs, `bidsCount` bids before `asksCount` asks
 * @returns false if the sink refused a part; what follows it is not sent
 */
export function deliverSnapshot(
  head: Float64Array,
  levels: Float64Array,
  bidsCount: number,
  asksCount: number,
  sink: EventSink,
): boolean {
  const total = bidsCount + asksCount;
  const event = new Float64Array(
    Record.LEVELS + Math.min(total, PART_LEVELS_MAX) * Record.DOUBLES_PER_LEVEL,
  );
  event.set(head.subarray(0, Record.FEED_HEADER_DOUBLES));
  let first = 0;
  do {
    const end = Math.min(first + PART_LEVELS_MAX, total);
    const bids = Math.max(0, Math.min(end, bidsCount) - first);
    event[Record.FLAGS] =
      (first === 0 ? EventFlag.Snapshot : EventFlag.Continued) |
      (end === total ? EventFlag.Last : 0);
    event[Record.BIDS_COUNT] = bids;
    event[Record.ASKS_COUNT] = end - first - bids;
    event.set(
      levels.subarray(first * Record.DOUBLES_PER_LEVEL, end * Record.DOUBLES_PER_LEVEL),
      Record.LEVELS,
    );
    const doubles = Record.LEVELS + (end - first) * Record.DOUBLES_PER_LEVEL;
    if (!sink.accept(Record.RecordType.DepthSnapshot, event, doubles)) return false;
    first = end;
  } while (first < total);
  return true;
}
