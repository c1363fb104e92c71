/** An Ingest on the virtual clock with memory transports, and what its books would read. */
import { Channel } from '../../src/domain/channel.js';
import { Prng } from '../../src/domain/prng.js';
import { Ingest } from '../../src/ingest/ingest.js';
import type { ConnectionReport } from '../../src/ingest/connection-driver.js';
import type { FaultSample } from '../../src/ingest/fault-sampler.js';
import {
  CONNECTION_COLUMNS,
  VENUE_COLUMNS,
  createIngestCounters,
} from '../../src/ingest/ingest-counters.js';
import type { IngestLimits } from '../../src/ingest/limits.js';
import type { SnapshotReport } from '../../src/ingest/snapshot-source.js';
import type { IngestBudgets } from '../../src/ingest/ingest.js';
import { CounterTable } from '../../src/rings/counters.js';
import { DoorbellRinger, createDoorbell } from '../../src/rings/doorbell.js';
import {
  INSTRUMENT,
  REFUSED_REASON,
  RETRY_AFTER_NS,
  RecordType,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  SNAPSHOT_WANTED_DOUBLES,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SourceState,
  WANTED_INSTRUMENT,
} from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import type { Venue } from '../../src/venues/venue.js';
import { MemoryHttpTransport } from './memory-http.js';
import { MemoryWebSocketTransport } from './memory-web-socket.js';
import { toyInstruments } from './toy-venue.js';
import { timeCell } from '../../src/time/clock.js';

export const MS = 1e6;

export interface HarnessOptions {
  readonly venue: Venue;
  readonly instruments?: number;
  readonly channels?: readonly Channel[];
  readonly shards?: number;
  readonly ringWords?: number;
  readonly limits?: Partial<IngestLimits>;
  readonly seed?: number;
  readonly clock?: VirtualClock;
  readonly budgets?: IngestBudgets;
  readonly budgetFile?: string;
}

const STATE_NAMES = Object.fromEntries(
  Object.entries(SourceState).map(([name, value]) => [value, name]),
) as Record<number, string>;

export class IngestHarness {
  readonly clock: VirtualClock;
  readonly sockets: MemoryWebSocketTransport;
  readonly http: MemoryHttpTransport;
  readonly ingest: Ingest;
  readonly connections: CounterTable;
  readonly venueRow: CounterTable;
  readonly reports: ConnectionReport[] = [];
  readonly snapshots: SnapshotReport[] = [];
  readonly faults: FaultSample[] = [];
  /** What the books read, as words: `d 0 12`, `Up 0 book 0`, `refused 0 11 1000ms`. */
  readonly events: string[] = [];
  private readonly feeds: RingConsumer[];
  private readonly wanted: RingProducer;

  constructor(options: HarnessOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.sockets = new MemoryWebSocketTransport(this.clock);
    this.http = new MemoryHttpTransport(this.clock);
    const instruments = toyInstruments(options.instruments ?? 1);
    const shards = options.shards ?? 1;
    const rings = Array.from({ length: shards }, () => createRing(options.ringWords ?? 2 ** 16));
    this.feeds = rings.map((ring) => new RingConsumer(ring));
    const wanted = createRing(2 ** 14);
    this.wanted = new RingProducer(wanted);
    const counters = createIngestCounters(4);
    this.connections = new CounterTable(counters.connections, CONNECTION_COLUMNS);
    this.venueRow = new CounterTable(counters.venue, VENUE_COLUMNS);
    this.ingest = new Ingest({
      venue: options.venue,
      instruments,
      channels: options.channels ?? [Channel.Book, Channel.Trades],
      rings: rings.map((ring) => ({
        ring: new RingProducer(ring),
        bell: new DoorbellRinger(createDoorbell()),
      })),
      shardOf: new Int32Array(instruments.length).map((_, id) => id % shards),
      wanted: [new RingConsumer(wanted)],
      clock: this.clock,
      prng: new Prng(options.seed ?? 1),
      timeline: new Timeline(1_790_000_000_000_000_000n),
      transports: { webSocket: this.sockets, http: this.http },
      counters,
      ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
      ...(options.budgetFile === undefined ? {} : { budgetFile: options.budgetFile }),
      reporter: {
        onConnection: (report) => this.reports.push(report),
        onSnapshot: (report) => this.snapshots.push(report),
        onFault: (sample) => this.faults.push(sample),
      },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
  }

  start(): this {
    this.ingest.start();
    return this;
  }

  /** Moves the clock, then reads the rings. */
  advance(ms: number): this {
    this.clock.advanceBy(ms * MS);
    this.ingest.doWork(timeCell(this.clock.nowNs()));
    this.read();
    return this;
  }

  want(instrumentId: number): void {
    const slot = this.wanted.tryClaim(RecordType.SnapshotWanted, SNAPSHOT_WANTED_DOUBLES * 8);
    this.wanted.doubles.fill(0, slot, slot + SNAPSHOT_WANTED_DOUBLES);
    this.wanted.doubles[slot + WANTED_INSTRUMENT] = instrumentId;
    this.wanted.commit();
    this.ingest.doWork(timeCell(this.clock.nowNs()));
  }

  /** Takes what was read since the last call. */
  take(): string[] {
    this.read();
    return this.events.splice(0);
  }

  read(recordsMax = 1e6): void {
    for (const feed of this.feeds) {
      const { doubles } = feed;
      feed.poll(
        { onRecord: (type, slot) => this.events.push(words(type, doubles, slot)) },
        recordsMax,
      );
    }
  }
}

function words(type: number, doubles: Float64Array, slot: number): string {
  const id = doubles[slot + INSTRUMENT]!;
  const last = doubles[slot + SEQUENCE_LAST]!;
  switch (type) {
    case RecordType.DepthUpdate:
      return `d ${id} ${doubles[slot + SEQUENCE_PREVIOUS]}..${last}`;
    case RecordType.DepthSnapshot:
      return `snapshot ${id} ${last}`;
    case RecordType.BookTicker:
      return `b ${id} ${last}`;
    case RecordType.Trade:
      return `t ${id} ${last}`;
    case RecordType.SourceState: {
      const state = STATE_NAMES[doubles[slot + SOURCE_STATE]!]!;
      return `${state} ${id} ${doubles[slot + SOURCE_CHANNEL]} ${doubles[slot + SOURCE_REASON]}`;
    }
    case RecordType.SnapshotRefused: {
      const ms = Math.round(doubles[slot + RETRY_AFTER_NS]! / MS);
      return `refused ${id} ${doubles[slot + REFUSED_REASON]} ${ms}ms`;
    }
    default:
      return `type ${type}`;
  }
}
