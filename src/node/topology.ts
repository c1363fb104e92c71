/**
 * Who runs where and who talks to whom: the one table of the node's threads, rings, doorbells and
 * shared tables. Rooms never meet elsewhere. Pure, made once at start on the main thread.
 *
 *     full    ingest | books-0 | … | books-N-1 | broadcast     a thread each
 *     split   ingest + books-0 | broadcast
 *     fused   ingest + books-0 + broadcast
 *
 *     ring       from       to          carries
 *     feed-i     ingest     books-i     one record a venue event
 *     wanted-i   books-i    ingest      wishes for a snapshot
 *     out-i      books-i    broadcast   finished messages
 *     raw        ingest     broadcast   order statuses as they are, for readers of the venue's own API
 *     embed-i    books-i    reader      finished messages, for the program that embeds the node
 */
import { invariant } from '../faults/invariant.js';
import { chooseIdle } from '../runtime/idle-strategy.js';
import type { IdleName } from '../runtime/idle-strategy.js';

import { LIMITS } from './limits.js';

export const LAYOUTS = ['full', 'split', 'fused'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** `ingest`, `books-3`, `broadcast`, `reader` (the embedding program, on the main thread). */
export type AgentName = 'ingest' | 'broadcast' | 'reader' | `books-${number}`;

export interface ThreadPlan {
  /** Shown in logs, metrics and `top -H`. */
  readonly name: string;
  /** In the order in which they work. */
  readonly agents: readonly AgentName[];
  /** `loop`: has sockets, runs on its libuv loop. `pool`: a piscina task that blocks or spins. */
  readonly kind: 'loop' | 'pool';
  /** Row in the table of thread controls. */
  readonly row: number;
}

export interface RingPlan {
  readonly name: string;
  readonly from: AgentName;
  readonly to: AgentName;
  readonly capacityWords: number;
  /** A full ring holds its writer back, or the message is left out and the reader sees the hole. */
  readonly whenFull: 'wait' | 'leave';
}

export interface NodePlan {
  readonly layout: Layout;
  /** Why, in one sentence. */
  readonly layoutReason: string;
  readonly idle: IdleName;
  /** Why, in one sentence. */
  readonly idleReason: string;
  readonly shards: number;
  readonly threads: readonly ThreadPlan[];
  readonly rings: readonly RingPlan[];
  readonly broadcast: boolean;
  readonly reader: boolean;
}

export interface PlanInput {
  readonly layout: Layout | 'auto';
  /** 0: chosen by cores. */
  readonly workers: number;
  readonly idle: IdleName | 'auto';
  readonly cores: number;
  readonly instruments: number;
  /** Serve clients. */
  readonly broadcast: boolean;
  /** Feed events to the embedding program. */
  readonly reader: boolean;
  /** The venue's own API is served, with what only the venue's own texts say. */
  readonly raw?: boolean;
  /** Shrinks every ring, for tests that want to hit the edges. */
  readonly ringWords?: number;
}

export const RAW_RING = 'raw';

/** Beyond this a worker more has brought nothing: ingest is one thread and feeds them all. */
const WORKERS_CHOSEN_MAX = 8;

/**
 * Cores decide: threads that outnumber them cost more in switches than they win, and spinning with
 * more threads than cores is a disaster (milliseconds at the median).
 *
 * On two cores fused has the shorter way (no sleeping hop: p50 two thirds of split's) and split the
 * higher load (1.3 to 1.7 times). Split is chosen all the same: each client's send costs microseconds
 * in the kernel, and in fused they are taken from reading the venue, whose socket then fills up. With
 * few clients `--layout fused` is the faster choice (bench/README.md).
 */
export function chooseLayout(cores: number): Layout {
  if (cores >= 4) return 'full';
  return cores >= 2 ? 'split' : 'fused';
}

const WHY: Readonly<Record<Layout, string>> = {
  fused: 'so a second thread would only take turns with the first',
  split: 'so sockets are read and clients are served at the same time: carries most on few cores',
  full: 'so every stage has a core, and books as many as are left',
};

export function planTopology(input: PlanInput): NodePlan {
  invariant(input.instruments > 0, 'a topology is planned for at least one instrument');
  const layout = input.layout === 'auto' ? chooseLayout(input.cores) : input.layout;
  const shards = layout === 'full' ? shardsOf(input) : 1;
  const books = Array.from({ length: shards }, (_, shard): AgentName => `books-${shard}`);
  const threads = threadsOf(layout, books, input.broadcast);
  const idle = chooseIdle(input.idle, input.cores, threads.length);
  return {
    layout,
    layoutReason: reasonOf(input, layout),
    shards,
    idle: idle.kind,
    idleReason: idle.reason,
    threads,
    rings: ringsOf(books, input),
    broadcast: input.broadcast,
    reader: input.reader,
  };
}

function reasonOf(input: PlanInput, layout: Layout): string {
  if (input.layout !== 'auto') return `${layout}: as configured`;
  return `${layout}: ${input.cores} ${input.cores === 1 ? 'core' : 'cores'}, ${WHY[layout]}`;
}

/** One worker an instrument at most: more would have nothing to do. */
function shardsOf(input: PlanInput): number {
  const chosen = Math.min(WORKERS_CHOSEN_MAX, Math.max(1, input.cores - 3));
  return Math.min(input.instruments, input.workers > 0 ? input.workers : chosen);
}

function threadsOf(layout: Layout, books: readonly AgentName[], broadcast: boolean): ThreadPlan[] {
  const threads: Omit<ThreadPlan, 'row'>[] = [];
  if (layout === 'full') {
    threads.push({ name: 'ingest', agents: ['ingest'], kind: 'loop' });
    for (const agent of books) threads.push({ name: agent, agents: [agent], kind: 'pool' });
    if (broadcast) threads.push({ name: 'broadcast', agents: ['broadcast'], kind: 'loop' });
  } else if (layout === 'split') {
    threads.push({ name: 'ingest', agents: ['ingest', ...books], kind: 'loop' });
    if (broadcast) threads.push({ name: 'broadcast', agents: ['broadcast'], kind: 'loop' });
  } else {
    const last: AgentName[] = broadcast ? ['broadcast'] : [];
    threads.push({ name: 'node', agents: ['ingest', ...books, ...last], kind: 'loop' });
  }
  return threads.map((thread, row) => ({ ...thread, row }));
}

function ringsOf(books: readonly AgentName[], input: PlanInput): RingPlan[] {
  const { feedRingWords, wantedRingWords, outRingWords, embedRingWords, rawRingWords } = LIMITS;
  const rings: RingPlan[] = [];
  const add = (
    name: string,
    from: AgentName,
    to: AgentName,
    words: number,
    whenFull: RingPlan['whenFull'] = 'wait',
  ): void => {
    rings.push({ name, from, to, capacityWords: input.ringWords ?? words, whenFull });
  };
  books.forEach((agent, shard) => {
    add(`feed-${shard}`, 'ingest', agent, feedRingWords);
    add(`wanted-${shard}`, agent, 'ingest', wantedRingWords);
    if (input.broadcast) add(`out-${shard}`, agent, 'broadcast', outRingWords);
    if (input.reader) add(`embed-${shard}`, agent, 'reader', embedRingWords, 'leave');
  });
  if (input.broadcast && input.raw === true)
    add(RAW_RING, 'ingest', 'broadcast', rawRingWords, 'leave');
  return rings;
}

/** The thread on which an agent runs; null for the reader, which is on the main thread. */
export function threadOf(plan: NodePlan, agent: AgentName): ThreadPlan | null {
  return plan.threads.find((thread) => thread.agents.includes(agent)) ?? null;
}

export function shardOfAgent(agent: AgentName): number {
  invariant(agent.startsWith('books-'), 'only books have a shard');
  return Number(agent.slice('books-'.length));
}

/** Instruments go round the shards: neighbours in the venue's list are alike in activity. */
export function shardTable(instruments: number, shards: number): Int32Array {
  const table = new Int32Array(new SharedArrayBuffer(instruments * 4));
  for (let id = 0; id < instruments; id++) table[id] = id % shards;
  return table;
}
