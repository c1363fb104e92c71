/**
 * Takes the spaces between JSON's tokens out. The node writes none, and the parsers here read none: this
 * is for what other programs have written again. Ingest thread, cold: a compact line is never passed
 * through it.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Bytes in pieces of any size; a string may go on in the next one. */
export class JsonCompactor {
  private isInString = false;
  private isEscaped = false;

  /** The piece without its spaces: itself if it has none. */
  compact(piece: Buffer): Buffer {
    const target = Buffer.allocUnsafe(piece.length);
    let length = 0;
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!;
      if (this.isInString) {
        if (this.isEscaped) this.isEscaped = false;
        else if (byte === BACKSLASH) this.isEscaped = true;
        else if (byte === QUOTE) this.isInString = false;
      } else if (isSpace(byte)) {
        continue;
      } else if (byte === QUOTE) {
        this.isInString = true;
      }
      target[length++] = byte;
    }
    return length === piece.length ? piece : target.subarray(0, length);
  }
}

/** Whether a file that begins so has spaces between its tokens: JSON text has them early or never. */
export function beginsSpaced(head: Buffer): boolean {
  return new JsonCompactor().compact(head) !== head;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
