/**
 * The depth scanner's WebAssembly instance and its memory, one a thread. Ingest thread and replay.
 * Null where WebAssembly or the compiled files are missing: then the JavaScript scanner does it all.
 * Compiled twice from the same source: with vectors of 16 bytes, and without for a machine or an engine
 * that does not know them.
 *
 *     0          constants                                  see depth-scanner.as.ts
 *     FRAME      the frame's bytes                          1 MiB: a longer frame goes the other way
 *     EVENT      the event record that the frame becomes    up to SYMBOLS: 126,000 levels
 *     SYMBOLS    the instruments' symbols                   128 KiB
 */
import { readFileSync } from 'node:fs';

const PAGES = 64;
export const FRAME_AT = 8192;
export const FRAME_BYTES_MAX = 1 << 20;
export const EVENT_AT = 1_114_112;

/** What is used of the standard's global; Node's types leave it to the DOM's. */
interface WebAssemblyApi {
  readonly Memory: new (limits: { initial: number; maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
  validate(code: Uint8Array): boolean;
}

export interface DepthScannerExports {
  /** The symbol at `at`, with a quote behind it, becomes known; false if it has no place. */
  addSymbol(at: number, id: number, priceDecimals: number, sizeDecimals: number): number;
  /** A whole frame becomes the record at `event`: how many doubles, or negative if declined. */
  scanFrame(at: number, end: number, event: number): number;
}

export interface DepthScannerInstance {
  readonly exports: DepthScannerExports;
  readonly bytes: Uint8Array;
  readonly doubles: Float64Array;
  /** False: compiled without vectors. */
  readonly usesVectors: boolean;
}

/** @param withVectors false: take the scanner without them even where they are known */
export function createDepthScanner(withVectors = true): DepthScannerInstance | null {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return null;
  const vectors = withVectors ? readCode('./depth-scanner-vectors.wasm') : null;
  const usesVectors = vectors !== null && api.validate(vectors);
  const code = usesVectors ? vectors : readCode('./depth-scanner.wasm');
  if (code === null) return null;
  const memory = new api.Memory({ initial: PAGES, maximum: PAGES });
  const instance = new api.Instance(new api.Module(code), { env: { memory } });
  return {
    exports: instance.exports as DepthScannerExports,
    bytes: new Uint8Array(memory.buffer),
    doubles: new Float64Array(memory.buffer),
    usesVectors,
  };
}

/** Null: compiled by `npm run build`, a bare `tsc` leaves it out. */
function readCode(file: string): Buffer | null {
  try {
    return readFileSync(new URL(file, import.meta.url));
  } catch {
    return null;
  }
}
