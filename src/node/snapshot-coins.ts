/** The names that a whole snapshot holds. Main thread, cold. */
import { FaultError } from '../faults/fault.js';
import type { SnapshotBytes } from '../ingest/node-files-options.js';
import { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { SnapshotParser, SnapshotResult } from '../venues/hyperliquid-node/parse-snapshot.js';

const PIECE_BYTES = 1 << 20;

/** Reads to the end and closes. Throws FaultError CAPTURE_MALFORMED, naming `source`. */
export function readCoins(bytes: SnapshotBytes, source: string): string[] {
  const coins: string[] = [];
  const parser = new SnapshotParser(new NodeInstruments([]), {
    onHeight() {},
    onCoin: (_id, name) => coins.push(name),
    onOrder() {},
    onCoinEnd() {},
  });
  try {
    for (;;) {
      const result = parser.step(Infinity);
      if (result === SnapshotResult.Done) return coins;
      const piece = result === SnapshotResult.NeedMore ? bytes.read(PIECE_BYTES) : null;
      if (piece === null)
        throw new FaultError('CAPTURE_MALFORMED', `${source}: no L4 snapshot, or cut short`);
      parser.feed(piece);
    }
  } finally {
    bytes.close();
  }
}
