/**
 * When a connection wants a successor. Ingest thread; cold; no clock of its own.
 *
 * Three causes: the venue ends every connection after a lifetime (Binance: 24 h), so the successor
 * opens at 23 h ± jitter; the venue announces that it ends this one; or a stream is dead beside living
 * ones, which only another socket can cure, ever more rarely tried.
 */
import type { Prng } from '../domain/prng.js';
import { Backoff } from './backoff.js';
import type { IngestLimits } from './limits.js';
import { NS_PER_MS } from './limits.js';

export class Rotation {
  /** When to open a successor. */
  openAtNs = Infinity;
  /** From here on the switch is made even if streams lose their continuity by it. */
  endOfLifeNs = Infinity;
  private readonly limits: IngestLimits;
  private readonly lifetimeMs: number;
  private readonly prng: Prng;
  private readonly backoff: Backoff;
  private repairMs: number;
  private repairAtNs = Infinity;
  private ending = false;

  constructor(lifetimeMs: number, limits: IngestLimits, prng: Prng) {
    this.lifetimeMs = lifetimeMs;
    this.limits = limits;
    this.prng = prng;
    this.backoff = new Backoff(prng, limits.backoffMsMin, limits.overlapRetryMs);
    this.repairMs = limits.repairMsMin;
  }

  get dueNs(): number {
    return Math.min(this.openAtNs, this.repairAtNs);
  }

  /** A socket that opened at `openedNs` is the connection now. */
  begin(openedNs: number): void {
    this.clear();
    this.backoff.reset();
    if (this.lifetimeMs <= 0) return;
    const { rotateAtShare, rotateJitterShare, lifetimeMarginMs } = this.limits;
    const jitter = (this.prng.nextFloat() * 2 - 1) * rotateJitterShare;
    this.openAtNs = openedNs + this.lifetimeMs * (rotateAtShare + jitter) * NS_PER_MS;
    const lastCallNs = openedNs + (this.lifetimeMs - lifetimeMarginMs) * NS_PER_MS;
    this.endOfLifeNs = Math.max(this.openAtNs, lastCallNs);
  }

  clear(): void {
    this.openAtNs = Infinity;
    this.endOfLifeNs = Infinity;
    this.repairAtNs = Infinity;
    this.ending = false;
  }

  /** The venue announced the end, without a lead time: at once. */
  announceEnd(nowNs: number): void {
    this.ending = true;
    this.openAtNs = nowNs;
  }

  postpone(untilNs: number): void {
    this.openAtNs = untilNs;
  }

  /** A stream fell silent. */
  wantRepair(nowNs: number): void {
    if (this.repairAtNs === Infinity) this.repairAtNs = nowNs + this.repairMs * NS_PER_MS;
  }

  /** The repair is due: is it still needed? Each one doubles the time to the next. */
  takeRepair(stillSilent: boolean): boolean {
    this.repairAtNs = Infinity;
    if (!stillSilent) return false;
    this.repairMs = Math.min(this.limits.repairMsMax, this.repairMs * 2);
    return true;
  }

  get isRepairDue(): boolean {
    return this.repairAtNs < this.openAtNs;
  }

  /** The successor was lost or given up. Near the end of life the tries come closer together. */
  retry(nowNs: number): void {
    const delayNs = this.backoff.nextNs();
    if (this.ending) {
      this.openAtNs = nowNs + delayNs;
      return;
    }
    const leftNs = Math.max(0, this.endOfLifeNs - nowNs);
    const restNs = Math.min(this.limits.overlapRetryMs * NS_PER_MS, leftNs / 4);
    this.openAtNs = nowNs + Math.max(delayNs, restNs);
  }
}
