/**
 * /metrics, /health and /ready on a port of their own, for probes that must not share the feed's.
 * node:http on the main thread, cold.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FaultError } from '../faults/fault.js';
import type { Page } from './health.js';

/** Answers for the path of a GET request; null where there is no such page. */
export type Pages = (path: string) => Promise<Page | null>;

export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  readonly pages: Pages;
}

export class AdminServer {
  private readonly server: Server;
  private readonly options: AdminServerOptions;

  constructor(options: AdminServerOptions) {
    this.options = options;
    this.server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0]!;
      const readable = request.method === 'GET' || request.method === 'HEAD';
      const answer = readable ? options.pages(path) : Promise.resolve(null);
      answer.then(
        (page) => {
          const status = page?.status ?? (readable ? 404 : 405);
          const contentType = page?.contentType ?? 'text/plain; charset=utf-8';
          response.writeHead(status, {
            'Content-Type': contentType,
            'Cache-Control': 'no-store',
            'X-Content-Type-Options': 'nosniff',
          });
          const body =
            page?.body ?? (readable ? `no such page: ${path}\n` : 'only GET is answered\n');
          response.end(request.method === 'HEAD' ? undefined : body);
        },
        () => response.writeHead(500).end('the page could not be made\n'),
      );
    });
    this.server.headersTimeout = 5_000;
    this.server.requestTimeout = 10_000;
    this.server.maxConnections = 64;
  }

  /** Resolves with the port. Throws FaultError PORT_IN_USE. */
  start(): Promise<number> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const known =
          error.code === 'EADDRINUSE' || error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL';
        const why = error.code ?? error.message;
        const message = `cannot listen on ${host}:${port} for the admin pages: ${why}`;
        reject(known ? new FaultError('PORT_IN_USE', message) : error);
      });
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}
