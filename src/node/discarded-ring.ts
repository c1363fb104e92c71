/**
 * Reads a ring that nobody here wants, so that its writer goes on. For runs that wire rooms together
 * without all their readers. Any thread.
 */
import { InvariantError } from '../faults/invariant.js';
import type { RingConsumer } from '../rings/ring-consumer.js';
import type { Agent } from '../runtime/agent.js';

const RECORDS_PER_TURN = 1024;

export class DiscardedRing implements Agent {
  readonly name = 'discarded';
  private readonly ring: RingConsumer;

  constructor(ring: RingConsumer) {
    this.ring = ring;
  }

  doWork(): number {
    return this.ring.poll(this, RECORDS_PER_TURN);
  }

  onRecord(typeId: number): void {
    if (typeId <= 0) throw new InvariantError('records have a type');
  }

  onClose(): void {}
}
