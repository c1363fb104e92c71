/**
 * Futures frames → feed events: the fast scanner first, the strict parser for what it declines. Ingest
 * thread and replay, hot. The seam between them is the scratch: whatever scans a frame leaves one event
 * there, with the venue's milliseconds in place of times, and this file finishes and delivers it.
 */
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import { EventScratch } from '../event-scratch.js';
import type { EventSink, FrameParser } from '../venue.js';
import { ParseResult } from '../venue.js';
import type { TradeKind } from './messages.js';
import { StrictParser } from './parse-strict.js';
import { FuturesScanner } from './scan.js';

export class FuturesParser implements FrameParser {
  slowPathCount = 0;
  private readonly scratch = new EventScratch();
  private readonly scanner: FuturesScanner;
  private readonly strict: StrictParser;

  constructor(
    instruments: readonly Instrument[],
    tradeKind: TradeKind,
    private readonly timeline: Timeline,
    private readonly sink: EventSink,
  ) {
    this.scanner = new FuturesScanner(instruments, tradeKind, this.scratch);
    this.strict = new StrictParser(instruments, tradeKind, this.scratch);
  }

  get lastInstrumentId(): number {
    return this.scratch.instrumentId;
  }

  get lastChannel(): number {
    return this.scratch.channel;
  }

  /** Frames in this buffer will be read in place, without a copy. */
  adoptReceiveBuffer(buffer: ArrayBuffer | SharedArrayBuffer): void {
    this.scanner.memory.adopt(buffer);
  }

  parse(bytes: Uint8Array, start: number, end: number, receivedNs: number): ParseResult {
    if (!this.scanner.scan(bytes, start, end)) {
      this.slowPathCount++;
      const result = this.strict.parse(bytes.subarray(start, end));
      if (result !== ParseResult.Events) return result;
    }
    const scratch = this.scratch;
    const event = scratch.event;
    event[Record.RECEIVED_NS] = receivedNs;
    event[Record.EXCHANGE_NS] = this.timeline.fromUnixMs(event[Record.EXCHANGE_NS]!);
    if (event[Record.ENGINE_NS] !== Record.ABSENT) {
      event[Record.ENGINE_NS] = this.timeline.fromUnixMs(event[Record.ENGINE_NS]!);
    }
    return this.sink.accept(scratch.recordType, event, scratch.doubles)
      ? ParseResult.Events
      : ParseResult.SinkFull;
  }
}
