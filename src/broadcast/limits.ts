/**
 * Every bound of the broadcast room, with its reason. Cold: read once at construction. All of them
 * can be overridden in the options (tests make them small so that the edges are met).
 */
import { invariant } from '../faults/invariant.js';
import { ORDER_CHANGE_BYTES } from '../wire/message-layout.js';

export interface BroadcastLimits {
  /** A control request: an op, a name and a resume position need a tenth of it. Beyond: close 1009. */
  readonly requestBytesMax: number;
  /** What the server reads before it cuts the connection without a word (1006); far above
   *  requestBytesMax so that any honest mistake gets its close code. */
  readonly frameBytesMax: number;
  /** Steady requests a second of one connection: people and programs need one a second. */
  readonly requestsPerSecond: number;
  /** A burst at the start: four channels of some seventy instruments at once. Beyond: close 1008. */
  readonly requestsBurst: number;
  /** WebSocket pings a second: they are answered, so they cost us as much as the sender. */
  readonly pingsPerSecond: number;
  readonly subscriptionsPerConnectionMax: number;
  /** One host can be several processes; it is not a crowd. */
  readonly connectionsPerAddressMax: number;
  /** Memory: this × socketBytesMax is the most that slow readers can hold, for a moment. */
  readonly connectionsMax: number;
  /** Distinct depths of one instrument: each costs a diff an event. */
  readonly viewsPerInstrumentMax: number;
  /** Levels a side of a depth view; deeper is the full book. */
  readonly viewDepthMax: number;
  /** A view without readers stays this long, so that a reconnecting client can resume it. */
  readonly viewLingerNs: number;
  /** Buffered bytes at which a conflated client leaves its topics. About 500 messages of 500 B. */
  readonly highWaterBytes: number;
  /** Buffered bytes at which it gets its merged delta and joins again. */
  readonly lowWaterBytes: number;
  /** Buffered bytes at which a client of a lossless stream is told and closed (4008). */
  readonly losslessBytesMax: number;
  /** Buffered bytes beyond which the server itself drops: the last resort, never met in the steady
   *  state, because one duty cycle publishes at most turnBytesMax. */
  readonly socketBytesMax: number;
  /** A client that stays above the low-water mark this long is closed (4008). */
  readonly stalledNsMax: number;
  /** Bytes published in one duty cycle before the event loop gets its turn. */
  readonly turnBytesMax: number;
  /** Records polled from one ring before the next ring gets its turn. */
  readonly pollRecordsMax: number;
  /** Kept messages of a stream: first allocation and most. 1 MiB is some 2,000 deltas. */
  readonly historyBytesMin: number;
  readonly historyBytesMax: number;
  /** Kept messages of all streams together. */
  readonly historyBytesTotal: number;
  /** Levels a side of one snapshot message: 32 KiB a frame. */
  readonly snapshotPartLevels: number;
  /** Levels a side of a mirrored book: above any bound of the books, so that it is never the first. */
  readonly mirrorLevelsMax: number;
  /** A mirror whose levels were asked for in order stays sorted for so many messages: sorting 1,000
   *  levels a side costs as much as keeping them sorted for some 200. */
  readonly rankedMessages: number;
  /** A book's hash is checked after every snapshot and then each time this many messages came. */
  readonly hashCheckEvery: number;
  readonly heartbeatNs: number;
  /** An unauthenticated connection says who it is within this, or is closed (4401). */
  readonly authNsMax: number;
  /** No byte from the client for this long (pings are sent well before): it is gone. Seconds. */
  readonly idleSeconds: number;
  /** How long a close may take before the rest is cut. */
  readonly closeGraceNs: number;
  /** How long /metrics, /health and /ready wait for the main thread. */
  readonly opsNsMax: number;
  /** HTTP answers that wait for a book in the middle of an event. */
  readonly waitingMax: number;
}

export const DEFAULT_LIMITS: BroadcastLimits = {
  requestBytesMax: 4096,
  frameBytesMax: 1024 * 1024,
  requestsPerSecond: 50,
  requestsBurst: 300,
  pingsPerSecond: 10,
  subscriptionsPerConnectionMax: 1000,
  connectionsPerAddressMax: 20,
  connectionsMax: 5000,
  viewsPerInstrumentMax: 16,
  viewDepthMax: 5000,
  viewLingerNs: 60e9,
  highWaterBytes: 256 * 1024,
  lowWaterBytes: 32 * 1024,
  losslessBytesMax: 8 * 1024 * 1024,
  socketBytesMax: 16 * 1024 * 1024,
  stalledNsMax: 60e9,
  turnBytesMax: 1024 * 1024,
  pollRecordsMax: 64,
  historyBytesMin: 16 * 1024,
  historyBytesMax: 1024 * 1024,
  historyBytesTotal: 256 * 1024 * 1024,
  snapshotPartLevels: 1024,
  mirrorLevelsMax: 1 << 18,
  rankedMessages: 1024,
  hashCheckEvery: 1024,
  heartbeatNs: 1e9,
  authNsMax: 5e9,
  idleSeconds: 32,
  closeGraceNs: 500e6,
  opsNsMax: 2e9,
  waitingMax: 64,
};

/** Orders in one message, of a snapshot or a block: as the books tell them, 53 KB at most. */
export const ORDERS_PER_PART = 512;

/** @param orders there are messages of orders too */
export function resolveLimits(
  overrides: Partial<BroadcastLimits> = {},
  orders = false,
): BroadcastLimits {
  const limits = { ...DEFAULT_LIMITS, ...overrides };
  invariant(limits.requestBytesMax < limits.frameBytesMax, 'a large request gets its close code');
  invariant(limits.lowWaterBytes < limits.highWaterBytes, 'conflation has a hysteresis');
  invariant(limits.highWaterBytes < limits.losslessBytesMax, 'conflating comes before closing');
  const ordersBytesMax = orders ? ORDERS_PER_PART * ORDER_CHANGE_BYTES : 0;
  const messageBytesMax = Math.max(limits.snapshotPartLevels * 2 * 16, ordersBytesMax) + 512;
  const turnBytesMost = limits.turnBytesMax + limits.pollRecordsMax * messageBytesMax;
  invariant(
    limits.losslessBytesMax + turnBytesMost <= limits.socketBytesMax,
    'we conflate or close before the server drops, whatever one turn publishes',
  );
  invariant(limits.historyBytesMin <= limits.historyBytesMax, 'a history can hold its minimum');
  invariant(limits.snapshotPartLevels > 0 && limits.viewDepthMax > 0, 'depths are positive');
  return limits;
}
