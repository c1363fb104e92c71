/**
 * Columns of the broadcast room's counter table (rings/counters.ts): one row, written by the
 * broadcast thread, read by metrics.
 */
export const BroadcastColumn = {
  /** Gauges. */
  Clients: 0,
  Subscriptions: 1,
  Streams: 2,
  Views: 3,
  Lagging: 4,
  HistoryBytes: 5,
  BufferedBytesMax: 6,
  /** Messages taken from the rings. */
  Received: 7,
  /** Messages handed to at least one socket, and those deliveries. */
  Published: 8,
  Deliveries: 9,
  DeliveredBytes: 10,
  /** Messages to single clients (anchors, merged deltas, resumed messages, heartbeats). */
  Direct: 11,
  DirectBytes: 12,
  Snapshots: 13,
  Heartbeats: 14,
  /** Conflation: times a subscription fell behind, merged messages sent, sequences folded into them. */
  FellBehind: 15,
  Merged: 16,
  Folded: 17,
  /** Fell behind further than the history reaches: a snapshot instead. */
  Reanchored: 18,
  /** Messages that the server dropped past its own bound. */
  Dropped: 19,
  ResumesServed: 20,
  ResumesRefused: 21,
  Connections: 22,
  Requests: 23,
  RequestsRefused: 24,
  HandshakesRefused: 25,
  HttpRequests: 26,
  /** Closed by policy, by reason. */
  ClosedSlow: 27,
  ClosedStalled: 28,
  ClosedRate: 29,
  ClosedTooBig: 30,
  ClosedBinary: 31,
  ClosedAuth: 32,
  ClosedEncoding: 33,
  /** The mirror: continuity and hash. */
  SequenceGaps: 34,
  WriterChanges: 35,
  HeldBack: 36,
  HashChecked: 37,
  HashFailed: 38,
  Malformed: 39,
  EpochChanges: 40,
  /** Gone without a close frame: broken network, or cut by the server for breaking RFC 6455. */
  ClosedAbnormally: 41,
  /** Times the books were asked to tell everything again, since a mirror had lost a book. */
  RetellingsAsked: 42,
  /** The venue's JSON API: gauges of its clients and of the bytes of l4Book Snapshots in use; Snapshots
   *  made, clients closed as slow, statuses that came when a later block had been told. */
  ApiClients: 43,
  ApiSnapshotBytes: 44,
  ApiSnapshots: 45,
  ApiClosedSlow: 46,
  ApiStatusesLate: 47,
} as const;
export const BROADCAST_COLUMNS = 48;
