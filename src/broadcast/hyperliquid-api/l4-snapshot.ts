/**
 * One l4Book Snapshot, the orders of a coin after a block, as the bytes of one message in pieces: made
 * once, lent to the outboxes of all who wait for it, together with the blocks that came since. And
 * what all of them hold at a time. Broadcast thread.
 */
import type { ApiText } from './text-bytes.js';

export class SnapshotMemory {
  /** Bytes of Snapshots that somebody still holds. */
  heldBytes = 0;
}

export class L4Snapshot {
  readonly height: number;
  readonly epoch: number;
  /** Texts of the blocks after `height`, in order. */
  readonly later: ApiText[] = [];
  laterBytes = 0;
  /** Empty until it is written. */
  pieces: readonly Uint8Array[] = [];
  bytes = 0;
  writtenNs = Infinity;
  private holders = 1;
  private readonly memory: SnapshotMemory;

  /** Held once, by whoever makes it. */
  constructor(height: number, epoch: number, memory: SnapshotMemory) {
    this.height = height;
    this.epoch = epoch;
    this.memory = memory;
  }

  get isWritten(): boolean {
    return this.pieces.length > 0;
  }

  finish(pieces: readonly Uint8Array[], nowNs: number): void {
    this.pieces = pieces;
    for (const piece of pieces) this.bytes += piece.length;
    this.writtenNs = nowNs;
    if (this.holders > 0) this.memory.heldBytes += this.bytes;
  }

  /** Kept. */
  noteLater(text: ApiText): void {
    this.later.push(text);
    this.laterBytes += text.length;
  }

  hold(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
    if (this.holders === 0) this.memory.heldBytes -= this.bytes;
  }
}
