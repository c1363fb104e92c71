/** Questions asked of an order before it is let in. Runs where its engine runs; hot; reads only. */
import { Side } from '../domain/side.js';
import { NO_OWNER, SelfTradePolicy } from './match-event.js';
import type { OrderBook } from './order-book.js';
import { NO_SLOT } from './order-slab.js';

/** A positive whole multiple of the step, exact. */
export function isMultiple(value: number, step: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && (step === 1 || value % step === 0);
}

/**
 * Whether an order could be filled whole at once: goes through the book as matching would,
 * self-trade policy included.
 */
export function canFillWhole(
  book: OrderBook,
  policy: SelfTradePolicy,
  owner: number,
  side: Side,
  price: number,
  size: number,
): boolean {
  const opposite = side === Side.Bid ? book.asks : book.bids;
  const guarded = policy !== SelfTradePolicy.Allow && owner !== NO_OWNER;
  const { orders } = book;
  let wanted = size;
  for (let rank = 0; rank < opposite.count; rank++) {
    const level = opposite.at(rank);
    const levelPrice = opposite.price[level]!;
    if (side === Side.Bid ? levelPrice > price : levelPrice < price) return false;
    if (!guarded) {
      wanted -= opposite.size[level]!;
    } else {
      let slot = opposite.head[level]!;
      for (; slot !== NO_SLOT && wanted > 0; slot = orders.next[slot]!) {
        if (orders.owner[slot] !== owner) wanted -= orders.size[slot]!;
        else if (policy !== SelfTradePolicy.CancelMaker) return false;
      }
    }
    if (wanted <= 0) return true;
  }
  return false;
}
