/** Frames as a WebSocket server writes them, right or wrong, for tests of the client's decoder. */

export interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** Bytes for the length, more than are needed: 2 or 8. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** A length that is not the payload's. */
  readonly saysLength?: number;
}

export function serverFrame(parts: FrameParts): Buffer {
  const payload = Buffer.from(parts.payload ?? '');
  const length = parts.saysLength ?? payload.length;
  const lengthBytes = parts.lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = ((parts.fin ?? true) ? 0x80 : 0) | ((parts.rsv ?? 0) << 4) | parts.opcode;
  if (lengthBytes === 0) head[1] = length;
  else if (lengthBytes === 2) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (parts.masked !== true) return Buffer.concat([head, payload]);
  head[1] = head[1]! | 0x80;
  return Buffer.concat([head, Buffer.from([0, 0, 0, 0]), payload]);
}

export const textFrame = (payload: string | Uint8Array, fin = true): Buffer =>
  serverFrame({ opcode: 1, payload, fin });
export const continuation = (payload: string | Uint8Array, fin: boolean): Buffer =>
  serverFrame({ opcode: 0, payload, fin });
export const pingFrame = (payload: string | Uint8Array = ''): Buffer =>
  serverFrame({ opcode: 9, payload });

export function closeFrame(code: number | null, reason: string | Uint8Array = ''): Buffer {
  if (code === null) return serverFrame({ opcode: 8 });
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return serverFrame({ opcode: 8, payload: Buffer.concat([head, Buffer.from(reason)]) });
}
