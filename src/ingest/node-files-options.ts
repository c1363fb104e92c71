/**
 * What the ingest room for a node's files is given, and what it tells besides its records: where the
 * sources are, who gets snapshots, and its reports. Plain types; cold.
 */
import type { RingConsumer } from '../rings/ring-consumer.js';
import type { Timeline } from '../time/timeline.js';
import type { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import type { NodeCounters, NodeSource } from './node-files-counters.js';
import type { RawStatuses } from './raw-statuses.js';
import type { ShardOutput } from './shard-router.js';

/** Where each source's `hourly` folder is. */
export type NodeRoots = Readonly<Record<NodeSource, string>>;

/** A snapshot's bytes, piece by piece, as they can be read without waiting long. */
export interface SnapshotBytes {
  /** Up to `bytesMax` bytes; null at the end. */
  read(bytesMax: number): Buffer | null;
  close(): void;
  /** Height where the file itself does not say it (command line of the node). */
  readonly height: number | null;
  /** A file or a state, not an answer of now: asked again it is the same. */
  readonly isPast?: boolean;
}

/** Gets snapshots from the node: its info server, a file, or its command line. */
export interface NodeSnapshots {
  request(): Promise<SnapshotBytes>;
}

export type NodeReport =
  | {
      readonly kind: 'source';
      readonly source: NodeSource;
      readonly path: string;
      readonly state: 'up' | 'silent' | 'waiting' | 'replaced';
    }
  | {
      readonly kind: 'fault';
      readonly source: NodeSource;
      readonly code: 'FRAME_MALFORMED' | 'FRAME_PRECISION' | 'FRAME_TOO_LARGE';
      readonly sample: string;
    }
  | { readonly kind: 'hole'; readonly from: number; readonly to: number }
  | { readonly kind: 'snapshot'; readonly height: number; readonly orders: number }
  /** The node writes what happened so long ago; `isOver` when it has caught up. */
  | { readonly kind: 'lag'; readonly lagNs: number; readonly isOver: boolean }
  /** Coins that the node has and this process does not know: they need a restart. */
  | { readonly kind: 'unlisted'; readonly coins: readonly string[] }
  /** Instruments that a whole snapshot does not hold, or with numbers that do not fit: no book. */
  | { readonly kind: 'missing'; readonly instruments: readonly string[] }
  | {
      readonly kind: 'snapshot-failed';
      readonly code: 'SNAPSHOT_REFUSED' | 'SNAPSHOT_TOO_OLD';
      readonly message: string;
    }
  /** The files are read again from behind an older snapshot on. */
  | { readonly kind: 'rewound'; readonly from: number; readonly to: number };

export interface NodeFilesOptions {
  readonly roots: NodeRoots;
  readonly isStreaming: boolean;
  readonly instruments: NodeInstruments;
  readonly rings: readonly ShardOutput[];
  readonly shardOf: Int32Array;
  readonly wanted: readonly RingConsumer[];
  readonly timeline: Timeline;
  readonly snapshots: NodeSnapshots;
  readonly report: (report: NodeReport) => void;
  /** Order statuses as they are, for readers of the venue's own API; absent where there are none. */
  readonly rawStatuses?: RawStatuses | undefined;
  /** Between two snapshots that only validate; 0 never asks for one. */
  readonly validateEveryNs: number;
  /**
   * Read the snapshot first, then the sources from their oldest file on, passing over what it
   * contains: for recordings, and for a snapshot from a file. Otherwise the sources are followed from
   * their ends, and the snapshot asked for then is newer than that.
   */
  readonly fromBeginning?: boolean;
  /** Which coins of a snapshot would be instruments if they were known. */
  readonly isWanted?: (coin: string) => boolean;
  readonly counters?: NodeCounters;
}
