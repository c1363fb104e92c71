/** All venues that the node knows. Cold. A new venue is a folder here and a line in this table. */
import { FaultError } from '../faults/fault.js';
import { VENUE_ID as BINANCE_FUTURES } from './binance-futures/instruments.js';
import { createBinanceFutures } from './binance-futures/venue.js';
import { VENUE_ID as HYPERLIQUID } from './hyperliquid/instruments.js';
import { createHyperliquid } from './hyperliquid/venue.js';
import { VENUE_ID as HYPERLIQUID_NODE } from './hyperliquid-node/coins.js';
import { createHyperliquidNode } from './hyperliquid-node/venue.js';
import type { AnyVenue, FileVenue, Venue, VenueOptions } from './venue.js';

const VENUES: Readonly<Record<string, (options: VenueOptions) => Venue>> = {
  [BINANCE_FUTURES]: createBinanceFutures,
  [HYPERLIQUID]: createHyperliquid,
};

const FILE_VENUES: Readonly<Record<string, (options: VenueOptions) => FileVenue>> = {
  [HYPERLIQUID_NODE]: createHyperliquidNode,
};

/** Venues reached through sockets. */
export function venueIds(): string[] {
  return Object.keys(VENUES);
}

/** Venues of either kind. */
export function anyVenueIds(): string[] {
  return [...Object.keys(VENUES), ...Object.keys(FILE_VENUES)];
}

/** Throws as venueById does. */
export function anyVenueById(id: string, options: VenueOptions = {}): AnyVenue {
  const create = Object.hasOwn(FILE_VENUES, id) ? FILE_VENUES[id] : undefined;
  return create === undefined ? venueById(id, options) : create(options);
}

/** Throws FaultError UNKNOWN_VENUE, or BAD_CONFIG for options that the venue does not take. */
export function venueById(id: string, options: VenueOptions = {}): Venue {
  const create = Object.hasOwn(VENUES, id) ? VENUES[id] : undefined;
  if (create === undefined) {
    throw new FaultError('UNKNOWN_VENUE', `no venue ${id}; known: ${anyVenueIds().join(', ')}`);
  }
  return create(options);
}
