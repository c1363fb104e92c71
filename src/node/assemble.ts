/**
 * Builds the agents that the topology gives to a thread, on that thread: each room's part from the
 * shared memory that the topology names. The same for every kind of thread and every layout. Cold.
 */
import { assembleBooks } from '../books/thread.js';
import { assembleBroadcast } from '../broadcast/thread.js';
import { channelsOf } from '../domain/channel.js';
import { invariant } from '../faults/invariant.js';
import type { DefinitionSource, DefinitionsAnswer } from '../ingest/definition-watch.js';
import { assembleIngest, assembleNodeFiles } from '../ingest/thread.js';
import { DoorbellRinger } from '../rings/doorbell.js';
import type { Agent } from '../runtime/agent.js';
import type { Scheduler } from '../time/clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { Timeline } from '../time/timeline.js';
import { anyVenueById } from '../venues/registry.js';
import type { AnyVenue, FileVenue, Venue } from '../venues/venue.js';
import { bellOf, countersOf, ringOf } from './memory.js';
import { nodeNoticesOf, noticesOf } from './notices.js';
import { PageRequests } from './page-requests.js';
import { broadcastHistogramRow, Hop, shardHistogramRow } from './tables.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread, ToAgents } from './thread-message.js';
import { RAW_RING, shardOfAgent, threadOf } from './topology.js';
import type { AgentName, RingPlan } from './topology.js';

export interface Assembly {
  /** In the order in which they work. */
  readonly agents: readonly Agent[];
  readonly clock: Scheduler;
  /** Opens sockets; resolves with the port where clients connect, if they do on this thread. */
  start(): Promise<number | null>;
  /** Says goodbye; duty cycles go on meanwhile. */
  windUp(): Promise<void>;
  onMessage(message: ToAgents): void;
}

interface Part {
  readonly agent: Agent;
  onVenueInfo?(answers: ReadonlyMap<string, string>): void;
  onDefinitions?(answer: DefinitionsAnswer): void;
  start?(): Promise<number | null>;
  windUp?(): Promise<void>;
}

type Tell = (message: FromThread) => void;

class Assembler {
  readonly clock: SystemScheduler;
  readonly pages: PageRequests;
  private readonly data: ThreadData;
  private readonly tell: Tell;
  private readonly timeline: Timeline;

  constructor(data: ThreadData, tell: Tell) {
    this.data = data;
    this.tell = tell;
    this.clock = new SystemScheduler(data.origin.monotonicNs);
    this.timeline = new Timeline(data.origin.unixNs);
    this.pages = new PageRequests(tell);
  }

  part(agent: AgentName): Part {
    if (agent === 'ingest') return this.ingest();
    if (agent === 'broadcast') return this.broadcast();
    invariant(agent !== 'reader', 'the reader runs on the main thread');
    return this.books(agent);
  }

  private ingest(): Part {
    const venue = this.venue();
    return venue.source === 'files' ? this.fileIngest(venue) : this.socketIngest(venue);
  }

  private get shards() {
    const { memory } = this.data;
    const feeds = this.ringsFrom('ingest').filter((ring) => ring.name !== RAW_RING);
    return feeds.map((ring) => ({
      feed: ringOf(memory, ring.name),
      bell: this.bellFor(ring),
      wanted: ringOf(memory, `wanted-${shardOfAgent(ring.to)}`),
    }));
  }

  /** Raw texts from ingest to broadcast, where the topology has them. */
  private get rawWay() {
    const { memory, plan } = this.data;
    const ring = plan.rings.find(({ name }) => name === RAW_RING);
    return ring === undefined
      ? undefined
      : { ring: ringOf(memory, RAW_RING), bell: this.bellFor(ring), demand: memory.demand };
  }

  private fileIngest(venue: FileVenue): Part {
    const { memory, instruments, files } = this.data;
    invariant(files !== undefined, 'a venue of files has a plan for them');
    const thread = threadOf(this.data.plan, 'ingest');
    invariant(thread !== null, 'ingest has a thread');
    const bell = new DoorbellRinger(bellOf(memory, thread.name));
    const wiring = {
      venue,
      instruments,
      ...files,
      isWanted: (coin: string) => venue.isWanted(coin, files.selection),
      shards: this.shards,
      shardOf: memory.shardOf,
      raw: this.rawWay,
      counters: {
        sources: countersOf(memory, 'ingest-sources'),
        node: countersOf(memory, 'ingest-node'),
      },
      scheduler: this.clock,
      timeline: this.timeline,
      takeover: this.takeover,
      report: nodeNoticesOf(this.tell),
    };
    const { agent, http, alarm } = assembleNodeFiles(wiring, () => bell.ring());
    return {
      agent,
      start: () => {
        agent.start(this.clock.nowNs());
        alarm.start();
        return Promise.resolve(null);
      },
      windUp: () => {
        alarm.close();
        return http.close();
      },
    };
  }

  private socketIngest(venue: Venue): Part {
    const { memory, instruments, channels, venueOptions, budgetFile, webSocketClient, seed } =
      this.data;
    invariant(memory.budgets !== null, 'a venue of sockets has budgets');
    const { agent, http } = assembleIngest({
      venue,
      instruments,
      channels: channelsOf(channels),
      shards: this.shards,
      shardOf: memory.shardOf,
      counters: {
        connections: countersOf(memory, 'ingest-connections'),
        venue: countersOf(memory, 'ingest-venue'),
      },
      budgets: memory.budgets,
      budgetFile,
      webSocketClient,
      scheduler: this.clock,
      timeline: this.timeline,
      seed,
      allowPrivate: venueOptions.restUrl !== undefined || venueOptions.webSocketUrl !== undefined,
      takeover: this.takeover,
      reporter: noticesOf(this.tell, instruments),
      definitionTable: memory.definitions,
      definitions: this.definitionSource(),
    });
    return {
      agent,
      onDefinitions: (answer) => agent.onDefinitions(answer),
      start() {
        agent.start();
        return Promise.resolve(null);
      },
      windUp: () => http.close(),
    };
  }

  private definitionSource(): DefinitionSource | undefined {
    const { definitions } = this.data;
    if (definitions === undefined) return undefined;
    return {
      ...definitions,
      ask: (doubted) => this.tell({ kind: 'instruments-wanted', doubted }),
    };
  }

  private books(name: AgentName): Part {
    const { memory, instruments, plan } = this.data;
    const shard = shardOfAgent(name);
    const outputs = this.ringsFrom(name).filter((ring) => ring.to !== 'ingest');
    const wanted = plan.rings.find((ring) => ring.from === name && ring.to === 'ingest');
    invariant(wanted !== undefined, 'books have a ring to ingest');
    const row = shardHistogramRow(shard);
    const agent = assembleBooks({
      name,
      venue: this.venue(),
      instruments: instruments.filter(({ id }) => memory.shardOf[id] === shard),
      feed: ringOf(memory, `feed-${shard}`),
      outputs: outputs.map((ring) => ({
        ring: ringOf(memory, ring.name),
        bell: this.bellFor(ring),
        whenFull: ring.whenFull,
      })),
      wanted: { ring: ringOf(memory, wanted.name), bell: this.bellFor(wanted) },
      bbo: memory.bbo,
      definitions: memory.definitions,
      counters: countersOf(memory, 'books'),
      workerCounters: countersOf(memory, 'books-workers'),
      workerRow: shard,
      histograms: memory.histograms,
      rows: {
        venueToReceived: row + Hop.VenueToReceived,
        receivedToApplied: row + Hop.ReceivedToApplied,
      },
      clock: this.clock,
      timeline: this.timeline,
      contexts: this.hasContexts(),
      takeover: this.takeover,
    });
    return { agent };
  }

  private hasContexts(): boolean {
    return this.data.channels.includes('context') && this.venue().capabilities.contexts;
  }

  private broadcast(): Part {
    const { memory, instruments, server, plan, version, files } = this.data;
    const row = broadcastHistogramRow(plan);
    return assembleBroadcast({
      instruments,
      orders: this.venue().capabilities.orders,
      contexts: this.hasContexts(),
      raw: this.rawWay,
      awaitsVenueInfo: files?.places.infoUrl !== undefined,
      rings: plan.rings
        .filter((ring) => ring.to === 'broadcast' && ring.name !== RAW_RING)
        .map((ring) => ringOf(memory, ring.name)),
      counters: countersOf(memory, 'broadcast'),
      histograms: memory.histograms,
      rows: {
        appliedToPublished: row + Hop.AppliedToPublished,
        receivedToPublished: row + Hop.ReceivedToPublished,
      },
      server,
      scheduler: this.clock,
      timeline: this.timeline,
      version,
      pages: (path) => this.pages.page(path),
      takeover: this.takeover,
    });
  }

  private get takeover(): boolean {
    return this.data.generation > 0;
  }

  private venue(): AnyVenue {
    return anyVenueById(this.data.venueId, this.data.venueOptions);
  }

  private ringsFrom(agent: AgentName): RingPlan[] {
    return this.data.plan.rings.filter((ring) => ring.from === agent);
  }

  /** The bell of the thread on which the ring's reader runs. */
  private bellFor(ring: RingPlan): SharedArrayBuffer {
    const thread = threadOf(this.data.plan, ring.to);
    return bellOf(this.data.memory, thread?.name ?? 'reader');
  }
}

export function assemble(data: ThreadData, tell: Tell): Assembly {
  const assembler = new Assembler(data, tell);
  const thread = data.plan.threads[data.row];
  invariant(thread !== undefined, 'the thread stands in the plan');
  const parts = thread.agents.map((agent) => assembler.part(agent));
  return {
    agents: parts.map((part) => part.agent),
    clock: assembler.clock,
    async start() {
      let port: number | null = null;
      for (const part of [...parts].reverse()) port = (await part.start?.()) ?? port;
      return port;
    },
    async windUp() {
      for (const part of parts) await part.windUp?.();
    },
    onMessage(message) {
      switch (message.kind) {
        case 'page':
          return assembler.pages.onMessage(message);
        case 'definitions':
          for (const part of parts) part.onDefinitions?.(message.answer);
          return;
        case 'venue-info':
          for (const part of parts) part.onVenueInfo?.(message.answers);
      }
    },
  };
}
