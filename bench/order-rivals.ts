/**
 * Order books as one writes them first: an object an order, a Map of them, a Map of levels with their
 * queue, total size and number of orders, and the best prices. One links the orders of a level, the
 * other has them in an array. To find the next best price they look at all levels, which costs less
 * here than keeping the prices sorted: a best level seldom empties.
 */
import { ORDER_INPUT_DOUBLES } from '../src/domain/order-ledger.js';
import { ADD, CHANGE, CHANGES_PER_BLOCK } from './order-changes.js';
import type { OrderChanges } from './order-changes.js';

export interface BookRival {
  /** Applies all; the sum of the best prices after each block, and the number of orders. */
  apply(changes: OrderChanges): number;
}

interface LinkedOrder {
  readonly id: number;
  size: number;
  next: LinkedOrder | null;
  previous: LinkedOrder | null;
  readonly level: LinkedLevel;
}

interface LinkedLevel {
  readonly side: number;
  readonly price: number;
  size: number;
  orders: number;
  head: LinkedOrder | null;
  tail: LinkedOrder | null;
}

/** Best prices over Maps of levels. */
class Bests<Level> {
  readonly levels = [new Map<number, Level>(), new Map<number, Level>()] as const;
  bid = -Infinity;
  ask = Infinity;

  opened(side: number, price: number, level: Level): void {
    this.levels[side as 0 | 1].set(price, level);
    if (side === 0) this.bid = Math.max(this.bid, price);
    else this.ask = Math.min(this.ask, price);
  }

  emptied(side: number, price: number): void {
    const levels = this.levels[side as 0 | 1];
    levels.delete(price);
    if (side === 0 && price === this.bid) {
      this.bid = -Infinity;
      for (const other of levels.keys()) if (other > this.bid) this.bid = other;
    } else if (side === 1 && price === this.ask) {
      this.ask = Infinity;
      for (const other of levels.keys()) if (other < this.ask) this.ask = other;
    }
  }
}

export class LinkedBook implements BookRival {
  private readonly orders = new Map<number, LinkedOrder>();
  private readonly bests = new Bests<LinkedLevel>();

  apply({ count, kind, inputs }: OrderChanges): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      const id = inputs[at + 4]!;
      if (kind[i] === ADD) this.add(id, inputs[at]!, inputs[at + 1]!, inputs[at + 2]!);
      else if (kind[i] === CHANGE) this.change(id, inputs[at + 2]!);
      else this.remove(id);
      if (i % CHANGES_PER_BLOCK === 0) sum += this.bests.bid + this.bests.ask;
    }
    return sum + this.orders.size;
  }

  private add(id: number, side: number, price: number, size: number): void {
    if (this.orders.has(id)) return;
    let level = this.bests.levels[side as 0 | 1].get(price);
    if (level === undefined) {
      level = { side, price, size: 0, orders: 0, head: null, tail: null };
      this.bests.opened(side, price, level);
    }
    const order: LinkedOrder = { id, size, next: null, previous: level.tail, level };
    if (level.tail === null) level.head = order;
    else level.tail.next = order;
    level.tail = order;
    level.size += size;
    level.orders++;
    this.orders.set(id, order);
  }

  private change(id: number, size: number): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    order.level.size += size - order.size;
    order.size = size;
  }

  private remove(id: number): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    this.orders.delete(id);
    const { level, next, previous } = order;
    if (previous === null) level.head = next;
    else previous.next = next;
    if (next === null) level.tail = previous;
    else next.previous = previous;
    level.size -= order.size;
    level.orders--;
    if (level.orders === 0) this.bests.emptied(level.side, level.price);
  }
}

interface PlainOrder {
  readonly id: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

export class QueueBook implements BookRival {
  private readonly orders = new Map<number, PlainOrder>();
  private readonly bests = new Bests<{ size: number; queue: PlainOrder[] }>();

  apply({ count, kind, inputs }: OrderChanges): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      const id = inputs[at + 4]!;
      if (kind[i] === ADD) this.add(id, inputs[at]!, inputs[at + 1]!, inputs[at + 2]!);
      else if (kind[i] === CHANGE) this.change(id, inputs[at + 2]!);
      else this.remove(id);
      if (i % CHANGES_PER_BLOCK === 0) sum += this.bests.bid + this.bests.ask;
    }
    return sum + this.orders.size;
  }

  private add(id: number, side: number, price: number, size: number): void {
    if (this.orders.has(id)) return;
    const order = { id, side, price, size };
    this.orders.set(id, order);
    const level = this.bests.levels[side as 0 | 1].get(price);
    if (level === undefined) {
      this.bests.opened(side, price, { size, queue: [order] });
      return;
    }
    level.size += size;
    level.queue.push(order);
  }

  private change(id: number, size: number): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    this.bests.levels[order.side as 0 | 1].get(order.price)!.size += size - order.size;
    order.size = size;
  }

  private remove(id: number): void {
    const order = this.orders.get(id);
    if (order === undefined) return;
    this.orders.delete(id);
    const level = this.bests.levels[order.side as 0 | 1].get(order.price)!;
    level.size -= order.size;
    level.queue.splice(level.queue.indexOf(order), 1);
    if (level.queue.length === 0) this.bests.emptied(order.side, order.price);
  }
}
