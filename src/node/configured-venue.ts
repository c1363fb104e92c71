/** The venue that a configuration names, with what it says otherwise than the venue's defaults. Cold. */
import { FaultError } from '../faults/fault.js';
import type { NodeConfig } from '../ops/config-schema.js';
import { suggestion } from '../ops/suggest.js';
import { anyVenueIds } from '../venues/registry.js';
import type { VenueOptions } from '../venues/venue.js';

export interface ChosenVenue {
  readonly venueId: string;
  readonly venueOptions: VenueOptions;
}

/** Throws FaultError UNKNOWN_VENUE, with the nearest name that is known. */
export function assertVenueId(id: string): void {
  const known = anyVenueIds();
  if (known.includes(id)) return;
  const list = `known: ${known.join(', ')}${suggestion(id, known)}`;
  throw new FaultError('UNKNOWN_VENUE', `no venue "${id}"; ${list}`);
}

/** Throws as assertVenueId does. */
export function configuredVenue(venue: NodeConfig['venue']): ChosenVenue {
  const { id = '' } = venue;
  assertVenueId(id);
  return { venueId: id, venueOptions: overridesOf(venue) };
}

export function overridesOf(venue: NodeConfig['venue']): VenueOptions {
  return {
    ...(venue.restUrl === undefined ? {} : { restUrl: venue.restUrl }),
    ...(venue.webSocketUrl === undefined ? {} : { webSocketUrl: venue.webSocketUrl }),
    settings: venue.settings,
  };
}
