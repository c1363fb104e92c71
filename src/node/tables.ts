/** Sizes of the shared counter tables and the rows of the shared histograms. Cold. */
import { BOOKS_COLUMNS, BOOKS_WORKER_COLUMNS } from '../books/books-counters.js';
import { BROADCAST_COLUMNS } from '../broadcast/broadcast-counters.js';
import { CONNECTION_COLUMNS, VENUE_COLUMNS } from '../ingest/ingest-counters.js';
import { NODE_COLUMNS, NODE_SOURCES, SOURCE_COLUMNS } from '../ingest/node-files-counters.js';
import type { NodePlan } from './topology.js';

export interface TableSize {
  readonly rows: number;
  readonly columns: number;
}
export interface TableSizes {
  readonly counters: Readonly<Record<string, TableSize>>;
  readonly histogramRows: number;
}

/** Hops of an event through the node; each has a histogram a writing thread. */
export const Hop = {
  /** Venue's event time to first byte here: includes the distance of the two clocks. */
  VenueToReceived: 0,
  ReceivedToApplied: 1,
  AppliedToPublished: 2,
  ReceivedToPublished: 3,
} as const;
export const HOP_NAMES = [
  'venue_to_received',
  'received_to_applied',
  'applied_to_published',
  'received_to_published',
] as const;
export const HOPS_PER_WRITER = HOP_NAMES.length;

/** First histogram row of a shard's worker; the broadcast thread's rows come after all shards. */
export function shardHistogramRow(shard: number): number {
  return shard * HOPS_PER_WRITER;
}
export function broadcastHistogramRow(plan: NodePlan): number {
  return plan.shards * HOPS_PER_WRITER;
}

export function tableSizes(plan: NodePlan, instruments: number, connections: number): TableSizes {
  return {
    counters: {
      'ingest-connections': { rows: connections, columns: CONNECTION_COLUMNS },
      'ingest-venue': { rows: 1, columns: VENUE_COLUMNS },
      'ingest-sources': { rows: NODE_SOURCES.length, columns: SOURCE_COLUMNS },
      'ingest-node': { rows: 1, columns: NODE_COLUMNS },
      books: { rows: instruments, columns: BOOKS_COLUMNS },
      'books-workers': { rows: plan.shards, columns: BOOKS_WORKER_COLUMNS },
      broadcast: { rows: 1, columns: BROADCAST_COLUMNS },
    },
    histogramRows: broadcastHistogramRow(plan) + HOPS_PER_WRITER,
  };
}
