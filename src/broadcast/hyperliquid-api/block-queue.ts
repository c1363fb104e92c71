/**
 * The blocks of one coin on their way to `l4Book`: what the books made of the block and what its
 * statuses say come by two ways, and one message is made of both. In the order of the blocks, each
 * once. Broadcast thread.
 *
 *     books   ── changes of block H ──▶ ┐
 *                                        ├─ H is whole ─▶ emit(H), emit(H+1), …
 *     ingest  ── statuses of block H ─▶ ┘
 *
 * A block is whole when both have come, or when the one that has not come is known to have nothing:
 * the books have told of a later block, the statuses have. A way that is silent is waited for no
 * longer than WAIT_NS; what it brings afterwards goes out as a message of its own as long as no later
 * block has gone, else it is counted and dropped.
 */
import { ABSENT } from '../../rings/record-types.js';
import { TextBytes } from './text-bytes.js';

export interface Block {
  readonly height: number;
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** JSON of each, with commas between them; lent until `emit` returns. */
  readonly statuses: TextBytes;
  readonly diffs: string[];
  /** Statuses that are missing here or in blocks before, and were not told as such yet. */
  lost: number;
}

interface Waiting extends Block {
  hasDiffs: boolean;
  readonly sinceNs: number;
}

/** Blocks come every 70 ms; the two ways differ by some milliseconds. */
const WAIT_NS = 250e6;
/** A way that is ahead by so much will not be waited for. */
const BLOCKS_MAX = 64;
/** Texts kept to be written to again: more than a block or two seldom wait. */
const SPARE_MAX = 4;

export class BlockQueue {
  private readonly emit: (block: Block) => void;
  private readonly waiting: Waiting[] = [];
  private readonly spareTexts: TextBytes[] = [];
  /** Height up to which the books have told everything; the first and last that statuses told. */
  private booksHeight = ABSENT as number;
  private statusesFrom = -Infinity;
  private statusesHeight = ABSENT as number;
  /** None come, or none came in time: they are not waited for until one comes. */
  private areStatusesSilent: boolean;
  private readonly hasStatuses: boolean;
  private emittedHeight = ABSENT as number;
  /** A snapshot told the book of this height: nothing up to it is told again. */
  private floorHeight = ABSENT as number;
  private lostUntold = 0;
  /** Times that statuses came when a later block had gone. */
  late = 0;

  /** @param hasStatuses whether there is a way by which statuses come at all. */
  constructor(emit: (block: Block) => void, hasStatuses: boolean) {
    this.emit = emit;
    this.hasStatuses = hasStatuses;
    this.areStatusesSilent = !hasStatuses;
  }

  /** Nothing is being waited for up to the height. */
  isSettled(height: number): boolean {
    return this.waiting.length === 0 || this.waiting[0]!.height > height;
  }

  onDiffs(height: number, timeMs: number, diffs: string[], nowNs: number): void {
    this.booksHeight = Math.max(this.booksHeight, height);
    const block = this.blockAt(height, timeMs, nowNs);
    if (block === null) return;
    for (const diff of diffs) block.diffs.push(diff);
    block.hasDiffs = true;
  }

  /** The books have told of everything up to `height`. */
  onBooksAt(height: number): void {
    if (height > this.booksHeight) this.booksHeight = height;
  }

  /** JSON of one status or of some with commas between them; copied. */
  onStatuses(height: number, timeMs: number, statuses: Uint8Array, nowNs: number): void {
    const block = this.blockAt(height, timeMs, nowNs);
    if (block === null) {
      this.late++;
      return;
    }
    block.statuses.separate();
    block.statuses.addBytes(statuses);
  }

  /** Statuses will not come: the block that goes next says so. */
  onStatusesLost(count: number): void {
    this.lostUntold += count;
  }

  /** All statuses up to `height` have been told. */
  onStatusesAt(height: number): void {
    this.areStatusesSilent = false;
    if (this.statusesFrom === -Infinity) this.statusesFrom = height;
    if (height > this.statusesHeight) this.statusesHeight = height;
  }

  /** Emits what is whole. */
  drain(nowNs: number): void {
    while (this.waiting.length > 0) {
      const block = this.waiting[0]!;
      const isForced = nowNs - block.sinceNs >= WAIT_NS || this.waiting.length > BLOCKS_MAX;
      if (!this.haveStatusesOf(block)) {
        if (!isForced) return;
        this.areStatusesSilent = true;
      } else if (!isForced && !this.haveBooksOf(block)) {
        return;
      }
      this.waiting.shift();
      this.emittedHeight = block.height;
      block.lost = this.lostUntold;
      this.lostUntold = 0;
      this.emit(block);
      block.statuses.clear();
      if (this.spareTexts.length < SPARE_MAX) this.spareTexts.push(block.statuses);
    }
  }

  /** The book begins anew as it is after block `height`. */
  restart(height: number): void {
    this.waiting.length = 0;
    this.floorHeight = height;
  }

  /** Nobody reads any more: statuses will no longer come. */
  stop(): void {
    this.waiting.length = 0;
    this.lostUntold = 0;
    this.statusesFrom = -Infinity;
    this.statusesHeight = ABSENT;
    this.areStatusesSilent = !this.hasStatuses;
  }

  private haveBooksOf(block: Waiting): boolean {
    return block.hasDiffs || this.booksHeight > block.height;
  }

  private haveStatusesOf({ height }: Waiting): boolean {
    // Blocks before the first that was told were read before anybody asked for statuses.
    return this.areStatusesSilent || height < this.statusesFrom || this.statusesHeight >= height;
  }

  /** The block that waits at a height, made where there is none; null if a later one has gone. */
  private blockAt(height: number, timeMs: number, nowNs: number): Waiting | null {
    if (height < this.emittedHeight || height <= this.floorHeight) return null;
    let at = this.waiting.length;
    while (at > 0 && this.waiting[at - 1]!.height > height) at--;
    const before = this.waiting[at - 1];
    if (before?.height === height) return before;
    const made = {
      height,
      timeMs,
      statuses: this.spareTexts.pop() ?? new TextBytes(),
      diffs: [],
      lost: 0,
      hasDiffs: false,
      sinceNs: nowNs,
    };
    this.waiting.splice(at, 0, made);
    return made;
  }
}
