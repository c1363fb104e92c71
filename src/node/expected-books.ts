/** The books of a node's L4 snapshot file, to hold others against. Main thread, cold. */
import { HashedLedger } from '../domain/hashed-ledger.js';
import type { Instrument } from '../domain/instrument.js';
import { LedgerResult, NO_LEVELS } from '../domain/order-ledger.js';
import type { RestingOrders } from '../domain/resting-orders.js';
import { loadSnapshotOrder } from '../books/order-apply.js';
import { FaultError } from '../faults/fault.js';
import { openSnapshotFile } from '../ingest/snapshot-file.js';
import { ABSENT } from '../rings/record-types.js';
import { NodeInstruments } from '../venues/hyperliquid-node/node-instruments.js';
import { SnapshotParser, SnapshotResult } from '../venues/hyperliquid-node/parse-snapshot.js';

const PIECE_BYTES = 1 << 20;

export interface ExpectedBooks {
  readonly path: string;
  readonly height: number;
  /** By instrument id; a coin that the file does not hold has none. */
  readonly books: ReadonlyMap<number, RestingOrders>;
  /** Coins of the file that nobody asked for here. */
  readonly otherCoins: readonly string[];
}

/** Throws FaultError: FILE_UNREADABLE, CAPTURE_MALFORMED, BAD_CONFIG where the file says no height. */
export function readExpectedBooks(path: string, instruments: readonly Instrument[]): ExpectedBooks {
  const books = new Map<number, HashedLedger>();
  const otherCoins: string[] = [];
  let height: number = ABSENT;
  let book = new HashedLedger(NO_LEVELS, 1);
  const parser = new SnapshotParser(new NodeInstruments(instruments), {
    onHeight: (told) => (height = told),
    onCoin(id, name) {
      book = new HashedLedger(NO_LEVELS, 1024);
      if (id === ABSENT) otherCoins.push(name);
      else books.set(id, book);
    },
    onOrder(order) {
      if (loadSnapshotOrder(book, order, 0) === LedgerResult.Done) return;
      throw new FaultError('CAPTURE_MALFORMED', `${path}: order ${order[3]!} stands there twice`);
    },
    onCoinEnd: () => book.settle(),
  });
  readWhole(path, parser);
  if (height === ABSENT) {
    const why = 'does not say its height: ask the node for it with includeHeightInOutput';
    throw new FaultError('BAD_CONFIG', `${path} ${why}`);
  }
  const ledgers = [...books].map(([id, { ledger }]) => [id, ledger] as const);
  return { path, height, books: new Map(ledgers), otherCoins };
}

function readWhole(path: string, parser: SnapshotParser): void {
  const bytes = openSnapshotFile(path, null);
  try {
    for (;;) {
      const result = parser.step(Infinity);
      if (result === SnapshotResult.Done) return;
      const piece = result === SnapshotResult.NeedMore ? bytes.read(PIECE_BYTES) : null;
      if (piece === null)
        throw new FaultError('CAPTURE_MALFORMED', `${path}: no L4 snapshot, or cut short`);
      parser.feed(piece);
    }
  } finally {
    bytes.close();
  }
}
