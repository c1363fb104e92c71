/** The ladder's naive twin: a Map a side, sorted when asked. Slow and obviously right. */
import { Side } from '../../src/domain/side.js';

export class NaiveLadder {
  private readonly sides = [new Map<number, number>(), new Map<number, number>()] as const;

  set(side: Side, price: number, size: number): number {
    const levels = this.sides[side];
    const old = levels.get(price) ?? 0;
    if (size === 0) levels.delete(price);
    else levels.set(price, size);
    return old;
  }

  best(side: Side): number {
    let best = -1;
    for (const price of this.sides[side].keys()) {
      if (best < 0 || (side === Side.Bid ? price > best : price < best)) best = price;
    }
    return best;
  }

  sizeAt(side: Side, price: number): number {
    return this.sides[side].get(price) ?? 0;
  }

  count(side: Side): number {
    return this.sides[side].size;
  }

  /** Best first. */
  levels(side: Side): [number, number][] {
    const better = side === Side.Bid ? -1 : 1;
    return [...this.sides[side]].sort((a, b) => better * (a[0] - b[0]));
  }

  clear(): void {
    this.sides[0].clear();
    this.sides[1].clear();
  }
}
