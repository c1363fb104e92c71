/**
 * What the server's events do: the handshake's verdict, sessions made and ended, messages handed to
 * control, HTTP to its routes. Broadcast thread, cold.
 */
import type { Admission } from './admission.js';
import { BroadcastColumn } from './broadcast-counters.js';
import type {
  Connection,
  HttpRequest,
  HttpResponse,
  ServerEvents,
  Ticket,
  UpgradeRequest,
  UpgradeVerdict,
} from './broadcast-server.js';
import type { Control } from './control.js';
import type { Delivery } from './delivery.js';
import { problem } from './http-routes.js';
import type { HttpRoutes } from './http-routes.js';
import type { RoomContext } from './room-context.js';
import { Session } from './sessions.js';
import { TokenBucket } from './token-bucket.js';

export const FEED_PATH = '/v1/feed';

export class Reception implements ServerEvents {
  private readonly room: RoomContext;
  private readonly admission: Admission;
  private readonly control: Control;
  private readonly delivery: Delivery;
  private readonly routes: HttpRoutes;
  private readonly sessions = new Map<Connection, Session>();
  private readonly perAddress = new Map<string, number>();

  constructor(
    room: RoomContext,
    admission: Admission,
    control: Control,
    delivery: Delivery,
    routes: HttpRoutes,
  ) {
    this.room = room;
    this.admission = admission;
    this.control = control;
    this.delivery = delivery;
    this.routes = routes;
  }

  onUpgrade(request: UpgradeRequest): UpgradeVerdict {
    const response = this.refusalOf(request);
    if (response !== null) {
      this.count(BroadcastColumn.HandshakesRefused);
      return { kind: 'refuse', response };
    }
    const format = new URLSearchParams(request.query).get('format') ?? 'binary';
    const verdict = this.admission.judge(request);
    if (!verdict.ok) {
      this.count(BroadcastColumn.HandshakesRefused);
      return { kind: 'refuse', response: problem(verdict.status, verdict.code, verdict.message) };
    }
    return {
      kind: 'accept',
      ticket: { json: format === 'json', authenticated: verdict.authenticated },
    };
  }

  onOpen(connection: Connection, ticket: Ticket): void {
    const { limits, clock } = this.room;
    const nowNs = clock.nowNs();
    const session = new Session(
      connection,
      ticket.json,
      ticket.authenticated,
      nowNs,
      new TokenBucket(limits.requestsPerSecond, limits.requestsBurst, nowNs),
      new TokenBucket(limits.pingsPerSecond, limits.pingsPerSecond * 2, nowNs),
      limits.heartbeatNs,
    );
    this.sessions.set(connection, session);
    this.perAddress.set(connection.address, (this.perAddress.get(connection.address) ?? 0) + 1);
    this.delivery.add(session);
    this.count(BroadcastColumn.Connections);
    this.control.welcome(session);
  }

  onMessage(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.control.onMessage(session, bytes, isBinary);
  }

  onPing(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.control.onPing(session);
  }

  onDrain(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined && session.pendingCount > 0) this.delivery.pump(session);
  }

  onDropped(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.delivery.noteDropped(session);
  }

  onClose(connection: Connection, code: number): void {
    const session = this.sessions.get(connection);
    if (session === undefined) return;
    this.sessions.delete(connection);
    const left = (this.perAddress.get(connection.address) ?? 1) - 1;
    if (left > 0) this.perAddress.set(connection.address, left);
    else this.perAddress.delete(connection.address);
    this.delivery.remove(session);
    if (code === 1006) this.count(BroadcastColumn.ClosedAbnormally);
  }

  onHttp(request: HttpRequest, reply: (response: HttpResponse) => void): void {
    if (request.path === FEED_PATH) {
      reply(problem(426, 'MALFORMED_REQUEST', 'this is a WebSocket: ws://host:port/v1/feed'));
    } else {
      this.routes.onHttp(request, reply);
    }
  }

  private refusalOf(request: UpgradeRequest): HttpResponse | null {
    const { connectionsMax, connectionsPerAddressMax } = this.room.limits;
    const format = new URLSearchParams(request.query).get('format') ?? 'binary';
    if (format !== 'json' && format !== 'binary') {
      return problem(400, 'MALFORMED_REQUEST', 'format is json or binary');
    }
    if (this.sessions.size >= connectionsMax) {
      return problem(503, 'TOO_MANY_CONNECTIONS', `this node takes ${connectionsMax} connections`);
    }
    if ((this.perAddress.get(request.address) ?? 0) >= connectionsPerAddressMax) {
      const message = `an address has at most ${connectionsPerAddressMax} connections`;
      return problem(429, 'TOO_MANY_CONNECTIONS', message);
    }
    return null;
  }

  private count(column: number): void {
    this.room.counters.add(0, column, 1);
  }
}
