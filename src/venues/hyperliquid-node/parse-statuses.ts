/**
 * Order statuses give a resting order its identity: when it was placed, its client id, time in
 * force, type. They are 99 % of the node's bytes and 95 % of them are rejections that never rested,
 * so nothing but the statuses that can rest are looked at: a search for their exact bytes jumps over
 * the rest of the line. The bytes cannot stand inside a JSON string, where quotes are escaped. Lines in a
 * memory with a scanner are searched once for all kinds, others by `indexOf` for each.
 *
 *     {"time":"…","user":"0x…","hash":null,"builder":null,"status":"open","order":{…}}
 *
 * Ingest thread, hot: a line of 400 KB every 70 ms.
 */
import { IdTable, NOT_FOUND } from '../../domain/id-table.js';
import { OrderAttribute, TimeInForce } from '../../domain/order-attributes.js';
import { ORDER_ID } from '../../rings/record-types.js';
import { type LineMemory, StatusKind } from '../scan/line-memory.js';
import { NO_SYMBOL } from '../symbol-table.js';
import { Claim, type ClaimTaker, NO_CLAIMS } from './claims.js';
import { ascii, startsWith } from './json-cursor.js';
import type { NodeInstruments } from './node-instruments.js';
import { OrderScan } from './order-scan.js';
import { identify } from './parse-diffs.js';

/** The statuses after which an order can rest. */
const OPEN = Buffer.from('"status":"open"');
const TRIGGERED = Buffer.from('"status":"triggered"');
const CANCELED = Buffer.from('"status":"canceled"');
const ORDER = ascii(',"order":');
/** From a status' opening quote to the first letter of its value. */
const TO_VALUE = 10;
const LETTER_O = 0x6f;

const CLIENT_ID_WORDS = 4;
/** Identities kept for orders whose diff has not come; a block has a few dozen. */
const IDENTITIES_FIRST = 256;

export class StatusScanner {
  private readonly instruments: NodeInstruments;
  private readonly claims: ClaimTaker;
  private readonly memory: LineMemory | null;
  /** Where the orders of `triggered` statuses stand: they are read after the open ones. */
  private readonly triggered: number[] = [];
  private readonly scan = new OrderScan();
  private readonly byId = new IdTable(IDENTITIES_FIRST);
  private oid = new Float64Array(IDENTITIES_FIRST);
  private height = new Float64Array(IDENTITIES_FIRST);
  private placedMs = new Float64Array(IDENTITIES_FIRST);
  private attributes = new Int32Array(IDENTITIES_FIRST);
  private clientId = new Float64Array(IDENTITIES_FIRST * CLIENT_ID_WORDS);
  private count = 0;
  /** Statuses of the wanted kinds that could not be read. */
  unreadable = 0;

  /**
   * @param claims hears what they say about the diffs of their block
   * @param memory where lines may stand that its own scanner searches
   */
  constructor(
    instruments: NodeInstruments,
    claims: ClaimTaker = NO_CLAIMS,
    memory: LineMemory | null = null,
  ) {
    this.instruments = instruments;
    this.claims = claims;
    this.memory = memory;
  }

  /** Identities held. */
  get held(): number {
    return this.count;
  }

  /**
   * Learns from the statuses in `line[start … end)`, of block `height`. Returns how many identities
   * they gave.
   */
  learn(line: Buffer, start: number, end: number, height: number): number {
    const { memory } = this;
    if (memory !== null && line === memory.lines) {
      return this.learnAtOnce(memory, line, start, end, height);
    }
    return (
      this.collect(line, start, end, OPEN, height, 0) +
      this.collect(line, start, end, TRIGGERED, height, OrderAttribute.Triggered)
    );
  }

  /** Claims of the orders that are gone; only where blocks may be missing unseen (streaming). */
  learnGone(line: Buffer, start: number, end: number, height: number): void {
    const { memory } = this;
    const isInMemory = memory !== null && line === memory.lines;
    const text = isInMemory ? null : line.subarray(0, end);
    let at = start;
    for (;;) {
      if (text === null) at = memory!.findStatus(at, end, StatusKind.Canceled);
      else at = text.indexOf(CANCELED, at);
      if (at < 0 || at >= end) return;
      at += CANCELED.length;
      if (!startsWith(line, at, end, ORDER)) continue;
      if (this.scan.read(line, at + ORDER.length, end) < 0) continue;
      if (this.isPostOnly(line)) this.claims.onClaim(height, this.scan.oid, Claim.Gone);
    }
  }

  /** The order read last can only rest, and is one of ours. */
  private isPostOnly(line: Buffer): boolean {
    const { attributes, isTrigger, coinAt, coinEnd } = this.scan;
    if (isTrigger || (attributes & OrderAttribute.TimeInForceMask) !== TimeInForce.Alo)
      return false;
    return this.instruments.symbols.find(line, coinAt, coinEnd) !== NO_SYMBOL;
  }

  /** As one `collect` for each kind: each status is found, but none inside of one of its own kind. */
  private learnAtOnce(
    memory: LineMemory,
    line: Buffer,
    start: number,
    end: number,
    height: number,
  ): number {
    const kinds = StatusKind.Open | StatusKind.Triggered;
    const { triggered } = this;
    triggered.length = 0;
    let found = 0;
    let behindOpen = start;
    let behindTriggered = start;
    let at = memory.findStatus(start, end, kinds);
    while (at < end) {
      if (line[at + TO_VALUE] !== LETTER_O) {
        if (at >= behindTriggered) triggered.push((behindTriggered = at + TRIGGERED.length));
      } else if (at >= behindOpen) {
        behindOpen = at + OPEN.length;
        found += this.take(line, behindOpen, end, height, 0);
      }
      at = memory.findStatus(at + 1, end, kinds);
    }
    for (let i = 0; i < triggered.length; i++) {
      found += this.take(line, triggered[i]!, end, height, OrderAttribute.Triggered);
    }
    return found;
  }

  private collect(
    line: Buffer,
    start: number,
    end: number,
    needle: Buffer,
    height: number,
    also: number,
  ): number {
    const text = line.subarray(0, end);
    let found = 0;
    for (let at = text.indexOf(needle, start); at >= 0; at = text.indexOf(needle, at)) {
      at += needle.length;
      found += this.take(line, at, end, height, also);
    }
    return found;
  }

  /** The status whose order follows at `at`; 1 if it gave an identity. */
  private take(line: Buffer, at: number, end: number, height: number, also: number): number {
    const { scan } = this;
    if (!startsWith(line, at, end, ORDER) || scan.read(line, at + ORDER.length, end) < 0) {
      this.unreadable++;
      return 0;
    }
    if (scan.isTrigger && also === 0) return 0;
    if (this.instruments.symbols.find(line, scan.coinAt, scan.coinEnd) === NO_SYMBOL) return 0;
    this.keep(height, also);
    if (also === 0 && (scan.attributes & OrderAttribute.TimeInForceMask) === TimeInForce.Alo)
      this.claims.onClaim(height, scan.oid, Claim.New);
    return 1;
  }

  private keep(height: number, also: number): void {
    const { scan } = this;
    let slot = this.byId.get(scan.oid);
    if (slot === NOT_FOUND) {
      if (this.count === this.oid.length) this.grow();
      slot = this.count++;
      this.byId.set(scan.oid, slot);
    }
    this.oid[slot] = scan.oid;
    this.height[slot] = height;
    this.placedMs[slot] = scan.placedMs;
    this.attributes[slot] = scan.attributes | also;
    for (let i = 0; i < CLIENT_ID_WORDS; i++) {
      this.clientId[slot * CLIENT_ID_WORDS + i] = scan.clientId[i]!;
    }
  }

  /** Puts the identity of the event's order into it; false if its status was not seen. */
  identify(event: Float64Array): boolean {
    const slot = this.byId.get(event[ORDER_ID]!);
    if (slot === NOT_FOUND) return false;
    const at = slot * CLIENT_ID_WORDS;
    identify(event, this.placedMs[slot]!, this.attributes[slot]!, this.clientId, at);
    return true;
  }

  /** Forgets the identities of blocks up to `height`. */
  forget(height: number): void {
    let kept = 0;
    for (let slot = 0; slot < this.count; slot++) {
      if (this.height[slot]! <= height) continue;
      this.oid[kept] = this.oid[slot]!;
      this.height[kept] = this.height[slot]!;
      this.placedMs[kept] = this.placedMs[slot]!;
      this.attributes[kept] = this.attributes[slot]!;
      this.clientId.copyWithin(
        kept * CLIENT_ID_WORDS,
        slot * CLIENT_ID_WORDS,
        (slot + 1) * CLIENT_ID_WORDS,
      );
      kept++;
    }
    if (this.count === 0) return;
    this.count = kept;
    this.byId.clear();
    for (let slot = 0; slot < kept; slot++) this.byId.set(this.oid[slot]!, slot);
  }

  private grow(): void {
    const size = this.oid.length * 2;
    const widen = (column: Float64Array, length: number): Float64Array<ArrayBuffer> => {
      const wider = new Float64Array(length);
      wider.set(column);
      return wider;
    };
    this.oid = widen(this.oid, size);
    this.height = widen(this.height, size);
    this.placedMs = widen(this.placedMs, size);
    this.clientId = widen(this.clientId, size * CLIENT_ID_WORDS);
    const attributes = new Int32Array(size);
    attributes.set(this.attributes);
    this.attributes = attributes;
  }
}
