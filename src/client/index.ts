/** `ringside/client` in Node: the feed client over the `ws` package. */
import { WebSocket } from 'ws';
import { Prng } from '../domain/prng.js';
import { PortableScheduler, jitterSeed } from '../time/portable-scheduler.js';
import { FeedClient as FeedClientCore, type FeedClientCoreOptions } from './feed-client.js';
import type { OpenWebSocket, WebSocketConstructor } from './web-socket.js';

export interface FeedClientOptions
  extends
    Pick<FeedClientCoreOptions, 'url' | 'token' | 'backOffMsMax'>,
    Partial<Pick<FeedClientCoreOptions, 'scheduler' | 'prng'>> {
  /** Another WebSocket than that of `ws`. */
  readonly webSocket?: WebSocketConstructor;
}

/** A full book of thousands of levels fits many times over. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

const openNodeSocket: OpenWebSocket = (url) =>
  new WebSocket(url, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MESSAGE_BYTES_MAX,
    handshakeTimeout: 5_000,
  });

export class FeedClient extends FeedClientCore {
  constructor(options: FeedClientOptions) {
    const Given = options.webSocket;
    super({
      ...options,
      openWebSocket: Given === undefined ? openNodeSocket : (url) => new Given(url),
      scheduler: options.scheduler ?? new PortableScheduler(),
      prng: options.prng ?? new Prng(jitterSeed()),
    });
  }
}

export * from './exports.js';
