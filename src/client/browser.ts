/** `ringside/client` in a browser or in one of its workers: the host's own WebSocket, nothing of Node. */
import { Prng } from '../domain/prng.js';
import { PortableScheduler, jitterSeed } from '../time/portable-scheduler.js';
import { FeedClient as FeedClientCore, type FeedClientCoreOptions } from './feed-client.js';
import type { WebSocketConstructor } from './web-socket.js';

export interface FeedClientOptions
  extends
    Pick<FeedClientCoreOptions, 'url' | 'token' | 'backOffMsMax'>,
    Partial<Pick<FeedClientCoreOptions, 'scheduler' | 'prng'>> {
  readonly webSocket?: WebSocketConstructor;
}

export class FeedClient extends FeedClientCore {
  constructor(options: FeedClientOptions) {
    const hostSocket = (globalThis as unknown as { WebSocket: WebSocketConstructor }).WebSocket;
    const Socket = options.webSocket ?? hostSocket;
    super({
      ...options,
      openWebSocket: (url) => new Socket(url),
      scheduler: options.scheduler ?? new PortableScheduler(),
      prng: options.prng ?? new Prng(jitterSeed()),
    });
  }
}

export * from './exports.js';
