/** Binance USDⓈ-M futures as a venue. The same dialect reads COIN-M captures. */
import { FuturesParser } from './parse.js';
import type { Venue, VenueOptions } from '../venue.js';
import { FuturesCaptureScout } from './capture.js';
import { endpointsFrom, LIMITS, readUsedWeight } from './endpoints.js';
import { instrumentsRequest, readInstruments, readListed, VENUE_ID } from './instruments.js';
import { FuturesSequencer } from './sequencer.js';
import { SnapshotReader, snapshotRequest } from './snapshot.js';
import { planConnections, readControl } from './subscribe.js';
import { settingsFrom } from './symbols.js';

/** Throws FaultError BAD_CONFIG. */
export function createBinanceFutures(options: VenueOptions): Venue {
  const settings = settingsFrom(options.settings ?? {});
  const endpoints = endpointsFrom(options);
  const snapshots = new SnapshotReader();
  return {
    id: VENUE_ID,
    title: 'Binance USDⓈ-M futures',
    capabilities: {
      snapshot: 'rest',
      orders: false,
      bookTicker: true,
      trades: true,
      contexts: true,
    },
    limits: LIMITS,
    instrumentsRequest: () => instrumentsRequest(endpoints),
    readInstruments,
    readListed,
    planConnections: (instruments, channels) =>
      planConnections(instruments, channels, settings, endpoints),
    createParser: (instruments, timeline, sink) =>
      settings.scanner === 'js'
        ? new FuturesParser(instruments, settings.trades, timeline, sink, Infinity)
        : new FuturesParser(instruments, settings.trades, timeline, sink),
    createSequencer: () => new FuturesSequencer(),
    readControl,
    snapshotRequest: (instrument) => snapshotRequest(instrument, settings, endpoints),
    readUsedWeight,
    readSnapshot: (body, instrument, receivedNs, timeline, sink) =>
      snapshots.read(body, instrument, receivedNs, timeline, sink),
    createCaptureScout: () => new FuturesCaptureScout(),
  };
}
