/**
 * The server contract in memory, for tests on a virtual clock: the same ordering as the real one
 * (published messages go out at the end of the turn, a direct send first lets out what was published
 * before it), readers that stop and go on, and the server's own drop beyond its bound.
 */
import { invariant } from '../faults/invariant.js';
import type {
  BroadcastServer,
  Connection,
  HttpRequest,
  HttpResponse,
  ServerAddress,
  ServerEvents,
  ServerLimits,
  UpgradeRequest,
} from './broadcast-server.js';

export type Frame =
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string };

/** The client's end of a connection in memory. */
export class MemoryClient {
  /** What arrived, in order; the test takes from it. */
  readonly inbox: Frame[] = [];
  closeCode: number | null = null;
  closeReason = '';
  private readonly server: MemoryServer;
  readonly connection: MemoryConnection;

  constructor(server: MemoryServer, connection: MemoryConnection) {
    this.server = server;
    this.connection = connection;
  }

  send(request: unknown): void {
    this.sendText(typeof request === 'string' ? request : JSON.stringify(request));
  }

  sendText(text: string): void {
    this.sendBytes(new TextEncoder().encode(text), false);
  }

  sendBytes(bytes: Uint8Array, isBinary: boolean): void {
    if (!this.connection.closed) this.server.events.onMessage(this.connection, bytes, isBinary);
  }

  ping(): void {
    if (!this.connection.closed) this.server.events.onPing(this.connection);
  }

  /** Stops reading: what is sent from now on stays in the server's buffer. */
  pause(): void {
    this.connection.paused = true;
  }

  /** Reads up to `bytes` of what waits, then pauses again. */
  read(bytes: number): void {
    this.connection.paused = true;
    this.connection.release(bytes);
  }

  resume(): void {
    this.connection.paused = false;
    this.connection.release(Infinity);
  }

  /** Vanishes without a word. */
  drop(): void {
    this.connection.finish(1006, '');
  }

  /** All frames that arrived since the last call. */
  take(): Frame[] {
    return this.inbox.splice(0);
  }
}

export class MemoryConnection implements Connection {
  readonly address: string;
  readonly topics = new Set<string>();
  paused = false;
  closed = false;
  client!: MemoryClient;
  private readonly server: MemoryServer;
  /** Published and not yet let out. */
  private queued: Frame[] = [];
  private outgoing: Frame[] = [];
  private outgoingBytes = 0;
  private ending: { code: number; reason: string } | null = null;
  /** Of a message that is under way. */
  private parts: Uint8Array[] = [];
  private partBytes = 0;

  constructor(server: MemoryServer, address: string) {
    this.server = server;
    this.address = address;
  }

  sendBinary(bytes: Uint8Array): void {
    this.letOut();
    this.transmit({ kind: 'binary', bytes: bytes.slice() });
  }

  sendText(text: string | Uint8Array): void {
    this.letOut();
    this.transmit({ kind: 'text', text: textOf(text) });
  }

  sendTextPart(bytes: Uint8Array, isFirst: boolean, isLast: boolean): void {
    if (isFirst) this.letOut();
    if (this.closed) return;
    invariant(isFirst === (this.parts.length === 0), 'the parts of a message come in order');
    this.parts.push(bytes.slice());
    this.partBytes += bytes.length;
    if (!isLast) return;
    const text = Buffer.concat(this.parts).toString('utf8');
    this.parts = [];
    this.partBytes = 0;
    this.transmit({ kind: 'text', text });
  }

  join(topic: string): void {
    if (this.closed) return;
    this.topics.add(topic);
    this.server.members(topic).add(this);
  }

  leave(topic: string): void {
    this.topics.delete(topic);
    this.server.members(topic).delete(this);
  }

  bufferedBytes(): number {
    return this.closed ? 0 : this.outgoingBytes + (this.paused ? this.partBytes : 0);
  }

  end(code: number, reason: string): void {
    if (this.closed) return;
    this.letOut();
    this.ending = { code, reason };
    this.finish(code, reason);
  }

  terminate(): void {
    this.finish(1006, '');
  }

  enqueue(frame: Frame): void {
    this.queued.push(frame);
  }

  /** Lets out what was published; a drop ends the round, as in the real server. */
  letOut(): void {
    const frames = this.queued;
    this.queued = [];
    for (const frame of frames) if (!this.transmit(frame)) break;
  }

  /** What the real server does past its bound: the round's messages are gone, and only a word tells. */
  loseQueued(): void {
    if (this.queued.length === 0) return;
    this.queued = [];
    this.server.events.onDropped(this);
  }

  release(bytes: number): void {
    let free = bytes;
    let moved = false;
    while (this.outgoing.length > 0 && free > 0) {
      const frame = this.outgoing.shift()!;
      const size = sizeOf(frame);
      free -= size;
      this.outgoingBytes -= size;
      this.client.inbox.push(frame);
      moved = true;
    }
    if (this.outgoing.length === 0 && this.ending !== null) this.tellClose();
    if (moved && !this.closed) this.server.events.onDrain(this);
  }

  finish(code: number, reason: string): void {
    if (this.closed) return;
    this.closed = true;
    for (const topic of this.topics) this.server.members(topic).delete(this);
    this.server.connections.delete(this);
    if (this.ending === null) {
      this.client.closeCode = code;
      this.client.closeReason = reason;
    } else if (this.outgoing.length === 0) {
      this.tellClose();
    }
    this.server.events.onClose(this, code);
  }

  private tellClose(): void {
    this.client.closeCode = this.ending!.code;
    this.client.closeReason = this.ending!.reason;
  }

  private transmit(frame: Frame): boolean {
    if (this.closed) return false;
    invariant(this.parts.length === 0, 'nothing comes between the parts of a message');
    if (this.outgoingBytes > this.server.limits.socketBytesMax) {
      this.server.events.onDropped(this);
      return false;
    }
    if (!this.paused && this.outgoing.length === 0) {
      this.client.inbox.push(frame);
    } else {
      this.outgoing.push(frame);
      this.outgoingBytes += sizeOf(frame);
    }
    return true;
  }
}

function sizeOf(frame: Frame): number {
  return frame.kind === 'binary' ? frame.bytes.length : frame.text.length;
}

export class MemoryServer implements BroadcastServer {
  readonly connections = new Set<MemoryConnection>();
  readonly limits: ServerLimits;
  listening = false;
  closed = false;
  events!: ServerEvents;
  private readonly topics = new Map<string, Set<MemoryConnection>>();

  constructor(limits: ServerLimits) {
    this.limits = limits;
  }

  setEvents(events: ServerEvents): void {
    this.events = events;
  }

  listen(host: string, port: number): Promise<ServerAddress> {
    this.listening = true;
    return Promise.resolve({ host, port: port === 0 ? 1 : port });
  }

  publish(topic: string, bytes: Uint8Array): void {
    const frame: Frame = { kind: 'binary', bytes: bytes.slice() };
    for (const connection of this.members(topic)) connection.enqueue(frame);
  }

  publishText(topic: string, text: string | Uint8Array): void {
    const frame: Frame = { kind: 'text', text: textOf(text) };
    for (const connection of this.members(topic)) connection.enqueue(frame);
  }

  stopListening(): void {
    this.listening = false;
  }

  close(): void {
    this.closed = true;
    for (const connection of this.connections) connection.terminate();
  }

  members(topic: string): Set<MemoryConnection> {
    let members = this.topics.get(topic);
    if (members === undefined) {
      members = new Set();
      this.topics.set(topic, members);
    }
    return members;
  }

  /** End of the loop turn: everything published goes out. */
  turn(): void {
    for (const connection of this.connections) connection.letOut();
  }

  /** A client connects; a response where it was refused. */
  connect(request: Partial<UpgradeRequest> = {}): MemoryClient | HttpResponse {
    invariant(this.listening, 'the server listens before a client connects');
    const full: UpgradeRequest = {
      path: '/v1/feed',
      query: '',
      address: '127.0.0.1',
      host: 'localhost:9001',
      origin: '',
      authorization: '',
      ...request,
    };
    const verdict = this.events.onUpgrade(full);
    if (verdict.kind === 'refuse') return verdict.response;
    const connection = new MemoryConnection(this, full.address);
    const client = new MemoryClient(this, connection);
    connection.client = client;
    this.connections.add(connection);
    this.events.onOpen(connection, verdict.ticket);
    return client;
  }

  request(request: Partial<HttpRequest> & { path: string }): Promise<HttpResponse> {
    return new Promise((resolve) => {
      const full: HttpRequest = {
        method: 'GET',
        query: '',
        host: 'localhost:9001',
        origin: '',
        authorization: '',
        ifNoneMatch: '',
        ...request,
      };
      this.events.onHttp(full, resolve);
    });
  }
}

function textOf(text: string | Uint8Array): string {
  return typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
}
