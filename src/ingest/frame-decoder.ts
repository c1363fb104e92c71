/**
 * RFC 6455 frames out of what a socket read, for the client's side. No I/O. Ingest thread; HOT: for a
 * whole, unfragmented frame that lies in the read buffer nothing is copied and nothing allocated.
 *
 *     push(bytes, start, end)       a socket read; frames are handed out as ranges of `bytes`
 *       ├─ whole frame              → taker, in place
 *       ├─ a frame cut by the end   → kept in `partial`, completed by the reads that follow
 *       └─ fragment of a message    → gathered in `message` until its last one
 *
 * Everything that the standard forbids a server ends the connection with the close code it names:
 * 1002 protocol, 1007 text that is not UTF-8, 1009 too large.
 */
import { isUtf8 } from 'node:buffer';

/** Where messages and control frames go. Ranges are lent until the call returns. */
export interface FrameTaker {
  /** Hot. */
  onMessage(bytes: Buffer, start: number, end: number): void;
  onPing(bytes: Buffer, start: number, end: number): void;
  onPong(): void;
  /** @param code of the frame, 1005 where it has none */
  onCloseFrame(code: number, reason: string): void;
}

export const CloseCode = {
  Normal: 1000,
  ProtocolError: 1002,
  NoStatus: 1005,
  Abnormal: 1006,
  InvalidText: 1007,
  TooLarge: 1009,
} as const;

/** Fragments of one message (CVE-2026-62389: tiny parts exhaust the heap of others). */
export const FRAGMENTS_MAX = 64;

const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;
const CONTROL_BIT = 8;
const CONTROL_BYTES_MAX = 125;
const HEADER_BYTES_MAX = 10;
const FIN = 0x80;
const MASKED = 0x80;
const RESERVED = 0x70;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const TWO_32 = 4294967296;
/** First size of the buffer for cut frames and of the one for fragmented messages. */
const KEPT_BYTES_FIRST = 16 * 1024;

/** `step`: the frame is not whole yet. */
const INCOMPLETE = 0;
/** `step`: the connection is to be closed with `closeCode`. */
const FAILED = -1;

export class FrameDecoder {
  /** After push returned false: the close code, and why. */
  closeCode = 0;
  failure = '';
  private readonly taker: FrameTaker;
  private readonly messageBytesMax: number;
  private readonly checkText: boolean;
  /** A frame that a read cut, from its first byte. */
  private partial: Buffer;
  private partialBytes = 0;
  /** The fragments of a message so far. */
  private message: Buffer;
  private messageBytes = 0;
  private fragments = 0;
  private fragmentedOpcode = 0;
  private stopped = false;

  /** @param checkText refuse text that is not UTF-8; off where the reader of the bytes checks them */
  constructor(taker: FrameTaker, messageBytesMax: number, checkText: boolean) {
    this.taker = taker;
    this.messageBytesMax = messageBytesMax;
    this.checkText = checkText;
    this.partial = Buffer.allocUnsafeSlow(
      Math.min(KEPT_BYTES_FIRST, messageBytesMax + HEADER_BYTES_MAX),
    );
    this.message = Buffer.alloc(0);
  }

  /** True if the last push ended inside a message: its first byte has been read. */
  get isInside(): boolean {
    return this.partialBytes > 0 || this.fragments > 0;
  }

  /** Nothing more is handed out; what is pushed from now on is ignored. */
  stop(): void {
    this.stopped = true;
  }

  /** Takes what was read. False if the peer broke the protocol: close with `closeCode`. Hot. */
  push(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    if (this.partialBytes > 0) {
      at = this.completePartial(bytes, start, end);
      if (at < 0) return false;
    }
    while (at < end && !this.stopped) {
      const taken = this.step(bytes, at, end);
      if (taken > 0) at += taken;
      else if (taken === INCOMPLETE) return this.keepPartial(bytes, at, end);
      else return false;
    }
    return true;
  }

  /** Takes one frame; returns its length, INCOMPLETE or FAILED. Hot. */
  private step(bytes: Buffer, at: number, end: number): number {
    const left = end - at;
    if (left < 2) return INCOMPLETE;
    const first = bytes[at]!;
    let length = bytes[at + 1]!;
    let header = 2;
    if (length === LENGTH_16) {
      if (left < 4) return this.checkHead(first, length) ? INCOMPLETE : FAILED;
      length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      header = 4;
      if (length < LENGTH_16) return this.fail(CloseCode.ProtocolError, 'length not minimal');
    } else if (length > LENGTH_16) {
      if (!this.checkHead(first, length)) return FAILED;
      if (left < 10) return INCOMPLETE;
      length = bytes.readUInt32BE(at + 2) * TWO_32 + bytes.readUInt32BE(at + 6);
      header = 10;
      if (length < 65_536) return this.fail(CloseCode.ProtocolError, 'length not minimal');
    }
    const plain = first === (FIN | Opcode.Text) || first === (FIN | Opcode.Binary);
    if (!plain || this.fragments > 0) return this.stepRare(bytes, at, header, length, left);
    if (length > this.messageBytesMax) return this.failTooLarge(length);
    if (left < header + length) return INCOMPLETE;
    const from = at + header;
    const to = from + length;
    if (this.checkText && first === (FIN | Opcode.Text) && !isUtf8(bytes.subarray(from, to))) {
      return this.fail(CloseCode.InvalidText, 'text is not UTF-8');
    }
    this.taker.onMessage(bytes, from, to);
    return header + length;
  }

  /** Everything but a whole data message in one frame. */
  private stepRare(
    bytes: Buffer,
    at: number,
    header: number,
    length: number,
    left: number,
  ): number {
    const first = bytes[at]!;
    if (!this.checkHead(first, bytes[at + 1]!)) return FAILED;
    const opcode = first & 0x0f;
    const isControl = (opcode & CONTROL_BIT) !== 0;
    const total = isControl ? length : this.messageBytes + length;
    if (total > this.messageBytesMax && !isControl) return this.failTooLarge(total);
    if (left < header + length) return INCOMPLETE;
    const from = at + header;
    const to = from + length;
    const good = isControl
      ? this.onControl(opcode, bytes, from, to)
      : this.onFragment(opcode, (first & FIN) !== 0, bytes, from, to);
    return good ? header + length : FAILED;
  }

  /** What two bytes tell: the rules that hold before the rest of the frame is there. */
  private checkHead(first: number, second: number): boolean {
    const opcode = first & 0x0f;
    const isFinal = (first & FIN) !== 0;
    if ((first & RESERVED) !== 0) return this.refuse('reserved bits are set');
    if ((second & MASKED) !== 0) return this.refuse('a server does not mask');
    if ((opcode & CONTROL_BIT) !== 0) {
      if (opcode > Opcode.Pong) return this.refuse(`opcode ${opcode} is reserved`);
      if (!isFinal) return this.refuse('a control frame is not fragmented');
      if (second > CONTROL_BYTES_MAX) return this.refuse('a control frame is short');
      return true;
    }
    if (opcode > Opcode.Binary) return this.refuse(`opcode ${opcode} is reserved`);
    if (opcode === Opcode.Continuation && this.fragments === 0) {
      return this.refuse('nothing to continue');
    }
    if (opcode !== Opcode.Continuation && this.fragments > 0) {
      return this.refuse('the message before is not finished');
    }
    return true;
  }

  private onControl(opcode: number, bytes: Buffer, from: number, to: number): boolean {
    if (opcode === Opcode.Ping) this.taker.onPing(bytes, from, to);
    else if (opcode === Opcode.Pong) this.taker.onPong();
    else return this.onClose(bytes, from, to);
    return true;
  }

  private onClose(bytes: Buffer, from: number, to: number): boolean {
    const length = to - from;
    if (length === 1) return this.refuse('a close frame has no code or a whole one');
    const code = length === 0 ? CloseCode.NoStatus : bytes.readUInt16BE(from);
    if (length > 0 && !isCloseCode(code)) return this.refuse(`close code ${code}`);
    const reason = bytes.subarray(from + Math.min(2, length), to);
    if (!isUtf8(reason)) {
      this.fail(CloseCode.InvalidText, 'close reason is not UTF-8');
      return false;
    }
    // Nothing after a close frame is looked at.
    this.stopped = true;
    this.taker.onCloseFrame(code, reason.toString('utf8'));
    return true;
  }

  private onFragment(
    opcode: number,
    isFinal: boolean,
    bytes: Buffer,
    from: number,
    to: number,
  ): boolean {
    if (opcode !== Opcode.Continuation) this.fragmentedOpcode = opcode;
    this.fragments++;
    if (this.fragments > FRAGMENTS_MAX) return this.refuse('too many fragments');
    const total = this.messageBytes + (to - from);
    if (total > this.message.length) {
      const larger = Buffer.allocUnsafeSlow(grown(total, this.messageBytesMax));
      this.message.copy(larger, 0, 0, this.messageBytes);
      this.message = larger;
    }
    bytes.copy(this.message, this.messageBytes, from, to);
    this.messageBytes = total;
    if (!isFinal) return true;
    this.fragments = 0;
    this.messageBytes = 0;
    const isText = this.fragmentedOpcode === Opcode.Text;
    if (this.checkText && isText && !isUtf8(this.message.subarray(0, total))) {
      this.fail(CloseCode.InvalidText, 'text is not UTF-8');
      return false;
    }
    this.taker.onMessage(this.message, 0, total);
    return true;
  }

  /** Keeps the beginning of a frame that the read cut. */
  private keepPartial(bytes: Buffer, at: number, end: number): boolean {
    this.partialBytes = 0;
    this.appendPartial(bytes, at, end);
    return true;
  }

  /** Adds to the kept frame until it is whole and takes it. Returns where the read goes on, or -1. */
  private completePartial(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.stopped) {
      const wanted = frameBytes(this.partial, this.partialBytes);
      const amount = Math.min(wanted - this.partialBytes, end - at);
      this.appendPartial(bytes, at, at + amount);
      at += amount;
      if (this.partialBytes < wanted) return end;
      // With its head whole it can be judged; it is taken when all of it is there.
      const taken = this.step(this.partial, 0, this.partialBytes);
      if (taken === FAILED) return FAILED;
      if (taken !== INCOMPLETE) {
        this.partialBytes = 0;
        return at;
      }
    }
    return at;
  }

  private appendPartial(bytes: Buffer, at: number, end: number): void {
    const total = this.partialBytes + (end - at);
    if (total > this.partial.length) {
      const larger = Buffer.allocUnsafeSlow(grown(total, this.messageBytesMax + HEADER_BYTES_MAX));
      this.partial.copy(larger, 0, 0, this.partialBytes);
      this.partial = larger;
    }
    bytes.copy(this.partial, this.partialBytes, at, end);
    this.partialBytes = total;
  }

  private failTooLarge(length: number): number {
    return this.fail(CloseCode.TooLarge, `message of ${length} bytes`);
  }

  private fail(code: number, failure: string): number {
    this.closeCode = code;
    this.failure = failure;
    this.stopped = true;
    return FAILED;
  }

  private refuse(failure: string): boolean {
    this.fail(CloseCode.ProtocolError, failure);
    return false;
  }
}

/** Bytes of the frame that begins here, as far as its head tells: never fewer than are needed next. */
function frameBytes(bytes: Buffer, known: number): number {
  if (known < 2) return 2;
  const length = bytes[1]! & 0x7f;
  if (length < LENGTH_16) return 2 + length;
  const header = length === LENGTH_64 ? 10 : 4;
  if (known < header) return header;
  if (header === 4) return 4 + bytes.readUInt16BE(2);
  return 10 + bytes.readUInt32BE(2) * TWO_32 + bytes.readUInt32BE(6);
}

/** Doubling, so that a frame that comes in many reads is not copied each time; bounded. */
function grown(wanted: number, most: number): number {
  let size = KEPT_BYTES_FIRST;
  while (size < wanted) size *= 2;
  return Math.max(wanted, Math.min(size, most));
}

/** RFC 6455 7.4 and the IANA registry: what may stand in a close frame. */
function isCloseCode(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
