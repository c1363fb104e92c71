/**
 * A replay wired together: recorded entries → feed → ring → books → ring → lines, all in one thread,
 * on a virtual clock that follows the recording's times. The same books room as in the live node.
 */
import { BooksColumn } from '../books/books-counters.js';
import { bookStateName } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import type { CaptureEntry } from '../replay/capture-entry.js';
import { CaptureFeed } from '../replay/capture-feed.js';
import { ReplayLines } from '../replay/replay-lines.js';
import type { LineMode } from '../replay/replay-lines.js';
import type { CounterTable } from '../rings/counters.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { DiscardedRing } from './discarded-ring.js';
import { createReplayBooks } from './replay-books.js';
import { AgentInvoker } from '../runtime/agent-invoker.js';
import { Timeline } from '../time/timeline.js';
import { VirtualClock } from '../time/virtual-clock.js';
import type { CaptureFacts } from '../venues/capture-scout.js';
import type { Venue } from '../venues/venue.js';

/** In a recording the snapshot may be late: more is kept for it than in a live node. */
const PENDING_RECORDS_MAX = 2 ** 17;
const PENDING_BYTES_MAX = 256 * 1024 * 1024;

export interface ReplayOptions {
  readonly venue: Venue;
  readonly facts: CaptureFacts;
  readonly wanted: readonly Instrument[];
  readonly firstSecond: number;
  readonly mode: LineMode;
  readonly depth: number;
}

export interface InstrumentSummary {
  readonly instrument: string;
  readonly state: string;
  readonly applied: number;
  readonly stale: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly crossed: number;
  readonly trades: number;
  /** Holes in the venue's trade numbers; trades told twice; trades whose channel has no numbers. */
  readonly tradeGaps: number;
  readonly tradeDuplicates: number;
  readonly tradesUnnumbered: number;
  /** Snapshots loaded, and updates that still wait for one. */
  readonly snapshots: number;
  readonly buffered: number;
  /** The venue's number of the last update. */
  readonly venueSequence: number;
  /** The cross-check with the venue's own best bid and ask. */
  readonly checked: number;
  readonly passed: number;
  readonly failed: number;
  readonly unverifiable: number;
  readonly hash: string;
}

export interface ReplaySummary {
  readonly frames: number;
  readonly applied: number;
  readonly stale: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly crossed: number;
  readonly trades: number;
  readonly hash: string;
  readonly snapshots: number;
  /** Frames refused: malformed, of unknown symbol or type, imprecise, without room. */
  readonly faults: number;
  readonly instruments: readonly InstrumentSummary[];
}

export class ReplayRun {
  readonly feed: CaptureFeed;
  readonly lines: ReplayLines;
  private readonly clock = new VirtualClock();
  private readonly invoker: AgentInvoker;
  private readonly counters: CounterTable;

  constructor(private readonly options: ReplayOptions) {
    const { venue, facts, wanted, firstSecond } = options;
    const timeline = new Timeline(BigInt(firstSecond) * 1_000_000_000n);
    const rows = facts.instruments.length;
    const books = createReplayBooks({
      rows,
      instruments: wanted,
      createSequencer: () => venue.createSequencer(),
      snapshotInStream: venue.capabilities.snapshot === 'in-stream',
      snapshotInEveryFrame: venue.capabilities.snapshot === 'every-frame',
      contexts: venue.capabilities.contexts,
      timeline,
      clock: this.clock,
      pendingRecordsMax: PENDING_RECORDS_MAX,
      pendingBytesMax: PENDING_BYTES_MAX,
    });
    this.counters = books.counters;
    this.feed = new CaptureFeed({ venue, facts, wanted, ring: books.input, timeline });
    this.lines = new ReplayLines({
      mode: options.mode,
      depth: options.depth,
      instruments: new Map(wanted.map((instrument) => [instrument.id, instrument])),
      input: books.output,
      snapshotInEveryFrame: venue.capabilities.snapshot === 'every-frame',
    });
    // The books wish for snapshots; in a recording they come when they came.
    const wishes = new DiscardedRing(new RingConsumer(books.wishes));
    this.invoker = new AgentInvoker([books.agent, this.lines, wishes], this.clock);
  }

  /** Moves to the entry's time, hands it in and lets everything that follows from it happen. */
  step(entry: CaptureEntry): void {
    const atNs = this.timeOf(entry);
    this.clock.advanceTo(Math.max(atNs, this.clock.nowNs()));
    this.feed.offer(entry, atNs);
    this.settle();
  }

  /** Nanoseconds since the second in which the recording begins. */
  timeOf(entry: CaptureEntry): number {
    return (entry.second - this.options.firstSecond) * 1e9 + entry.nano;
  }

  close(): void {
    this.settle();
    this.invoker.close();
  }

  summary(): ReplaySummary {
    const instruments = this.options.wanted.map((instrument) => this.summaryOf(instrument));
    const sum = (field: 'applied' | 'stale' | 'gaps' | 'resyncs' | 'crossed' | 'trades'): number =>
      instruments.reduce((total, row) => total + row[field], 0);
    const { counts } = this.feed;
    return {
      frames: counts.frames,
      applied: sum('applied'),
      stale: sum('stale'),
      gaps: sum('gaps'),
      resyncs: sum('resyncs'),
      crossed: sum('crossed'),
      trades: sum('trades'),
      hash: this.lines.hashOfAll(),
      snapshots: counts.snapshots,
      faults:
        counts.malformed +
        counts.unknownSymbol +
        counts.unknownType +
        counts.precision +
        counts.ringFull,
      instruments,
    };
  }

  private summaryOf({ id, name }: Instrument): InstrumentSummary {
    const at = (column: number): number => this.counters.get(id, column);
    return {
      instrument: name,
      state: bookStateName(at(BooksColumn.State)),
      applied: at(BooksColumn.Applied),
      stale: at(BooksColumn.Stale),
      gaps: at(BooksColumn.Gaps),
      resyncs: at(BooksColumn.Resyncs),
      crossed: at(BooksColumn.Crossed),
      trades: at(BooksColumn.Trades),
      tradeGaps: at(BooksColumn.TradeGaps),
      tradeDuplicates: at(BooksColumn.TradeDuplicates),
      tradesUnnumbered: at(BooksColumn.TradesUnnumbered),
      snapshots: at(BooksColumn.Snapshots),
      buffered: at(BooksColumn.Buffered),
      venueSequence: at(BooksColumn.VenueSequence),
      checked: at(BooksColumn.Checked),
      passed: at(BooksColumn.Passed),
      failed: at(BooksColumn.Failed),
      unverifiable: at(BooksColumn.Unverifiable),
      hash: this.lines.hashOf(id),
    };
  }

  private settle(): void {
    while (this.invoker.invoke() > 0);
  }
}
