/**
 * The place where a scanner leaves what one frame says: one book, ticker or context, or any
 * number of trades or mids.
 * Nothing is handed on before the whole frame was read. Reused from frame to frame; it only grows.
 * Ingest thread and replay, hot.
 */
import { CONTEXT_UPDATE_DOUBLES, TRADE_PARTIES_DOUBLES } from '../../rings/record-types.js';
import { EventScratch } from '../event-scratch.js';

const EVENT_DOUBLES = Math.max(TRADE_PARTIES_DOUBLES, CONTEXT_UPDATE_DOUBLES);

export class FrameScratch extends EventScratch {
  /** Trades or mids of the frame, in its order; each stands from index 0. */
  readonly events: Float64Array[] = [];
  eventsCount = 0;

  override reset(): void {
    super.reset();
    this.eventsCount = 0;
  }

  /** Room for one more of them. It counts once `eventsCount` is raised. */
  nextEvent(): Float64Array {
    if (this.eventsCount === this.events.length) this.events.push(new Float64Array(EVENT_DOUBLES));
    return this.events[this.eventsCount]!;
  }
}
