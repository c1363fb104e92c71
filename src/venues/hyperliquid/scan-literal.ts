/**
 * A fixed text of at least four bytes that a frame must have at a place, compared four at a time.
 * Ingest thread, hot. The last word overlaps the one before it where the length is no multiple of four.
 */
import { invariant } from '../../faults/invariant.js';
import { SCAN_FAILED, wordOf } from '../byte-scan.js';

export class Literal {
  private readonly words: Int32Array;
  private readonly length: number;
  private readonly lastAt: number;
  private readonly lastWord: number;

  /** A text of three bytes is compared as such. */
  constructor(text: string) {
    invariant(text.length >= 3, 'a literal has at least three bytes');
    this.length = text.length;
    const whole = text.length >> 2;
    this.words = Int32Array.from({ length: whole }, (_, i) => wordOf(text.slice(4 * i, 4 * i + 4)));
    const isShort = text.length === 3;
    this.lastAt = isShort ? 0 : text.length - 4;
    this.mask = isShort ? 0xffffff : -1;
    this.lastWord = wordOf(isShort ? `${text}\0` : text.slice(-4));
  }

  private readonly mask: number;

  /** The position behind the text if it stands at `at`, else SCAN_FAILED. */
  pass(view: DataView, at: number): number {
    const { words } = this;
    for (let i = 0; i < words.length; i++) {
      if (view.getInt32(at + (i << 2), true) !== words[i]) return SCAN_FAILED;
    }
    if ((view.getInt32(at + this.lastAt, true) & this.mask) !== this.lastWord) return SCAN_FAILED;
    return at + this.length;
  }
}
