/**
 * Remembers the ids of trades that were ignored because they did not happen on the book, so that the
 * next trade covers them: left out, they would look like lost trades, just when a liquidation makes
 * trades matter. Ingest thread; cold but for one look a trade.
 */
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';

export class OffBookTrades {
  /** Some instrument has ids that no trade covers yet. */
  isPending = false;
  private pendingCount = 0;
  /** By instrument id: a run of ignored ids, or ABSENT. */
  private readonly first: Float64Array;
  private readonly last: Float64Array;

  constructor(instruments: readonly Instrument[]) {
    const ids = instruments.reduce((most, { id }) => Math.max(most, id + 1), 0);
    this.first = new Float64Array(ids).fill(Record.ABSENT);
    this.last = new Float64Array(ids).fill(Record.ABSENT);
  }

  note(instrumentId: number, tradeId: number): void {
    if (this.first[instrumentId] === Record.ABSENT) this.pendingCount++;
    if (this.last[instrumentId] !== tradeId - 1) this.first[instrumentId] = tradeId;
    this.last[instrumentId] = tradeId;
    this.isPending = true;
  }

  /** Lets a trade that follows the ignored ones directly begin where they began. */
  cover(trade: Float64Array): void {
    const instrumentId = trade[Record.INSTRUMENT]!;
    const first = this.first[instrumentId]!;
    if (first === Record.ABSENT) return;
    if (this.last[instrumentId] === trade[Record.SEQUENCE_FIRST]! - 1) {
      trade[Record.SEQUENCE_FIRST] = first;
    }
    this.first[instrumentId] = Record.ABSENT;
    this.last[instrumentId] = Record.ABSENT;
    this.pendingCount--;
    this.isPending = this.pendingCount > 0;
  }
}
