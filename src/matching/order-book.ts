/**
 * The order-by-order book under a matching engine: two sides of levels, each a queue of orders, and
 * the orders by id. Holds what rests and answers questions; knows no matching rule. Runs where its
 * engine runs. Hot: nothing here allocates but the doubling of its arrays.
 *
 *     side ── levels, best last ──▶ level: price, sum, orders, head ⇄ order ⇄ order ⇄ tail
 *                                                               ▲
 *     order id ── table ──▶ slot: owner, open size, flags ──────┘
 */
import { Side } from '../domain/side.js';
import { LevelSide } from './level-side.js';
import { NO_SLOT, OrderSlab } from './order-slab.js';

export const OrderFlag = { Ask: 1, PostOnly: 2 } as const;

/** A resting order as it is read out. */
export class OrderView {
  orderId = 0;
  owner = 0;
  side: Side = Side.Bid;
  price = 0;
  size = 0;
  postOnly = false;
}

export class OrderBook {
  readonly bids = new LevelSide(Side.Bid);
  readonly asks = new LevelSide(Side.Ask);
  readonly orders: OrderSlab;

  constructor(ordersCountMax: number) {
    this.orders = new OrderSlab(ordersCountMax);
  }

  /** Resting orders on both sides. */
  get ordersCount(): number {
    return this.orders.count;
  }

  sideOf(side: Side): LevelSide {
    return side === Side.Bid ? this.bids : this.asks;
  }

  /** The levels on which the order in a slot rests. */
  sideOfSlot(slot: number): LevelSide {
    return this.orders.flags[slot]! & OrderFlag.Ask ? this.asks : this.bids;
  }

  /** Best price of a side, 0 if it is empty. */
  bestPrice(side: Side): number {
    const levels = this.sideOf(side);
    return levels.count === 0 ? 0 : levels.price[levels.best]!;
  }

  bestSize(side: Side): number {
    const levels = this.sideOf(side);
    return levels.count === 0 ? 0 : levels.size[levels.best]!;
  }

  /** Sum of the open sizes at a price, 0 where there is no level. */
  levelSize(side: Side, price: number): number {
    const levels = this.sideOf(side);
    const level = levels.find(price);
    return level === NO_SLOT ? 0 : levels.size[level]!;
  }

  /** Whether an order at this price would trade at once. */
  crosses(side: Side, price: number): boolean {
    const { bids, asks } = this;
    return side === Side.Bid
      ? asks.count > 0 && asks.price[asks.best]! <= price
      : bids.count > 0 && bids.price[bids.best]! >= price;
  }

  has(orderId: number): boolean {
    return this.orders.find(orderId) !== NO_SLOT;
  }

  /** Fills `into`; false if the order does not rest here. */
  readOrder(orderId: number, into: OrderView): boolean {
    const slot = this.orders.find(orderId);
    if (slot === NO_SLOT) return false;
    this.readSlot(slot, into);
    return true;
  }

  /** Cold. Every resting order of a side, best level first, oldest first; the view is reused. */
  visitOrders(side: Side, visit: (order: OrderView, ordersAhead: number) => void): void {
    const levels = this.sideOf(side);
    const view = new OrderView();
    for (let rank = 0; rank < levels.count; rank++) {
      let ahead = 0;
      let slot = levels.head[levels.at(rank)]!;
      while (slot !== NO_SLOT) {
        this.readSlot(slot, view);
        visit(view, ahead++);
        slot = this.orders.next[slot]!;
      }
    }
  }

  /** Puts a new order at the end of its price's queue. Returns its slot. */
  append(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    size: number,
    postOnly: boolean,
  ): number {
    const { orders } = this;
    const levels = this.sideOf(side);
    const level = levels.obtain(price);
    const slot = orders.add(orderId);
    const tail = levels.tail[level]!;
    orders.owner[slot] = owner;
    orders.size[slot] = size;
    orders.level[slot] = level;
    orders.next[slot] = NO_SLOT;
    orders.previous[slot] = tail;
    orders.flags[slot] =
      (side === Side.Ask ? OrderFlag.Ask : 0) | (postOnly ? OrderFlag.PostOnly : 0);
    if (tail === NO_SLOT) levels.head[level] = slot;
    else orders.next[tail] = slot;
    levels.tail[level] = slot;
    levels.size[level] = levels.size[level]! + size;
    levels.orders[level] = levels.orders[level]! + 1;
    return slot;
  }

  /** Takes `size` off an order and its level; the order keeps its place, even at 0. */
  shrink(levels: LevelSide, slot: number, size: number): void {
    const { orders } = this;
    const level = orders.level[slot]!;
    orders.size[slot] = orders.size[slot]! - size;
    levels.size[level] = levels.size[level]! - size;
  }

  /** Takes an order of open size 0 out of its queue and its slot; an empty level stays. */
  unlink(levels: LevelSide, slot: number): void {
    const { orders } = this;
    const level = orders.level[slot]!;
    const next = orders.next[slot]!;
    const previous = orders.previous[slot]!;
    if (previous === NO_SLOT) levels.head[level] = next;
    else orders.next[previous] = next;
    if (next === NO_SLOT) levels.tail[level] = previous;
    else orders.previous[next] = previous;
    levels.orders[level] = levels.orders[level]! - 1;
    orders.remove(slot);
  }

  private readSlot(slot: number, into: OrderView): void {
    const flags = this.orders.flags[slot]!;
    into.orderId = this.orders.orderId[slot]!;
    into.owner = this.orders.owner[slot]!;
    into.side = flags & OrderFlag.Ask ? Side.Ask : Side.Bid;
    into.price = this.sideOf(into.side).price[this.orders.level[slot]!]!;
    into.size = this.orders.size[slot]!;
    into.postOnly = (flags & OrderFlag.PostOnly) !== 0;
  }
}
