/**
 * The fast scanner of mark prices: `<symbol>@markPrice@1s` frames, one a second a symbol → a ContextUpdate
 * in the scratch. Ingest thread, warm. It accepts or declines as scan.ts does; names may come in any
 * order, none twice, and one that is not known declines the frame.
 *
 *     {"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT",
 *      "p":"11794.15000000","i":"11784.62659091","P":"11784.25641265","r":"0.00038167",
 *      "T":1562306400000}}
 */
import { Channel } from '../../domain/channel.js';
import { DOUBLES_PER_DECIMAL, contextBit } from '../../domain/context-fields.js';
import type { ContextField } from '../../domain/context-fields.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import * as Record from '../../rings/record-types.js';
import { SCAN_FAILED, scanInteger, scanPlainString, scanPlainValue } from '../byte-scan.js';
import { beginContext, scanExactDecimal } from '../context-scan.js';
import type { EventScratch } from '../event-scratch.js';
import type { FrameMemory } from '../frame-memory.js';
import { NO_SYMBOL, SymbolTable } from '../symbol-table.js';
import { MARK_PRICE_TOLD, MARK_PRICE_TYPE, MARK_PRICE_VALUES } from './messages.js';

const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Names whose values say who and when; then the values; then what is passed over. */
const NAMES = ['e', 'E', 's', 'T', ...MARK_PRICE_VALUES.keys(), 'P', 'ap', 'ps', 'st'] as const;
const TYPE = 0;
const EVENT_TIME = 1;
const SYMBOL = 2;
const NEXT_FUNDING = 3;
const NEEDED = (1 << TYPE) | (1 << EVENT_TIME) | (1 << SYMBOL);
const FIELD_OF = Int32Array.from(NAMES, (name) => MARK_PRICE_VALUES.get(name) ?? -1);
const NAMES_TABLE = new SymbolTable(NAMES);
const WRAPPING_TABLE = new SymbolTable(['stream', 'data']);
const TYPE_TABLE = new SymbolTable([MARK_PRICE_TYPE]);

export class MarkPriceScanner {
  private readonly symbols: SymbolTable;
  private readonly ids: Int32Array;
  private readonly unused = new Float64Array(1);
  private view: DataView;
  private bytes: Uint8Array;
  private end = 0;
  private seen = 0;

  constructor(
    instruments: readonly Instrument[],
    private readonly memory: FrameMemory,
    private readonly scratch: EventScratch,
  ) {
    this.symbols = new SymbolTable(instruments.map((instrument) => instrument.symbol));
    this.ids = Int32Array.from(instruments, (instrument) => instrument.id);
    this.view = memory.view;
    this.bytes = memory.bytes;
  }

  /** False: declined, and the scratch holds nothing of use. */
  scan(source: Uint8Array, start: number, end: number): boolean {
    const from = this.memory.load(source, start, end);
    this.view = this.memory.view;
    this.bytes = this.memory.bytes;
    this.end = from + (end - start);
    this.seen = 0;
    const { scratch } = this;
    scratch.reset();
    beginContext(scratch.event, Record.ABSENT, EventFlag.Last);
    const data = this.passStreamName(from);
    let at = this.members(data < 0 ? from : data);
    if (data >= 0 && at >= 0) at = this.view.getUint8(at) === CLOSE_BRACE ? at + 1 : SCAN_FAILED;
    return at === this.end && (this.seen & NEEDED) === NEEDED && this.finish();
  }

  /** From `{"stream":"…","data":` to behind it. */
  private passStreamName(at: number): number {
    const { view } = this;
    if (view.getUint8(at) !== OPEN_BRACE) return SCAN_FAILED;
    at = this.name(at + 1, WRAPPING_TABLE, 0);
    if (at < 0 || view.getUint8(at) !== QUOTE) return SCAN_FAILED;
    at = scanPlainString(view, at + 1, this.end);
    if (at < 0 || view.getUint8(at) !== COMMA) return SCAN_FAILED;
    return this.name(at + 1, WRAPPING_TABLE, 1);
  }

  /** Behind the colon of a name that is entry `index` of the table. */
  private name(at: number, table: SymbolTable, index: number): number {
    const stop =
      this.view.getUint8(at) === QUOTE ? scanPlainString(this.view, at + 1, this.end) : -1;
    if (stop < 0 || this.view.getUint8(stop) !== COLON) return SCAN_FAILED;
    return table.find(this.bytes, at + 1, stop - 1) === index ? stop + 1 : SCAN_FAILED;
  }

  private members(at: number): number {
    const { view } = this;
    if (view.getUint8(at) !== OPEN_BRACE) return SCAN_FAILED;
    do {
      if (view.getUint8(++at) !== QUOTE) return SCAN_FAILED;
      const stop = scanPlainString(view, at + 1, this.end);
      if (stop < 0 || view.getUint8(stop) !== COLON) return SCAN_FAILED;
      const index = NAMES_TABLE.find(this.bytes, at + 1, stop - 1);
      if (index === NO_SYMBOL || (this.seen & (1 << index)) !== 0) return SCAN_FAILED;
      this.seen |= 1 << index;
      at = this.member(index, stop + 1);
      if (at < 0 || at > this.end) return SCAN_FAILED;
    } while (view.getUint8(at) === COMMA);
    return view.getUint8(at) === CLOSE_BRACE ? at + 1 : SCAN_FAILED;
  }

  private member(index: number, at: number): number {
    const { event } = this.scratch;
    switch (index) {
      case TYPE:
        return this.known(at, TYPE_TABLE) === NO_SYMBOL ? SCAN_FAILED : this.stop;
      case EVENT_TIME:
        return scanInteger(this.view, at, event, Record.EXCHANGE_NS);
      case NEXT_FUNDING:
        return scanInteger(this.view, at, event, Record.CONTEXT_NEXT_FUNDING_NS);
      case SYMBOL: {
        const symbol = this.known(at, this.symbols);
        if (symbol === NO_SYMBOL) return SCAN_FAILED;
        this.scratch.instrumentId = this.ids[symbol]!;
        return this.stop;
      }
      default:
        return this.value(FIELD_OF[index]!, at, event);
    }
  }

  /** Behind the string that `known` read. */
  private stop = 0;

  /** The entry of a table that stands as a string at `at`. */
  private known(at: number, table: SymbolTable): number {
    if (this.view.getUint8(at) !== QUOTE) return NO_SYMBOL;
    this.stop = scanPlainString(this.view, at + 1, this.end);
    return this.stop < 0 ? NO_SYMBOL : table.find(this.bytes, at + 1, this.stop - 1);
  }

  /** A decimal text; an empty one is none (contracts without funding). */
  private value(field: number, at: number, event: Float64Array): number {
    const { view } = this;
    if (field < 0) return scanPlainValue(view, at, this.end, this.unused);
    if (view.getUint8(at) !== QUOTE) return SCAN_FAILED;
    if (view.getUint8(at + 1) === QUOTE) return at + 2;
    const index = Record.CONTEXT_VALUES + field * DOUBLES_PER_DECIMAL;
    at = scanExactDecimal(view, at + 1, event, index);
    if (at < 0) return at;
    event[Record.CONTEXT_PRESENT]! |= contextBit(field as ContextField);
    return at + 1;
  }

  private finish(): boolean {
    const { scratch } = this;
    finishMarkPrice(scratch.event, scratch.instrumentId);
    scratch.channel = Channel.Context;
    scratch.recordType = Record.RecordType.ContextUpdate;
    scratch.doubles = Record.CONTEXT_UPDATE_DOUBLES;
    return true;
  }
}

/** The rest of a mark price's event, whose values and milliseconds stand in it. */
export function finishMarkPrice(event: Float64Array, instrumentId: number): void {
  event[Record.INSTRUMENT] = instrumentId;
  // Only the newest counts: by its time, of which two sockets' frames are told apart.
  event[Record.SEQUENCE_LAST] = event[Record.EXCHANGE_NS]!;
  event[Record.CONTEXT_TOLD] = MARK_PRICE_TOLD;
  if (event[Record.CONTEXT_NEXT_FUNDING_NS] === 0) {
    event[Record.CONTEXT_NEXT_FUNDING_NS] = Record.ABSENT;
  }
}
