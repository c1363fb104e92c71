/** The order events of one block, packed one behind another, until it is told. Books thread; hot. */
import { ORDER_EVENT_DOUBLES } from '../rings/record-types.js';

const EVENTS_FIRST = 64;

export class BlockChanges {
  events = new Float64Array(ORDER_EVENT_DOUBLES * EVENTS_FIRST);
  count = 0;

  add(record: Float64Array, at: number): void {
    const to = this.count * ORDER_EVENT_DOUBLES;
    if (to === this.events.length) this.grow();
    for (let i = 0; i < ORDER_EVENT_DOUBLES; i++) this.events[to + i] = record[at + i]!;
    this.count++;
  }

  clear(): void {
    this.count = 0;
  }

  private grow(): void {
    const wider = new Float64Array(this.events.length * 2);
    wider.set(this.events);
    this.events = wider;
  }
}
