/**
 * The ingest room: venue sockets and REST snapshots in, feed events into the rings of the book shards.
 * Ingest thread. `doWork` polls the books' wishes and is called on every wake of the thread; sockets
 * and timers drive everything else from the event loop.
 *
 *     socket → FrameIntake → parser → [LineArbiter] → ShardRouter → ring → books
 *     books → ring → SnapshotSource → REST → ShardRouter → ring → books
 */
import type { Channel } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import type { Prng } from '../domain/prng.js';
import { invariant } from '../faults/invariant.js';
import { CounterTable } from '../rings/counters.js';
import { DefinitionWriter } from '../rings/definition-table.js';
import { RecordType, WANTED_INSTRUMENT } from '../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../rings/ring-consumer.js';
import type { Agent } from '../runtime/agent.js';
import type { Scheduler, TimeCell } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { Venue } from '../venues/venue.js';
import { BudgetFile } from './budget-file.js';
import type { ConnectionReport } from './connection-driver.js';
import { ConnectionDriver } from './connection-driver.js';
import type { ConnectionState } from './connection-words.js';
import type { DefinitionSource, DefinitionsAnswer } from './definition-watch.js';
import { DefinitionWatch } from './definition-watch.js';
import type { FaultSample } from './fault-sampler.js';
import { FaultSampler } from './fault-sampler.js';
import { FrameIntake } from './frame-intake.js';
import type { IngestCounters } from './ingest-counters.js';
import { CONNECTION_COLUMNS, VENUE_COLUMNS, VenueColumn } from './ingest-counters.js';
import type { IngestLimits } from './limits.js';
import { INGEST_LIMITS, assertLimits } from './limits.js';
import { RateLimit } from './rate-limit.js';
import type { ShardOutput } from './shard-router.js';
import { ShardRouter } from './shard-router.js';
import type { DurationSink, SnapshotReport } from './snapshot-source.js';
import { SnapshotSource } from './snapshot-source.js';
import { slotCount } from './stream-watch.js';
import type { HttpTransport, WebSocketTransport } from './transport.js';

/** What happens, for the log. Called on the ingest thread; rates are bounded by what they report. */
export interface IngestReporter {
  readonly onConnection?: (report: ConnectionReport) => void;
  readonly onSnapshot?: (report: SnapshotReport) => void;
  readonly onFault?: (sample: FaultSample) => void;
}

/** State of the venue's budgets; made by the main thread so that it outlives this one. */
export interface IngestBudgets {
  /** createRateLimitState(venue.limits.connectAttempts, limits.budgetShare). */
  readonly connectAttempts: SharedArrayBuffer;
  /** createRateLimitState(venue.limits.restWeight, limits.budgetShare). */
  readonly restWeight: SharedArrayBuffer;
}

export interface IngestOptions {
  readonly venue: Venue;
  readonly instruments: readonly Instrument[];
  readonly channels: readonly Channel[];
  /** One a shard. */
  readonly rings: readonly ShardOutput[];
  /** Shard of each instrument id. */
  readonly shardOf: Int32Array;
  /** Books → ingest, one a shard. */
  readonly wanted: readonly RingConsumer[];
  readonly clock: Scheduler;
  readonly prng: Prng;
  readonly timeline: Timeline;
  readonly transports: { readonly webSocket: WebSocketTransport; readonly http: HttpTransport };
  readonly counters: IngestCounters;
  readonly budgets?: IngestBudgets;
  /** Where to keep what was spent of the venue's limits over restarts of the process; else nowhere. */
  readonly budgetFile?: string;
  readonly histograms?: { readonly snapshot?: DurationSink };
  readonly reporter?: IngestReporter;
  /** Who asks the venue for its instruments while we run; without it they stay what they are. */
  readonly definitions?: DefinitionSource;
  /** createDefinitionTable: kept up to date for other threads. */
  readonly definitionTable?: SharedArrayBuffer;
  /** This ingest replaces another: the books are told what it takes their instruments for. */
  readonly takeover?: boolean;
  readonly limits?: Partial<IngestLimits>;
}

/** How often it is looked at how much of the venue's budget is used. */
const SHOW_BUDGET_NS = 1e6;

/** Reads one books → ingest ring. */
class WantedReader implements RecordHandler {
  private readonly ring: RingConsumer;
  private readonly snapshots: SnapshotSource;
  private now: TimeCell = new Float64Array(1);

  constructor(ring: RingConsumer, snapshots: SnapshotSource) {
    this.ring = ring;
    this.snapshots = snapshots;
  }

  poll(recordsMax: number, now: TimeCell): number {
    this.now = now;
    return this.ring.poll(this, recordsMax);
  }

  onRecord(typeId: number, slot: number): void {
    if (typeId !== RecordType.SnapshotWanted) return;
    this.snapshots.want(this.ring.doubles[slot + WANTED_INSTRUMENT]!, this.now[0]!);
  }
}

export class Ingest implements Agent {
  readonly name = 'ingest';
  private readonly options: IngestOptions;
  private readonly limits: IngestLimits;
  private readonly router: ShardRouter;
  private readonly attempts: RateLimit;
  private readonly sampler: FaultSampler;
  private readonly snapshots: SnapshotSource;
  private readonly readers: readonly WantedReader[];
  private readonly intake: FrameIntake;
  private readonly drivers: readonly ConnectionDriver[];
  private readonly definitions: DefinitionWatch | null;
  private readonly definitionRows: DefinitionWriter | null;
  private readonly venueCounters: CounterTable;
  private budgetShownNs = -Infinity;
  private closed = false;

  constructor(options: IngestOptions) {
    this.options = options;
    const { venue, budgets, counters, reporter } = options;
    this.limits = { ...INGEST_LIMITS, ...options.limits };
    assertLimits(this.limits);
    const { budgetShare, burstShare, faultSamplesPerMinute, faultSampleBytesMax } = this.limits;
    const { connectAttempts } = venue.limits;
    this.venueCounters = new CounterTable(counters.venue, VENUE_COLUMNS);
    this.router = new ShardRouter(options.rings, options.shardOf);
    this.attempts = new RateLimit(
      connectAttempts,
      budgetShare,
      burstShare,
      budgets?.connectAttempts,
    );
    this.sampler = new FaultSampler(faultSamplesPerMinute, faultSampleBytesMax, (sample) =>
      reporter?.onFault?.(sample),
    );
    const weight = this.createRestBudget();
    const { definitions, definitionTable: table } = options;
    this.definitions = definitions === undefined ? null : this.createWatch(definitions, weight);
    this.definitionRows = table === undefined ? null : new DefinitionWriter(table);
    this.snapshots = this.createSnapshotSource(weight);
    this.readers = options.wanted.map((ring) => new WantedReader(ring, this.snapshots));
    this.intake = this.createIntake();
    this.drivers = this.createDrivers();
  }

  /** Opens all connections, within the venue's budget. */
  start(): void {
    const nowNs = this.options.clock.nowNs();
    if (this.options.takeover === true) {
      for (const instrument of this.options.instruments) this.define(instrument, nowNs);
    }
    this.definitions?.start(nowNs);
    for (const driver of this.drivers) driver.start(nowNs);
    this.router.flush();
  }

  /** What came of asking for the instruments; `changed` are others from the next frame on. */
  onDefinitions(answer: DefinitionsAnswer): void {
    const nowNs = this.options.clock.nowNs();
    if (answer.outcome === 'told') {
      this.venueCounters.add(0, VenueColumn.DefinitionsChanged, answer.changed.length);
      for (const instrument of answer.changed) {
        this.intake.redefine(instrument);
        for (const driver of this.drivers) driver.redefine(instrument.id);
        this.define(instrument, nowNs);
        this.snapshots.redefine(instrument, nowNs);
      }
      this.router.flush();
    }
    this.definitions?.onAnswer(answer, nowNs);
  }

  /** In the order that DefinitionTable asks for. */
  private define(instrument: Instrument, nowNs: number): void {
    this.router.flush();
    this.definitionRows?.write(instrument.id, instrument);
    this.router.writeDefinition(instrument, nowNs);
  }

  doWork(now: TimeCell): number {
    let work = 0;
    for (let i = 0; i < this.readers.length; i++) {
      work += this.readers[i]!.poll(this.limits.wantedRecordsMax, now);
    }
    // What a full ring refused to take waits here for room.
    this.router.flush();
    this.publishCounters();
    const { definitions } = this;
    if (definitions !== null && now[0]! >= definitions.dueNs) definitions.onTime(now[0]!);
    if (now[0]! - this.budgetShownNs >= SHOW_BUDGET_NS) this.showBudget(now[0]!);
    return work;
  }

  /** Says goodbye on every socket; they are closed within limits.closeMsMax (`isClosed`). */
  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    const nowNs = this.options.clock.nowNs();
    this.snapshots.stop();
    this.definitions?.stop();
    for (const driver of this.drivers) driver.stop(nowNs);
    this.router.flush();
    this.publishCounters();
    this.showBudget(nowNs);
  }

  get isClosed(): boolean {
    return this.closed && this.drivers.every((driver) => driver.isIdle);
  }

  /** State of each connection, by row of the counters. For tests and diagnosis. */
  get connectionStates(): readonly ConnectionState[] {
    return this.drivers.map((driver) => driver.machine.state);
  }

  private createRestBudget(): RateLimit {
    const { venue, budgets } = this.options;
    const { budgetShare, burstShare } = this.limits;
    const weight = new RateLimit(
      venue.limits.restWeight,
      budgetShare,
      burstShare,
      budgets?.restWeight,
    );
    this.keepBudgets(weight);
    return weight;
  }

  private createWatch(source: DefinitionSource, budget: RateLimit): DefinitionWatch {
    const { limits, venueCounters: counters } = this;
    return new DefinitionWatch({ source, budget, prng: this.options.prng, limits, counters });
  }

  private readonly onPrecision = (instrumentId: number, nowNs: number): void => {
    this.definitions?.doubt(instrumentId, nowNs);
  };

  private createSnapshotSource(weight: RateLimit): SnapshotSource {
    const { venue, histograms, reporter, instruments, prng, timeline } = this.options;
    return new SnapshotSource({
      venue,
      instruments,
      prng,
      timeline,
      weight,
      http: this.options.transports.http,
      router: this.router,
      scheduler: this.options.clock,
      limits: this.limits,
      counters: this.venueCounters,
      sampler: this.sampler,
      ...(histograms?.snapshot === undefined ? {} : { latency: histograms.snapshot }),
      ...(reporter?.onSnapshot === undefined ? {} : { onReport: reporter.onSnapshot }),
      onPrecision: this.onPrecision,
    });
  }

  private keepBudgets(restWeight: RateLimit): void {
    const { budgetFile, timeline, clock } = this.options;
    if (budgetFile === undefined) return;
    const connectAttempts = this.attempts;
    const file = new BudgetFile(budgetFile, timeline, { connectAttempts, restWeight });
    file.open(clock.nowNs());
    connectAttempts.onTaken = (nowNs) => file.save(nowNs);
    restWeight.onTaken = (nowNs) => file.save(nowNs);
  }

  private createIntake(): FrameIntake {
    const { venue, instruments, timeline, counters, transports } = this.options;
    const intake = new FrameIntake({
      createParser: (sink) => venue.createParser(instruments, timeline, sink),
      router: this.router,
      counters: new CounterTable(counters.connections, CONNECTION_COLUMNS),
      sampler: this.sampler,
      onPrecision: this.onPrecision,
    });
    const { receiveBuffer } = intake;
    if (receiveBuffer !== null) transports.webSocket.useReadBuffer?.(receiveBuffer);
    return intake;
  }

  private createDrivers(): ConnectionDriver[] {
    const { venue, instruments, channels, timeline, prng, reporter, counters } = this.options;
    const { intake } = this;
    const table = new CounterTable(counters.connections, CONNECTION_COLUMNS);
    const plans = venue.planConnections(instruments, channels);
    invariant(table.rows >= plans.length, 'a row of counters for each connection');
    const slots = slotCount(instruments.reduce((most, { id }) => Math.max(most, id), 0));
    const { webSocket } = this.options.transports;
    return plans.map(
      (plan, row) =>
        new ConnectionDriver({
          plan,
          row,
          venue,
          timeline,
          prng,
          slots,
          intake,
          limits: this.limits,
          attempts: this.attempts,
          scheduler: this.options.clock,
          webSocket,
          router: this.router,
          counters: table,
          ...(reporter?.onConnection === undefined ? {} : { onReport: reporter.onConnection }),
        }),
    );
  }

  private publishCounters(): void {
    const { venueCounters: table, router } = this;
    table.set(0, VenueColumn.EventsAccepted, router.accepted);
    table.set(0, VenueColumn.EventsDropped, router.dropped);
    table.set(0, VenueColumn.EventsTooLarge, router.tooLarge);
    table.set(0, VenueColumn.FaultsSuppressed, this.sampler.suppressed);
  }

  private showBudget(nowNs: number): void {
    this.budgetShownNs = nowNs;
    const used = this.attempts.usedWeight(nowNs);
    this.venueCounters.set(0, VenueColumn.ConnectBudgetUsed, used);
  }
}
