/**
 * Which instruments' texts somebody reads: one word each, written by the thread that has the readers,
 * looked at by the thread that could provide them, once a line.
 */
export function createDemandFlags(instruments: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Math.max(1, instruments) * 4);
}

export class DemandFlags {
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
  }

  set(instrumentId: number, isWanted: boolean): void {
    // release: pairs with the acquire of `isSet`
    Atomics.store(this.words, instrumentId, isWanted ? 1 : 0);
  }

  /** May be a moment old: a reader that came just now gets the next block. */
  isSet(instrumentId: number): boolean {
    // acquire: pairs with the release of `set`
    return Atomics.load(this.words, instrumentId) === 1;
  }

  hasAny(): boolean {
    for (let id = 0; id < this.words.length; id++) if (this.isSet(id)) return true;
    return false;
  }
}
