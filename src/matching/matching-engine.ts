/**
 * Price-time matching over an order-by-order book: one instrument, whole numbers only, no clock, no
 * input or output, no chance. Runs on whichever thread owns it. Hot: a command allocates nothing.
 *
 *     command ──▶ checks ──▶ Accepted ──▶ match: best level first, oldest order first
 *                   │                        │ Traded (at the resting price), Done for who is filled
 *                   ▼                        ▼
 *                Rejected          remainder: Rested at the queue's end │ Cancelled, Done
 *
 * Every command returns a RejectReason (None: done). What rests is the remainder, never the order as
 * it came. The caller gives order ids (unique among the live ones) and owners.
 */
import { Aggressor, Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import { LevelSide } from './level-side.js';
import {
  CancelReason,
  DoneReason,
  MatchEvent,
  MatchEventKind,
  NO_ORDER,
  NO_OWNER,
  RejectReason,
  SelfTradePolicy,
  TimeInForce,
} from './match-event.js';
import type { MatchHandler } from './match-event.js';
import { NO_SLOT, OrderSlab } from './order-slab.js';

const FLAG_ASK = 1;
const FLAG_POST_ONLY = 2;

export interface MatchingEngineOptions {
  readonly handler: MatchHandler;
  /** Most orders that may rest at once; memory grows towards it by doubling (about 50 B each). */
  readonly ordersCountMax?: number;
  readonly selfTradePolicy?: SelfTradePolicy;
  /** Prices must be multiples of this mantissa. */
  readonly tickSize?: number;
  /** Sizes must be multiples of this mantissa. */
  readonly lotSize?: number;
  readonly firstTradeId?: number;
}

/** A resting order as `readOrder` gives it. */
export class OrderView {
  orderId = 0;
  owner = 0;
  side: Side = Side.Bid;
  price = 0;
  size = 0;
  postOnly = false;
}

export class MatchingEngine {
  readonly bids = new LevelSide(Side.Bid);
  readonly asks = new LevelSide(Side.Ask);
  private readonly orders: OrderSlab;
  private readonly handler: MatchHandler;
  private readonly policy: SelfTradePolicy;
  private readonly tickSize: number;
  private readonly lotSize: number;
  private readonly event = new MatchEvent();
  private nextTradeId: number;
  private busy = false;
  // the taker under way
  private remaining = 0;
  private stopped = false;

  constructor(options: MatchingEngineOptions) {
    this.handler = options.handler;
    this.orders = new OrderSlab(options.ordersCountMax ?? 1 << 20);
    this.policy = options.selfTradePolicy ?? SelfTradePolicy.CancelTaker;
    this.tickSize = options.tickSize ?? 1;
    this.lotSize = options.lotSize ?? 1;
    this.nextTradeId = options.firstTradeId ?? 1;
  }

  /** Resting orders on both sides. */
  get ordersCount(): number {
    return this.orders.count;
  }

  sideOf(side: Side): LevelSide {
    return side === Side.Bid ? this.bids : this.asks;
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

  /** A limit order. The result is also told to the handler, as Accepted or Rejected. */
  submitLimit(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    size: number,
    timeInForce: TimeInForce,
  ): RejectReason {
    this.enter();
    const reason = this.checkLimit(orderId, owner, side, price, size, timeInForce);
    this.describe(orderId, owner, side, price, size, timeInForce);
    if (reason !== RejectReason.None) return this.refuse(reason);
    this.emit(MatchEventKind.Accepted);
    this.match(orderId, owner, side, price, size);
    const rests =
      timeInForce === TimeInForce.GoodTilCancelled || timeInForce === TimeInForce.PostOnly;
    this.settle(orderId, owner, side, price, timeInForce, rests);
    this.busy = false;
    return RejectReason.None;
  }

  /** Takes whatever price there is; what cannot be filled is cancelled. */
  submitMarket(orderId: number, owner: number, side: Side, size: number): RejectReason {
    this.enter();
    const timeInForce = TimeInForce.ImmediateOrCancel;
    this.describe(orderId, owner, side, 0, size, timeInForce);
    const opposite = side === Side.Bid ? this.asks : this.bids;
    if (this.orders.find(orderId) !== NO_SLOT) return this.refuse(RejectReason.DuplicateId);
    if (!isMultiple(size, this.lotSize)) return this.refuse(RejectReason.BadSize);
    if (opposite.count === 0) return this.refuse(RejectReason.NoLiquidity);
    this.emit(MatchEventKind.Accepted);
    this.match(orderId, owner, side, side === Side.Bid ? Infinity : 0, size);
    this.settle(orderId, owner, side, 0, timeInForce, false);
    this.busy = false;
    return RejectReason.None;
  }

  cancel(orderId: number): RejectReason {
    this.enter();
    const slot = this.orders.find(orderId);
    if (slot === NO_SLOT) {
      this.describe(orderId, NO_OWNER, Side.Bid, 0, 0, TimeInForce.GoodTilCancelled);
      return this.refuse(RejectReason.UnknownOrder);
    }
    this.withdraw(slot, CancelReason.Owner);
    this.busy = false;
    return RejectReason.None;
  }

  /**
   * New price and new open size of a resting order. Smaller at the same price keeps the place in the
   * queue; anything else leaves it, may trade, and rests at the end. A post-only order stays so.
   */
  amend(orderId: number, price: number, size: number): RejectReason {
    this.enter();
    const orders = this.orders;
    const slot = orders.find(orderId);
    const flags = slot === NO_SLOT ? 0 : orders.flags[slot]!;
    const side = flags & FLAG_ASK ? Side.Ask : Side.Bid;
    const timeInForce =
      flags & FLAG_POST_ONLY ? TimeInForce.PostOnly : TimeInForce.GoodTilCancelled;
    const owner = slot === NO_SLOT ? NO_OWNER : orders.owner[slot]!;
    this.describe(orderId, owner, side, price, size, timeInForce);
    if (slot === NO_SLOT) return this.refuse(RejectReason.UnknownOrder);
    if (!isMultiple(price, this.tickSize)) return this.refuse(RejectReason.BadPrice);
    const levels = this.sideOf(side);
    const level = orders.level[slot]!;
    const samePrice = levels.price[level] === price;
    const sumElsewhere = this.levelSize(side, price) - (samePrice ? orders.size[slot]! : 0);
    if (!isMultiple(size, this.lotSize) || sumElsewhere + size > Number.MAX_SAFE_INTEGER) {
      return this.refuse(RejectReason.BadSize);
    }
    if (samePrice && size <= orders.size[slot]!) {
      if (size < orders.size[slot]!) this.reduce(slot, size);
      this.busy = false;
      return RejectReason.None;
    }
    if (timeInForce === TimeInForce.PostOnly && this.crosses(side, price)) {
      return this.refuse(RejectReason.WouldMatch);
    }
    this.withdraw(slot, CancelReason.Replaced);
    this.match(orderId, owner, side, price, size);
    this.settle(orderId, owner, side, price, timeInForce, true);
    this.busy = false;
    return RejectReason.None;
  }

  private checkLimit(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    size: number,
    timeInForce: TimeInForce,
  ): RejectReason {
    if (!isMultiple(price, this.tickSize)) return RejectReason.BadPrice;
    if (!isMultiple(size, this.lotSize)) return RejectReason.BadSize;
    if (this.orders.find(orderId) !== NO_SLOT) return RejectReason.DuplicateId;
    switch (timeInForce) {
      case TimeInForce.ImmediateOrCancel:
        return RejectReason.None;
      case TimeInForce.FillOrKill:
        return this.fillable(owner, side, price, size)
          ? RejectReason.None
          : RejectReason.NotFillable;
      case TimeInForce.PostOnly:
        if (this.crosses(side, price)) return RejectReason.WouldMatch;
        break;
      case TimeInForce.GoodTilCancelled:
        break;
    }
    if (this.orders.full) return RejectReason.CapacityReached;
    return this.levelSize(side, price) + size > Number.MAX_SAFE_INTEGER
      ? RejectReason.BadSize
      : RejectReason.None;
  }

  private crosses(side: Side, price: number): boolean {
    return side === Side.Bid
      ? this.asks.count > 0 && this.asks.price[this.asks.best]! <= price
      : this.bids.count > 0 && this.bids.price[this.bids.best]! >= price;
  }

  /** Whether `size` would trade whole, as `match` would do it, self-trade policy included. */
  private fillable(owner: number, side: Side, price: number, size: number): boolean {
    const opposite = side === Side.Bid ? this.asks : this.bids;
    const guarded = this.policy !== SelfTradePolicy.Allow && owner !== NO_OWNER;
    let wanted = size;
    for (let rank = 0; rank < opposite.count; rank++) {
      const level = opposite.at(rank);
      const levelPrice = opposite.price[level]!;
      if (side === Side.Bid ? levelPrice > price : levelPrice < price) return false;
      if (!guarded) {
        wanted -= opposite.size[level]!;
      } else {
        let slot = opposite.head[level]!;
        for (; slot !== NO_SLOT && wanted > 0; slot = this.orders.next[slot]!) {
          if (this.orders.owner[slot] !== owner) wanted -= this.orders.size[slot]!;
          else if (this.policy !== SelfTradePolicy.CancelMaker) return false;
        }
      }
      if (wanted <= 0) return true;
    }
    return false;
  }

  /** Trades the order against the other side; leaves its remainder in `remaining`. */
  private match(orderId: number, owner: number, side: Side, price: number, size: number): void {
    const opposite = side === Side.Bid ? this.asks : this.bids;
    this.remaining = size;
    this.stopped = false;
    while (this.remaining > 0 && !this.stopped && opposite.count > 0) {
      const level = opposite.best;
      const levelPrice = opposite.price[level]!;
      if (side === Side.Bid ? levelPrice > price : levelPrice < price) break;
      const sizeBefore = opposite.size[level]!;
      this.matchLevel(opposite, level, orderId, owner, side);
      this.levelChanged(opposite, level, sizeBefore);
    }
  }

  private matchLevel(
    opposite: LevelSide,
    level: number,
    orderId: number,
    owner: number,
    side: Side,
  ): void {
    const orders = this.orders;
    const guarded = this.policy !== SelfTradePolicy.Allow && owner !== NO_OWNER;
    let maker = opposite.head[level]!;
    while (maker !== NO_SLOT && this.remaining > 0) {
      const next = orders.next[maker]!;
      if (guarded && orders.owner[maker] === owner) {
        if (this.policy !== SelfTradePolicy.CancelTaker) {
          this.withdrawFrom(opposite, maker, CancelReason.SelfTrade);
        }
        if (this.policy !== SelfTradePolicy.CancelMaker) {
          this.stopped = true;
          return;
        }
      } else {
        this.trade(opposite, level, maker, orderId, owner, side);
      }
      maker = next;
    }
  }

  private trade(
    opposite: LevelSide,
    level: number,
    maker: number,
    orderId: number,
    owner: number,
    side: Side,
  ): void {
    const orders = this.orders;
    const open = orders.size[maker]!;
    const size = open < this.remaining ? open : this.remaining;
    const makerId = orders.orderId[maker]!;
    const makerOwner = orders.owner[maker]!;
    this.remaining -= size;
    orders.size[maker] = open - size;
    opposite.size[level] = opposite.size[level]! - size;
    if (open === size) this.unlink(opposite, maker);
    const event = this.event;
    event.orderId = orderId;
    event.owner = owner;
    event.side = side;
    event.price = opposite.price[level]!;
    event.size = size;
    event.remaining = this.remaining;
    event.makerOrderId = makerId;
    event.makerOwner = makerOwner;
    event.makerRemaining = open - size;
    event.tradeId = this.nextTradeId++;
    this.emit(MatchEventKind.Traded);
    if (open === size) this.done(makerId, makerOwner, opposite.side, DoneReason.Filled);
  }

  /** What becomes of the taker after matching: filled, at rest, or cancelled. */
  private settle(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    timeInForce: TimeInForce,
    rests: boolean,
  ): void {
    if (this.remaining === 0) {
      this.done(orderId, owner, side, DoneReason.Filled);
    } else if (rests && !this.stopped) {
      this.rest(orderId, owner, side, price, timeInForce);
    } else {
      this.describe(orderId, owner, side, price, this.remaining, timeInForce);
      this.event.remaining = 0;
      this.event.reason = this.stopped ? CancelReason.SelfTrade : CancelReason.ImmediateRemainder;
      this.emit(MatchEventKind.Cancelled);
      this.done(orderId, owner, side, DoneReason.Cancelled);
    }
  }

  private rest(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    timeInForce: TimeInForce,
  ): void {
    const orders = this.orders;
    const levels = this.sideOf(side);
    const level = levels.obtain(price);
    const slot = orders.add(orderId);
    const tail = levels.tail[level]!;
    const sizeBefore = levels.size[level]!;
    orders.owner[slot] = owner;
    orders.size[slot] = this.remaining;
    orders.level[slot] = level;
    orders.next[slot] = NO_SLOT;
    orders.previous[slot] = tail;
    orders.flags[slot] =
      (side === Side.Ask ? FLAG_ASK : 0) |
      (timeInForce === TimeInForce.PostOnly ? FLAG_POST_ONLY : 0);
    if (tail === NO_SLOT) levels.head[level] = slot;
    else orders.next[tail] = slot;
    levels.tail[level] = slot;
    levels.size[level] = sizeBefore + this.remaining;
    levels.orders[level] = levels.orders[level]! + 1;
    this.describe(orderId, owner, side, price, this.remaining, timeInForce);
    this.event.behindOrderId = tail === NO_SLOT ? NO_ORDER : orders.orderId[tail]!;
    this.event.ordersAhead = levels.orders[level] - 1;
    this.event.sizeAhead = sizeBefore;
    this.emit(MatchEventKind.Rested);
    this.levelChanged(levels, level, sizeBefore);
  }

  private reduce(slot: number, size: number): void {
    const orders = this.orders;
    const levels = this.sideOf(orders.flags[slot]! & FLAG_ASK ? Side.Ask : Side.Bid);
    const level = orders.level[slot]!;
    const sizeBefore = levels.size[level]!;
    const withdrawn = orders.size[slot]! - size;
    orders.size[slot] = size;
    levels.size[level] = sizeBefore - withdrawn;
    this.event.size = withdrawn;
    this.event.remaining = size;
    this.emit(MatchEventKind.Reduced);
    this.levelChanged(levels, level, sizeBefore);
  }

  /** Takes a resting order out by a command of its own. */
  private withdraw(slot: number, reason: CancelReason): void {
    const levels = this.sideOf(this.orders.flags[slot]! & FLAG_ASK ? Side.Ask : Side.Bid);
    const level = this.orders.level[slot]!;
    const sizeBefore = levels.size[level]!;
    this.withdrawFrom(levels, slot, reason);
    this.levelChanged(levels, level, sizeBefore);
  }

  private withdrawFrom(levels: LevelSide, slot: number, reason: CancelReason): void {
    const orders = this.orders;
    const level = orders.level[slot]!;
    const orderId = orders.orderId[slot]!;
    const owner = orders.owner[slot]!;
    const size = orders.size[slot]!;
    const timeInForce =
      orders.flags[slot]! & FLAG_POST_ONLY ? TimeInForce.PostOnly : TimeInForce.GoodTilCancelled;
    levels.size[level] = levels.size[level]! - size;
    this.unlink(levels, slot);
    this.describe(orderId, owner, levels.side, levels.price[level]!, size, timeInForce);
    this.event.remaining = 0;
    this.event.reason = reason;
    this.emit(MatchEventKind.Cancelled);
    if (reason !== CancelReason.Replaced) {
      this.done(orderId, owner, levels.side, DoneReason.Cancelled);
    }
  }

  /** Out of its queue and its slot; the level's sum is the caller's, an empty level is kept. */
  private unlink(levels: LevelSide, slot: number): void {
    const orders = this.orders;
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

  /** Tells the level's new sum, if it is new, and takes the level out when its queue is empty. */
  private levelChanged(levels: LevelSide, level: number, sizeBefore: number): void {
    const price = levels.price[level]!;
    const size = levels.size[level]!;
    const orders = levels.orders[level]!;
    if (orders === 0) levels.remove(level);
    if (size !== sizeBefore) {
      this.handler.onLevelChanged(levels.side, price, sizeBefore, size, orders);
    }
  }

  private done(orderId: number, owner: number, side: Side, reason: DoneReason): void {
    const event = this.event;
    event.orderId = orderId;
    event.owner = owner;
    event.side = side;
    event.remaining = 0;
    event.reason = reason;
    this.emit(MatchEventKind.Done);
  }

  private refuse(reason: RejectReason): RejectReason {
    this.event.reason = reason;
    this.emit(MatchEventKind.Rejected);
    this.busy = false;
    return reason;
  }

  private describe(
    orderId: number,
    owner: number,
    side: Side,
    price: number,
    size: number,
    timeInForce: TimeInForce,
  ): void {
    const event = this.event;
    event.orderId = orderId;
    event.owner = owner;
    event.side = side;
    event.price = price;
    event.size = size;
    event.remaining = size;
    event.timeInForce = timeInForce;
  }

  private emit(kind: MatchEventKind): void {
    this.event.kind = kind;
    this.handler.onMatchEvent(this.event);
  }

  private enter(): void {
    if (this.busy) throw new InvariantError('a handler gave a command in the midst of one');
    this.busy = true;
  }

  private readSlot(slot: number, into: OrderView): void {
    const flags = this.orders.flags[slot]!;
    into.orderId = this.orders.orderId[slot]!;
    into.owner = this.orders.owner[slot]!;
    into.side = flags & FLAG_ASK ? Side.Ask : Side.Bid;
    into.price = this.sideOf(into.side).price[this.orders.level[slot]!]!;
    into.size = this.orders.size[slot]!;
    into.postOnly = (flags & FLAG_POST_ONLY) !== 0;
  }
}

/** The aggressor of a trade whose taker stands on `side`. */
export function aggressorOf(side: Side): Aggressor {
  return side === Side.Bid ? Aggressor.Buy : Aggressor.Sell;
}

function isMultiple(value: number, step: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && (step === 1 || value % step === 0);
}
