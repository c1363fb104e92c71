/**
 * Allocates what the topology names: every piece of memory that threads of the node share. Made
 * once, on the main thread, before any thread starts; survives every replacement of a thread. Cold.
 */
import { BBO_ROW_DOUBLES } from '../books/bbo-row.js';
import type { Instrument } from '../domain/instrument.js';
import { createCounterTable } from '../rings/counters.js';
import { createDefinitionTable } from '../rings/definition-table.js';
import { createDemandFlags } from '../rings/demand-flags.js';
import { createDoorbell } from '../rings/doorbell.js';
import { createHistogramTable } from '../rings/latency-histogram.js';
import { createRing } from '../rings/ring-layout.js';
import { createSeqlockTable } from '../rings/seqlock.js';
import { invariant } from '../faults/invariant.js';
import { INGEST_LIMITS } from '../ingest/limits.js';
import type { IngestBudgets } from '../ingest/ingest.js';
import { createRateLimitState } from '../ingest/rate-limit.js';
import type { VenueLimits } from '../venues/venue.js';
import type { TableSizes } from './tables.js';
import { shardTable } from './topology.js';
import type { NodePlan } from './topology.js';

export interface NodeMemory {
  /** By ring name of the topology. */
  readonly rings: Readonly<Record<string, SharedArrayBuffer>>;
  /** One a thread: whatever is for one of its agents rings it. By thread name, and `reader`. */
  readonly bells: Readonly<Record<string, SharedArrayBuffer>>;
  readonly bbo: SharedArrayBuffer;
  /** What each instrument is at present (rings/definition-table.ts). */
  readonly definitions: SharedArrayBuffer;
  /** Shard of each instrument. */
  readonly shardOf: Int32Array;
  /** By table name of tables.ts. */
  readonly counters: Readonly<Record<string, SharedArrayBuffer>>;
  readonly histograms: SharedArrayBuffer;
  /** Instruments whose raw texts somebody reads. */
  readonly demand: SharedArrayBuffer;
  /** The venue's rate limits: a crash loop must not earn an address ban. */
  readonly budgets: IngestBudgets | null;
}

export function allocate(
  plan: NodePlan,
  instruments: readonly Instrument[],
  tables: TableSizes,
  /** Null for a venue that counts no requests. */
  venueLimits: VenueLimits | null,
): NodeMemory {
  const rings: Record<string, SharedArrayBuffer> = {};
  for (const ring of plan.rings) rings[ring.name] = createRing(ring.capacityWords);
  const bells: Record<string, SharedArrayBuffer> = { reader: createDoorbell() };
  for (const thread of plan.threads) bells[thread.name] = createDoorbell();
  const counters: Record<string, SharedArrayBuffer> = {};
  for (const [name, size] of Object.entries(tables.counters)) {
    counters[name] = createCounterTable(size.rows, size.columns);
  }
  return {
    rings,
    bells,
    bbo: createSeqlockTable(instruments.length, BBO_ROW_DOUBLES),
    definitions: createDefinitionTable(instruments),
    shardOf: shardTable(instruments.length, plan.shards),
    counters,
    histograms: createHistogramTable(tables.histogramRows),
    demand: createDemandFlags(instruments.length),
    budgets: venueLimits === null ? null : budgetsOf(venueLimits),
  };
}

function budgetsOf(limits: VenueLimits): IngestBudgets {
  const { budgetShare } = INGEST_LIMITS;
  return {
    connectAttempts: createRateLimitState(limits.connectAttempts, budgetShare),
    restWeight: createRateLimitState(limits.restWeight, budgetShare),
  };
}

export function ringOf(memory: NodeMemory, name: string): SharedArrayBuffer {
  const ring = memory.rings[name];
  invariant(ring !== undefined, 'the topology names every ring');
  return ring;
}

export function bellOf(memory: NodeMemory, thread: string): SharedArrayBuffer {
  const bell = memory.bells[thread];
  invariant(bell !== undefined, 'every thread has a doorbell');
  return bell;
}

export function countersOf(memory: NodeMemory, name: string): SharedArrayBuffer {
  const table = memory.counters[name];
  invariant(table !== undefined, 'every counter table is planned');
  return table;
}
