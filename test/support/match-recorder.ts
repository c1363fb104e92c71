/**
 * Hears a matching engine and keeps what it says, as the naive twin would, with checks on the way.
 */
import assert from 'node:assert/strict';
import type { Side } from '../../src/domain/side.js';
import { MatchEventKind } from '../../src/matching/match-event.js';
import type { MatchEvent, MatchHandler } from '../../src/matching/match-event.js';

export class MatchRecorder implements MatchHandler {
  readonly log: string[] = [];
  /** L2 sums as the level events tell them, by `side:price`. */
  readonly levels = new Map<string, number>();
  /** Called in the midst of a command. */
  onEvent: ((event: MatchEvent) => void) | null = null;
  submitted = 0;
  traded = 0;
  withdrawn = 0;

  onMatchEvent(event: MatchEvent): void {
    this.onEvent?.(event);
    this.log.push(this.textOf(event));
  }

  onLevelChanged(side: Side, price: number, before: number, after: number, orders: number): void {
    const key = `${side}:${price}`;
    assert.equal(this.levels.get(key) ?? 0, before, 'a level change continues from the last one');
    assert.notEqual(before, after, 'a level change changes something');
    assert.equal(orders === 0, after === 0, 'a level without orders has no size');
    if (after === 0) this.levels.delete(key);
    else this.levels.set(key, after);
  }

  private textOf(event: MatchEvent): string {
    const { orderId, size } = event;
    switch (event.kind) {
      case MatchEventKind.Accepted:
        this.submitted += size;
        return `accepted ${orderId} ${size}`;
      case MatchEventKind.Rejected:
        return `rejected ${orderId} ${event.reason}`;
      case MatchEventKind.Traded:
        this.traded += size;
        return (
          `traded ${event.tradeId} ${event.makerOrderId}/${event.makerOwner} ` +
          `${orderId}/${event.owner} ${event.price} ${size} ` +
          `${event.makerRemaining} ${event.remaining}`
        );
      case MatchEventKind.Rested:
        return (
          `rested ${orderId} ${size} ` +
          `${event.ordersAhead} ${event.sizeAhead} ${event.behindOrderId}`
        );
      case MatchEventKind.Reduced:
        this.withdrawn += size;
        return `reduced ${orderId} ${size} ${event.remaining}`;
      case MatchEventKind.Cancelled:
        this.withdrawn += size;
        return `cancelled ${orderId} ${size} ${event.reason}`;
      case MatchEventKind.Done:
        return `done ${orderId} ${event.reason}`;
    }
  }

  take(): string[] {
    return this.log.splice(0);
  }
}
