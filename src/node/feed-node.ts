/**
 * A feed node: brings up the threads that its topology names, keeps them alive, answers for their
 * health, and takes them down again in order. Main thread, cold.
 */
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import { channelsOf } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import type { AdminServer } from '../ops/admin-server.js';
import { AdminServer as Server } from '../ops/admin-server.js';
import type { NodeConfig } from '../ops/config-schema.js';
import type { HealthSources, Page } from '../ops/health.js';
import type { Log } from '../ops/log.js';
import { DefinitionReader } from '../rings/definition-table.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { anyVenueById } from '../venues/registry.js';
import type { AnyVenue, VenueOptions } from '../venues/venue.js';
import { allowedCores, Pinning, planAffinity } from './affinity.js';
import { BookStateLog } from './book-state-log.js';
import { chooseInstruments } from './chosen-instruments.js';
import { configuredVenue, overridesOf } from './configured-venue.js';
import type { ChosenVenue } from './configured-venue.js';
import type { NodeFilesPlan } from './node-files.js';
import { reloaderOf } from './instrument-reloader.js';
import type { InstrumentReloader } from './instrument-reloader.js';
import { LIMITS } from './limits.js';
import { allocate } from './memory.js';
import type { NodeMemory } from './memory.js';
import { NodeMetrics } from './node-metrics.js';
import { pageOf } from './node-pages.js';
import { markOrphanedBooks } from './orphaned-books.js';
import { stopInOrder } from './shutdown.js';
import { SimulatorThread } from './simulator-thread.js';
import { createSupervisor } from './supervision.js';
import type { EndReason, Supervisor } from './supervisor.js';
import { tableSizes } from './tables.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread, ToThread } from './thread-message.js';
import { createBooksPool, ENTRIES, LoopThread, LoopWorkers, PoolThread } from './threads.js';
import type { NodeThread, ThreadEntries } from './threads.js';
import { keeperOf, type VenueInfoKeeper } from './venue-info.js';
import { planTopology } from './topology.js';
import { chooseYoungMb, memoryBytes } from './young-generation.js';
import type { NodePlan } from './topology.js';

export interface FeedNodeOptions {
  readonly config: NodeConfig;
  readonly log: Log;
  readonly origin: TimelineOrigin;
  readonly seed: number;
  readonly version: string;
  /** Make a ring for the program that embeds the node. */
  readonly reader: boolean;
  /** For tests: other thread entries, memory that they share with the test, and smaller rings. */
  readonly rig?: {
    readonly entries?: Partial<ThreadEntries>;
    readonly extra?: SharedArrayBuffer;
    readonly ringWords?: number;
  };
  /** The node cannot go on: called once, after which `stop` is to be called. */
  readonly onFatal: (fault: FaultError) => void;
}

export interface NodeEndpoints {
  readonly host: string;
  /** Null when no clients are served. */
  readonly port: number | null;
  readonly adminPort: number | null;
  readonly secure: boolean;
}

export class FeedNode {
  readonly scheduler: SystemScheduler;
  private readonly options: FeedNodeOptions;
  private readonly log: Log;
  private readonly stopSignal = new AbortController();
  private simulator: SimulatorThread | null = null;
  private pool: Piscina | null = null;
  private workers: LoopWorkers | null = null;
  private admin: AdminServer | null = null;
  private supervisor: Supervisor | null = null;
  private pinning: Pinning | null = null;
  private threads: NodeThread[] = [];
  private metrics: NodeMetrics | null = null;
  private venueInfo: VenueInfoKeeper | null = null;
  private reloader: InstrumentReloader | null = null;
  private ticks: NodeJS.Timeout[] = [];
  private port: number | null = null;
  private adminPort: number | null = null;
  private stopped: Promise<void> | null = null;
  private failed = false;
  private readonly beganNs: number;
  private readyWaiters = new Map<string, () => void>();
  private abortStart: (fault: FaultError) => void = () => {};
  private stood: {
    plan: NodePlan;
    memory: NodeMemory;
    instruments: Instrument[];
    venue: AnyVenue;
    definitions: DefinitionReader;
  } | null = null;

  constructor(options: FeedNodeOptions) {
    this.options = options;
    this.log = options.log;
    this.scheduler = new SystemScheduler(options.origin.monotonicNs);
    this.beganNs = this.scheduler.nowNs();
  }

  /** Resolves when every thread stands. Throws FaultError. */
  async start(): Promise<void> {
    const { config } = this.options;
    const { venueId, venueOptions } = await this.chooseVenue();
    const venue = anyVenueById(venueId, venueOptions);
    const { instruments, files } = await chooseInstruments(venue, {
      ...this.options,
      scheduler: this.scheduler,
      signal: this.stopSignal.signal,
    });
    if (instruments.length === 0)
      throw new FaultError('UNKNOWN_SYMBOL', `${venueId} lists no instruments`);
    const { rig } = this.options;
    const plan = planTopology({
      ...config.threads,
      cores: availableParallelism(),
      instruments: instruments.length,
      broadcast: config.server.enabled,
      reader: this.options.reader,
      raw: venue.capabilities.orders && config.server.api,
      ...(rig?.ringWords === undefined ? {} : { ringWords: rig.ringWords }),
    });
    const connections =
      venue.source === 'files'
        ? null
        : venue
            .planConnections(instruments, channelsOf(config.channels))
            .map((connection) => connection.name);
    const memory = allocate(
      plan,
      instruments,
      tableSizes(plan, instruments.length, connections?.length ?? 0),
      venue.source === 'files' ? null : venue.limits,
    );
    const definitions = new DefinitionReader(memory.definitions);
    this.stood = { plan, memory, instruments, venue, definitions };
    const { log, scheduler } = this;
    const { origin } = this.options;
    this.reloader = reloaderOf(venue, { config, log, origin, scheduler, instruments, definitions });
    this.metrics = new NodeMetrics({
      plan,
      memory,
      instruments,
      venueId,
      connections,
      restarts: (thread) => this.restarts(thread),
      suppressedLines: () => this.log.suppressedLines,
    });
    await this.startThreads(plan, memory, venueId, venueOptions, files);
    const { threads } = this;
    this.venueInfo = keeperOf(venue, { files, instruments, plan, threads, scheduler, log });
    void this.venueInfo?.ask();
    await this.startAdmin();
    const states = new BookStateLog(this.log);
    const look = (): void => {
      if (this.stopped === null) states.look(this.standingMetrics().bookHealth());
    };
    this.ticks.push(setInterval(() => this.log.flush(), 1_000));
    this.ticks.push(setInterval(look, LIMITS.bookStatesEveryMs));
  }

  /** Takes everything down in order, within 10 s. Safe to call more than once and at any time. */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  get endpoints(): NodeEndpoints {
    const { server } = this.options.config;
    return {
      host: server.host,
      port: this.port,
      adminPort: this.adminPort,
      secure: server.tlsCertFile !== undefined,
    };
  }

  get plan(): NodePlan {
    return this.standing().plan;
  }
  get memory(): NodeMemory {
    return this.standing().memory;
  }
  /** As they are now. */
  get instruments(): readonly Instrument[] {
    const { instruments, definitions } = this.standing();
    return instruments.map((instrument) => definitions.read(instrument));
  }
  get venue(): AnyVenue {
    return this.standing().venue;
  }
  /** True if a thread could not be ended: only the end of the process does that. */
  get stuck(): boolean {
    return this.threads.some(
      (thread) => !thread.expendable && (this.supervisor?.alive(thread.name) ?? false),
    );
  }
  get simulated(): boolean {
    return this.simulator !== null;
  }

  restarts(thread: string): number {
    return this.supervisor?.restarts(thread) ?? 0;
  }

  running(thread: string): boolean {
    return this.supervisor?.running(thread) ?? false;
  }

  /** `/metrics`, `/health`, `/ready`; null for other paths. */
  page(path: string): Promise<Page | null> {
    return pageOf(path, this.health, this.standingMetrics());
  }

  get health(): HealthSources {
    return {
      books: () => (this.takesBooks ? this.standingMetrics().bookHealth() : []),
      connections: () => this.standingMetrics().connectionHealth(),
      threads: () =>
        this.threads.map(({ name }) => ({
          thread: name,
          running: this.running(name),
          restarts: this.restarts(name),
        })),
      stopping: () => this.stopped !== null,
      uptimeNs: () => this.scheduler.nowNs() - this.beganNs,
    };
  }

  /** A node's files always are books; of a venue's streams they are one. */
  private get takesBooks(): boolean {
    return this.venue.source === 'files' || this.options.config.channels.includes('book');
  }

  private standing(): NonNullable<typeof this.stood> {
    invariant(this.stood !== null, 'the node has been started');
    return this.stood;
  }

  private standingMetrics(): NodeMetrics {
    invariant(this.metrics !== null, 'the node has been started');
    return this.metrics;
  }

  /** The venue of the configuration, or the simulator's. */
  private async chooseVenue(): Promise<ChosenVenue> {
    const { venue, simulator } = this.options.config;
    if (venue.id !== undefined) return configuredVenue(venue);
    this.simulator = new SimulatorThread(simulator, (detail) => {
      this.fatal(new FaultError('THREAD_FAILING', `the simulator ended: ${detail}`));
    });
    const { venueId, restUrl, webSocketUrl } = await this.simulator.start();
    return { venueId, venueOptions: { restUrl, webSocketUrl, ...overridesOf(venue) } };
  }

  private async startThreads(
    plan: NodePlan,
    memory: NodeMemory,
    venueId: string,
    venueOptions: VenueOptions,
    files: NodeFilesPlan | undefined,
  ): Promise<void> {
    const { config, origin, seed, version } = this.options;
    const dataFor = (row: number, generation: number, control: SharedArrayBuffer): ThreadData => ({
      plan,
      row,
      generation,
      memory,
      control,
      origin,
      instruments: this.instruments,
      venueId,
      venueOptions,
      budgetFile: config.venue.budgetFile,
      definitions: this.reloader?.plan,
      webSocketClient: config.venue.webSocketClient,
      files,
      channels: config.channels,
      // A replacement listens where its predecessor did, also where the port was chosen by the system.
      server: { ...config.server, port: this.port ?? config.server.port },
      extra: this.options.rig?.extra,
      seed: seed + row + generation * 1_000,
      version,
    });
    const reports = {
      onMessage: (thread: string, generation: number, message: FromThread) =>
        this.onMessage(thread, generation, message),
      onEnded: (thread: string, generation: number, reason: EndReason, detail: string) =>
        this.supervisor?.onEnded(thread, generation, reason, detail),
    };
    const { heapMb } = config.threads;
    const youngMb = chooseYoungMb(config.threads.youngMb, memoryBytes());
    const entries = { ...ENTRIES, ...this.options.rig?.entries };
    const workers = new LoopWorkers(entries.loop, heapMb, youngMb);
    if (plan.threads.some((thread) => thread.kind === 'pool')) {
      this.pool = createBooksPool(plan.shards, heapMb, entries.pool);
      this.pool.on('error', (error: Error) => this.log.warn('pool.error', error.message));
    }
    this.threads = plan.threads.map((thread) => {
      const place = {
        name: thread.name,
        row: thread.row,
        bell: memory.bells[thread.name]!,
        expendable: !thread.agents.includes('broadcast'),
      };
      return thread.kind === 'pool' && this.pool !== null
        ? new PoolThread(place, dataFor, reports, this.pool)
        : new LoopThread(place, dataFor, reports, workers);
    });
    this.workers = workers;
    if (config.threads.pin)
      this.pinning = new Pinning(planAffinity(plan, allowedCores()), this.log);
    this.supervisor = this.createSupervisor();
    this.ticks.push(setInterval(() => this.supervisor?.look(), LIMITS.superviseEveryMs));
    // Readers before writers: broadcast, then books, then ingest.
    const aborted = new Promise<never>((_, reject) => {
      this.abortStart = reject;
    });
    aborted.catch(() => {});
    for (const thread of [...this.threads].reverse()) {
      const ready = new Promise<void>((resolve) => this.readyWaiters.set(thread.name, resolve));
      this.supervisor.start(thread.name);
      await Promise.race([ready, aborted]);
    }
    workers.keepSpareSoon();
  }

  private createSupervisor(): Supervisor {
    return createSupervisor({
      clock: this.scheduler,
      factories: this.threads,
      hangMs: this.options.config.threads.hangMs,
      log: this.log,
      onReplaced: (thread) => this.markOrphans(thread),
      onRecovered: (thread, tookNs) => this.metrics?.noteRecovery(thread, tookNs),
      onFatal: (fault) => this.fatal(fault),
    });
  }

  private markOrphans(name: string): void {
    const { plan, memory, instruments } = this.standing();
    const thread = plan.threads.find((candidate) => candidate.name === name);
    invariant(thread !== undefined, 'only planned threads are supervised');
    markOrphanedBooks(thread, memory, instruments, this.scheduler.nowNs());
  }

  private onMessage(thread: string, generation: number, message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        if (message.port !== null) this.port = message.port;
        this.supervisor?.onReady(thread, generation);
        this.venueInfo?.tell();
        void this.pinning?.onReady(thread, message.row, message.task);
        this.readyWaiters.get(thread)?.();
        this.readyWaiters.delete(thread);
        break;
      case 'notice':
        this.log.write(message.level, message.key, message.event, message.message, {
          thread,
          ...message.fields,
        });
        break;
      case 'failed': {
        const fault = message.code === null ? null : new FaultError(message.code, message.message);
        if (fault?.recovery === 'exit') this.fatal(fault);
        else
          this.log.error('thread.failed', `${thread}: ${message.message}`, {
            thread,
            stack: message.stack,
          });
        break;
      }
      case 'instruments-wanted':
        void this.reloader
          ?.ask(message.doubted)
          .then((answer) => this.send(thread, { kind: 'definitions', answer }));
        break;
      case 'page-wanted':
        void this.page(message.path)
          .catch((): Page => ({
            status: 500,
            contentType: 'text/plain',
            body: 'the page could not be made\n',
          }))
          .then((page) => this.send(thread, { kind: 'page', id: message.id, page }));
        break;
    }
  }

  private send(thread: string, message: ToThread): void {
    this.threads.find(({ name }) => name === thread)?.send(message);
  }

  private async startAdmin(): Promise<void> {
    const { port, host } = this.options.config.admin;
    if (port === undefined) return;
    this.admin = new Server({ host, port, pages: (path) => this.page(path) });
    this.adminPort = await this.admin.start();
  }

  private fatal(fault: FaultError): void {
    if (this.failed || this.stopped !== null) return;
    this.failed = true;
    this.supervisor?.beginStop();
    this.abortStart(fault);
    this.options.onFatal(fault);
  }

  private async stopOnce(): Promise<void> {
    this.stopSignal.abort();
    await this.venueInfo?.stop();
    this.supervisor?.beginStop();
    const stood = this.stood;
    if (stood !== null && this.supervisor !== null) {
      await stopInOrder({
        plan: stood.plan,
        memory: stood.memory,
        threads: this.threads,
        supervisor: this.supervisor,
        log: this.log,
      });
    }
    await this.pool?.destroy();
    this.workers?.close();
    await this.admin?.stop();
    await this.simulator?.stop();
    for (const tick of this.ticks) clearInterval(tick);
    this.log.flush();
  }
}
