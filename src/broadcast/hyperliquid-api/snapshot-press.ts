/**
 * Makes l4Book Snapshots, one at a time and a slice a turn, so that a market of 50 k orders does not
 * hold up the thread. Broadcast thread.
 *
 *     asked ─▶ freeze: the records are copied, ~1 ms ─▶ ORDERS_PER_SLICE a turn, ~1 ms ─▶ written
 *
 * What is frozen is the book after one block; the book goes on meanwhile, and the blocks after that
 * one are collected for those who wait (L4Snapshot.later). Memory is bounded by one frozen book, the
 * Snapshots that somebody holds, and a written limit: beyond HELD_BYTES_MAX no further one is begun
 * until readers have taken theirs, or were closed as slow.
 */
import { FrozenLedger } from '../../domain/frozen-ledger.js';
import { NO_SLOT } from '../../domain/order-ledger.js';
import { Side } from '../../domain/side.js';
import { placesOf, type NumberFormat } from './api-text.js';
import { AsciiWriter } from './ascii-writer.js';
import type { CoinBook } from './coin-book.js';
import { L4Snapshot, SnapshotMemory } from './l4-snapshot.js';
import { OrderBytes } from './order-bytes.js';

/** Orders written in one turn. */
const ORDERS_PER_SLICE = 1024;
/** A piece is a fragment of the message: small against what a turn may send. */
const PIECE_BYTES = 128 * 1024;
/** Sixteen of BTC. */
const HELD_BYTES_MAX = 256 * 1024 * 1024;
const EMPTY = new Float64Array(0);

/** Who wants a Snapshot of its book. */
export interface PressClient {
  readonly book: CoinBook;
  /** `seq` of the last message told of the book. */
  readonly sequence: number;
  /** Somebody waits for a Snapshot. */
  readonly isWaiting: boolean;
  /** The book stands between blocks, all of which are told, and somebody can take a Snapshot now. */
  readonly canFreeze: boolean;
  /** The orders are frozen: blocks told from now on come after them. */
  onFrozen(snapshot: L4Snapshot): void;
  onWritten(snapshot: L4Snapshot): void;
}

export class SnapshotPress {
  readonly memory = new SnapshotMemory();
  /** Snapshots written so far. */
  written = 0;
  private readonly places: number;
  private asked: PressClient[] = [];
  private readonly frozen = new FrozenLedger();
  /** Prices of the frozen levels, the best at the end, and how many there are. */
  private readonly prices: [Float64Array, Float64Array] = [EMPTY, EMPTY];
  private readonly counts: [number, number] = [0, 0];
  private readonly writer = new AsciiWriter(PIECE_BYTES);
  private client: PressClient | null = null;
  private snapshot: L4Snapshot | null = null;
  private orders: OrderBytes | null = null;
  private side: Side = Side.Bid;
  /** Levels of the side still to be begun. */
  private levelsLeft = 0;
  private slot = NO_SLOT;
  private isFirst = true;
  private tail = '';

  constructor(format: NumberFormat) {
    this.places = placesOf(format);
  }

  /** In its turn, as soon as it can be frozen. */
  ask(client: PressClient): void {
    if (!this.asked.includes(client)) this.asked.push(client);
  }

  /** What is being made for the client is of no use any more. */
  abandon(client: PressClient): void {
    if (this.client !== client) return;
    this.writer.finish();
    this.end();
  }

  /** One slice of work, if there is any. Returns how many. */
  step(nowNs: number): number {
    if (this.client === null) return this.begin();
    let left = ORDERS_PER_SLICE;
    while (left > 0) {
      if (this.slot === NO_SLOT && !this.nextLevel()) {
        this.finish(nowNs);
        return 1;
      }
      if (this.slot === NO_SLOT) continue;
      this.orders!.write(this.frozen, this.slot, this.isFirst);
      this.isFirst = false;
      this.slot = this.frozen.nextOf(this.slot);
      left--;
    }
    return 1;
  }

  private begin(): number {
    if (this.asked.length === 0 || this.memory.heldBytes > HELD_BYTES_MAX) return 0;
    this.asked = this.asked.filter((client) => client.isWaiting);
    const client = this.asked.find((asking) => asking.canFreeze);
    if (client === undefined) return 0;
    this.asked = this.asked.filter((asking) => asking !== client);
    this.freeze(client);
    return 1;
  }

  private freeze(client: PressClient): void {
    const { book, sequence } = client;
    const { instrument, coinJson, height, epoch, timeMs } = book;
    book.freezeInto(this.frozen);
    for (const { side, prices, count } of book.sides) {
      if (this.prices[side].length < count) this.prices[side] = new Float64Array(prices.length);
      this.prices[side].set(prices.subarray(0, count));
      this.counts[side] = count;
    }
    this.client = client;
    this.snapshot = new L4Snapshot(height, epoch, this.memory);
    this.orders = new OrderBytes(this.writer, instrument, coinJson, this.places);
    this.writer.begin();
    this.writer.text(
      `{"channel":"l4Book","data":{"Snapshot":{"coin":${coinJson},"time":${timeMs}` +
        `,"height":${height},"levels":[[`,
    );
    this.tail = `]],"seq":${sequence},"epoch":${epoch}}}}`;
    this.side = Side.Bid;
    this.levelsLeft = this.counts[Side.Bid];
    this.slot = NO_SLOT;
    this.isFirst = true;
    client.onFrozen(this.snapshot);
  }

  /** Goes to the next level that has orders; false after the last one of the asks. */
  private nextLevel(): boolean {
    while (this.levelsLeft === 0) {
      if (this.side === Side.Ask) return false;
      this.side = Side.Ask;
      this.levelsLeft = this.counts[Side.Ask];
      this.isFirst = true;
      this.writer.text('],[');
    }
    const price = this.prices[this.side][--this.levelsLeft]!;
    this.orders!.beginLevel(this.side, price);
    this.slot = this.frozen.headAt(this.side, price);
    return true;
  }

  private finish(nowNs: number): void {
    const { client, snapshot } = this;
    this.writer.text(this.tail);
    snapshot!.finish(this.writer.finish(), nowNs);
    this.written++;
    this.end();
    client!.onWritten(snapshot!);
  }

  private end(): void {
    this.client = null;
    this.snapshot = null;
    this.orders = null;
  }
}
