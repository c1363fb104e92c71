/** All venues that the node knows. Cold. A new venue is a folder here and a line in this table. */
import { FaultError } from '../faults/fault.js';
import { VENUE_ID as BINANCE_FUTURES } from './binance-futures/instruments.js';
import { createBinanceFutures } from './binance-futures/venue.js';
import { VENUE_ID as HYPERLIQUID } from './hyperliquid/instruments.js';
import { createHyperliquid } from './hyperliquid/venue.js';
import type { Venue, VenueOptions } from './venue.js';

const VENUES: Readonly<Record<string, (options: VenueOptions) => Venue>> = {
  [BINANCE_FUTURES]: createBinanceFutures,
  [HYPERLIQUID]: createHyperliquid,
};

export function venueIds(): string[] {
  return Object.keys(VENUES);
}

/** Throws FaultError UNKNOWN_VENUE, or BAD_CONFIG for options that the venue does not take. */
export function venueById(id: string, options: VenueOptions = {}): Venue {
  const create = Object.hasOwn(VENUES, id) ? VENUES[id] : undefined;
  if (create === undefined) {
    throw new FaultError('UNKNOWN_VENUE', `no venue ${id}; known: ${venueIds().join(', ')}`);
  }
  return create(options);
}
