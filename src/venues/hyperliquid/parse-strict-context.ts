/** The strict parser's part for contexts: activeAssetCtx, activeSpotAssetCtx, allMids. Cold. */
import { Channel } from '../../domain/channel.js';
import { ContextField, DOUBLES_PER_DECIMAL, contextBit } from '../../domain/context-fields.js';
import { EventFlag } from '../../domain/event-flags.js';
import { parseExactDecimal } from '../../domain/exact-decimal.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import * as Record from '../../rings/record-types.js';
import { beginContext } from '../context-scan.js';
import { JsonNumber } from '../json-text.js';
import type { JsonObject, JsonValue } from '../json-text.js';
import { ParseResult } from '../venue.js';
import type { FrameScratch } from './frame-scratch.js';
import { CONTEXT_TOLD, CONTEXT_VALUES, IMPACT_PRICES } from './messages.js';
import { arrayOf, malformed, objectOf } from './strict-json.js';

export class StrictContexts {
  constructor(
    private readonly bySymbol: ReadonlyMap<string, Instrument>,
    private readonly scratch: FrameScratch,
  ) {}

  asset(data: JsonObject): ParseResult {
    const { scratch } = this;
    scratch.channel = Channel.Context;
    const coin = data.members.get('coin');
    if (typeof coin !== 'string') throw malformed('coin');
    const instrument = this.bySymbol.get(coin);
    if (instrument === undefined) return ParseResult.UnknownSymbol;
    scratch.instrumentId = instrument.id;
    const { event } = scratch;
    beginContext(event, instrument.id, EventFlag.Last);
    event[Record.CONTEXT_TOLD] = CONTEXT_TOLD;
    const { members } = objectOf(data.members.get('ctx'), 'ctx');
    for (const [name, field] of CONTEXT_VALUES) put(event, field, members.get(name));
    const impact = members.get(IMPACT_PRICES);
    if (impact !== undefined && impact !== null) {
      const prices = arrayOf(impact, IMPACT_PRICES);
      if (prices.length !== 2 || prices.includes(null)) throw malformed(IMPACT_PRICES);
      put(event, ContextField.ImpactBidPrice, prices[0]);
      put(event, ContextField.ImpactAskPrice, prices[1]);
    }
    return this.finish();
  }

  /** A mid that is no number ("junk" was seen on the testnet) is none, and keeps no other out. */
  mids(data: JsonObject): ParseResult {
    const { scratch } = this;
    scratch.channel = Channel.Context;
    const mids = objectOf(data.members.get('mids'), 'mids', (name) => this.bySymbol.has(name));
    for (const [coin, mid] of mids.members) {
      const instrument = this.bySymbol.get(coin);
      if (instrument === undefined) continue;
      const event = scratch.nextEvent();
      beginContext(event, instrument.id, EventFlag.Last);
      event[Record.CONTEXT_TOLD] = contextBit(ContextField.MidPrice);
      try {
        put(event, ContextField.MidPrice, mid);
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
      }
      scratch.eventsCount++;
    }
    return scratch.eventsCount === 0 ? ParseResult.Ignored : this.finish();
  }

  private finish(): ParseResult {
    this.scratch.recordType = Record.RecordType.ContextUpdate;
    this.scratch.doubles = Record.CONTEXT_UPDATE_DOUBLES;
    return ParseResult.Events;
  }
}

/** Nothing, or null, is no value. Documented as numbers, sent as texts: both are read. */
function put(event: Float64Array, field: ContextField, value: JsonValue | undefined): void {
  if (value === undefined || value === null) return;
  const text = value instanceof JsonNumber ? value.lexeme : value;
  if (typeof text !== 'string') throw malformed('context');
  parseExactDecimal(text, event, Record.CONTEXT_VALUES + field * DOUBLES_PER_DECIMAL);
  event[Record.CONTEXT_PRESENT]! |= contextBit(field);
}
