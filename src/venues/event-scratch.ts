/**
 * The place where a scanner leaves the one event of a frame, in the layout of rings/record-types.ts.
 * Reused from frame to frame; it only grows. Ingest thread (and replay), hot.
 */
import { FEED_HEADER_DOUBLES } from '../rings/record-types.js';

const FIRST_DOUBLES = 4096;

export class EventScratch {
  event: Float64Array = new Float64Array(FIRST_DOUBLES);
  recordType = 0;
  /** How many doubles of `event` the event takes. */
  doubles = 0;
  /** Whom the frame concerns, as far as it could be read: also of a faulty frame. -1 if unknown. */
  instrumentId = -1;
  /** domain/channel.ts, or -1. */
  channel = -1;

  reset(): void {
    this.recordType = 0;
    this.doubles = 0;
    this.instrumentId = -1;
    this.channel = -1;
  }

  /** Makes room for `levels` levels of two doubles. What stood in the event's header is kept. */
  reserveLevels(levels: number): void {
    const needed = FEED_HEADER_DOUBLES + 2 + levels * 2;
    if (needed <= this.event.length) return;
    const grown = new Float64Array(2 ** Math.ceil(Math.log2(needed)));
    grown.set(this.event.subarray(0, FEED_HEADER_DOUBLES + 2));
    this.event = grown;
  }
}
