/**
 * Continuity of a Hyperliquid book. Books thread; hot: once a frame.
 *
 * The public channels have no sequence numbers, no checksum and no deltas: every l2Book frame is the
 * whole book (20 levels a side, 5 on the fast channel) and replaces what was there. What can be judged
 * is time: `time` is that of the block on the chain, it never goes back, and the same may come again
 * when nothing changed. It stands in SEQUENCE_LAST, in milliseconds.
 */
import { ABSENT } from '../../rings/record-types.js';
import { SequenceVerdict } from '../venue.js';
import type { Sequencer } from '../venue.js';

export class BlockTimeSequencer implements Sequencer {
  private last: number = ABSENT;

  get position(): number {
    return this.last;
  }

  reset(): void {
    this.last = ABSENT;
  }

  onSnapshot(sequenceLast: number): void {
    this.last = sequenceLast;
  }

  judge(_sequenceFirst: number, sequenceLast: number): SequenceVerdict {
    if (this.last === ABSENT) return SequenceVerdict.Buffer;
    if (sequenceLast < this.last) return SequenceVerdict.Stale;
    this.last = sequenceLast;
    return SequenceVerdict.Apply;
  }
}
