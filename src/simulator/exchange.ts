/**
 * The simulated exchange without a voice: markets, their traders, and exchange time. What it does
 * is told to a listener (a dialect), command by command. Simulator's thread; hot; no input or
 * output.
 *
 * Commands have times of their own, drawn from the seed; `runUntil` carries out those that are due.
 * So the sequence of commands depends on the seed alone, not on when or how often it is called.
 */
import { Prng } from '../domain/prng.js';
import { invariant } from '../faults/invariant.js';
import { Population } from './agents.js';
import { CommandRecord } from './command-record.js';
import { Market } from './market.js';
import type { IdSource } from './market.js';
import type { MarketSpec } from './market-specs.js';
import { LAG_NS_MAX, RATE_MAX } from './simulator-limits.js';

export interface ExchangeListener {
  /** A command changed this market's book: see its CommandRecord. */
  onCommand(market: Market, timeNs: number): void;
  /** What was collected of this market must go out now: its prices are about to be others. */
  beforeRetick?(market: Market, timeNs: number): void;
}

export interface ExchangeOptions {
  readonly specs: readonly MarketSpec[];
  readonly seed: number;
  /** Book updates a second, all markets together. */
  readonly ratePerSecond: number;
  /** Time at which the market opens, on the simulator's clock. */
  readonly startNs: number;
  readonly truthWindow: number;
}

interface Cadence {
  dueNs: number;
  /** Does its work and returns when it wants to be called next. */
  readonly run: (timeNs: number) => number;
}

/** Where the real exchange stood in 2024. */
const UPDATE_IDS_FROM = 5_200_000_000_000;
/** Ids are shared with markets that are not simulated: each step leaves some out. */
const UPDATE_ID_STEP_MAX = 7;
const ORDER_IDS_FROM = 8_000_000_000;
/** Commands that change nothing (refused quotes) are followed by another try, so many times. */
const TRIES_MAX = 6;

export class Exchange implements IdSource {
  readonly markets: readonly Market[];
  listener: ExchangeListener | null = null;
  /** Commands that changed a book. */
  updatesCount = 0;
  tradesCount = 0;
  /** Time left out because the exchange could not keep its rate. */
  skippedNs = 0;
  /** Exchange time: how far `runUntil` has come. */
  timeNs: number;

  private readonly populations: readonly Population[];
  private readonly prng: Prng;
  private readonly cumulative: Float64Array;
  private readonly cadences: Cadence[] = [];
  private updateId = UPDATE_IDS_FROM;
  private orderId = ORDER_IDS_FROM;
  private commandDueNs: number;
  private meanGapNs: number;

  constructor(options: ExchangeOptions) {
    this.prng = new Prng(options.seed);
    this.timeNs = options.startNs;
    this.meanGapNs = gapOf(options.ratePerSecond);
    this.commandDueNs = this.meanGapNs === Infinity ? Infinity : options.startNs;
    const record = new CommandRecord();
    this.markets = options.specs.map(
      (spec, index) => new Market(index, spec, this, record, options.truthWindow),
    );
    this.populations = this.markets.map(
      (market) => new Population(market, new Prng(this.prng.nextUint32())),
    );
    this.cumulative = new Float64Array(this.markets.length);
    let total = 0;
    for (const market of this.markets)
      this.cumulative[market.index] = total += market.spec.activity;
    for (const market of this.markets) {
      market.begin();
      this.populations[market.index]!.open();
      market.commit(options.startNs);
    }
  }

  /** 0 stops the market; its streams fall silent as a halted market's do. */
  setRate(ratePerSecond: number): void {
    const paused = this.meanGapNs === Infinity;
    this.meanGapNs = gapOf(ratePerSecond);
    if (this.meanGapNs === Infinity) this.commandDueNs = Infinity;
    else if (paused) this.commandDueNs = this.timeNs;
  }

  /** The market goes on from this time: what passed since it was made is not made up for. */
  resumeAt(nowNs: number): void {
    if (this.commandDueNs < nowNs) this.commandDueNs = nowNs;
    if (this.timeNs < nowNs) this.timeNs = nowNs;
  }

  /** A market's tick becomes finer or coarser; a command follows at once, the first on the new grid. */
  retick(market: Market, finer: boolean): void {
    const population = this.populations[market.index]!;
    const { listener, timeNs } = this;
    const before = market.spec.priceDecimals;
    listener?.beforeRetick?.(market, timeNs);
    market.begin();
    market.retick(finer);
    population.retick(10 ** (market.spec.priceDecimals - before));
    do population.act();
    while (!market.commit(timeNs));
    this.updatesCount++;
    this.tradesCount += market.command.tradesCount;
    listener?.onCommand(market, timeNs);
  }

  /** @param status in the venue's word, undefined: it trades again */
  halt(market: Market, status: string | undefined): void {
    const { halted: _, ...spec } = market.spec;
    market.spec = status === undefined ? spec : { ...spec, halted: status };
  }

  /** Work at times of the exchange's own line, in order with the commands. */
  addCadence(firstNs: number, run: (timeNs: number) => number): void {
    this.cadences.push({ dueNs: firstNs, run });
  }

  /** When there is next something to do. */
  get nextDueNs(): number {
    let due = this.commandDueNs;
    for (const cadence of this.cadences) if (cadence.dueNs < due) due = cadence.dueNs;
    return due;
  }

  /**
   * Carries out what is due by `nowNs`, at most `commandsMax` commands. Returns true if it came to
   * the end; otherwise there is more to do.
   */
  runUntil(nowNs: number, commandsMax: number): boolean {
    if (nowNs - this.commandDueNs > LAG_NS_MAX) {
      const skipped = nowNs - LAG_NS_MAX / 2 - this.commandDueNs;
      this.skippedNs += skipped;
      this.commandDueNs += skipped;
    }
    let commands = 0;
    for (;;) {
      let first: Cadence | null = null;
      for (let i = 0; i < this.cadences.length; i++) {
        const cadence = this.cadences[i]!;
        if (cadence.dueNs <= nowNs && (first === null || cadence.dueNs < first.dueNs)) {
          first = cadence;
        }
      }
      if (first !== null && first.dueNs <= this.commandDueNs) {
        this.timeNs = first.dueNs;
        first.dueNs = first.run(first.dueNs);
        invariant(first.dueNs > this.timeNs, 'a cadence must move on');
        continue;
      }
      if (this.commandDueNs > nowNs) break;
      if (commands++ >= commandsMax) return false;
      this.timeNs = this.commandDueNs;
      this.command(this.commandDueNs);
      this.commandDueNs += this.meanGapNs * -Math.log(1 - this.prng.nextFloat());
    }
    if (nowNs > this.timeNs) this.timeNs = nowNs;
    return true;
  }

  nextUpdateId(): number {
    this.updateId += 1 + this.prng.nextInt(UPDATE_ID_STEP_MAX);
    return this.updateId;
  }

  nextOrderId(): number {
    return this.orderId++;
  }

  private command(timeNs: number): void {
    const index = this.pickMarket();
    const market = this.markets[index]!;
    const population = this.populations[index]!;
    if (market.spec.halted !== undefined) return;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      market.begin();
      population.act();
      if (!market.commit(timeNs)) continue;
      this.updatesCount++;
      this.tradesCount += market.command.tradesCount;
      if (this.listener !== null) this.listener.onCommand(market, timeNs);
      return;
    }
  }

  private pickMarket(): number {
    const { cumulative } = this;
    const wanted = this.prng.nextFloat() * cumulative[cumulative.length - 1]!;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function gapOf(ratePerSecond: number): number {
  invariant(ratePerSecond >= 0 && ratePerSecond <= RATE_MAX, 'rate must be 0 … 2,000,000 a second');
  return ratePerSecond === 0 ? Infinity : 1e9 / ratePerSecond;
}
