/**
 * Depth frames through the WebAssembly scanner, straight into an event record in its memory. Ingest
 * thread, the hottest path of all: one call a frame, no copy of the levels, no allocation. It reads
 * one shape, the venue's usual depth frame; all others are declined and go to FuturesScanner.
 */
import { Channel } from '../../domain/channel.js';
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import type { EventScratch } from '../event-scratch.js';
import { addSymbols } from '../scan/wasm-code.js';
import {
  type DepthScannerInstance,
  EVENT_AT,
  FRAME_AT,
  FRAME_BYTES_MAX,
} from '../scan/depth-memory.js';

/** Frames that lie elsewhere are copied to here; the other half is the receive buffer. */
const COPY_BYTES_MAX = FRAME_BYTES_MAX / 2;

export class WasmDepthScanner {
  private readonly wasm: DepthScannerInstance;
  private readonly scratch: EventScratch;
  private readonly bytes: Uint8Array;

  /** @param scratch its event is replaced by one in the scanner's memory */
  constructor(
    wasm: DepthScannerInstance,
    instruments: readonly Instrument[],
    scratch: EventScratch,
  ) {
    this.wasm = wasm;
    this.scratch = scratch;
    this.bytes = wasm.bytes;
    scratch.event = wasm.doubles.subarray(EVENT_AT / 8);
    // Those that it has no place for are left to FuturesScanner.
    addSymbols(wasm, instruments);
  }

  /** The instrument has other decimals from the next frame on. */
  redefine(instrument: Instrument): void {
    addSymbols(this.wasm, [instrument]);
  }

  /**
   * A buffer to receive into: frames in it are read in place. It lies behind the place to which frames
   * from elsewhere are copied, for these are parsed while it still holds others.
   */
  get receiveBuffer(): Uint8Array {
    return this.wasm.bytes.subarray(FRAME_AT + COPY_BYTES_MAX, FRAME_AT + FRAME_BYTES_MAX);
  }

  /** False: declined, and the scratch holds nothing of use. */
  scan(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length > FRAME_BYTES_MAX) return false;
    const { bytes, scratch } = this;
    let at = FRAME_AT;
    if (source.buffer === bytes.buffer) {
      at = source.byteOffset + start;
      if (at < FRAME_AT || at + length > FRAME_AT + FRAME_BYTES_MAX) return false;
    } else {
      if (length > COPY_BYTES_MAX) return false;
      bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    }
    const doubles = this.wasm.exports.scanFrame(at, at + length, EVENT_AT);
    if (doubles < 0) return false;
    scratch.instrumentId = scratch.event[Record.INSTRUMENT]!;
    scratch.channel = Channel.Book;
    scratch.recordType = Record.RecordType.DepthUpdate;
    scratch.doubles = doubles;
    return true;
  }
}
