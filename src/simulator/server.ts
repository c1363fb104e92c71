/**
 * The simulated exchange on loopback: node:http for REST and upgrades, `ws` for frames. Simulator's
 * thread. What one turn of the exchange sends to a client leaves in one write (cork … uncork).
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { FaultError } from '../faults/fault.js';
import type { Scheduler } from '../time/clock.js';
import type { ClientEnd } from './faulty-link.js';
import type { SimulatedVenue } from './simulated-venue.js';
import { CLIENT_BACKLOG_BYTES_MAX, CLIENT_MESSAGE_BYTES_MAX } from './simulator-limits.js';

export interface SimulatorUrls {
  readonly restUrl: string;
  readonly webSocketUrl: string;
}

const SEND_TEXT = { binary: false, compress: false, fin: true };

/** One client over a socket. */
class SocketClient implements ClientEnd {
  private readonly webSocket: WebSocket;
  readonly socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.webSocket = webSocket;
    this.socket = socket;
  }

  send(frame: Uint8Array): void {
    if (this.webSocket.readyState !== this.webSocket.OPEN) return;
    this.webSocket.send(frame, SEND_TEXT);
  }

  sendText(text: string): void {
    if (this.webSocket.readyState === this.webSocket.OPEN) this.webSocket.send(text, SEND_TEXT);
  }

  ping(): void {
    if (this.webSocket.readyState === this.webSocket.OPEN) this.webSocket.ping();
  }

  close(code: number, reason: string): void {
    this.webSocket.close(code, reason);
  }

  terminate(): void {
    this.webSocket.terminate();
  }

  freeze(frozen: boolean): void {
    if (frozen) this.webSocket.pause();
    else this.webSocket.resume();
  }
}

export class SimulatorServer {
  private readonly venue: SimulatedVenue;
  private readonly scheduler: Scheduler;
  private readonly http: Server;
  private readonly webSockets: WebSocketServer;
  private readonly clients = new Set<SocketClient>();
  /** Clients cut off because they did not read. */
  slowClients = 0;

  constructor(venue: SimulatedVenue, scheduler: Scheduler) {
    this.venue = venue;
    this.scheduler = scheduler;
    this.webSockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: CLIENT_MESSAGE_BYTES_MAX,
      clientTracking: false,
    });
    this.http = createServer((request, response) => this.onRequest(request, response));
    this.http.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket, head));
    venue.bracket = { begin: () => this.cork(), end: () => this.uncork() };
  }

  /** Throws FaultError PORT_IN_USE. */
  async listen(port: number, host: string): Promise<SimulatorUrls> {
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', (error: NodeJS.ErrnoException) => {
        const inUse = error.code === 'EADDRINUSE';
        reject(
          inUse ? new FaultError('PORT_IN_USE', `port ${port} is in use`, { cause: error }) : error,
        );
      });
      this.http.listen(port, host, resolve);
    });
    const address = this.http.address() as AddressInfo;
    const authority = `${address.family === 'IPv6' ? `[${host}]` : host}:${address.port}`;
    return { restUrl: `http://${authority}`, webSocketUrl: `ws://${authority}` };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    // Clients that do not answer the closing handshake are not waited for.
    const cut = this.scheduler.schedule(200e6, () => {
      for (const client of this.clients) client.terminate();
      this.http.closeAllConnections();
    });
    this.http.closeIdleConnections();
    await closed;
    this.scheduler.cancel(cut);
  }

  private onRequest(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('error', () => request.destroy());
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > CLIENT_MESSAGE_BYTES_MAX) request.destroy();
      else parts.push(part);
    });
    request.on('end', () => this.answer(request, response, Buffer.concat(parts).toString()));
  }

  private answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { answer, delayNs } = this.venue.answer({
      method: request.method ?? 'GET',
      target: request.url ?? '/',
      remoteAddress: request.socket.remoteAddress ?? 'unknown',
      body,
    });
    const send = (): void => {
      if (response.destroyed) return;
      response.writeHead(answer.status, {
        ...answer.headers,
        'Content-Length': Buffer.byteLength(answer.body),
      });
      response.end(answer.body);
    };
    if (delayNs === 0) send();
    else this.scheduler.schedule(delayNs, send);
  }

  private onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket;
    socket.on('error', () => socket.destroy());
    // The session is opened before the handshake so that an unknown path is refused by it.
    let client: SocketClient | null = null;
    const early: Uint8Array[] = [];
    const end: ClientEnd = {
      send: (frame) => (client === null ? early.push(frame) : client.send(frame)),
      sendText: (text) => client?.sendText(text),
      ping: () => client?.ping(),
      close: (code, reason) => client?.close(code, reason),
      terminate: () => client?.terminate(),
      freeze: (frozen) => client?.freeze(frozen),
    };
    const session = this.venue.open(request.url ?? '/', end);
    if (session === null) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    socket.once('close', () => session.onClose());
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const opened = new SocketClient(webSocket, socket);
      client = opened;
      this.clients.add(opened);
      socket.setNoDelay(true);
      webSocket.on('message', (data: Buffer) => session.onText(data.toString('utf8')));
      webSocket.on('ping', () => session.onPing());
      webSocket.on('pong', () => session.onPong());
      webSocket.on('error', () => webSocket.terminate());
      webSocket.on('close', () => {
        this.clients.delete(opened);
        session.onClose();
      });
      for (const frame of early) opened.send(frame);
    });
  }

  private cork(): void {
    for (const client of this.clients) client.socket.cork();
  }

  private uncork(): void {
    for (const client of this.clients) {
      client.socket.uncork();
      if (client.socket.writableLength > CLIENT_BACKLOG_BYTES_MAX) {
        this.slowClients++;
        client.terminate();
      }
    }
  }
}
