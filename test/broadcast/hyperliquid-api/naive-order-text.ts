/** An order of an l4Book Snapshot as one writes it without thinking of speed: what bytes are held against. */
import {
  numberText,
  sideText,
  wordsText,
} from '../../../src/broadcast/hyperliquid-api/api-text.js';
import type { Instrument } from '../../../src/domain/instrument.js';
import { OrderAttribute, OrderType, TimeInForce } from '../../../src/domain/order-attributes.js';
import { CLIENT_ID_WORDS, OWNER_WORDS } from '../../../src/domain/order-identities.js';
import type { OrderLedger } from '../../../src/domain/order-ledger.js';

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [OrderType.Unknown]: 'Limit',
  [OrderType.Limit]: 'Limit',
  [OrderType.Market]: 'Market',
  [OrderType.StopLimit]: 'Stop Limit',
  [OrderType.StopMarket]: 'Stop Market',
  [OrderType.TakeProfitLimit]: 'Take Profit Limit',
  [OrderType.TakeProfitMarket]: 'Take Profit Market',
};
/** An order whose status was never seen is a system's: those rest as Alo orders. */
const TIF_NAMES: Readonly<Record<number, string>> = {
  [TimeInForce.Unknown]: '"Alo"',
  [TimeInForce.Gtc]: '"Gtc"',
  [TimeInForce.Alo]: '"Alo"',
  // What rests of an immediate order does so as a good-til-cancelled one.
  [TimeInForce.Ioc]: '"Gtc"',
  [TimeInForce.FrontendMarket]: '"FrontendMarket"',
};

/** A resting order: one of an l4Book Snapshot. */
export function orderText(
  ledger: OrderLedger,
  slot: number,
  coinJson: string,
  instrument: Instrument,
  places: number,
): string {
  const { identities } = ledger;
  const attributes = identities.attributes(slot);
  const type = (attributes & OrderAttribute.OrderTypeMask) >>> OrderAttribute.OrderTypeShift;
  const isTriggered = (attributes & OrderAttribute.Triggered) !== 0;
  const tif = TIF_NAMES[attributes & OrderAttribute.TimeInForceMask] ?? 'null';
  const hasClientId = (attributes & OrderAttribute.HasClientId) !== 0;
  const cloid = hasClientId
    ? `"${wordsText(identities.words, identities.clientIdAt(slot), CLIENT_ID_WORDS)}"`
    : 'null';
  return (
    `{"user":"${wordsText(identities.words, identities.ownerAt(slot), OWNER_WORDS)}"` +
    `,"coin":${coinJson},"side":"${sideText(ledger.sideOf(slot))}"` +
    `,"limitPx":"${numberText(ledger.priceOf(slot), instrument.priceDecimals, places)}"` +
    `,"sz":"${numberText(ledger.sizeOf(slot), instrument.sizeDecimals, places)}"` +
    `,"oid":${ledger.idOf(slot)},"timestamp":${identities.placedMs(slot)}` +
    `,"triggerCondition":"${isTriggered ? 'Triggered' : 'N/A'}","isTrigger":false` +
    // The node prints 0.0 for orders in the book, triggered ones too.
    `,"triggerPx":"0.0","isPositionTpsl":${(attributes & OrderAttribute.PositionTpsl) !== 0}` +
    `,"reduceOnly":${(attributes & OrderAttribute.ReduceOnly) !== 0}` +
    `,"orderType":"${TYPE_NAMES[type] ?? 'Limit'}","tif":${tif},"cloid":${cloid}}`
  );
}
