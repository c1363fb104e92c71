/**
 * One side of a ladder: sizes in an array indexed by tick, with a bitmap of the occupied ticks, in a
 * window around the touch; what lies beyond the window is in FarLevels. Books thread; the hottest
 * code of the room: once per level of every update.
 *
 *     key    = direction × price / tickSize      direction: bids +1, asks −1, so greater is better
 *     rel    = key − baseKey                     0 … windowTicks − 1 inside the window
 *     slot   = (rel + baseSlot) & mask           the window is a circle: moving it copies nothing
 *
 *      worst                      window                       best
 *      far ──┊─────────────────────────────────────┊──── room ────┊
 *          rel 0                              ¾ · windowTicks    windowTicks
 *
 *     words    1 bit a slot: occupied            summary   1 bit a word: not zero
 *
 * The window always holds the best level, so far levels are all worse than the window, and `best`
 * never looks there. A better price beyond the window's end moves the window up (the worst ticks are
 * evicted to `far`); when the touch sinks into the lowest quarter it moves down again and takes in
 * what lies there. baseKey is a multiple of 32, so a word of the bitmap never mixes both ends.
 *
 * Rule of memory: the window has at most 16 ticks for each level of the side (rounded up to a power
 * of two), between 2^10 and 2^17 ticks of 8 bytes, and grows only while more than 1 in 8 levels are
 * far. So a side of 1,000 levels takes at most 2^14 × 8 B = 128 KB and its bitmap, and with the far
 * table (43 bytes a level) stays below 180 KB.
 */
import type { BookHash } from '../domain/level-hash.js';
import { Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import { FarLevels } from './far-levels.js';
import { Scratch } from './scratch.js';

const WINDOW_TICKS_MIN = 2 ** 10;
const WINDOW_TICKS_MAX = 2 ** 17;
const TICKS_PER_LEVEL = 16;
/** Far levels are tolerated up to one in this many. */
const FAR_SHARE = 8;

/** Shared by all sides of the thread: it is never held across a call from outside. */
const scratch = new Scratch();

export class LadderSide {
  count = 0;
  private readonly direction: number;
  private readonly side: Side;
  private tickSize: number;
  /** Infinity while the window has no place: then every key misses it. */
  private baseKey = Infinity;
  private baseSlot = 0;
  private windowTicks = 0;
  private mask = 0;
  private summaryMask = 0;
  /** Of the best level, -1 if the side is empty. */
  private bestRel = -1;
  private nearCount = 0;
  private sizes = new Float64Array(0);
  private words = new Int32Array(0);
  private summary = new Int32Array(0);
  private readonly far = new FarLevels();

  /** @param tickSize as a mantissa, 0 if unknown: then it is learned as the GCD of all prices. */
  constructor(direction: 1 | -1, tickSize: number) {
    this.direction = direction;
    this.side = direction === 1 ? Side.Bid : Side.Ask;
    this.tickSize = tickSize;
  }

  /** Sets or (size 0) removes a level. Returns the old size. Hot. */
  set(price: number, size: number): number {
    const key = (this.direction * price) / this.tickSize;
    const at = (key - this.baseKey) | 0;
    // Compared with the key, not with the difference: there the fraction of an odd price could be lost.
    if (at + this.baseKey !== key || at >>> 0 >= this.windowTicks)
      return this.setOutside(price, size);
    const slot = (at + this.baseSlot) & this.mask;
    const old = this.sizes[slot]!;
    this.sizes[slot] = size;
    if (size !== 0) {
      if (old === 0) this.occupy(slot);
      if (at > this.bestRel) this.bestRel = at;
    } else if (old !== 0) {
      this.vacate(slot);
      if (at === this.bestRel) this.findNextBest(slot);
    }
    return old;
  }

  /** Sets `levels` pairs (price, size) from `pairs[at]`; the hash follows each change. Hot. */
  setAll(pairs: Float64Array, at: number, levels: number, hash: BookHash): void {
    const { side } = this;
    const end = at + 2 * levels;
    for (let i = at; i < end; i += 2) {
      const price = pairs[i]!;
      const size = pairs[i + 1]!;
      hash.change(side, price, this.set(price, size), size);
    }
  }

  sizeAt(price: number): number {
    const key = (this.direction * price) / this.tickSize;
    const at = (key - this.baseKey) | 0;
    if (at + this.baseKey !== key || at >>> 0 >= this.windowTicks) return this.far.get(price);
    return this.sizes[(at + this.baseSlot) & this.mask]!;
  }

  /** Price of the best level, -1 if the side is empty. Hot. */
  best(): number {
    if (this.bestRel < 0) return -1;
    return this.priceAt(this.bestRel);
  }

  /** Size at the best price, 0 if the side is empty. Hot. */
  bestSize(): number {
    return this.bestRel < 0 ? 0 : this.sizes[(this.bestRel + this.baseSlot) & this.mask]!;
  }

  /** Copies up to `max` levels, best first, as (price, size) pairs from `target[at]`. How many. */
  copyLevels(max: number, target: Float64Array, at: number): number {
    const near = Math.min(max, this.nearCount);
    if (near > 0) this.copyNear(near, target, at);
    if (near === max || this.far.count === 0) return near;
    return near + this.far.copySorted(this.direction, max - near, target, at + 2 * near);
  }

  clear(): void {
    this.sizes.fill(0);
    this.words.fill(0);
    this.summary.fill(0);
    this.far.clear();
    this.count = 0;
    this.nearCount = 0;
    this.bestRel = -1;
    this.baseKey = Infinity;
  }

  /** Levels that lie outside the window: exact, but slower. */
  get farCount(): number {
    return this.far.count;
  }

  get memoryBytes(): number {
    const bitmap = this.words.byteLength + this.summary.byteLength;
    return this.sizes.byteLength + bitmap + this.far.memoryBytes;
  }

  private copyNear(near: number, target: Float64Array, at: number): void {
    let slot = (this.bestRel + this.baseSlot) & this.mask;
    let word = slot >>> 5;
    // The bits up to and including the best one.
    let bits = this.words[word]! & (-1 >>> (31 - (slot & 31)));
    for (let i = 0; i < near; i++) {
      if (bits === 0) {
        word = this.previousWord(word);
        bits = this.words[word]!;
      }
      const bit = 31 - Math.clz32(bits);
      bits ^= 1 << bit;
      slot = (word << 5) + bit;
      const rel = (slot - this.baseSlot) & this.mask;
      target[at + 2 * i] = this.priceAt(rel);
      target[at + 2 * i + 1] = this.sizes[slot]!;
    }
  }

  private occupy(slot: number): void {
    const word = slot >>> 5;
    this.words[word]! |= 1 << (slot & 31);
    this.summary[word >>> 5]! |= 1 << (word & 31);
    this.nearCount++;
    this.count++;
  }

  private vacate(slot: number): void {
    const word = slot >>> 5;
    const bits = this.words[word]! & ~(1 << (slot & 31));
    this.words[word] = bits;
    if (bits === 0) this.summary[word >>> 5]! &= ~(1 << (word & 31));
    this.nearCount--;
    this.count--;
  }

  /** The best level, at `slot`, was just removed. */
  private findNextBest(slot: number): void {
    if (this.nearCount === 0) {
      this.bestRel = -1;
      if (this.far.count > 0) this.moveTo(this.keyOf(this.far.best(this.direction)));
      return;
    }
    let word = slot >>> 5;
    let bits = this.words[word]! & ((1 << (slot & 31)) - 1);
    if (bits === 0) {
      word = this.previousWord(word);
      bits = this.words[word]!;
    }
    const next = (word << 5) + 31 - Math.clz32(bits);
    this.bestRel = (next - this.baseSlot) & this.mask;
    if (this.bestRel < this.windowTicks >>> 2) this.moveTo(this.baseKey + this.bestRel);
  }

  /** The nearest word before `word`, going round, that is not zero. There is one. */
  private previousWord(word: number): number {
    let index = word >>> 5;
    let bits = this.summary[index]! & ((1 << (word & 31)) - 1);
    while (bits === 0) {
      index = (index - 1) & this.summaryMask;
      bits = this.summary[index]!;
    }
    return (index << 5) + 31 - Math.clz32(bits);
  }

  /** A price that is not in the window, or that is no multiple of the tick. */
  private setOutside(price: number, size: number): number {
    if (!(price >= 0) || !(size >= 0))
      throw new InvariantError('a level has a price and a size ≥ 0');
    const tickKnown = this.tickSize > 0 && price % this.tickSize === 0;
    if (size === 0) return tickKnown ? this.removeFar(price) : 0;
    if (!tickKnown) this.learnTick(price);
    const key = this.keyOf(price);
    if (this.count === 0) this.place(key);
    else if (key >= this.baseKey + this.windowTicks) this.moveTo(key);
    if (key >= this.baseKey) return this.set(price, size);
    const old = this.far.set(price, size);
    if (old === 0) {
      this.count++;
      if (this.far.count * FAR_SHARE > this.count) this.growIfAllowed();
    }
    return old;
  }

  private removeFar(price: number): number {
    const old = this.far.remove(price);
    if (old !== 0) this.count--;
    return old;
  }

  private keyOf(price: number): number {
    return (this.direction * price) / this.tickSize;
  }

  private priceAt(rel: number): number {
    // + 0 turns the −0 of an ask at price 0 into 0.
    return this.direction * (this.baseKey + rel) * this.tickSize + 0;
  }

  /** Puts the empty window where `key` is the best. */
  private place(key: number): void {
    if (this.windowTicks === 0) this.allocate(WINDOW_TICKS_MIN);
    this.rebase(this.baseFor(key));
  }

  /** The base that puts `key` at three quarters of the window. */
  private baseFor(key: number): number {
    return Math.floor((key - this.windowTicks * 0.75) / 32) * 32;
  }

  private rebase(baseKey: number): void {
    this.baseKey = baseKey;
    const rest = baseKey % this.windowTicks;
    this.baseSlot = rest < 0 ? rest + this.windowTicks : rest;
  }

  /** Moves the window so that `key`, the best of the side, stands at three quarters of it. */
  private moveTo(key: number): void {
    const from = this.baseKey;
    const to = this.baseFor(key);
    if (to > from) this.evictBelow(to);
    this.rebase(to);
    if (this.bestRel >= 0) this.bestRel += from - to;
    if (this.bestRel < 0) this.bestRel = -1;
    if (to < from && this.far.count > 0) this.takeIn();
  }

  /** Sends every level worse than `key` to `far`. */
  private evictBelow(key: number): void {
    const end = Math.min(key - this.baseKey, this.windowTicks);
    for (let rel = 0; rel < end && this.nearCount > 0; rel += 32) {
      const word = ((rel + this.baseSlot) & this.mask) >>> 5;
      let bits = this.words[word]!;
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits ^= 1 << bit;
        const slot = (word << 5) + bit;
        const price = this.priceAt(rel + bit);
        this.far.set(price, this.sizes[slot]!);
        this.sizes[slot] = 0;
        this.nearCount--;
      }
      this.words[word] = 0;
      this.summary[word >>> 5]! &= ~(1 << (word & 31));
    }
  }

  /** After the window moved down or grew: takes in those far levels that now lie inside. */
  private takeIn(): void {
    const count = this.far.drain(scratch);
    const pairs = scratch.atLeast(count * 2);
    for (let i = 0; i < count; i++) {
      const price = pairs[2 * i]!;
      const rel = this.keyOf(price) - this.baseKey;
      if (rel < 0) {
        this.far.set(price, pairs[2 * i + 1]!);
        continue;
      }
      const slot = (rel + this.baseSlot) & this.mask;
      this.sizes[slot] = pairs[2 * i + 1]!;
      this.occupy(slot);
      this.count--; // it was counted while it was far
      if (rel > this.bestRel) this.bestRel = rel;
    }
  }

  private growIfAllowed(): void {
    const allowed = TICKS_PER_LEVEL * 2 ** Math.ceil(Math.log2(this.count));
    if (this.windowTicks >= Math.min(allowed, WINDOW_TICKS_MAX)) return;
    const bestKey = this.baseKey + this.bestRel;
    this.evictBelow(this.baseKey + this.windowTicks);
    this.bestRel = -1;
    this.allocate(this.windowTicks * 2);
    this.rebase(this.baseFor(bestKey));
    this.takeIn();
  }

  private allocate(windowTicks: number): void {
    this.windowTicks = windowTicks;
    this.mask = windowTicks - 1;
    this.summaryMask = windowTicks / 1024 - 1;
    this.sizes = new Float64Array(windowTicks);
    this.words = new Int32Array(windowTicks / 32);
    this.summary = new Int32Array(windowTicks / 1024);
  }

  /** `price` is no multiple of the tick: the tick becomes the GCD of all prices so far. */
  private learnTick(price: number): void {
    if (this.count === 0) {
      this.tickSize = greatestCommonDivisor(this.tickSize, price);
      if (this.tickSize === 0) this.tickSize = 1;
      this.baseKey = Infinity;
      return;
    }
    const count = this.count;
    const levels = new Float64Array(count * 2);
    this.copyLevels(count, levels, 0);
    this.clear();
    this.tickSize = greatestCommonDivisor(this.tickSize, price);
    for (let i = 0; i < count; i++) this.set(levels[2 * i]!, levels[2 * i + 1]!);
  }
}

/** Of whole numbers below 2^53. */
function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}
