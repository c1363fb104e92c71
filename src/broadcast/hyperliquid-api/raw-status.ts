/**
 * One order status of the node's files in the two shapes of the API. Broadcast thread, only for coins
 * and users that somebody reads.
 *
 *     node      {"time","user","hash","builder","status","order":{"coin","side","limitPx","sz","oid",
 *                "timestamp","triggerCondition","isTrigger","triggerPx","children","isPositionTpsl",
 *                "reduceOnly","orderType","origSz","tif","cloid"}}
 *     l4Book    {"time","user","status","order":{"user":null,"coin",… without children and origSz}}
 *     official  {"order":{"coin","side","limitPx","sz","oid","timestamp","origSz","cloid"},"status",
 *                "statusTimestamp"}
 */
import { isObject } from './api-request.js';

export interface RawStatus {
  /** Lower case. */
  readonly user: string;
  /** As in `order_statuses` of an l4Book message. */
  readonly text: string;
  /** As in `orderUpdates` of the official API. */
  readonly official: () => string;
}

/** Null if it is no status. */
export function readStatus(json: string): RawStatus | null {
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch {
    return null;
  }
  if (!isObject(event) || !isObject(event['order'])) return null;
  const { time, user, status, order } = event;
  if (typeof user !== 'string' || typeof time !== 'string') return null;
  const { children: _children, origSz, ...rest } = order as Record<string, unknown>;
  return {
    user: user.toLowerCase(),
    text: JSON.stringify({ time, user, status, order: { user: null, ...rest } }),
    official: () => {
      const { coin, side, limitPx, sz, oid, timestamp, cloid } = rest;
      const shown = { coin, side, limitPx, sz, oid, timestamp, origSz };
      return JSON.stringify({
        order: typeof cloid === 'string' ? { ...shown, cloid } : shown,
        status,
        statusTimestamp: Date.parse(`${time.slice(0, 23)}Z`),
      });
    },
  };
}
