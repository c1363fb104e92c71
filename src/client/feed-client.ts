/**
 * A consumer's connection to a Ringside node: subscriptions that survive reconnects, continuity and
 * hash checked on every message. The same in Node and in browsers; the socket's constructor, the
 * clock and chance are handed in (index.ts and browser.ts do so for their host).
 */
import { StateReason } from '../domain/book-state.js';
import type { Prng } from '../domain/prng.js';
import type { Scheduler } from '../time/clock.js';
import { DecodeError, MessageDecoder } from '../wire/decode.js';
import { HeadField } from '../wire/head-fields.js';
import { BodyType, POSITION_FIELDS } from '../wire/message-layout.js';
import type { Answer, InstrumentInfo } from './control-messages.js';
import { Emitter, reportUnhandled, type Listener } from './emitter.js';
import { FeedConnection } from './feed-connection.js';
import { FeedError } from './feed-error.js';
import type { ClientEvents, ConnectionState, FeedChannel } from './feed-events.js';
import {
  Outcome,
  StreamState,
  hashesOf,
  type HashTally,
  type SubscribeOptions,
} from './stream-state.js';
import { StreamKeeper, type KeptStream } from './stream-keeper.js';
import { Subscription } from './subscription.js';
import type { OpenWebSocket } from './web-socket.js';

const NS_PER_MS = 1e6;

export interface FeedClientCoreOptions {
  /** The node, e.g. `ws://127.0.0.1:9001`; the path `/v1/feed` is added where there is none. */
  readonly url: string;
  /** Bearer token, where the node asks for one. */
  readonly token?: string;
  readonly openWebSocket: OpenWebSocket;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Longest pause between two attempts to connect; default 10 000. */
  readonly backOffMsMax?: number;
}

export interface ClientCounters {
  connects: number;
  messages: number;
  bytes: number;
  heartbeats: number;
  gaps: number;
  /** Messages that were already contained in what the client had. */
  stale: number;
  resyncs: number;
  resumes: number;
  /** Messages that are no valid ones. Each ends the connection. */
  malformed: number;
  /** Messages of kinds or streams that are not subscribed (also what was under way while leaving). */
  unclaimed: number;
  readonly hash: HashTally;
}

export class FeedClient {
  readonly counters: ClientCounters = {
    connects: 0,
    messages: 0,
    bytes: 0,
    heartbeats: 0,
    gaps: 0,
    stale: 0,
    resyncs: 0,
    resumes: 0,
    malformed: 0,
    unclaimed: 0,
    hash: { checked: 0, passed: 0, failed: 0, unverifiable: 0 },
  };
  private readonly connection: FeedConnection;
  private readonly scheduler: Scheduler;
  private readonly keeper: StreamKeeper;
  private readonly decoder = new MessageDecoder();
  private readonly emitter = new Emitter<ClientEvents>();

  constructor(options: FeedClientCoreOptions) {
    this.scheduler = options.scheduler;
    this.connection = new FeedConnection({
      url: feedUrl(options.url),
      token: options.token,
      open: options.openWebSocket,
      scheduler: options.scheduler,
      prng: options.prng,
      backOffMsMax: options.backOffMsMax ?? 10_000,
      handlers: {
        onLive: () => {
          this.counters.connects += 1;
          this.keeper.onLive();
        },
        onData: (bytes) => this.onData(bytes),
        onDown: () => this.keeper.onDown(),
        onState: (event) => this.emitter.emit('connection', event),
        onError: (error) => this.report(error),
      },
    });
    this.keeper = new StreamKeeper(this.connection, options.scheduler, options.prng, {
      onResumed: () => (this.counters.resumes += 1),
      onRecovered: (event) => this.emitter.emit('recovered', event),
      onError: (error) => this.report(error),
    });
  }

  get connectionState(): ConnectionState {
    return this.connection.state;
  }

  /** Milliseconds since the node was last heard; Infinity while not connected. */
  get silentMs(): number {
    return this.connection.silentMs;
  }

  /** Fulfilled with the first greeting. Failed attempts are repeated until `close`. */
  connect(): Promise<void> {
    if (this.connection.state === 'live') return Promise.resolve();
    if (this.connection.state === 'closed') {
      return Promise.reject(new FeedError('CLOSED', 'the client was closed'));
    }
    return new Promise((resolve, reject) => {
      const off = this.on('connection', ({ state }) => {
        if (state !== 'live' && state !== 'closed') return;
        off();
        if (state === 'live') resolve();
        else reject(new FeedError('CLOSED', 'the client was closed'));
      });
      this.connection.start();
    });
  }

  /** Ends the connection, every subscription and every loop. Final. */
  close(): void {
    this.connection.stop();
    this.keeper.releaseAll();
  }

  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: Listener<ClientEvents[Name]>,
  ): () => void {
    return this.emitter.on(name, listener);
  }

  /** A book with its depth a side, or the full one. */
  book(instrument: string, options: SubscribeOptions = {}): Subscription<'book'> {
    return this.subscribe('book', instrument, options);
  }

  /** Every resting order, where the venue tells them; refused with UNKNOWN_CHANNEL elsewhere. */
  orders(instrument: string, options: SubscribeOptions = {}): Subscription<'orders'> {
    return this.subscribe('orders', instrument, options);
  }

  bbo(instrument: string, options: SubscribeOptions = {}): Subscription<'bbo'> {
    return this.subscribe('bbo', instrument, options);
  }

  trades(instrument: string): Subscription<'trades'> {
    return this.subscribe('trades', instrument, {});
  }

  status(instrument: string): Subscription<'status'> {
    return this.subscribe('status', instrument, {});
  }

  /** Mark and index price, funding, open interest: refused with UNKNOWN_CHANNEL where not taken. */
  context(instrument: string, options: SubscribeOptions = {}): Subscription<'context'> {
    return this.subscribe('context', instrument, options);
  }

  /** Connects if need be. The stream is kept through reconnects until it is closed. */
  subscribe<C extends FeedChannel>(
    channel: C,
    instrument: string,
    options: SubscribeOptions = {},
  ): Subscription<C> {
    const report = (error: Error): void => this.report(error);
    const stream = new StreamState(channel, instrument, options, this.counters.hash, report);
    if (this.connection.state === 'closed') {
      const closed = new FeedError('CLOSED', 'the client was closed');
      stream.end(closed);
      return new Subscription(stream, Promise.reject(closed), () => undefined);
    }
    this.connection.start();
    let release = (): void => undefined;
    const accepted = new Promise<void>((accept, refuse) => {
      const kept = this.keeper.add(stream as unknown as StreamState, accept, refuse);
      release = () => this.keeper.release(kept);
    });
    return new Subscription(stream, accepted, release);
  }

  /** All instruments of the node with their books' states. */
  async instruments(): Promise<InstrumentInfo[]> {
    const answer = await this.request({ op: 'instruments' });
    if (answer.op === 'instruments') return answer.instruments;
    throw new FeedError('PROTOCOL', 'the answer to instruments is of another kind');
  }

  /** Round trip to the node and back, in milliseconds. */
  async pingMs(): Promise<number> {
    const startNs = this.scheduler.nowNs();
    await this.request({ op: 'ping' });
    return (this.scheduler.nowNs() - startNs) / NS_PER_MS;
  }

  /** To the listeners of `error`. Trouble with the feed is dealt with here, so nobody has to listen. */
  private report(error: Error): void {
    if (error instanceof FeedError || this.emitter.has('error')) this.emitter.emit('error', error);
    else reportUnhandled(error);
  }

  private async request(fields: Record<string, unknown>): Promise<Answer> {
    await this.connect();
    return new Promise((onAnswer, onRefused) => {
      this.connection.request(fields, { onAnswer, onRefused });
    });
  }

  private onData(bytes: Uint8Array): void {
    this.counters.messages += 1;
    this.counters.bytes += bytes.length;
    // A frame of its own buffer is aligned and read in place; anything else is copied first.
    const inPlace = ((bytes.byteOffset & 7) | (bytes.length & 7)) === 0;
    const type = inPlace
      ? this.decoder.decodeWords(
          new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
          0,
          bytes.length,
        )
      : this.decoder.decode(bytes, 0, bytes.length);
    if (type < 0) {
      // A kind of message that a newer node may send, and that was not asked for.
      if (type === DecodeError.UnknownBody) this.counters.unclaimed += 1;
      else this.onUndecodable(type);
      return;
    }
    if (type === BodyType.Heartbeat) {
      this.onHeartbeat();
      return;
    }
    const kept = this.keeper.find(this.decoder.head[HeadField.StreamId]!);
    if (kept === undefined) {
      this.counters.unclaimed += 1;
      return;
    }
    switch (kept.stream.handle(type, this.decoder)) {
      case Outcome.Used:
        break;
      case Outcome.Ignored:
        this.counters.stale += 1;
        break;
      case Outcome.Unexpected:
        this.counters.unclaimed += 1;
        break;
      case Outcome.Gap:
        this.onGap(kept, this.decoder.head[HeadField.FirstSequence]!, 'message');
        break;
      case Outcome.HashMismatch:
        this.onHashMismatch(kept);
        break;
    }
  }

  private onUndecodable(code: number): void {
    this.counters.malformed += 1;
    this.report(new FeedError('PROTOCOL', `undecodable message (code ${code})`));
    this.connection.restart('the node sent a message that cannot be decoded');
  }

  private onHeartbeat(): void {
    this.counters.heartbeats += 1;
    const positions = this.decoder.positions;
    for (let i = 0; i < this.decoder.positionsCount; i++) {
      const at = i * POSITION_FIELDS;
      const kept = this.keeper.find(positions[at + 2]!);
      if (kept === undefined) continue;
      const next = positions[at + 1]!;
      if (kept.stream.tracker.onHeartbeat(positions[at]!, next)) {
        this.onGap(kept, next, 'heartbeat');
      }
    }
  }

  private onGap(kept: KeptStream, foundSequence: number, noticedBy: 'message' | 'heartbeat'): void {
    this.counters.gaps += 1;
    const { instrument, channel, tracker } = kept.stream;
    this.emitter.emit('gap', {
      instrument,
      channel,
      epoch: tracker.currentEpoch,
      expectedSequence: tracker.expectedSequence,
      foundSequence,
      noticedBy,
    });
    this.counters.resyncs += 1;
    this.keeper.resync(kept, StateReason.Gap);
  }

  private onHashMismatch(kept: KeptStream): void {
    const { instrument, book } = kept.stream;
    const [hashExpected, hashFound] = hashesOf(this.decoder, kept.stream);
    const { epoch, sequence } = book;
    this.emitter.emit('hashMismatch', { instrument, epoch, sequence, hashExpected, hashFound });
    this.counters.resyncs += 1;
    this.keeper.resync(kept, StateReason.IntegrityMismatch);
  }
}

export function feedUrl(given: string): string {
  const url = new URL(given.includes('://') ? given : `ws://${given}`);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.pathname === '/' || url.pathname === '') url.pathname = '/v1/feed';
  return url.href;
}
