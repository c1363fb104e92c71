/**
 * The book by REST, which a book asks for when a frame of its stream was refused: sooner there than the
 * next frame of the stream. The body is what stands in `data` of an l2Book frame. Ingest thread, cold.
 */
import type { Instrument } from '../../domain/instrument.js';
import { EventFlag } from '../../domain/event-flags.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import { ParseResult } from '../venue.js';
import type { EventSink, HttpRequest, SnapshotAnswer } from '../venue.js';
import { BOOK_WEIGHT, infoRequest } from './endpoints.js';
import type { Endpoints } from '../venue-endpoints.js';
import { FrameScratch } from './frame-scratch.js';
import { StrictParser } from './parse-strict.js';
import type { HyperliquidSettings } from './symbols.js';

/** Levels a side of the fast channel: a REST book has 20, of which so many are kept beside it. */
const FAST_LEVELS = 5;

export function snapshotRequest(instrument: Instrument, endpoints: Endpoints): HttpRequest {
  return infoRequest(endpoints, { type: 'l2Book', coin: instrument.symbol }, BOOK_WEIGHT);
}

export function readSnapshot(
  body: Uint8Array,
  instrument: Instrument,
  settings: HyperliquidSettings,
  receivedNs: number,
  timeline: Timeline,
  sink: EventSink,
): SnapshotAnswer {
  const scratch = new FrameScratch();
  const result = new StrictParser([instrument], scratch).parseBook(body);
  if (result === ParseResult.Ignored) return { kind: 'refused', message: 'no such book' };
  if (result !== ParseResult.Events) {
    const text = Buffer.from(body.subarray(0, 200)).toString('utf8');
    const isPrecision = result === ParseResult.Precision;
    return { kind: 'malformed', message: `no book: ${text}`, isPrecision };
  }
  if (settings.l2Book === 'fast') keepBest(scratch, FAST_LEVELS);
  const { event } = scratch;
  event[Record.FLAGS] = EventFlag.Snapshot | EventFlag.Last | Record.WITH_BEST_ORDERS;
  event[Record.RECEIVED_NS] = receivedNs;
  event[Record.EXCHANGE_NS] = timeline.fromUnixMs(event[Record.EXCHANGE_NS]!);
  return sink.accept(scratch.recordType, event, scratch.doubles)
    ? { kind: 'snapshot' }
    : { kind: 'refused', message: 'no room in the ring' };
}

function keepBest(scratch: FrameScratch, levels: number): void {
  const { event } = scratch;
  const bids = event[Record.BIDS_COUNT]!;
  const asks = event[Record.ASKS_COUNT]!;
  const keptBids = Math.min(bids, levels);
  const keptAsks = Math.min(asks, levels);
  const asksAt = Record.LEVELS + bids * Record.DOUBLES_PER_LEVEL;
  event.copyWithin(
    Record.LEVELS + keptBids * Record.DOUBLES_PER_LEVEL,
    asksAt,
    asksAt + keptAsks * Record.DOUBLES_PER_LEVEL,
  );
  const end = Record.LEVELS + (keptBids + keptAsks) * Record.DOUBLES_PER_LEVEL;
  const endBefore = asksAt + asks * Record.DOUBLES_PER_LEVEL;
  event.copyWithin(end, endBefore, endBefore + Record.BEST_ORDERS_DOUBLES);
  event[Record.BIDS_COUNT] = keptBids;
  event[Record.ASKS_COUNT] = keptAsks;
  scratch.doubles = end + Record.BEST_ORDERS_DOUBLES;
}
