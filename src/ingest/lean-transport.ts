/**
 * WebSocketTransport of our own, for market data: the socket reads into one buffer of ours (`onread`),
 * frames are handed out where they lie. Ingest thread; HOT. Compared with `ws` it leaves out what a
 * receiver of market data does not need: streams, events and a Buffer object per message, compression.
 *
 * The read buffer is shared by all sockets of the transport: libuv fills it and calls back before it
 * reads another socket, and what a read leaves unfinished is kept by the decoder. It may be memory of
 * the parser's (WebAssembly), so that the kernel's copy is the only one.
 */
import { connect as connectTcp, isIP } from 'node:net';
import type { OnReadOpts, Socket, TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock, TimeCell } from '../time/clock.js';
import { CloseCode, FrameDecoder } from './frame-decoder.js';
import type { FrameTaker } from './frame-decoder.js';
import { ClientOpcode, encodeClose, encodeFrame } from './frame-encoder.js';
import type { WebSocketConnection, WebSocketHandlers, WebSocketTransport } from './transport.js';
import { readUpgrade, upgradeRequest } from './upgrade.js';
import type { UpgradeRequest } from './upgrade.js';
import type { UrlPolicy } from './url-guard.js';
import { checkUrl, guardedLookup } from './url-guard.js';

export interface LeanTransportOptions extends UrlPolicy {
  readonly clock: Clock;
  /** Longest message taken; beyond it the connection is closed with 1009. */
  readonly frameBytesMax: number;
  readonly handshakeMsMax: number;
  /** Refuse text that is not UTF-8 (1007). Off: the venue's parser looks at every byte anyway. */
  readonly checkText?: boolean;
  /** Extra trust anchors, for tests and private venues. */
  readonly ca?: string | Buffer;
}

/** One read of the kernel's socket buffer; larger than libuv's own 64 KiB, smaller than the L2 cache. */
const READ_BYTES = 256 * 1024;
/** After our close frame the server has this long to end the connection (RFC 6455 7.1.1). */
const CLOSE_MS_MAX = 2_000;
/** Pongs that the peer does not read are dropped beyond this: a flood of pings is its own affair. */
const UNSENT_BYTES_MAX = 64 * 1024;

const Phase = { Connecting: 0, Open: 1, Closing: 2, Closed: 3 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

export class LeanTransport implements WebSocketTransport {
  private readonly options: LeanTransportOptions;
  private readBuffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  constructor(options: LeanTransportOptions) {
    this.options = options;
  }

  /** For connections made from now on. */
  useReadBuffer(buffer: Uint8Array): void {
    const bytes = Math.min(READ_BYTES, buffer.length);
    this.readBuffer = Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
  }

  /** Throws FaultError BAD_CONFIG for a URL outside the policy. */
  connect(url: string, handlers: WebSocketHandlers): WebSocketConnection {
    return new LeanConnection(checkUrl(url, this.options), handlers, this.options, this.readBuffer);
  }
}

class LeanConnection implements WebSocketConnection, FrameTaker {
  private readonly handlers: WebSocketHandlers;
  private readonly clock: Clock;
  private readonly decoder: FrameDecoder;
  private readonly request: UpgradeRequest;
  private readonly socket: Socket;
  private phase: Phase = Phase.Connecting;
  private deadline: NodeJS.Timeout | undefined;
  /** What was read of the answer's head, until it is whole. */
  private head: Buffer | null = Buffer.alloc(0);
  /** When the first byte of the message under way was read. */
  private readonly began: TimeCell = new Float64Array(1);
  private readonly read: TimeCell = new Float64Array(1);
  private closeCode: number = CloseCode.Abnormal;
  private closeReason = '';

  constructor(
    url: URL,
    handlers: WebSocketHandlers,
    options: LeanTransportOptions,
    readBuffer: Buffer,
  ) {
    this.handlers = handlers;
    this.clock = options.clock;
    this.decoder = new FrameDecoder(this, options.frameBytesMax, options.checkText ?? false);
    this.request = upgradeRequest(url);
    const onread: OnReadOpts = {
      buffer: readBuffer,
      callback: (bytesRead, buffer) => this.onRead(buffer as Buffer, bytesRead),
    };
    this.socket = openSocket(url, options, onread);
    this.listen(url, options.handshakeMsMax);
  }

  send(text: string): void {
    if (this.phase !== Phase.Open) return;
    this.socket.write(encodeFrame(ClientOpcode.Text, Buffer.from(text, 'utf8')));
  }

  ping(): void {
    if (this.phase !== Phase.Open) return;
    this.socket.write(encodeFrame(ClientOpcode.Ping, Buffer.alloc(0)));
  }

  close(code: number, reason: string): void {
    if (this.phase === Phase.Connecting) this.terminate();
    if (this.phase !== Phase.Open) return;
    this.phase = Phase.Closing;
    this.socket.write(encodeClose(code, reason));
    this.limit(CLOSE_MS_MAX, 'peer did not answer the close frame');
  }

  terminate(): void {
    this.decoder.stop();
    this.socket.destroy();
  }

  private listen(url: URL, handshakeMsMax: number): void {
    const { socket } = this;
    socket.setNoDelay(true);
    socket.on(url.protocol === 'wss:' ? 'secureConnect' : 'connect', () => {
      socket.write(this.request.text);
    });
    socket.on('error', (error) => {
      if (this.closeReason === '') this.closeReason = error.message;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.onSocketClose());
    this.limit(handshakeMsMax, 'Opening handshake has timed out');
  }

  /** Cuts the connection unless something better happens in time. */
  private limit(msMax: number, reason: string): void {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => {
      this.closeReason = reason;
      this.terminate();
    }, msMax);
  }

  /** Hot. Everything that the socket read; the buffer is ours again when it returns. */
  private onRead(buffer: Buffer, bytesRead: number): boolean {
    if (this.phase === Phase.Closed) return false;
    this.clock.readInto(this.read, 0);
    if (this.head !== null) return this.onHead(buffer, bytesRead);
    return this.onFrames(buffer, 0, bytesRead);
  }

  private onFrames(buffer: Buffer, start: number, end: number): boolean {
    if (!this.decoder.isInside) this.began[0] = this.read[0]!;
    const good = this.decoder.push(buffer, start, end);
    this.handlers.onReadEnd();
    if (!good) this.failProtocol();
    return true;
  }

  private onHead(buffer: Buffer, bytesRead: number): boolean {
    // Copied: an answer may come in parts, and this happens once a connection.
    const head = Buffer.concat([this.head!, buffer.subarray(0, bytesRead)]);
    const answer = readUpgrade(head, this.request.key);
    switch (answer.kind) {
      case 'incomplete':
        this.head = head;
        return true;
      case 'upgraded':
        this.head = null;
        this.phase = Phase.Open;
        clearTimeout(this.deadline);
        this.handlers.onOpen();
        return answer.bytes === head.length || this.onFrames(head, answer.bytes, head.length);
      case 'refused':
        this.closeReason = `upgrade answered with status ${answer.status}`;
        this.handlers.onRefused(answer.status, answer.retryAfter);
        this.terminate();
        return false;
      default:
        this.closeReason = answer.why;
        this.terminate();
        return false;
    }
  }

  // ---- FrameTaker

  onMessage(bytes: Buffer, start: number, end: number): void {
    if (this.phase === Phase.Open) this.handlers.onFrame(bytes, start, end, this.began);
    // What follows in this read began with it.
    this.began[0] = this.read[0]!;
  }

  onPing(bytes: Buffer, start: number, end: number): void {
    if (this.phase === Phase.Open && this.socket.writableLength < UNSENT_BYTES_MAX) {
      this.socket.write(encodeFrame(ClientOpcode.Pong, bytes.subarray(start, end)));
    }
    this.handlers.onPing();
  }

  onPong(): void {
    this.handlers.onPong();
  }

  /** The peer says goodbye: answered in kind, then it is the peer who ends the connection. */
  onCloseFrame(code: number, reason: string): void {
    this.closeCode = code;
    this.closeReason = reason;
    if (this.phase === Phase.Open) {
      this.phase = Phase.Closing;
      this.socket.end(encodeClose(code === CloseCode.NoStatus ? CloseCode.Normal : code, ''));
    } else {
      this.socket.end();
    }
    this.limit(CLOSE_MS_MAX, reason);
  }

  private failProtocol(): void {
    if (this.phase === Phase.Closed) return;
    this.closeCode = CloseCode.Abnormal;
    this.closeReason = this.decoder.failure;
    if (this.phase === Phase.Open) {
      this.socket.end(encodeClose(this.decoder.closeCode, this.decoder.failure));
    }
    this.phase = Phase.Closing;
    this.limit(CLOSE_MS_MAX, this.closeReason);
  }

  private onSocketClose(): void {
    if (this.phase === Phase.Closed) return;
    this.phase = Phase.Closed;
    this.decoder.stop();
    clearTimeout(this.deadline);
    this.handlers.onClose(this.closeCode, this.closeReason);
  }
}

function openSocket(url: URL, options: LeanTransportOptions, onread: OnReadOpts): Socket {
  const secure = url.protocol === 'wss:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const target: TcpNetConnectOpts = {
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    lookup: guardedLookup(options) as NonNullable<TcpNetConnectOpts['lookup']>,
    onread,
  };
  if (!secure) return connectTcp(target);
  const tls: TlsOptions & TcpNetConnectOpts = {
    ...target,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  return connectTls(tls);
}
