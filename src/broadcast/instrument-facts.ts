/**
 * What clients are told of an instrument as the venue defines it now, by `instruments` and over HTTP.
 * Broadcast thread; cold.
 */
import { formatDecimal } from '../domain/decimal.js';
import { tradingName } from '../domain/definition.js';
import type { Instrument } from '../domain/instrument.js';

export function factsOf(instrument: Instrument) {
  const { base, quote, kind, priceDecimals, sizeDecimals, tickSize, lotSize, trading } = instrument;
  return {
    base,
    quote,
    kind,
    priceDecimals,
    sizeDecimals,
    tickSize: formatDecimal(tickSize, priceDecimals),
    lotSize: formatDecimal(lotSize, sizeDecimals),
    trading: tradingName(trading),
  };
}
