/** Hyperliquid's public WebSocket as a venue. Its node's files are another: `hyperliquid-node`. */
import type { Venue, VenueOptions } from '../venue.js';
import { HyperliquidCaptureScout } from './capture.js';
import { endpointsFrom, infoRequest, LIMITS, META_WEIGHT } from './endpoints.js';
import { instrumentsRequests, readInstruments, readListed, VENUE_ID } from './instruments.js';
import { HyperliquidParser } from './parse.js';
import { BlockTimeSequencer } from './sequencer.js';
import { readSnapshot, snapshotRequest } from './snapshot.js';
import { Subscriptions } from './subscribe.js';
import { settingsFrom } from './symbols.js';

/** Throws FaultError BAD_CONFIG. */
export function createHyperliquid(options: VenueOptions): Venue {
  const settings = settingsFrom(options.settings ?? {});
  const endpoints = endpointsFrom(options);
  const subscriptions = new Subscriptions(settings, endpoints);
  return {
    id: VENUE_ID,
    title: 'Hyperliquid (public WebSocket)',
    capabilities: {
      snapshot: 'every-frame',
      orders: false,
      bookTicker: true,
      trades: true,
      contexts: true,
    },
    limits: LIMITS,
    instrumentsRequest: () => infoRequest(endpoints, { type: 'meta' }, META_WEIGHT),
    instrumentsRequests: (symbols) => instrumentsRequests(symbols, settings, endpoints),
    readInstruments,
    readListed,
    planConnections: (instruments, channels) => subscriptions.plan(instruments, channels),
    createParser: (instruments, timeline, sink) =>
      new HyperliquidParser(instruments, timeline, sink),
    createSequencer: () => new BlockTimeSequencer(),
    readControl: (text) => subscriptions.readControl(text),
    snapshotRequest: (instrument) => snapshotRequest(instrument, endpoints),
    readSnapshot: (body, instrument, receivedNs, timeline, sink) =>
      readSnapshot(body, instrument, settings, receivedNs, timeline, sink),
    createCaptureScout: () => new HyperliquidCaptureScout(),
  };
}
