/**
 * The best N levels a side of one instrument as a stream of its own: id, epoch, sequence and hash.
 * Broadcast thread, hot: one `diff` a venue event, whose cost is that of the levels the event touched
 * and of those that crossed the view's edge, whatever N is.
 *
 *     before:  best ○ ○ ● ○ | ○ ○      ● touched (its size before the event is known)
 *     after:   best ○ ○ ○ ○ | ○ ○      | the edge: price of the last level inside, or open
 *
 * A touched level changed if its size inside the view did (0 when outside). An untouched one changed
 * only by crossing: those between the old edge and the new one entered or left.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, levelHashLane } from '../domain/level-hash.js';
import type { BookMirror } from './book-mirror.js';
import type { MirrorSide } from './mirror-side.js';
import type { Stream } from './topics.js';
import type { TouchedLevels } from './touched-levels.js';

export class DepthView {
  readonly stream: Stream;
  readonly depth: number;
  /** (price, size) pairs of the last diff: bids, then asks. Lent until the next one. */
  levels = new Float64Array(64);
  bidsCount = 0;
  asksCount = 0;
  /** State and reason that the stream's readers were told last. */
  toldState = 0;
  toldReason = 0;
  /** Made in the middle of an event and not yet reset: it has no readers that are Live. */
  fresh = true;
  /** When its last reader left; it lingers for those who come back. */
  idleSinceNs = 0;
  private readonly mirror: BookMirror;
  /** Edges before the event: key (price × sign) of the last level inside, -Infinity while open. */
  private bidEdge = -Infinity;
  private askEdge = -Infinity;
  private used = 0;

  constructor(stream: Stream, mirror: BookMirror) {
    this.stream = stream;
    this.depth = stream.depth;
    this.mirror = mirror;
  }

  /** Takes the mirror's levels as they are: edges and hash. For a fresh view and after a snapshot. */
  reset(): void {
    this.fresh = false;
    const { bids, asks } = this.mirror;
    this.bidEdge = this.edgeOf(bids);
    this.askEdge = this.edgeOf(asks);
    let low = 0;
    let high = 0;
    for (const side of [bids, asks]) {
      for (let rank = Math.min(this.depth, side.count) - 1; rank >= 0; rank--) {
        const price = side.priceAt(rank);
        const size = side.sizeAt(rank);
        low ^= levelHashLane(HASH_SEED_LOW, side.side, price, size);
        high ^= levelHashLane(HASH_SEED_HIGH, side.side, price, size);
      }
    }
    this.stream.hashLow = low;
    this.stream.hashHigh = high;
  }

  /** What the finished event changed within the view; the number of levels in `levels`. Hot. */
  diff(): number {
    const mirror = this.mirror;
    this.used = 0;
    const bidEdge = this.edgeOf(mirror.bids);
    this.diffSide(mirror.bids, mirror.touchedBids, this.bidEdge, bidEdge);
    this.bidEdge = bidEdge;
    this.bidsCount = this.used >>> 1;
    const askEdge = this.edgeOf(mirror.asks);
    this.diffSide(mirror.asks, mirror.touchedAsks, this.askEdge, askEdge);
    this.askEdge = askEdge;
    this.asksCount = (this.used >>> 1) - this.bidsCount;
    return this.used >>> 1;
  }

  private edgeOf(side: MirrorSide): number {
    return side.count <= this.depth ? -Infinity : side.priceAt(this.depth - 1) * side.sign;
  }

  private diffSide(side: MirrorSide, touched: TouchedLevels, before: number, now: number): void {
    const { prices, before: sizes, count } = touched;
    const sign = side.sign;
    for (let i = 0; i < count; i++) {
      const price = prices[i]!;
      const key = price * sign;
      const sizeBefore = key >= before ? sizes[i]! : 0;
      const sizeNow = key >= now ? side.sizeOf(price) : 0;
      if (sizeBefore !== sizeNow) this.emit(side, price, sizeBefore, sizeNow);
    }
    if (now !== before) this.crossed(side, touched, before, now);
  }

  /** Untouched levels between the edges: entered if the new edge is the worse one, else left. */
  private crossed(side: MirrorSide, touched: TouchedLevels, before: number, now: number): void {
    const entered = now < before;
    const better = entered ? before : now;
    const worse = entered ? now : before;
    const sign = side.sign;
    let rank = side.countToPrice(better * sign);
    while (rank < side.count) {
      const price = side.priceAt(rank);
      if (price * sign < worse) break;
      if (!touched.has(price)) {
        const size = side.sizeAt(rank);
        this.emit(side, price, entered ? 0 : size, entered ? size : 0);
      }
      rank++;
    }
  }

  private emit(side: MirrorSide, price: number, sizeBefore: number, sizeNow: number): void {
    const stream = this.stream;
    if (sizeBefore !== 0) {
      stream.hashLow ^= levelHashLane(HASH_SEED_LOW, side.side, price, sizeBefore);
      stream.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side.side, price, sizeBefore);
    }
    if (sizeNow !== 0) {
      stream.hashLow ^= levelHashLane(HASH_SEED_LOW, side.side, price, sizeNow);
      stream.hashHigh ^= levelHashLane(HASH_SEED_HIGH, side.side, price, sizeNow);
    }
    if (this.used === this.levels.length) {
      const levels = new Float64Array(this.used * 2);
      levels.set(this.levels);
      this.levels = levels;
    }
    this.levels[this.used++] = price;
    this.levels[this.used++] = sizeNow;
  }
}
