/**
 * What goes into the connection's state machine and what comes out of it. Ingest thread; cold.
 */
import type { Prng } from '../domain/prng.js';
import type { ConnectionPlan, ControlMessage, EventSink, VenueLimits } from '../venues/venue.js';
import type { IngestLimits } from './limits.js';
import type { RateLimit } from './rate-limit.js';

export interface ConnectionOptions {
  readonly plan: ConnectionPlan;
  readonly venue: VenueLimits;
  readonly limits: IngestLimits;
  readonly prng: Prng;
  /** Connection attempts of this address, shared by all connections to the venue. */
  readonly attempts: RateLimit;
  /** Where the arbiter passes events on to. */
  readonly sink: EventSink;
  /** Slots of all instruments (stream-watch.ts slotCount). */
  readonly slots: number;
}

export const ConnectionState = {
  Idle: 'idle',
  /** Back-off, or the budget of connection attempts is spent. */
  Waiting: 'waiting',
  Connecting: 'connecting',
  Subscribing: 'subscribing',
  /** Subscribed and acknowledged. */
  Up: 'up',
  /** Up, and a successor is being brought up beside it. */
  Overlapping: 'overlapping',
  Closing: 'closing',
} as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** A connection has two places for sockets and uses them in turn. */
export type LegIndex = 0 | 1;

export type ConnectionInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'opened'; readonly leg: LegIndex }
  | { readonly kind: 'control'; readonly leg: LegIndex; readonly message: ControlMessage }
  /** A flagged stream delivered: its first frame on this leg, or one after silence. */
  | { readonly kind: 'stream'; readonly leg: LegIndex; readonly slot: number }
  /** The venue answered the upgrade with a refusal for the address (429, 418); `closed` follows. */
  | { readonly kind: 'refused'; readonly leg: LegIndex; readonly retryAfterMs: number }
  | { readonly kind: 'closed'; readonly leg: LegIndex; readonly reason: string };

export type ConnectionEvent =
  | 'connecting'
  | 'subscribed'
  | 'refused'
  | 'lost'
  | 'silent'
  | 'ending'
  | 'rotated'
  | 'successor-lost'
  | 'stopped';

export type ConnectionAction =
  | { readonly kind: 'open'; readonly leg: LegIndex; readonly url: string }
  | { readonly kind: 'send'; readonly leg: LegIndex; readonly text: string }
  | { readonly kind: 'ping'; readonly leg: LegIndex }
  /** Say goodbye; nothing more is taken from this socket. */
  | { readonly kind: 'close'; readonly leg: LegIndex; readonly reason: string }
  /** Cut the socket and hear no more of it. */
  | { readonly kind: 'terminate'; readonly leg: LegIndex; readonly reason: string }
  /** Tell the books: stream (index in the plan), SourceState, StateReason. */
  | {
      readonly kind: 'source';
      readonly stream: number;
      readonly state: number;
      readonly reason: number;
    }
  /** Give the stream to the successor, with what the arbiter holds. After its 'source' words. */
  | { readonly kind: 'release'; readonly slot: number }
  /** From here on the arbiter stands between both legs and the books. */
  | { readonly kind: 'overlap-begin'; readonly old: LegIndex }
  /** One socket is left, and which; or the one that is still connecting continues nothing. */
  | { readonly kind: 'overlap-end'; readonly left: 'old' | 'successor' | 'neither' }
  | { readonly kind: 'report'; readonly event: ConnectionEvent; readonly detail: string };
