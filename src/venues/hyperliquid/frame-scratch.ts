/**
 * The place where a scanner leaves what one frame says: one book or ticker, or any number of trades.
 * Nothing is handed on before the whole frame was read. Reused from frame to frame; it only grows.
 * Ingest thread and replay, hot.
 */
import { TRADE_PARTIES_DOUBLES } from '../../rings/record-types.js';
import { EventScratch } from '../event-scratch.js';

export class FrameScratch extends EventScratch {
  /** Trades of the frame, in its order; each stands from index 0. */
  readonly trades: Float64Array[] = [];
  tradesCount = 0;

  override reset(): void {
    super.reset();
    this.tradesCount = 0;
  }

  /** Room for one more trade. It counts once `tradesCount` is raised. */
  nextTrade(): Float64Array {
    if (this.tradesCount === this.trades.length) {
      this.trades.push(new Float64Array(TRADE_PARTIES_DOUBLES));
    }
    return this.trades[this.tradesCount]!;
  }
}
