/**
 * A small feed node for tests of clients: speaks the protocol of DESIGN section 4 over the `ws`
 * package, on books that it invents from a seed, and does wrong on request. It shares no code with
 * the real broadcaster but the wire encoder.
 */
import { createServer, type Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { BookState, type StateReason } from '../../src/domain/book-state.js';
import { CHANNEL_NAMES } from '../../src/domain/channel.js';
import { Prng } from '../../src/domain/prng.js';
import { FakeMarket, type FakeInstrument } from './fake-market.js';
import { FakeMessages, type FakeChannel, type FakeStream } from './fake-messages.js';
import { serveFile } from './serve-file.js';

/** Messages of a stream that a client can resume from. */
const LOG_MAX = 512;

export class FakeFeed {
  readonly subscribeRequests: Record<string, unknown>[] = [];
  port = 0;
  /** The next message of the stream takes a sequence but is not sent. */
  readonly dropNext = new Set<string>();
  heartbeatsPaused = false;
  /** Asked for after the greeting, where set. */
  token: string | null = null;
  private readonly market: FakeMarket;
  private readonly prng: Prng;
  /** Also tells how large the parts of a snapshot are, and falsifies hashes. */
  readonly messages: FakeMessages;
  private readonly heartbeatMs: number;
  private readonly dashboard: string | null;
  private readonly streams = new Map<string, FakeStream>();
  private readonly awaited = new Map<string, { left: number; act: () => void }>();
  private epochBase: number;
  private nextViewId = 1 << 24;
  private server: Server | null = null;
  private sockets: WebSocketServer | null = null;
  private heartbeat: NodeJS.Timeout | undefined;
  private ticker: NodeJS.Timeout | undefined;

  constructor(
    options: {
      instruments?: number;
      seed?: number;
      heartbeatMs?: number;
      levels?: number;
      /** Folder of the built dashboard to serve, as the node would. */
      dashboard?: string;
    } = {},
  ) {
    this.prng = new Prng(options.seed ?? 7);
    this.heartbeatMs = options.heartbeatMs ?? 1000;
    this.dashboard = options.dashboard ?? null;
    this.market = new FakeMarket(this.prng, options.instruments ?? 24, options.levels ?? 200);
    this.messages = new FakeMessages(this.market, this.prng);
    this.epochBase = this.messages.originUnixUs;
  }

  get instruments(): FakeInstrument[] {
    return this.market.instruments;
  }

  /** The best levels of the true book. */
  levels(instrument: FakeInstrument, side: 0 | 1, depth = Infinity): [number, number][] {
    return this.market.levels(instrument, side, depth);
  }

  /** `ws://127.0.0.1:port` */
  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  async listen(port = 0): Promise<void> {
    const server = createServer(
      (request, response) => void serveFile(this.dashboard, request, response),
    );
    const sockets = new WebSocketServer({ server, path: '/v1/feed' });
    sockets.on('connection', (socket) => this.greet(socket));
    this.server = server;
    this.sockets = sockets;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.port = (server.address() as { port: number }).port;
    this.heartbeat = setInterval(() => this.sendHeartbeats(), this.heartbeatMs);
  }

  /** Calls back once so many messages of `channel|instrument` went to somebody. */
  onSent(stream: string, messages: number, act: () => void): void {
    this.awaited.set(stream, { act, left: messages });
  }

  /** Changes books by itself. */
  run(intervalMs: number, changesPerInterval: number): void {
    this.ticker = setInterval(() => {
      for (let i = 0; i < changesPerInterval; i++) {
        this.tick(this.instruments[this.prng.nextInt(this.instruments.length)]!);
      }
    }, intervalMs);
  }

  async stop(code = 1001): Promise<void> {
    clearInterval(this.heartbeat);
    clearInterval(this.ticker);
    this.closeClients(code);
    const { server, sockets } = this;
    if (server === null || sockets === null) return;
    this.server = null;
    for (const socket of sockets.clients) setTimeout(() => socket.terminate(), 100).unref();
    await new Promise((resolve) => sockets.close(resolve));
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  closeClients(code = 1012): void {
    for (const socket of this.sockets?.clients ?? []) socket.close(code, 'as the test asked');
  }

  /** Cuts the connections without a word. */
  cutClients(): void {
    for (const socket of this.sockets?.clients ?? []) socket.terminate();
  }

  /** The same bytes to every client, whatever they are. */
  broadcastRaw(bytes: Uint8Array): void {
    for (const socket of this.sockets?.clients ?? []) socket.send(bytes);
  }

  get clientsCount(): number {
    return this.sockets?.clients.size ?? 0;
  }

  /** Forgets every stream's log and position, as a restarted node does. */
  forget(): void {
    this.streams.clear();
    this.epochBase += 1_000_000;
  }

  instrument(name: string): FakeInstrument {
    return this.instruments.find((known) => known.name === name)!;
  }

  /** One venue event: a few levels change, sometimes with a trade. */
  tick(instrument: FakeInstrument): void {
    const changes = 1 + this.prng.nextInt(4);
    this.messages.venueSequence += changes;
    this.market.move(instrument, changes);
    this.publish(instrument);
    if (this.prng.chance(0.2)) this.sendTrades(instrument);
  }

  /** A change of state goes out in-band on the book's streams, on status and on bbo. */
  setState(instrument: FakeInstrument, state: BookState, reason: StateReason): void {
    instrument.state = state;
    instrument.reason = reason;
    for (const stream of this.streamsOf(instrument)) {
      if (stream.channel === 'book' || stream.channel === 'status') this.sendStatus(stream);
      if (stream.channel === 'bbo') this.sendBbo(stream);
    }
  }

  /** The node resynchronised: a new epoch and a new book, in-band. */
  realign(instrument: FakeInstrument): void {
    this.epochBase += 1;
    for (const stream of this.streamsOf(instrument)) {
      stream.epoch = this.epochBase;
      if (stream.channel === 'book') {
        this.messages.fillView(stream);
        for (const part of this.messages.snapshotParts(stream, true)) this.send(stream, part);
      }
    }
  }

  /** A burst of deltas as one folded message. */
  foldedTick(instrument: FakeInstrument, count: number): void {
    this.market.move(instrument, count);
    for (const stream of this.streamsOf(instrument)) {
      if (stream.channel === 'book') this.sendDelta(stream, count - 1);
    }
  }

  private publish(instrument: FakeInstrument): void {
    for (const stream of this.streamsOf(instrument)) {
      if (stream.channel === 'book') this.sendDelta(stream, 0);
      if (stream.channel === 'bbo') this.sendBbo(stream);
      if (stream.channel === 'context') this.sendContext(stream);
    }
  }

  private streamsOf(instrument: FakeInstrument): FakeStream[] {
    return [...this.streams.values()].filter((stream) => stream.instrument === instrument);
  }

  private stream(channel: FakeChannel, instrument: FakeInstrument, depth: number): FakeStream {
    const key = `${channel}|${instrument.id}|${depth}`;
    const known = this.streams.get(key);
    if (known !== undefined) return known;
    const base = instrument.id * 8 + CHANNEL_NAMES.indexOf(channel);
    const stream: FakeStream = {
      id: depth === 0 ? base : this.nextViewId++,
      channel,
      instrument,
      depth,
      epoch: this.epochBase,
      sequence: 100 + this.prng.nextInt(1000),
      view: [new Map(), new Map()],
      log: [],
      subscribers: new Set(),
    };
    this.streams.set(key, stream);
    this.messages.fillView(stream);
    return stream;
  }

  private send(stream: FakeStream, bytes: Uint8Array, covered = 1): void {
    const { sequence } = stream;
    stream.log.push({ firstSequence: sequence - covered + 1, sequence, bytes });
    if (stream.log.length > LOG_MAX) stream.log.shift();
    const key = `${stream.channel}|${stream.instrument.name}`;
    if (this.dropNext.delete(key)) return;
    const awaited = this.awaited.get(key);
    if (awaited !== undefined && stream.subscribers.size > 0 && --awaited.left === 0) {
      awaited.act();
    }
    for (const socket of stream.subscribers) socket.send(bytes);
  }

  private sendDelta(stream: FakeStream, folded: number): void {
    stream.sequence += 1 + folded;
    this.send(stream, this.messages.delta(stream, folded), 1 + folded);
  }

  private sendBbo(stream: FakeStream): void {
    stream.sequence += 1;
    this.send(stream, this.messages.bbo(stream));
  }

  private sendContext(stream: FakeStream): void {
    stream.sequence += 1;
    this.send(stream, this.messages.context(stream));
  }

  private sendStatus(stream: FakeStream): void {
    stream.sequence += 1;
    this.send(stream, this.messages.status(stream));
  }

  private sendTrades(instrument: FakeInstrument): void {
    const stream = this.streams.get(`trades|${instrument.id}|0`);
    if (stream === undefined) return;
    stream.sequence += 1;
    this.send(stream, this.messages.trade(stream));
  }

  private sendHeartbeats(): void {
    if (this.heartbeatsPaused) return;
    for (const socket of this.sockets?.clients ?? []) {
      const own = [...this.streams.values()].filter((stream) => stream.subscribers.has(socket));
      socket.send(this.messages.heartbeat(own));
    }
  }

  private greet(socket: WebSocket): void {
    const say = (answer: object): void => socket.send(JSON.stringify(answer));
    say({
      op: 'welcome',
      protocol: 1,
      version: '0.0.0-fake',
      heartbeatMs: this.heartbeatMs,
      ...(this.token === null ? {} : { auth: 'required' }),
    });
    socket.on('message', (data) => {
      const request = JSON.parse((data as Buffer).toString()) as Record<string, unknown>;
      const { id, op } = request;
      if (op === 'auth') {
        if (request['token'] === this.token) say({ op: 'authenticated', id });
        else
          say({ op: 'error', id, code: 'UNAUTHORIZED', message: 'the token is not the right one' });
      } else if (op === 'ping') say({ op: 'pong', id, publishedNs: '0' });
      else if (op === 'instruments') say({ op, id, instruments: this.listing() });
      else if (op === 'subscribe') this.onSubscribe(socket, request, say);
      else if (op === 'unsubscribe') {
        for (const stream of this.streams.values()) {
          if (stream.id === request['streamId']) stream.subscribers.delete(socket);
        }
        say({ op: 'unsubscribed', id, streamId: request['streamId'] });
      } else say({ op: 'error', id, code: 'UNKNOWN_OP', message: `no such op: ${String(op)}` });
    });
    socket.on('close', () => {
      for (const stream of this.streams.values()) stream.subscribers.delete(socket);
    });
  }

  private listing(): object[] {
    return this.instruments.map((instrument) => ({
      instrument: instrument.name,
      instrumentId: instrument.id,
      venue: 'binance-futures',
      symbol: instrument.name.split(':')[1],
      base: instrument.name.split(':')[1]!.slice(0, -4),
      quote: 'USDT',
      kind: 'perpetual',
      priceDecimals: instrument.priceDecimals,
      sizeDecimals: instrument.sizeDecimals,
      tickSize: '0.01',
      lotSize: '0.001',
      state: Object.keys(BookState)[instrument.state],
    }));
  }

  private onSubscribe(
    socket: WebSocket,
    request: Record<string, unknown>,
    say: (answer: object) => void,
  ): void {
    this.subscribeRequests.push(request);
    const { id, mode = 'lossless' } = request;
    const channel = request['channel'] as FakeChannel;
    const instrument = this.instrument(String(request['instrument']));
    if (instrument === undefined) {
      say({ op: 'error', id, code: 'UNKNOWN_INSTRUMENT', message: 'no such instrument' });
      return;
    }
    const depth = Number(request['depth'] ?? 0);
    const stream = this.stream(channel, instrument, depth);
    if (stream.subscribers.has(socket)) {
      say({ op: 'error', id, code: 'ALREADY_SUBSCRIBED', message: 'subscribed already' });
      return;
    }
    const resume = request['resume'] as { epoch: string; sequence: string } | undefined;
    const missed = resume === undefined ? null : this.since(stream, resume);
    const resumed = missed !== null;
    say({
      op: 'subscribed',
      id,
      channel,
      instrument: instrument.name,
      streamId: stream.id,
      instrumentId: instrument.id,
      depth,
      mode,
      priceDecimals: instrument.priceDecimals,
      sizeDecimals: instrument.sizeDecimals,
      epoch: String(stream.epoch),
      sequence: resumed ? resume!.sequence : String(stream.sequence),
      resumed,
    });
    if (resumed) for (const bytes of missed) socket.send(bytes);
    else if (channel === 'book') {
      for (const part of this.messages.snapshotParts(stream, false)) socket.send(part);
    } else if (channel === 'bbo') socket.send(this.messages.bbo(stream));
    else if (channel === 'status') socket.send(this.messages.status(stream));
    else if (channel === 'context') socket.send(this.messages.context(stream));
    stream.subscribers.add(socket);
  }

  /** Messages after a position, or null where it is no longer known. */
  private since(
    stream: FakeStream,
    resume: { epoch: string; sequence: string },
  ): Uint8Array[] | null {
    const sequence = Number(resume.sequence);
    if (Number(resume.epoch) !== stream.epoch || sequence > stream.sequence) return null;
    const missed = stream.log.filter((entry) => entry.sequence > sequence);
    const first = missed[0]?.firstSequence ?? stream.sequence + 1;
    return first === sequence + 1 ? missed.map((entry) => entry.bytes) : null;
  }
}
