/**
 * Every limit of the ingest room, each with its reason. Ingest thread; cold. The venue's own numbers
 * are in its VenueLimits; these are ours and stay below them.
 */
import { invariant } from '../faults/invariant.js';

export interface IngestLimits {
  /** Share of a venue's published limit that we ever use, over any rolling window. */
  readonly budgetShare: number;
  /** Share of our own budget that may be spent in one burst; the rest refills evenly. */
  readonly burstShare: number;
  /** TCP + TLS + upgrade; a healthy one takes under a second. */
  readonly handshakeMsMax: number;
  /** Full jitter back-off: uniform in 0 … min(most, least × 2^attempt). */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** A connection that delivered for this long has earned a fresh back-off. */
  readonly stableMs: number;
  /** Part of the venue's connection lifetime after which the successor is opened: 23 of 24 h. */
  readonly rotateAtShare: number;
  /** Jitter around it, so that the connections of a node do not rotate together. */
  readonly rotateJitterShare: number;
  /** Two connections run side by side at least this long after the successor is subscribed. */
  readonly overlapMsMin: number;
  /** A successor that has not joined every stream by then is given up; the old one goes on. */
  readonly overlapMsMax: number;
  /** When to try again after a successor was given up. */
  readonly overlapRetryMs: number;
  /** So long before the venue ends a connection, the switch is made even at the price of a resync. */
  readonly lifetimeMarginMs: number;
  /** A stream that stays dead beside living ones: first repair by a successor after this, doubling. */
  readonly repairMsMin: number;
  readonly repairMsMax: number;
  /** Nothing read for so long: ask with a WebSocket ping (venues without an application ping). */
  readonly probeIdleMs: number;
  /** Nothing read for so long after our ping: the connection is half open. */
  readonly probeDeadlineMs: number;
  /** All streams with a cadence silent for this many of the longest threshold: half open. */
  readonly deadSilenceFactor: number;
  /** Wait for the peer's close frame; then the socket is cut. */
  readonly closeMsMax: number;
  /** Finest step of the silence watch; Node's timers are late by up to 3 ms anyway. */
  readonly sweepMsMin: number;
  /** Events held back per stream while a successor is ahead of the old connection. */
  readonly heldEventsMax: number;
  readonly snapshotConcurrencyMax: number;
  readonly snapshotMsMax: number;
  /** A 5,000-level snapshot is about 300 KB; ten times that is no answer to our question. */
  readonly snapshotBytesMax: number;
  /** Between two snapshots of one instrument that follow at once, doubling while they do. */
  readonly snapshotAgainMsMin: number;
  readonly snapshotBackoffMsMin: number;
  readonly snapshotBackoffMsMax: number;
  /** Retry-After that the venue did not state: after a 429, and after a 418 (an address ban). */
  readonly rateLimitedMs: number;
  readonly bannedMs: number;
  /** The longest Retry-After believed (Binance bans for up to three days). */
  readonly retryAfterMsMax: number;
  /** After an answer about instruments the next question, if in doubt; then doubling, with jitter. */
  readonly definitionsAgainMsMin: number;
  readonly definitionsAgainMsMax: number;
  /** An answer about instruments that has not come by then does not come. */
  readonly definitionsMsMax: number;
  /** Records taken from a books → ingest ring in one turn. */
  readonly wantedRecordsMax: number;
  readonly faultSamplesPerMinute: number;
  readonly faultSampleBytesMax: number;
}

export const INGEST_LIMITS: IngestLimits = {
  budgetShare: 0.8,
  burstShare: 0.5,
  handshakeMsMax: 10_000,
  backoffMsMin: 250,
  backoffMsMax: 30_000,
  stableMs: 30_000,
  rotateAtShare: 23 / 24,
  rotateJitterShare: 1 / 96,
  overlapMsMin: 1_000,
  overlapMsMax: 60_000,
  overlapRetryMs: 300_000,
  lifetimeMarginMs: 120_000,
  repairMsMin: 30_000,
  repairMsMax: 3_600_000,
  probeIdleMs: 15_000,
  probeDeadlineMs: 10_000,
  deadSilenceFactor: 2,
  closeMsMax: 1_000,
  sweepMsMin: 10,
  heldEventsMax: 128,
  snapshotConcurrencyMax: 6,
  snapshotMsMax: 10_000,
  snapshotBytesMax: 4 * 1024 * 1024,
  snapshotAgainMsMin: 100,
  snapshotBackoffMsMin: 500,
  snapshotBackoffMsMax: 30_000,
  rateLimitedMs: 60_000,
  bannedMs: 600_000,
  retryAfterMsMax: 3 * 86_400_000,
  definitionsAgainMsMin: 500,
  definitionsAgainMsMax: 30_000,
  definitionsMsMax: 30_000,
  wantedRecordsMax: 256,
  faultSamplesPerMinute: 5,
  faultSampleBytesMax: 200,
};

export const NS_PER_MS = 1e6;

/** Checks the relations between limits, once, where an Ingest is made. */
export function assertLimits(limits: IngestLimits): void {
  invariant(limits.budgetShare > 0 && limits.budgetShare < 1, 'we stay below the venue limit');
  invariant(limits.burstShare > 0 && limits.burstShare <= 1, 'a burst is a part of the budget');
  invariant(limits.backoffMsMin > 0, 'a back-off of zero is a storm');
  invariant(limits.backoffMsMax >= limits.backoffMsMin, 'back-off grows');
  invariant(
    limits.rotateAtShare + limits.rotateJitterShare < 1,
    'the successor opens before the venue ends the old connection',
  );
  invariant(limits.overlapMsMax > limits.overlapMsMin, 'an overlap can succeed');
  invariant(
    limits.overlapRetryMs >= limits.overlapMsMax,
    'overlaps of a connection do not overlap',
  );
  invariant(limits.bannedMs >= limits.rateLimitedMs, 'a ban lasts longer than a refusal');
  invariant(limits.snapshotConcurrencyMax >= 1, 'one request may be under way');
}
