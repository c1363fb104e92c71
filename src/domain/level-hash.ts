/**
 * The book hash: 64 bits, kept as two 32-bit lanes, the XOR over all levels of `mix(side, price,
 * size)`. A level of size 0 contributes nothing, so a change costs two mixes: the old level out, the
 * new level in. The definition is public (schemas/README.md): every client can recompute it.
 *
 *     lane(seed): h = seed ^ (side + 1) * 0x9E3779B1
 *                 for w of [price low 32, price high 32, size low 32, size high 32]:
 *                   h = (h ^ w) * 0x85EBCA6B mod 2^32;  h ^= h >>> 15
 *                 h *= 0xC2B2AE35;  h ^= h >>> 13
 *     low lane: seed 0x243F6A88, high lane: seed 0x85A308D3
 *
 * Hot: called twice a level change. Price and size are non-negative integers below 2^53.
 */
export const HASH_SEED_LOW = 0x243f6a88;
export const HASH_SEED_HIGH = 0x85a308d3;
/** The same for this module: what is exported is loaded and checked at every use. */
const SEED_LOW = 0x243f6a88;
const SEED_HIGH = 0x85a308d3;

const TWO_32 = 4294967296;

export function levelHashLane(seed: number, side: number, price: number, size: number): number {
  let h = seed ^ Math.imul(side + 1, 0x9e3779b1);
  h = Math.imul(h ^ (price | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ (price < TWO_32 ? 0 : (price / TWO_32) | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ (size | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ (size < TWO_32 ? 0 : (size / TWO_32) | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 13);
}

/**
 * One lane of the order hash: as for a level, with the order's id taken in after the size. The order
 * hash of a book is the XOR over its resting orders; it does not cover their queue positions.
 */
export function orderHashLane(
  seed: number,
  side: number,
  price: number,
  size: number,
  id: number,
): number {
  let h = levelHashLane(seed, side, price, size);
  h = Math.imul(h ^ (id | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h ^ ((id / TWO_32) | 0), 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 13);
}

/** The hash of a book that changes level by level. Hot: what both lanes and both sizes share is done once. */
export class BookHash {
  low = 0;
  high = 0;

  /** The size at a price went from `oldSize` to `newSize`; 0 is no level. */
  change(side: number, price: number, oldSize: number, newSize: number): void {
    if (oldSize === newSize) return;
    const sideWord = Math.imul(side + 1, 0x9e3779b1);
    const priceHigh = price < TWO_32 ? 0 : (price / TWO_32) | 0;
    const low = priceRounds(SEED_LOW ^ sideWord, price, priceHigh);
    const high = priceRounds(SEED_HIGH ^ sideWord, price, priceHigh);
    if (oldSize !== 0) {
      this.low ^= finishLane(low, oldSize);
      this.high ^= finishLane(high, oldSize);
    }
    if (newSize !== 0) {
      this.low ^= finishLane(low, newSize);
      this.high ^= finishLane(high, newSize);
    }
  }

  clear(): void {
    this.low = 0;
    this.high = 0;
  }
}

/**
 * The hash of a book that changes order by order. Hot: both lanes in one. What it takes is handed in
 * where it lies, since doubles handed to a function may have to be put on the heap.
 */
export class OrderHash {
  low = 0;
  high = 0;

  /**
   * An order comes or goes, the same either way: side, price and id as in an OrderInput at
   * `order[at]`, size at `sizes[sizeAt]`.
   */
  toggle(order: Float64Array, at: number, sizes: Float64Array, sizeAt: number): void {
    const sideWord = Math.imul(order[at]! + 1, 0x9e3779b1);
    const price = order[at + 1]!;
    const id = order[at + 4]!;
    const size = sizes[sizeAt]!;
    const priceHigh = (price / TWO_32) | 0;
    const idHigh = (id / TWO_32) | 0;
    const low = priceRounds(SEED_LOW ^ sideWord, price, priceHigh);
    const high = priceRounds(SEED_HIGH ^ sideWord, price, priceHigh);
    this.low ^= idRounds(finishLane(low, size), id, idHigh);
    this.high ^= idRounds(finishLane(high, size), id, idHigh);
  }

  clear(): void {
    this.low = 0;
    this.high = 0;
  }
}

/** The rounds of the price's words, over a seed that has taken the side. */
function priceRounds(seed: number, price: number, priceHigh: number): number {
  let h = Math.imul(seed ^ (price | 0), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ priceHigh, 0x85ebca6b);
  return h ^ (h >>> 15);
}

/** The rounds of an order's id, over the lane of its level of that size. */
function idRounds(lane: number, id: number, idHigh: number): number {
  let h = Math.imul(lane ^ (id | 0), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ idHigh, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return h ^ (h >>> 13);
}

/** The rounds of the size's words, over a lane that has taken side and price. */
function finishLane(lane: number, size: number): number {
  let h = Math.imul(lane ^ (size | 0), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ (size < TWO_32 ? 0 : (size / TWO_32) | 0), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
  return h ^ (h >>> 13);
}

/** Sixteen lower-case hex digits, high lane first. */
export function hashText(high: number, low: number): string {
  const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0');
  return hex(high) + hex(low);
}
