/**
 * A look at a ring from outside, for metrics: any thread, cold. Holds nothing that can write.
 */
import { CAPACITY_WORD, HEAD_WORD, HIGH_WATER_WORD, TAIL_WORD } from './ring-layout.js';

export class RingGauge {
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  capacityWords(): number {
    return this.words[CAPACITY_WORD]!;
  }

  /** Words committed and not yet freed. Both ends may move meanwhile: never negative, never too much. */
  usedWords(): number {
    // The head first: read the other way round, the consumer could pass the tail that we hold.
    const head = Atomics.load(this.words, HEAD_WORD);
    const used = (Atomics.load(this.words, TAIL_WORD) - head) | 0;
    return Math.min(used, this.capacityWords());
  }

  /** The most words that were ever in use at a commit. */
  highWaterWords(): number {
    return this.words[HIGH_WATER_WORD]!;
  }
}
