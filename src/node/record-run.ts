/**
 * A recording wired together: venue → tapped transports → ingest → ring → books, in one thread, and
 * beside it what the tap hears → segments. The books are the live node's; they are here because they
 * know when a snapshot is needed, and to tell whether what is recorded gives Live books. Main thread.
 */
import { mkdir } from 'node:fs/promises';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  createBooksCounters,
} from '../books/books-counters.js';
import { BBO_ROW_DOUBLES } from '../books/bbo-row.js';
import { assembleBooks } from '../books/thread.js';
import { BookState } from '../domain/book-state.js';
import { Channel } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import { Prng } from '../domain/prng.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import { TappedHttpTransport, TappedWebSocketTransport } from '../ingest/frame-tap.js';
import { createIngestCounters } from '../ingest/ingest-counters.js';
import { Ingest } from '../ingest/ingest.js';
import type { IngestReporter } from '../ingest/ingest.js';
import { LeanTransport } from '../ingest/lean-transport.js';
import { INGEST_LIMITS } from '../ingest/limits.js';
import { UndiciTransport } from '../ingest/undici-transport.js';
import { Recorder } from '../record/recorder.js';
import type { RecorderCounts } from '../record/recorder.js';
import { SegmentWriter } from '../record/segment-writer.js';
import type { SegmentOptions } from '../record/segment-writer.js';
import { CounterTable, createCounterTable } from '../rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../rings/doorbell.js';
import { createHistogramTable } from '../rings/latency-histogram.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { createRing } from '../rings/ring-layout.js';
import { RingProducer } from '../rings/ring-producer.js';
import { createSeqlockTable } from '../rings/seqlock.js';
import { AgentGroup } from '../runtime/agent-group.js';
import { EventLoopRunner } from '../runtime/event-loop-runner.js';
import { createThreadControl } from '../runtime/thread-control.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import { SystemScheduler } from '../time/system-scheduler.js';
import { Timeline } from '../time/timeline.js';
import type { Venue } from '../venues/venue.js';
import { DiscardedRing } from './discarded-ring.js';
import { loadInstruments } from './load-instruments.js';
import type { LoadInstrumentsOptions } from './load-instruments.js';
import { requestInstruments } from './request.js';

const RING_WORDS = 2 ** 21;
const WANTED_RING_WORDS = 2 ** 14;
const IDLE_MS_MAX = 10;
/** How often it is looked whether the sockets are closed, and for how long. */
const CLOSE_LOOK_NS = 5e6;
const CLOSE_NS_MAX = 2e9;

export interface RecordOptions extends Omit<SegmentOptions, 'venueId' | 'stem'> {
  readonly venue: Venue;
  readonly symbols: readonly string[] | 'all';
  readonly channels: readonly Channel[];
  /** The venue was pointed elsewhere: this machine, a gateway, a simulator. */
  readonly allowPrivate: boolean;
  readonly startTimeoutMs: number;
  readonly origin: TimelineOrigin;
  readonly seed: number;
  readonly reporter: IngestReporter;
  readonly onRetry: LoadInstrumentsOptions['onRetry'];
  /** The recording cannot go on: the error, or null when `bytesMax` is reached. Once; then `stop`. */
  readonly onEnd: (error: unknown) => void;
}

export interface RecordSummary extends RecorderCounts {
  readonly segments: readonly string[];
  readonly bytesWritten: number;
  readonly books: number;
  readonly booksLive: number;
  readonly snapshots: number;
  readonly gaps: number;
  readonly resyncs: number;
}

export class RecordRun {
  private readonly options: RecordOptions;
  private readonly scheduler: SystemScheduler;
  private readonly timeline: Timeline;
  private readonly recorder: Recorder;
  private readonly writer: SegmentWriter;
  private readonly stopSignal = new AbortController();
  private http: UndiciTransport | null = null;
  private ingest: Ingest | null = null;
  private counters: CounterTable | null = null;
  private runner: EventLoopRunner | null = null;
  private running: Promise<void> = Promise.resolve();
  private instruments: readonly Instrument[] = [];

  constructor(options: RecordOptions) {
    this.options = options;
    const { venue, origin } = options;
    this.scheduler = new SystemScheduler(origin.monotonicNs);
    this.timeline = new Timeline(origin.unixNs);
    const stem = `${venue.id}-${fileStamp(this.timeline.originUnixMs)}`;
    this.writer = new SegmentWriter({ ...options, venueId: venue.id, stem });
    this.recorder = new Recorder({
      writer: this.writer,
      timeline: this.timeline,
      scheduler: this.scheduler,
      onEnd: options.onEnd,
    });
  }

  /** Resolves when the sockets are being opened. Throws FaultError. */
  async start(): Promise<void> {
    const { venue, symbols, channels, directory } = this.options;
    await mkdir(directory, { recursive: true }).catch((cause: unknown) => {
      const text = `cannot make ${directory}: ${(cause as Error).message}`;
      throw new FaultError('FILE_UNWRITABLE', text, { cause });
    });
    this.instruments = await loadInstruments({
      venue,
      symbols,
      startTimeoutMs: this.options.startTimeoutMs,
      request: async (request) => {
        const answer = await requestInstruments(request);
        const body = Buffer.from(answer.body);
        this.recorder.onAnswer(request.url, answer.status, body, this.scheduler.nowNs());
        return answer;
      },
      scheduler: this.scheduler,
      prng: new Prng(this.options.seed),
      onRetry: this.options.onRetry,
      signal: this.stopSignal.signal,
    });
    invariant(channels.length > 0, 'something is to be recorded');
    if (!this.stopSignal.signal.aborted) this.assemble();
  }

  get names(): readonly string[] {
    return this.instruments.map(({ name }) => name);
  }

  /** Ends the sockets, then the segments. Safe to call once, at any time. Throws FILE_UNWRITABLE. */
  async stop(): Promise<RecordSummary> {
    this.stopSignal.abort();
    const failure: unknown = await this.endRunner();
    if (this.ingest !== null) await this.untilClosed(this.ingest);
    await this.http?.close();
    await this.recorder.close();
    if (failure !== null) throw failure;
    return this.summary();
  }

  summary(): RecordSummary {
    const sum = (column: number): number =>
      this.instruments.reduce((total, { id }) => total + (this.counters?.get(id, column) ?? 0), 0);
    const live = this.instruments.filter(
      ({ id }) => this.counters?.get(id, BooksColumn.State) === BookState.Live,
    );
    return {
      ...this.recorder.counts,
      segments: [...this.writer.segments],
      bytesWritten: this.writer.bytesWritten,
      books: this.instruments.length,
      booksLive: live.length,
      snapshots: sum(BooksColumn.Snapshots),
      gaps: sum(BooksColumn.Gaps),
      resyncs: sum(BooksColumn.Resyncs),
    };
  }

  private async untilClosed(ingest: Ingest): Promise<void> {
    const { scheduler } = this;
    for (let waitedNs = 0; !ingest.isClosed && waitedNs < CLOSE_NS_MAX; waitedNs += CLOSE_LOOK_NS) {
      await new Promise<void>((resolve) => {
        scheduler.schedule(CLOSE_LOOK_NS, resolve);
      });
    }
  }

  private async endRunner(): Promise<unknown> {
    this.runner?.stop();
    try {
      await this.running;
      return null;
    } catch (error) {
      return error;
    }
  }

  private assemble(): void {
    const { venue, channels, allowPrivate, seed, reporter } = this.options;
    const { scheduler, timeline, instruments, recorder } = this;
    const rows = instruments.length;
    const [feed, output] = [createRing(RING_WORDS), createRing(RING_WORDS)];
    const wanted = createRing(WANTED_RING_WORDS);
    const doorbell = createDoorbell();
    const counters = createBooksCounters(rows);
    this.counters = new CounterTable(counters, BOOKS_COLUMNS);
    this.http = new UndiciTransport({
      allowPrivate,
      connectionsMax: INGEST_LIMITS.snapshotConcurrencyMax,
    });
    const sockets = new LeanTransport({
      allowPrivate,
      clock: scheduler,
      frameBytesMax: venue.limits.frameBytesMax,
      handshakeMsMax: INGEST_LIMITS.handshakeMsMax,
    });
    this.ingest = new Ingest({
      venue,
      instruments,
      channels,
      rings: [{ ring: new RingProducer(feed), bell: new DoorbellRinger(doorbell) }],
      shardOf: new Int32Array(rows),
      wanted: [new RingConsumer(wanted)],
      clock: scheduler,
      prng: new Prng(seed),
      timeline,
      transports: {
        webSocket: new TappedWebSocketTransport(sockets, recorder, scheduler),
        http: new TappedHttpTransport(this.http, recorder, scheduler),
      },
      counters: createIngestCounters(venue.planConnections(instruments, channels).length),
      reporter,
    });
    const books = assembleBooks({
      name: 'books-0',
      venue,
      instruments,
      feed,
      outputs: [{ ring: output, bell: doorbell, whenFull: 'wait' }],
      wanted: { ring: wanted, bell: doorbell },
      bbo: createSeqlockTable(rows, BBO_ROW_DOUBLES),
      counters,
      workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
      workerRow: 0,
      histograms: createHistogramTable(2),
      rows: { venueToReceived: 0, receivedToApplied: 1 },
      clock: scheduler,
      timeline,
      contexts: channels.includes(Channel.Context) && venue.capabilities.contexts,
      takeover: false,
    });
    this.runner = new EventLoopRunner({
      agent: new AgentGroup([this.ingest, books, new DiscardedRing(new RingConsumer(output))]),
      clock: scheduler,
      doorbell,
      control: createThreadControl(),
      idleMsMax: IDLE_MS_MAX,
    });
    this.ingest.start();
    this.running = this.runner.run();
    this.running.catch((error: unknown) => this.options.onEnd(error));
  }
}

/** `20261121T103000Z`, for file names. */
function fileStamp(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
}
