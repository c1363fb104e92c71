/**
 * When to ask the venue for its instruments again: every so often, and at once when a number does not fit
 * its instrument's scale, under back-off where that explains nothing. Ingest thread; cold; no I/O: the
 * asking and the reading of some megabytes of JSON are another thread's (`ask`), whose answer comes to
 * `onAnswer`. The request's weight is taken from the venue's budget here, where that is kept.
 *
 *     at rest ──due, or doubted and not too soon──▶ asked ──answer, failure, or none in time──▶ at rest
 */
import type { Instrument } from '../domain/instrument.js';
import type { Prng } from '../domain/prng.js';
import type { CounterTable } from '../rings/counters.js';
import { Backoff } from './backoff.js';
import { VenueColumn } from './ingest-counters.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';
import type { RateLimit } from './rate-limit.js';

export type DefinitionsAnswer =
  | {
      readonly outcome: 'told';
      /** Those that are others now, as they are to be taken. */
      readonly changed: readonly Instrument[];
      /** Weight that the venue says we have used, null where it does not. */
      readonly usedWeight: number | null;
    }
  /** @see retryAfterMs 0: the venue did not say */
  | { readonly outcome: 'failed'; readonly retryAfterMs: number };

/** What an Ingest needs to be told of new definitions. */
export interface DefinitionSource {
  /** 0: only when in doubt. */
  readonly everyMs: number;
  /** Of one asking, all its requests together. */
  readonly weight: number;
  /** Asks for the instruments; `doubted` are those whose scale is in doubt. Does not wait. */
  readonly ask: (doubted: readonly number[]) => void;
}

export interface DefinitionWatchOptions {
  readonly source: DefinitionSource;
  readonly budget: RateLimit;
  readonly prng: Prng;
  readonly limits: IngestLimits;
  /** The venue's one row. */
  readonly counters: CounterTable;
}

/** Periods differ by so much, so that many nodes do not ask together. */
const JITTER_SHARE = 0.1;

export class DefinitionWatch {
  /** `onTime` has something to do from then on. */
  dueNs = Infinity;
  private readonly options: DefinitionWatchOptions;
  private readonly backoff: Backoff;
  private readonly doubted = new Set<number>();
  /** Doubted when we asked; null: not asked. */
  private asked: readonly number[] | null = null;
  private periodicNs = Infinity;
  private notBeforeNs = -Infinity;

  constructor(options: DefinitionWatchOptions) {
    this.options = options;
    const { prng, limits } = options;
    this.backoff = new Backoff(prng, limits.definitionsAgainMsMin, limits.definitionsAgainMsMax);
  }

  start(nowNs: number): void {
    this.periodicNs = this.nextPeriodNs(nowNs);
    this.plan();
  }

  stop(): void {
    this.dueNs = Infinity;
    this.asked = [];
  }

  /** A number of this instrument did not fit. */
  doubt(instrumentId: number, nowNs: number): void {
    this.options.counters.add(0, VenueColumn.DefinitionsDoubted, 1);
    if (this.doubted.has(instrumentId)) return;
    this.doubted.add(instrumentId);
    // After a long peace the first doubt is followed up at once, whatever came of earlier ones.
    const { definitionsAgainMsMax } = this.options.limits;
    if (nowNs - this.notBeforeNs > definitionsAgainMsMax * NS_PER_MS) this.backoff.reset();
    if (this.asked === null) this.plan();
  }

  /** To be called once `dueNs` has come. */
  onTime(nowNs: number): void {
    if (nowNs < this.dueNs) return;
    if (this.asked !== null) {
      this.onAnswer({ outcome: 'failed', retryAfterMs: 0 }, nowNs);
      return;
    }
    const { source, budget, limits, counters } = this.options;
    const waitNs = budget.tryTake(source.weight, nowNs);
    if (waitNs > 0) {
      this.dueNs = nowNs + waitNs;
      return;
    }
    this.asked = [...this.doubted];
    this.doubted.clear();
    this.dueNs = nowNs + limits.definitionsMsMax * NS_PER_MS;
    counters.add(0, VenueColumn.DefinitionsAsked, 1);
    source.ask(this.asked);
  }

  onAnswer(answer: DefinitionsAnswer, nowNs: number): void {
    const { asked } = this;
    if (asked === null || this.dueNs === Infinity) return;
    this.asked = null;
    const { limits, budget, counters } = this.options;
    const floorNs = limits.definitionsAgainMsMin * NS_PER_MS;
    if (answer.outcome === 'told') {
      if (answer.usedWeight !== null) budget.noteUsed(answer.usedWeight, nowNs);
      for (const { id } of answer.changed) this.doubted.delete(id);
      const isExplained = answer.changed.some(({ id }) => asked.includes(id));
      if (isExplained) this.backoff.reset();
      const isVain = asked.length > 0 && !isExplained;
      this.notBeforeNs = nowNs + floorNs + (isVain ? this.backoff.nextNs() : 0);
      this.periodicNs = this.nextPeriodNs(nowNs);
    } else {
      counters.add(0, VenueColumn.DefinitionFailures, 1);
      for (const id of asked) this.doubted.add(id);
      const retryNs = answer.retryAfterMs * NS_PER_MS;
      if (retryNs > 0) budget.pauseUntil(nowNs + retryNs);
      this.notBeforeNs = nowNs + Math.max(retryNs, floorNs + this.backoff.nextNs());
      this.periodicNs = Math.max(this.periodicNs, this.notBeforeNs);
    }
    this.plan();
  }

  private plan(): void {
    const doubtNs = this.doubted.size === 0 ? Infinity : this.notBeforeNs;
    this.dueNs = Math.min(this.periodicNs, doubtNs);
  }

  private nextPeriodNs(nowNs: number): number {
    const { source, prng } = this.options;
    if (source.everyMs === 0) return Infinity;
    const jitter = 1 + (2 * prng.nextFloat() - 1) * JITTER_SHARE;
    return nowNs + source.everyMs * NS_PER_MS * jitter;
  }
}
