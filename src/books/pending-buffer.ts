/**
 * Venue updates kept in order until a snapshot can be aligned with them. Bounded in records and in
 * bytes: when a limit is reached the oldest are forgotten and counted, and the snapshot that is then
 * too old is taken anew. Books thread; warm while a book syncs, unused and empty otherwise.
 *
 *     doubles:  … free … │ length, record … │ length, record … │ … free …
 *                        begin                                 end
 */
const DOUBLES_FIRST = 1024;
/** A buffer that grew beyond this is given back when the book is Live. */
const DOUBLES_KEPT = 8192;

export class PendingBuffer {
  count = 0;
  doubles = new Float64Array(0);
  private readonly recordsMax: number;
  private readonly doublesMax: number;
  private begin = 0;
  private end = 0;

  constructor(recordsMax: number, bytesMax: number) {
    this.recordsMax = recordsMax;
    this.doublesMax = Math.floor(bytesMax / 8);
  }

  /** Index of the first record in `doubles`. */
  get firstAt(): number {
    return this.begin + 1;
  }

  /** Doubles of the first record. */
  get firstLength(): number {
    return this.doubles[this.begin]!;
  }

  /** Copies a record in. Returns how many were forgotten for it (itself, if it can never fit). */
  add(source: Float64Array, at: number, length: number): number {
    const needed = length + 1;
    if (needed > this.doublesMax) {
      const forgotten = this.count + 1;
      this.clear();
      return forgotten;
    }
    let forgotten = 0;
    while (this.count >= this.recordsMax || this.end - this.begin + needed > this.doublesMax) {
      this.dropFirst();
      forgotten++;
    }
    this.makeRoom(needed);
    this.doubles[this.end] = length;
    for (let i = 0; i < length; i++) this.doubles[this.end + 1 + i] = source[at + i]!;
    this.end += needed;
    this.count++;
    return forgotten;
  }

  dropFirst(): void {
    this.begin += this.doubles[this.begin]! + 1;
    this.count--;
    if (this.count === 0) this.clear();
  }

  clear(): void {
    this.count = 0;
    this.begin = 0;
    this.end = 0;
  }

  /** Gives back what a long wait made it take. Only when empty. */
  release(): void {
    if (this.count === 0 && this.doubles.length > DOUBLES_KEPT) this.doubles = new Float64Array(0);
  }

  get memoryBytes(): number {
    return this.doubles.byteLength;
  }

  private makeRoom(needed: number): void {
    const used = this.end - this.begin;
    if (this.end + needed <= this.doubles.length) return;
    // Shifting down is worth it when it frees at least half; else the copies would add up.
    if (used + needed <= this.doubles.length && used * 2 <= this.doubles.length) {
      this.doubles.copyWithin(0, this.begin, this.end);
    } else {
      const wanted = Math.max(DOUBLES_FIRST, 2 ** Math.ceil(Math.log2((used + needed) * 1.5)));
      const grown = new Float64Array(wanted);
      grown.set(this.doubles.subarray(this.begin, this.end));
      this.doubles = grown;
    }
    this.begin = 0;
    this.end = used;
  }
}
