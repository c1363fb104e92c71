/**
 * The context of one instrument (mark and index price, funding, open interest, …) as last told, and
 * what is known of its source. Books thread; warm: some updates a second an instrument.
 *
 *     Syncing ──first update──▶ Live ──silent, disconnected──▶ Stale ─┐
 *                                │ ▲──────── next update ────────────┘│
 *                                └─┼─frame refused──▶ Suspect ────────┘
 *
 * It is apart from the book: an instrument may have one without the other. Every publication is the whole
 * context, so the latest is all that a reader needs, and an update that changes nothing is not told.
 */
import { BookState, StateReason } from '../domain/book-state.js';
import {
  CONTEXT_FIELDS,
  CONTEXT_VALUE_DOUBLES,
  DOUBLES_PER_DECIMAL,
  NEXT_FUNDING_BIT,
} from '../domain/context-fields.js';
import { Channel } from '../domain/channel.js';
import type { CounterTable } from '../rings/counters.js';
import {
  ABSENT,
  CONTEXT_NEXT_FUNDING_NS,
  CONTEXT_PRESENT,
  CONTEXT_TOLD,
  CONTEXT_VALUES,
  EXCHANGE_NS,
  RECEIVED_NS,
  RecordType,
  SEQUENCE_LAST,
  SOURCE_CHANNEL,
  SOURCE_REASON,
  SOURCE_STATE,
  SourceState,
} from '../rings/record-types.js';
import type { TimeCell } from '../time/clock.js';
import { BooksColumn } from './books-counters.js';
import type { ContextPublisher } from './context-publisher.js';

export class ContextFeed {
  readonly instrumentId: number;
  state: BookState = BookState.Syncing;
  reason: StateReason = StateReason.Starting;
  /** Bit i: value i stands at `values[3 * i]`. */
  present = 0;
  readonly values = new Float64Array(CONTEXT_VALUE_DOUBLES);
  nextFundingNs: number = ABSENT;
  /** Of the last update. */
  venueSequence: number = ABSENT;
  exchangeNs: number = ABSENT;
  receivedNs: number = ABSENT;
  appliedNs: number = ABSENT;
  private readonly publisher: ContextPublisher;
  private readonly counters: CounterTable;

  constructor(instrumentId: number, publisher: ContextPublisher, counters: CounterTable) {
    this.instrumentId = instrumentId;
    this.publisher = publisher;
    this.counters = counters;
  }

  /** The first word in this worker's life. */
  announce(reason: StateReason): void {
    this.reason = reason;
    this.publisher.context(this);
  }

  /** A ContextUpdate, or a SourceState: of which only those of this channel count. */
  onRecord(typeId: number, record: Float64Array, at: number, now: TimeCell): void {
    if (typeId === RecordType.ContextUpdate) return this.onUpdate(record, at, now[0]!);
    const channel = record[at + SOURCE_CHANNEL]!;
    if (channel === Channel.Context) {
      this.onSource(record[at + SOURCE_STATE]!, record[at + SOURCE_REASON]! as StateReason);
    }
  }

  /** The ingest thread was replaced: whatever it had is gone until its successor speaks. */
  onIngestReplaced(): void {
    this.onSource(SourceState.Lost, StateReason.Disconnected);
  }

  /** A reader of an output was replaced: it is told all anew. */
  retell(): void {
    this.publisher.context(this);
  }

  private onUpdate(record: Float64Array, at: number, nowNs: number): void {
    const isChanged = this.merge(record, at);
    this.counters.add(this.instrumentId, BooksColumn.Contexts, 1);
    this.venueSequence = record[at + SEQUENCE_LAST]!;
    this.exchangeNs = record[at + EXCHANGE_NS]!;
    this.receivedNs = record[at + RECEIVED_NS]!;
    this.appliedNs = Math.max(nowNs, this.receivedNs);
    if (this.state !== BookState.Live) {
      const isFirst = this.state === BookState.Syncing;
      this.state = BookState.Live;
      this.reason = isFirst ? StateReason.Aligned : StateReason.StreamResumed;
    } else if (!isChanged) {
      this.counters.add(this.instrumentId, BooksColumn.ContextsUnchanged, 1);
      return;
    }
    this.publisher.context(this);
  }

  /** True if anything is not what it was. */
  private merge(record: Float64Array, at: number): boolean {
    const told = record[at + CONTEXT_TOLD]!;
    const present = record[at + CONTEXT_PRESENT]! & told & (NEXT_FUNDING_BIT - 1);
    const { values } = this;
    let isChanged = ((this.present ^ present) & told & (NEXT_FUNDING_BIT - 1)) !== 0;
    for (let field = 0; field < CONTEXT_FIELDS; field++) {
      if ((present & (1 << field)) === 0) continue;
      const to = field * DOUBLES_PER_DECIMAL;
      const from = at + CONTEXT_VALUES + to;
      for (let i = 0; i < DOUBLES_PER_DECIMAL; i++) {
        if (values[to + i] === record[from + i]) continue;
        values[to + i] = record[from + i]!;
        isChanged = true;
      }
    }
    this.present = (this.present & ~told) | present;
    if ((told & NEXT_FUNDING_BIT) === 0) return isChanged;
    const nextFundingNs = record[at + CONTEXT_NEXT_FUNDING_NS]!;
    if (nextFundingNs === this.nextFundingNs) return isChanged;
    this.nextFundingNs = nextFundingNs;
    return true;
  }

  private onSource(state: number, reason: StateReason): void {
    // That the source is there again says nothing of the values: the next update does.
    if (state === SourceState.Up) return;
    const next = this.stateAfter(state);
    if (next === this.state && reason === this.reason) return;
    this.state = next;
    this.reason = reason;
    this.publisher.context(this);
  }

  /** What the values are worth once the source is lost or silent, or a frame of it was refused. */
  private stateAfter(state: number): BookState {
    if (this.state === BookState.Syncing) return BookState.Syncing;
    if (state === SourceState.FrameLost) return BookState.Suspect;
    // What a refused frame would have said is not known before the next one, however long that takes.
    return this.state === BookState.Suspect ? BookState.Suspect : BookState.Stale;
  }
}
