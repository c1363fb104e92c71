/**
 * What the matching engine says, and to whom. Pure vocabulary; used on whichever thread runs an
 * engine. Hot: one event cell per engine, lent to the handler for the length of the call.
 */
import type { Side } from '../domain/side.js';

export const TimeInForce = {
  /** Trades what it can, the remainder rests. */
  GoodTilCancelled: 0,
  /** Trades what it can, the remainder is cancelled. */
  ImmediateOrCancel: 1,
  /** Trades whole and at once, or is rejected without a trace in the book. */
  FillOrKill: 2,
  /** Add liquidity only: rejected if it would trade. */
  PostOnly: 3,
} as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

/** What happens when an order meets one of the same owner. */
export const SelfTradePolicy = {
  Allow: 0,
  /** The arriving order's remainder is cancelled. */
  CancelTaker: 1,
  /** The resting order is cancelled, matching goes on behind it. */
  CancelMaker: 2,
  CancelBoth: 3,
} as const;
export type SelfTradePolicy = (typeof SelfTradePolicy)[keyof typeof SelfTradePolicy];

/** An owner that is nobody: its orders trade with one another whatever the policy. */
export const NO_OWNER = 0;

export const MatchEventKind = {
  /** An order was taken in; its trades, its resting or its cancel follow. */
  Accepted: 0,
  /** A command was refused; the book is as before. */
  Rejected: 1,
  /** `size` changed hands at the resting order's price. */
  Traded: 2,
  /** The order stands at the end of its level's queue. */
  Rested: 3,
  /** Amended downwards in place: `size` was withdrawn, the place in the queue was kept. */
  Reduced: 4,
  /** `size`, all that was left, was withdrawn (see CancelReason). */
  Cancelled: 5,
  /** The order has left the engine: exactly once for each accepted order. */
  Done: 6,
} as const;
export type MatchEventKind = (typeof MatchEventKind)[keyof typeof MatchEventKind];

/** Returned by every command; None: done as asked. */
export const RejectReason = {
  None: 0,
  DuplicateId: 1,
  UnknownOrder: 2,
  /** Not a positive multiple of the tick below 2^53. */
  BadPrice: 3,
  /** Not a positive multiple of the lot below 2^53, or the level's sum would pass 2^53. */
  BadSize: 4,
  /** Post-only, and there is an order to trade with. */
  WouldMatch: 5,
  /** Fill-or-kill, and there is not enough to fill it. */
  NotFillable: 6,
  /** A market order, and nothing on the other side. */
  NoLiquidity: 7,
  /** The book holds as many orders as it may. */
  CapacityReached: 8,
} as const;
export type RejectReason = (typeof RejectReason)[keyof typeof RejectReason];

export const CancelReason = {
  Owner: 0,
  /** Remainder of an immediate-or-cancel or market order. */
  ImmediateRemainder: 1,
  SelfTrade: 2,
  /** Taken out of its queue by an amendment that loses priority. No Done follows: it comes back. */
  Replaced: 3,
} as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

export const DoneReason = { Filled: 0, Cancelled: 1 } as const;
export type DoneReason = (typeof DoneReason)[keyof typeof DoneReason];

/** No order stands before this one in its queue. */
export const NO_ORDER = -1;

/** The reused cell. Which fields count depends on `kind`; the rest hold what was there before. */
export class MatchEvent {
  kind: MatchEventKind = MatchEventKind.Accepted;
  /** Traded: the taker. */
  orderId = 0;
  owner = 0;
  side: Side = 0;
  /** Of the order; Traded: of the trade; 0 for a market order. */
  price = 0;
  /**
   * Accepted, Rested: the order's open size. Traded, Reduced, Cancelled: the size that it is about.
   */
  size = 0;
  /** Open size after the event. Traded: the taker's. */
  remaining = 0;
  timeInForce: TimeInForce = 0;
  /** Rejected: RejectReason. Cancelled: CancelReason. Done: DoneReason. */
  reason = 0;

  // Traded
  makerOrderId = 0;
  makerOwner = 0;
  makerRemaining = 0;
  tradeId = 0;

  // Rested: where in the queue
  /** Order that stands directly before it at its price, or NO_ORDER. */
  behindOrderId = NO_ORDER;
  ordersAhead = 0;
  sizeAhead = 0;
}

/**
 * Both are called in the midst of a command: the book may be read for what the event is about, but
 * no command may be given until the one under way has returned (the engine refuses with a bug).
 */
export interface MatchHandler {
  /** Lent until the call returns: copy what is to be kept. */
  onMatchEvent(event: MatchEvent): void;
  /** A level's sum went from `sizeBefore` to `sizeAfter` (0: gone); once a level a command pass. */
  onLevelChanged(
    side: Side,
    price: number,
    sizeBefore: number,
    sizeAfter: number,
    ordersAfter: number,
  ): void;
}
