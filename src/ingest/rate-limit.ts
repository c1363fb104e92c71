/**
 * A budget for what a venue counts: request weight, connection attempts. Ingest thread; cold.
 *
 * Two rules hold at once. A token bucket smooths: at most `burstShare` of the budget at a time,
 * refilled evenly. A log of all takes makes the promise hard: the sum over *any* window of `perMs`
 * never exceeds `budgetShare` of the venue's limit, however the calls fall (a bucket alone lets
 * burst + refill through in one window: nautilus_trader measured 9 messages under a limit of 5).
 *
 * The state is one SharedArrayBuffer of doubles, so that it outlives the thread: a crash loop must
 * not earn an address ban. One thread at a time uses it; times are on the node's timeline.
 *
 *     0 first entry   1 entries   2 weight in window   3 tokens   4 refilled at   5 paused until
 *     6 …  (time, weight) pairs, a circular log of `capacity` entries
 */
import { invariant } from '../faults/invariant.js';
import { NS_PER_MS } from './limits.js';

const FIRST = 0;
const COUNT = 1;
const USED = 2;
const TOKENS = 3;
const REFILLED_NS = 4;
const PAUSED_UNTIL_NS = 5;
const LOG = 6;
const DOUBLES_PER_ENTRY = 2;

export interface VenueBudget {
  readonly count: number;
  readonly perMs: number;
}

/** One entry of the state as it is kept over restarts: Unix milliseconds and weight. */
export interface SpentWeight {
  readonly unixMs: number;
  readonly weight: number;
}

/** Weight that we allow ourselves per window. */
export function budgetOf(limit: VenueBudget, share: number): number {
  return Math.max(1, Math.floor(limit.count * share));
}

/** State of a fresh limit: nothing spent, bucket full at the first use. */
export function createRateLimitState(limit: VenueBudget, share: number): SharedArrayBuffer {
  const entries = budgetOf(limit, share);
  const buffer = new SharedArrayBuffer((LOG + entries * DOUBLES_PER_ENTRY) * 8);
  const state = new Float64Array(buffer);
  state[TOKENS] = Infinity;
  state[REFILLED_NS] = -Infinity;
  state[PAUSED_UNTIL_NS] = -Infinity;
  return buffer;
}

export class RateLimit {
  /** Weight allowed in any window. */
  readonly budget: number;
  /** Called after every take, before its caller acts on it. */
  onTaken: ((nowNs: number) => void) | null = null;
  private readonly windowNs: number;
  private readonly burst: number;
  private readonly refillPerNs: number;
  private readonly state: Float64Array;

  constructor(limit: VenueBudget, share: number, burstShare: number, state?: SharedArrayBuffer) {
    invariant(limit.count >= 1 && limit.perMs > 0, 'a venue limit is a positive count in a window');
    this.budget = budgetOf(limit, share);
    this.windowNs = limit.perMs * NS_PER_MS;
    this.burst = Math.max(1, this.budget * burstShare);
    this.refillPerNs = this.budget / this.windowNs;
    this.state = new Float64Array(state ?? createRateLimitState(limit, share));
    invariant(
      this.state.length === LOG + this.budget * DOUBLES_PER_ENTRY,
      'the state was made for this limit',
    );
  }

  /**
   * Takes `weight` if both rules allow it now and returns 0; else takes nothing and returns for how
   * many nanoseconds it is certain not to be allowed. A weight beyond the burst waits for a full
   * bucket; one beyond the budget is never allowed (Infinity).
   */
  tryTake(weight: number, nowNs: number): number {
    invariant(weight >= 1, 'every request weighs at least 1');
    if (weight > this.budget) return Infinity;
    const state = this.state;
    this.expire(nowNs);
    this.refill(nowNs);
    const pausedNs = state[PAUSED_UNTIL_NS]! - nowNs;
    if (pausedNs > 0) return pausedNs;
    const needed = Math.min(weight, this.burst);
    if (state[TOKENS]! < needed) {
      return Math.max(1, Math.ceil((needed - state[TOKENS]!) / this.refillPerNs));
    }
    if (state[USED]! + weight > this.budget) return this.untilRoomNs(weight, nowNs);
    state[TOKENS] = state[TOKENS]! - weight;
    this.append(nowNs, weight);
    this.onTaken?.(nowNs);
    return 0;
  }

  /** Nothing is allowed before `untilNs`: the venue said so. */
  pauseUntil(untilNs: number): void {
    if (untilNs > this.state[PAUSED_UNTIL_NS]!) this.state[PAUSED_UNTIL_NS] = untilNs;
  }

  get pausedUntilNs(): number {
    return this.state[PAUSED_UNTIL_NS]!;
  }

  /** Weight spent in the window that ends now. */
  usedWeight(nowNs: number): number {
    this.expire(nowNs);
    return this.state[USED]!;
  }

  /**
   * The venue reports more use than we know of (another program behind the same address): what is
   * missing is entered as spent now, so that our promise holds for the address.
   */
  noteUsed(usedWeight: number, nowNs: number): void {
    this.expire(nowNs);
    const unknown = Math.min(usedWeight, this.budget) - this.state[USED]!;
    if (unknown >= 1 && this.state[COUNT]! < this.budget) this.append(nowNs, Math.floor(unknown));
  }

  /** What is spent in the window, for a file that outlives the process. */
  spent(nowNs: number, toUnixMs: (timelineNs: number) => number): SpentWeight[] {
    this.expire(nowNs);
    const entries: SpentWeight[] = [];
    for (let i = 0; i < this.state[COUNT]!; i++) {
      const at = this.entryAt(i);
      entries.push({ unixMs: toUnixMs(this.state[at]!), weight: this.state[at + 1]! });
    }
    return entries;
  }

  /** Enters what an earlier process spent; entries in the future or of another window are clamped. */
  restore(
    entries: readonly SpentWeight[],
    nowNs: number,
    fromUnixMs: (ms: number) => number,
  ): void {
    for (const { unixMs, weight } of [...entries].sort((a, b) => a.unixMs - b.unixMs)) {
      const timeNs = Math.min(nowNs, fromUnixMs(unixMs));
      const room = this.budget - this.state[USED]!;
      if (nowNs - timeNs > this.windowNs || !(weight >= 1) || room < 1) continue;
      if (this.state[COUNT]! >= this.budget) continue;
      this.append(timeNs, Math.min(room, Math.floor(weight)));
    }
  }

  private entryAt(index: number): number {
    return LOG + ((this.state[FIRST]! + index) % this.budget) * DOUBLES_PER_ENTRY;
  }

  private append(timeNs: number, weight: number): void {
    const at = this.entryAt(this.state[COUNT]!);
    this.state[at] = timeNs;
    this.state[at + 1] = weight;
    this.state[COUNT] = this.state[COUNT]! + 1;
    this.state[USED] = this.state[USED]! + weight;
  }

  /** Forgets what is older than the window; an entry exactly one window old still counts. */
  private expire(nowNs: number): void {
    while (this.state[COUNT]! > 0) {
      const at = this.entryAt(0);
      if (nowNs - this.state[at]! <= this.windowNs) return;
      this.state[USED] = this.state[USED]! - this.state[at + 1]!;
      this.state[FIRST] = (this.state[FIRST]! + 1) % this.budget;
      this.state[COUNT] = this.state[COUNT]! - 1;
    }
  }

  private refill(nowNs: number): void {
    const state = this.state;
    const elapsedNs = nowNs - state[REFILLED_NS]!;
    if (elapsedNs <= 0) return;
    state[TOKENS] = Math.min(this.burst, state[TOKENS]! + elapsedNs * this.refillPerNs);
    state[REFILLED_NS] = nowNs;
  }

  /** Until enough of the log has left the window. */
  private untilRoomNs(weight: number, nowNs: number): number {
    let excess = this.state[USED]! + weight - this.budget;
    for (let i = 0; i < this.state[COUNT]!; i++) {
      const at = this.entryAt(i);
      excess -= this.state[at + 1]!;
      if (excess <= 0) return Math.max(1, Math.floor(this.state[at]! + this.windowNs - nowNs) + 1);
    }
    return this.windowNs;
  }
}
