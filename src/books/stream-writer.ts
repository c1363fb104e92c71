/**
 * What all publications of a books worker share: the output lanes, the heads of messages with the
 * positions of their streams, the envelope. Books thread; hot.
 *
 * A message is laid out once, in the first lane, and copied to the others:
 *
 *     fillHead → claim (room, envelope) → the encoder writes the message → finish (copies)
 */
import { type Channel, streamIdOf } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { invariant } from '../faults/invariant.js';
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  OUT_APPLIED_NS,
  OUT_ENVELOPE_DOUBLES,
  OUT_EPOCH,
  OUT_FLAGS,
  OUT_INSTRUMENT,
  OUT_MESSAGE_BYTES,
  OUT_RECEIVED_NS,
  OUT_SEQUENCE,
  OUT_STATE,
} from '../rings/record-types.js';
import { CAPACITY_WORD, recordBytesMax } from '../rings/ring-layout.js';
import type { Timeline } from '../time/timeline.js';
import { HEAD_DOUBLES, HeadField } from '../wire/head-fields.js';
import type { BookView } from './book-view.js';
import { type BooksOutput, OutputLane } from './output-lane.js';

export abstract class StreamWriter {
  protected readonly first: OutputLane;
  protected readonly counters: CounterTable;
  protected readonly head = new Float64Array(HEAD_DOUBLES);
  private readonly lanes: readonly OutputLane[];
  private readonly timeline: Timeline;

  /** @param messageBytesMax of the largest message, which must fit every output ring */
  protected constructor(
    outputs: readonly BooksOutput[],
    messageBytesMax: number,
    counters: CounterTable,
    timeline: Timeline,
  ) {
    invariant(outputs.length > 0, 'the books have at least one output ring');
    for (const { ring } of outputs) {
      invariant(
        messageBytesMax + OUT_ENVELOPE_DOUBLES * 8 <= recordBytesMax(ring.words[CAPACITY_WORD]!),
        'the largest message fits every output ring',
      );
    }
    this.lanes = outputs.map((output) => new OutputLane(output));
    this.first = this.lanes[0]!;
    this.counters = counters;
    this.timeline = timeline;
  }

  /** True if every lane stands in its ring: only then may input be taken. Moves what was spilled. */
  flush(): boolean {
    let flushed = true;
    for (let i = 0; i < this.lanes.length; i++) {
      if (this.lanes[i]!.isSpilled && !this.lanes[i]!.flush()) flushed = false;
    }
    return flushed;
  }

  /** True once after the reader of an output was replaced. */
  takeReaderChange(): boolean {
    let changed = false;
    for (let i = 0; i < this.lanes.length; i++) {
      if (this.lanes[i]!.takeReaderChange()) changed = true;
    }
    return changed;
  }

  get isSpilled(): boolean {
    for (let i = 0; i < this.lanes.length; i++) if (this.lanes[i]!.isSpilled) return true;
    return false;
  }

  /** Messages left out so far of outputs that do not wait. */
  get leftOut(): number {
    let leftOut = 0;
    for (let i = 0; i < this.lanes.length; i++) leftOut += this.lanes[i]!.leftOut;
    return leftOut;
  }

  get spilledBytes(): number {
    return this.lanes.reduce((bytes, lane) => bytes + lane.spilledBytes, 0);
  }

  /** Publishes what was written: once a turn. */
  commit(): void {
    for (let i = 0; i < this.lanes.length; i++) this.lanes[i]!.commit();
  }

  /** Unix microseconds, or one more than before where that is not later. */
  protected renewEpoch(row: number, column: number, nowNs: number): void {
    const { originUnixMs, originExtraNs } = this.timeline;
    const unixUs = Math.floor(originUnixMs * 1e3 + (originExtraNs + nowNs) / 1e3);
    this.counters.set(row, column, Math.max(unixUs, this.counters.get(row, column) + 1));
  }

  /** The head of the stream's next message, which takes its sequence. Hot. */
  protected fillHead(
    book: BookView,
    channel: Channel,
    epochColumn: number,
    sequenceColumn: number,
  ): void {
    const { head } = this;
    const row = book.instrument.id;
    const sequence = this.counters.get(row, sequenceColumn) + 1;
    this.counters.set(row, sequenceColumn, sequence);
    head[HeadField.Epoch] = this.counters.get(row, epochColumn);
    head[HeadField.Sequence] = sequence;
    head[HeadField.FirstSequence] = sequence;
    head[HeadField.VenueSequence] = book.venueSequence;
    head[HeadField.HashLow] = 0;
    head[HeadField.HashHigh] = 0;
    head[HeadField.ExchangeNs] = book.exchangeNs;
    head[HeadField.ReceivedNs] = book.receivedNs;
    head[HeadField.AppliedNs] = book.appliedNs;
    head[HeadField.PublishedNs] = ABSENT;
    head[HeadField.StreamId] = streamIdOf(row, channel);
    head[HeadField.InstrumentId] = row;
    head[HeadField.Folded] = 0;
    head[HeadField.Flags] = EventFlag.Last;
    head[HeadField.State] = book.state;
    head[HeadField.Reason] = book.reason;
  }

  /** Room in the first lane for the envelope, which is written, and the message. Hot. */
  protected claim(typeId: number, messageBytes: number): number {
    const slot = this.first.claim(typeId, OUT_ENVELOPE_DOUBLES * 8 + messageBytes);
    const { doubles } = this.first;
    const { head } = this;
    doubles[slot + OUT_INSTRUMENT] = head[HeadField.InstrumentId]!;
    doubles[slot + OUT_FLAGS] = head[HeadField.Flags]!;
    doubles[slot + OUT_EPOCH] = head[HeadField.Epoch]!;
    doubles[slot + OUT_SEQUENCE] = head[HeadField.Sequence]!;
    doubles[slot + OUT_MESSAGE_BYTES] = messageBytes;
    doubles[slot + OUT_RECEIVED_NS] = head[HeadField.ReceivedNs]!;
    doubles[slot + OUT_APPLIED_NS] = head[HeadField.AppliedNs]!;
    doubles[slot + OUT_STATE] = head[HeadField.State]!;
    return slot;
  }

  /** The message stands in the first lane: copies it to the others. Hot. */
  protected finish(typeId: number, slot: number): void {
    for (let i = 1; i < this.lanes.length; i++) {
      const lane = this.lanes[i]!;
      const source = this.first.doubles;
      const bytes = OUT_ENVELOPE_DOUBLES * 8 + source[slot + OUT_MESSAGE_BYTES]!;
      const to = lane.claim(typeId, bytes);
      const target = lane.doubles;
      const length = (bytes + 7) >>> 3;
      for (let k = 0; k < length; k++) target[to + k] = source[slot + k]!;
    }
  }
}
