/** Invented instruments with full books that move at random from a seed. Test support; cold. */
import { BookState, StateReason } from '../../src/domain/book-state.js';
import type { Prng } from '../../src/domain/prng.js';

export type Levels = Map<number, number>;

export interface FakeInstrument {
  readonly id: number;
  readonly name: string;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  readonly tick: number;
  middle: number;
  readonly sides: readonly [Levels, Levels];
  state: BookState;
  reason: StateReason;
}

const SYMBOLS = [
  'BTC',
  'ETH',
  'SOL',
  'BNB',
  'XRP',
  'DOGE',
  'ADA',
  'AVAX',
  'LINK',
  'TRX',
  'DOT',
  'LTC',
  'BCH',
  'NEAR',
  'UNI',
  'APT',
  'ATOM',
  'ETC',
  'FIL',
  'ARB',
  'OP',
  'SUI',
  'INJ',
  '1000PEPE',
];
export class FakeMarket {
  readonly instruments: FakeInstrument[];
  private readonly prng: Prng;

  constructor(prng: Prng, instruments: number, levels: number) {
    this.prng = prng;
    this.instruments = SYMBOLS.slice(0, instruments).map((symbol, id) =>
      this.makeInstrument(symbol, id, levels),
    );
  }

  /** Some levels change, and now and then the middle moves. */
  move(instrument: FakeInstrument, changes: number): void {
    if (this.prng.chance(0.3)) this.drift(instrument);
    for (let i = 0; i < changes; i++) this.changeLevel(instrument);
    this.uncross(instrument);
  }

  levels(instrument: FakeInstrument, side: 0 | 1, depth = Infinity): [number, number][] {
    const sorted = [...instrument.sides[side]].sort((a, b) =>
      side === 0 ? b[0] - a[0] : a[0] - b[0],
    );
    return sorted.slice(0, depth);
  }

  private makeInstrument(symbol: string, id: number, levels: number): FakeInstrument {
    const middle = Math.floor(8_000_000 / (id * id + 1));
    const sides: [Levels, Levels] = [new Map(), new Map()];
    const instrument: FakeInstrument = {
      id,
      name: `binance-futures:${symbol}USDT`,
      priceDecimals: 2 + Math.min(3, id >> 2),
      sizeDecimals: 3,
      tick: 1 + (id % 3),
      middle,
      sides,
      state: BookState.Live,
      reason: StateReason.Aligned,
    };
    for (let rank = 1; rank <= levels; rank++) {
      sides[0].set(middle - rank * instrument.tick, this.size(rank));
      sides[1].set(middle + rank * instrument.tick, this.size(rank));
    }
    return instrument;
  }

  private size(rank: number): number {
    return 1 + this.prng.nextInt(400 + rank * 90);
  }

  private drift(instrument: FakeInstrument): void {
    instrument.middle += (this.prng.nextInt(5) - 2) * instrument.tick;
  }

  private changeLevel(instrument: FakeInstrument): void {
    const side = this.prng.nextInt(2);
    const rank = 1 + Math.floor(this.prng.nextFloat() ** 3 * 60);
    const price = instrument.middle + (side === 0 ? -rank : rank) * instrument.tick;
    if (this.prng.chance(0.2)) instrument.sides[side]!.delete(price);
    else instrument.sides[side]!.set(price, this.size(rank));
  }

  /** Levels that the middle has passed are gone; the touch is always there. */
  private uncross(instrument: FakeInstrument): void {
    const { sides, middle, tick } = instrument;
    for (const price of sides[0].keys()) if (price >= middle) sides[0].delete(price);
    for (const price of sides[1].keys()) if (price <= middle) sides[1].delete(price);
    if (!sides[0].has(middle - tick)) sides[0].set(middle - tick, this.size(1));
    if (!sides[1].has(middle + tick)) sides[1].set(middle + tick, this.size(1));
  }
}
