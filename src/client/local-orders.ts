/**
 * A consumer's copy of every resting order of one book, kept equal to the node's and proven equal by
 * the hash that every block carries. The levels derived from it stand in the LocalBook beside it.
 * Makes objects only where a caller asks for them.
 */
import { formatDecimal } from '../domain/decimal.js';
import { hashText } from '../domain/level-hash.js';
import { CLIENT_ID_WORDS, OWNER_WORDS } from '../domain/order-identities.js';
import { NO_SLOT } from '../domain/order-ledger.js';
import { OrderAttribute } from '../domain/order-attributes.js';
import { Side } from '../domain/side.js';
import type { MessageDecoder } from '../wire/decode.js';
import { OrdersMirror } from '../wire/orders-mirror.js';
import type { LocalBook } from './local-book.js';

/** One resting order. Price and size are mantissas at the book's decimals. */
export interface LocalOrder {
  readonly orderId: number;
  readonly side: Side;
  readonly price: number;
  readonly size: number;
  readonly priceText: string;
  readonly sizeText: string;
  /** Address as `0x…`, all zeros where the venue does not tell. */
  readonly owner: string;
  readonly clientId: string | null;
  /** Unix milliseconds, 0 where the venue does not tell. */
  readonly placedMs: number;
  /** Bits of OrderAttribute. */
  readonly attributes: number;
}

export class LocalOrders {
  private readonly mirror: OrdersMirror;
  private readonly book: LocalBook;

  constructor(book: LocalBook) {
    this.book = book;
    this.mirror = new OrdersMirror({
      apply: (levels, at, bids, asks) => {
        for (let i = 0; i < bids + asks; i++) {
          const side = i < bids ? Side.Bid : Side.Ask;
          book.set(side, levels[at + 2 * i]!, levels[at + 2 * i + 1]!);
        }
      },
      clear: () => book.clear(),
    });
  }

  /** Orders resting now. */
  get count(): number {
    return this.mirror.orders.ledger.orderCount;
  }

  /** The hash over all orders (domain/level-hash.ts) as sixteen hex digits. */
  get hash(): string {
    const { hashHigh, hashLow } = this.mirror.orders;
    return hashText(hashHigh, hashLow);
  }

  /** Orders at a price, 0 if none. */
  countAt(side: Side, price: number): number {
    return this.mirror.orders.ledger.orderCountAt(side, price);
  }

  /** The queue at a price, first in time first. */
  queueAt(side: Side, price: number): LocalOrder[] {
    const { ledger } = this.mirror.orders;
    const queue: LocalOrder[] = [];
    for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.nextOf(slot))
      queue.push(this.orderAt(slot));
    return queue;
  }

  /** The queue at the best price of a side; empty if the side is. */
  bestQueue(side: Side): LocalOrder[] {
    const best = this.book.best(side);
    return best === null ? [] : this.queueAt(side, best.price);
  }

  find(orderId: number): LocalOrder | null {
    const slot = this.mirror.orders.ledger.slotOf(orderId);
    return slot === NO_SLOT ? null : this.orderAt(slot);
  }

  /** One message of the stream. False if the orders are not the node's (any more). */
  apply(kind: 'snapshot' | 'delta', message: MessageDecoder): boolean {
    if (kind === 'delta') return this.mirror.applyDelta(message);
    this.mirror.applySnapshot(message);
    return !this.mirror.isBroken;
  }

  /** A snapshot follows: what is here is worth nothing. */
  forget(): void {
    this.mirror.orders.clear();
    this.mirror.isBroken = true;
  }

  private orderAt(slot: number): LocalOrder {
    const { ledger } = this.mirror.orders;
    const { identities } = ledger;
    const price = ledger.priceOf(slot);
    const size = ledger.sizeOf(slot);
    const attributes = identities.attributes(slot);
    const hasClientId = (attributes & OrderAttribute.HasClientId) !== 0;
    return {
      orderId: ledger.idOf(slot),
      side: ledger.sideOf(slot) as Side,
      price,
      size,
      priceText: formatDecimal(price, this.book.priceDecimals),
      sizeText: formatDecimal(size, this.book.sizeDecimals),
      owner: hexOf(identities.words, identities.ownerAt(slot), OWNER_WORDS),
      clientId: hasClientId
        ? hexOf(identities.words, identities.clientIdAt(slot), CLIENT_ID_WORDS)
        : null,
      placedMs: identities.placedMs(slot),
      attributes,
    };
  }
}

function hexOf(words: Int32Array, at: number, count: number): string {
  let text = '0x';
  for (let i = 0; i < count; i++) text += (words[at + i]! >>> 0).toString(16).padStart(8, '0');
  return text;
}
