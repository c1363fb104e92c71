/**
 * What the broadcast room needs of a server: connections, topics, HTTP. Two implementations stand
 * behind it, uws-server.ts (production) and memory-server.ts (tests on a virtual clock); everything
 * else in the room is logic that knows only this contract. Broadcast thread.
 *
 * All calls are made and all events arrive on one thread. Events may call back into the server,
 * except `onDropped`, which only takes note.
 */

/** One client. After it closed, every method is without effect. */
export interface Connection {
  /** Remote address as text, for the count of connections an address. */
  readonly address: string;
  readonly closed: boolean;
  /** Bytes lent until the call returns. Ordered after all that was published to its topics before. */
  sendBinary(bytes: Uint8Array): void;
  /** Bytes (UTF-8) lent until the call returns. */
  sendText(text: string | Uint8Array): void;
  /**
   * A part of one text message, which is sent as fragments and never compressed. Bytes lent until the
   * call returns. From the first part to the last nothing else may be sent, nor published to a topic
   * that it has joined; `end` may be called.
   */
  sendTextPart(bytes: Uint8Array, isFirst: boolean, isLast: boolean): void;
  /** From now on it gets what is published to the topic. */
  join(topic: string): void;
  /** What was published before is still delivered. */
  leave(topic: string): void;
  /** Bytes accepted for it and not yet taken by the operating system. */
  bufferedBytes(): number;
  /** Sends what is buffered, then the close frame. `onClose` follows, possibly before it returns. */
  end(code: number, reason: string): void;
  /** Cuts the connection. */
  terminate(): void;
}

/** A request to open a WebSocket. Header values are '' where absent. */
export interface UpgradeRequest {
  readonly path: string;
  readonly query: string;
  readonly address: string;
  readonly host: string;
  readonly origin: string;
  readonly authorization: string;
}

/** What the room noted at the handshake; comes back with `onOpen`. */
export interface Ticket {
  readonly json: boolean;
  readonly authenticated: boolean;
  /** A client of the JSON API (`/ws`), not of the feed. */
  readonly isApi?: boolean;
}

export type UpgradeVerdict =
  | { readonly kind: 'accept'; readonly ticket: Ticket }
  | { readonly kind: 'refuse'; readonly response: HttpResponse };

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** As sent, percent-encoded, without the query. */
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly origin: string;
  readonly authorization: string;
  readonly ifNoneMatch: string;
  /** Of a POST to a path that takes one (ServerLimits.bodyPath); else absent. */
  readonly body?: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface ServerEvents {
  onUpgrade(request: UpgradeRequest): UpgradeVerdict;
  onOpen(connection: Connection, ticket: Ticket): void;
  /** Bytes lent until the call returns. */
  onMessage(connection: Connection, bytes: Uint8Array, isBinary: boolean): void;
  onPing(connection: Connection): void;
  /** The buffer went down. */
  onDrain(connection: Connection): void;
  /** The server dropped something for this client: it must not be trusted to be contiguous. */
  onDropped(connection: Connection): void;
  /** Once for every `onOpen`. 1006: cut without a close frame. */
  onClose(connection: Connection, code: number): void;
  /** `reply` is called once, now or later; it is without effect if the client has gone. */
  onHttp(request: HttpRequest, reply: (response: HttpResponse) => void): void;
}

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface BroadcastServer {
  /** Before `listen`, once. */
  setEvents(events: ServerEvents): void;
  /** Port 0 takes a free one. Rejects with FaultError PORT_IN_USE. */
  listen(host: string, port: number): Promise<ServerAddress>;
  /** Bytes lent until the call returns; delivered at the end of the loop turn, one write a socket. */
  publish(topic: string, bytes: Uint8Array): void;
  /** Bytes (UTF-8) lent until the call returns. */
  publishText(topic: string, text: string | Uint8Array): void;
  /** Takes no new connections. */
  stopListening(): void;
  /** Cuts what is left and lets go of every handle, so that the thread can end. */
  close(): void;
}

/** Bounds that the server enforces by itself. */
export interface ServerLimits {
  readonly frameBytesMax: number;
  readonly socketBytesMax: number;
  readonly idleSeconds: number;
}

/** A second kind of clients on the same port. */
export interface ServerExtras {
  /** Path of its WebSocket. */
  readonly path: string;
  /** Path that takes POST requests with a body of up to `bodyBytesMax`. */
  readonly bodyPath: string;
  readonly bodyBytesMax: number;
  /** Buffered bytes beyond which the server drops: above the largest single message. */
  readonly socketBytesMax: number;
  /** Offers permessage-deflate. */
  readonly compression: boolean;
}
