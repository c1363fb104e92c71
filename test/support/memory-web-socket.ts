/**
 * A WebSocketTransport without a network: sockets that a test (or a scripted server) drives. Callbacks
 * come through the scheduler, never from inside a call, as the contract asks.
 */
import type {
  WebSocketConnection,
  WebSocketHandlers,
  WebSocketTransport,
} from '../../src/ingest/transport.js';
import type { Scheduler } from '../../src/time/clock.js';
import { timeCell } from '../../src/time/clock.js';

export class MemorySocket implements WebSocketConnection {
  readonly sent: string[] = [];
  pings = 0;
  isOpen = false;
  isClosed = false;
  /** Set by the server to answer what the client sends. */
  onText: (text: string) => void = () => {};
  onPing: () => void = () => this.later(() => this.handlers.onPong());
  /** Called when the client says goodbye; the default answers at once. */
  onGoodbye: (code: number, reason: string) => void = (code, reason) => this.end(code, reason);
  onGone: () => void = () => {};

  constructor(
    readonly url: string,
    readonly handlers: WebSocketHandlers,
    private readonly scheduler: Scheduler,
    readonly openedAtNs: number,
  ) {}

  // ---- the client's side

  send(text: string): void {
    this.sent.push(text);
    this.later(() => this.onText(text));
  }

  ping(): void {
    this.pings++;
    this.later(() => this.onPing());
  }

  close(code: number, reason: string): void {
    this.later(() => this.onGoodbye(code, reason));
  }

  terminate(): void {
    this.end(1006, 'terminated');
  }

  // ---- the server's side

  accept(): void {
    if (this.isClosed || this.isOpen) return;
    this.isOpen = true;
    this.later(() => {
      if (!this.isClosed) this.handlers.onOpen();
    });
  }

  refuse(status: number, retryAfter?: string): void {
    this.later(() => {
      if (this.isClosed) return;
      this.handlers.onRefused(status, retryAfter);
      this.end(1006, `upgrade answered with status ${status}`);
    });
  }

  /** One socket read with these messages, now: call it from a timer or from the test itself. */
  deliver(...messages: readonly (string | Uint8Array)[]): void {
    if (this.isClosed || !this.isOpen) return;
    const received = timeCell(this.scheduler.nowNs());
    for (const message of messages) {
      const bytes = typeof message === 'string' ? Buffer.from(message) : message;
      this.handlers.onFrame(bytes, 0, bytes.length, received);
    }
    this.handlers.onReadEnd();
  }

  serverPing(): void {
    this.later(() => this.handlers.onPing());
  }

  end(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isOpen = false;
    this.onGone();
    this.later(() => this.handlers.onClose(code, reason));
  }

  private later(callback: () => void): void {
    this.scheduler.schedule(0, callback);
  }
}

export class MemoryWebSocketTransport implements WebSocketTransport {
  readonly sockets: MemorySocket[] = [];
  /** What the server does with a new socket; the default accepts it. */
  onSocket: (socket: MemorySocket) => void = (socket) => socket.accept();

  constructor(private readonly scheduler: Scheduler) {}

  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection {
    const socket = new MemorySocket(url, handlers, this.scheduler, this.scheduler.nowNs());
    this.sockets.push(socket);
    this.onSocket(socket);
    return socket;
  }

  get open(): MemorySocket[] {
    return this.sockets.filter((socket) => socket.isOpen);
  }

  get last(): MemorySocket {
    return this.sockets[this.sockets.length - 1]!;
  }
}
