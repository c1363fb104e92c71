/**
 * Order statuses on their way to readers of the venue's own API: the events of the instruments that
 * somebody reads are cut out of the lines and handed to the broadcast thread, past the books. Ingest
 * thread; costs nothing while nobody reads, else one pass over the line.
 *
 *     line ─▶ rows: where each event stands and is cut ─▶ by instrument ─▶ part (64 KB) ─▶ ring
 *
 * The way to the books comes first: a part that finds no room is dropped and counted, never waited
 * for, and the instrument's next record that finds room says how many were lost.
 */
import { EventFlag } from '../domain/event-flags.js';
import { type DemandFlags, Demand } from '../rings/demand-flags.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import {
  ABSENT,
  RAW_BLOCK_NS,
  RAW_BYTES,
  RAW_FLAGS,
  RAW_FORM,
  RAW_HEIGHT,
  RAW_INSTRUMENT,
  RAW_LOST,
  RAW_TEXTS,
  RecordType,
} from '../rings/record-types.js';
import type { RingProducer } from '../rings/ring-producer.js';
import { ascii, skipValue } from '../venues/hyperliquid-node/json-cursor.js';
import type { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import {
  CUTS,
  CUT_END,
  CUT_START,
  Cut,
  TOLD_BYTES_MORE,
  copyTold,
  cutStatus,
  toldText,
} from '../venues/hyperliquid-node/told-status.js';
import { NO_SYMBOL } from '../venues/symbol-table.js';

/** Texts of one record. */
const PART_BYTES_MAX = 64 * 1024;
const ROWS_FIRST = 1024;
const COMMA = 0x2c;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const OPEN_BRACE = 0x7b;
const NO_ROW = -1;
/** In place of a row's second cut: not as the node writes them. */
const UNUSUAL = -2;
/** Stands in no string of the line: quotes are escaped there. */
const COIN = Buffer.from(ascii('"order":{"coin":"'));

export class RawStatuses {
  private readonly instruments: NodeInstruments;
  private readonly ring: RingProducer;
  private readonly bell: DoorbellRinger;
  private readonly demand: DemandFlags;
  private readonly isStreaming: boolean;
  private readonly bytes: Uint8Array;
  /** Cuts of each event kept of the line; the next row of the same instrument. */
  private cuts = new Int32Array(ROWS_FIRST * CUTS);
  private nextRow = new Int32Array(ROWS_FIRST);
  private rows = 0;
  /** By instrument id. */
  private readonly firstRow: Int32Array;
  private readonly lastRow: Int32Array;
  private readonly lostOf: Float64Array;
  private hasUntold = false;
  /** Instruments of the line. */
  private readonly found: number[] = [];
  /** The part being made, and behind it, from `lineAt` on, the line: pieces are moved within it. */
  private memory = Buffer.allocUnsafe(PART_BYTES_MAX * 16);
  private lineAt = PART_BYTES_MAX * 2;
  /** Where in the buffer of lines it stands. */
  private lineFrom = 0;
  private lineEnd = 0;
  private partBytes = 0;
  private partEvents = 0;
  private height: number = ABSENT;
  private blockNs = 0;
  /** Statuses for which there was no room. */
  lost = 0;

  constructor(
    instruments: NodeInstruments,
    ring: RingProducer,
    bell: DoorbellRinger,
    demand: DemandFlags,
    isStreaming: boolean,
  ) {
    this.instruments = instruments;
    this.ring = ring;
    this.bell = bell;
    this.demand = demand;
    this.isStreaming = isStreaming;
    this.bytes = new Uint8Array(ring.doubles.buffer, ring.doubles.byteOffset);
    const ids = instruments.instruments.reduce((most, { id }) => Math.max(most, id), 0) + 1;
    this.firstRow = new Int32Array(ids).fill(NO_ROW);
    this.lastRow = new Int32Array(ids).fill(NO_ROW);
    this.lostOf = new Float64Array(ids);
  }

  /** A line of statuses whose events begin at `eventsAt`. */
  onLine(line: Buffer, eventsAt: number, end: number, height: number, blockNs: number): void {
    if (!this.demand.hasAny()) return;
    // A line is a block, or in streaming one status: then a block ends where the next one begins.
    if (this.isStreaming && this.height !== ABSENT && height > this.height) {
      this.tellEnds(this.height, this.blockNs);
    }
    this.height = height;
    this.blockNs = blockNs;
    this.collect(line, eventsAt, end);
    if (this.rows > 0) this.takeLine(line, eventsAt, end);
    for (let i = 0; i < this.found.length; i++) this.tell(this.found[i]!, line);
    this.found.length = 0;
    this.rows = 0;
    if (!this.isStreaming) this.tellEnds(height, blockNs);
    this.ring.commit();
    this.bell.ring();
  }

  /** Says what was lost as soon as there is room, also when nothing more comes. Every duty cycle. */
  tellLost(): void {
    if (!this.hasUntold) return;
    this.hasUntold = false;
    for (let id = 0; id < this.lostOf.length; id++) {
      if (this.lostOf[id] === 0) continue;
      const form = this.demand.of(id);
      if (form === Demand.None) this.lostOf[id] = 0;
      else if (this.claim(id, 0, this.height, this.blockNs, 0, form) < 0) this.hasUntold = true;
    }
    this.ring.commit();
    this.bell.ring();
  }

  private collect(line: Buffer, eventsAt: number, end: number): void {
    let at = eventsAt;
    while (at < end && line[at] === OPEN_BRACE) {
      if ((this.rows + 1) * CUTS > this.cuts.length) this.grow();
      const row = this.rows * CUTS;
      let close = cutStatus(line, at, end, this.cuts, row);
      let id = -1;
      if (close >= 0) {
        id = this.idOf(line, Cut.CoinAt, Cut.CoinEnd);
      } else {
        close = skipValue(line, at, end);
        if (close < 0) return;
        id = this.instrumentOfUnusual(line, at, close);
        this.cuts[row + 1] = UNUSUAL;
        this.cuts[row + CUT_END] = close;
      }
      if (id >= 0) this.keepRow(id);
      at = line[close] === COMMA ? close + 1 : close;
    }
  }

  private keepRow(id: number): void {
    const row = this.rows++;
    this.nextRow[row] = NO_ROW;
    if (this.firstRow[id] === NO_ROW) {
      this.firstRow[id] = row;
      this.found.push(id);
    } else {
      this.nextRow[this.lastRow[id]!] = row;
    }
    this.lastRow[id] = row;
  }

  private instrumentOfUnusual(line: Buffer, at: number, end: number): number {
    const key = line.indexOf(COIN, at);
    if (key < 0 || key >= end) return -1;
    const coin = key + COIN.length;
    return this.idOf(line, coin, line.indexOf(QUOTE, coin));
  }

  /** Of the coin with this name, if somebody reads it; else -1. */
  private idOf(line: Buffer, at: number, end: number): number {
    const symbol = this.instruments.symbols.find(line, at, end);
    if (symbol === NO_SYMBOL) return -1;
    const id = this.instruments.idOf(symbol);
    return this.demand.of(id) === Demand.None ? -1 : id;
  }

  private tell(id: number, line: Buffer): void {
    const form = this.demand.of(id);
    for (let row = this.firstRow[id]!; row !== NO_ROW; row = this.nextRow[row]!) {
      const at = row * CUTS;
      const bytes = this.cuts[at + CUT_END]! - this.cuts[at + CUT_START]! + TOLD_BYTES_MORE + 1;
      if (this.partBytes > 0 && this.partBytes + bytes > PART_BYTES_MAX) this.writePart(id, form);
      // The long way writes its text anew: escapes may make it longer.
      if (this.partBytes + 6 * bytes > this.lineAt) this.widenPart(line, 6 * bytes);
      this.addToPart(line, at, form);
    }
    this.writePart(id, form);
    this.firstRow[id] = NO_ROW;
  }

  private addToPart(line: Buffer, at: number, form: Demand): void {
    const { memory, cuts } = this;
    const shift = this.lineAt - this.lineFrom;
    const start = cuts[at + CUT_START]!;
    const end = cuts[at + CUT_END]!;
    let to = this.partBytes;
    if (form === Demand.Whole) {
      memory.copyWithin(to, shift + start, shift + end);
      to += end - start;
      memory[to++] = NEWLINE;
    } else if (cuts[at + 1] === UNUSUAL) {
      const text = toldText(line.toString('utf8', start, end));
      if (text === null) return;
      to += memory.write(text, to);
      memory[to++] = COMMA;
    } else {
      to = copyTold(memory, shift, cuts, at, to);
      memory[to++] = COMMA;
    }
    this.partBytes = to;
    this.partEvents++;
  }

  private writePart(id: number, form: Demand): void {
    const { partBytes, partEvents } = this;
    this.partBytes = this.partEvents = 0;
    if (partEvents === 0) return;
    // Without the last separator.
    const bytes = partBytes - 1;
    const slot = this.claim(id, bytes, this.height, this.blockNs, 0, form);
    if (slot < 0) {
      this.lost += partEvents;
      this.lostOf[id]! += partEvents;
      this.hasUntold = true;
      return;
    }
    this.bytes.set(this.memory.subarray(0, bytes), (slot + RAW_TEXTS) * 8);
  }

  private tellEnds(height: number, blockNs: number): void {
    const { instruments } = this.instruments;
    for (let i = 0; i < instruments.length; i++) {
      const { id } = instruments[i]!;
      const form = this.demand.of(id);
      if (form === Demand.None) this.lostOf[id] = 0;
      else this.claim(id, 0, height, blockNs, EventFlag.Last, form);
    }
  }

  private claim(
    id: number,
    bytes: number,
    height: number,
    blockNs: number,
    flags: number,
    form: Demand,
  ): number {
    const { ring } = this;
    const slot = ring.tryClaim(RecordType.RawStatuses, (RAW_TEXTS + Math.ceil(bytes / 8)) * 8);
    if (slot < 0) return slot;
    const { doubles } = ring;
    doubles[slot + RAW_INSTRUMENT] = id;
    doubles[slot + RAW_FLAGS] = flags;
    doubles[slot + RAW_BLOCK_NS] = blockNs;
    doubles[slot + RAW_HEIGHT] = height;
    doubles[slot + RAW_BYTES] = bytes;
    doubles[slot + RAW_FORM] = form;
    doubles[slot + RAW_LOST] = this.lostOf[id]!;
    this.lostOf[id] = 0;
    return slot;
  }

  /** The part's bytes so far stay; the line moves further back. */
  private widenPart(line: Buffer, bytes: number): void {
    this.lineAt = this.partBytes + bytes;
    this.takeLine(line, this.lineFrom, this.lineEnd);
  }

  private takeLine(line: Buffer, from: number, end: number): void {
    const bytes = this.lineAt + end - from;
    if (bytes > this.memory.length) {
      const wider = Buffer.allocUnsafe(bytes * 2);
      this.memory.copy(wider, 0, 0, this.partBytes);
      this.memory = wider;
    }
    this.lineFrom = from;
    this.lineEnd = end;
    line.copy(this.memory, this.lineAt, from, end);
  }

  private grow(): void {
    const cuts = new Int32Array(this.cuts.length * 2);
    cuts.set(this.cuts);
    this.cuts = cuts;
    const nextRow = new Int32Array(this.nextRow.length * 2);
    nextRow.set(this.nextRow);
    this.nextRow = nextRow;
  }
}
