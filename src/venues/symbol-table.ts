/**
 * From a symbol's bytes, as they stand in a frame, to a small index. Hot: ingest thread, once a frame.
 *
 * Open addressing with linear probing, at most a quarter full. The bytes of all symbols stand behind
 * one another in one array; a probe compares hash, length and bytes, so a collision is only slower.
 */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const EMPTY = -1;

export const NO_SYMBOL = -1;

export class SymbolTable {
  private readonly mask: number;
  private readonly places: Int32Array;
  private readonly hashes: Int32Array;
  /** Symbol i is text[starts[i] … starts[i + 1]). */
  private readonly starts: Int32Array;
  private readonly text: Uint8Array;

  /** @param symbols distinct; the index is that in this list */
  constructor(symbols: readonly string[]) {
    const encoded = symbols.map((symbol) => new TextEncoder().encode(symbol));
    const size = 1 << Math.max(4, Math.ceil(Math.log2((symbols.length + 1) * 4)));
    this.mask = size - 1;
    this.places = new Int32Array(size).fill(EMPTY);
    this.hashes = new Int32Array(symbols.length);
    this.starts = new Int32Array(symbols.length + 1);
    this.text = new Uint8Array(encoded.reduce((sum, bytes) => sum + bytes.length, 0));
    let end = 0;
    encoded.forEach((bytes, index) => {
      this.text.set(bytes, end);
      this.starts[index] = end;
      end += bytes.length;
      this.starts[index + 1] = end;
      const hash = hashOf(bytes, 0, bytes.length);
      this.hashes[index] = hash;
      let place = (hash ^ (hash >>> 15)) & this.mask;
      while (this.places[place] !== EMPTY) place = (place + 1) & this.mask;
      this.places[place] = index;
    });
  }

  /** Index of the symbol that stands in `bytes[start … end)`, or NO_SYMBOL. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    let place = (hash ^ (hash >>> 15)) & this.mask;
    for (;;) {
      const index = this.places[place]!;
      if (index === EMPTY) return NO_SYMBOL;
      if (this.hashes[index] === hash && this.equals(index, bytes, start, end)) return index;
      place = (place + 1) & this.mask;
    }
  }

  private equals(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.starts[index]!;
    const length = this.starts[index + 1]! - from;
    if (length !== end - start) return false;
    for (let i = 0; i < length; i++) {
      if (this.text[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash;
}
