/** Which connections and subscriptions carry the wanted channels; and the venue's answers. Cold. */
import { Channel } from '../../domain/channel.js';
import type { Instrument } from '../../domain/instrument.js';
import { JsonNumber, JsonObject, JsonSyntaxError, readJson } from '../json-text.js';
import type { JsonValue } from '../json-text.js';
import type { ConnectionPlan, ControlMessage, StreamPlan } from '../venue.js';
import {
  combinedStreamUrl,
  STREAMS_PER_CONNECTION_MAX,
  STREAMS_PER_SUBSCRIBE_MAX,
} from './endpoints.js';
import type { Endpoints } from '../venue-endpoints.js';
import type { Route } from './endpoints.js';
import { CONTROL_TYPES } from './messages.js';
import { bookTickerStream, depthStream, markPriceStream, tradeStream } from './symbols.js';
import type { FuturesSettings } from './symbols.js';

/**
 * A quiet contract may go without a change of its book for some seconds, never for long: in all
 * captures the longest pause of a depth stream is 3.8 s. Best prices may stand for longer.
 */
const DEPTH_FIRST_FRAME_MS_MAX = 10_000;
const DEPTH_SILENCE_MS_MAX = 10_000;
const TICKER_FIRST_FRAME_MS_MAX = 60_000;
/** One comes every second, changed or not. */
const MARK_PRICE_SILENCE_MS_MAX = 15_000;
const NO_CADENCE = 0;

export function planConnections(
  instruments: readonly Instrument[],
  channels: readonly Channel[],
  settings: FuturesSettings,
  endpoints: Endpoints,
): ConnectionPlan[] {
  const streams: Record<Route, StreamPlan[]> = { public: [], market: [] };
  for (const { id, symbol } of instruments) {
    if (channels.includes(Channel.Book)) {
      streams.public.push({
        key: depthStream(symbol, settings.depthInterval),
        instrumentId: id,
        channel: Channel.Book,
        firstFrameMsMax: DEPTH_FIRST_FRAME_MS_MAX,
        silenceMsMax: DEPTH_SILENCE_MS_MAX,
      });
    }
    if (channels.includes(Channel.Bbo)) {
      streams.public.push({
        key: bookTickerStream(symbol),
        instrumentId: id,
        channel: Channel.Bbo,
        firstFrameMsMax: TICKER_FIRST_FRAME_MS_MAX,
        silenceMsMax: NO_CADENCE,
      });
    }
    if (channels.includes(Channel.Trades)) {
      // "@trade" is served by /public, "@aggTrade" by /market
      streams[settings.trades === 'trade' ? 'public' : 'market'].push({
        key: tradeStream(symbol, settings.trades),
        instrumentId: id,
        channel: Channel.Trades,
        firstFrameMsMax: NO_CADENCE,
        silenceMsMax: NO_CADENCE,
      });
    }
    if (channels.includes(Channel.Context)) {
      streams.market.push({
        key: markPriceStream(symbol),
        instrumentId: id,
        channel: Channel.Context,
        firstFrameMsMax: MARK_PRICE_SILENCE_MS_MAX,
        silenceMsMax: MARK_PRICE_SILENCE_MS_MAX,
      });
    }
  }
  return [
    ...connections('public', streams.public, endpoints),
    ...connections('market', streams.market, endpoints),
  ];
}

function connections(
  route: Route,
  streams: readonly StreamPlan[],
  endpoints: Endpoints,
): ConnectionPlan[] {
  return inParts(streams, STREAMS_PER_CONNECTION_MAX).map((part, index) => ({
    name: `${route}-${index}`,
    url: combinedStreamUrl(endpoints, route),
    subscribeFrames: inParts(part, STREAMS_PER_SUBSCRIBE_MAX).map((batch, batchIndex) =>
      JSON.stringify({
        method: 'SUBSCRIBE',
        params: batch.map((stream) => stream.key),
        id: batchIndex + 1,
      }),
    ),
    streams: part,
  }));
}

function inParts<T>(items: readonly T[], sizeMax: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += sizeMax) parts.push(items.slice(at, at + sizeMax));
  return parts;
}

/**
 * Answers to our frames: `{"result":null,"id":1}`, `{"error":{"code":2,"msg":"…"},"id":1}`,
 * `{"code":2,"msg":"Invalid request: …"}`; and `{"e":"serverShutdown","E":…}`.
 */
export function readControl(text: string): ControlMessage {
  let frame: JsonValue;
  try {
    frame = readJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { kind: 'other' };
    throw error;
  }
  if (!(frame instanceof JsonObject)) return { kind: 'other' };
  const data = frame.members.get('data');
  const members = data instanceof JsonObject ? data.members : frame.members;
  const type = members.get('e');
  if (typeof type === 'string' && CONTROL_TYPES.has(type))
    return { kind: 'closing', message: type };
  const id = idOf(members.get('id'));
  const error = members.get('error');
  const refusal = error instanceof JsonObject ? error.members : members;
  if (refusal.has('code') || error !== undefined) {
    return {
      kind: 'refused',
      id,
      message: `${idOf(refusal.get('code')) ?? ''} ${textOf(refusal.get('msg'))}`.trim(),
    };
  }
  return id !== null && members.has('result') ? { kind: 'ack', id } : { kind: 'other' };
}

function idOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return value instanceof JsonNumber ? value.lexeme : null;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
