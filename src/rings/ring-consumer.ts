/**
 * The reading end of a ring: one thread, one instance at a time. Hot.
 * Records are lent until the handler returns: copy what is to be kept.
 */
import { InvariantError } from '../faults/invariant.js';
import {
  CAPACITY_WORD,
  HEAD_WORD,
  PADDING_TYPE,
  READER_EPOCH_WORD,
  RECORDS_WORD,
  RECORD_HEADER_WORDS,
  TAIL_WORD,
  WRITER_EPOCH_WORD,
} from './ring-layout.js';

export interface RecordHandler {
  /**
   * @param typeId  the record's type (rings/record-types.ts)
   * @param slot    index of the payload's first double in `doubles` (words 2·slot, bytes 8·slot)
   * @param payloadBytes  its length, rounded up to 8
   */
  onRecord(typeId: number, slot: number, payloadBytes: number): void;
}

export class RingConsumer {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  private readonly mask: number;
  private head: number;
  /** A cached copy of the producer's tail: can only be too old, so it under-states what is there. */
  private cachedTail: number;
  private seenWriterEpoch: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.mask = this.words[CAPACITY_WORD]! - 1;
    this.head = Atomics.load(this.words, HEAD_WORD);
    this.cachedTail = this.head;
    this.seenWriterEpoch = Atomics.load(this.words, WRITER_EPOCH_WORD);
  }

  /**
   * Hands up to `recordsMax` records to the handler, in order, then frees their room at once.
   * Returns how many. If the handler throws, the records before the one that threw are freed and
   * that one is too: a poisonous record is not met twice. The handler must not poll this ring.
   */
  poll(handler: RecordHandler, recordsMax: number): number {
    let head = this.head;
    if (head === this.cachedTail) {
      // acquire: pairs with the release of TAIL in RingProducer.commit
      this.cachedTail = Atomics.load(this.words, TAIL_WORD);
      if (head === this.cachedTail) return 0;
    }
    let count = 0;
    try {
      while (head !== this.cachedTail && count < recordsMax) {
        const at = RECORDS_WORD + (head & this.mask);
        const lengthWords = this.words[at]!;
        const typeId = this.words[at + 1]!;
        // A length that leads nowhere would make this an endless loop.
        if (lengthWords < RECORD_HEADER_WORDS || lengthWords > this.mask + 1) {
          throw new InvariantError('a record in the ring has an impossible length');
        }
        head = (head + lengthWords) | 0;
        if (typeId === PADDING_TYPE) continue;
        count++;
        handler.onRecord(
          typeId,
          (at + RECORD_HEADER_WORDS) >>> 1,
          (lengthWords - RECORD_HEADER_WORDS) << 2,
        );
      }
    } finally {
      this.head = head;
      // release: pairs with the acquire of HEAD in RingProducer.tryClaim
      Atomics.store(this.words, HEAD_WORD, head);
    }
    return count;
  }

  /** True if nothing is committed beyond what was polled. Looks afresh. */
  isEmpty(): boolean {
    return this.head === Atomics.load(this.words, TAIL_WORD);
  }

  /** Share of the ring that is committed and not yet polled, 0 … 1. Looks afresh. */
  usedShare(): number {
    const used = (Atomics.load(this.words, TAIL_WORD) - this.head) | 0;
    return used / (this.mask + 1);
  }

  /** Drops everything committed so far, e.g. when a consumer takes over from one that crashed. */
  skipToTail(): void {
    this.cachedTail = Atomics.load(this.words, TAIL_WORD);
    this.head = this.cachedTail;
    Atomics.store(this.words, HEAD_WORD, this.head);
  }

  /** True once after the producer was replaced: continuity of the stream is lost. */
  takeWriterChange(): boolean {
    const epoch = Atomics.load(this.words, WRITER_EPOCH_WORD);
    if (epoch === this.seenWriterEpoch) return false;
    this.seenWriterEpoch = epoch;
    return true;
  }

  /** Tells the producer that a new reader has taken over: it knows nothing of what was read before. */
  announceNewReader(): void {
    // release: pairs with the acquire of READER_EPOCH in RingProducer.takeReaderChange
    Atomics.add(this.words, READER_EPOCH_WORD, 1);
  }
}
