/**
 * The depth scanner's WebAssembly instance and its memory, one a thread. Ingest thread and replay.
 * Null where WebAssembly or the compiled file is missing: then the JavaScript scanner does it all.
 *
 *     0          header of the scanner, constants          see depth-scanner.as.ts
 *     FRAME      the frame's bytes                          1 MiB: a longer frame goes the other way
 *     EVENT      the event record that the frame becomes    3 MiB: 190,000 levels
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
}

export interface DepthScannerExports {
  /** A combined frame's beginning and header; 0, or negative if declined. */
  scanCombined(at: number, end: number): number;
  /** The same for a raw frame: from behind its `{`. */
  scanHeader(at: number, end: number): number;
  /** The levels of both sides to `out`; the position behind them, or negative. */
  scanBook(end: number, priceDecimals: number, sizeDecimals: number, out: number): number;
}

export interface DepthScannerInstance {
  readonly exports: DepthScannerExports;
  readonly bytes: Uint8Array;
  readonly doubles: Float64Array;
}

export function createDepthScanner(): DepthScannerInstance | null {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
  if (api === undefined) return null;
  let code: Buffer;
  try {
    code = readFileSync(new URL('./depth-scanner.wasm', import.meta.url));
  } catch {
    // Compiled by `npm run build`; a bare `tsc` leaves it out.
    return null;
  }
  const memory = new api.Memory({ initial: PAGES, maximum: PAGES });
  const instance = new api.Instance(new api.Module(code), { env: { memory } });
  return {
    exports: instance.exports as DepthScannerExports,
    bytes: new Uint8Array(memory.buffer),
    doubles: new Float64Array(memory.buffer),
  };
}
