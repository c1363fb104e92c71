/**
 * The fast scanner of Hyperliquid's contexts: activeAssetCtx (a coin a second) and allMids (all coins,
 * 19 kB every 5 s) → ContextUpdates. Ingest thread, warm; it allocates nothing once the scratch has grown.
 *
 * As scan.ts it only accepts or declines. Names of a context may come in any order; one that is not
 * known, or stands twice, declines the frame, since the strict parser refuses names that stand twice.
 */
import { Channel } from '../../domain/channel.js';
import { ContextField, DOUBLES_PER_DECIMAL, contextBit } from '../../domain/context-fields.js';
import { EventFlag } from '../../domain/event-flags.js';
import * as Record from '../../rings/record-types.js';
import { SCAN_FAILED, scanPlainString, scanPlainValue, wordOf } from '../byte-scan.js';
import { beginContext, scanExactDecimal } from '../context-scan.js';
import { NO_SYMBOL, SymbolTable } from '../symbol-table.js';
import type { FrameScratch } from './frame-scratch.js';
import { CONTEXT_TOLD, CONTEXT_VALUES, IMPACT_PRICES, UNUSED_CONTEXT_VALUES } from './messages.js';
import { Literal } from './scan-literal.js';

const COMMA = 0x2c;
const QUOTE = 0x22;
const COLON = 0x3a;
const CLOSE_BRACE = 0x7d;
const NULL = wordOf('null');

const ASSET_HEAD = new Literal('{"channel":"activeAssetCtx","data":{"coin":"');
const SPOT_HEAD = new Literal('{"channel":"activeSpotAssetCtx","data":{"coin":"');
const MIDS_HEAD = new Literal('{"channel":"allMids","data":{"mids":{');
const CONTEXT = new Literal(',"ctx":{');
const END = new Literal('}}}');
const PAIR_OPEN = wordOf('["  ') & 0xffff;
const PAIR_BETWEEN = new Literal('","');
const PAIR_CLOSE = wordOf('"]  ') & 0xffff;

/** All names of a context that are known; a name's index is its bit. */
const NAMES: readonly string[] = [
  ...CONTEXT_VALUES.keys(),
  IMPACT_PRICES,
  ...UNUSED_CONTEXT_VALUES,
];
const FIELD_OF = Int32Array.from(NAMES, (name) => CONTEXT_VALUES.get(name) ?? -1);
const IMPACT_INDEX = NAMES.indexOf(IMPACT_PRICES);
const NAMES_TABLE = new SymbolTable(NAMES);

export class ContextScanner {
  private view: DataView = new DataView(new ArrayBuffer(0));
  private bytes: Uint8Array = new Uint8Array(0);
  private end = 0;
  /** By index of a coin: the frame in which it was last seen among the mids. */
  private readonly seenIn: Float64Array;
  private frame = 0;
  private readonly unused = new Float64Array(1);

  constructor(
    private readonly symbols: SymbolTable,
    private readonly ids: Int32Array,
    private readonly scratch: FrameScratch,
  ) {
    this.seenIn = new Float64Array(ids.length);
  }

  /** The position behind the frame that begins at `at`, or SCAN_FAILED. */
  scan(view: DataView, bytes: Uint8Array, at: number, end: number): number {
    this.view = view;
    this.bytes = bytes;
    this.end = end;
    this.scratch.channel = Channel.Context;
    this.scratch.recordType = Record.RecordType.ContextUpdate;
    this.scratch.doubles = Record.CONTEXT_UPDATE_DOUBLES;
    const mids = MIDS_HEAD.pass(view, at);
    if (mids >= 0) return this.mids(mids);
    const asset = ASSET_HEAD.pass(view, at);
    return this.asset(asset >= 0 ? asset : SPOT_HEAD.pass(view, at));
  }

  private asset(at: number): number {
    const stop = at < 0 ? at : scanPlainString(this.view, at, this.end);
    const index = stop < 0 ? NO_SYMBOL : this.symbols.find(this.bytes, at, stop - 1);
    if (index === NO_SYMBOL) return SCAN_FAILED;
    const { scratch } = this;
    scratch.instrumentId = this.ids[index]!;
    const { event } = scratch;
    beginContext(event, scratch.instrumentId, EventFlag.Last);
    event[Record.CONTEXT_TOLD] = CONTEXT_TOLD;
    at = CONTEXT.pass(this.view, stop);
    at = at < 0 ? at : this.members(at, event);
    return at < 0 ? at : END.pass(this.view, at - 1);
  }

  /** The members of a context, to behind its closing brace. */
  private members(at: number, event: Float64Array): number {
    const { view } = this;
    let seen = 0;
    for (;;) {
      if (view.getUint8(at) !== QUOTE) return SCAN_FAILED;
      const stop = scanPlainString(view, at + 1, this.end);
      if (stop < 0 || view.getUint8(stop) !== COLON) return SCAN_FAILED;
      const index = NAMES_TABLE.find(this.bytes, at + 1, stop - 1);
      if (index === NO_SYMBOL || (seen & (1 << index)) !== 0) return SCAN_FAILED;
      seen |= 1 << index;
      at = this.member(index, stop + 1, event);
      if (at < 0 || at > this.end) return SCAN_FAILED;
      const next = view.getUint8(at++);
      if (next === CLOSE_BRACE) return at;
      if (next !== COMMA) return SCAN_FAILED;
    }
  }

  private member(index: number, at: number, event: Float64Array): number {
    const { view } = this;
    const field = FIELD_OF[index]!;
    if (index === IMPACT_INDEX) return this.impactPrices(at, event);
    if (field < 0) return scanPlainValue(view, at, this.end, this.unused);
    if (view.getInt32(at, true) === NULL) return at + 4;
    if (view.getUint8(at) !== QUOTE) return SCAN_FAILED;
    at = this.value(field, at + 1, event);
    return at < 0 ? at : at + 1;
  }

  /** `["84143.0","84144.0"]` or null */
  private impactPrices(at: number, event: Float64Array): number {
    const { view } = this;
    if (view.getInt32(at, true) === NULL) return at + 4;
    if (view.getUint16(at, true) !== PAIR_OPEN) return SCAN_FAILED;
    at = this.value(ContextField.ImpactBidPrice, at + 2, event);
    at = at < 0 ? at : PAIR_BETWEEN.pass(view, at);
    at = at < 0 ? at : this.value(ContextField.ImpactAskPrice, at, event);
    return at >= 0 && view.getUint16(at, true) === PAIR_CLOSE ? at + 2 : SCAN_FAILED;
  }

  /** From behind the opening quote to the closing one. */
  private value(field: number, at: number, event: Float64Array): number {
    const index = Record.CONTEXT_VALUES + field * DOUBLES_PER_DECIMAL;
    at = scanExactDecimal(this.view, at, event, index);
    if (at >= 0) event[Record.CONTEXT_PRESENT]! |= 1 << field;
    return at;
  }

  /** `"BTC":"80868.5","@142":"80907.5",…` */
  private mids(at: number): number {
    const { view, scratch } = this;
    this.frame++;
    for (;;) {
      if (view.getUint8(at) !== QUOTE) return SCAN_FAILED;
      const stop = scanPlainString(view, at + 1, this.end);
      if (stop < 0 || view.getUint8(stop) !== COLON || view.getUint8(stop + 1) !== QUOTE) {
        return SCAN_FAILED;
      }
      const index = this.symbols.find(this.bytes, at + 1, stop - 1);
      at =
        index === NO_SYMBOL ? scanPlainString(view, stop + 2, this.end) : this.mid(index, stop + 2);
      if (at < 0 || at > this.end) return SCAN_FAILED;
      const next = view.getUint8(at);
      if (next === COMMA) at++;
      else break;
    }
    // Without a coin of ours it says nothing: the strict parser is to say so.
    return scratch.eventsCount === 0 ? SCAN_FAILED : END.pass(view, at);
  }

  private mid(index: number, at: number): number {
    if (this.seenIn[index] === this.frame) return SCAN_FAILED;
    this.seenIn[index] = this.frame;
    const { scratch } = this;
    const event = scratch.nextEvent();
    beginContext(event, this.ids[index]!, EventFlag.Last);
    event[Record.CONTEXT_TOLD] = contextBit(ContextField.MidPrice);
    at = this.value(ContextField.MidPrice, at, event);
    scratch.eventsCount++;
    return at < 0 ? at : at + 1;
  }
}
