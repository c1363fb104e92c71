/**
 * A small feed node for tests of clients: speaks the protocol of DESIGN section 4 over the `ws`
 * package, on books that it invents from a seed, and does wrong on request. It shares no code with
 * the real broadcaster but the wire encoder.
 */
import { createServer, type Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { BookState, type StateReason } from '../../src/domain/book-state.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../../src/domain/level-hash.js';
import { Prng } from '../../src/domain/prng.js';
import { SystemClock, readTimelineOrigin } from '../../src/time/system-clock.js';
import { Timeline } from '../../src/time/timeline.js';
import { MessageEncoder } from '../../src/wire/encode.js';
import { HEAD_DOUBLES, HeadField } from '../../src/wire/head-fields.js';
import { FakeMarket, type FakeInstrument, type Levels } from './fake-market.js';
import { serveFile } from './serve-file.js';

type ChannelName = 'book' | 'bbo' | 'trades' | 'status';

interface Logged {
  readonly firstSequence: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

interface Stream {
  readonly id: number;
  readonly channel: ChannelName;
  readonly instrument: FakeInstrument;
  readonly depth: number;
  epoch: number;
  sequence: number;
  /** What subscribers of this depth hold. */
  readonly view: readonly [Levels, Levels];
  readonly log: Logged[];
  readonly subscribers: Set<WebSocket>;
}

const MEGABYTE = 1 << 20;
const LOG_MAX = 512;
export class FakeFeed {
  readonly subscribeRequests: Record<string, unknown>[] = [];
  port = 0;
  /** The next message of the stream takes a sequence but is not sent. */
  readonly dropNext = new Set<string>();
  /** The next message of the stream carries a wrong hash. */
  readonly falsifyNext = new Set<string>();
  heartbeatsPaused = false;
  /** Levels a part of a snapshot holds. */
  snapshotPartLevels = 1024;
  /** Asked for after the greeting, where set. */
  token: string | null = null;
  private readonly market: FakeMarket;
  private readonly prng: Prng;
  private readonly timeline: Timeline;
  private readonly clock: SystemClock;
  private readonly encoder: MessageEncoder;
  private readonly heartbeatMs: number;
  private readonly dashboard: string | null;
  private readonly streams = new Map<string, Stream>();
  private readonly words = new Int32Array(MEGABYTE);
  private readonly head = new Float64Array(HEAD_DOUBLES);
  private epochBase: number;
  private venueSequence = 1000;
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
    const origin = readTimelineOrigin();
    this.prng = new Prng(options.seed ?? 7);
    this.timeline = new Timeline(origin.unixNs);
    this.clock = new SystemClock(origin.monotonicNs);
    this.encoder = new MessageEncoder(this.timeline);
    this.heartbeatMs = options.heartbeatMs ?? 1000;
    this.dashboard = options.dashboard ?? null;
    this.epochBase = Number(origin.unixNs / 1000n);
    this.market = new FakeMarket(this.prng, options.instruments ?? 24, options.levels ?? 200);
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
    this.venueSequence += changes;
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
        this.fillView(stream);
        for (const part of this.snapshotParts(stream, true)) this.send(stream, part);
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
    }
  }

  private streamsOf(instrument: FakeInstrument): Stream[] {
    return [...this.streams.values()].filter((stream) => stream.instrument === instrument);
  }

  private stream(channel: ChannelName, instrument: FakeInstrument, depth: number): Stream {
    const key = `${channel}|${instrument.id}|${depth}`;
    const known = this.streams.get(key);
    if (known !== undefined) return known;
    const base = instrument.id * 8 + ['book', 'bbo', 'trades', 'status'].indexOf(channel);
    const stream: Stream = {
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
    this.fillView(stream);
    return stream;
  }

  private fillView(stream: Stream): void {
    for (const side of [0, 1] as const) {
      stream.view[side].clear();
      for (const [price, size] of this.topOf(stream, side)) stream.view[side].set(price, size);
    }
  }

  private topOf(stream: Stream, side: 0 | 1): [number, number][] {
    return this.levels(stream.instrument, side, stream.depth === 0 ? Infinity : stream.depth);
  }

  private fillHead(stream: Stream, flags: number, folded = 0): Float64Array {
    const { head, clock } = this;
    const nowNs = clock.nowNs();
    let low = 0;
    let high = 0;
    if (stream.channel === 'book') {
      for (const side of [0, 1] as const) {
        for (const [price, size] of stream.view[side]) {
          low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
          high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
        }
      }
      if (this.falsifyNext.delete(stream.instrument.name)) low ^= 1;
    }
    head[HeadField.Epoch] = stream.epoch;
    head[HeadField.Sequence] = stream.sequence;
    head[HeadField.FirstSequence] = stream.sequence - folded;
    head[HeadField.VenueSequence] = this.venueSequence;
    head[HeadField.HashLow] = low;
    head[HeadField.HashHigh] = high;
    head[HeadField.ExchangeNs] = nowNs - 2.1e6 - this.prng.nextInt(900_000);
    head[HeadField.ReceivedNs] = nowNs - 31_000 - this.prng.nextInt(9_000);
    head[HeadField.AppliedNs] = nowNs - 18_000 - this.prng.nextInt(4_000);
    head[HeadField.PublishedNs] = nowNs;
    head[HeadField.StreamId] = stream.id;
    head[HeadField.InstrumentId] = stream.instrument.id;
    head[HeadField.Folded] = folded;
    head[HeadField.Flags] = flags;
    head[HeadField.State] = stream.instrument.state;
    head[HeadField.Reason] = stream.instrument.reason;
    return head;
  }

  private copy(bytes: number): Uint8Array {
    return new Uint8Array(this.words.buffer, 0, bytes).slice();
  }

  private send(stream: Stream, bytes: Uint8Array, covered = 1): void {
    const { sequence } = stream;
    stream.log.push({ firstSequence: sequence - covered + 1, sequence, bytes });
    if (stream.log.length > LOG_MAX) stream.log.shift();
    if (this.dropNext.delete(`${stream.channel}|${stream.instrument.name}`)) return;
    for (const socket of stream.subscribers) socket.send(bytes);
  }

  private sendDelta(stream: Stream, folded: number): void {
    const pairs: number[][] = [[], []];
    for (const side of [0, 1] as const) {
      const now = new Map(this.topOf(stream, side));
      const before = stream.view[side];
      for (const [price, size] of now)
        if (before.get(price) !== size) pairs[side]!.push(price, size);
      for (const price of before.keys()) if (!now.has(price)) pairs[side]!.push(price, 0);
      before.clear();
      for (const [price, size] of now) before.set(price, size);
    }
    stream.sequence += 1 + folded;
    const flags = EventFlag.Last | (folded > 0 ? EventFlag.Conflated : 0);
    const head = this.fillHead(stream, flags, folded);
    const levels = Float64Array.from(pairs.flat());
    const [bids, asks] = [pairs[0]!.length / 2, pairs[1]!.length / 2];
    const bytes = this.encoder.writeBookDelta(this.words, 0, head, levels, 0, bids, asks);
    this.send(stream, this.copy(bytes), 1 + folded);
  }

  private sendBbo(stream: Stream): void {
    stream.sequence += 1;
    this.send(stream, this.bboBytes(stream));
  }

  private bboBytes(stream: Stream): Uint8Array {
    const [bid] = this.levels(stream.instrument, 0, 1);
    const [ask] = this.levels(stream.instrument, 1, 1);
    const head = this.fillHead(stream, EventFlag.Last);
    const { encoder, words } = this;
    const bytes = encoder.writeBbo(words, 0, head, bid![0], bid![1], ask![0], ask![1], 3, 4);
    return this.copy(bytes);
  }

  private sendStatus(stream: Stream): void {
    stream.sequence += 1;
    this.send(stream, this.statusBytes(stream));
  }

  private statusBytes(stream: Stream): Uint8Array {
    const head = this.fillHead(stream, EventFlag.Last);
    return this.copy(this.encoder.writeStatus(this.words, 0, head, this.clock.nowNs()));
  }

  private sendTrades(instrument: FakeInstrument): void {
    const stream = this.streams.get(`trades|${instrument.id}|0`);
    if (stream === undefined) return;
    stream.sequence += 1;
    const [ask] = this.levels(instrument, 1, 1);
    const head = this.fillHead(stream, EventFlag.Last);
    const trade = Float64Array.of(ask![0], 5, this.venueSequence, this.clock.nowNs(), 0);
    this.send(stream, this.copy(this.encoder.writeTrades(this.words, 0, head, trade, 0, 1)));
  }

  /** In-band parts take a sequence each; an anchor's parts share that of the stream. */
  private snapshotParts(stream: Stream, inBand: boolean): Uint8Array[] {
    const bids = [...stream.view[0]];
    const asks = [...stream.view[1]];
    const size = this.snapshotPartLevels;
    const parts = Math.max(1, Math.ceil(Math.max(bids.length, asks.length) / size));
    const name = new TextEncoder().encode(stream.instrument.name);
    const { priceDecimals, sizeDecimals } = stream.instrument;
    return Array.from({ length: parts }, (_, part) => {
      if (inBand) stream.sequence += 1;
      const first = part === 0 ? EventFlag.Snapshot : EventFlag.Continued;
      const last = part === parts - 1 ? EventFlag.Last : 0;
      const b = bids.slice(part * size, (part + 1) * size);
      const a = asks.slice(part * size, (part + 1) * size);
      const levels = Float64Array.from([...b.flat(), ...a.flat()]);
      const head = this.fillHead(stream, first | last);
      const bytes = this.encoder.writeBookSnapshot(
        this.words,
        0,
        head,
        levels,
        0,
        b.length,
        a.length,
        stream.depth,
        priceDecimals,
        sizeDecimals,
        name,
      );
      return this.copy(bytes);
    });
  }

  private sendHeartbeats(): void {
    if (this.heartbeatsPaused) return;
    for (const socket of this.sockets?.clients ?? []) {
      const own = [...this.streams.values()].filter((stream) => stream.subscribers.has(socket));
      const positions = Float64Array.from(
        own.flatMap((stream) => [
          stream.epoch,
          stream.sequence + 1,
          stream.id,
          stream.instrument.id,
        ]),
      );
      const { encoder, words, clock } = this;
      const bytes = encoder.writeHeartbeat(words, 0, clock.nowNs(), positions, own.length);
      socket.send(this.copy(bytes));
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
    const channel = request['channel'] as ChannelName;
    const instrument = this.instrument(String(request['instrument']));
    if (instrument === undefined) {
      say({ op: 'error', id, code: 'UNKNOWN_INSTRUMENT', message: 'no such instrument' });
      return;
    }
    const depth = Number(request['depth'] ?? 0);
    const stream = this.stream(channel, instrument, depth);
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
      for (const part of this.snapshotParts(stream, false)) socket.send(part);
    } else if (channel === 'bbo') socket.send(this.bboBytes(stream));
    else if (channel === 'status') socket.send(this.statusBytes(stream));
    stream.subscribers.add(socket);
  }

  /** Messages after a position, or null where it is no longer known. */
  private since(stream: Stream, resume: { epoch: string; sequence: string }): Uint8Array[] | null {
    const sequence = Number(resume.sequence);
    if (Number(resume.epoch) !== stream.epoch || sequence > stream.sequence) return null;
    const missed = stream.log.filter((entry) => entry.sequence > sequence);
    const first = missed[0]?.firstSequence ?? stream.sequence + 1;
    return first === sequence + 1 ? missed.map((entry) => entry.bytes) : null;
  }
}
