/** Looks at a ring from outside, for metrics and shutdown: reads only, from any thread. Cold. */
import { CAPACITY_WORD, HEAD_WORD, HIGH_WATER_WORD, TAIL_WORD } from './ring-layout.js';

export interface RingUsage {
  readonly usedBytes: number;
  readonly highWaterBytes: number;
  readonly capacityBytes: number;
}

export function ringUsage(buffer: SharedArrayBuffer): RingUsage {
  const words = new Int32Array(buffer);
  // The head first: read later it could have passed the tail that we saw.
  const head = Atomics.load(words, HEAD_WORD);
  const tail = Atomics.load(words, TAIL_WORD);
  return {
    usedBytes: Math.max(0, (tail - head) | 0) * 4,
    highWaterBytes: words[HIGH_WATER_WORD]! * 4,
    capacityBytes: words[CAPACITY_WORD]! * 4,
  };
}
