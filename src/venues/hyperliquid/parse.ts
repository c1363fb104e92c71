/**
 * Hyperliquid frames → feed events: the fast scanner, and the strict parser for what it declines. Ingest
 * thread and replay, hot. Whatever reads a frame leaves it whole in the scratch, with the venue's
 * milliseconds in place of times; this file finishes and delivers it.
 *
 * An l2Book frame is a DepthSnapshot whose SEQUENCE_LAST is the block's time in ms; a bbo frame is a
 * BookTicker with the same number, so that the two can be held against each other; each trade of a
 * trades frame is a TradeParties (a Trade where the parties are not told), without channel numbers,
 * since `tid` has no order. A context frame is a ContextUpdate, an allMids frame one for each coin of ours;
 * neither says when it was made.
 */
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import type { EventSink, FrameParser } from '../venue.js';
import { ParseResult } from '../venue.js';
import { FrameScratch } from './frame-scratch.js';
import { StrictParser } from './parse-strict.js';
import { HyperliquidScanner } from './scan.js';

export class HyperliquidParser implements FrameParser {
  slowPathCount = 0;
  private readonly scratch = new FrameScratch();
  private readonly scanner: HyperliquidScanner;
  private readonly strict: StrictParser;

  constructor(
    instruments: readonly Instrument[],
    private readonly timeline: Timeline,
    private readonly sink: EventSink,
  ) {
    this.scanner = new HyperliquidScanner(instruments, this.scratch);
    this.strict = new StrictParser(instruments, this.scratch);
  }

  get lastInstrumentId(): number {
    return this.scratch.instrumentId;
  }

  get lastChannel(): number {
    return this.scratch.channel;
  }

  redefine(instrument: Instrument): void {
    this.scanner.redefine(instrument);
    this.strict.redefine(instrument);
  }

  parse(bytes: Uint8Array, start: number, end: number, receivedNs: number): ParseResult {
    const { scratch } = this;
    if (!this.scanner.scan(bytes, start, end)) {
      this.slowPathCount++;
      const result = this.strict.parse(bytes.subarray(start, end));
      if (result !== ParseResult.Events) return result;
    }
    if (scratch.eventsCount > 0) return this.deliverMany(receivedNs);
    return this.deliver(scratch.event, scratch.recordType, scratch.doubles, receivedNs)
      ? ParseResult.Events
      : ParseResult.SinkFull;
  }

  private deliverMany(receivedNs: number): ParseResult {
    const { events, eventsCount, recordType, doubles } = this.scratch;
    let result: ParseResult = ParseResult.Events;
    for (let i = 0; i < eventsCount; i++) {
      // One that finds no room does not keep the others out: each is counted by itself.
      if (!this.deliver(events[i]!, recordType, doubles, receivedNs)) result = ParseResult.SinkFull;
    }
    return result;
  }

  private deliver(
    event: Float64Array,
    recordType: number,
    doubles: number,
    receivedNs: number,
  ): boolean {
    event[Record.RECEIVED_NS] = receivedNs;
    const exchangeMs = event[Record.EXCHANGE_NS]!;
    if (exchangeMs !== Record.ABSENT) {
      event[Record.EXCHANGE_NS] = this.timeline.fromUnixMs(exchangeMs);
    }
    return this.sink.accept(recordType, event, doubles);
  }
}
