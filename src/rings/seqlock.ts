/**
 * A table of rows of doubles in shared memory, one writer a row, any number of readers on any
 * thread. A reader never blocks the writer and never sees half a row: it tries again.
 *
 *     row: [ version (int32, even = at rest) | padding to 8 bytes | doubles … ]
 *     write: version odd → plain stores → version even     read: version, plain loads, same version?
 */
import { invariant } from '../faults/invariant.js';

/** Doubles that precede a row's values: they hold the version word. */
const VERSION_DOUBLES = 1;

export function createSeqlockTable(rows: number, doublesPerRow: number): SharedArrayBuffer {
  invariant(rows > 0 && doublesPerRow > 0, 'a seqlock table has rows and columns');
  return new SharedArrayBuffer(rows * (VERSION_DOUBLES + doublesPerRow) * 8);
}

export class SeqlockWriter {
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly stride: number;

  constructor(buffer: SharedArrayBuffer, doublesPerRow: number) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.stride = VERSION_DOUBLES + doublesPerRow;
  }

  /** Copies `source[0 … doublesPerRow)` into the row. Hot. */
  write(row: number, source: Float64Array): void {
    const at = row * this.stride;
    const versionWord = at * 2;
    // An odd version left by a writer that crashed inside stays odd here: |1 is idempotent.
    const version = Atomics.load(this.words, versionWord) | 1;
    Atomics.store(this.words, versionWord, version);
    for (let i = 1; i < this.stride; i++) this.doubles[at + i] = source[i - 1]!;
    // release: pairs with the first load of SeqlockReader.tryRead
    Atomics.store(this.words, versionWord, (version + 1) | 0);
  }
}

export class SeqlockReader {
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly stride: number;

  constructor(buffer: SharedArrayBuffer, doublesPerRow: number) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.stride = VERSION_DOUBLES + doublesPerRow;
  }

  /** Copies the row into `target`. False if a write was under way or it was never written: try again. */
  tryRead(row: number, target: Float64Array): boolean {
    const at = row * this.stride;
    const versionWord = at * 2;
    // acquire: pairs with the last store of SeqlockWriter.write
    const version = Atomics.load(this.words, versionWord);
    if ((version & 1) === 1 || version === 0) return false;
    for (let i = 1; i < this.stride; i++) target[i - 1] = this.doubles[at + i]!;
    return Atomics.load(this.words, versionWord) === version;
  }
}
