/**
 * The writing end of a ring: one thread, one instance at a time. Hot.
 *
 *     const slot = ring.tryClaim(typeId, payloadBytes);   // index into ring.doubles, or negative
 *     if (slot >= 0) ring.doubles[slot + 3] = price;      // plain writes
 *     …                                                   // more claims
 *     ring.commit();                                      // one release for the batch
 */
import {
  CAPACITY_WORD,
  HEAD_WORD,
  HIGH_WATER_WORD,
  PADDING_TYPE,
  READER_EPOCH_WORD,
  RECORDS_WORD,
  RECORD_HEADER_WORDS,
  TAIL_WORD,
  WRITER_EPOCH_WORD,
  recordBytesMax,
} from './ring-layout.js';
import { InvariantError } from '../faults/invariant.js';

/**
 * tryClaim: there is no room now; the consumer has to catch up. It cannot while what was claimed is
 * not committed: commit (or abort) before waiting for room.
 */
export const RING_FULL = -1;
/** tryClaim: the record can never fit (more than half of the ring). */
export const RECORD_TOO_LARGE = -2;

const NOTHING_CLAIMED = -1;

export class RingProducer {
  /** The whole buffer, seen three ways. Slots index `doubles`; a slot is words 2·slot, bytes 8·slot. */
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  private readonly mask: number;
  private readonly capacityWords: number;
  private readonly payloadBytesMax: number;
  /** Next position to claim; ahead of the published tail by what is claimed and not committed. */
  private claimed: number;
  private published: number;
  /** A cached copy of the consumer's head: can only be too old, so it under-states the free room. */
  private cachedHead: number;
  /** Index of the last record claimed and not yet committed, else NOTHING_CLAIMED. */
  private lastClaim = NOTHING_CLAIMED;
  private highWater: number;
  private seenReaderEpoch: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.capacityWords = this.words[CAPACITY_WORD]!;
    this.mask = this.capacityWords - 1;
    this.payloadBytesMax = recordBytesMax(this.capacityWords);
    this.claimed = Atomics.load(this.words, TAIL_WORD);
    this.published = this.claimed;
    this.cachedHead = Atomics.load(this.words, HEAD_WORD);
    this.highWater = this.words[HIGH_WATER_WORD]!;
    this.seenReaderEpoch = Atomics.load(this.words, READER_EPOCH_WORD);
  }

  /**
   * Room for one record of `payloadBytes`, as an index into `doubles`; RING_FULL or RECORD_TOO_LARGE
   * otherwise. The payload holds old bytes until it is written. Nothing is visible before `commit`.
   */
  tryClaim(typeId: number, payloadBytes: number): number {
    // Compared before it is rounded, so that neither NaN nor 2^32 can pass for a small number.
    if (!(payloadBytes <= this.payloadBytesMax)) return RECORD_TOO_LARGE;
    const needed = RECORD_HEADER_WORDS + (((payloadBytes + 7) >>> 3) << 1);
    let index = this.claimed & this.mask;
    const untilEnd = this.capacityWords - index;
    const total = needed > untilEnd ? needed + untilEnd : needed;
    if (this.capacityWords - ((this.claimed - this.cachedHead) | 0) < total) {
      // acquire: pairs with the release of HEAD in RingConsumer.poll
      this.cachedHead = Atomics.load(this.words, HEAD_WORD);
      if (this.capacityWords - ((this.claimed - this.cachedHead) | 0) < total) return RING_FULL;
    }
    if (needed > untilEnd) {
      this.words[RECORDS_WORD + index] = untilEnd;
      this.words[RECORDS_WORD + index + 1] = PADDING_TYPE;
      this.claimed = (this.claimed + untilEnd) | 0;
      index = 0;
    }
    this.lastClaim = index;
    this.words[RECORDS_WORD + index] = needed;
    this.words[RECORDS_WORD + index + 1] = typeId;
    this.claimed = (this.claimed + needed) | 0;
    return (RECORDS_WORD + index + RECORD_HEADER_WORDS) >>> 1;
  }

  /**
   * Makes the last claimed record shorter: for whoever claims the most it may need, writes, and then
   * knows. `payloadBytes` is at most what was claimed; the record is not yet committed.
   */
  shrinkLast(payloadBytes: number): void {
    if (this.lastClaim === NOTHING_CLAIMED) {
      throw new InvariantError('only a claimed record that is not committed can be made shorter');
    }
    const needed = RECORD_HEADER_WORDS + (((payloadBytes + 7) >>> 3) << 1);
    const at = RECORDS_WORD + this.lastClaim;
    if (needed > this.words[at]!)
      throw new InvariantError('a claimed record can only become shorter');
    this.claimed = (this.claimed - (this.words[at]! - needed)) | 0;
    this.words[at] = needed;
  }

  /** Publishes all records claimed so far. */
  commit(): void {
    if (this.claimed === this.published) return;
    this.published = this.claimed;
    this.lastClaim = NOTHING_CLAIMED;
    const used = (this.claimed - this.cachedHead) | 0;
    if (used > this.highWater) this.noteHighWater();
    // release: pairs with the acquire of TAIL in RingConsumer.poll
    Atomics.store(this.words, TAIL_WORD, this.claimed);
  }

  /** Forgets everything claimed since the last commit, padding included. */
  abort(): void {
    this.claimed = this.published;
    this.lastClaim = NOTHING_CLAIMED;
  }

  /** Words in use now, by a fresh look at the consumer. For metrics and tests. */
  usedWords(): number {
    this.cachedHead = Atomics.load(this.words, HEAD_WORD);
    return (this.claimed - this.cachedHead) | 0;
  }

  /** Tells the consumer that a new writer has taken over (after a crash): it must not trust continuity. */
  announceNewWriter(): void {
    Atomics.add(this.words, WRITER_EPOCH_WORD, 1);
  }

  /** True once after the consumer was replaced: it must be told the whole state again. */
  takeReaderChange(): boolean {
    // acquire: pairs with the release of READER_EPOCH in RingConsumer.announceNewReader
    const epoch = Atomics.load(this.words, READER_EPOCH_WORD);
    if (epoch === this.seenReaderEpoch) return false;
    this.seenReaderEpoch = epoch;
    return true;
  }

  private noteHighWater(): void {
    // The cached head over-states the use; only a fresh look may raise the mark.
    this.cachedHead = Atomics.load(this.words, HEAD_WORD);
    const used = (this.claimed - this.cachedHead) | 0;
    if (used > this.highWater) {
      this.highWater = used;
      this.words[HIGH_WATER_WORD] = used;
    }
  }
}
