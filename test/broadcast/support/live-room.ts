/** A broadcast room on the real server, on a loopback port, with fake books before it. */
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { BroadcastAgent, type BroadcastOptions } from '../../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS, BroadcastColumn } from '../../../src/broadcast/broadcast-counters.js';
import { resolveLimits, type BroadcastLimits } from '../../../src/broadcast/limits.js';
import { UwsServer, type TlsFiles } from '../../../src/broadcast/uws-server.js';
import { Prng } from '../../../src/domain/prng.js';
import { CounterTable, createCounterTable } from '../../../src/rings/counters.js';
import { RingConsumer } from '../../../src/rings/ring-consumer.js';
import { createRing } from '../../../src/rings/ring-layout.js';
import { readTimelineOrigin } from '../../../src/time/system-clock.js';
import { SystemScheduler } from '../../../src/time/system-scheduler.js';
import { Timeline } from '../../../src/time/timeline.js';
import { pause, until as waitUntil } from '../../support/until.js';
import { FakeBooks, testInstruments } from './fake-books.js';
import { Replica } from './replica.js';
import { timeCell } from '../../../src/time/clock.js';

export interface LiveSettings {
  readonly instruments?: number;
  readonly limits?: Partial<BroadcastLimits>;
  readonly options?: Partial<BroadcastOptions>;
  readonly tls?: TlsFiles;
}

export { pause };

export function until(condition: () => boolean, what: string): Promise<void> {
  return waitUntil(condition, what, 2);
}

/** A `ws` client that feeds a replica. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly replica = new Replica();
  closeCode: number | null = null;
  closeReason = '';
  frames = 0;
  problem: Error | null = null;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.frames++;
      try {
        if (isBinary) this.replica.onBinary(data);
        else this.replica.onText(data.toString());
      } catch (error) {
        this.problem ??= error as Error;
      }
    });
    this.socket.on('close', (code, reason) => {
      this.closeCode = code;
      this.closeReason = reason.toString();
    });
  }

  opened(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve(this));
      this.socket.once('error', reject);
    });
  }

  send(request: unknown): void {
    this.socket.send(typeof request === 'string' ? request : JSON.stringify(request));
  }

  async answer(op: string, id?: unknown): Promise<Record<string, unknown>> {
    const fits = (each: Record<string, unknown>): boolean =>
      each['op'] === op && (id === undefined || each['id'] === id);
    await until(() => this.replica.answers.some(fits), `answer ${op}`);
    return this.replica.answer(op, id);
  }

  async closed(): Promise<number> {
    await until(() => this.closeCode !== null, 'close');
    return this.closeCode!;
  }
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

export class LiveRoom {
  readonly agent: BroadcastAgent;
  readonly books: FakeBooks;
  port = 0;
  private readonly counters: CounterTable;
  private readonly clock: SystemScheduler;
  private readonly scheme: string;
  private running = true;

  private constructor(settings: LiveSettings) {
    const origin = readTimelineOrigin();
    const overrides = { closeGraceNs: 50e6, ...settings.limits };
    const limits = resolveLimits(overrides);
    const instruments = testInstruments(settings.instruments ?? 2);
    const ring = createRing(1 << 20);
    const table = createCounterTable(1, BROADCAST_COLUMNS);
    const timeline = new Timeline(origin.unixNs);
    this.clock = new SystemScheduler(origin.monotonicNs);
    this.counters = new CounterTable(table, BROADCAST_COLUMNS);
    this.scheme = settings.tls === undefined ? 'ws' : 'wss';
    this.books = new FakeBooks(ring, instruments, timeline, this.clock, new Prng(3));
    this.agent = new BroadcastAgent({
      instruments,
      inputs: [new RingConsumer(ring)],
      server: new UwsServer({ limits, tls: settings.tls }),
      clock: this.clock,
      timeline,
      counters: table,
      limits: overrides,
      version: '0.1.0',
      ...settings.options,
    });
  }

  static async start(settings: LiveSettings = {}): Promise<LiveRoom> {
    const room = new LiveRoom(settings);
    room.port = await room.agent.listen('127.0.0.1', 0);
    for (let id = 0; id < (settings.instruments ?? 2); id++) room.books.align(id, 50);
    room.turn();
    return room;
  }

  async stop(): Promise<void> {
    await this.agent.windUp();
    this.running = false;
    this.agent.onClose();
  }

  /** Stops taking turns; the agent was closed already. */
  halt(): void {
    this.running = false;
  }

  connect(query = '', options: ClientOptions = {}): LiveClient {
    return new LiveClient(`${this.scheme}://127.0.0.1:${this.port}/v1/feed${query}`, options);
  }

  counter(name: keyof typeof BroadcastColumn): number {
    return this.counters.get(0, BroadcastColumn[name]);
  }

  get(
    path: string,
    options: { method?: string; headers?: Record<string, string> } = {},
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.port, path, agent: false, ...options },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (body += chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, body }),
          );
        },
      );
      request.on('error', reject);
      request.end();
    });
  }

  /** A bare socket that has shaken hands, to send whatever bytes a test wants. */
  async raw(): Promise<{ socket: Socket; ended: Promise<void> }> {
    const socket = connect(this.port, '127.0.0.1');
    const ended = new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('error', () => resolve());
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    const lines = [
      'GET /v1/feed HTTP/1.1',
      `Host: 127.0.0.1:${this.port}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    return { socket, ended };
  }

  private turn(): void {
    if (!this.running) return;
    const work = this.agent.doWork(timeCell(this.clock.nowNs()));
    if (work > 0) setImmediate(() => this.turn());
    else setTimeout(() => this.turn(), 1);
  }
}
