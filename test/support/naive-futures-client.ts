/**
 * A client of Binance USDⓈ-M as one would first write it: `JSON.parse`, Maps, the venue's rule of
 * alignment. Independent of the product's parser and books, so that it can judge the simulator.
 */
import { parseDecimal } from '../../src/domain/decimal.js';
import {
  HASH_SEED_HIGH,
  HASH_SEED_LOW,
  hashText,
  levelHashLane,
} from '../../src/domain/level-hash.js';

export interface DepthFrame {
  readonly e: 'depthUpdate';
  readonly s: string;
  readonly U: number;
  readonly u: number;
  readonly pu: number;
  readonly b: [string, string][];
  readonly a: [string, string][];
}

export interface Snapshot {
  readonly lastUpdateId: number;
  readonly bids: [string, string][];
  readonly asks: [string, string][];
}

/** A depth frame in every particular, or null: what a strict reader would let through. */
export function strictDepthFrame(text: string): DepthFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const wrapped = value as { stream?: unknown; data?: unknown } | null;
  const data = (wrapped?.data ?? value) as Partial<DepthFrame> | null;
  if (data === null || typeof data !== 'object' || data.e !== 'depthUpdate') return null;
  const { s, U, u, pu, b, a } = data;
  if (typeof s !== 'string') return null;
  if (![U, u, pu].every(Number.isSafeInteger)) return null;
  const isLevels = (levels: unknown): boolean =>
    Array.isArray(levels) &&
    levels.every(
      (level: unknown) =>
        Array.isArray(level) &&
        level.length === 2 &&
        level.every((item) => typeof item === 'string' && /^\d+(\.\d+)?$/.test(item)),
    );
  return isLevels(b) && isLevels(a) ? (data as DepthFrame) : null;
}

export class NaiveFuturesBook {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  /** `u` of the last update taken; 0 before the snapshot is aligned. */
  position = 0;
  gaps = 0;
  applied = 0;
  stale = 0;
  private buffered: DepthFrame[] = [];
  private snapshotId = -1;
  private aligned = false;

  constructor(
    private readonly priceDecimals: number,
    private readonly sizeDecimals: number,
  ) {}

  get live(): boolean {
    return this.aligned;
  }

  /** Before the snapshot frames are kept, afterwards applied. False: a gap, begin again. */
  onFrame(frame: DepthFrame): boolean {
    if (this.snapshotId < 0) {
      this.buffered.push(frame);
      return true;
    }
    return this.take(frame);
  }

  /** False: older than what is buffered. */
  onSnapshot(snapshot: Snapshot): boolean {
    const first = this.buffered[0];
    if (
      first !== undefined &&
      snapshot.lastUpdateId < first.U &&
      first.pu !== snapshot.lastUpdateId
    ) {
      return false;
    }
    for (const [p, q] of snapshot.bids) this.set(this.bids, p, q);
    for (const [p, q] of snapshot.asks) this.set(this.asks, p, q);
    this.snapshotId = snapshot.lastUpdateId;
    this.position = snapshot.lastUpdateId;
    const { buffered } = this;
    this.buffered = [];
    return buffered.every((frame) => this.take(frame));
  }

  restart(): void {
    this.bids.clear();
    this.asks.clear();
    this.buffered = [];
    this.snapshotId = -1;
    this.position = 0;
    this.aligned = false;
  }

  private take(frame: DepthFrame): boolean {
    if (frame.u < this.position) {
      this.stale++;
      return true;
    }
    if (!this.aligned) {
      const id = this.snapshotId;
      if (!((frame.U <= id && frame.u >= id) || frame.pu === id)) return this.gap();
      this.aligned = true;
    } else if (frame.pu !== this.position) {
      if (frame.u === this.position) {
        this.stale++;
        return true;
      }
      return this.gap();
    }
    for (const [p, q] of frame.b) this.set(this.bids, p, q);
    for (const [p, q] of frame.a) this.set(this.asks, p, q);
    this.position = frame.u;
    this.applied++;
    return true;
  }

  private gap(): boolean {
    this.gaps++;
    this.restart();
    return false;
  }

  private set(side: Map<number, number>, price: string, size: string): void {
    const mantissa = parseDecimal(price, this.priceDecimals);
    const lots = parseDecimal(size, this.sizeDecimals);
    if (lots === 0) side.delete(mantissa);
    else side.set(mantissa, lots);
  }

  get bestBid(): number {
    return Math.max(...this.bids.keys());
  }

  get bestAsk(): number {
    return Math.min(...this.asks.keys());
  }

  hash(): string {
    let low = 0;
    let high = 0;
    for (const [side, levels] of [this.bids, this.asks].entries()) {
      for (const [price, size] of levels) {
        low ^= levelHashLane(HASH_SEED_LOW, side, price, size);
        high ^= levelHashLane(HASH_SEED_HIGH, side, price, size);
      }
    }
    return hashText(high, low);
  }
}
