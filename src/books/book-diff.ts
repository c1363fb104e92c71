/**
 * A whole book that replaces the one before it, as the update that leads from one to the other: only
 * the levels that differ. Books thread; hot for venues that send nothing but whole books.
 *
 * Both books are walked best first, side by side, so a frame of n levels costs n steps:
 *
 *     only in the ladder    removed: size 0
 *     only in the frame     new
 *     in both               told only if the size differs
 */
import { Side } from '../domain/side.js';
import {
  ASKS_COUNT,
  BIDS_COUNT,
  DOUBLES_PER_LEVEL,
  FEED_HEADER_DOUBLES,
  LEVELS,
} from '../rings/record-types.js';
import type { Ladder } from './ladder.js';
import { Scratch } from './scratch.js';

/** A side of the frame does not stand best first, or names a price twice. */
const UNORDERED = -1;

export class BookDiff {
  private readonly before = new Scratch();
  private readonly updates = new Scratch();
  private update: Float64Array = new Float64Array(0);

  /**
   * A DepthUpdate record, lent until the next call, that makes `ladder` the book of the DepthSnapshot
   * at `record[at]`. Null if that is not in order. Hot.
   */
  between(ladder: Ladder, record: Float64Array, at: number): Float64Array | null {
    const bids = record[at + BIDS_COUNT]!;
    const asks = record[at + ASKS_COUNT]!;
    const levelsMax = bids + asks + ladder.count(Side.Bid) + ladder.count(Side.Ask);
    const update = this.updates.atLeast(LEVELS + levelsMax * DOUBLES_PER_LEVEL);
    this.update = update;
    for (let i = 0; i < FEED_HEADER_DOUBLES; i++) update[i] = record[at + i]!;
    const bidsAt = at + LEVELS;
    const asksAt = bidsAt + bids * DOUBLES_PER_LEVEL;
    const middle = this.side(ladder, Side.Bid, record, bidsAt, bids, LEVELS);
    if (middle === UNORDERED) return null;
    const end = this.side(ladder, Side.Ask, record, asksAt, asks, middle);
    if (end === UNORDERED) return null;
    update[BIDS_COUNT] = (middle - LEVELS) / DOUBLES_PER_LEVEL;
    update[ASKS_COUNT] = (end - middle) / DOUBLES_PER_LEVEL;
    return update;
  }

  /** Writes one side's differences from `update[to]`; the index behind them, or UNORDERED. */
  private side(
    ladder: Ladder,
    side: Side,
    record: Float64Array,
    from: number,
    count: number,
    to: number,
  ): number {
    const { update } = this;
    // A rank rises from best to worst, on both sides.
    const sign = side === Side.Bid ? -1 : 1;
    const oldCount = ladder.count(side);
    const old = this.before.atLeast(oldCount * DOUBLES_PER_LEVEL);
    ladder.copyLevels(side, oldCount, old, 0);
    const oldEnd = oldCount * DOUBLES_PER_LEVEL;
    const end = from + count * DOUBLES_PER_LEVEL;
    let oldAt = 0;
    let worst = -Infinity;
    for (let at = from; at < end; at += DOUBLES_PER_LEVEL) {
      const price = record[at]!;
      const size = record[at + 1]!;
      const rank = sign * price;
      if (rank <= worst) return UNORDERED;
      worst = rank;
      while (oldAt < oldEnd && sign * old[oldAt]! < rank) {
        update[to] = old[oldAt]!;
        update[to + 1] = 0;
        to += DOUBLES_PER_LEVEL;
        oldAt += DOUBLES_PER_LEVEL;
      }
      let before = 0;
      if (oldAt < oldEnd && old[oldAt] === price) {
        before = old[oldAt + 1]!;
        oldAt += DOUBLES_PER_LEVEL;
      }
      if (before === size) continue;
      update[to] = price;
      update[to + 1] = size;
      to += DOUBLES_PER_LEVEL;
    }
    for (; oldAt < oldEnd; oldAt += DOUBLES_PER_LEVEL) {
      update[to] = old[oldAt]!;
      update[to + 1] = 0;
      to += DOUBLES_PER_LEVEL;
    }
    return to;
  }
}
