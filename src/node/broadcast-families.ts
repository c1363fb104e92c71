/** Prometheus families of the broadcast room's counters. Cold. */
import { BroadcastColumn } from '../broadcast/broadcast-counters.js';

interface BroadcastFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  readonly label?: string;
  /** Value of the label (or anything, where there is none) → column. */
  readonly columns: Readonly<Record<string, number>>;
}

const C = BroadcastColumn;
const one = (
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  column: number,
): BroadcastFamily => ({ kind, name, help, columns: { all: column } });

export const BROADCAST_FAMILIES: readonly BroadcastFamily[] = [
  one('gauge', 'clients', 'Clients connected', C.Clients),
  one('gauge', 'subscriptions', 'Subscriptions of all clients', C.Subscriptions),
  one('gauge', 'streams', 'Streams with at least one subscriber', C.Streams),
  one('gauge', 'views', 'Depth views that are computed', C.Views),
  one('gauge', 'clients_lagging', 'Subscriptions that are behind and conflated', C.Lagging),
  one('gauge', 'history_bytes', 'Messages kept for resuming clients', C.HistoryBytes),
  one(
    'gauge',
    'client_buffered_bytes_max',
    'Most bytes buffered for one client',
    C.BufferedBytesMax,
  ),
  one('counter', 'messages_received_total', 'Messages taken from the books', C.Received),
  one('counter', 'messages_published_total', 'Messages handed to at least one socket', C.Published),
  one('counter', 'deliveries_total', 'Messages handed to sockets', C.Deliveries),
  one('counter', 'delivered_bytes_total', 'Bytes handed to sockets', C.DeliveredBytes),
  one('counter', 'direct_messages_total', 'Messages to single clients', C.Direct),
  one('counter', 'direct_bytes_total', 'Bytes of messages to single clients', C.DirectBytes),
  one('counter', 'snapshots_sent_total', 'Snapshots sent', C.Snapshots),
  one('counter', 'heartbeats_total', 'Heartbeats sent', C.Heartbeats),
  one('counter', 'fell_behind_total', 'Times a subscription fell behind', C.FellBehind),
  {
    name: 'folded_total',
    kind: 'counter',
    label: 'policy',
    help: 'What slow readers got for single deltas: merged messages, sequences in them, snapshots',
    columns: { merged: C.Merged, folded: C.Folded, reanchored: C.Reanchored },
  },
  one('gauge', 'api_clients', "Clients of the venue's JSON API", C.ApiClients),
  one(
    'gauge',
    'api_snapshot_bytes',
    'Bytes of l4Book Snapshots in use, shared by those that read them',
    C.ApiSnapshotBytes,
  ),
  one('counter', 'api_snapshots_total', 'l4Book Snapshots made', C.ApiSnapshots),
  one(
    'counter',
    'api_closed_slow_total',
    'Clients of the JSON API closed as slow',
    C.ApiClosedSlow,
  ),
  one(
    'counter',
    'api_statuses_late_total',
    'Order statuses that came when a later block had been told',
    C.ApiStatusesLate,
  ),
  one('counter', 'dropped_total', 'Messages that the server dropped past its own bound', C.Dropped),
  {
    name: 'resumes_total',
    kind: 'counter',
    label: 'result',
    help: 'Positions that clients asked to resume from',
    columns: { served: C.ResumesServed, refused: C.ResumesRefused },
  },
  one('counter', 'connections_total', 'Connections accepted', C.Connections),
  one('counter', 'requests_total', 'Control requests', C.Requests),
  one('counter', 'requests_refused_total', 'Control requests refused', C.RequestsRefused),
  one('counter', 'handshakes_refused_total', 'Handshakes refused', C.HandshakesRefused),
  one('counter', 'http_requests_total', 'HTTP requests', C.HttpRequests),
  {
    name: 'closed_total',
    kind: 'counter',
    label: 'policy',
    help: 'Connections closed by us, by policy',
    columns: {
      slow: C.ClosedSlow,
      stalled: C.ClosedStalled,
      rate: C.ClosedRate,
      too_big: C.ClosedTooBig,
      binary: C.ClosedBinary,
      auth: C.ClosedAuth,
      encoding: C.ClosedEncoding,
      abnormal: C.ClosedAbnormally,
    },
  },
  one(
    'counter',
    'mirror_gaps_total',
    'Messages from the books that did not continue',
    C.SequenceGaps,
  ),
  one('counter', 'mirror_held_back_total', 'Messages held back after such a gap', C.HeldBack),
  one(
    'counter',
    'writer_changes_total',
    'Book workers that were seen to be replaced',
    C.WriterChanges,
  ),
  one('counter', 'epoch_changes_total', 'New epochs of book streams', C.EpochChanges),
  one(
    'counter',
    'mirror_malformed_total',
    'Messages of the books that could not be read',
    C.Malformed,
  ),
  {
    name: 'mirror_hash_total',
    kind: 'counter',
    label: 'result',
    help: 'Hash comparisons of mirror and book',
    columns: { checked: C.HashChecked, failed: C.HashFailed },
  },
];
