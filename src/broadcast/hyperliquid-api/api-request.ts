/**
 * What a client of `/ws` may say: the requests of order_book_server and of the official WebSocket, read
 * and validated by their rules. Pure; broadcast thread, cold.
 *
 *     {"method":"subscribe" | "unsubscribe","subscription":{"type":…}}   {"method":"ping"}
 *     {"method":"post","id":1,"request":{"type":"info","payload":{"type":"meta"}}}
 *
 * Fields that are not known are passed over, as both originals do. A subscription is known by its
 * canonical text, which is also what is echoed: all fields in the original's order, `null` where absent.
 */

export const CHANNELS = [
  'l2Book',
  'l4Book',
  'trades',
  'bbo',
  'bookDiffs',
  'allMids',
  'orderUpdates',
] as const;
export type ApiChannel = (typeof CHANNELS)[number];

export interface ApiSubscription {
  readonly channel: ApiChannel;
  /** '' where the channel is not of one coin. */
  readonly coin: string;
  /** Lower case; '' except of orderUpdates. */
  readonly user: string;
  /** Of allMids: the builder's exchange, '' for the venue's own with its spot markets. */
  readonly dex: string;
  readonly nSigFigs: number | null;
  readonly nLevels: number | null;
  readonly mantissa: number | null;
  /** Canonical text. */
  readonly text: string;
}

export type ApiRequest =
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly subscription: ApiSubscription }
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'post';
      readonly id: number;
      readonly payload: unknown;
      readonly info: boolean;
    }
  | { readonly kind: 'unreadable' };

const UNREADABLE: ApiRequest = { kind: 'unreadable' };
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
/** An address book has 20 levels unless asked otherwise; the original wants `null` for it. */
export const LEVELS_DEFAULT = 20;
const LEVELS_MAX = 100;
/** What a frame may name at most: beyond it an integer would not fit the original's field. */
const UNSIGNED_MAX = 2 ** 53;

export function parseApiRequest(text: string): ApiRequest {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
  if (!isObject(message)) return UNREADABLE;
  const { method } = message;
  if (method === 'ping') return { kind: 'ping' };
  if (method === 'post') return postOf(message);
  if (method !== 'subscribe' && method !== 'unsubscribe') return UNREADABLE;
  const subscription = isObject(message['subscription'])
    ? subscriptionOf(message['subscription'])
    : null;
  return subscription === null ? UNREADABLE : { kind: method, subscription };
}

function postOf(message: Record<string, unknown>): ApiRequest {
  const { id, request } = message;
  if (!isUnsigned(id) || !isObject(request)) return UNREADABLE;
  return { kind: 'post', id, payload: request['payload'], info: request['type'] === 'info' };
}

function subscriptionOf(fields: Record<string, unknown>): ApiSubscription | null {
  const channel = CHANNELS.find((name) => name === fields['type']);
  if (channel === undefined) return null;
  const none = {
    channel,
    coin: '',
    user: '',
    dex: '',
    nSigFigs: null,
    nLevels: null,
    mantissa: null,
  };
  if (channel === 'allMids') {
    const dex = fields['dex'] ?? '';
    if (typeof dex !== 'string') return null;
    const named = dex === '' ? { type: channel } : { type: channel, dex };
    return { ...none, dex, text: JSON.stringify(named) };
  }
  if (channel === 'orderUpdates') {
    const { user } = fields;
    if (typeof user !== 'string' || !ADDRESS.test(user)) return null;
    const lower = user.toLowerCase();
    return { ...none, user: lower, text: JSON.stringify({ type: channel, user: lower }) };
  }
  const { coin } = fields;
  if (typeof coin !== 'string') return null;
  if (channel !== 'l2Book') return { ...none, coin, text: JSON.stringify({ type: channel, coin }) };
  const nSigFigs = optional(fields['nSigFigs']);
  const nLevels = optional(fields['nLevels']);
  const mantissa = optional(fields['mantissa']);
  if (nSigFigs === undefined || nLevels === undefined || mantissa === undefined) return null;
  const text = JSON.stringify({ type: channel, coin, nSigFigs, nLevels, mantissa });
  return { ...none, coin, nSigFigs, nLevels, mantissa, text };
}

/** What a subscription may name. */
export interface KnownNames {
  readonly coins: { has(name: string): boolean };
  readonly dexes: { has(name: string): boolean };
}

/** Whether the subscription is one that this server gives. */
export function isValid(subscription: ApiSubscription, known: KnownNames): boolean {
  const { channel, coin, dex, nSigFigs, nLevels, mantissa } = subscription;
  if (channel === 'orderUpdates') return true;
  if (channel === 'allMids') return dex === '' || known.dexes.has(dex);
  if (!known.coins.has(coin)) return false;
  if (channel !== 'l2Book') return true;
  // "use null": one spelling for the default, so that subscriptions can be told apart by their fields.
  if (nLevels !== null && (nLevels > LEVELS_MAX || nLevels === LEVELS_DEFAULT)) return false;
  return isAggregation(nSigFigs, mantissa);
}

/** The seven: none; 5 with mantissa null, 2 or 5; 4; 3; 2. */
export function isAggregation(nSigFigs: number | null, mantissa: number | null): boolean {
  if (nSigFigs === null) return mantissa === null;
  if (nSigFigs < 2 || nSigFigs > 5) return false;
  return mantissa === null || (nSigFigs === 5 && (mantissa === 2 || mantissa === 5));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isUnsigned(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < UNSIGNED_MAX;
}

/** null where absent, undefined where it is no whole number. */
export function optional(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return isUnsigned(value) ? value : undefined;
}
