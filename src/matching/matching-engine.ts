/**
 * Price-time matching over an order-by-order book: one instrument, whole numbers only, no clock, no
 * input or output, no chance. Runs on whichever thread owns it. Hot: a command allocates nothing.
 *
 *     command ──▶ checks ──▶ Accepted ──▶ match: best level first, oldest order first
 *                   │                        │ Traded (at the resting price), Done for the filled
 *                   ▼                        ▼
 *                Rejected          remainder: Rested at the queue's end │ Cancelled, Done
 *
 * Every command returns a RejectReason (None: done). What rests is the remainder, never the order
 * as it came. The caller gives order ids (unique among the live ones) and owners.
 */
import { Side } from '../domain/side.js';
import { InvariantError } from '../faults/invariant.js';
import type { LevelSide } from './level-side.js';
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
import { OrderBook, OrderFlag } from './order-book.js';
import { canFillWhole, isMultiple } from './order-checks.js';
import { NO_SLOT } from './order-slab.js';
import type { OrderSlab } from './order-slab.js';

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

export class MatchingEngine {
  /** For reading only: whoever changes it otherwise than by a command breaks the engine. */
  readonly book: OrderBook;
  private readonly orders: OrderSlab;
  private readonly handler: MatchHandler;
  private readonly policy: SelfTradePolicy;
  private tickSize: number;
  private readonly lotSize: number;
  private readonly event = new MatchEvent();
  private nextTradeId: number;
  private busy = false;
  // the taker under way
  private remaining = 0;
  private stopped = false;

  constructor(options: MatchingEngineOptions) {
    this.handler = options.handler;
    this.book = new OrderBook(options.ordersCountMax ?? 1 << 20);
    this.orders = this.book.orders;
    this.policy = options.selfTradePolicy ?? SelfTradePolicy.CancelTaker;
    this.tickSize = options.tickSize ?? 1;
    this.lotSize = options.lotSize ?? 1;
    this.nextTradeId = options.firstTradeId ?? 1;
  }

  /** The next trade's number, for an engine that goes on where this one ends. */
  get upcomingTradeId(): number {
    return this.nextTradeId;
  }

  /** Orders from now on are checked against another tick; those at rest stay where they are. */
  retick(tickSize: number): void {
    this.tickSize = tickSize;
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
    this.settle(orderId, owner, side, price, timeInForce);
    this.busy = false;
    return RejectReason.None;
  }

  /** Takes whatever price there is; what cannot be filled is cancelled. */
  submitMarket(orderId: number, owner: number, side: Side, size: number): RejectReason {
    this.enter();
    const timeInForce = TimeInForce.ImmediateOrCancel;
    this.describe(orderId, owner, side, 0, size, timeInForce);
    const opposite = side === Side.Bid ? this.book.asks : this.book.bids;
    if (this.orders.find(orderId) !== NO_SLOT) return this.refuse(RejectReason.DuplicateId);
    if (!isMultiple(size, this.lotSize)) return this.refuse(RejectReason.BadSize);
    if (opposite.count === 0) return this.refuse(RejectReason.NoLiquidity);
    this.emit(MatchEventKind.Accepted);
    this.match(orderId, owner, side, side === Side.Bid ? Infinity : 0, size);
    this.settle(orderId, owner, side, 0, timeInForce);
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
   * New price and new open size of a resting order. Smaller at the same price keeps the place in
   * the queue; anything else leaves it, may trade, and rests at the end. A post-only order stays
   * so.
   */
  amend(orderId: number, price: number, size: number): RejectReason {
    this.enter();
    const orders = this.orders;
    const slot = orders.find(orderId);
    const flags = slot === NO_SLOT ? 0 : orders.flags[slot]!;
    const side = flags & OrderFlag.Ask ? Side.Ask : Side.Bid;
    const timeInForce =
      flags & OrderFlag.PostOnly ? TimeInForce.PostOnly : TimeInForce.GoodTilCancelled;
    const owner = slot === NO_SLOT ? NO_OWNER : orders.owner[slot]!;
    this.describe(orderId, owner, side, price, size, timeInForce);
    if (slot === NO_SLOT) return this.refuse(RejectReason.UnknownOrder);
    if (!isMultiple(price, this.tickSize)) return this.refuse(RejectReason.BadPrice);
    const levels = this.book.sideOf(side);
    const level = orders.level[slot]!;
    const samePrice = levels.price[level] === price;
    const sumElsewhere = this.book.levelSize(side, price) - (samePrice ? orders.size[slot]! : 0);
    if (!isMultiple(size, this.lotSize) || sumElsewhere + size > Number.MAX_SAFE_INTEGER) {
      return this.refuse(RejectReason.BadSize);
    }
    if (samePrice && size <= orders.size[slot]!) {
      if (size < orders.size[slot]!) this.reduce(slot, size);
      this.busy = false;
      return RejectReason.None;
    }
    if (timeInForce === TimeInForce.PostOnly && this.book.crosses(side, price)) {
      return this.refuse(RejectReason.WouldMatch);
    }
    this.withdraw(slot, CancelReason.Replaced);
    this.match(orderId, owner, side, price, size);
    this.settle(orderId, owner, side, price, timeInForce);
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
        return canFillWhole(this.book, this.policy, owner, side, price, size)
          ? RejectReason.None
          : RejectReason.NotFillable;
      case TimeInForce.PostOnly:
        if (this.book.crosses(side, price)) return RejectReason.WouldMatch;
        break;
      case TimeInForce.GoodTilCancelled:
        break;
    }
    if (this.orders.full) return RejectReason.CapacityReached;
    return this.book.levelSize(side, price) + size > Number.MAX_SAFE_INTEGER
      ? RejectReason.BadSize
      : RejectReason.None;
  }

  /** Trades the order against the other side; leaves its remainder in `remaining`. */
  private match(orderId: number, owner: number, side: Side, price: number, size: number): void {
    const opposite = side === Side.Bid ? this.book.asks : this.book.bids;
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
    this.book.shrink(opposite, maker, size);
    if (open === size) this.book.unlink(opposite, maker);
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
  ): void {
    const rests =
      timeInForce === TimeInForce.GoodTilCancelled || timeInForce === TimeInForce.PostOnly;
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
    const postOnly = timeInForce === TimeInForce.PostOnly;
    const slot = this.book.append(orderId, owner, side, price, this.remaining, postOnly);
    const levels = this.book.sideOf(side);
    const level = this.orders.level[slot]!;
    const previous = this.orders.previous[slot]!;
    const sizeBefore = levels.size[level]! - this.remaining;
    this.describe(orderId, owner, side, price, this.remaining, timeInForce);
    this.event.behindOrderId = previous === NO_SLOT ? NO_ORDER : this.orders.orderId[previous]!;
    this.event.ordersAhead = levels.orders[level]! - 1;
    this.event.sizeAhead = sizeBefore;
    this.emit(MatchEventKind.Rested);
    this.levelChanged(levels, level, sizeBefore);
  }

  private reduce(slot: number, size: number): void {
    const orders = this.orders;
    const levels = this.book.sideOfSlot(slot);
    const level = orders.level[slot]!;
    const sizeBefore = levels.size[level]!;
    const withdrawn = orders.size[slot]! - size;
    this.book.shrink(levels, slot, withdrawn);
    this.event.size = withdrawn;
    this.event.remaining = size;
    this.emit(MatchEventKind.Reduced);
    this.levelChanged(levels, level, sizeBefore);
  }

  /** Takes a resting order out by a command of its own. */
  private withdraw(slot: number, reason: CancelReason): void {
    const levels = this.book.sideOfSlot(slot);
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
      orders.flags[slot]! & OrderFlag.PostOnly
        ? TimeInForce.PostOnly
        : TimeInForce.GoodTilCancelled;
    this.book.shrink(levels, slot, size);
    this.book.unlink(levels, slot);
    this.describe(orderId, owner, levels.side, levels.price[level]!, size, timeInForce);
    this.event.remaining = 0;
    this.event.reason = reason;
    this.emit(MatchEventKind.Cancelled);
    if (reason !== CancelReason.Replaced) {
      this.done(orderId, owner, levels.side, DoneReason.Cancelled);
    }
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
}
