/**
 * The recent messages of one stream, as encoded bytes: what resume and merging are served from.
 * Broadcast thread, hot: one `append` a message.
 *
 *     bytes    … | message s-2 | message s-1 |    waste    |   ring of bytes, messages never split
 *     entries  offset and length of sequence s stand at s & mask
 *
 * It holds consecutive sequences of one epoch, nothing else: a break empties it. When it is full it
 * grows while the budget of all histories allows, then the oldest messages go.
 */
import { invariant } from '../faults/invariant.js';

/** Bytes that all histories of the room may take together. */
export class HistoryBudget {
  private free: number;
  readonly bytesTotal: number;

  constructor(bytesTotal: number) {
    this.bytesTotal = bytesTotal;
    this.free = bytesTotal;
  }

  take(bytes: number): boolean {
    if (bytes > this.free) return false;
    this.free -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.free += bytes;
  }

  get usedBytes(): number {
    return this.bytesTotal - this.free;
  }
}

const ENTRIES_MIN = 64;

export class History {
  private readonly budget: HistoryBudget;
  private readonly bytesMin: number;
  private readonly bytesMax: number;
  private words = new Int32Array(0);
  /** The same memory. */
  private bytes = new Uint8Array(this.words.buffer);
  private offsets = new Int32Array(0);
  private lengths = new Int32Array(0);
  private entryMask = -1;
  /** Word index where the next message goes. */
  private write = 0;
  private epochNow = 0;
  private first = 0;
  private count = 0;

  constructor(budget: HistoryBudget, bytesMin: number, bytesMax: number) {
    this.budget = budget;
    this.bytesMin = bytesMin & ~7;
    this.bytesMax = bytesMax & ~7;
  }

  get epoch(): number {
    return this.epochNow;
  }
  get size(): number {
    return this.count;
  }
  get oldestSequence(): number {
    return this.first;
  }
  get newestSequence(): number {
    return this.first + this.count - 1;
  }

  /** Whether messages `first … newest` are all here and of `epoch`. */
  covers(epoch: number, first: number): boolean {
    return (
      this.count > 0 &&
      epoch === this.epochNow &&
      first >= this.first &&
      first <= this.newestSequence
    );
  }

  /** The whole buffer; a message begins at `wordAt` and is `bytesAt` long. */
  get buffer(): Int32Array {
    return this.words;
  }
  wordAt(sequence: number): number {
    return this.offsets[sequence & this.entryMask]!;
  }
  bytesAt(sequence: number): number {
    return this.lengths[sequence & this.entryMask]!;
  }
  /** Lent until the next `append`. */
  messageAt(sequence: number): Uint8Array {
    invariant(sequence >= this.first && sequence <= this.newestSequence, 'the message is kept');
    return new Uint8Array(this.words.buffer, this.wordAt(sequence) * 4, this.bytesAt(sequence));
  }

  /** Keeps a copy of a message of whole words. Hot. */
  append(message: Uint8Array, epoch: number, sequence: number): void {
    if (this.count > 0 && (epoch !== this.epochNow || sequence !== this.first + this.count))
      this.clear();
    const needed = message.length >>> 2;
    if (!this.makeRoom(needed)) {
      this.clear();
      return;
    }
    if (this.count === 0) {
      this.first = sequence;
      this.epochNow = epoch;
    }
    if (this.count > this.entryMask) this.growEntries();
    const to = this.write;
    this.bytes.set(message, to * 4);
    this.offsets[sequence & this.entryMask] = to;
    this.lengths[sequence & this.entryMask] = message.length;
    this.write = to + needed;
    this.count++;
  }

  clear(): void {
    this.count = 0;
    this.write = 0;
  }

  /** Empties it and returns its bytes to the budget. */
  dispose(): void {
    this.clear();
    this.budget.giveBack(this.words.length * 4);
    this.words = new Int32Array(0);
    this.bytes = new Uint8Array(this.words.buffer);
  }

  /** Sets `write` to where `needed` words fit, dropping the oldest; false if they never can. */
  private makeRoom(needed: number): boolean {
    for (;;) {
      if (this.fitsWithoutLoss(needed)) return true;
      if (this.grow(needed)) continue;
      if (this.count === 0) return false;
      this.first++;
      this.count--;
      if (this.count === 0) this.write = 0;
    }
  }

  private fitsWithoutLoss(needed: number): boolean {
    const capacity = this.words.length;
    if (this.count === 0) {
      this.write = 0;
      return needed <= capacity;
    }
    const tail = this.wordAt(this.first);
    if (this.write > tail) {
      if (capacity - this.write >= needed) return true;
      if (tail < needed) return false;
      this.write = 0;
      return true;
    }
    return tail - this.write >= needed;
  }

  private grow(needed: number): boolean {
    const old = this.words;
    let bytes = Math.max(old.length * 8, this.bytesMin);
    while (bytes < needed * 4 && bytes < this.bytesMax) bytes *= 2;
    if (bytes > this.bytesMax) bytes = this.bytesMax;
    if (bytes <= old.length * 4 || !this.budget.take(bytes - old.length * 4)) return false;
    const words = new Int32Array(bytes >>> 2);
    let to = 0;
    for (let i = 0; i < this.count; i++) {
      const slot = (this.first + i) & this.entryMask;
      const from = this.offsets[slot]!;
      const length = this.lengths[slot]! >>> 2;
      words.set(old.subarray(from, from + length), to);
      this.offsets[slot] = to;
      to += length;
    }
    this.words = words;
    this.bytes = new Uint8Array(words.buffer);
    this.write = to;
    return true;
  }

  private growEntries(): void {
    const mask = Math.max(ENTRIES_MIN, (this.entryMask + 1) * 2) - 1;
    const offsets = new Int32Array(mask + 1);
    const lengths = new Int32Array(mask + 1);
    for (let i = 0; i < this.count; i++) {
      const sequence = this.first + i;
      offsets[sequence & mask] = this.offsets[sequence & this.entryMask]!;
      lengths[sequence & mask] = this.lengths[sequence & this.entryMask]!;
    }
    this.offsets = offsets;
    this.lengths = lengths;
    this.entryMask = mask;
  }
}
