/**
 * The depth scanner's memory, one a thread. Ingest thread and replay.
 *
 *     0          constants, symbols                         see scanners.as.ts
 *     FRAME      the frame's bytes                          1 MiB: a longer frame goes the other way
 *     EVENT      the event record that the frame becomes    up to the end: 186,000 levels
 */
import { TEXT_AT, createScanner, type ScannerInstance } from './wasm-code.js';

const PAGES = 64;
export const FRAME_AT = TEXT_AT;
export const FRAME_BYTES_MAX = 1 << 20;
export const EVENT_AT = FRAME_AT + FRAME_BYTES_MAX;

export interface DepthScannerInstance extends ScannerInstance {
  readonly bytes: Uint8Array;
  readonly doubles: Float64Array;
}

/** @param withVectors false: take the scanner without them even where they are known */
export function createDepthScanner(withVectors = true): DepthScannerInstance | null {
  const instance = createScanner(PAGES, withVectors);
  if (instance === null) return null;
  const { buffer } = instance;
  return { ...instance, bytes: new Uint8Array(buffer), doubles: new Float64Array(buffer) };
}
