/** Messages for the encode and decode benches: levels of a believable book, from a seed. */
import type * as flatbuffers from 'flatbuffers';
import { Prng } from '../src/domain/prng.js';
import { Timeline } from '../src/time/timeline.js';
import * as wire from '../src/wire/generated/ringside/wire.js';
import { HEAD_DOUBLES, HeadField } from '../src/wire/head-fields.js';

export const timeline = new Timeline(1_785_000_123_456_789_012n);

export function sampleHead(sequence: number): Float64Array {
  const head = new Float64Array(HEAD_DOUBLES);
  head[HeadField.Epoch] = 1_785_000_000_000_000;
  head[HeadField.Sequence] = sequence;
  head[HeadField.FirstSequence] = sequence;
  head[HeadField.VenueSequence] = 5_123_107_853_551 + sequence;
  head[HeadField.HashLow] = Math.imul(sequence, 0x85ebca6b);
  head[HeadField.HashHigh] = Math.imul(sequence, 0xc2b2ae35);
  head[HeadField.ExchangeNs] = 3_600e9 + sequence;
  head[HeadField.ReceivedNs] = 3_600e9 + sequence + 1;
  head[HeadField.AppliedNs] = 3_600e9 + sequence + 2;
  head[HeadField.PublishedNs] = 3_600e9 + sequence + 3;
  head[HeadField.StreamId] = 24;
  head[HeadField.InstrumentId] = 3;
  head[HeadField.Flags] = 1;
  head[HeadField.State] = 1;
  head[HeadField.Reason] = 2;
  return head;
}

/** (price, size) pairs: bids below, asks above 61659.7, a third of them removals. */
export function sampleLevels(bids: number, asks: number): Float64Array {
  const prng = new Prng(5);
  const levels = new Float64Array((bids + asks) * 2);
  for (let i = 0; i < bids + asks; i++) {
    const distance = 10 * (1 + prng.nextInt(3000));
    levels[i * 2] = i < bids ? 6_165_970 - distance : 6_165_970 + distance;
    levels[i * 2 + 1] = prng.chance(1 / 3) ? 0 : 1 + prng.nextInt(1e7);
  }
  return levels;
}

const asBigInt = (value: number): bigint => BigInt(value);

/** The same delta through the generated Builder, as its documentation shows it. */
export function buildDelta(
  builder: flatbuffers.Builder,
  head: Float64Array,
  levels: Float64Array,
  bids: number,
  asks: number,
): Uint8Array {
  builder.clear();
  wire.BookDelta.startAsksVector(builder, asks);
  for (let i = bids + asks - 1; i >= bids; i--) {
    wire.Level.createLevel(builder, asBigInt(levels[i * 2]!), asBigInt(levels[i * 2 + 1]!));
  }
  const asksOffset = builder.endVector();
  wire.BookDelta.startBidsVector(builder, bids);
  for (let i = bids - 1; i >= 0; i--) {
    wire.Level.createLevel(builder, asBigInt(levels[i * 2]!), asBigInt(levels[i * 2 + 1]!));
  }
  const bidsOffset = builder.endVector();
  wire.BookDelta.startBookDelta(builder);
  wire.BookDelta.addHead(builder, buildHead(builder, head));
  wire.BookDelta.addBids(builder, bidsOffset);
  wire.BookDelta.addAsks(builder, asksOffset);
  const body = wire.BookDelta.endBookDelta(builder);
  const message = wire.Message.createMessage(builder, wire.Body.BookDelta, body);
  wire.Message.finishMessageBuffer(builder, message);
  return builder.asUint8Array();
}

function buildHead(builder: flatbuffers.Builder, head: Float64Array): number {
  const hash =
    (asBigInt(head[HeadField.HashHigh]! >>> 0) << 32n) | asBigInt(head[HeadField.HashLow]! >>> 0);
  const unixNs = (field: number): bigint => timeline.originUnixNs + asBigInt(head[field]!);
  return wire.Head.createHead(
    builder,
    asBigInt(head[HeadField.Epoch]!),
    asBigInt(head[HeadField.Sequence]!),
    asBigInt(head[HeadField.FirstSequence]!),
    asBigInt(head[HeadField.VenueSequence]!),
    hash,
    unixNs(HeadField.ExchangeNs),
    unixNs(HeadField.ReceivedNs),
    unixNs(HeadField.AppliedNs),
    unixNs(HeadField.PublishedNs),
    head[HeadField.StreamId]!,
    head[HeadField.InstrumentId]!,
    head[HeadField.Folded]!,
    head[HeadField.Flags]!,
    head[HeadField.State]! as wire.BookState,
    head[HeadField.Reason]! as wire.StateReason,
  );
}

/** The plain object that a JSON feed would send: head and [price, size] pairs as numbers. */
export function plainDelta(
  head: Float64Array,
  levels: Float64Array,
  bids: number,
  asks: number,
): object {
  const side = (first: number, count: number): number[][] =>
    Array.from({ length: count }, (_, i) => [
      levels[(first + i) * 2]!,
      levels[(first + i) * 2 + 1]!,
    ]);
  return {
    epoch: head[HeadField.Epoch],
    sequence: head[HeadField.Sequence],
    firstSequence: head[HeadField.FirstSequence],
    venueSequence: head[HeadField.VenueSequence],
    hash: [head[HeadField.HashHigh], head[HeadField.HashLow]],
    exchangeNs: head[HeadField.ExchangeNs],
    receivedNs: head[HeadField.ReceivedNs],
    appliedNs: head[HeadField.AppliedNs],
    publishedNs: head[HeadField.PublishedNs],
    streamId: head[HeadField.StreamId],
    instrumentId: head[HeadField.InstrumentId],
    flags: head[HeadField.Flags],
    state: head[HeadField.State],
    reason: head[HeadField.Reason],
    bids: side(0, bids),
    asks: side(bids, asks),
  };
}
