/**
 * Layout of a ring's SharedArrayBuffer, in 32-bit words.
 *
 *     word    what                 written by   read by    ordering
 *     0       tail position        producer     consumer   release by commit / acquire by poll
 *     32      head position        consumer     producer   release by poll   / acquire by claim
 *     64      capacity in words    creator      both       plain; written before the buffer is shared
 *     65      high-water in words  producer     metrics    plain; a statistic, may be read late
 *     66      writer epoch         producer     consumer   release by attach / acquire by poll
 *     67      reader epoch         consumer     producer   release by announce / acquire by take
 *     96 …    records              producer     consumer   plain; covered by the tail that follows them
 *
 * A record is [ lengthWords, typeId, payload … ], aligned to 8 bytes and never split across the end
 * of the ring: what is left there is filled with one padding record. Its payload begins on an 8-byte
 * boundary, so that it can be read as doubles. Positions count words, only grow and wrap at 2³²; an
 * index is `position & mask`. Tail and head stand 128 bytes apart, so that the two cores share
 * neither a cache line nor the pair of lines that the prefetcher fetches together.
 */
import { invariant } from '../faults/invariant.js';

export const TAIL_WORD = 0;
export const HEAD_WORD = 32;
export const CAPACITY_WORD = 64;
export const HIGH_WATER_WORD = 65;
export const WRITER_EPOCH_WORD = 66;
export const READER_EPOCH_WORD = 67;
export const RECORDS_WORD = 96;

/** Words before a record's payload: length in words (header included), then the type id. */
export const RECORD_HEADER_WORDS = 2;
/** Type id of the record that fills the end of the ring. */
export const PADDING_TYPE = 0;

export const CAPACITY_WORDS_MIN = 16;
export const CAPACITY_WORDS_MAX = 2 ** 27;

invariant(HEAD_WORD - TAIL_WORD >= 32, 'tail and head are 128 bytes apart');
invariant(RECORDS_WORD - HEAD_WORD >= 32 && RECORDS_WORD % 2 === 0, 'records begin 8-byte aligned');

/** A new ring. `capacityWords` is a power of two; a record may take at most half of it. */
export function createRing(capacityWords: number, firstPosition = 0): SharedArrayBuffer {
  invariant(
    Number.isInteger(capacityWords) &&
      capacityWords >= CAPACITY_WORDS_MIN &&
      capacityWords <= CAPACITY_WORDS_MAX &&
      (capacityWords & (capacityWords - 1)) === 0,
    'ring capacity is a power of two of 32-bit words within its limits',
  );
  invariant(firstPosition % 2 === 0, 'positions are 8-byte aligned');
  const buffer = new SharedArrayBuffer((RECORDS_WORD + capacityWords) * 4);
  const words = new Int32Array(buffer);
  words[TAIL_WORD] = firstPosition | 0;
  words[HEAD_WORD] = firstPosition | 0;
  words[CAPACITY_WORD] = capacityWords;
  return buffer;
}

export function recordBytesMax(capacityWords: number): number {
  return (capacityWords / 2 - RECORD_HEADER_WORDS) * 4;
}
