/**
 * AssemblyScript, compiled to WebAssembly by `npm run build`, once with vectors and once without: what
 * the hottest scanners export. An instance of it has a memory of its own and serves one scanner.
 * Ingest thread.
 *
 *     4096        constants                                digits.as.ts, levels.as.ts, node-head.as.ts
 *     16384       the instruments' symbols, 128 KiB        symbols.as.ts
 *     beyond      texts and records                        depth-memory.ts, line-memory.ts
 */
export { addSymbol, dropSymbol } from './symbols.as';
export { scanFrame } from './depth-scanner.as';
export { findStatus } from './find-status.as';
export { scanHead } from './node-head.as';
export { declineUnknown, scanDiff } from './node-diff.as';
