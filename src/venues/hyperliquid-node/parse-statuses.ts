/**
 * Order statuses give a resting order its identity: when it was placed, its client id, time in
 * force, type. They are 99 % of the node's bytes and 95 % of them are rejections that never rested,
 * so nothing but the statuses that can rest are looked at: a search for their exact bytes jumps over
 * the rest of the line. The bytes cannot stand inside a JSON string, where quotes are escaped.
 *
 *     {"time":"…","user":"0x…","hash":null,"builder":null,"status":"open","order":{…}}
 *
 * Ingest thread, hot: a line of 400 KB every 70 ms.
 */
import { IdTable, NOT_FOUND } from '../../domain/id-table.js';
import { OrderAttribute, TimeInForce } from '../../domain/order-attributes.js';
import { ORDER_ID } from '../../rings/record-types.js';
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

const CLIENT_ID_WORDS = 4;
/** Identities kept for orders whose diff has not come; a block has a few dozen. */
const IDENTITIES_FIRST = 256;

export class StatusScanner {
  private readonly instruments: NodeInstruments;
  private readonly claims: ClaimTaker;
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

  /** @param claims hears what they say about the diffs of their block */
  constructor(instruments: NodeInstruments, claims: ClaimTaker = NO_CLAIMS) {
    this.instruments = instruments;
    this.claims = claims;
  }

  /** Identities held. */
  get held(): number {
    return this.count;
  }

  /** Learns from a line of statuses of block `height`. Returns how many identities it gave. */
  learn(line: Buffer, height: number): number {
    return (
      this.collect(line, OPEN, height, 0) +
      this.collect(line, TRIGGERED, height, OrderAttribute.Triggered)
    );
  }

  /** Claims of the orders that are gone; only where blocks may be missing unseen (streaming). */
  learnGone(line: Buffer, height: number): void {
    const end = line.length;
    for (let at = line.indexOf(CANCELED, 0); at >= 0;) {
      const order = at + CANCELED.length;
      at = line.indexOf(CANCELED, order);
      if (!startsWith(line, order, end, ORDER)) continue;
      if (this.scan.read(line, order + ORDER.length, end) < 0) continue;
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

  private collect(line: Buffer, needle: Buffer, height: number, also: number): number {
    const end = line.length;
    let found = 0;
    let at = line.indexOf(needle, 0);
    while (at >= 0) {
      const order = at + needle.length;
      at = line.indexOf(needle, order);
      const opens = order + ORDER.length;
      if (!startsWith(line, order, end, ORDER) || this.scan.read(line, opens, end) < 0) {
        this.unreadable++;
        continue;
      }
      if (this.scan.isTrigger && also === 0) continue;
      if (this.instruments.symbols.find(line, this.scan.coinAt, this.scan.coinEnd) === NO_SYMBOL)
        continue;
      this.keep(height, also);
      if (also === 0 && (this.scan.attributes & OrderAttribute.TimeInForceMask) === TimeInForce.Alo)
        this.claims.onClaim(height, this.scan.oid, Claim.New);
      found++;
    }
    return found;
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
