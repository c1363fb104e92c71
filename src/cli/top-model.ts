/** What `ringside top` shows, as data: filled by the session, drawn by the screen. Cold. */
import type { ConnectionState, LocalBook } from '../client/index.js';
import type { HopSummary } from '../client/hop-latency.js';

export interface TopInstrument {
  readonly name: string;
  readonly symbol: string;
  state: number;
  bid: string;
  ask: string;
}

export interface TopModel {
  readonly url: string;
  connection: ConnectionState;
  /** Why the connection was lost, if the node said. */
  reason: string;
  instruments: TopInstrument[];
  /** Index of the chosen one, -1 before there are any. */
  chosen: number;
  /** Of the chosen one. */
  book: LocalBook | null;
  /** Levels a side that are subscribed. */
  depth: number;
  /** Milliseconds since the book's last message. */
  bookAgeMs: number;
  latency: readonly (HopSummary | null)[];
  messagesPerSecond: number;
  hashChecked: number;
  hashFailed: number;
  gaps: number;
}

export function newTopModel(url: string, depth: number): TopModel {
  return {
    url,
    connection: 'idle',
    reason: '',
    instruments: [],
    chosen: -1,
    book: null,
    depth,
    bookAgeMs: Number.POSITIVE_INFINITY,
    latency: [],
    messagesPerSecond: 0,
    hashChecked: 0,
    hashFailed: 0,
    gaps: 0,
  };
}
