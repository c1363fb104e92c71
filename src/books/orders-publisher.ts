/** What an order-by-order book tells beyond a book by levels. Books thread; hot. */
import type { BookPublisher } from './book-publisher.js';
import type { BookView } from './book-view.js';
import type { HashedLedger } from '../domain/hashed-ledger.js';

export interface OrdersPublisher extends BookPublisher {
  /** `count` order events of one block, ORDER_CHANGE_FIELDS doubles each. Hot. */
  orderChanges(book: BookView, orders: HashedLedger, changes: Float64Array, count: number): void;
  /** The book's state, in the orders stream too. */
  orderStatus(book: BookView, orders: HashedLedger): void;
  /** Every resting order, in parts. */
  orderSnapshot(book: BookView, orders: HashedLedger): void;
}
