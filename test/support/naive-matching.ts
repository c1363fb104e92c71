/**
 * The matching engine's naive twin: arrays of objects, searched and sorted each time. Slow and
 * obviously right. Tells the same events as text.
 */
import { Side } from '../../src/domain/side.js';
import {
  CancelReason,
  DoneReason,
  NO_OWNER,
  RejectReason,
  SelfTradePolicy,
  TimeInForce,
} from '../../src/matching/match-event.js';

interface NaiveOrder {
  readonly id: number;
  readonly owner: number;
  readonly side: Side;
  price: number;
  size: number;
  readonly postOnly: boolean;
  /** Place in time. */
  turn: number;
}

export class NaiveMatching {
  readonly log: string[] = [];
  orders: NaiveOrder[] = [];
  private turn = 0;
  private tradeId = 1;

  constructor(
    private readonly policy: SelfTradePolicy,
    private readonly ordersMax: number,
  ) {}

  limit(
    id: number,
    owner: number,
    side: Side,
    price: number,
    size: number,
    tif: TimeInForce,
  ): RejectReason {
    const rests = tif === TimeInForce.GoodTilCancelled || tif === TimeInForce.PostOnly;
    if (!(price > 0) || !Number.isSafeInteger(price)) return this.reject(id, RejectReason.BadPrice);
    if (!(size > 0) || !Number.isSafeInteger(size)) return this.reject(id, RejectReason.BadSize);
    if (this.orders.some((order) => order.id === id)) {
      return this.reject(id, RejectReason.DuplicateId);
    }
    const facing = this.facing(side, price);
    if (tif === TimeInForce.PostOnly && facing.length > 0) {
      return this.reject(id, RejectReason.WouldMatch);
    }
    if (tif === TimeInForce.FillOrKill && this.available(owner, facing, size) < size) {
      return this.reject(id, RejectReason.NotFillable);
    }
    if (rests && this.orders.length >= this.ordersMax) {
      return this.reject(id, RejectReason.CapacityReached);
    }
    this.log.push(`accepted ${id} ${size}`);
    const order = { id, owner, side, price, size, postOnly: tif === TimeInForce.PostOnly, turn: 0 };
    this.run(order, rests);
    return RejectReason.None;
  }

  market(id: number, owner: number, side: Side, size: number): RejectReason {
    if (this.orders.some((order) => order.id === id)) {
      return this.reject(id, RejectReason.DuplicateId);
    }
    if (this.facing(side, side === Side.Bid ? Infinity : 0).length === 0) {
      return this.reject(id, RejectReason.NoLiquidity);
    }
    this.log.push(`accepted ${id} ${size}`);
    const price = side === Side.Bid ? Infinity : 0;
    this.run({ id, owner, side, price, size, postOnly: false, turn: 0 }, false);
    return RejectReason.None;
  }

  cancel(id: number): RejectReason {
    const order = this.orders.find((candidate) => candidate.id === id);
    if (order === undefined) return this.reject(id, RejectReason.UnknownOrder);
    this.withdraw(order, CancelReason.Owner);
    return RejectReason.None;
  }

  amend(id: number, price: number, size: number): RejectReason {
    const order = this.orders.find((candidate) => candidate.id === id);
    if (order === undefined) return this.reject(id, RejectReason.UnknownOrder);
    if (price === order.price && size <= order.size) {
      if (size < order.size) {
        this.log.push(`reduced ${id} ${order.size - size} ${size}`);
        order.size = size;
      }
      return RejectReason.None;
    }
    if (order.postOnly && this.facing(order.side, price).length > 0) {
      return this.reject(id, RejectReason.WouldMatch);
    }
    this.withdraw(order, CancelReason.Replaced);
    order.price = price;
    order.size = size;
    this.run(order, true);
    return RejectReason.None;
  }

  /** Every resting order of a side, best first, oldest first: [id, owner, price, size]. */
  queue(side: Side): number[][] {
    const better = side === Side.Bid ? -1 : 1;
    return this.orders
      .filter((order) => order.side === side)
      .sort((a, b) => better * (a.price - b.price) || a.turn - b.turn)
      .map((order) => [order.id, order.owner, order.price, order.size]);
  }

  /** Orders that one at this price would trade with, first to last. */
  private facing(side: Side, price: number): NaiveOrder[] {
    const better = side === Side.Bid ? 1 : -1;
    return this.orders
      .filter((order) => order.side !== side && better * (price - order.price) >= 0)
      .sort((a, b) => better * (a.price - b.price) || a.turn - b.turn);
  }

  private available(owner: number, facing: NaiveOrder[], wanted: number): number {
    let sum = 0;
    for (const order of facing) {
      if (sum >= wanted) break;
      if (this.isSelf(owner, order)) {
        if (this.policy === SelfTradePolicy.CancelMaker) continue;
        break;
      }
      sum += order.size;
    }
    return sum;
  }

  private isSelf(owner: number, order: NaiveOrder): boolean {
    return this.policy !== SelfTradePolicy.Allow && owner !== NO_OWNER && order.owner === owner;
  }

  private run(taker: NaiveOrder, rests: boolean): void {
    let stopped = false;
    for (const maker of this.facing(taker.side, taker.price)) {
      if (taker.size === 0 || stopped) break;
      if (this.isSelf(taker.owner, maker)) {
        if (this.policy !== SelfTradePolicy.CancelTaker)
          this.withdraw(maker, CancelReason.SelfTrade);
        if (this.policy !== SelfTradePolicy.CancelMaker) stopped = true;
        continue;
      }
      const size = Math.min(maker.size, taker.size);
      maker.size -= size;
      taker.size -= size;
      this.log.push(
        `traded ${this.tradeId++} ${maker.id}/${maker.owner} ${taker.id}/${taker.owner} ` +
          `${maker.price} ${size} ${maker.size} ${taker.size}`,
      );
      if (maker.size === 0) {
        this.orders.splice(this.orders.indexOf(maker), 1);
        this.log.push(`done ${maker.id} ${DoneReason.Filled}`);
      }
    }
    if (taker.size === 0) {
      this.log.push(`done ${taker.id} ${DoneReason.Filled}`);
    } else if (rests && !stopped) {
      const ahead = this.orders.filter((o) => o.side === taker.side && o.price === taker.price);
      const sizeAhead = ahead.reduce((sum, order) => sum + order.size, 0);
      const last = ahead.sort((a, b) => a.turn - b.turn).at(-1)?.id ?? -1;
      this.log.push(`rested ${taker.id} ${taker.size} ${ahead.length} ${sizeAhead} ${last}`);
      taker.turn = this.turn++;
      this.orders.push(taker);
    } else {
      const reason = stopped ? CancelReason.SelfTrade : CancelReason.ImmediateRemainder;
      this.log.push(`cancelled ${taker.id} ${taker.size} ${reason}`);
      this.log.push(`done ${taker.id} ${DoneReason.Cancelled}`);
    }
  }

  private withdraw(order: NaiveOrder, reason: CancelReason): void {
    this.orders.splice(this.orders.indexOf(order), 1);
    this.log.push(`cancelled ${order.id} ${order.size} ${reason}`);
    if (reason !== CancelReason.Replaced) this.log.push(`done ${order.id} ${DoneReason.Cancelled}`);
  }

  private reject(id: number, reason: RejectReason): RejectReason {
    this.log.push(`rejected ${id} ${reason}`);
    return reason;
  }
}
