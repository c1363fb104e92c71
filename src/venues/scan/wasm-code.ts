/**
 * The compiled scanners (scanners.as.ts) as instances, each with a memory of its own. Null where
 * WebAssembly, the compiled files or the memory are missing: then the JavaScript scanners do it all.
 * Compiled twice from the same source: with vectors of 16 bytes, and without for a machine or an engine
 * that does not know them. Cold.
 */
import { readFileSync } from 'node:fs';
import type { Instrument } from '../../domain/instrument.js';

export const PAGE_BYTES = 65536;
/** Behind the constants and the symbols. */
export const TEXT_AT = 163_840;

/** Digits behind the point that the scanners read exactly beside some before it. */
const DECIMALS_MAX = 12;
/** The longest symbol in the table; a text that names a longer one is declined. */
const SYMBOL_BYTES_MAX = 16;
/** What needs no escape in JSON. */
const PLAIN_SYMBOL = /^[!#-[\]-~]+$/;
const QUOTE = 0x22;

/** What is used of the standard's global; Node's types leave it to the DOM's. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  validate(code: Uint8Array): boolean;
}

/** Addresses, and -1 for: declined. */
export interface ScannerExports {
  /** The symbol at `at`, with a quote behind it, becomes known; 0 if it has no place. */
  addSymbol(at: number, id: number, priceDecimals: number, sizeDecimals: number): number;
  /** That symbol is not known any more. */
  dropSymbol(at: number): void;
  /** A whole depth frame becomes the record at `event`: how many doubles. */
  scanFrame(at: number, end: number, event: number): number;
  /** Of the first status of one of the kinds (StatusKind), or `end`. */
  findStatus(at: number, end: number, kinds: number): number;
  /** Behind the head of a node's line, which becomes the doubles at `head`. */
  scanHead(at: number, end: number, head: number): number;
  /** Behind an event of a diff line, which becomes the record at `event`. */
  scanDiff(at: number, end: number, event: number): number;
  /** An event of a coin that is not among the symbols is declined from now on. */
  declineUnknown(): void;
}

export interface ScannerInstance {
  readonly exports: ScannerExports;
  readonly buffer: ArrayBuffer;
  /** False: compiled without vectors. */
  readonly usesVectors: boolean;
}

/** Compiled once a thread. */
const modules: { vectors: object | undefined; words: object | undefined } = {
  vectors: undefined,
  words: undefined,
};

/**
 * Its memory has a fixed size: growing one detaches its buffer, and from then on V8 looks at every typed
 * array of the thread whether it is detached (a snapshot took 7 % longer to read).
 *
 * @param withVectors false: take the scanners without them even where they are known
 */
export function createScanner(pages: number, withVectors = true): ScannerInstance | null {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return null;
  const vectors = withVectors
    ? (modules.vectors ??= compile(api, './scanners-vectors.wasm'))
    : undefined;
  const module = vectors ?? (modules.words ??= compile(api, './scanners.wasm'));
  if (module === undefined) return null;
  try {
    const memory = new api.Memory({ initial: pages, maximum: pages });
    const { exports } = new api.Instance(module, { env: { memory } });
    const { buffer } = memory;
    return { exports: exports as ScannerExports, buffer, usesVectors: module === vectors };
  } catch (error) {
    // No room for it. Whatever else it is, is a fault of the build.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Makes instruments known, or known anew; false if one is not although its symbol is short. */
export function addSymbols(
  { exports, buffer }: ScannerInstance,
  instruments: readonly Instrument[],
): boolean {
  const place = new Uint8Array(buffer, TEXT_AT);
  let areAllKnown = true;
  for (const { symbol, id, priceDecimals, sizeDecimals } of instruments) {
    if (Buffer.byteLength(symbol) > SYMBOL_BYTES_MAX) continue;
    const isPlain = PLAIN_SYMBOL.test(symbol);
    const fits = isPlain && priceDecimals <= DECIMALS_MAX && sizeDecimals <= DECIMALS_MAX;
    if (isPlain) {
      const { written } = new TextEncoder().encodeInto(symbol, place);
      place[written] = QUOTE;
      // It may have been known with fewer.
      if (!fits) exports.dropSymbol(TEXT_AT);
    }
    if (!fits || exports.addSymbol(TEXT_AT, id, priceDecimals, sizeDecimals) === 0) {
      areAllKnown = false;
    }
  }
  return areAllKnown;
}

/** Undefined: not known here, or missing (`npm run build` compiles it, a bare `tsc` leaves it out). */
function compile(api: WebAssemblyApi, file: string): object | undefined {
  let code: Buffer;
  try {
    code = readFileSync(new URL(file, import.meta.url));
  } catch {
    return undefined;
  }
  return api.validate(code) ? new api.Module(code) : undefined;
}
