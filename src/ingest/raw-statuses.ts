/**
 * Order statuses as the node wrote them, on their way to readers of the venue's own API: the events of
 * the instruments that somebody reads are cut out of the lines and handed to the broadcast thread, past
 * the books. Ingest thread; costs nothing while nobody reads, else one pass over the line.
 *
 * The way to the books comes first: a part that finds no room is dropped and counted, never waited for.
 */
import { EventFlag } from '../domain/event-flags.js';
import type { DemandFlags } from '../rings/demand-flags.js';
import type { DoorbellRinger } from '../rings/doorbell.js';
import {
  ABSENT,
  RAW_BLOCK_NS,
  RAW_BYTES,
  RAW_FLAGS,
  RAW_HEIGHT,
  RAW_INSTRUMENT,
  RAW_TEXTS,
  RecordType,
} from '../rings/record-types.js';
import type { RingProducer } from '../rings/ring-producer.js';
import { skipValue } from '../venues/hyperliquid-node/json-cursor.js';
import type { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { NO_SYMBOL } from '../venues/symbol-table.js';

/** Texts of one record. */
const PART_BYTES_MAX = 64 * 1024;
const COMMA = 0x2c;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
/** Stands in no string of the line: quotes are escaped there. */
const COIN = Buffer.from('"order":{"coin":"');

export class RawStatuses {
  private readonly instruments: NodeInstruments;
  private readonly ring: RingProducer;
  private readonly bell: DoorbellRinger;
  private readonly demand: DemandFlags;
  private readonly isStreaming: boolean;
  private readonly bytes: Uint8Array;
  /** Start and end of each event of an instrument in the line. */
  private readonly found = new Map<number, number[]>();
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
    for (const [id, ranges] of this.found) this.tell(id, line, ranges, height, blockNs);
    this.found.clear();
    if (!this.isStreaming) this.tellEnds(height, blockNs);
    this.ring.commit();
    this.bell.ring();
  }

  private collect(line: Buffer, eventsAt: number, end: number): void {
    let at = eventsAt;
    while (at < end && line[at] === 0x7b) {
      const close = skipValue(line, at, end);
      if (close < 0) return;
      const id = this.instrumentAt(line, at, close);
      if (id >= 0) {
        const ranges = this.found.get(id);
        if (ranges === undefined) this.found.set(id, [at, close]);
        else ranges.push(at, close);
      }
      at = line[close] === COMMA ? close + 1 : close;
    }
  }

  /** Of the event in these bytes, if somebody reads it; else -1. */
  private instrumentAt(line: Buffer, at: number, end: number): number {
    const key = line.indexOf(COIN, at);
    if (key < 0 || key >= end) return -1;
    const coin = key + COIN.length;
    const symbol = this.instruments.symbols.find(line, coin, line.indexOf(QUOTE, coin));
    if (symbol === NO_SYMBOL) return -1;
    const id = this.instruments.idOf(symbol);
    return this.demand.isSet(id) ? id : -1;
  }

  private tell(
    id: number,
    line: Buffer,
    ranges: readonly number[],
    height: number,
    blockNs: number,
  ): void {
    let first = 0;
    let bytes = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      const length = ranges[i + 1]! - ranges[i]! + 1;
      if (bytes > 0 && bytes + length > PART_BYTES_MAX) {
        this.write(id, line, ranges, first, i, bytes, height, blockNs);
        first = i;
        bytes = 0;
      }
      bytes += length;
    }
    this.write(id, line, ranges, first, ranges.length, bytes, height, blockNs);
  }

  private write(
    id: number,
    line: Buffer,
    ranges: readonly number[],
    first: number,
    beyond: number,
    bytes: number,
    height: number,
    blockNs: number,
  ): void {
    const slot = this.claim(id, bytes, height, blockNs, 0);
    if (slot < 0) {
      this.lost += (beyond - first) / 2;
      return;
    }
    let to = (slot + RAW_TEXTS) * 8;
    for (let i = first; i < beyond; i += 2) {
      this.bytes.set(line.subarray(ranges[i]!, ranges[i + 1]!), to);
      to += ranges[i + 1]! - ranges[i]!;
      this.bytes[to++] = NEWLINE;
    }
  }

  private tellEnds(height: number, blockNs: number): void {
    for (const { id } of this.instruments.instruments) {
      if (this.demand.isSet(id)) this.claim(id, 0, height, blockNs, EventFlag.Last);
    }
  }

  private claim(id: number, bytes: number, height: number, blockNs: number, flags: number): number {
    const { ring } = this;
    const slot = ring.tryClaim(RecordType.RawStatuses, (RAW_TEXTS + Math.ceil(bytes / 8)) * 8);
    if (slot < 0) return slot;
    const { doubles } = ring;
    doubles[slot + RAW_INSTRUMENT] = id;
    doubles[slot + RAW_FLAGS] = flags;
    doubles[slot + RAW_BLOCK_NS] = blockNs;
    doubles[slot + RAW_HEIGHT] = height;
    doubles[slot + RAW_BYTES] = bytes;
    return slot;
  }
}
