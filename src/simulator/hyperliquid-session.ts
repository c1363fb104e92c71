/**
 * One client's connection to the simulated Hyperliquid: what it subscribed to and how its messages are
 * answered. Simulator's thread; cold.
 */
import type { DialectSession, SessionOutput } from './dialect.js';
import type { HyperliquidDialect } from './hyperliquid-dialect.js';
import { aggregationOf } from './hyperliquid-books.js';
import type { Aggregation } from './hyperliquid-books.js';
import { questionOf } from './hyperliquid-info.js';

/** Of an address; here of a connection, since all come from one. */
const SUBSCRIPTIONS_MAX = 1000;
const MESSAGES_PER_MINUTE_MAX = 2000;
const MINUTE_NS = 60e9;
const COIN_TYPES: ReadonlySet<string> = new Set(['l2Book', 'bbo', 'trades', 'activeAssetCtx']);

/** A subscription as it is kept, and as it is told back. */
export interface Wanted {
  readonly type: string;
  readonly coin: string;
  /** Of allMids; empty for the venue's own. */
  readonly dex: string;
  readonly isFast: boolean;
  readonly aggregation: Aggregation | null;
  /** Nothing was sent for it yet. */
  isFresh: boolean;
}

export class HyperliquidSession implements DialectSession {
  readonly wanted = new Map<string, Wanted>();
  /** When anything was last sent to this client. */
  sentNs: number;
  private readonly messageTimesNs: number[] = [];

  constructor(
    private readonly dialect: HyperliquidDialect,
    readonly output: SessionOutput,
    nowNs: number,
  ) {
    this.sentNs = nowNs;
  }

  onText(text: string, nowNs: number): void {
    if (!this.countMessage(nowNs)) return;
    const request = questionOf(text);
    const method = request?.['method'];
    const subscription = request?.['subscription'];
    const isAboutSubscription = typeof subscription === 'object' && subscription !== null;
    if (method === 'ping') this.say('{"channel":"pong"}', nowNs);
    else if (method === 'subscribe' && isAboutSubscription) {
      this.subscribe(subscription as Record<string, unknown>, nowNs);
    } else if (method === 'unsubscribe' && isAboutSubscription) {
      this.unsubscribe(subscription as Record<string, unknown>, nowNs);
    } else {
      this.error(`Error parsing JSON into valid websocket request: ${text}`, nowNs);
    }
  }

  onControlFrame(): void {}

  onClose(): void {
    this.dialect.forget(this);
  }

  say(text: string, nowNs: number): void {
    this.sentNs = nowNs;
    this.output.control(text);
  }

  private subscribe(subscription: Readonly<Record<string, unknown>>, nowNs: number): void {
    const full = normalised(subscription);
    if (full === null) {
      const text = JSON.stringify({ method: 'subscribe', subscription });
      this.error(`Error parsing JSON into valid websocket request: ${text}`, nowNs);
      return;
    }
    const key = JSON.stringify(full);
    if (this.wanted.has(key)) return this.error(`Already subscribed: ${key}`, nowNs);
    const aggregation = aggregationOf(full.nSigFigs, full.mantissa);
    // "Unknown/ill-cased coin, nSigFigs 6, mantissa without nSigFigs 5: the server drops the whole
    // socket, code 1006, no message"
    const isUnknown = full.coin !== undefined && !this.dialect.hasCoin(full.coin);
    if (isUnknown || aggregation === undefined) {
      this.output.close(1001, '');
      return;
    }
    if (this.wanted.size >= SUBSCRIPTIONS_MAX) {
      return this.error('Cannot track more than 1000 subscriptions.', nowNs);
    }
    this.wanted.set(key, {
      type: full.type,
      coin: full.coin ?? '',
      dex: full.dex ?? '',
      isFast: full.fast === true,
      aggregation,
      isFresh: true,
    });
    this.respond('subscribe', full, nowNs);
  }

  private unsubscribe(subscription: Readonly<Record<string, unknown>>, nowNs: number): void {
    const full = normalised(subscription);
    const key = JSON.stringify(full);
    if (full === null || !this.wanted.delete(key)) {
      return this.error(`Already unsubscribed: ${key}`, nowNs);
    }
    this.respond('unsubscribe', full, nowNs);
  }

  private respond(method: string, full: object, nowNs: number): void {
    const data = { method, subscription: full };
    this.say(JSON.stringify({ channel: 'subscriptionResponse', data }), nowNs);
  }

  private error(data: string, nowNs: number): void {
    this.say(JSON.stringify({ channel: 'error', data }), nowNs);
  }

  private countMessage(nowNs: number): boolean {
    const times = this.messageTimesNs;
    times.push(nowNs);
    while (times[0]! <= nowNs - MINUTE_NS) times.shift();
    if (times.length <= MESSAGES_PER_MINUTE_MAX) return true;
    this.dialect.refusalsCount++;
    this.output.close(1008, 'Too many messages');
    return false;
  }
}

interface FullSubscription {
  readonly type: string;
  readonly coin?: string;
  readonly dex?: string;
  readonly nSigFigs?: unknown;
  readonly mantissa?: unknown;
  readonly fast?: unknown;
}

/** The subscription with its defaults filled in, names in the venue's order; null for none of its. */
function normalised(subscription: Readonly<Record<string, unknown>>): FullSubscription | null {
  const { type, coin, nSigFigs = null, mantissa = null, fast = false } = subscription;
  if (type === 'allMids') {
    const { dex } = subscription;
    return typeof dex === 'string' && dex !== '' ? { type, dex } : { type };
  }
  if (typeof type !== 'string' || !COIN_TYPES.has(type) || typeof coin !== 'string') return null;
  if (type !== 'l2Book') return { type, coin };
  const full = { type, coin, nSigFigs, mantissa, fast };
  return full;
}
