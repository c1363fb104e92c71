/**
 * The ingest room's transports onto a simulated venue, without sockets, on its scheduler. Frames of
 * one turn of the exchange arrive as one socket read; REST answers take a while.
 */
import type {
  HttpAnswer,
  HttpTransport,
  WebSocketConnection,
  WebSocketHandlers,
  WebSocketTransport,
} from '../../src/ingest/transport.js';
import type { ClientEnd } from '../../src/simulator/faulty-link.js';
import type { ClientSession, SimulatedVenue } from '../../src/simulator/simulated-venue.js';
import type { Scheduler } from '../../src/time/clock.js';
import type { HttpRequest } from '../../src/venues/venue.js';
import { timeCell } from '../../src/time/clock.js';

const REST_LATENCY_NS = 15e6;

class SimulatedSocket implements WebSocketConnection, ClientEnd {
  session: ClientSession | null = null;
  private frozen = false;
  private ended = false;
  private unread = false;

  constructor(
    private readonly handlers: WebSocketHandlers,
    private readonly scheduler: Scheduler,
  ) {}

  // ---- the node's end

  close(code: number, reason: string): void {
    if (this.frozen) return;
    this.end(code, reason);
  }

  terminate(): void {
    this.end(1006, '');
  }

  // Both ends have a `ping`: the venue's comes through `venueEnd`.
  ping(): void {
    if (!this.frozen) this.later(() => this.handlers.onPong());
  }

  /** Text of the node's to the venue. */
  send(text: string | Uint8Array): void {
    if (typeof text !== 'string') {
      this.frame(text);
    } else if (!this.frozen) {
      this.later(() => {
        if (!this.ended) this.session?.onText(text);
      });
    }
  }

  // ---- the venue's end

  sendText(text: string): void {
    this.later(() => this.frame(Buffer.from(text)));
  }

  freeze(frozen: boolean): void {
    this.frozen = frozen;
  }

  serverPing(): void {
    if (this.ended) return;
    this.handlers.onPing();
    this.session?.onPong();
  }

  accept(session: ClientSession | null): void {
    this.session = session;
    this.later(() => {
      if (this.ended) return;
      if (session === null) {
        this.handlers.onRefused(404, undefined);
        this.end(1006, 'no such endpoint');
      } else {
        this.handlers.onOpen();
      }
    });
  }

  readEnd(): void {
    if (!this.unread || this.ended) return;
    this.unread = false;
    this.handlers.onReadEnd();
  }

  private frame(bytes: Uint8Array): void {
    if (this.ended) return;
    this.unread = true;
    this.handlers.onFrame(bytes, 0, bytes.length, timeCell(this.scheduler.nowNs()));
  }

  private end(code: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.session?.onClose();
    this.later(() => this.handlers.onClose(code, reason));
  }

  private later(callback: () => void): void {
    this.scheduler.schedule(0, () => {
      callback();
      this.readEnd();
    });
  }
}

export class SimulatedTransports implements WebSocketTransport, HttpTransport {
  /** Requests under way: whoever drives the clock must let promises run while there are any. */
  pending = 0;
  private readonly sockets = new Set<SimulatedSocket>();

  constructor(
    private readonly venue: SimulatedVenue,
    private readonly scheduler: Scheduler,
  ) {
    venue.bracket = {
      begin: () => {},
      end: () => {
        for (const socket of this.sockets) socket.readEnd();
      },
    };
  }

  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection {
    const socket = new SimulatedSocket(handlers, this.scheduler);
    const { pathname, search } = new URL(url);
    const end: ClientEnd = {
      send: (frame) => socket.send(frame),
      sendText: (text) => socket.sendText(text),
      ping: () => socket.serverPing(),
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
      freeze: (frozen) => socket.freeze(frozen),
    };
    this.sockets.add(socket);
    socket.accept(this.venue.open(pathname + search, end));
    return socket;
  }

  request(request: HttpRequest): Promise<HttpAnswer> {
    this.pending++;
    const { pathname, search } = new URL(request.url);
    return new Promise((resolve) => {
      const { answer, delayNs } = this.venue.answer({
        method: request.method,
        target: pathname + search,
        remoteAddress: '127.0.0.1',
      });
      this.scheduler.schedule(REST_LATENCY_NS + delayNs, () => {
        this.pending--;
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(answer.headers)) {
          headers[name.toLowerCase()] = value;
        }
        resolve({ status: answer.status, headers, body: Buffer.from(answer.body) });
      });
    });
  }
}
