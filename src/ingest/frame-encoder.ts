/**
 * RFC 6455 frames of a client: always masked, with a mask that nobody can guess (section 5.3). Ingest
 * thread; cold: a handful of subscriptions, pongs and a goodbye.
 */
import { randomFillSync } from 'node:crypto';

const FIN = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;

export const ClientOpcode = { Text: 1, Close: 8, Ping: 9, Pong: 10 } as const;
export type ClientOpcode = (typeof ClientOpcode)[keyof typeof ClientOpcode];

/** One whole frame. */
export function encodeFrame(opcode: ClientOpcode, payload: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = 2 + lengthBytes + MASK_BYTES;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = FIN | opcode;
  if (lengthBytes === 0) frame[1] = MASKED | length;
  else if (lengthBytes === 2) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  const mask = header - MASK_BYTES;
  randomFillSync(frame, mask, MASK_BYTES);
  for (let i = 0; i < length; i++) frame[header + i] = payload[i]! ^ frame[mask + (i & 3)]!;
  return frame;
}

/** A close frame; the reason is cut so that the frame stays a legal control frame. */
export function encodeClose(code: number, reason: string): Buffer {
  const text = Buffer.from(reason.slice(0, 40), 'utf8').subarray(0, 123);
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2);
  return encodeFrame(ClientOpcode.Close, payload);
}
