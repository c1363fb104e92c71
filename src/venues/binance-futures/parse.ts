/**
 * Futures frames → feed events: the WebAssembly scanner for depth frames, the JavaScript scanners for
 * what it declines, the strict parser for what both decline. Ingest thread and replay, hot. The seam
 * between them is the scratch: whatever scans a frame leaves one event there, with the venue's
 * milliseconds in place of times, and this file finishes and delivers it.
 */
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import type { Timeline } from '../../time/timeline.js';
import { EventScratch } from '../event-scratch.js';
import type { EventSink, FrameParser } from '../venue.js';
import { ParseResult } from '../venue.js';
import type { TradeKind } from './messages.js';
import { OffBookTrades } from './off-book-trades.js';
import { StrictParser } from './parse-strict.js';
import { FuturesScanner } from './scan.js';
import { MarkPriceScanner } from './scan-mark-price.js';
import { createDepthScanner, type DepthScannerInstance } from '../scan/depth-memory.js';
import { WasmDepthScanner } from './scan-wasm.js';

/** Shorter frames (tickers, trades, a few levels) are read as fast without the copy and the calls. */
const WASM_BYTES_MIN = 320;

export class FuturesParser implements FrameParser {
  slowPathCount = 0;
  private scratch = new EventScratch();
  private readonly plainScratch = this.scratch;
  private readonly wasmScratch = new EventScratch();
  private readonly wasm: WasmDepthScanner | null;
  private readonly scanner: FuturesScanner;
  private readonly marks: MarkPriceScanner;
  private readonly strict: StrictParser;
  private readonly offBook: OffBookTrades;

  constructor(
    instruments: readonly Instrument[],
    tradeKind: TradeKind,
    private readonly timeline: Timeline,
    private readonly sink: EventSink,
    private readonly wasmBytesMin: number = WASM_BYTES_MIN,
    instance: DepthScannerInstance | null = wasmBytesMin === Infinity ? null : createDepthScanner(),
  ) {
    this.wasm =
      instance === null ? null : new WasmDepthScanner(instance, instruments, this.wasmScratch);
    this.scanner = new FuturesScanner(instruments, tradeKind, this.scratch);
    this.strict = new StrictParser(instruments, tradeKind, this.scratch);
    this.marks = new MarkPriceScanner(instruments, this.scanner.memory, this.scratch);
    // Short frames go to the plain scanners; they read them in the same place.
    if (this.wasm !== null) this.scanner.memory.adopt(this.wasm.receiveBuffer.buffer);
    this.offBook = new OffBookTrades(instruments);
  }

  get lastInstrumentId(): number {
    return this.scratch.instrumentId;
  }

  get lastChannel(): number {
    return this.scratch.channel;
  }

  /** Where to receive into, so that frames are read in place; null where there is no such place. */
  get receiveBuffer(): Uint8Array | null {
    return this.wasm === null ? null : this.wasm.receiveBuffer;
  }

  /** True if depth frames go through WebAssembly. */
  get usesWasm(): boolean {
    return this.wasm !== null;
  }

  /** Frames in this buffer will be read in place, without a copy. */
  adoptReceiveBuffer(buffer: ArrayBuffer | SharedArrayBuffer): void {
    this.scanner.memory.adopt(buffer);
  }

  redefine(instrument: Instrument): void {
    this.wasm?.redefine(instrument);
    this.scanner.redefine(instrument);
    this.strict.redefine(instrument);
  }

  parse(bytes: Uint8Array, start: number, end: number, receivedNs: number): ParseResult {
    if (
      this.wasm !== null &&
      end - start >= this.wasmBytesMin &&
      this.wasm.scan(bytes, start, end)
    ) {
      this.scratch = this.wasmScratch;
    } else if (this.scanPlain(bytes, start, end) || this.marks.scan(bytes, start, end)) {
      // The event stands in the plain scratch.
    } else {
      this.slowPathCount++;
      const result = this.strict.parse(bytes.subarray(start, end));
      if (result !== ParseResult.Events) {
        const { offBookTradeId } = this.strict;
        if (offBookTradeId !== Record.ABSENT)
          this.offBook.note(this.lastInstrumentId, offBookTradeId);
        return result;
      }
    }
    const { scratch } = this;
    const event = scratch.event;
    if (this.offBook.isPending && scratch.recordType === Record.RecordType.Trade) {
      this.offBook.cover(event);
    }
    event[Record.RECEIVED_NS] = receivedNs;
    event[Record.EXCHANGE_NS] = this.timeline.fromUnixMs(event[Record.EXCHANGE_NS]!);
    if (event[Record.ENGINE_NS] !== Record.ABSENT) {
      event[Record.ENGINE_NS] = this.timeline.fromUnixMs(event[Record.ENGINE_NS]!);
    }
    if (scratch.recordType === Record.RecordType.ContextUpdate) this.finishContext(event);
    return this.sink.accept(scratch.recordType, event, scratch.doubles)
      ? ParseResult.Events
      : ParseResult.SinkFull;
  }

  private finishContext(event: Float64Array): void {
    const nextFundingMs = event[Record.CONTEXT_NEXT_FUNDING_NS]!;
    if (nextFundingMs === Record.ABSENT) return;
    event[Record.CONTEXT_NEXT_FUNDING_NS] = this.timeline.fromUnixMs(nextFundingMs);
  }

  private scanPlain(bytes: Uint8Array, start: number, end: number): boolean {
    this.scratch = this.plainScratch;
    return this.scanner.scan(bytes, start, end);
  }
}
