/**
 * The JSON control messages of the feed (DESIGN section 4), read strictly: anything else than these
 * shapes is a PROTOCOL error, never a guess. Cold.
 */
import type { FaultCode } from '../faults/fault.js';
import { FeedError } from './feed-error.js';

export interface Welcome {
  readonly op: 'welcome';
  readonly protocol: number;
  readonly version: string;
  readonly heartbeatMs: number;
  /** A token must be said before anything else. */
  readonly authRequired: boolean;
}

export interface Subscribed {
  readonly op: 'subscribed';
  readonly id: number;
  readonly streamId: number;
  readonly instrumentId: number;
  readonly depth: number;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly resumed: boolean;
}

export interface InstrumentInfo {
  readonly instrument: string;
  readonly instrumentId: number;
  readonly venue: string;
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: string;
  readonly priceDecimals: number;
  readonly sizeDecimals: number;
  /** Decimal text. */
  readonly tickSize: string;
  readonly lotSize: string;
  /** What the venue lets it do: Trading, Halted, Delisted; Unknown where it does not say. */
  readonly trading: string;
  /** Name of the book's state. */
  readonly state: string;
}

export type Answer =
  | Subscribed
  | { readonly op: 'unsubscribed'; readonly id: number; readonly streamId: number }
  | { readonly op: 'instruments'; readonly id: number; readonly instruments: InstrumentInfo[] }
  | { readonly op: 'pong'; readonly id: number }
  | { readonly op: 'authenticated'; readonly id: number }
  | {
      readonly op: 'error';
      readonly id: number;
      readonly code: FaultCode;
      readonly message: string;
    };

type Fields = Record<string, unknown>;

function whole(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new FeedError(
    'PROTOCOL',
    `the node's ${String(fields['op'])} has no whole number "${name}"`,
  );
}

/** 64-bit numbers travel as decimal text; all of ours stay below 2^53. */
function wide(fields: Fields, name: string): number {
  const value = fields[name];
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw new FeedError('PROTOCOL', `the node's ${String(fields['op'])} has no number "${name}"`);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new FeedError('PROTOCOL', `the node's ${String(fields['op'])} has no text "${name}"`);
}

function subscribed(fields: Fields): Subscribed {
  return {
    op: 'subscribed',
    id: whole(fields, 'id'),
    streamId: whole(fields, 'streamId'),
    instrumentId: whole(fields, 'instrumentId'),
    depth: typeof fields['depth'] === 'number' ? fields['depth'] : 0,
    priceDecimals: whole(fields, 'priceDecimals'),
    sizeDecimals: whole(fields, 'sizeDecimals'),
    epoch: wide(fields, 'epoch'),
    sequence: wide(fields, 'sequence'),
    resumed: fields['resumed'] === true,
  };
}

function instrument(fields: Fields): InstrumentInfo {
  return {
    instrument: text(fields, 'instrument'),
    instrumentId: whole(fields, 'instrumentId'),
    venue: text(fields, 'venue'),
    symbol: text(fields, 'symbol'),
    base: text(fields, 'base'),
    quote: text(fields, 'quote'),
    kind: text(fields, 'kind'),
    priceDecimals: whole(fields, 'priceDecimals'),
    sizeDecimals: whole(fields, 'sizeDecimals'),
    tickSize: text(fields, 'tickSize'),
    lotSize: text(fields, 'lotSize'),
    trading: typeof fields['trading'] === 'string' ? fields['trading'] : 'Unknown',
    state: text(fields, 'state'),
  };
}

/** Throws FeedError PROTOCOL on anything that is none of the known shapes. */
export function parseControl(source: string): Welcome | Answer {
  let fields: Fields;
  try {
    fields = JSON.parse(source) as Fields;
  } catch {
    throw new FeedError('PROTOCOL', 'the node sent text that is no JSON');
  }
  if (typeof fields !== 'object' || fields === null) {
    throw new FeedError('PROTOCOL', 'the node sent JSON that is no object');
  }
  switch (fields['op']) {
    case 'welcome':
      return {
        op: 'welcome',
        protocol: whole(fields, 'protocol'),
        version: text(fields, 'version'),
        heartbeatMs: whole(fields, 'heartbeatMs'),
        authRequired: fields['auth'] === 'required',
      };
    case 'subscribed':
      return subscribed(fields);
    case 'unsubscribed':
      return { op: 'unsubscribed', id: whole(fields, 'id'), streamId: whole(fields, 'streamId') };
    case 'instruments': {
      const list = fields['instruments'];
      if (!Array.isArray(list)) {
        throw new FeedError('PROTOCOL', 'the answer to instruments has no list');
      }
      const instruments = list.map((entry) => instrument((entry ?? {}) as Fields));
      return { op: 'instruments', id: whole(fields, 'id'), instruments };
    }
    case 'pong':
      return { op: 'pong', id: whole(fields, 'id') };
    case 'authenticated':
      return { op: 'authenticated', id: whole(fields, 'id') };
    case 'error': {
      const id = typeof fields['id'] === 'number' ? fields['id'] : -1;
      const code = text(fields, 'code') as FaultCode;
      return { op: 'error', id, code, message: text(fields, 'message') };
    }
    default:
      throw new FeedError('PROTOCOL', 'the node sent an answer of an unknown kind');
  }
}
