/**
 * An order-by-order book with its hash (domain/level-hash.ts, orderHashLane) kept change by change.
 * Used wherever such a book stands: books workers, the mirror of the broadcaster, clients. Hot.
 */
import { HASH_SEED_HIGH, HASH_SEED_LOW, orderHashLane } from './level-hash.js';
import { LedgerResult, type LevelSink, OrderLedger } from './order-ledger.js';
import { CLIENT_ID_WORDS, NO_SLOT, OWNER_WORDS } from './order-slab.js';

export class HashedLedger {
  readonly ledger: OrderLedger;
  hashLow = 0;
  hashHigh = 0;

  /** @param levels gets the total size of every level that changes */
  constructor(levels: LevelSink, ordersFirst: number) {
    this.ledger = new OrderLedger(levels, ordersFirst);
  }

  /** Rests an order, see OrderLedger.add. */
  add(id: number, side: number, price: number, size: number, beforeId: number): LedgerResult {
    const result = this.ledger.add(id, side, price, size, beforeId);
    if (result === LedgerResult.Done) this.mix(side, price, size, id);
    return result;
  }

  /** Changes a size; side, price and (unless negative) the size before must be what we hold. */
  change(id: number, side: number, price: number, sizeBefore: number, size: number): LedgerResult {
    const slot = this.ledger.slotOf(id);
    if (slot === NO_SLOT) return LedgerResult.Unknown;
    if (!this.isAt(slot, side, price)) return LedgerResult.PlaceMismatch;
    const held = this.ledger.slab.size[slot]!;
    const result = this.ledger.change(id, sizeBefore, size);
    if (result === LedgerResult.Done) {
      this.mix(side, price, held, id);
      this.mix(side, price, size, id);
    }
    return result;
  }

  remove(id: number, side: number, price: number): LedgerResult {
    const slot = this.ledger.slotOf(id);
    if (slot === NO_SLOT) return LedgerResult.Unknown;
    const held = this.ledger.slab.size[slot]!;
    const result = this.ledger.remove(id, side, price);
    if (result === LedgerResult.Done) this.mix(side, price, held, id);
    return result;
  }

  /**
   * What is known of the order added last: placed ms and attributes at `source[at]`, then five words
   * of owner and four of client id. This is their order in ring records and in messages alike.
   */
  identify(source: Float64Array, at: number): void {
    const { slab, lastSlot } = this.ledger;
    slab.placedMs[lastSlot] = source[at]!;
    slab.attributes[lastSlot] = source[at + 1]!;
    const owner = lastSlot * OWNER_WORDS;
    for (let i = 0; i < OWNER_WORDS; i++) slab.owner[owner + i] = source[at + 2 + i]! | 0;
    const clientId = lastSlot * CLIENT_ID_WORDS;
    for (let i = 0; i < CLIENT_ID_WORDS; i++) {
      slab.clientId[clientId + i] = source[at + 2 + OWNER_WORDS + i]! | 0;
    }
  }

  clear(): void {
    this.ledger.clear();
    this.hashLow = 0;
    this.hashHigh = 0;
  }

  private isAt(slot: number, side: number, price: number): boolean {
    return this.ledger.sideOf(slot) === side && this.ledger.priceOf(slot) === price;
  }

  private mix(side: number, price: number, size: number, id: number): void {
    this.hashLow ^= orderHashLane(HASH_SEED_LOW, side, price, size, id);
    this.hashHigh ^= orderHashLane(HASH_SEED_HIGH, side, price, size, id);
  }
}
