/**
 * HTTP on the feed's port: the dashboard, the books as JSON for curl, and the pages that the main
 * thread makes (/metrics, /health, /ready). Broadcast thread, cold.
 */
import { bookStateName, stateReasonName } from '../domain/book-state.js';
import { formatDecimal } from '../domain/decimal.js';
import { hashText } from '../domain/level-hash.js';
import type { FaultCode } from '../faults/fault.js';
import type { Scheduler } from '../time/clock.js';
import { BodyType } from '../wire/message-layout.js';
import type { Admission } from './admission.js';
import { BroadcastColumn } from './broadcast-counters.js';
import type { HttpRequest, HttpResponse } from './broadcast-server.js';
import { factsOf } from './instrument-facts.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { MirrorSide } from './mirror-side.js';
import type { RoomContext } from './room-context.js';
import type { StaticFile } from './static-files.js';

/** A page of the main thread: /metrics, /health, /ready. Null where it has none of that path. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}
export type Pages = (path: string) => Promise<Page | null>;

type Reply = (response: HttpResponse) => void;

const DEPTH_DEFAULT = 20;
const INSTRUMENTS_PATH = '/v1/instruments';
const BOOK_PATH = '/v1/book/';
const OPS_PATHS: readonly string[] = ['/metrics', '/health', '/ready'];

/** On every answer. The page's scripts, styles, worker and sockets come from this origin only. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export class HttpRoutes {
  private readonly room: RoomContext;
  private readonly admission: Admission;
  private readonly feedsByName: ReadonlyMap<string, InstrumentFeed>;
  private readonly files: ReadonlyMap<string, StaticFile>;
  private readonly pages: Pages | null;
  private readonly scheduler: Scheduler;
  /** Answers that wait until a book is whole. */
  private readonly waiting: { feed: InstrumentFeed; answer: () => void }[] = [];

  constructor(
    room: RoomContext,
    admission: Admission,
    feedsByName: ReadonlyMap<string, InstrumentFeed>,
    files: ReadonlyMap<string, StaticFile>,
    pages: Pages | null,
    scheduler: Scheduler,
  ) {
    this.room = room;
    this.admission = admission;
    this.feedsByName = feedsByName;
    this.files = files;
    this.pages = pages;
    this.scheduler = scheduler;
  }

  onHttp(request: HttpRequest, reply: Reply): void {
    this.room.counters.add(0, BroadcastColumn.HttpRequests, 1);
    const { method, path } = request;
    // Probes address a node by whatever name its deployment gave it; these two tell no data.
    const isProbe = path === '/health' || path === '/ready';
    if (!isProbe && !this.admission.hostAllowed(request.host)) {
      reply(
        problem(
          403,
          'FORBIDDEN_HOST',
          'the Host header names neither an address nor an allowed host',
        ),
      );
    } else if (method !== 'GET' && method !== 'HEAD') {
      const refusal = problem(405, 'MALFORMED_REQUEST', 'only GET and HEAD are answered');
      reply({ ...refusal, headers: { ...refusal.headers, Allow: 'GET, HEAD' } });
    } else if (this.isProtected(path) && !this.admission.bearer(request.authorization)) {
      const refusal = problem(401, 'UNAUTHORIZED', 'this needs Authorization: Bearer <token>');
      reply({ ...refusal, headers: { ...refusal.headers, 'WWW-Authenticate': 'Bearer' } });
    } else {
      this.route(request, reply);
    }
  }

  /** Answers those whose book is whole by now. At the end of a duty cycle. */
  answerWaiting(): void {
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      const { feed, answer } = this.waiting[i]!;
      if (feed.mirror.midEvent) continue;
      this.waiting.splice(i, 1);
      answer();
    }
  }

  /** Without a token everything is open; with one, what carries data or figures is not. */
  private isProtected(path: string): boolean {
    return path.startsWith('/v1/') || path === '/metrics';
  }

  private route(request: HttpRequest, reply: Reply): void {
    const { path } = request;
    const file = this.files.get(path);
    if (file !== undefined) reply(fileResponse(file, request.ifNoneMatch));
    else if (path === INSTRUMENTS_PATH) reply(json(200, { instruments: this.instruments() }));
    else if (path.startsWith(BOOK_PATH))
      this.book(path.slice(BOOK_PATH.length), request.query, reply);
    else if (OPS_PATHS.includes(path)) this.page(path, reply);
    else reply(problem(404, 'NOT_FOUND', 'no such page'));
  }

  private instruments(): unknown[] {
    return Array.from(this.feedsByName.values(), (feed) => {
      const { instrument, mirror, book } = feed;
      return {
        instrument: instrument.name,
        instrumentId: instrument.id,
        state: bookStateName(mirror.state),
        reason: stateReasonName(mirror.reason),
        epoch: String(book.epoch),
        sequence: String(book.sequence),
        ...this.bbo(feed),
        bidLevels: mirror.bidsCount,
        askLevels: mirror.asksCount,
        ...factsOf(instrument),
      };
    });
  }

  /** The last BBO message as decimal text; null for a side without levels. */
  private bbo(feed: InstrumentFeed): { bid: unknown; ask: unknown } {
    const { history } = feed.bbo;
    const { decoder } = this.room;
    if (history.size > 0) {
      const newest = history.newestSequence;
      const type = decoder.decodeWords(
        history.buffer,
        history.wordAt(newest),
        history.bytesAt(newest),
      );
      if (type === BodyType.Bbo) {
        const { bbo, priceDecimals, sizeDecimals } = decoder;
        const level = (price: number, size: number): [string, string] | null =>
          size === 0
            ? null
            : [formatDecimal(price, priceDecimals), formatDecimal(size, sizeDecimals)];
        return { bid: level(bbo[0]!, bbo[1]!), ask: level(bbo[2]!, bbo[3]!) };
      }
    }
    return { bid: null, ask: null };
  }

  private book(encodedName: string, query: string, reply: Reply): void {
    let name: string;
    try {
      name = decodeURIComponent(encodedName);
    } catch {
      reply(problem(400, 'MALFORMED_REQUEST', 'the instrument is not percent-encoded UTF-8'));
      return;
    }
    const feed = this.feedsByName.get(name);
    if (feed === undefined) {
      reply(problem(404, 'UNKNOWN_INSTRUMENT', `no instrument ${name.slice(0, 100)}`));
      return;
    }
    const depth = this.depthOf(query);
    if (depth < 0) {
      const most = this.room.limits.viewDepthMax;
      reply(problem(400, 'BAD_DEPTH', `depth is 1 to ${most} levels a side, or full`));
      return;
    }
    const answer = (): void => reply(json(200, bookOf(feed, depth)));
    if (!feed.mirror.midEvent) answer();
    else if (this.waiting.length < this.room.limits.waitingMax) this.waiting.push({ feed, answer });
    else reply(problem(503, 'UNAVAILABLE', 'too many requests wait for this book'));
  }

  /** Levels a side, Infinity for all, -1 if it is no depth. */
  private depthOf(query: string): number {
    const text = new URLSearchParams(query).get('depth');
    if (text === null) return DEPTH_DEFAULT;
    if (text === 'full' || text === '0') return Infinity;
    const depth = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    return depth <= this.room.limits.viewDepthMax ? depth : -1;
  }

  private page(path: string, reply: Reply): void {
    if (this.pages === null) {
      reply(problem(404, 'NOT_FOUND', 'this node has no such page'));
      return;
    }
    let done = false;
    const finish = (response: HttpResponse): void => {
      if (done) return;
      done = true;
      this.scheduler.cancel(timer);
      reply(response);
    };
    const late = problem(503, 'UNAVAILABLE', 'the main thread did not answer in time');
    const timer = this.scheduler.schedule(this.room.limits.opsNsMax, () => finish(late));
    this.pages(path).then(
      (page) => {
        if (page === null) finish(problem(404, 'NOT_FOUND', 'no such page'));
        else finish(response(page.status, page.contentType, page.body));
      },
      () => finish(problem(500, 'UNAVAILABLE', 'the page could not be made')),
    );
  }
}

function bookOf(feed: InstrumentFeed, depth: number): unknown {
  const { mirror, book, instrument } = feed;
  const levels = (side: MirrorSide): [string, string][] => {
    const texts: [string, string][] = [];
    const count = Math.min(depth, side.count);
    for (let rank = 0; rank < count; rank++) {
      texts.push([
        formatDecimal(side.priceAt(rank), mirror.priceDecimals),
        formatDecimal(side.sizeAt(rank), mirror.sizeDecimals),
      ]);
    }
    return texts;
  };
  return {
    instrument: instrument.name,
    instrumentId: instrument.id,
    state: bookStateName(mirror.state),
    reason: stateReasonName(mirror.reason),
    epoch: String(book.epoch),
    sequence: String(book.sequence),
    /** Over all levels of the full book. */
    hash: hashText(book.hashHigh, book.hashLow),
    bidLevels: mirror.bidsCount,
    askLevels: mirror.asksCount,
    bids: levels(mirror.bids),
    asks: levels(mirror.asks),
  };
}

function fileResponse(file: StaticFile, ifNoneMatch: string): HttpResponse {
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': file.contentType,
    ETag: file.etag,
    'Cache-Control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  const known = ifNoneMatch.split(',').some((tag) => tag.trim() === file.etag);
  return known ? { status: 304, headers, body: '' } : { status: 200, headers, body: file.body };
}

function response(status: number, contentType: string, body: string): HttpResponse {
  const headers = { ...SECURITY_HEADERS, 'Content-Type': contentType, 'Cache-Control': 'no-store' };
  return { status, headers, body };
}

function json(status: number, value: unknown): HttpResponse {
  return response(status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`);
}

export function problem(status: number, code: FaultCode, message: string): HttpResponse {
  return json(status, { code, message });
}
