/**
 * Which connections and subscriptions carry the wanted channels; and the venue's answers. Cold.
 *
 * One subscription a frame. The venue repeats it in its answer with defaults filled in
 * (`"nSigFigs":null,"mantissa":null`), so an answer is ours if all that we said stands in it.
 */
import { Channel } from '../../domain/channel.js';
import type { Instrument } from '../../domain/instrument.js';
import { FaultError } from '../../faults/fault.js';
import type { ConnectionPlan, ControlMessage, StreamPlan } from '../venue.js';
import { SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_PER_CONNECTION_MAX, webSocketUrl } from './endpoints.js';
import type { Endpoints } from '../venue-endpoints.js';
import type { HyperliquidSettings } from './symbols.js';

/** All coins' books come on one clock, changed or not: three ticks without one is silence. */
const FULL_SILENCE_MS_MAX = 17_000;
const FAST_SILENCE_MS_MAX = 3_000;
/** The first book comes 101 … 287 ms after the subscription. */
const FIRST_FRAME_MS_MAX = 10_000;
/** bbo is sent when it changes, trades when there are some: neither has a cadence. */
const NO_CADENCE = 0;

type Subscription = Readonly<Record<string, string | boolean>>;

/** Remembers what was planned, so that answers can be told from one another. */
export class Subscriptions {
  /** By type and coin. */
  private readonly planned = new Map<string, Subscription>();

  constructor(
    private readonly settings: HyperliquidSettings,
    private readonly endpoints: Endpoints,
  ) {}

  /** Throws FaultError BAD_CONFIG for more subscriptions than the venue allows an address. */
  plan(instruments: readonly Instrument[], channels: readonly Channel[]): ConnectionPlan[] {
    const streams = instruments.flatMap((instrument) => this.streamsOf(instrument, channels));
    if (streams.length > SUBSCRIPTIONS_MAX) {
      throw new FaultError(
        'BAD_CONFIG',
        `${streams.length} subscriptions; hyperliquid allows an address 1000, of which ` +
          `${SUBSCRIPTIONS_MAX} are used: choose fewer symbols or channels`,
      );
    }
    const plans: ConnectionPlan[] = [];
    for (let at = 0; at < streams.length; at += SUBSCRIPTIONS_PER_CONNECTION_MAX) {
      // Frames go out one by one, some 200 ms apart: the books of all coins come first.
      const part = streams
        .slice(at, at + SUBSCRIPTIONS_PER_CONNECTION_MAX)
        .toSorted((a, b) => a.channel - b.channel);
      plans.push({
        name: `public-${plans.length}`,
        url: webSocketUrl(this.endpoints),
        subscribeFrames: part.map(({ key }) =>
          JSON.stringify({ method: 'subscribe', subscription: this.planned.get(key) }),
        ),
        streams: part,
      });
    }
    return plans;
  }

  /**
   * `{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{…}}}`,
   * `{"channel":"error","data":"Already subscribed: {…}"}`, `{"channel":"pong"}`.
   */
  readControl(text: string): ControlMessage {
    const frame = objectOf(text);
    const data = frame?.['data'];
    switch (frame?.['channel']) {
      case 'pong':
        return { kind: 'pong' };
      case 'subscriptionResponse':
        return this.readResponse(data);
      case 'error':
        return this.readError(typeof data === 'string' ? data : JSON.stringify(data ?? null));
      default:
        return { kind: 'other' };
    }
  }

  private readResponse(data: unknown): ControlMessage {
    if (!isObject(data) || data['method'] !== 'subscribe') return { kind: 'other' };
    const key = this.keyOf(data['subscription']);
    return key === null ? { kind: 'other' } : { kind: 'ack', id: key };
  }

  /** The socket stays open after an error. */
  private readError(message: string): ControlMessage {
    const json = message.indexOf('{');
    const named = json < 0 ? null : objectOf(message.slice(json));
    const key = this.keyOf(named?.['subscription'] ?? named);
    if (key !== null && message.startsWith('Already subscribed')) return { kind: 'ack', id: key };
    return { kind: 'refused', id: key, message };
  }

  /** Key of the planned subscription of which all that we said stands in `answer`; null if none. */
  private keyOf(answer: unknown): string | null {
    if (!isObject(answer)) return null;
    const { type, coin } = answer;
    if (typeof type !== 'string' || typeof coin !== 'string') return null;
    const key = keyFor(type, coin);
    const asked = this.planned.get(key);
    if (asked === undefined) return null;
    return Object.entries(asked).every(([name, value]) => answer[name] === value) ? key : null;
  }

  private streamsOf({ id, symbol }: Instrument, channels: readonly Channel[]): StreamPlan[] {
    const streams: StreamPlan[] = [];
    const isFast = this.settings.l2Book === 'fast';
    if (channels.includes(Channel.Book)) {
      const key = this.ask({ type: 'l2Book', coin: symbol, ...(isFast ? { fast: true } : {}) });
      streams.push({
        key,
        instrumentId: id,
        channel: Channel.Book,
        firstFrameMsMax: FIRST_FRAME_MS_MAX,
        silenceMsMax: isFast ? FAST_SILENCE_MS_MAX : FULL_SILENCE_MS_MAX,
      });
    }
    const others = [
      [Channel.Bbo, 'bbo'],
      [Channel.Trades, 'trades'],
    ] as const;
    for (const [channel, type] of others) {
      if (!channels.includes(channel)) continue;
      streams.push({
        key: this.ask({ type, coin: symbol }),
        instrumentId: id,
        channel,
        firstFrameMsMax: NO_CADENCE,
        silenceMsMax: NO_CADENCE,
      });
    }
    return streams;
  }

  private ask(
    subscription: Subscription & { readonly type: string; readonly coin: string },
  ): string {
    const key = keyFor(subscription.type, subscription.coin);
    this.planned.set(key, subscription);
    return key;
  }
}

function keyFor(type: string, coin: string): string {
  return `${type} ${coin}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
