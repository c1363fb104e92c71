/**
 * What one market's book was at each of its last update ids: the book hash (domain/level-hash.ts)
 * and the best of both sides. A ring of typed arrays, found by halving: ids only grow.
 * Simulator's thread; written once a command, hot.
 */
import { invariant } from '../faults/invariant.js';

/** The truth at one update id. Prices and sizes are mantissas, 0 where a side is empty. */
export interface TrueBook {
  readonly updateId: number;
  readonly hashLow: number;
  readonly hashHigh: number;
  readonly bidPrice: number;
  readonly bidSize: number;
  readonly askPrice: number;
  readonly askSize: number;
  readonly bidLevels: number;
  readonly askLevels: number;
  /** Scale of the prices. */
  readonly priceDecimals: number;
}

export class TruthWindow {
  private readonly mask: number;
  private readonly updateIds: Float64Array;
  private readonly hashes: Int32Array;
  private readonly tops: Float64Array;
  private readonly levels: Uint16Array;
  private readonly priceDecimals: Uint8Array;
  /** Hash with one decimal less, where the book could be said with it. */
  private readonly hasCoarse: Uint8Array;
  private readonly coarse: Int32Array;
  /** Entries ever written. */
  private written = 0;

  constructor(capacity: number) {
    invariant(capacity > 0 && (capacity & (capacity - 1)) === 0, 'truth window: a power of two');
    this.mask = capacity - 1;
    this.updateIds = new Float64Array(capacity);
    this.hashes = new Int32Array(capacity * 2);
    this.tops = new Float64Array(capacity * 4);
    this.levels = new Uint16Array(capacity * 2);
    this.priceDecimals = new Uint8Array(capacity);
    this.hasCoarse = new Uint8Array(capacity);
    this.coarse = new Int32Array(capacity * 2);
  }

  record(
    updateId: number,
    hashLow: number,
    hashHigh: number,
    bidPrice: number,
    bidSize: number,
    askPrice: number,
    askSize: number,
    bidLevels: number,
    askLevels: number,
  ): void {
    const at = this.written & this.mask;
    this.updateIds[at] = updateId;
    this.hashes[at * 2] = hashLow;
    this.hashes[at * 2 + 1] = hashHigh;
    this.tops[at * 4] = bidPrice;
    this.tops[at * 4 + 1] = bidSize;
    this.tops[at * 4 + 2] = askPrice;
    this.tops[at * 4 + 3] = askSize;
    this.levels[at * 2] = bidLevels;
    this.levels[at * 2 + 1] = askLevels;
    this.written++;
  }

  /** Of the entry just recorded. */
  noteScale(
    priceDecimals: number,
    hasCoarse: boolean,
    coarseLow: number,
    coarseHigh: number,
  ): void {
    const at = (this.written - 1) & this.mask;
    this.priceDecimals[at] = priceDecimals;
    this.hasCoarse[at] = hasCoarse ? 1 : 0;
    this.coarse[at * 2] = coarseLow;
    this.coarse[at * 2 + 1] = coarseHigh;
  }

  /** Whether the book hashed to this, at its scale or at the one before where that could say it. */
  hashedTo(at: number, low: number, high: number): boolean {
    if (this.hashes[at * 2] === (low | 0) && this.hashes[at * 2 + 1] === (high | 0)) return true;
    return (
      this.hasCoarse[at] === 1 &&
      this.coarse[at * 2] === (low | 0) &&
      this.coarse[at * 2 + 1] === (high | 0)
    );
  }

  /** Where the truth of an id stands, or -1 if it was no id of this market or is too old. */
  find(updateId: number): number {
    let low = Math.max(0, this.written - this.mask - 1);
    let high = this.written;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.updateIds[middle & this.mask]! < updateId) low = middle + 1;
      else high = middle;
    }
    const at = low & this.mask;
    return low < this.written && this.updateIds[at] === updateId ? at : -1;
  }

  hashLow(at: number): number {
    return this.hashes[at * 2]!;
  }

  hashHigh(at: number): number {
    return this.hashes[at * 2 + 1]!;
  }

  /** Oldest id still known, or -1. */
  get oldestUpdateId(): number {
    if (this.written === 0) return -1;
    return this.updateIds[Math.max(0, this.written - this.mask - 1) & this.mask]!;
  }

  read(at: number): TrueBook {
    return {
      updateId: this.updateIds[at]!,
      hashLow: this.hashes[at * 2]!,
      hashHigh: this.hashes[at * 2 + 1]!,
      bidPrice: this.tops[at * 4]!,
      bidSize: this.tops[at * 4 + 1]!,
      askPrice: this.tops[at * 4 + 2]!,
      askSize: this.tops[at * 4 + 3]!,
      bidLevels: this.levels[at * 2]!,
      askLevels: this.levels[at * 2 + 1]!,
      priceDecimals: this.priceDecimals[at]!,
    };
  }
}
