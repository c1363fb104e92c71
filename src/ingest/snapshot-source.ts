/**
 * REST snapshots for the books. Ingest thread; cold.
 *
 * A book asks once (SnapshotWanted); the wish stays until a snapshot was handed over, however many
 * failures lie between, so a second wish while one is queued or under way changes nothing. Each failure
 * is told to the book (SnapshotRefused, with the time after which it is tried again). Requests wait for
 * the venue's weight budget; 429 pauses the whole venue for Retry-After, 418 (the address is banned)
 * for longer. Every answer and failure ends in the router, in the order in which it came.
 */
import { StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import type { Prng } from '../domain/prng.js';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { Venue } from '../venues/venue.js';
import { Backoff } from './backoff.js';
import type { FaultSampler } from './fault-sampler.js';
import { VenueColumn } from './ingest-counters.js';
import type { CounterTable } from '../rings/counters.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';
import type { RateLimit } from './rate-limit.js';
import { BANNED, refusalPauseMs } from './retry-after.js';
import type { ShardRouter } from './shard-router.js';
import type { HttpAnswer, HttpTransport } from './transport.js';

/** Takes one duration; a HistogramWriter is one. */
export interface DurationSink {
  record(valueNs: number): void;
}

export interface SnapshotReport {
  readonly instrument: string;
  readonly outcome: 'refused' | 'rate-limited' | 'banned' | 'unreachable' | 'malformed';
  readonly detail: string;
  readonly retryAfterMs: number;
}

export interface SnapshotSourceOptions {
  readonly venue: Venue;
  readonly instruments: readonly Instrument[];
  readonly http: HttpTransport;
  readonly router: ShardRouter;
  readonly weight: RateLimit;
  readonly scheduler: Scheduler;
  readonly timeline: Timeline;
  readonly prng: Prng;
  readonly limits: IngestLimits;
  /** The venue's one row. */
  readonly counters: CounterTable;
  readonly sampler: FaultSampler;
  readonly latency?: DurationSink;
  readonly onReport?: (report: SnapshotReport) => void;
  /** A number of a snapshot did not fit its instrument's scale. */
  readonly onPrecision?: (instrumentId: number, nowNs: number) => void;
}

/** One instrument's wish, from the first SnapshotWanted until the snapshot is handed over. */
interface Wish {
  instrument: Instrument;
  readonly backoff: Backoff;
  notBeforeNs: number;
  inFlight: boolean;
}

export class SnapshotSource {
  private readonly options: SnapshotSourceOptions;
  private readonly byId = new Map<number, Instrument>();
  /** In the order of asking; a wish that failed goes to the end. */
  private readonly wishes = new Map<number, Wish>();
  /** Snapshots handed over lately and wished for again: how often in a row, and the last time. */
  private readonly delivered = new Map<number, { times: number; lastNs: number }>();
  private inFlight = 0;
  private timer = 0;
  private timerAtNs = Infinity;
  private stopped = false;

  constructor(options: SnapshotSourceOptions) {
    this.options = options;
    for (const instrument of options.instruments) this.byId.set(instrument.id, instrument);
    options.counters.set(0, VenueColumn.WeightBudget, options.weight.budget);
  }

  /** Wishes not yet fulfilled. */
  get pending(): number {
    return this.wishes.size;
  }

  want(instrumentId: number, nowNs: number): void {
    const { counters, limits, prng } = this.options;
    counters.add(0, VenueColumn.WantedRecords, 1);
    const instrument = this.byId.get(instrumentId);
    if (instrument === undefined || this.stopped) return;
    if (this.wishes.has(instrumentId)) {
      counters.add(0, VenueColumn.WantedDuplicates, 1);
      return;
    }
    const backoff = new Backoff(prng, limits.snapshotBackoffMsMin, limits.snapshotBackoffMsMax);
    const notBeforeNs = this.againNotBeforeNs(instrumentId, nowNs);
    this.wishes.set(instrumentId, { instrument, backoff, notBeforeNs, inFlight: false });
    this.pump(nowNs);
  }

  /** Snapshots of the instrument are read at other scales from now on; one that did not fit may now. */
  redefine(instrument: Instrument, nowNs: number): void {
    this.byId.set(instrument.id, instrument);
    const wish = this.wishes.get(instrument.id);
    if (wish === undefined) return;
    wish.instrument = instrument;
    wish.backoff.reset();
    if (!wish.inFlight) wish.notBeforeNs = Math.min(wish.notBeforeNs, nowNs);
    this.pump(nowNs);
  }

  /** No request is sent any more; answers under way are thrown away. */
  stop(): void {
    this.stopped = true;
    this.options.scheduler.cancel(this.timer);
    this.wishes.clear();
  }

  /**
   * A book that comes back at once (its snapshot was too old) is served again at once, but ever more
   * slowly if that goes on: one bad instrument must not eat the budget of all.
   */
  private againNotBeforeNs(instrumentId: number, nowNs: number): number {
    const { snapshotAgainMsMin, snapshotBackoffMsMax } = this.options.limits;
    const before = this.delivered.get(instrumentId);
    if (before === undefined) return nowNs;
    if (nowNs - before.lastNs > 2 * snapshotBackoffMsMax * NS_PER_MS) {
      before.times = 0;
      return nowNs;
    }
    const pauseMs = Math.min(snapshotBackoffMsMax, snapshotAgainMsMin * 2 ** (before.times - 1));
    return Math.max(nowNs, before.lastNs + pauseMs * NS_PER_MS);
  }

  private noteDelivered(instrumentId: number, nowNs: number): void {
    const before = this.delivered.get(instrumentId);
    if (before === undefined) this.delivered.set(instrumentId, { times: 1, lastNs: nowNs });
    else {
      before.times = Math.min(30, before.times + 1);
      before.lastNs = nowNs;
    }
  }

  /** Sends what may be sent now and sets a timer for the rest. */
  private pump(nowNs: number): void {
    if (this.stopped) return;
    const { limits, weight, counters, venue } = this.options;
    let wakeNs = Infinity;
    for (const wish of this.wishes.values()) {
      if (this.inFlight >= limits.snapshotConcurrencyMax) break;
      if (wish.inFlight) continue;
      if (wish.notBeforeNs > nowNs) {
        wakeNs = Math.min(wakeNs, wish.notBeforeNs);
        continue;
      }
      const request = venue.snapshotRequest(wish.instrument);
      const waitNs = weight.tryTake(request.weight, nowNs);
      invariant(waitNs !== Infinity, 'a snapshot weighs less than the venue budget');
      if (waitNs > 0) {
        wakeNs = Math.min(wakeNs, nowNs + waitNs);
        break;
      }
      this.send(wish, nowNs);
    }
    counters.set(0, VenueColumn.WeightUsed, weight.usedWeight(nowNs));
    counters.set(0, VenueColumn.SnapshotsInFlight, this.inFlight);
    counters.set(0, VenueColumn.SnapshotsQueued, this.wishes.size - this.inFlight);
    this.wakeAt(wakeNs, nowNs);
  }

  private wakeAt(wakeNs: number, nowNs: number): void {
    const { scheduler } = this.options;
    if (this.timerAtNs !== Infinity) scheduler.cancel(this.timer);
    this.timerAtNs = wakeNs;
    if (wakeNs === Infinity) return;
    this.timer = scheduler.schedule(Math.max(0, wakeNs - nowNs), () => {
      this.timerAtNs = Infinity;
      this.pump(scheduler.nowNs());
    });
  }

  private send(wish: Wish, nowNs: number): void {
    const { venue, http, limits, counters, scheduler } = this.options;
    wish.inFlight = true;
    this.inFlight++;
    counters.add(0, VenueColumn.Requests, 1);
    const bounds = { msMax: limits.snapshotMsMax, bodyBytesMax: limits.snapshotBytesMax };
    // The queue owns this promise: both outcomes are handled here and nothing else waits for it.
    void http.request(venue.snapshotRequest(wish.instrument), bounds).then(
      (answer) => this.settle(wish, () => this.onAnswer(wish, answer, nowNs, scheduler.nowNs())),
      (error: unknown) => this.settle(wish, () => this.onError(wish, error, scheduler.nowNs())),
    );
  }

  private settle(wish: Wish, take: () => void): void {
    this.inFlight--;
    wish.inFlight = false;
    if (this.stopped) return;
    take();
    this.options.router.flush();
    this.pump(this.options.scheduler.nowNs());
  }

  private onAnswer(wish: Wish, answer: HttpAnswer, sentNs: number, nowNs: number): void {
    const { counters, limits } = this.options;
    counters.add(0, VenueColumn.SnapshotBytes, answer.body.length);
    this.noteUsedWeight(answer, nowNs);
    if (answer.status === 200) {
      this.onBody(wish, answer.body, sentNs, nowNs);
      return;
    }
    const unixMs = Number(this.options.timeline.toUnixNs(nowNs) / 1_000_000n);
    const retryAfter = answer.headers['retry-after'];
    const waitMs = refusalPauseMs(answer.status, retryAfter, limits, unixMs);
    if (waitMs !== null) {
      const banned = answer.status === BANNED;
      counters.add(0, banned ? VenueColumn.Banned : VenueColumn.RateLimited, 1);
      this.pauseVenue(wish, banned ? 'banned' : 'rate-limited', waitMs, nowNs);
      return;
    }
    this.fail(wish, 'refused', `status ${answer.status}`, nowNs);
  }

  private onBody(wish: Wish, body: Uint8Array, sentNs: number, nowNs: number): void {
    const { venue, timeline, router, counters, latency, sampler } = this.options;
    const answer = venue.readSnapshot(body, wish.instrument, nowNs, timeline, router);
    if (answer.kind !== 'snapshot') {
      const code = answer.kind === 'malformed' ? 'FRAME_MALFORMED' : 'SNAPSHOT_REFUSED';
      const { id } = wish.instrument;
      sampler.note(code, 'rest', id, body, 0, body.length, nowNs);
      if (answer.kind === 'malformed' && answer.isPrecision === true) {
        this.options.onPrecision?.(id, nowNs);
      }
      this.fail(wish, answer.kind, answer.message, nowNs);
      return;
    }
    this.wishes.delete(wish.instrument.id);
    this.noteDelivered(wish.instrument.id, nowNs);
    counters.add(0, VenueColumn.Snapshots, 1);
    counters.set(0, VenueColumn.LastSnapshotNs, nowNs - sentNs);
    latency?.record(nowNs - sentNs);
  }

  private onError(wish: Wish, error: unknown, nowNs: number): void {
    if (!(error instanceof FaultError)) throw error;
    this.options.counters.add(0, VenueColumn.Timeouts, /too slow/.test(error.message) ? 1 : 0);
    this.fail(wish, 'unreachable', error.message, nowNs);
  }

  /** This instrument is tried again later, under back-off; its place is at the end. */
  private fail(
    wish: Wish,
    outcome: SnapshotReport['outcome'],
    detail: string,
    nowNs: number,
  ): void {
    this.requeue(wish, nowNs + wish.backoff.nextNs());
    this.refuse(wish, outcome, detail, wish.notBeforeNs, nowNs);
  }

  /** The venue pauses us as a whole: nothing is sent before, and every waiting book is told. */
  private pauseVenue(
    wish: Wish,
    outcome: 'rate-limited' | 'banned',
    waitMs: number,
    nowNs: number,
  ): void {
    const untilNs = nowNs + waitMs * NS_PER_MS;
    this.options.weight.pauseUntil(untilNs);
    this.requeue(wish, untilNs);
    for (const waiting of this.wishes.values()) {
      if (waiting.inFlight) continue;
      this.refuse(waiting, outcome, `asked to wait ${waitMs} ms`, untilNs, nowNs);
    }
  }

  private requeue(wish: Wish, notBeforeNs: number): void {
    wish.notBeforeNs = notBeforeNs;
    this.wishes.delete(wish.instrument.id);
    this.wishes.set(wish.instrument.id, wish);
  }

  private refuse(
    wish: Wish,
    outcome: SnapshotReport['outcome'],
    detail: string,
    untilNs: number,
    nowNs: number,
  ): void {
    const { router, counters, onReport } = this.options;
    const retryNs = untilNs - nowNs;
    const { id, name: instrument } = wish.instrument;
    counters.add(0, VenueColumn.SnapshotFailures, 1);
    router.writeSnapshotRefused(id, StateReason.SnapshotRefused, retryNs, nowNs);
    onReport?.({ instrument, outcome, detail, retryAfterMs: Math.round(retryNs / NS_PER_MS) });
  }

  private noteUsedWeight(answer: HttpAnswer, nowNs: number): void {
    const used = this.options.venue.readUsedWeight?.(answer.headers) ?? null;
    if (used !== null) this.options.weight.noteUsed(used, nowNs);
  }
}
