/** Where a venue is reached: its own addresses, or those that the configuration puts in their place. Cold. */
import { FaultError } from '../faults/fault.js';
import type { EndpointOverrides } from './venue.js';

export interface Endpoints {
  /** Without a slash at the end. */
  readonly restUrl: string;
  readonly webSocketUrl: string;
}

/** Throws FaultError BAD_CONFIG for an override that is no URL of the right scheme. */
export function endpointsOf(production: Endpoints, overrides: EndpointOverrides): Endpoints {
  return {
    restUrl: checked(overrides.restUrl ?? production.restUrl, ['http:', 'https:']),
    webSocketUrl: checked(overrides.webSocketUrl ?? production.webSocketUrl, ['ws:', 'wss:']),
  };
}

function checked(text: string, schemes: readonly string[]): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !schemes.includes(url.protocol)) {
    throw new FaultError('BAD_CONFIG', `expected a ${schemes.join('// or ')}// URL, got ${text}`);
  }
  return text.replace(/\/+$/, '');
}
