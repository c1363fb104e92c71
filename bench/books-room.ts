/** A books agent between two rings, all in this thread, for the benches that feed it. */
import { BBO_ROW_DOUBLES } from '../src/books/bbo-row.js';
import { BooksAgent } from '../src/books/books-agent.js';
import {
  BOOKS_COLUMNS,
  BOOKS_WORKER_COLUMNS,
  BooksColumn,
  createBooksCounters,
} from '../src/books/books-counters.js';
import { DEFAULT_BOOKS_LIMITS } from '../src/books/limits.js';
import { BookState } from '../src/domain/book-state.js';
import type { Instrument } from '../src/domain/instrument.js';
import { copyDoubles } from '../src/rings/copy-doubles.js';
import { CounterTable, createCounterTable } from '../src/rings/counters.js';
import { createDoorbell, DoorbellRinger } from '../src/rings/doorbell.js';
import { createHistogramTable, HistogramWriter } from '../src/rings/latency-histogram.js';
import { RingConsumer } from '../src/rings/ring-consumer.js';
import { createRing } from '../src/rings/ring-layout.js';
import { RingProducer } from '../src/rings/ring-producer.js';
import { createSeqlockTable } from '../src/rings/seqlock.js';
import { SystemClock } from '../src/time/system-clock.js';
import type { Timeline } from '../src/time/timeline.js';
import { FuturesSequencer } from '../src/venues/binance-futures/sequencer.js';
import type { EventSink } from '../src/venues/venue.js';
import type { TimeCell } from '../src/time/clock.js';

const RING_BYTES = 1 << 22;

/** Copies events into the room's input ring; `turn` commits. */
class RingSink implements EventSink {
  constructor(readonly ring: RingProducer) {}

  accept(type: number, event: Float64Array, doubles: number): boolean {
    const slot = this.ring.tryClaim(type, doubles << 3);
    if (slot < 0) throw new Error('the input ring of the bench has room');
    const target = this.ring.doubles;
    copyDoubles(event, doubles, target, slot);
    return true;
  }
}

const NOTHING = { onRecord: (): void => undefined };

export class BooksRoom {
  readonly agent: BooksAgent;
  readonly input: RingSink;
  readonly counters: CounterTable;
  /** Wishes for a snapshot. */
  readonly wanted = createRing(1024);
  private readonly output: RingConsumer;
  private readonly now: TimeCell = new Float64Array(1);

  private readonly instruments: readonly Instrument[];

  constructor(
    instruments: Instrument | readonly Instrument[],
    timeline: Timeline,
    snapshotInStream: boolean,
  ) {
    this.instruments = 'id' in instruments ? [instruments] : instruments;
    const rows = this.instruments.at(-1)!.id + 1;
    const inputRing = createRing(RING_BYTES);
    const outputRing = createRing(RING_BYTES);
    const bell = new DoorbellRinger(createDoorbell());
    const counters = createBooksCounters(rows);
    this.counters = new CounterTable(counters, BOOKS_COLUMNS);
    this.input = new RingSink(new RingProducer(inputRing));
    this.output = new RingConsumer(outputRing);
    const histograms = createHistogramTable(2);
    this.agent = new BooksAgent({
      name: 'bench',
      instruments: this.instruments,
      createSequencer: () => new FuturesSequencer(),
      snapshotInStream,
      input: new RingConsumer(inputRing),
      outputs: [{ ring: new RingProducer(outputRing), bell }],
      wanted: { ring: new RingProducer(this.wanted), bell },
      bboTable: createSeqlockTable(rows, BBO_ROW_DOUBLES),
      counters,
      workerCounters: createCounterTable(1, BOOKS_WORKER_COLUMNS),
      workerRow: 0,
      histograms: {
        venueToReceived: new HistogramWriter(histograms, 0),
        receivedToApplied: new HistogramWriter(histograms, 1),
      },
      timeline,
      clock: new SystemClock(process.hrtime.bigint()),
      limits: DEFAULT_BOOKS_LIMITS,
      takeover: false,
    });
    this.agent.doWork(this.now);
  }

  /** Commits what was accepted, works it off, empties the output. */
  turn(nowNs: number): void {
    this.now[0] = nowNs;
    this.turnAt(this.now);
  }

  /** Returns the records taken. */
  turnAt(now: TimeCell): number {
    this.input.ring.commit();
    let taken = 0;
    for (let more = this.agent.doWork(now); more > 0; more = this.agent.doWork(now)) {
      taken += more;
      this.discardOutput();
    }
    this.discardOutput();
    return taken;
  }

  discardOutput(): void {
    while (this.output.poll(NOTHING, 1e6) > 0);
  }

  get isWell(): boolean {
    return (
      this.count(BooksColumn.State) === BookState.Live &&
      this.count(BooksColumn.Gaps) === 0 &&
      this.count(BooksColumn.Failed) === 0
    );
  }

  /** Of the first instrument. */
  count(column: BooksColumn): number {
    return this.counters.get(this.instruments[0]!.id, column);
  }
}
