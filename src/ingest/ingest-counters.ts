/**
 * Columns of the ingest room's counter tables (rings/counters.ts), for it to write and for metrics to
 * read. One row a planned connection; one row for the venue's REST side and the router.
 */
import { createCounterTable } from '../rings/counters.js';

export const ConnectionColumn = {
  Frames: 0,
  Bytes: 1,
  /** Frames that the parser's fast scanner handed to the strict one. */
  SlowPath: 2,
  Malformed: 3,
  UnknownSymbol: 4,
  UnknownType: 5,
  Precision: 6,
  /** Frames of which an event found no room in its ring. */
  RingFull: 7,
  Control: 8,
  Ignored: 9,
  ConnectAttempts: 10,
  Connects: 11,
  /** Connections lost without a successor that had taken over. */
  Losses: 12,
  Rotations: 13,
  SuccessorsLost: 14,
  SubscribesSent: 15,
  Acks: 16,
  Refusals: 17,
  PingsReceived: 18,
  PingsSent: 19,
  Pongs: 20,
  /** Streams called silent. */
  Silences: 21,
  /** Copies dropped while two sockets overlapped. */
  Duplicates: 22,
  /** 1 while subscribed. */
  Up: 23,
  OpenSockets: 24,
} as const;
export const CONNECTION_COLUMNS = 25;

export const VenueColumn = {
  Requests: 0,
  Snapshots: 1,
  SnapshotFailures: 2,
  /** Answers 429 and 418. */
  RateLimited: 3,
  Banned: 4,
  Timeouts: 5,
  /** Weight used in the last window, and our budget for one. */
  WeightUsed: 6,
  WeightBudget: 7,
  SnapshotsQueued: 8,
  SnapshotsInFlight: 9,
  SnapshotBytes: 10,
  LastSnapshotNs: 11,
  WantedRecords: 12,
  /** Wishes for a snapshot that was queued or under way already. */
  WantedDuplicates: 13,
  EventsAccepted: 14,
  EventsDropped: 15,
  EventsTooLarge: 16,
  ConnectBudgetUsed: 17,
  FaultsSuppressed: 18,
  /** Questions for the instruments, those without an answer of use, numbers that fit no scale. */
  DefinitionsAsked: 19,
  DefinitionFailures: 20,
  DefinitionsDoubted: 21,
  /** Instruments that the venue has defined anew. */
  DefinitionsChanged: 22,
} as const;
export const VENUE_COLUMNS = 23;

interface MetricName {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  /** A label beside venue and connection. */
  readonly fault?: string;
}

const counter = (name: string, help: string): MetricName => ({ name, help, kind: 'counter' });
const gauge = (name: string, help: string): MetricName => ({ name, help, kind: 'gauge' });
const fault = (code: string): MetricName => ({
  name: 'ingest_parse_faults_total',
  help: 'Venue frames refused, by fault code',
  kind: 'counter',
  fault: code,
});

/** Metric of each connection column, in the order of the columns; names without the prefix. */
export const CONNECTION_METRICS: readonly MetricName[] = [
  counter('ingest_frames_total', 'Frames read from the venue'),
  counter('ingest_bytes_total', 'Payload bytes of these frames'),
  counter('ingest_slow_path_total', 'Frames that the fast scanner passed to the strict parser'),
  fault('FRAME_MALFORMED'),
  fault('FRAME_UNKNOWN_SYMBOL'),
  fault('FRAME_UNKNOWN_TYPE'),
  fault('FRAME_PRECISION'),
  fault('RING_FULL'),
  counter('ingest_control_frames_total', 'Frames about the connection itself'),
  counter('ingest_ignored_frames_total', 'Frames understood and not used'),
  counter('ingest_connect_attempts_total', 'Connection attempts'),
  counter('ingest_connects_total', 'Connections opened'),
  counter('ingest_losses_total', 'Connections lost without a successor'),
  counter('ingest_rotations_total', 'Connections replaced by a successor'),
  counter('ingest_successors_lost_total', 'Successors that were lost or given up'),
  counter('ingest_subscribes_sent_total', 'Subscribe frames sent'),
  counter('ingest_acks_total', 'Subscribe frames acknowledged'),
  counter('ingest_refusals_total', 'Refusals by the venue: upgrades and subscriptions'),
  counter('ingest_pings_received_total', 'Pings of the venue'),
  counter('ingest_pings_sent_total', 'Pings to the venue'),
  counter('ingest_pongs_total', 'Pongs of the venue'),
  counter('ingest_silences_total', 'Streams that fell silent'),
  counter('ingest_overlap_duplicates_total', 'Copies dropped while two sockets overlapped'),
  gauge('ingest_connection_up', '1 while subscribed'),
  gauge('ingest_open_sockets', 'Sockets of the connection'),
];

/** Metric of each venue column, in the order of the columns. */
export const VENUE_METRICS: readonly MetricName[] = [
  counter('ingest_rest_requests_total', 'REST requests'),
  counter('ingest_snapshots_total', 'Snapshots handed to the books'),
  counter('ingest_snapshot_failures_total', 'Snapshot requests that failed'),
  counter('ingest_rest_rate_limited_total', 'REST answers 429'),
  counter('ingest_rest_banned_total', 'REST answers 418'),
  counter('ingest_rest_timeouts_total', 'REST requests that took too long'),
  gauge('ingest_rest_weight_used', 'Request weight spent in the last window'),
  gauge('ingest_rest_weight_budget', 'Request weight that we allow ourselves per window'),
  gauge('ingest_snapshots_queued', 'Instruments whose snapshot waits for its turn'),
  gauge('ingest_snapshots_in_flight', 'Snapshot requests under way'),
  counter('ingest_snapshot_bytes_total', 'Bytes of snapshot bodies'),
  gauge('ingest_last_snapshot_latency_ns', 'Duration of the last snapshot request'),
  counter('ingest_snapshots_wanted_total', 'Wishes of the books for a snapshot'),
  counter('ingest_snapshots_wanted_duplicate_total', 'Wishes already under way'),
  counter('ingest_events_total', 'Feed events handed to the books'),
  counter('ingest_events_dropped_total', 'Feed events that found no room in their ring'),
  counter('ingest_events_too_large_total', 'Feed events larger than half a ring'),
  gauge('ingest_connect_budget_used', 'Connection attempts in the last window'),
  counter('ingest_fault_samples_suppressed_total', 'Fault samples beyond the log rate'),
  counter('ingest_definitions_asked_total', 'Times the venue was asked for its instruments again'),
  counter('ingest_definition_failures_total', 'Of these, without an answer that could be used'),
  counter('ingest_definitions_doubted_total', "Numbers that did not fit their instrument's scale"),
  counter('ingest_definitions_changed_total', 'Instruments that the venue has defined anew'),
];

/** The tables that an Ingest writes; made by the main thread, which reads them on scrape. */
export interface IngestCounters {
  readonly connections: SharedArrayBuffer;
  readonly venue: SharedArrayBuffer;
}

export function createIngestCounters(connectionCount: number): IngestCounters {
  return {
    connections: createCounterTable(connectionCount, CONNECTION_COLUMNS),
    venue: createCounterTable(1, VENUE_COLUMNS),
  };
}
