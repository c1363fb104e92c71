/**
 * The part of a WebSocket that the client needs: satisfied by the `ws` package and by browsers.
 * Anything with this shape can be handed in, for example a memory pair in a test.
 */
export interface WebSocketLike {
  binaryType: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** Opens a socket; may throw, which counts as a failed attempt. */
export type OpenWebSocket = (url: string) => WebSocketLike;
