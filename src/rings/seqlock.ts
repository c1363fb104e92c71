/**
 * A table of rows of doubles in shared memory, one writer a row, any number of readers on any
 * thread. A reader never blocks the writer and never sees half a row: it tries again.
 *
 *     row: [ version (int32, even = at rest) | padding to 8 bytes | doubles … ]
 *     write: version odd → fence → plain stores → version even
 *     read:  version → plain loads → fence → same version?
 *
 * The fences are for processors that are not x86. An Atomics.store is a release: what stands before
 * it cannot move behind it, but what stands behind it may move before. So the row's stores could
 * overtake the odd version, and its loads fall behind the second look. A release followed by an
 * acquire is ordered (all Atomics are sequentially consistent), and nothing moves before an acquire or
 * behind a release: the writer loads the version it has just stored, the reader stores to a word of
 * its own before it looks again. On x86 each costs 15 ns and changes nothing.
 */
import { invariant } from '../faults/invariant.js';

/** Doubles that precede a row's values: they hold the version word. */
const VERSION_DOUBLES = 1;
const NEVER_WRITTEN = 0;

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
    // fence: keeps the stores below behind the odd version
    Atomics.load(this.words, versionWord);
    for (let i = 1; i < this.stride; i++) this.doubles[at + i] = source[i - 1]!;
    // Version 0 says "never written"; after 2^31 writes it would come round.
    const next = (version + 1) | 0;
    // release: pairs with the first load of SeqlockReader.tryRead
    Atomics.store(this.words, versionWord, next === NEVER_WRITTEN ? next + 2 : next);
  }
}

export class SeqlockReader {
  private readonly fence = new Int32Array(new SharedArrayBuffer(4));
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly stride: number;

  constructor(buffer: SharedArrayBuffer, doublesPerRow: number) {
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.stride = VERSION_DOUBLES + doublesPerRow;
  }

  /**
   * Copies the row into `target`. False if a write was under way or the row was never written; then
   * `target` is not to be used. Hot.
   */
  tryRead(row: number, target: Float64Array): boolean {
    const at = row * this.stride;
    const versionWord = at * 2;
    // acquire: pairs with the last store of SeqlockWriter.write
    const version = Atomics.load(this.words, versionWord);
    if ((version & 1) === 1 || version === NEVER_WRITTEN) return false;
    for (let i = 1; i < this.stride; i++) target[i - 1] = this.doubles[at + i]!;
    // fence: keeps the loads above before the second look at the version
    Atomics.store(this.fence, 0, 0);
    return Atomics.load(this.words, versionWord) === version;
  }

  /**
   * As tryRead, again and again. A write takes about 50 ns, so that more than a few tries mean a row
   * without a writer: never written, or its thread died inside a write (the next one heals it).
   */
  read(row: number, target: Float64Array, triesMax = 1000): boolean {
    for (let i = 0; i < triesMax; i++) if (this.tryRead(row, target)) return true;
    return false;
  }
}
