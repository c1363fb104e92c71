/**
 * Puts the node's diffs together into whole blocks, each `new` with its order's identity, and hands
 * them on in order of height. Pure; ingest thread, once a block.
 *
 *     by block    a line is a block: closed as soon as it is read and its statuses are there
 *     streaming   rows of one height are fragments: closed when the diffs have moved past it (or
 *                 paused for CLOSE_AFTER_NS) and the statuses too
 *
 * The identity of an order is worth a short wait and no more: if the statuses do not come within
 * IDENTITY_WAIT_NS the block goes without, is counted, and from then on nobody waits for that source
 * until it speaks again. Diffs alone make the book.
 */
import { ORDER_EVENT_DOUBLES, ORDER_KIND, OrderKind } from '../rings/record-types.js';

import { type BlockWitness, WHOLE } from './block-witness.js';

/** Blocks come every 55–77 ms and a source is flushed within milliseconds; beyond this it is late. */
export const IDENTITY_WAIT_NS = 250e6;
/** Rows of one block stand within 12 ms of each other: a pause this long ends the block. */
export const CLOSE_AFTER_NS = 150e6;
/** Blocks held back at most; then the oldest goes on as it is. */
const BLOCKS_HELD_MAX = 256;
/**
 * Streaming: after so many heights in a row with rows (17 s of the venue), one without any is a hole and
 * no empty block. Files of a single coin, where empty ones occur, do not get that far.
 */
export const DENSE_BLOCKS_MIN = 256;
/** Heights of statuses that are remembered, a power of two; diffs are never so far behind them. */
const STATUS_HEIGHTS = 1024;

export interface BlockTaker {
  /** `events` holds `count` order events of ORDER_EVENT_DOUBLES each; lent until the call returns. */
  onBlock(
    height: number,
    previous: number,
    blockNs: number,
    receivedNs: number,
    events: Float64Array,
    count: number,
  ): void;
  /** Heights `from … to` never came or not whole: nothing after `from - 1` connects. */
  onHole(from: number, to: number): void;
}

/** Gives a `new` event its order's identity; false if it is not known. */
export interface IdentitySource {
  identify(event: Float64Array): boolean;
  forget(height: number): void;
}

class Block {
  height = 0;
  blockNs = 0;
  receivedNs = 0;
  lastRowNs = 0;
  events = new Float64Array(ORDER_EVENT_DOUBLES * 64);
  count = 0;
  /** Something of it is lost: it is told as a hole, in its place. */
  isBroken = false;
}

export class BlockAssembler {
  private readonly taker: BlockTaker;
  private readonly identities: IdentitySource;
  private readonly witness: BlockWitness;
  private readonly isStreaming: boolean;
  private open: Block[] = [];
  private readonly spare: Block[] = [];
  private lastHeight = -1;
  private statusHeight = -1;
  private isStatusDead = false;
  /** By height modulo their number: the last heights that statuses spoke of. */
  private readonly statusHeights = new Float64Array(STATUS_HEIGHTS).fill(-1);
  /** Streaming: heights handed on without one left out. */
  private denseBlocks = 0;
  private startHeight = -1;
  /** The rows of the first block may have begun before they were read. */
  private isFirstPartial = false;
  /** Height of the last hole, or -1: nothing older than it can be brought up to now. */
  lastHole = -1;
  /** A line of unknown height was lost: the block after the newest may lack it. */
  private breaksNext = false;
  /** Late rows of one stretch are told as one hole. */
  private isLateTold = false;
  private nowNs = 0;
  /** New orders that went on without an identity. */
  unidentified = 0;
  /** Lines of a height that had been handed on already. */
  late = 0;
  holes = 0;

  /** @param witness what the other sources say of a block's diffs; it hears of every block */
  constructor(
    taker: BlockTaker,
    identities: IdentitySource,
    witness: BlockWitness,
    isStreaming: boolean,
  ) {
    this.witness = witness;
    this.taker = taker;
    this.identities = identities;
    this.isStreaming = isStreaming;
  }

  /** Height of the last block handed on, -1 before the first. */
  get height(): number {
    return this.lastHeight;
  }

  /** Statuses are late: blocks go on without them. */
  get isIdentitySourceDead(): boolean {
    return this.isStatusDead;
  }

  /** Begins behind a height, e.g. that of a snapshot: blocks up to it are passed over. */
  startAfter(height: number): void {
    this.lastHeight = height;
    this.startHeight = height;
    this.breaksNext = false;
    this.open.length = 0;
    this.isFirstPartial = false;
    this.witness.skip(height);
  }

  /** Begins amid a stream: the first block is passed over, for it may lack rows. */
  startAmid(): void {
    this.isFirstPartial = this.isStreaming;
  }

  /**
   * Lines of unknown height are lost (malformed, too long, the file was cut): the newest block and
   * the one after it are broken, since a row may belong to either; blocks before them are whole.
   */
  breakHere(): void {
    const newest = this.open[this.open.length - 1];
    if (newest !== undefined) newest.isBroken = true;
    else this.tellHole(this.lastHeight + 1, this.lastHeight + 1);
    this.breaksNext = true;
  }

  /** A line of diffs begins; its events follow through `add`. False if its block is done with. */
  begin(height: number, blockNs: number, receivedNs: number): boolean {
    this.nowNs = receivedNs;
    const newest = this.open[this.open.length - 1];
    const known = newest === undefined ? this.lastHeight : newest.height;
    if (newest !== undefined && height === newest.height && this.isStreaming) {
      newest.lastRowNs = receivedNs;
      return true;
    }
    if (height <= known) {
      this.onLate(height);
      return false;
    }
    const block = this.spare.pop() ?? new Block();
    block.height = height;
    block.blockNs = blockNs;
    block.receivedNs = receivedNs;
    block.lastRowNs = receivedNs;
    block.count = 0;
    block.isBroken = this.breaksNext;
    this.breaksNext = false;
    this.open.push(block);
    return true;
  }

  /** One event of the line that was begun last. */
  add(event: Float64Array): void {
    const block = this.open[this.open.length - 1]!;
    const at = block.count * ORDER_EVENT_DOUBLES;
    if (at === block.events.length) {
      const wider = new Float64Array(at * 2);
      wider.set(block.events);
      block.events = wider;
    }
    for (let i = 0; i < ORDER_EVENT_DOUBLES; i++) block.events[at + i] = event[i]!;
    block.count++;
  }

  /** The line that was begun last is malformed: its block is a hole, told in its place. */
  refuse(): void {
    this.open[this.open.length - 1]!.isBroken = true;
  }

  /** The statuses of `height` were read (in streaming: one row of them). */
  onStatuses(height: number): void {
    this.statusHeights[height % STATUS_HEIGHTS] = height;
    if (height > this.statusHeight) this.statusHeight = height;
    // A source that speaks of the past only is still too late to be waited for.
    if (height > this.lastHeight) this.isStatusDead = false;
  }

  /** Hands on what is whole. Call after each read of the sources and every few milliseconds. */
  close(nowNs: number): number {
    this.nowNs = nowNs;
    let closed = 0;
    while (this.open.length > 0 && this.isWhole(this.open[0]!)) {
      const block = this.open.shift()!;
      this.handOn(block);
      this.spare.push(block);
      closed++;
    }
    return closed;
  }

  /** Hands on everything, whole or not: nothing more will come (end of a replay). */
  finish(): void {
    while (this.open.length > 0) this.handOn(this.open.shift()!);
  }

  private isWhole(block: Block): boolean {
    if (this.open.length > BLOCKS_HELD_MAX) return true;
    if (block.isBroken && this.open.length > 1) return true;
    const isNewest = this.open.length === 1;
    if (this.isStreaming && isNewest && this.nowNs - block.lastRowNs < CLOSE_AFTER_NS) return false;
    const statusesThere = this.isStreaming
      ? this.statusHeight > block.height
      : this.statusHeight >= block.height;
    if (statusesThere || this.isStatusDead || !this.wantsIdentity(block)) return true;
    if (this.nowNs - block.lastRowNs < IDENTITY_WAIT_NS) return false;
    this.isStatusDead = true;
    return true;
  }

  /** Only a `new` has an identity to wait for. */
  private wantsIdentity(block: Block): boolean {
    for (let i = 0; i < block.count; i++) {
      if (block.events[i * ORDER_EVENT_DOUBLES + ORDER_KIND] === OrderKind.New) return true;
    }
    return false;
  }

  /**
   * A line of a block that was handed on already. By block it is there twice (a file that was put
   * back), which changes nothing; a row comes once, so its block was not whole.
   */
  private onLate(height: number): void {
    this.late++;
    if (!this.isStreaming || height <= this.startHeight || this.isLateTold) return;
    this.isLateTold = true;
    const newest = this.open[this.open.length - 1];
    if (newest === undefined) this.tellHole(height, height);
    else newest.isBroken = true;
  }

  private handOn(block: Block): void {
    if (this.isFirstPartial) {
      this.isFirstPartial = false;
      this.giveUp(block.height);
      return;
    }
    if (block.isBroken) {
      this.tellHole(this.lastHeight < 0 ? block.height : this.lastHeight + 1, block.height);
      this.giveUp(block.height);
      return;
    }
    this.isLateTold = false;
    // By block every height has a line: the first one that is read follows the one before it.
    const isFirst = this.lastHeight < 0 && !this.isStreaming;
    const previous = isFirst ? block.height - 1 : this.lastHeight;
    if (!this.isStreaming && block.height > previous + 1) {
      this.tellHole(previous + 1, block.height - 1);
      this.witness.skip(block.height - 1);
    }
    if (this.isStreaming) this.lookForSilence(previous, block.height);
    const isWhole = this.witness.close(block.height, block.events, block.count);
    const { missingFrom } = this.witness;
    if (missingFrom !== WHOLE) this.tellHole(missingFrom, block.height - 1);
    if (!isWhole) {
      this.tellHole(block.height, block.height);
      this.giveUp(block.height);
      return;
    }
    for (let i = 0; i < block.count; i++) {
      const at = i * ORDER_EVENT_DOUBLES;
      if (block.events[at + ORDER_KIND] !== OrderKind.New) continue;
      if (!this.identities.identify(block.events.subarray(at, at + ORDER_EVENT_DOUBLES)))
        this.unidentified++;
    }
    this.identities.forget(block.height);
    this.lastHeight = block.height;
    this.taker.onBlock(
      block.height,
      previous,
      block.blockNs,
      block.receivedNs,
      block.events,
      block.count,
    );
  }

  /** Heights between that no source has a row of, in a stream that has rows of every height. */
  private lookForSilence(previous: number, height: number): void {
    let silent = previous + 1;
    while (silent < height && this.statusHeights[silent % STATUS_HEIGHTS] === silent) silent++;
    if (previous < 0 || silent === height) {
      this.denseBlocks++;
      return;
    }
    const wasDense = this.denseBlocks >= DENSE_BLOCKS_MIN;
    this.denseBlocks = 0;
    if (wasDense) this.tellHole(previous + 1, height - 1);
  }

  private giveUp(height: number): void {
    this.denseBlocks = 0;
    this.identities.forget(height);
    this.witness.skip(height);
    this.lastHeight = height;
  }

  private tellHole(from: number, to: number): void {
    this.holes++;
    this.lastHole = to;
    this.taker.onHole(from, to);
  }
}
