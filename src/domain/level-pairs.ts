/** Levels as (price, size) pairs, bids first, into the two sides of a book. Any thread; warm. */

export interface PricedSide {
  /** Sets or (size 0) removes a level. */
  set(price: number, size: number): unknown;
}

/** Takes `bids` pairs from `levels[at]` on, then `asks`. */
export function setLevelPairs(
  sides: readonly [PricedSide, PricedSide],
  levels: Float64Array,
  at: number,
  bids: number,
  asks: number,
): void {
  for (let i = 0; i < bids + asks; i++)
    sides[i < bids ? 0 : 1].set(levels[at + 2 * i]!, levels[at + 2 * i + 1]!);
}
