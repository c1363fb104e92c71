/**
 * Puts an ingest agent together on its thread, from shared memory and plain values. A shell; cold.
 */
import type { Channel } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import { Prng } from '../domain/prng.js';
import { DoorbellRinger } from '../rings/doorbell.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { RingProducer } from '../rings/ring-producer.js';
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { Venue } from '../venues/venue.js';
import type { FileVenue } from '../venues/venue.js';
import { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import type { DefinitionSource } from './definition-watch.js';
import { Ingest } from './ingest.js';
import type { IngestBudgets, IngestReporter } from './ingest.js';
import type { IngestCounters } from './ingest-counters.js';
import { LeanTransport } from './lean-transport.js';
import { INGEST_LIMITS } from './limits.js';
import { UndiciTransport } from './undici-transport.js';
import type { WebSocketTransport } from './transport.js';
import { FileAlarm } from './file-alarm.js';
import { NodeFilesIngest } from './node-files-ingest.js';
import { RawStatuses } from './raw-statuses.js';
import { DemandFlags } from '../rings/demand-flags.js';
import type { NodeReport } from './node-files-options.js';
import type { NodeCounters } from './node-files-counters.js';
import type { NodeData } from './node-data.js';
import { snapshotsOf } from './node-snapshots.js';
import type { SnapshotPlaces } from './node-snapshots.js';
import type { UrlPolicy } from './url-guard.js';
import { WsTransport } from './ws-transport.js';

export interface IngestWiring {
  readonly venue: Venue;
  readonly instruments: readonly Instrument[];
  readonly channels: readonly Channel[];
  /** One a shard: its ring, the bell of the thread that reads it, and its wishes. */
  readonly shards: readonly {
    readonly feed: SharedArrayBuffer;
    readonly bell: SharedArrayBuffer;
    readonly wanted: SharedArrayBuffer;
  }[];
  readonly shardOf: Int32Array;
  readonly counters: IngestCounters;
  readonly budgets: IngestBudgets;
  /** Keeps them over restarts of the process. */
  readonly budgetFile?: string | undefined;
  readonly scheduler: Scheduler;
  readonly timeline: Timeline;
  readonly seed: number;
  /** The venue was pointed elsewhere by the configuration: this machine, a gateway, a simulator. */
  readonly allowPrivate: boolean;
  /** This thread replaces one that ended. */
  readonly takeover: boolean;
  readonly reporter: IngestReporter;
  /** createDefinitionTable */
  readonly definitionTable: SharedArrayBuffer;
  readonly definitions?: DefinitionSource | undefined;
  /** `lean` is ours and reads several times as fast (bench receive); `ws` is there to fall back on. */
  readonly webSocketClient?: 'lean' | 'ws';
}

/** REST connections to one origin: the snapshots that may be under way at a time. */
const REST_CONNECTIONS_MAX = INGEST_LIMITS.snapshotConcurrencyMax;

export function assembleIngest(wiring: IngestWiring): { agent: Ingest; http: UndiciTransport } {
  const { venue, scheduler, allowPrivate } = wiring;
  const rings = wiring.shards.map(({ feed, bell }) => ({
    ring: new RingProducer(feed),
    bell: new DoorbellRinger(bell),
  }));
  if (wiring.takeover) {
    // The books must not trust that what comes now continues what came before.
    for (const { ring } of rings) ring.announceNewWriter();
  }
  const http = new UndiciTransport({ allowPrivate, connectionsMax: REST_CONNECTIONS_MAX });
  const agent = new Ingest({
    venue,
    rings,
    instruments: wiring.instruments,
    channels: wiring.channels,
    shardOf: wiring.shardOf,
    wanted: wiring.shards.map(({ wanted }) => new RingConsumer(wanted)),
    clock: scheduler,
    prng: new Prng(wiring.seed),
    timeline: wiring.timeline,
    transports: {
      http,
      webSocket: createWebSocketTransport(wiring),
    },
    counters: wiring.counters,
    budgets: wiring.budgets,
    ...(wiring.budgetFile === undefined ? {} : { budgetFile: wiring.budgetFile }),
    reporter: wiring.reporter,
    definitionTable: wiring.definitionTable,
    ...(wiring.definitions === undefined ? {} : { definitions: wiring.definitions }),
    takeover: wiring.takeover,
  });
  return { agent, http };
}

function createWebSocketTransport(wiring: IngestWiring): WebSocketTransport {
  const options = {
    allowPrivate: wiring.allowPrivate,
    clock: wiring.scheduler,
    frameBytesMax: wiring.venue.limits.frameBytesMax,
    handshakeMsMax: INGEST_LIMITS.handshakeMsMax,
  };
  return wiring.webSocketClient === 'ws' ? new WsTransport(options) : new LeanTransport(options);
}

interface RawWay {
  readonly ring: SharedArrayBuffer;
  readonly bell: SharedArrayBuffer;
  readonly demand: SharedArrayBuffer;
}

export interface NodeFilesWiring extends Pick<
  IngestWiring,
  'instruments' | 'shards' | 'shardOf' | 'scheduler' | 'timeline' | 'takeover'
> {
  readonly venue: FileVenue;
  readonly data: NodeData;
  readonly places: SnapshotPlaces;
  readonly policy: UrlPolicy;
  readonly isWanted: (coin: string) => boolean;
  readonly validateEveryNs: number;
  readonly fromBeginning: boolean;
  /** Raw statuses to the broadcast thread; absent where nobody could read them. */
  readonly raw?: RawWay | undefined;
  readonly counters: NodeCounters;
  readonly report: (report: NodeReport) => void;
}

/** @param onGrown the files have grown: the thread should have a turn */
export function assembleNodeFiles(
  wiring: NodeFilesWiring,
  onGrown: () => void,
): { agent: NodeFilesIngest; http: UndiciTransport; alarm: FileAlarm } {
  const rings = wiring.shards.map(({ feed, bell }) => ({
    ring: new RingProducer(feed),
    bell: new DoorbellRinger(bell),
  }));
  if (wiring.takeover) {
    for (const { ring } of rings) ring.announceNewWriter();
  }
  const http = new UndiciTransport({ ...wiring.policy, connectionsMax: 1 });
  const instruments = new NodeInstruments(wiring.instruments);
  const isStreaming = wiring.data.layout === 'streaming';
  const agent = new NodeFilesIngest({
    roots: wiring.data.roots,
    isStreaming,
    instruments,
    rawStatuses: wiring.raw && rawStatusesOf(wiring.raw, instruments, isStreaming),
    rings,
    shardOf: wiring.shardOf,
    wanted: wiring.shards.map(({ wanted }) => new RingConsumer(wanted)),
    timeline: wiring.timeline,
    snapshots: snapshotsOf(wiring.places, http),
    report: wiring.report,
    validateEveryNs: wiring.validateEveryNs,
    fromBeginning: wiring.fromBeginning,
    isWanted: wiring.isWanted,
    counters: wiring.counters,
  });
  const alarm = new FileAlarm({
    roots: Object.values(wiring.data.roots),
    onGrown,
    onFiles: () => agent.lookAgain(),
    bytesRead: () => agent.bytesRead,
  });
  return { agent, http, alarm };
}

function rawStatusesOf(
  way: RawWay,
  instruments: NodeInstruments,
  isStreaming: boolean,
): RawStatuses {
  return new RawStatuses(
    instruments,
    new RingProducer(way.ring),
    new DoorbellRinger(way.bell),
    new DemandFlags(way.demand),
    isStreaming,
  );
}
