/** Puts a broadcast agent together on its thread, from shared memory and plain values. A shell; cold. */
import { fileURLToPath } from 'node:url';
import type { Instrument } from '../domain/instrument.js';
import { HistogramWriter } from '../rings/latency-histogram.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import { DemandFlags } from '../rings/demand-flags.js';
import { BroadcastAgent } from './broadcast-agent.js';
import type { NumberFormat } from './hyperliquid-api/api-text.js';
import { type ApiOptions, apiExtras } from './hyperliquid-api/hyperliquid-api.js';
import type { Pages } from './http-routes.js';
import { resolveLimits } from './limits.js';
import { UwsServer } from './uws-server.js';

export interface BroadcastWiring {
  readonly instruments: readonly Instrument[];
  /** The venue tells every order. */
  readonly orders: boolean;
  readonly contexts: boolean;
  /** The way of raw statuses, if there is one. */
  readonly raw?:
    { readonly ring: SharedArrayBuffer; readonly demand: SharedArrayBuffer } | undefined;
  /** What the venue says of its markets will come by `onVenueInfo`. */
  readonly awaitsVenueInfo: boolean;
  /** The books' output rings. */
  readonly rings: readonly SharedArrayBuffer[];
  readonly counters: SharedArrayBuffer;
  readonly histograms: SharedArrayBuffer;
  readonly rows: { readonly appliedToPublished: number; readonly receivedToPublished: number };
  readonly server: BroadcastServerWiring;
  readonly scheduler: Scheduler;
  readonly timeline: Timeline;
  readonly version: string;
  readonly pages: Pages;
  /** This thread replaces one that ended. */
  readonly takeover: boolean;
}

export interface BroadcastServerWiring {
  readonly host: string;
  readonly port: number;
  readonly token?: string | undefined;
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** The venue's own JSON API, where the venue tells every order. */
  readonly api: boolean;
  readonly apiNumbers: NumberFormat;
  readonly apiCompression: boolean;
}

/** Where the build puts the dashboard: dist/dashboard, beside dist/src. */
const DASHBOARD = new URL('../../dashboard', import.meta.url);

export interface BroadcastPart {
  readonly agent: BroadcastAgent;
  start(): Promise<number>;
  windUp(): Promise<void>;
  onVenueInfo(answers: ReadonlyMap<string, string>): void;
}

export function assembleBroadcast(wiring: BroadcastWiring): BroadcastPart {
  const { server, histograms, rows } = wiring;
  const { tlsCertFile: certFile, tlsKeyFile: keyFile } = server;
  const overrides = {
    connectionsMax: server.connections,
    connectionsPerAddressMax: server.connectionsPerAddress,
  };
  const limits = resolveLimits(overrides);
  const inputs = wiring.rings.map((ring) => new RingConsumer(ring));
  if (wiring.takeover) {
    // The mirrors are empty: the books have to tell everything again.
    for (const input of inputs) input.announceNewReader();
  }
  const hasApi = wiring.orders && server.api;
  const agent = new BroadcastAgent({
    instruments: wiring.instruments,
    orders: wiring.orders,
    contexts: wiring.contexts,
    inputs,
    server: new UwsServer({
      limits,
      ...(hasApi ? { extras: apiExtras(server.apiCompression) } : {}),
      ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }),
    }),
    clock: wiring.scheduler,
    timeline: wiring.timeline,
    counters: wiring.counters,
    appliedToPublished: new HistogramWriter(histograms, rows.appliedToPublished),
    receivedToPublished: new HistogramWriter(histograms, rows.receivedToPublished),
    security: {
      token: server.token,
      allowedOrigins: server.allowedOrigins,
      allowedHosts: server.allowedHosts,
    },
    limits: overrides,
    dashboardDirectory: fileURLToPath(DASHBOARD),
    pages: wiring.pages,
    version: wiring.version,
    api: hasApi
      ? {
          numberFormat: server.apiNumbers,
          raw: rawOf(wiring.raw),
          awaitsInfo: wiring.awaitsVenueInfo,
        }
      : undefined,
  });
  return {
    agent,
    start: () => agent.listen(server.host, server.port),
    windUp: () => agent.windUp(),
    onVenueInfo: (answers) => agent.onVenueInfo(answers),
  };
}

function rawOf(way: BroadcastWiring['raw']): ApiOptions['raw'] {
  return way === undefined
    ? undefined
    : { ring: new RingConsumer(way.ring), demand: new DemandFlags(way.demand) };
}
