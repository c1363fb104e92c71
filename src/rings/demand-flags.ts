/**
 * Which instruments' texts somebody reads, and in which form: one word each, written by the thread that
 * has the readers, looked at by the thread that could provide them, once a line.
 */
export function createDemandFlags(instruments: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, instruments) * 4);
}

export const Demand = {
  None: 0,
  /** As an l4Book message has them. */
  Told: 1,
  /** As the venue wrote them: for readers of single users. */
  Whole: 2,
} as const;
export type Demand = (typeof Demand)[keyof typeof Demand];

export class DemandFlags {
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  set(instrumentId: number, demand: Demand): void {
    // release: pairs with the acquire of `of`
    Atomics.store(this.words, instrumentId, demand);
  }

  /** May be a moment old: a reader that came just now gets the next block. */
  of(instrumentId: number): Demand {
    // acquire: pairs with the release of `set`
    return Atomics.load(this.words, instrumentId) as Demand;
  }

  hasAny(): boolean {
    for (let id = 0; id < this.words.length; id++) if (this.of(id) !== Demand.None) return true;
    return false;
  }
}
