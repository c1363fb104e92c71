/**
 * Resting orders as an l4Book Snapshot tells them, key by key in the original's order, as bytes. What
 * many orders share is spelled once: side and price once a level, everything that follows from the
 * attributes once a kind. Broadcast thread, warm: some 0.5 µs an order.
 */
import type { FrozenLedger } from '../../domain/frozen-ledger.js';
import type { Instrument } from '../../domain/instrument.js';
import { OrderAttribute, OrderType, TimeInForce } from '../../domain/order-attributes.js';
import { CLIENT_ID_WORDS, OWNER_WORDS } from '../../domain/order-identities.js';
import { numberText, sideText } from './api-text.js';
import type { AsciiWriter } from './ascii-writer.js';

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

const USER = ascii('{"user":"0x');
const OID = ascii('","oid":');
const TIMESTAMP = ascii(',"timestamp":');
const NULL = ascii('null}');
const ID_BEGIN = ascii('"0x');
const ID_END = ascii('"}');
/** Keys, names, addresses and the longest numbers: 420; and the coin's name once. */
const ORDER_BYTES_MAX = 512;
const COMMA = 0x2c;
/** Attributes are a few bits in a handful of combinations; a hostile stream cannot make it grow. */
const TAILS_MAX = 256;

export class OrderBytes {
  private readonly writer: AsciiWriter;
  private readonly instrument: Instrument;
  private readonly coinJson: string;
  private readonly places: number;
  private readonly bytesMax: number;
  private readonly tails = new Map<number, Uint8Array>();
  /** From the owner to the size: as of the level. */
  private level: Uint8Array = new Uint8Array(0);

  constructor(writer: AsciiWriter, instrument: Instrument, coinJson: string, places: number) {
    this.writer = writer;
    this.instrument = instrument;
    this.coinJson = coinJson;
    this.places = places;
    this.bytesMax = ORDER_BYTES_MAX + Buffer.byteLength(coinJson);
  }

  /** The orders written next are of this level. */
  beginLevel(side: number, price: number): void {
    const px = numberText(price, this.instrument.priceDecimals, this.places);
    this.level = ascii(
      `","coin":${this.coinJson},"side":"${sideText(side)}","limitPx":"${px}","sz":"`,
    );
  }

  write(orders: FrozenLedger, slot: number, isFirst: boolean): void {
    const { writer } = this;
    const { identities } = orders;
    writer.ensure(this.bytesMax);
    if (!isFirst) writer.byte(COMMA);
    writer.raw(USER);
    writer.hex(identities.words, identities.ownerAt(slot), OWNER_WORDS);
    writer.raw(this.level);
    writer.decimal(orders.sizeOf(slot), this.instrument.sizeDecimals, this.places);
    writer.raw(OID);
    writer.whole(orders.idOf(slot));
    writer.raw(TIMESTAMP);
    writer.whole(identities.placedMs(slot));
    const attributes = identities.attributes(slot);
    writer.raw(this.tails.get(attributes) ?? this.tailOf(attributes));
    if ((attributes & OrderAttribute.HasClientId) === 0) {
      writer.raw(NULL);
      return;
    }
    writer.raw(ID_BEGIN);
    writer.hex(identities.words, identities.clientIdAt(slot), CLIENT_ID_WORDS);
    writer.raw(ID_END);
  }

  private tailOf(attributes: number): Uint8Array {
    const type = (attributes & OrderAttribute.OrderTypeMask) >>> OrderAttribute.OrderTypeShift;
    const isTriggered = (attributes & OrderAttribute.Triggered) !== 0;
    const tif = TIF_NAMES[attributes & OrderAttribute.TimeInForceMask] ?? 'null';
    const tail = ascii(
      `,"triggerCondition":"${isTriggered ? 'Triggered' : 'N/A'}","isTrigger":false` +
        // The node prints 0.0 for orders in the book, triggered ones too.
        `,"triggerPx":"0.0","isPositionTpsl":${(attributes & OrderAttribute.PositionTpsl) !== 0}` +
        `,"reduceOnly":${(attributes & OrderAttribute.ReduceOnly) !== 0}` +
        `,"orderType":"${TYPE_NAMES[type] ?? 'Limit'}","tif":${tif},"cloid":`,
    );
    if (this.tails.size < TAILS_MAX) this.tails.set(attributes, tail);
    return tail;
  }
}

function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}
