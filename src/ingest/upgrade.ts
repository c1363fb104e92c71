/**
 * The opening handshake of RFC 6455, the client's side: what to ask, and whether the answer is one.
 * No I/O. Ingest thread; cold.
 */
import { createHash, randomBytes } from 'node:crypto';

/** An answer's head longer than this is no answer to an upgrade. */
export const HEAD_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
/** RFC 6455 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export interface UpgradeRequest {
  readonly key: string;
  readonly text: string;
}

export type UpgradeAnswer =
  | { readonly kind: 'incomplete' }
  /** Frames begin at `bytes`. */
  | { readonly kind: 'upgraded'; readonly bytes: number }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: 'malformed'; readonly why: string };

export function upgradeRequest(url: URL): UpgradeRequest {
  const key = randomBytes(16).toString('base64');
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ];
  return { key, text: `${lines.join('\r\n')}\r\n\r\n` };
}

/** Reads the beginning of what the server sent. */
export function readUpgrade(bytes: Buffer, key: string): UpgradeAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    return bytes.length > HEAD_BYTES_MAX ? malformed('head too long') : { kind: 'incomplete' };
  }
  if (end > HEAD_BYTES_MAX) return malformed('head too long');
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})(?: .*)?$/.exec(statusLine);
  if (status === null) return malformed('not an HTTP/1.1 answer');
  const headers = readHeaders(lines);
  if (headers === null) return malformed('header malformed');
  if (status[1] !== '101') {
    return { kind: 'refused', status: Number(status[1]), retryAfter: headers.get('retry-after') };
  }
  const why = objection(headers, key);
  return why === null ? { kind: 'upgraded', bytes: end + 4 } : malformed(why);
}

/** RFC 6455 4.1, what the client must check; null if it finds nothing. */
function objection(headers: ReadonlyMap<string, string>, key: string): string | null {
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return 'no Upgrade: websocket';
  const connection = (headers.get('connection') ?? '').toLowerCase().split(/\s*,\s*/);
  if (!connection.includes('upgrade')) return 'no Connection: Upgrade';
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  if (headers.get('sec-websocket-accept') !== accept) return 'Sec-WebSocket-Accept is wrong';
  // We offer neither, so the server must not choose one (permessage-deflate above all).
  if (headers.has('sec-websocket-extensions')) return 'an extension that was not offered';
  if (headers.has('sec-websocket-protocol')) return 'a subprotocol that was not offered';
  return null;
}

/** Names in lower case; repeated ones are joined by a comma. Null for what is no header. */
function readHeaders(lines: readonly string[]): Map<string, string> | null {
  if (lines.length > HEADERS_MAX) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon < 1 || !TOKEN.test(name)) return null;
    const key = name.toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function malformed(why: string): UpgradeAnswer {
  return { kind: 'malformed', why };
}
