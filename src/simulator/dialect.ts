/**
 * The seam between the exchange and those who talk to it: a dialect turns market events into a
 * venue's frames and a venue's requests into answers. Transports (sockets, memory) and faults stand
 * beyond it; none of them knows a venue. Simulator's thread.
 */
import type { Channel } from '../domain/channel.js';
import type { ExchangeListener } from './exchange.js';

/** What a session sends to. */
export interface SessionOutput {
  /**
   * A market-data frame: the faults act on these. The bytes are not written again.
   * @param marketIndex, channel whom the frame is about, for the counters of faults
   */
  data(frame: Uint8Array, marketIndex: number, channel: Channel): void;
  /** An answer to a client's message. */
  control(text: string): void;
  close(code: number, reason: string): void;
}

/** One client's WebSocket connection as the dialect sees it. */
export interface DialectSession {
  onText(text: string, nowNs: number): void;
  /** A PING or an unasked PONG came. */
  onControlFrame(nowNs: number): void;
  onClose(): void;
}

export interface SimulatedRequest {
  readonly method: string;
  /** Path with query, as in the request line. */
  readonly target: string;
  /** Whom a rate limit counts. */
  readonly remoteAddress: string;
  /** Of a POST; empty otherwise. */
  readonly body?: string;
}

export interface SimulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What the faults want of an answer. */
export interface AnswerWishes {
  /** Answer from an old book where the request is for one. */
  readonly stale: boolean;
  /** Refuse with this status (429, 418) as the venue would; 0: do not. */
  readonly refuseStatus: number;
}

export interface DialectLimits {
  readonly pingEveryMs: number;
  readonly pongDeadlineMs: number;
  readonly lifetimeMs: number;
}

export interface Dialect extends ExchangeListener {
  /** Venue id whose clients it answers. */
  readonly venue: string;
  readonly limits: DialectLimits;
  /** Requests refused because they broke the venue's own limits, not by a fault. */
  readonly refusalsCount: number;
  /** Its markets' ticks may change; absent: they may not. */
  readonly canRetick?: boolean;
  /** @param target path with query of the upgrade request; null: there is no such endpoint */
  openSession(target: string, output: SessionOutput): DialectSession | null;
  answer(request: SimulatedRequest, wishes: AnswerWishes, nowNs: number): SimulatedAnswer;
  /** Whether a request asks for a book snapshot: those can be late or stale. */
  isSnapshotRequest(request: SimulatedRequest): boolean;
}
