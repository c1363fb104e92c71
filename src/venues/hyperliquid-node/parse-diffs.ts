/**
 * Raw book diffs: what the book is made of. A `new` carries the authoritative resting size and
 * price, an `update` the sizes before and after, a `remove` is a bare string:
 *
 *     {"user":"0x…","oid":412036231803,"coin":"BTC","side":"A","px":"81308.0",
 *      "raw_book_diff":{"update":{"origSz":"0.1804","newSz":"0.18007"}}}
 *                     {"new":{"sz":"0.61488"[,"insertBefore":105338503859]}}
 *                     "remove"
 *
 * Ingest thread, hot; events as the node writes them go through the scanner of the memory that they
 * were read into, else through DiffScanner; any other order of keys is read here, anything else refuses
 * the whole line.
 */
import type { LineMemory } from '../scan/line-memory.js';
import type { SymbolTable } from '../symbol-table.js';
import { NO_SYMBOL } from '../symbol-table.js';
import {
  ABSENT,
  EXCHANGE_NS,
  ENGINE_NS,
  FLAGS,
  INSTRUMENT,
  ORDER_ATTRIBUTES,
  ORDER_BEFORE_ID,
  ORDER_CLIENT_ID,
  ORDER_EVENT_DOUBLES,
  ORDER_ID,
  ORDER_KIND,
  ORDER_OWNER,
  ORDER_PLACED_MS,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  ORDER_SIZE_BEFORE,
  OrderKind,
  RECEIVED_NS,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
} from '../../rings/record-types.js';
import type { Envelope } from './envelope.js';
import type { NodeInstruments } from './node-instruments.js';
import {
  CURSOR_FAILED,
  Read,
  ascii,
  readDecimal,
  readHex,
  readWhole,
  skipValue,
  startsWith,
} from './json-cursor.js';
import { sideAt, valueOf } from './order-scan.js';
import { DiffScanner } from './scan-diff.js';

const OWNER_WORDS = 5;
const CLIENT_ID_WORDS = 4;

const KEY_USER = ascii('"user":');
const KEY_OID = ascii('"oid":');
const KEY_COIN = ascii('"coin":');
const KEY_SIDE = ascii('"side":');
const KEY_PRICE = ascii('"px":');
const KEY_DIFF = ascii('"raw_book_diff":');
const REMOVE = ascii('"remove"');
const NEW = ascii('{"new":{');
const UPDATE = ascii('{"update":{');
const KEY_SIZE = ascii('"sz":');
const KEY_BEFORE = ascii('"insertBefore":');
const KEY_ORIG_SIZE = ascii('"origSz":');
const KEY_NEW_SIZE = ascii('"newSz":');

/** Takes one order event, lent until the call returns. */
export interface OrderEventTaker {
  onOrderEvent(event: Float64Array): void;
}

export const DiffFault = { None: 0, Malformed: 1, Precision: 2 } as const;

export class DiffParser {
  private readonly symbols: SymbolTable;
  private readonly instruments: NodeInstruments;
  private readonly memory: LineMemory | null;
  private readonly scanner: DiffScanner | null;
  private event: Float64Array = new Float64Array(ORDER_EVENT_DOUBLES);
  /** Where the event's own texts stand: they are read when its coin is known. */
  private priceAt = 0;
  private diffAt = 0;
  /** Of the last line. */
  fault: number = DiffFault.None;
  /** Events of instruments that nobody wants. */
  skipped = 0;

  /**
   * @param memory where lines may stand that its own scanner reads; the coins become known to it
   * @param withScanner false: every other event name by name, as the tests' oracle
   */
  constructor(instruments: NodeInstruments, memory: LineMemory | null = null, withScanner = true) {
    memory?.know(instruments.instruments);
    this.memory = memory;
    this.instruments = instruments;
    this.symbols = instruments.symbols;
    this.scanner = withScanner ? new DiffScanner(instruments) : null;
  }

  /**
   * Hands every wanted event of the line to the taker, in order. Returns how many events the line
   * holds, or CURSOR_FAILED: then those handed over so far must be forgotten. `fault` is Precision
   * where an event's number did not fit.
   */
  parse(
    bytes: Uint8Array,
    envelope: Envelope,
    end: number,
    receivedNs: number,
    taker: OrderEventTaker,
  ): number {
    this.fault = DiffFault.None;
    const { memory, scanner } = this;
    const isInMemory = memory !== null && bytes === memory.lines;
    if (memory !== null) this.event = memory.event;
    const { event } = this;
    event[EXCHANGE_NS] = envelope.blockNs;
    event[ENGINE_NS] = envelope.localNs;
    event[RECEIVED_NS] = receivedNs;
    event[SEQUENCE_FIRST] = envelope.height;
    event[SEQUENCE_LAST] = envelope.height;
    event[SEQUENCE_PREVIOUS] = ABSENT;
    event[FLAGS] = 0;
    let i = envelope.eventsAt;
    if (bytes[i] === 0x5d) return 0;
    let count = 0;
    while (i < end) {
      let behind = isInMemory ? memory.scanDiff(i, end) : CURSOR_FAILED;
      if (behind < 0 && scanner !== null) behind = scanner.scan(bytes, i, end, event);
      i = behind < 0 ? this.readEvent(bytes, i, end) : behind;
      if (i < 0) return this.refuse();
      count++;
      const id = event[INSTRUMENT]!;
      if (id === ABSENT) this.skipped++;
      else {
        const fits = behind >= 0 || this.readNumbers(bytes, end, id);
        if (!fits && !this.misfit()) return this.refuse();
        taker.onOrderEvent(event);
      }
      if (bytes[i] === 0x5d) return count;
      if (bytes[i] !== 0x2c) break;
      i++;
    }
    return this.refuse();
  }

  /**
   * A number that does not fit its instrument's decimals concerns that instrument alone: the event is
   * told as one that no book can take. False if it was something else.
   */
  private misfit(): boolean {
    if (this.fault !== DiffFault.Precision) return false;
    const { event } = this;
    event[ORDER_KIND] = OrderKind.New;
    // Whatever was read of it before it turned out not to fit must not be told.
    event[ORDER_PRICE] = ABSENT;
    event[ORDER_SIZE] = ABSENT;
    event[ORDER_SIZE_BEFORE] = ABSENT;
    event[ORDER_BEFORE_ID] = ABSENT;
    return true;
  }

  private refuse(): number {
    this.fault = DiffFault.Malformed;
    return CURSOR_FAILED;
  }

  /** One event object: everything but the decimals. Returns the position behind it. */
  private readEvent(bytes: Uint8Array, at: number, end: number): number {
    const { event } = this;
    if (bytes[at] !== 0x7b) return CURSOR_FAILED;
    event[INSTRUMENT] = ABSENT;
    event[ORDER_ID] = ABSENT;
    event[ORDER_SIDE] = ABSENT;
    event.fill(0, ORDER_PLACED_MS, ORDER_CLIENT_ID + CLIENT_ID_WORDS);
    this.priceAt = this.diffAt = -1;
    let i = at + 1;
    while (i < end) {
      const value = valueOf(bytes, i, end);
      if (value === CURSOR_FAILED) return CURSOR_FAILED;
      const next = skipValue(bytes, value, end);
      if (next === CURSOR_FAILED || !this.readField(bytes, i, value, next, end))
        return CURSOR_FAILED;
      if (bytes[next] === 0x7d) {
        const whole =
          event[ORDER_ID]! >= 0 && event[ORDER_SIDE]! >= 0 && this.priceAt > 0 && this.diffAt > 0;
        return whole ? next + 1 : CURSOR_FAILED;
      }
      if (bytes[next] !== 0x2c) return CURSOR_FAILED;
      i = next + 1;
    }
    return CURSOR_FAILED;
  }

  private readField(
    bytes: Uint8Array,
    key: number,
    value: number,
    next: number,
    end: number,
  ): boolean {
    const { event } = this;
    if (startsWith(bytes, key, end, KEY_USER)) {
      return readHex(bytes, value, end, OWNER_WORDS, event, ORDER_OWNER) === next;
    }
    if (startsWith(bytes, key, end, KEY_OID)) {
      if (readWhole(bytes, value, end) !== next) return false;
      event[ORDER_ID] = Read.Value;
    } else if (startsWith(bytes, key, end, KEY_COIN)) {
      const symbol = this.symbols.find(bytes, value + 1, next - 1);
      event[INSTRUMENT] = symbol === NO_SYMBOL ? ABSENT : this.instruments.idOf(symbol);
    } else if (startsWith(bytes, key, end, KEY_SIDE)) {
      event[ORDER_SIDE] = sideAt(bytes, value + 1);
    } else if (startsWith(bytes, key, end, KEY_PRICE)) {
      this.priceAt = value;
    } else if (startsWith(bytes, key, end, KEY_DIFF)) {
      this.diffAt = value;
    }
    return true;
  }

  /** The decimals of the event, at its instrument's places. */
  private readNumbers(bytes: Uint8Array, end: number, id: number): boolean {
    const { event } = this;
    const sizeDecimals = this.instruments.sizeDecimals(id);
    event[ORDER_SIZE] = 0;
    event[ORDER_SIZE_BEFORE] = ABSENT;
    event[ORDER_BEFORE_ID] = ABSENT;
    if (!this.decimal(bytes, this.priceAt, end, this.instruments.priceDecimals(id), ORDER_PRICE))
      return false;
    const at = this.diffAt;
    if (startsWith(bytes, at, end, REMOVE)) {
      event[ORDER_KIND] = OrderKind.Remove;
      return true;
    }
    const isNew = startsWith(bytes, at, end, NEW);
    if (!isNew && !startsWith(bytes, at, end, UPDATE)) return false;
    event[ORDER_KIND] = isNew ? OrderKind.New : OrderKind.Update;
    event[ORDER_SIZE] = ABSENT;
    let i = at + (isNew ? NEW.length : UPDATE.length);
    while (i < end) {
      const value = valueOf(bytes, i, end);
      if (value === CURSOR_FAILED) return false;
      if (startsWith(bytes, i, end, isNew ? KEY_SIZE : KEY_NEW_SIZE)) {
        if (!this.decimal(bytes, value, end, sizeDecimals, ORDER_SIZE)) return false;
      } else if (startsWith(bytes, i, end, KEY_ORIG_SIZE)) {
        if (!this.decimal(bytes, value, end, sizeDecimals, ORDER_SIZE_BEFORE)) return false;
      } else if (startsWith(bytes, i, end, KEY_BEFORE)) {
        if (readWhole(bytes, value, end) < 0) return false;
        event[ORDER_BEFORE_ID] = Read.Value;
      }
      i = skipValue(bytes, value, end);
      if (i < 0) return false;
      if (bytes[i] === 0x7d) break;
      i++;
    }
    return event[ORDER_SIZE]! >= 0;
  }

  private decimal(
    bytes: Uint8Array,
    at: number,
    end: number,
    decimals: number,
    index: number,
  ): boolean {
    if (readDecimal(bytes, at, end, decimals) < 0) {
      // A text that is a decimal, only not at these places, is a matter of precision.
      this.fault = bytes[at] === 0x22 ? DiffFault.Precision : DiffFault.Malformed;
      return false;
    }
    this.event[index] = Read.Value;
    return true;
  }
}

/** Puts an order's identity, learned from its status, into its `new` event. */
export function identify(
  event: Float64Array,
  placedMs: number,
  attributes: number,
  clientId: Float64Array,
  clientIdAt: number,
): void {
  event[ORDER_PLACED_MS] = placedMs;
  event[ORDER_ATTRIBUTES] = attributes;
  for (let i = 0; i < CLIENT_ID_WORDS; i++) event[ORDER_CLIENT_ID + i] = clientId[clientIdAt + i]!;
}
