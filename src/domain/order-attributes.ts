/**
 * What is known of a resting order besides its place: one 32-bit word, in rings, books and on the
 * wire alike.
 *
 *     bits 0–2 time in force   3 reduce-only   4 has a client id   5 identity known   6 was a trigger
 *     bits 8–11 order type     12 position TP/SL
 */
export const TimeInForce = { Unknown: 0, Gtc: 1, Alo: 2, Ioc: 3, FrontendMarket: 4 } as const;
export type TimeInForce = (typeof TimeInForce)[keyof typeof TimeInForce];

export const OrderType = {
  Unknown: 0,
  Limit: 1,
  Market: 2,
  StopLimit: 3,
  StopMarket: 4,
  TakeProfitLimit: 5,
  TakeProfitMarket: 6,
} as const;
export type OrderType = (typeof OrderType)[keyof typeof OrderType];

export const OrderAttribute = {
  TimeInForceMask: 7,
  ReduceOnly: 1 << 3,
  HasClientId: 1 << 4,
  /** The order's status was seen: placed time, client id and the rest are the venue's. */
  Identified: 1 << 5,
  /** Came into the book by a trigger. */
  Triggered: 1 << 6,
  OrderTypeShift: 8,
  OrderTypeMask: 0xf00,
  PositionTpsl: 1 << 12,
} as const;
