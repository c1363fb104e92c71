/**
 * Transports with a listener: whatever comes from the venue is shown to it as it was received, before
 * anything is made of it. Ingest thread; HOT (`onFrame`: one call a frame). A node that does not
 * record has plain transports and pays nothing for this.
 */
import type { Clock, TimeCell } from '../time/clock.js';
import type { HttpRequest } from '../venues/venue.js';
import type {
  HttpAnswer,
  HttpBounds,
  HttpTransport,
  WebSocketConnection,
  WebSocketHandlers,
  WebSocketTransport,
} from './transport.js';

export interface FrameTap {
  /** A socket was opened. */
  onConnected(url: string, atNs: number): void;
  onSent(url: string, text: string, atNs: number): void;
  /** Hot. The bytes are lent until the call returns. */
  onFrame(bytes: Uint8Array, start: number, end: number, receivedNs: number): void;
  /** The answer to a request, whatever its status. */
  onAnswer(url: string, status: number, body: Uint8Array, atNs: number): void;
}

export class TappedWebSocketTransport implements WebSocketTransport {
  constructor(
    private readonly inner: WebSocketTransport,
    private readonly tap: FrameTap,
    private readonly clock: Clock,
  ) {}

  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection {
    const { tap, clock } = this;
    const inner = this.inner.connect(url, new TappedHandlers(url, handlers, tap, clock));
    return {
      send: (text) => {
        tap.onSent(url, text, clock.nowNs());
        inner.send(text);
      },
      ping: () => inner.ping(),
      close: (code, reason) => inner.close(code, reason),
      terminate: () => inner.terminate(),
    };
  }

  useReadBuffer(buffer: Uint8Array): void {
    this.inner.useReadBuffer?.(buffer);
  }
}

class TappedHandlers implements WebSocketHandlers {
  constructor(
    private readonly url: string,
    private readonly inner: WebSocketHandlers,
    private readonly tap: FrameTap,
    private readonly clock: Clock,
  ) {}

  onOpen(): void {
    this.tap.onConnected(this.url, this.clock.nowNs());
    this.inner.onOpen();
  }

  /** Hot. */
  onFrame(bytes: Uint8Array, start: number, end: number, received: TimeCell): void {
    this.tap.onFrame(bytes, start, end, received[0]!);
    this.inner.onFrame(bytes, start, end, received);
  }

  onReadEnd(): void {
    this.inner.onReadEnd();
  }

  onPing(): void {
    this.inner.onPing();
  }

  onPong(): void {
    this.inner.onPong();
  }

  onRefused(status: number, retryAfter: string | undefined): void {
    this.inner.onRefused(status, retryAfter);
  }

  onClose(code: number, reason: string): void {
    this.inner.onClose(code, reason);
  }
}

export class TappedHttpTransport implements HttpTransport {
  constructor(
    private readonly inner: HttpTransport,
    private readonly tap: FrameTap,
    private readonly clock: Clock,
  ) {}

  async request(request: HttpRequest, bounds: HttpBounds): Promise<HttpAnswer> {
    const answer = await this.inner.request(request, bounds);
    this.tap.onAnswer(request.url, answer.status, answer.body, this.clock.nowNs());
    return answer;
  }
}
