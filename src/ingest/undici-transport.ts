/**
 * HttpTransport on undici: one pool of kept-alive connections per origin. Ingest thread; cold.
 * Redirects are not followed, bodies are bounded while they are read, and one deadline covers the whole
 * request, so that a body which drips cannot hold a place.
 */
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { FaultError } from '../faults/fault.js';
import type { HttpRequest } from '../venues/venue.js';
import type { HttpAnswer, HttpBounds, HttpTransport } from './transport.js';
import type { UrlPolicy } from './url-guard.js';
import { checkUrl, guardedLookup } from './url-guard.js';

export interface UndiciTransportOptions extends UrlPolicy {
  /** Connections per origin. */
  readonly connectionsMax: number;
  /** Extra trust anchors, for tests and private venues. */
  readonly ca?: string | Buffer;
}

const KEEP_ALIVE_MS = 30_000;
const CONNECT_MS_MAX = 5_000;

export class UndiciTransport implements HttpTransport {
  private readonly options: UndiciTransportOptions;
  private readonly pools = new Map<string, Pool>();

  constructor(options: UndiciTransportOptions) {
    this.options = options;
  }

  async request(request: HttpRequest, bounds: HttpBounds): Promise<HttpAnswer> {
    const url = checkUrl(request.url, this.options);
    try {
      const answer = await this.poolOf(url.origin).request({
        method: request.method,
        path: url.pathname + url.search,
        headers: { ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        signal: AbortSignal.timeout(bounds.msMax),
      });
      const body = await readBody(answer.body, bounds.bodyBytesMax);
      return { status: answer.statusCode, headers: flatten(answer.headers), body };
    } catch (error) {
      if (error instanceof FaultError) throw error;
      throw unreachableVenue(url, error, bounds);
    }
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private poolOf(origin: string): Pool {
    let pool = this.pools.get(origin);
    if (pool === undefined) {
      const { ca } = this.options;
      pool = new Pool(origin, {
        connections: this.options.connectionsMax,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connect: {
          timeout: CONNECT_MS_MAX,
          lookup: guardedLookup(this.options),
          ...(ca === undefined ? {} : { ca }),
        },
      });
      this.pools.set(origin, pool);
    }
    return pool;
  }
}

async function readBody(
  stream: Dispatcher.ResponseData['body'],
  bytesMax: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (bytes > bytesMax) throw new FaultError('FRAME_TOO_LARGE', `body beyond ${bytesMax} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, bytes);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function unreachableVenue(url: URL, error: unknown, bounds: HttpBounds): FaultError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const what =
    name === 'TimeoutError' || name === 'AbortError'
      ? `too slow: beyond ${bounds.msMax} ms`
      : message;
  return new FaultError('VENUE_UNREACHABLE', `${url.host}: ${what}`, { cause: error });
}
