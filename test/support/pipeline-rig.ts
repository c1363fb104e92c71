/**
 * The node's heart in one thread on a virtual clock: simulated exchange → Ingest → rings → books →
 * ring, with every published message held against the true book. One seed, one outcome.
 */
import assert from 'node:assert/strict';
import { BBO_ROW_DOUBLES } from '../../src/books/bbo-row.js';
import { BooksAgent } from '../../src/books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  type BooksColumn,
  createBooksCounters,
} from '../../src/books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../../src/books/limits.js';
import { BookState } from '../../src/domain/book-state.js';
import { Channel } from '../../src/domain/channel.js';
import { EventFlag } from '../../src/domain/event-flags.js';
import type { Instrument } from '../../src/domain/instrument.js';
import { Prng } from '../../src/domain/prng.js';
import { createIngestCounters } from '../../src/ingest/ingest-counters.js';
import { Ingest } from '../../src/ingest/ingest.js';
import type { DefinitionSource } from '../../src/ingest/definition-watch.js';
import type { IngestLimits } from '../../src/ingest/limits.js';
import { CounterTable, createCounterTable } from '../../src/rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../../src/rings/doorbell.js';
import { DefinitionReader, createDefinitionTable } from '../../src/rings/definition-table.js';
import { InstrumentReloader } from '../../src/node/instrument-reloader.js';
import * as R from '../../src/rings/record-types.js';
import { RingConsumer } from '../../src/rings/ring-consumer.js';
import { createRing } from '../../src/rings/ring-layout.js';
import { RingProducer } from '../../src/rings/ring-producer.js';
import { createSeqlockTable } from '../../src/rings/seqlock.js';
import { createSimulatedVenue } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator.js';
import type { Agent } from '../../src/runtime/agent.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { venueById } from '../../src/venues/registry.js';
import type { Venue } from '../../src/venues/venue.js';
import { MessageDecoder } from '../../src/wire/decode.js';
import { HeadField } from '../../src/wire/head-fields.js';
import { SimulatedTransports } from './simulated-transports.js';
import { timeCell } from '../../src/time/clock.js';

export interface PipelineOptions {
  readonly simulator: Omit<SimulatorOptions, 'scheduler' | 'timeline'>;
  readonly depthInterval: '0ms' | '100ms' | '250ms' | '500ms';
  readonly shards?: number;
  readonly seed: number;
  /** Without the venue's REST budget, so that many resyncs fit into little time. */
  readonly unlimitedRest?: boolean;
  readonly limits?: Partial<IngestLimits>;
  /** The node asks for its instruments again: this often, and in doubt. */
  readonly instrumentsEveryMs?: number;
  /** What the node believes of the venue's connection lifetime. */
  readonly lifetimeMs?: number;
  readonly ringWords?: number;
  /** Agents that read the books too, each with a ring from every shard: made once all rings stand. */
  readonly readers?: readonly ReaderFactory[];
}

export interface ReaderParts {
  readonly instruments: readonly Instrument[];
  readonly inputs: readonly RingConsumer[];
  readonly clock: VirtualClock;
  readonly timeline: Timeline;
}
export type ReaderFactory = (parts: ReaderParts) => Agent;

/** What was held against the truth. */
export interface Verdicts {
  /** Messages of Live books whose hash, or best, is the true one at their venue sequence. */
  same: number;
  different: number;
  /** Live messages about an update id that the simulator no longer knows, or never had. */
  unknown: number;
  /** The first that differ, for the report. */
  readonly examples: string[];
}

const ORIGIN_UNIX_NS = 1_790_000_000_000_000_000n;
const STEP_NS = 1e6;

export class PipelineRig {
  readonly clock = new VirtualClock();
  readonly timeline = new Timeline(ORIGIN_UNIX_NS);
  readonly simulated: ReturnType<typeof createSimulatedVenue>;
  readonly instruments: Instrument[];
  readonly counters: CounterTable;
  readonly verdicts: Verdicts = { same: 0, different: 0, unknown: 0, examples: [] };
  /** Hears every state change of a book in the order of its stream. */
  onState: (instrumentId: number, state: number, reason: number) => void = () => {};
  /** What each instrument is at present. */
  readonly definitions: SharedArrayBuffer;
  /** Lines of the log about instruments. */
  readonly redefinitions: string[] = [];
  private readonly transports: SimulatedTransports;
  private readonly ingest: Ingest;
  private readonly books: BooksAgent[];
  private readonly outputs: RingConsumer[];
  private readonly readers: readonly Agent[];
  private readonly decoder = new MessageDecoder();
  private readonly states: Int8Array;

  constructor(options: PipelineOptions) {
    const { clock, timeline } = this;
    this.simulated = createSimulatedVenue({ ...options.simulator, scheduler: clock, timeline });
    const venue = venueOf(options);
    const transports = new SimulatedTransports(this.simulated.venue, clock);
    this.transports = transports;
    const info = this.simulated.venue.answer({
      method: 'GET',
      target: new URL(venue.instrumentsRequest().url).pathname,
      remoteAddress: '127.0.0.1',
    });
    this.instruments = venue.readInstruments(String(info.answer.body), 'all', 0);
    const count = this.instruments.length;
    const shards = options.shards ?? 1;
    const shardOf = new Int32Array(count).map((_, id) => id % shards);
    const inputs = range(shards).map(() => createRing(options.ringWords ?? 1 << 20));
    const wanted = range(shards).map(() => createRing(1 << 14));
    const outputs = range(shards).map(() => createRing(1 << 20));
    const more = (options.readers ?? []).map(() => range(shards).map(() => createRing(1 << 20)));
    this.readers = (options.readers ?? []).map((create, index) =>
      create({
        instruments: this.instruments,
        inputs: more[index]!.map((ring) => new RingConsumer(ring)),
        clock,
        timeline,
      }),
    );
    this.definitions = createDefinitionTable(this.instruments);
    const countersBuffer = createBooksCounters(count);
    const bboTable = createSeqlockTable(count, BBO_ROW_DOUBLES);
    this.counters = new CounterTable(countersBuffer, BOOKS_COLUMNS);
    this.states = new Int8Array(count).fill(-1);
    this.outputs = outputs.map((ring) => new RingConsumer(ring));
    this.ingest = new Ingest({
      venue,
      instruments: this.instruments,
      channels: [Channel.Book, Channel.Bbo, Channel.Trades],
      rings: inputs.map((ring) => ({ ring: new RingProducer(ring), bell: bell() })),
      shardOf,
      wanted: wanted.map((ring) => new RingConsumer(ring)),
      clock,
      prng: new Prng(options.seed),
      timeline,
      transports: { webSocket: transports, http: transports },
      counters: createIngestCounters(8),
      definitionTable: this.definitions,
      ...(options.instrumentsEveryMs === undefined
        ? {}
        : { definitions: this.definitionSource(venue, options.instrumentsEveryMs) }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    this.books = range(shards).map(
      (shard) =>
        new BooksAgent({
          name: `books-${shard}`,
          instruments: this.instruments.filter(({ id }) => shardOf[id] === shard),
          createSequencer: () => venue.createSequencer(),
          snapshotInStream: false,
          input: new RingConsumer(inputs[shard]!),
          outputs: [outputs, ...more].map((rings) => ({
            ring: new RingProducer(rings[shard]!),
            bell: bell(),
          })),
          wanted: { ring: new RingProducer(wanted[shard]!), bell: bell() },
          bboTable,
          definitions: this.definitions,
          counters: countersBuffer,
          workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
          workerRow: 0,
          histograms: { venueToReceived: { record() {} }, receivedToApplied: { record() {} } },
          timeline,
          clock,
          limits: DEFAULT_BOOKS_LIMITS,
          takeover: false,
        }),
    );
    this.simulated.venue.start();
    this.ingest.start();
  }

  /** The main thread's part: asks, reads, and tells the ingest agent. */
  private definitionSource(venue: Venue, everyMs: number): DefinitionSource {
    const note = (event: string, message: string): void => {
      this.redefinitions.push(`${event} ${message}`);
    };
    const reloader = new InstrumentReloader({
      venue,
      symbols: 'all',
      everyMs,
      instruments: this.instruments,
      definitions: new DefinitionReader(this.definitions),
      request: async (request) => {
        const { status, headers, body } = await this.transports.request(request);
        return { status, headers, body: Buffer.from(body).toString('utf8') };
      },
      unixMs: () => this.clock.nowNs() / 1e6,
      log: { info: note, warn: note },
    });
    return {
      ...reloader.plan,
      ask: (doubted) =>
        void reloader.ask(doubted).then((answer) => this.ingest.onDefinitions(answer)),
    };
  }

  /** Lets the exchange and the node run. */
  async run(milliseconds: number, until: () => boolean = () => false): Promise<void> {
    const endNs = this.clock.nowNs() + milliseconds * 1e6;
    while (this.clock.nowNs() < endNs && !until()) {
      this.clock.advanceBy(STEP_NS);
      if (this.transports.pending > 0 || this.answersDue) await this.settle();
      this.turn();
    }
  }

  /** All books Live within the given time. */
  async untilLive(millisecondsMax: number): Promise<void> {
    await this.run(millisecondsMax, () => this.liveCount === this.instruments.length);
    assert.equal(this.liveCount, this.instruments.length, 'every book is Live');
  }

  get liveCount(): number {
    return this.states.reduce((sum, state) => sum + (state === BookState.Live ? 1 : 0), 0);
  }

  stateOf(instrumentId: number): number {
    return this.states[instrumentId]!;
  }

  /** Sum of a counter over all books. */
  sum(column: BooksColumn): number {
    return this.instruments.reduce((sum, { id }) => sum + this.counters.get(id, column), 0);
  }

  close(): void {
    for (const agent of this.books) agent.onClose();
    this.ingest.onClose();
    this.simulated.venue.stop();
  }

  private answersDue = false;

  private async settle(): Promise<void> {
    // One turn more after the last answer, for the reactions to it.
    this.answersDue = this.transports.pending > 0;
    for (let i = 0; i < 8; i++) await Promise.resolve();
  }

  private turn(): void {
    const nowNs = this.clock.nowNs();
    for (let work = 1; work > 0;) {
      work = this.ingest.doWork(timeCell(nowNs));
      for (const agent of this.books) work += agent.doWork(timeCell(nowNs));
      for (const output of this.outputs) work += this.judgeAll(output);
      for (const reader of this.readers) work += reader.doWork(timeCell(nowNs));
    }
  }

  private judgeAll(output: RingConsumer): number {
    return output.poll(
      {
        onRecord: (typeId, slot) => this.judge(output, typeId, slot),
      },
      1 << 20,
    );
  }

  private judge(output: RingConsumer, typeId: number, slot: number): void {
    const envelope = output.doubles;
    const id = envelope[slot + R.OUT_INSTRUMENT]!;
    const state = envelope[slot + R.OUT_STATE]!;
    const flags = envelope[slot + R.OUT_FLAGS]!;
    const isBook =
      typeId === R.RecordType.BookDeltaOut ||
      typeId === R.RecordType.BookSnapshotOut ||
      typeId === R.RecordType.BookStatusOut;
    const isBbo = typeId === R.RecordType.BboOut;
    if (!isBook && !isBbo) return;
    const at = (slot + R.OUT_ENVELOPE_DOUBLES) * 8;
    const body = this.decoder.decode(output.bytes, at, envelope[slot + R.OUT_MESSAGE_BYTES]!);
    assert.ok(body > 0, 'a readable message');
    const { head } = this.decoder;
    if (isBook && state !== this.states[id]) {
      this.states[id] = state;
      this.onState(id, state, head[HeadField.Reason]!);
    }
    if (state !== BookState.Live || (flags & EventFlag.Last) === 0) return;
    if (isBook) this.compareBook(id, head);
    else this.compareBest(id, head);
  }

  private compareBook(id: number, head: Float64Array): void {
    const outcome = this.simulated.truth.compare(
      id,
      head[HeadField.VenueSequence]!,
      head[HeadField.HashLow]!,
      head[HeadField.HashHigh]!,
    );
    this.count(outcome, id, 'book', head);
  }

  private compareBest(id: number, head: Float64Array): void {
    const { truth } = this.simulated.venue.exchange.markets[id]!;
    const found = truth.find(head[HeadField.VenueSequence]!);
    if (found < 0) return this.count(-1, id, 'bbo', head);
    const { bidPrice, bidSize, askPrice, askSize, priceDecimals } = truth.read(found);
    const [ours0, ours1, ours2, ours3] = this.decoder.bbo;
    const scale = 10 ** (priceDecimals - this.decoder.priceDecimals);
    const isSamePrice = ours0! * scale === bidPrice && ours2! * scale === askPrice;
    const same = isSamePrice && ours1 === bidSize && ours3 === askSize;
    this.count(same ? 1 : 0, id, 'bbo', head);
  }

  private count(outcome: -1 | 0 | 1, id: number, what: string, head: Float64Array): void {
    const { verdicts } = this;
    if (outcome === 1) {
      verdicts.same++;
      return;
    }
    if (outcome === 0) verdicts.different++;
    else verdicts.unknown++;
    if (verdicts.examples.length < 5) {
      const name = this.instruments[id]!.name;
      const sequence = head[HeadField.VenueSequence];
      const word = outcome === 0 ? 'differs' : 'is unknown';
      verdicts.examples.push(`${what} of ${name} at update ${sequence} ${word}`);
    }
  }
}

function venueOf(options: PipelineOptions): Venue {
  const venue = venueById('binance-futures', {
    restUrl: 'http://simulator.test',
    webSocketUrl: 'ws://simulator.test',
    settings: { depthInterval: options.depthInterval },
  });
  const { limits } = venue;
  const unlimited = { count: 1e9, perMs: 60_000 };
  return {
    ...venue,
    limits: {
      ...limits,
      restWeight: options.unlimitedRest === true ? unlimited : limits.restWeight,
      connectionLifetimeMs: options.lifetimeMs ?? limits.connectionLifetimeMs,
    },
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function bell(): DoorbellRinger {
  return new DoorbellRinger(createDoorbell());
}
