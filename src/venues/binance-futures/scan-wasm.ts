/**
 * Depth frames through the WebAssembly scanner, straight into an event record in its memory. Ingest
 * thread, the hottest path of all: 13 ns a level, no copy of the levels, no allocation. It reads one
 * shape, the venue's usual combined depth frame; all others are declined and go to FuturesScanner.
 */
import { Channel } from '../../domain/channel.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import type { EventScratch } from '../event-scratch.js';
import {
  type DepthScannerInstance,
  EVENT_AT,
  FRAME_AT,
  FRAME_BYTES_MAX,
} from '../scan/wasm-memory.js';
import { NO_SYMBOL, SymbolTable } from '../symbol-table.js';

// Header of the scanner, indexes of doubles (depth-scanner.as.ts).
const EVENT_MS = 0;
const ENGINE_MS = 1;
const FIRST_ID = 2;
const LAST_ID = 3;
const PREVIOUS_ID = 4;
const SYMBOL_AT = 5;
const SYMBOL_END = 6;
const BIDS_COUNT = 8;
const ASKS_COUNT = 9;

/** Digits of whole and fraction together that the scanner reads exactly. */
const DECIMALS_MAX = 12;
const CLOSE_BRACE = 0x7d;
/** Frames that lie elsewhere are copied to here; the other half is the receive buffer. */
const COPY_BYTES_MAX = FRAME_BYTES_MAX / 2;
const LEVELS_AT = EVENT_AT + Record.LEVELS * 8;

export class WasmDepthScanner {
  private readonly wasm: DepthScannerInstance;
  private readonly scratch: EventScratch;
  private readonly symbols: SymbolTable;
  private readonly ids: Int32Array;
  private readonly priceDecimalsOf: Int32Array;
  private readonly sizeDecimalsOf: Int32Array;

  /** @param scratch its event is replaced by one in the scanner's memory */
  constructor(
    wasm: DepthScannerInstance,
    instruments: readonly Instrument[],
    scratch: EventScratch,
  ) {
    const usable = instruments.filter(
      ({ priceDecimals, sizeDecimals }) =>
        priceDecimals <= DECIMALS_MAX && sizeDecimals <= DECIMALS_MAX,
    );
    this.wasm = wasm;
    this.scratch = scratch;
    this.symbols = new SymbolTable(usable.map((instrument) => instrument.symbol));
    this.ids = Int32Array.from(usable, (instrument) => instrument.id);
    this.priceDecimalsOf = Int32Array.from(usable, (instrument) => instrument.priceDecimals);
    this.sizeDecimalsOf = Int32Array.from(usable, (instrument) => instrument.sizeDecimals);
    scratch.event = wasm.doubles.subarray(EVENT_AT / 8);
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
    const { bytes, doubles, exports } = this.wasm;
    let at = FRAME_AT;
    if (source.buffer === bytes.buffer) {
      at = source.byteOffset + start;
    } else {
      if (length > COPY_BYTES_MAX) return false;
      bytes.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
    }
    const stop = at + length;
    if (exports.scanCombined(at, stop) < 0) return false;
    const symbol = this.symbols.find(bytes, doubles[SYMBOL_AT]!, doubles[SYMBOL_END]!);
    if (symbol === NO_SYMBOL) return false;
    const priceDecimals = this.priceDecimalsOf[symbol]!;
    const sizeDecimals = this.sizeDecimalsOf[symbol]!;
    const behind = exports.scanBook(stop, priceDecimals, sizeDecimals, LEVELS_AT);
    // `}}` and nothing more: all that was read lies within the frame.
    if (behind < 0 || behind + 2 !== stop) return false;
    if (bytes[behind] !== CLOSE_BRACE || bytes[behind + 1] !== CLOSE_BRACE) return false;
    if (doubles[FIRST_ID]! > doubles[LAST_ID]!) return false;
    this.finish(this.ids[symbol]!);
    return true;
  }

  private finish(instrumentId: number): void {
    const { doubles } = this.wasm;
    const { scratch } = this;
    const { event } = scratch;
    const bids = doubles[BIDS_COUNT]!;
    const asks = doubles[ASKS_COUNT]!;
    event[Record.INSTRUMENT] = instrumentId;
    event[Record.FLAGS] = EventFlag.Last;
    event[Record.EXCHANGE_NS] = doubles[EVENT_MS]!;
    event[Record.SEQUENCE_FIRST] = doubles[FIRST_ID]!;
    event[Record.SEQUENCE_LAST] = doubles[LAST_ID]!;
    event[Record.SEQUENCE_PREVIOUS] = doubles[PREVIOUS_ID]!;
    event[Record.ENGINE_NS] = doubles[ENGINE_MS]!;
    event[Record.BIDS_COUNT] = bids;
    event[Record.ASKS_COUNT] = asks;
    scratch.instrumentId = instrumentId;
    scratch.channel = Channel.Book;
    scratch.recordType = Record.RecordType.DepthUpdate;
    scratch.doubles = Record.LEVELS + Record.DOUBLES_PER_LEVEL * (bids + asks);
  }
}
