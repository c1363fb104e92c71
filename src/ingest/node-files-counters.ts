/**
 * Counters of the ingest room on a node's files: a row a source, and one for the node. Written by the
 * ingest thread once a duty cycle, read by metrics at any time.
 */
import { CounterTable } from '../rings/counters.js';
import type { BlockAssembler } from './block-assembler.js';
import type { BlockWitness } from './block-witness.js';
import type { OrderOutlet } from './order-outlet.js';

export const NODE_SOURCES = ['diffs', 'statuses', 'fills'] as const;
export type NodeSource = (typeof NODE_SOURCES)[number];

export const SourceColumn = {
  Lines: 0,
  Bytes: 1,
  Files: 2,
  /** 1 while nothing arrives. */
  Silent: 3,
  Replaced: 4,
  Faults: 5,
} as const;
export const SOURCE_COLUMNS = 6;

export const NodeColumn = {
  Height: 0,
  Blocks: 1,
  Events: 2,
  Trades: 3,
  Holes: 4,
  Late: 5,
  Unidentified: 6,
  /** 1 while blocks go on without the identities of their orders. */
  IdentityDead: 7,
  LagNs: 8,
  Snapshots: 9,
  SnapshotsFailed: 10,
  SnapshotHeight: 11,
  SnapshotOrders: 12,
  Unlisted: 13,
  RawLost: 14,
  WitnessChecked: 15,
  WitnessPassed: 16,
  WitnessFailed: 17,
  WitnessUnverifiable: 18,
  Rewinds: 19,
} as const;
export const NODE_COLUMNS = 20;

export interface NodeCounters {
  /** createCounterTable(NODE_SOURCES.length, SOURCE_COLUMNS). */
  readonly sources: SharedArrayBuffer;
  /** createCounterTable(1, NODE_COLUMNS). */
  readonly node: SharedArrayBuffer;
}

interface TailFigures {
  readonly lines: number;
  readonly bytesRead: number;
  readonly filesOpened: number;
}

export class NodeCounterTables {
  private readonly sources: CounterTable;
  private readonly node: CounterTable;

  constructor(counters: NodeCounters) {
    this.sources = new CounterTable(counters.sources, SOURCE_COLUMNS);
    this.node = new CounterTable(counters.node, NODE_COLUMNS);
  }

  addSource(row: number, column: number, amount: number): void {
    this.sources.add(row, column, amount);
  }
  setSource(row: number, column: number, value: number): void {
    this.sources.set(row, column, value);
  }
  setTail(row: number, { lines, bytesRead, filesOpened }: TailFigures, isSilent: boolean): void {
    this.sources.set(row, SourceColumn.Lines, lines);
    this.sources.set(row, SourceColumn.Bytes, bytesRead);
    this.sources.set(row, SourceColumn.Files, filesOpened);
    this.sources.set(row, SourceColumn.Silent, isSilent ? 1 : 0);
  }
  setBlocks(assembler: BlockAssembler, outlet: OrderOutlet, witness: BlockWitness): void {
    const { node } = this;
    node.set(0, NodeColumn.Height, assembler.height);
    node.set(0, NodeColumn.Blocks, outlet.blocks);
    node.set(0, NodeColumn.Events, outlet.events);
    node.set(0, NodeColumn.Holes, assembler.holes);
    node.set(0, NodeColumn.Late, assembler.late);
    node.set(0, NodeColumn.Unidentified, assembler.unidentified);
    node.set(0, NodeColumn.IdentityDead, assembler.isIdentitySourceDead ? 1 : 0);
    node.set(0, NodeColumn.WitnessChecked, witness.checked);
    node.set(0, NodeColumn.WitnessPassed, witness.passed);
    node.set(0, NodeColumn.WitnessFailed, witness.failed);
    node.set(0, NodeColumn.WitnessUnverifiable, witness.unverifiable);
  }
  addNode(column: number, amount: number): void {
    this.node.add(0, column, amount);
  }
  setNode(column: number, value: number): void {
    this.node.set(0, column, value);
  }
}

export interface NodeMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
}

/** Prometheus families in the order of SourceColumn (label `source`). */
export const SOURCE_METRICS: readonly NodeMetric[] = [
  { name: 'node_source_lines_total', help: 'Lines read of a source', kind: 'counter' },
  { name: 'node_source_bytes_total', help: 'Bytes read of a source', kind: 'counter' },
  { name: 'node_source_files_total', help: 'Files opened of a source', kind: 'counter' },
  { name: 'node_source_silent', help: '1 while a source gives nothing', kind: 'gauge' },
  { name: 'node_source_replaced_total', help: 'Files cut or replaced while read', kind: 'counter' },
  { name: 'node_source_faults_total', help: 'Lines that could not be used', kind: 'counter' },
];

/** Prometheus families in the order of NodeColumn. */
export const NODE_METRICS: readonly NodeMetric[] = [
  { name: 'node_block_height', help: 'Height of the last block handed on', kind: 'gauge' },
  { name: 'node_blocks_total', help: 'Blocks handed on to the books', kind: 'counter' },
  { name: 'node_order_events_total', help: 'Order changes handed on', kind: 'counter' },
  { name: 'node_trades_total', help: 'Trades of the fills', kind: 'counter' },
  { name: 'node_holes_total', help: 'Blocks that never came or not whole', kind: 'counter' },
  { name: 'node_late_lines_total', help: 'Lines of blocks handed on before', kind: 'counter' },
  {
    name: 'node_unidentified_orders_total',
    help: 'New orders that went on without the identity that statuses give',
    kind: 'counter',
  },
  { name: 'node_identity_late', help: '1 while blocks do not wait for statuses', kind: 'gauge' },
  { name: 'node_lag_ns', help: 'Age of the last block when the node wrote it', kind: 'gauge' },
  { name: 'node_snapshots_total', help: 'Snapshots read whole', kind: 'counter' },
  { name: 'node_snapshots_failed_total', help: 'Snapshots refused or unusable', kind: 'counter' },
  { name: 'node_snapshot_height', help: 'Height of the last snapshot', kind: 'gauge' },
  { name: 'node_snapshot_orders', help: 'Orders in the last snapshot', kind: 'gauge' },
  { name: 'node_unlisted_coins', help: 'Coins that came after the start', kind: 'gauge' },
  {
    name: 'node_raw_statuses_lost_total',
    help: 'Order statuses for readers of the JSON API that found no room in the ring',
    kind: 'counter',
  },
  {
    name: 'node_witness_checked_total',
    help: 'Statuses and fills that say what must stand among the diffs of their block',
    kind: 'counter',
  },
  { name: 'node_witness_passed_total', help: 'Of those, found there', kind: 'counter' },
  { name: 'node_witness_failed_total', help: 'Of those, not found there', kind: 'counter' },
  {
    name: 'node_witness_unverifiable_total',
    help: 'Of those, of blocks that were closed before',
    kind: 'counter',
  },
  {
    name: 'node_rewinds_total',
    help: 'Times the files were read again from the height of an older snapshot on',
    kind: 'counter',
  },
];
