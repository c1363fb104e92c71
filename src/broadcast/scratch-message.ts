/**
 * A buffer in which this room lays out messages of its own, one after the other, and the head that
 * they are given. Broadcast thread. Messages stand here until the next one is written.
 */
import { ABSENT } from '../rings/record-types.js';
import { HEAD_DOUBLES, HeadField } from '../wire/head-fields.js';
import type { Stream } from './topics.js';

const WORDS_MIN = 16 * 1024;

export class ScratchMessage {
  words = new Int32Array(WORDS_MIN);
  readonly head = new Float64Array(HEAD_DOUBLES);
  /** Levels to be encoded, (price, size) pairs. */
  levels = new Float64Array(2 * 1024);
  /** Bytes of the message that stands here. */
  bytes = 0;

  /** Makes the buffer at least so long; what stood there is gone. */
  ensureBytes(bytes: number): void {
    if (bytes > this.words.length * 4)
      this.words = new Int32Array(2 ** Math.ceil(Math.log2(bytes / 4)));
  }

  ensureLevels(count: number): void {
    if (count * 2 > this.levels.length)
      this.levels = new Float64Array(2 ** Math.ceil(Math.log2(count * 2)));
  }

  /** Head of a message of `stream` at its position; the origin is stamped after encoding. */
  fillHead(stream: Stream, flags: number, state: number, reason: number): void {
    const head = this.head;
    head[HeadField.Epoch] = stream.epoch;
    head[HeadField.Sequence] = stream.sequence;
    head[HeadField.FirstSequence] = stream.sequence;
    head[HeadField.VenueSequence] = ABSENT;
    head[HeadField.HashLow] = stream.hashLow;
    head[HeadField.HashHigh] = stream.hashHigh;
    head[HeadField.ExchangeNs] = ABSENT;
    head[HeadField.ReceivedNs] = ABSENT;
    head[HeadField.AppliedNs] = ABSENT;
    head[HeadField.PublishedNs] = ABSENT;
    head[HeadField.StreamId] = stream.streamId;
    head[HeadField.InstrumentId] = stream.instrumentId;
    head[HeadField.Folded] = 0;
    head[HeadField.Flags] = flags;
    head[HeadField.State] = state;
    head[HeadField.Reason] = reason;
  }

  /** The message as bytes, lent until the next one is written. */
  view(): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, this.bytes);
  }

  /** A copy of a message that stands elsewhere, to be patched here. */
  copyFrom(words: Int32Array, at: number, bytes: number): void {
    this.ensureBytes(bytes);
    this.words.set(words.subarray(at, at + (bytes >>> 2)));
    this.bytes = bytes;
  }
}
