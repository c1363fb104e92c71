/**
 * One output ring of a books worker, with a spill beside it. A message never waits and never drops:
 * what finds no room in the ring goes to the spill in order, and the worker takes no further input
 * until the spill is empty again. So a slow reader holds back this worker (and in the end the ingest
 * ring, which has its own policy), in any layout: also where reader and worker share a thread and
 * waiting inside a turn would wait for ever. Books thread; hot.
 *
 * Bound of the spill: what one input record can set off, i.e. one whole book and the updates that
 * were kept for it.
 *
 *     spill doubles: [ typeId, payload doubles, payload … ] …
 */
import { InvariantError } from '../faults/invariant.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import { RECORD_TOO_LARGE, RING_FULL, type RingProducer } from '../rings/ring-producer.js';

export interface BooksOutput {
  readonly ring: RingProducer;
  readonly bell: DoorbellRinger;
  /**
   * What happens to a message that finds the ring full: `wait` (the default) holds the worker back
   * until there is room; `leave` leaves it out, for a reader that must not slow others down and
   * that notices the hole by the sequence.
   */
  readonly whenFull?: 'wait' | 'leave';
}

const SPILL_HEADER_DOUBLES = 2;
const SPILL_DOUBLES_FIRST = 8192;
/** A spill that grew beyond this is given back when it is empty. */
const SPILL_DOUBLES_KEPT = 131_072;

export class OutputLane {
  /** Where the last claim stands: the ring or the spill. */
  doubles: Float64Array;
  words: Int32Array;
  private readonly ring: RingProducer;
  private readonly bell: DoorbellRinger;
  private spill = new Float64Array(0);
  private spillWords = new Int32Array(0);
  private begin = 0;
  private end = 0;
  private dirty = false;
  private readonly leaves: boolean;
  /** Messages left out so far. */
  leftOut = 0;

  constructor(output: BooksOutput) {
    this.ring = output.ring;
    this.bell = output.bell;
    this.doubles = output.ring.doubles;
    this.words = output.ring.words;
    this.leaves = output.whenFull === 'leave';
  }

  /** Room for a record, as an index into `doubles`; always succeeds. Hot. */
  claim(typeId: number, payloadBytes: number): number {
    this.dirty = true;
    if (this.end === 0) {
      const slot = this.ring.tryClaim(typeId, payloadBytes);
      if (slot >= 0) {
        this.doubles = this.ring.doubles;
        this.words = this.ring.words;
        return slot;
      }
      if (slot === RECORD_TOO_LARGE) throw new InvariantError('a message fits the output ring');
    }
    if (this.leaves) return this.claimNowhere(payloadBytes);
    return this.claimSpill(typeId, payloadBytes);
  }

  takeReaderChange(): boolean {
    return this.ring.takeReaderChange();
  }

  get isSpilled(): boolean {
    return this.end !== 0;
  }

  get spilledBytes(): number {
    return (this.end - this.begin) * 8;
  }

  /** Moves what was spilled into the ring as far as there is room. True if nothing is left. */
  flush(): boolean {
    while (this.begin < this.end) {
      const length = this.spill[this.begin + 1]!;
      const slot = this.ring.tryClaim(this.spill[this.begin]!, length * 8);
      if (slot === RING_FULL) return false;
      this.dirty = true;
      const from = this.begin + SPILL_HEADER_DOUBLES;
      for (let i = 0; i < length; i++) this.ring.doubles[slot + i] = this.spill[from + i]!;
      this.begin = from + length;
    }
    this.begin = 0;
    this.end = 0;
    if (this.spill.length > SPILL_DOUBLES_KEPT) this.resizeSpill(0);
    return true;
  }

  /** Publishes what was claimed and wakes the reader: once a turn. */
  commit(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.ring.commit();
    this.bell.ring();
  }

  private claimSpill(typeId: number, payloadBytes: number): number {
    const length = (payloadBytes + 7) >>> 3;
    const needed = this.end + SPILL_HEADER_DOUBLES + length;
    if (needed > this.spill.length) {
      this.resizeSpill(2 ** Math.ceil(Math.log2(Math.max(SPILL_DOUBLES_FIRST, needed))));
    }
    this.spill[this.end] = typeId;
    this.spill[this.end + 1] = length;
    const slot = this.end + SPILL_HEADER_DOUBLES;
    this.end = slot + length;
    this.doubles = this.spill;
    this.words = this.spillWords;
    return slot;
  }

  /** Room that nobody will read: the spill's memory, which stays empty. */
  private claimNowhere(payloadBytes: number): number {
    this.leftOut++;
    const needed = (payloadBytes + 7) >>> 3;
    if (needed > this.spill.length) {
      this.resizeSpill(2 ** Math.ceil(Math.log2(Math.max(SPILL_DOUBLES_FIRST, needed))));
    }
    this.doubles = this.spill;
    this.words = this.spillWords;
    return 0;
  }

  private resizeSpill(doubles: number): void {
    const resized = new Float64Array(doubles);
    resized.set(this.spill.subarray(0, Math.min(this.end, doubles)));
    this.spill = resized;
    this.spillWords = new Int32Array(resized.buffer);
  }
}
