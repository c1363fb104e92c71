/** An order and its status as a Hyperliquid node writes them, its keys in the node's order. */

export interface GivenOrder {
  readonly coin: string;
  readonly side: string;
  readonly limitPx: string;
  readonly sz: string;
  readonly oid: number;
  readonly timestamp: number;
}

/** A plain post-only limit order of its first size, where `more` says nothing else. */
export function nodeOrder(given: GivenOrder, more: Record<string, unknown> = {}) {
  const { coin, side, limitPx, sz, oid, timestamp } = given;
  return {
    coin,
    side,
    limitPx,
    sz,
    oid,
    timestamp,
    triggerCondition: 'N/A',
    isTrigger: false,
    triggerPx: '0.0',
    children: [],
    isPositionTpsl: false,
    reduceOnly: false,
    orderType: 'Limit',
    origSz: sz,
    tif: 'Alo',
    cloid: null,
    ...more,
  };
}

export function nodeStatus<Order extends object>(
  status: string,
  time: string,
  user: string,
  order: Order,
) {
  return { time, user, hash: null, builder: null, status, order };
}
