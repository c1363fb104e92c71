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
import { dexOf } from './symbols.js';
import type { HyperliquidSettings } from './symbols.js';

/** All coins' books come on one clock, changed or not: three ticks without one is silence. */
const FULL_SILENCE_MS_MAX = 17_000;
const FAST_SILENCE_MS_MAX = 3_000;
/** The first book comes 101 … 287 ms after the subscription. */
const FIRST_FRAME_MS_MAX = 10_000;
/** bbo is sent when it changes, trades when there are some: neither has a cadence. */
const NO_CADENCE = 0;

/** activeAssetCtx comes every second, allMids every 5 s, changed or not. */
const CONTEXT_SILENCE_MS_MAX = 15_000;
const MIDS_SILENCE_MS_MAX = 17_000;
const MIDS = 'allMids';

type Subscription = Readonly<Record<string, string | boolean>> & { readonly type: string };

/** A subscription with the streams that it carries: one, but for allMids. */
interface Asked {
  readonly key: string;
  readonly subscription: Subscription;
  readonly streams: StreamPlan[];
}

/** Remembers what was planned, so that answers can be told from one another. */
export class Subscriptions {
  private readonly planned = new Map<string, Subscription>();

  constructor(
    private readonly settings: HyperliquidSettings,
    private readonly endpoints: Endpoints,
  ) {}

  /** Throws FaultError BAD_CONFIG for more subscriptions than the venue allows an address. */
  plan(instruments: readonly Instrument[], channels: readonly Channel[]): ConnectionPlan[] {
    // Frames go out one by one, some 200 ms apart: the books of all coins come first.
    const asked = PLANNED_CHANNELS.filter((channel) => channels.includes(channel)).flatMap(
      (channel) => this.askedOn(channel, instruments),
    );
    if (asked.length > SUBSCRIPTIONS_MAX) {
      throw new FaultError(
        'BAD_CONFIG',
        `${asked.length} subscriptions; hyperliquid allows an address 1000, of which ` +
          `${SUBSCRIPTIONS_MAX} are used: choose fewer symbols or channels, or context=mids`,
      );
    }
    for (const { key, subscription } of asked) this.planned.set(key, subscription);
    const plans: ConnectionPlan[] = [];
    for (let at = 0; at < asked.length; at += SUBSCRIPTIONS_PER_CONNECTION_MAX) {
      const part = asked.slice(at, at + SUBSCRIPTIONS_PER_CONNECTION_MAX);
      plans.push({
        name: `public-${plans.length}`,
        url: webSocketUrl(this.endpoints),
        subscribeFrames: part.map(({ subscription }) =>
          JSON.stringify({ method: 'subscribe', subscription }),
        ),
        streams: part.flatMap(({ streams }) => streams),
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
    const { type, coin, dex } = answer;
    if (typeof type !== 'string') return null;
    const key = keyFor(type, coin ?? dex);
    const asked = this.planned.get(key);
    if (asked === undefined) return null;
    return Object.entries(asked).every(([name, value]) => answer[name] === value) ? key : null;
  }

  private askedOn(channel: Channel, instruments: readonly Instrument[]): Asked[] {
    if (channel === Channel.Context && this.settings.context === 'mids') {
      return this.askedMids(instruments);
    }
    return instruments.map(({ id, symbol }) => {
      const subscription = this.subscriptionTo(channel, symbol);
      const key = keyFor(subscription.type, symbol);
      const cadence = this.cadenceOf(channel);
      return { key, subscription, streams: [{ key, instrumentId: id, channel, ...cadence }] };
    });
  }

  private subscriptionTo(channel: Channel, coin: string): Subscription {
    switch (channel) {
      case Channel.Book: {
        const isFast = this.settings.l2Book === 'fast';
        return { type: 'l2Book', coin, ...(isFast ? { fast: true } : {}) };
      }
      case Channel.Bbo:
        return { type: 'bbo', coin };
      case Channel.Trades:
        return { type: 'trades', coin };
      default:
        return { type: 'activeAssetCtx', coin };
    }
  }

  private cadenceOf(channel: Channel): Pick<StreamPlan, 'firstFrameMsMax' | 'silenceMsMax'> {
    if (channel === Channel.Context) {
      return { firstFrameMsMax: NO_CADENCE, silenceMsMax: CONTEXT_SILENCE_MS_MAX };
    }
    if (channel !== Channel.Book) return { firstFrameMsMax: NO_CADENCE, silenceMsMax: NO_CADENCE };
    const isFast = this.settings.l2Book === 'fast';
    const silenceMsMax = isFast ? FAST_SILENCE_MS_MAX : FULL_SILENCE_MS_MAX;
    return { firstFrameMsMax: FIRST_FRAME_MS_MAX, silenceMsMax };
  }

  /** "Spot mids are only included with the first perp dex", which is the venue's own and has no name. */
  private askedMids(instruments: readonly Instrument[]): Asked[] {
    const byKey = new Map<string, Asked>();
    for (const { id, symbol } of instruments) {
      const dex = dexOf(symbol);
      const key = keyFor(MIDS, dex);
      let asked = byKey.get(key);
      if (asked === undefined) {
        asked = {
          key,
          subscription: { type: MIDS, ...(dex === null ? {} : { dex }) },
          streams: [],
        };
        byKey.set(key, asked);
      }
      asked.streams.push({
        key,
        instrumentId: id,
        channel: Channel.Context,
        firstFrameMsMax: NO_CADENCE,
        silenceMsMax: MIDS_SILENCE_MS_MAX,
      });
    }
    return [...byKey.values()];
  }
}

/** In the order in which they are asked for. */
const PLANNED_CHANNELS = [Channel.Book, Channel.Bbo, Channel.Trades, Channel.Context] as const;

/** @param of the coin or the dex that the subscription names, if any */
function keyFor(type: string, of: unknown): string {
  return typeof of === 'string' && of !== '' ? `${type} ${of}` : type;
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
