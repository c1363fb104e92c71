/**
 * An order-by-order book with its hash (domain/level-hash.ts, OrderHash) kept change by change.
 * Used wherever such a book stands: books workers, the mirror of the broadcaster, clients. Hot.
 */
import { OrderHash } from './level-hash.js';
import { type LedgerResult, type LevelSink, OrderLedger } from './order-ledger.js';

const DONE: LedgerResult = 0;
/** Where the size stands in an OrderInput. */
const IN_SIZE = 2;

export class HashedLedger {
  readonly ledger: OrderLedger;
  private readonly hash = new OrderHash();

  /** @param levels gets the total size of every level that changed, at `settle` */
  constructor(levels: LevelSink, ordersFirst: number) {
    this.ledger = new OrderLedger(levels, ordersFirst);
  }

  get hashLow(): number {
    return this.hash.low;
  }

  get hashHigh(): number {
    return this.hash.high;
  }

  /** Rests an order: `source[at …]` as OrderInput. */
  add(source: Float64Array, at: number): LedgerResult {
    const result = this.ledger.add(source, at);
    if (result === DONE) this.hash.toggle(source, at, source, at + IN_SIZE);
    return result;
  }

  /** Changes a size; side, price and (unless negative) the size before must be what we hold. */
  change(source: Float64Array, at: number): LedgerResult {
    const result = this.ledger.change(source, at);
    if (result === DONE) {
      this.hash.toggle(source, at, this.ledger.lastSize, 0);
      this.hash.toggle(source, at, source, at + IN_SIZE);
    }
    return result;
  }

  /** Takes an order out; side and price must be what we hold. */
  remove(source: Float64Array, at: number): LedgerResult {
    const result = this.ledger.remove(source, at);
    if (result === DONE) this.hash.toggle(source, at, this.ledger.lastSize, 0);
    return result;
  }

  /** What is known of the order added last, see OrderIdentities.set. */
  identify(source: Float64Array, at: number): void {
    this.ledger.identities.set(this.ledger.lastSlot, source, at);
  }

  /** A block is whole: its levels go to the sink. */
  settle(): void {
    this.ledger.settle();
  }

  clear(): void {
    this.ledger.clear();
    this.hash.clear();
  }
}
