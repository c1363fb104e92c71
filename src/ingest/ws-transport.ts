/**
 * WebSocketTransport on `ws`, tuned for receiving: buffers as they come, no compression, no UTF-8 pass
 * (the parser reads bytes and refuses what is not ASCII where it matters), no deferral of events.
 * Ingest thread; HOT (one call a message).
 *
 * Received time is read from the clock once per socket read, in a listener that stands before ws's own.
 * A message that began in an earlier read keeps the time of that read.
 */
import { connect as connectTcp } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { WebSocket } from 'ws';
import type { ClientOptions, RawData } from 'ws';
import type { Clock, TimeCell } from '../time/clock.js';
import type { WebSocketConnection, WebSocketHandlers, WebSocketTransport } from './transport.js';
import type { UrlPolicy } from './url-guard.js';
import { checkUrl, guardedLookup } from './url-guard.js';

export interface WsTransportOptions extends UrlPolicy {
  readonly clock: Clock;
  /** Longest message taken; beyond it the connection is closed with 1009. */
  readonly frameBytesMax: number;
  readonly handshakeMsMax: number;
  /** Extra trust anchors, for tests and private venues. */
  readonly ca?: string | Buffer;
}

/** A message in more fragments than this is an attack (CVE-2026-62389: tiny parts exhaust the heap). */
const FRAGMENTS_MAX = 64;
/** Socket reads that one message may span: 16 MiB in TLS records of 16 KiB, and some. */
const CHUNKS_MAX = 4096;

export class WsTransport implements WebSocketTransport {
  private readonly options: WsTransportOptions;

  constructor(options: WsTransportOptions) {
    this.options = options;
  }

  /** Throws FaultError BAD_CONFIG for a URL outside the policy. */
  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection {
    checkUrl(url, this.options);
    return new WsConnection(url, handlers, this.options);
  }
}

class WsConnection implements WebSocketConnection {
  private readonly socket: WebSocket;
  private readonly handlers: WebSocketHandlers;
  private readonly clock: Clock;
  private raw: Socket | null = null;
  /** When the first byte of the message under way was read. */
  private readonly began: TimeCell = new Float64Array(1);
  private readonly read: TimeCell = new Float64Array(1);
  private insideMessage = false;
  private failure = '';

  constructor(url: string, handlers: WebSocketHandlers, options: WsTransportOptions) {
    this.handlers = handlers;
    this.clock = options.clock;
    const lookup = guardedLookup(options);
    const trust: TlsOptions = options.ca === undefined ? {} : { ca: options.ca };
    const secure = url.startsWith('wss:');
    // ws passes host, port and servername of the URL in here; both connects take them alike.
    const createConnection = ((given: NetConnectOpts & TlsOptions): Socket => {
      const { path: _upgradePath, ...target } = given as NetConnectOpts &
        TlsOptions & { path?: string };
      const merged = { ...target, ...trust, lookup } as unknown as NetConnectOpts & TlsOptions;
      this.raw = secure ? connectTls(withServerName(merged)) : connectTcp(merged);
      return this.raw;
    }) as unknown as NonNullable<ClientOptions['createConnection']>;
    this.socket = new WebSocket(url, {
      createConnection,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      allowSynchronousEvents: true,
      followRedirects: false,
      maxPayload: options.frameBytesMax,
      handshakeTimeout: options.handshakeMsMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: CHUNKS_MAX,
    });
    this.socket.binaryType = 'nodebuffer';
    this.listen();
  }

  send(text: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  ping(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  private listen(): void {
    const { socket, handlers } = this;
    socket.on('open', () => {
      this.hookReads();
      handlers.onOpen();
    });
    socket.on('message', (data) => this.onMessage(data));
    socket.on('ping', () => handlers.onPing());
    socket.on('pong', () => handlers.onPong());
    socket.on('unexpected-response', (request, response) => {
      this.failure = `upgrade answered with status ${response.statusCode}`;
      handlers.onRefused(response.statusCode ?? 0, response.headers['retry-after']);
      response.resume();
      request.destroy();
      socket.terminate();
    });
    socket.on('error', (error) => {
      if (this.failure === '') this.failure = error.message;
    });
    socket.on('close', (code, reason) => {
      handlers.onClose(code, reason.length > 0 ? reason.toString('utf8') : this.failure);
    });
  }

  private hookReads(): void {
    const raw = this.raw!;
    raw.prependListener('data', () => {
      this.clock.readInto(this.read, 0);
      if (!this.insideMessage) this.began[0] = this.read[0]!;
    });
    // Stands behind ws's listener, which hands all messages of the read over before it returns.
    raw.on('data', () => {
      this.insideMessage = isInsideMessage(this.socket);
      this.handlers.onReadEnd();
    });
  }

  private onMessage(data: RawData): void {
    const bytes = data as Buffer;
    this.handlers.onFrame(bytes, 0, bytes.length, this.began);
    this.began[0] = this.read[0]!;
  }
}

/** ws's receiver, as far as it is looked into; a test pins that these fields exist. */
interface ReceiverFields {
  readonly _state: number;
  readonly _bufferedBytes: number;
  readonly _fragmented: number;
}

/** True if the read ended inside a message (or its header). */
function isInsideMessage(socket: WebSocket): boolean {
  const receiver = (socket as unknown as { _receiver?: ReceiverFields })._receiver;
  if (receiver === undefined) return false;
  return receiver._state !== 0 || receiver._bufferedBytes > 0 || receiver._fragmented !== 0;
}

function withServerName(options: NetConnectOpts & TlsOptions): NetConnectOpts & TlsOptions {
  const { host } = options as { host?: string };
  return options.servername === undefined && host !== undefined && !/^[\d.]+$|:/.test(host)
    ? { ...options, servername: host }
    : options;
}
