/**
 * A client in memory that believes nothing: follows its streams with the real client's own logic,
 * and holds every Live book that it is shown against the true one.
 */
import { createHash } from 'node:crypto';
import { StateReason } from '../../src/domain/book-state.js';
import { BroadcastAgent } from '../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS } from '../../src/broadcast/broadcast-counters.js';
import { DEFAULT_LIMITS } from '../../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../../src/broadcast/memory-server.js';
import type { Subscribed } from '../../src/client/control-messages.js';
import type { FeedChannel } from '../../src/client/feed-events.js';
import { Outcome, StreamState } from '../../src/client/stream-state.js';
import type { SubscribeOptions } from '../../src/client/stream-state.js';
import type { Level } from '../../src/client/level.js';
import type { LocalBook } from '../../src/client/local-book.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import type { Agent } from '../../src/runtime/agent.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { BodyType } from '../../src/wire/message-layout.js';
import type { ReaderParts } from './pipeline-rig.js';
import type { TimeCell } from '../../src/time/clock.js';

export interface Wish extends SubscribeOptions {
  readonly channel: FeedChannel;
  readonly instrument: string;
}

/** As it stands in the text: positions are decimal texts there. */
type RawAnswer = Omit<Subscribed, 'op' | 'epoch' | 'sequence'> & {
  readonly op: string;
  readonly epoch: string;
  readonly sequence: string;
};

/** Is this the true book at that update: 1 yes, 0 no, -1 not known any more. */
export type Oracle = (id: number, venueSequence: number, low: number, high: number) => -1 | 0 | 1;

export class FeedWatcher {
  readonly counts = {
    messages: 0,
    gaps: 0,
    mismatches: 0,
    same: 0,
    different: 0,
    folded: 0,
    snapshots: 0,
    heartbeatLosses: 0,
    resumed: 0,
  };
  readonly hashes = { checked: 0, passed: 0, failed: 0, unverifiable: 0 };
  readonly errors: string[] = [];
  /** Scales that best prices came at, each with its instrument; prices held against the book's. */
  readonly scales = new Set<string>();
  pricesCompared = 0;
  wrongPrices = 0;
  readonly streams = new Map<number, StreamState>();
  client: MemoryClient;
  private readonly known = new Map<string, StreamState>();
  private readonly wishes = new Map<number, Wish>();
  private readonly digest = createHash('sha256');
  private readonly decoder = new MessageDecoder();
  private readonly server: MemoryServer;
  private readonly oracle: Oracle;
  private nextId = 1;

  constructor(server: MemoryServer, oracle: Oracle) {
    this.server = server;
    this.oracle = oracle;
    this.client = this.connect();
  }

  subscribe(wish: Wish, resume?: { epoch: number; sequence: number }): void {
    const id = this.nextId++;
    this.wishes.set(id, wish);
    const position = resume && { epoch: String(resume.epoch), sequence: String(resume.sequence) };
    this.client.send({ op: 'subscribe', id, ...wish, ...(position && { resume: position }) });
  }

  /** Comes back after a cut and resumes where it was. */
  reconnect(): void {
    const before = [...this.streams.values()];
    this.client.drop();
    this.client = this.connect();
    this.streams.clear();
    for (const stream of before) {
      const { channel, instrument, options, tracker } = stream;
      stream.interrupt(StateReason.Disconnected);
      const resume = tracker.resumePoint ?? undefined;
      this.subscribe({ channel, instrument, ...options }, resume);
    }
  }

  /** The book of a subscribed stream, null before it was accepted. */
  book(instrument: string, depth: number): LocalBook | null {
    return this.known.get(`book ${instrument} ${depth}`)?.book ?? null;
  }

  /** Takes in what arrived. */
  read(): void {
    for (const frame of this.client.take()) {
      this.digest.update(frame.kind === 'text' ? frame.text : frame.bytes);
      if (frame.kind === 'text') this.onText(frame.text);
      else this.onBinary(frame.bytes);
    }
  }

  /** Over every byte that it was sent so far. */
  get hash(): string {
    return this.digest.copy().digest('hex');
  }

  private connect(): MemoryClient {
    const client = this.server.connect({ address: `10.0.0.${this.server.connections.size}` });
    if (!(client instanceof MemoryClient)) throw new Error(`refused: ${client.status}`);
    return client;
  }

  private onText(text: string): void {
    const answer = JSON.parse(text) as RawAnswer;
    if (answer.op === 'error') this.errors.push(text);
    const wish = this.wishes.get(answer.id);
    if (answer.op !== 'subscribed' || wish === undefined) return;
    const stream = this.streamOf(wish);
    stream.anchor({
      ...answer,
      op: 'subscribed',
      epoch: Number(answer.epoch),
      sequence: Number(answer.sequence),
    });
    if (answer.resumed) this.counts.resumed++;
    this.streams.set(answer.streamId, stream);
  }

  /** The same stream again after a cut: what it holds is what a resumed stream builds on. */
  private streamOf(wish: Wish): StreamState {
    const key = `${wish.channel} ${wish.instrument} ${wish.depth ?? 0}`;
    let stream = this.known.get(key);
    if (stream === undefined) {
      const { channel, instrument, ...options } = wish;
      stream = new StreamState(channel, instrument, options, this.hashes, (error) => {
        throw error;
      });
      this.known.set(key, stream);
    }
    return stream;
  }

  private onBinary(bytes: Uint8Array): void {
    const { decoder, counts } = this;
    const type = decoder.decode(bytes, 0, bytes.length);
    if (type === BodyType.Heartbeat) return this.onHeartbeat();
    const { head } = decoder;
    const stream = this.streams.get(head[HeadField.StreamId]!);
    if (stream === undefined) return;
    counts.messages++;
    counts.folded += head[HeadField.Folded]!;
    if (type === BodyType.BookSnapshot) counts.snapshots++;
    const outcome = stream.handle(type, decoder);
    if (type === BodyType.Bbo || type === BodyType.Trades) this.comparePrices(stream);
    if (outcome === Outcome.Gap) counts.gaps++;
    if (outcome === Outcome.HashMismatch) counts.mismatches++;
    if (stream.channel !== 'book' || stream.book.depth !== 0 || !stream.book.isLive) return;
    const verdict = this.oracle(
      head[HeadField.InstrumentId]!,
      head[HeadField.VenueSequence]!,
      head[HeadField.HashLow]!,
      head[HeadField.HashHigh]!,
    );
    if (verdict === 1) counts.same++;
    if (verdict === 0) counts.different++;
  }

  /**
   * As numbers: whoever takes a mantissa at the wrong scale is wrong by a factor of ten, and a market does
   * not move so far while this is told.
   */
  private comparePrices(stream: StreamState): void {
    const book = this.book(stream.instrument, 0);
    const latest = stream.latestEvent;
    const best = book?.bestBid ?? null;
    if (best === null || latest === null) return;
    let told: Level | null = null;
    if (latest.channel === 'bbo') told = latest.bid;
    else if (latest.channel === 'trades') told = latest.trades[0]?.at ?? null;
    if (told === null) return;
    this.scales.add(`${stream.instrument} ${told.priceDecimals}`);
    this.pricesCompared++;
    const ratio = Number(told.priceText) / Number(best.priceText);
    if (ratio < 0.5 || ratio > 2) this.wrongPrices++;
  }

  private onHeartbeat(): void {
    const { positions, positionsCount } = this.decoder;
    for (let i = 0; i < positionsCount; i++) {
      const [epoch, next, streamId] = [
        positions[4 * i]!,
        positions[4 * i + 1]!,
        positions[4 * i + 2]!,
      ];
      const lost = this.streams.get(streamId)?.tracker.onHeartbeat(epoch, next) ?? false;
      if (lost) this.counts.heartbeatLosses++;
    }
  }
}

/** The broadcast room with a server in memory, as an agent beside the books. */
export class MemoryBroadcast implements Agent {
  readonly name = 'broadcast';
  readonly server = new MemoryServer(DEFAULT_LIMITS);
  readonly counters: CounterTable;
  onTurn: () => void = () => {};
  private readonly agent: BroadcastAgent;

  constructor({ instruments, inputs, clock, timeline }: ReaderParts) {
    const counters = createCounterTable(1, BROADCAST_COLUMNS);
    this.counters = new CounterTable(counters, BROADCAST_COLUMNS);
    this.agent = new BroadcastAgent({
      instruments,
      inputs,
      clock,
      timeline,
      counters,
      server: this.server,
      version: 'test',
    });
    void this.agent.listen('localhost', 0);
  }

  doWork(now: TimeCell): number {
    const work = this.agent.doWork(now);
    this.server.turn();
    this.onTurn();
    return work;
  }

  onClose(): void {
    this.agent.onClose();
  }
}
