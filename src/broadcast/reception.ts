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
import { API_PATH, type HyperliquidApi, INFO_PATH } from './hyperliquid-api/hyperliquid-api.js';
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
  private readonly api: HyperliquidApi | null;
  private readonly apiClients = new Set<Connection>();
  private readonly sessions = new Map<Connection, Session>();
  private readonly perAddress = new Map<string, number>();

  constructor(
    room: RoomContext,
    admission: Admission,
    control: Control,
    delivery: Delivery,
    routes: HttpRoutes,
    api: HyperliquidApi | null,
  ) {
    this.api = api;
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
    if (request.path === API_PATH) {
      // Its protocol has no word for who a client is: the header or nothing.
      if (verdict.authenticated) {
        return { kind: 'accept', ticket: { json: true, authenticated: true, isApi: true } };
      }
      this.count(BroadcastColumn.HandshakesRefused);
      const message = 'this needs Authorization: Bearer <token>';
      return { kind: 'refuse', response: problem(401, 'UNAUTHORIZED', message) };
    }
    return {
      kind: 'accept',
      ticket: { json: format === 'json', authenticated: verdict.authenticated },
    };
  }

  onOpen(connection: Connection, ticket: Ticket): void {
    this.perAddress.set(connection.address, (this.perAddress.get(connection.address) ?? 0) + 1);
    this.count(BroadcastColumn.Connections);
    if (ticket.isApi === true && this.api !== null) {
      this.apiClients.add(connection);
      this.api.onOpen(connection);
      return;
    }
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
    this.delivery.add(session);
    this.control.welcome(session);
  }

  onMessage(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.control.onMessage(session, bytes, isBinary);
    else this.api?.clients.onMessage(connection, bytes, isBinary);
  }

  onPing(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.control.onPing(session);
  }

  onDrain(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session === undefined) this.api?.clients.onDrain(connection);
    else if (session.pendingCount > 0) this.delivery.pump(session);
  }

  onDropped(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.delivery.noteDropped(session);
    else this.api?.clients.onDropped(connection);
  }

  onClose(connection: Connection, code: number): void {
    const session = this.sessions.get(connection);
    if (session === undefined && !this.apiClients.delete(connection)) return;
    this.sessions.delete(connection);
    const left = (this.perAddress.get(connection.address) ?? 1) - 1;
    if (left > 0) this.perAddress.set(connection.address, left);
    else this.perAddress.delete(connection.address);
    if (session === undefined) this.api?.onClose(connection);
    else this.delivery.remove(session);
    if (code === 1006) this.count(BroadcastColumn.ClosedAbnormally);
  }

  onHttp(request: HttpRequest, reply: (response: HttpResponse) => void): void {
    if (request.path === FEED_PATH) {
      reply(problem(426, 'MALFORMED_REQUEST', 'this is a WebSocket: ws://host:port/v1/feed'));
    } else if (this.api !== null && request.path === INFO_PATH && request.body !== undefined) {
      this.count(BroadcastColumn.HttpRequests);
      reply(this.refusalOfInfo(request) ?? this.api.onInfo(request.body));
    } else {
      this.routes.onHttp(request, reply);
    }
  }

  /** Ends the clients of the API, whose sessions `delivery` does not know. */
  endApiClients(code: number, reason: string): void {
    for (const connection of this.apiClients) connection.end(code, reason);
  }

  private refusalOfInfo(request: HttpRequest): HttpResponse | null {
    const verdict = this.admission.judge(request);
    if (!verdict.ok) return problem(verdict.status, verdict.code, verdict.message);
    if (verdict.authenticated) return null;
    return problem(401, 'UNAUTHORIZED', 'this needs Authorization: Bearer <token>');
  }

  private refusalOf(request: UpgradeRequest): HttpResponse | null {
    const { connectionsMax, connectionsPerAddressMax } = this.room.limits;
    const format = new URLSearchParams(request.query).get('format') ?? 'binary';
    if (format !== 'json' && format !== 'binary') {
      return problem(400, 'MALFORMED_REQUEST', 'format is json or binary');
    }
    if (this.sessions.size + this.apiClients.size >= connectionsMax) {
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
