/**
 * What /health and /ready answer. Healthy: the process and its threads are there. Ready: a client who
 * connects now gets what it asks for. Where books are taken, every book is Live but those of instruments
 * that the venue itself has halted or delisted; where none are, every connection to the venue is
 * subscribed. Cold.
 */
import { BookState, bookStateName, stateReasonName } from '../domain/book-state.js';
import { isClosed, tradingName } from '../domain/definition.js';
import type { Trading } from '../domain/definition.js';

export interface BookHealth {
  readonly instrument: string;
  readonly state: number;
  readonly reason: number;
  readonly trading: Trading;
}

export interface ConnectionHealth {
  readonly connection: string;
  readonly subscribed: boolean;
}
export interface ThreadHealth {
  readonly thread: string;
  readonly running: boolean;
  readonly restarts: number;
}
export interface HealthSources {
  /** Empty where no books are taken: the configuration asks for other channels only. */
  books(): readonly BookHealth[];
  /** To the venue; looked at where there are no books. */
  connections(): readonly ConnectionHealth[];
  threads(): readonly ThreadHealth[];
  /** Set once shutdown has begun. */
  stopping(): boolean;
  uptimeNs(): number;
}

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Longer lists are cut: a probe wants to know that, which, and roughly how many. */
const NOT_LIVE_LISTED_MAX = 100;

export function healthPage(sources: HealthSources): Page {
  const threads = sources.threads();
  const down = threads.filter((thread) => !thread.running);
  const status = sources.stopping() ? 'stopping' : down.length > 0 ? 'degraded' : 'ok';
  return json(status === 'ok' ? 200 : 503, {
    status,
    uptimeSeconds: Math.floor(sources.uptimeNs() / 1e9),
    threads,
  });
}

/** See above. */
export function isReady(sources: HealthSources): boolean {
  if (sources.stopping()) return false;
  const books = sources.books();
  if (books.length > 0) return books.every((book) => isLive(book) || isClosed(book.trading));
  const connections = sources.connections();
  return connections.length > 0 && connections.every(({ subscribed }) => subscribed);
}

const isLive = ({ state }: BookHealth): boolean => state === BookState.Live;

export function readyPage(sources: HealthSources): Page {
  const books = sources.books();
  const ready = isReady(sources);
  if (books.length === 0) return connectionsPage(ready, sources.connections());
  const notLive = books.filter((book) => !isLive(book));
  return json(ready ? 200 : 503, {
    ready,
    books: books.length,
    live: books.length - notLive.length,
    notTrading: books.filter(({ trading }) => isClosed(trading)).length,
    notLive: notLive.slice(0, NOT_LIVE_LISTED_MAX).map((book) => ({
      instrument: book.instrument,
      state: bookStateName(book.state),
      reason: stateReasonName(book.reason),
      trading: tradingName(book.trading),
    })),
  });
}

function connectionsPage(ready: boolean, connections: readonly ConnectionHealth[]): Page {
  const down = connections.filter(({ subscribed }) => !subscribed);
  return json(ready ? 200 : 503, {
    ready,
    books: 0,
    connections: connections.length,
    notSubscribed: down.slice(0, NOT_LIVE_LISTED_MAX).map(({ connection }) => connection),
  });
}

function json(status: number, value: unknown): Page {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value)}\n`,
  };
}
