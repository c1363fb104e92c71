/**
 * What /health and /ready answer. Healthy: the process and its threads are there. Ready: every
 * wanted book is Live, so that a client who connects now gets what it asks for. Cold.
 */
import { BookState, bookStateName, stateReasonName } from '../domain/book-state.js';

export interface BookHealth {
  readonly instrument: string;
  readonly state: number;
  readonly reason: number;
}
export interface ThreadHealth {
  readonly thread: string;
  readonly running: boolean;
  readonly restarts: number;
}
export interface HealthSources {
  books(): readonly BookHealth[];
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

export function readyPage(sources: HealthSources): Page {
  const books = sources.books();
  const notLive = books.filter((book) => book.state !== BookState.Live);
  const ready = books.length > 0 && notLive.length === 0 && !sources.stopping();
  return json(ready ? 200 : 503, {
    ready,
    books: books.length,
    live: books.length - notLive.length,
    notLive: notLive.slice(0, NOT_LIVE_LISTED_MAX).map((book) => ({
      instrument: book.instrument,
      state: bookStateName(book.state),
      reason: stateReasonName(book.reason),
    })),
  });
}

function json(status: number, value: unknown): Page {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value)}\n`,
  };
}
