/**
 * What the ingest room asks of a network. Ingest thread. Production: ws-transport, undici-transport;
 * tests: memory transports on the virtual clock.
 */
import type { TimeCell } from '../time/clock.js';
import type { HttpRequest } from '../venues/venue.js';

/**
 * Told of one socket. Never called from inside `connect`, `send`, `ping` or `close`: a transport calls
 * back from its own turn of the event loop. `onClose` is the last call, exactly once, also where no
 * connection came about.
 */
export interface WebSocketHandlers {
  /** The upgrade is done. */
  onOpen(): void;
  /**
   * One whole message, text or binary alike. Hot. The bytes are lent until the call returns.
   * @param received when the first byte of the message was read, on the timeline; lent as well
   */
  onFrame(bytes: Uint8Array, start: number, end: number, received: TimeCell): void;
  /** All messages of one socket read were handed over: publish them. Hot. */
  onReadEnd(): void;
  /** The peer pinged; the transport has answered. */
  onPing(): void;
  onPong(): void;
  /** The server answered the upgrade with this status; `onClose` follows. */
  onRefused(status: number, retryAfter: string | undefined): void;
  /** @param code of the close frame, 1006 where there was none, 1009 for a message too large */
  onClose(code: number, reason: string): void;
}

export interface WebSocketConnection {
  send(text: string): void;
  /** A ping on the WebSocket level. */
  ping(): void;
  /** Sends a close frame; `onClose` follows when the peer has answered. */
  close(code: number, reason: string): void;
  /** Cuts the connection; `onClose` follows. */
  terminate(): void;
}

export interface WebSocketTransport {
  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection;
  /** Read into this buffer, if that can be chosen: what parses the frames finds them in place there. */
  useReadBuffer?(buffer: Uint8Array): void;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpBounds {
  /** For the whole request, from the call to the body's last byte. */
  readonly msMax: number;
  readonly bodyBytesMax: number;
}

/**
 * Rejects with FaultError VENUE_UNREACHABLE (no connection, reset, too slow) or FRAME_TOO_LARGE (body
 * beyond its bound). Redirects are answers like any other: nothing is followed.
 */
export interface HttpTransport {
  request(request: HttpRequest, bounds: HttpBounds): Promise<HttpAnswer>;
}
