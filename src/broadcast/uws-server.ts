/**
 * The server contract on uWebSockets.js: the only file that imports it, so that upstream's own
 * package can take the place of the one from the registry. Broadcast thread, hot (publish).
 *
 * What was tried and is relied on: `publish` and `send` take views over SharedArrayBuffer and copy
 * before they return; a direct send first lets out what was published to that socket; leaving a topic
 * does not lose what was published before, unless it was the socket's last one (so each socket stays
 * in COMMON_TOPIC); after one message was dropped the rest of that turn's messages for the socket go
 * too, and only `dropped` tells. Frames that break RFC 6455, text that is not UTF-8 and frames beyond
 * frameBytesMax are cut by it without a close frame (1006).
 */
import * as ns from 'uWebSockets.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import type {
  BroadcastServer,
  Connection,
  HttpRequest,
  HttpResponse,
  ServerAddress,
  ServerEvents,
  ServerExtras,
  ServerLimits,
  Ticket,
} from './broadcast-server.js';
import { COMMON_TOPIC } from './topics.js';

/** What we use of uWebSockets.js, typed here: the two packages differ in their declarations. */
interface UwsSocket {
  send(message: Uint8Array | string, isBinary: boolean, compress: boolean): number;
  sendFirstFragment(message: Uint8Array, isBinary: boolean, compress: boolean): number;
  sendFragment(message: Uint8Array, compress: boolean): number;
  sendLastFragment(message: Uint8Array, compress: boolean): number;
  getBufferedAmount(): number;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  end(code: number, reason: string): void;
  close(): void;
  getUserData(): UserData;
}
interface UwsResponse {
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string, value: string): UwsResponse;
  end(body: string | Uint8Array, closeConnection: boolean): UwsResponse;
  endWithoutBody(bytes: number, closeConnection: boolean): UwsResponse;
  onAborted(handler: () => void): UwsResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): UwsResponse;
  cork(callback: () => void): UwsResponse;
  getRemoteAddressAsText(): ArrayBuffer;
  upgrade(
    data: UserData,
    key: string,
    protocol: string,
    extensions: string,
    context: unknown,
  ): void;
}
interface UwsRequest {
  getHeader(name: string): string;
  getUrl(): string;
  getQuery(): string;
  getCaseSensitiveMethod(): string;
}
interface UwsApp {
  ws(pattern: string, behavior: unknown): UwsApp;
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  publish(
    topic: string | ArrayBuffer,
    message: Uint8Array | string,
    isBinary: boolean,
    compress: boolean,
  ): boolean;
  listen(host: string, port: number, options: number, done: (token: unknown) => void): UwsApp;
  close(): UwsApp;
}
interface UwsModule {
  App(): UwsApp;
  SSLApp(options: { key_file_name: string; cert_file_name: string }): UwsApp;
  us_listen_socket_close(token: unknown): void;
  us_socket_local_port(token: unknown): number;
  readonly DISABLED: number;
  readonly SHARED_COMPRESSOR: number;
}

const uWS = ('App' in ns ? ns : (ns as { default: unknown }).default) as UwsModule;

/** Without it a second process could listen on the same port and take half of our clients. */
const LISTEN_EXCLUSIVE_PORT = 1;
/** Some hundred instruments with some views each; beyond it names are made anew. */
const TOPICS_KEPT_MAX = 4096;
const FEED_PATH = '/v1/feed';
const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: 'OK',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  422: 'Unprocessable Entity',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

interface UserData {
  readonly address: string;
  readonly ticket: Ticket;
  connection: UwsConnection | null;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface UwsServerOptions {
  readonly limits: ServerLimits;
  readonly tls?: TlsFiles | undefined;
  readonly extras?: ServerExtras | undefined;
}

class UwsConnection implements Connection {
  readonly address: string;
  closed = false;
  private readonly socket: UwsSocket;
  private readonly compress: boolean;

  constructor(socket: UwsSocket, address: string, compress: boolean) {
    this.socket = socket;
    this.address = address;
    this.compress = compress;
  }

  sendBinary(bytes: Uint8Array): void {
    if (!this.closed) this.socket.send(bytes, true, false);
  }
  sendText(text: string | Uint8Array): void {
    if (!this.closed) this.socket.send(text, false, this.compress);
  }
  sendTextPart(bytes: Uint8Array, isFirst: boolean, isLast: boolean): void {
    if (this.closed) return;
    // Not compressed: fragments would each be deflated as a message of its own, which RFC 7692 is not.
    if (isFirst && isLast) this.socket.send(bytes, false, false);
    else if (isFirst) this.socket.sendFirstFragment(bytes, false, false);
    else if (isLast) this.socket.sendLastFragment(bytes, false);
    else this.socket.sendFragment(bytes, false);
  }
  join(topic: string): void {
    if (!this.closed) this.socket.subscribe(topic);
  }
  leave(topic: string): void {
    if (!this.closed) this.socket.unsubscribe(topic);
  }
  bufferedBytes(): number {
    return this.closed ? 0 : this.socket.getBufferedAmount();
  }
  end(code: number, reason: string): void {
    if (!this.closed) this.socket.end(code, reason);
  }
  terminate(): void {
    if (!this.closed) this.socket.close();
  }
}

export class UwsServer implements BroadcastServer {
  private readonly app: UwsApp;
  private readonly limits: ServerLimits;
  private readonly extras: ServerExtras | null;
  private events: ServerEvents | null = null;
  private listenToken: unknown = null;
  private closed = false;
  /** Names of binary topics as bytes. */
  private readonly topics = new Map<string, ArrayBuffer>();

  constructor(options: UwsServerOptions) {
    this.limits = options.limits;
    this.extras = options.extras ?? null;
    const { tls } = options;
    this.app =
      tls === undefined
        ? uWS.App()
        : uWS.SSLApp({ key_file_name: tls.keyFile, cert_file_name: tls.certFile });
  }

  setEvents(events: ServerEvents): void {
    this.events = events;
    this.app.ws(FEED_PATH, this.behavior(events, this.limits.socketBytesMax, false));
    const { extras } = this;
    if (extras !== null) {
      this.app.ws(extras.path, this.behavior(events, extras.socketBytesMax, extras.compression));
    }
    this.app.any('/*', (response, request) =>
      guarded(() => this.onRequest(events, response, request)),
    );
  }

  listen(host: string, port: number): Promise<ServerAddress> {
    invariant(this.events !== null, 'events are set before listen');
    return new Promise((resolve, reject) => {
      this.app.listen(host, port, LISTEN_EXCLUSIVE_PORT, (token) => {
        if (token === false || token === null || token === undefined) {
          const message = `cannot listen on ${host}:${port}: the port is in use or the address is not ours`;
          reject(new FaultError('PORT_IN_USE', message));
          return;
        }
        this.listenToken = token;
        resolve({ host, port: uWS.us_socket_local_port(token) });
      });
    });
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.app.publish(this.bytesOf(topic), bytes, true, false);
  }

  /** A string would be measured, allocated and encoded for each message: 60 ns more. */
  private bytesOf(topic: string): ArrayBuffer {
    const known = this.topics.get(topic);
    if (known !== undefined) return known;
    if (this.topics.size >= TOPICS_KEPT_MAX) this.topics.clear();
    const bytes = new ArrayBuffer(Buffer.byteLength(topic));
    Buffer.from(bytes).write(topic);
    this.topics.set(topic, bytes);
    return bytes;
  }

  publishText(topic: string, text: string | Uint8Array): void {
    // Without effect on sockets that have not agreed on it: those of the feed never have.
    this.app.publish(topic, text, false, this.extras?.compression === true);
  }

  stopListening(): void {
    if (this.listenToken === null) return;
    uWS.us_listen_socket_close(this.listenToken);
    this.listenToken = null;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.listenToken = null;
    this.app.close();
  }

  private behavior(events: ServerEvents, socketBytesMax: number, compress: boolean): unknown {
    const connectionOf = (socket: UwsSocket): UwsConnection => socket.getUserData().connection!;
    return {
      maxPayloadLength: this.limits.frameBytesMax,
      maxBackpressure: socketBytesMax,
      closeOnBackpressureLimit: false,
      idleTimeout: this.limits.idleSeconds,
      sendPingsAutomatically: true,
      compression: compress ? uWS.SHARED_COMPRESSOR : uWS.DISABLED,
      upgrade: (response: UwsResponse, request: UwsRequest, context: unknown) =>
        guarded(() => this.onUpgrade(events, response, request, context)),
      open: (socket: UwsSocket) =>
        guarded(() => {
          const data = socket.getUserData();
          const connection = new UwsConnection(socket, data.address, compress);
          data.connection = connection;
          socket.subscribe(COMMON_TOPIC);
          events.onOpen(connection, data.ticket);
        }),
      message: (socket: UwsSocket, message: ArrayBuffer, isBinary: boolean) =>
        guarded(() => events.onMessage(connectionOf(socket), new Uint8Array(message), isBinary)),
      ping: (socket: UwsSocket) => guarded(() => events.onPing(connectionOf(socket))),
      drain: (socket: UwsSocket) => guarded(() => events.onDrain(connectionOf(socket))),
      dropped: (socket: UwsSocket) => guarded(() => events.onDropped(connectionOf(socket))),
      close: (socket: UwsSocket, code: number) =>
        guarded(() => {
          const connection = connectionOf(socket);
          connection.closed = true;
          events.onClose(connection, code);
        }),
    };
  }

  private onUpgrade(
    events: ServerEvents,
    response: UwsResponse,
    request: UwsRequest,
    context: unknown,
  ): void {
    const address = addressOf(response);
    if (request.getHeader('sec-websocket-version') !== '13') {
      const headers = {
        'Sec-WebSocket-Version': '13',
        'Content-Type': 'text/plain; charset=utf-8',
      };
      respond(
        response,
        { status: 426, headers, body: 'WebSocket version 13 is spoken here\n' },
        false,
      );
      return;
    }
    const verdict = events.onUpgrade({
      path: request.getUrl(),
      query: request.getQuery(),
      address,
      host: request.getHeader('host'),
      origin: request.getHeader('origin'),
      authorization: request.getHeader('authorization'),
    });
    if (verdict.kind === 'refuse') {
      respond(response, verdict.response, false);
      return;
    }
    response.upgrade(
      { address, ticket: verdict.ticket, connection: null },
      request.getHeader('sec-websocket-key'),
      // No subprotocol is offered, and an extension only where compression is on.
      '',
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }

  private onRequest(events: ServerEvents, response: UwsResponse, request: UwsRequest): void {
    let aborted = false;
    response.onAborted(() => {
      aborted = true;
    });
    const method = request.getCaseSensitiveMethod().toUpperCase();
    const asked: HttpRequest = {
      method,
      path: request.getUrl(),
      query: request.getQuery(),
      host: request.getHeader('host'),
      origin: request.getHeader('origin'),
      authorization: request.getHeader('authorization'),
      ifNoneMatch: request.getHeader('if-none-match'),
    };
    const reply = (answer: HttpResponse): void => {
      if (aborted || this.closed) return;
      aborted = true;
      response.cork(() => respond(response, answer, method === 'HEAD'));
    };
    const { extras } = this;
    if (extras === null || method !== 'POST' || asked.path !== extras.bodyPath) {
      events.onHttp(asked, reply);
      return;
    }
    collectBody(response, extras.bodyBytesMax, (body) => {
      if (body === null) reply(BODY_TOO_LARGE);
      else events.onHttp({ ...asked, body }, reply);
    });
  }
}

const BODY_TOO_LARGE: HttpResponse = {
  status: 413,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body: 'the request is too large\n',
};

/** The whole body, or null once it is larger than `bytesMax`. `done` is called once. */
function collectBody(
  response: UwsResponse,
  bytesMax: number,
  done: (body: Uint8Array | null) => void,
): void {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  response.onData((chunk, isLast) =>
    guarded(() => {
      if (bytes > bytesMax) return;
      bytes += chunk.byteLength;
      if (bytes > bytesMax) {
        done(null);
        return;
      }
      // Lent until this call returns.
      chunks.push(new Uint8Array(chunk.slice(0)));
      if (isLast) done(Buffer.concat(chunks));
    }),
  );
}

function addressOf(response: UwsResponse): string {
  return new TextDecoder().decode(response.getRemoteAddressAsText());
}

function respond(response: UwsResponse, answer: HttpResponse, headOnly: boolean): void {
  response.writeStatus(`${answer.status} ${STATUS_TEXT[answer.status] ?? 'Status'}`);
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
  // A body that we did not read may follow a refused method: the connection is not reused.
  const closeConnection = answer.status === 405 || answer.status === 413;
  if (headOnly || answer.status === 304) {
    const bytes =
      typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.length;
    response.endWithoutBody(bytes, closeConnection);
  } else {
    response.end(answer.body, closeConnection);
  }
}

/** A throw inside a native callback would end the process: it is thrown again on the event loop. */
function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
