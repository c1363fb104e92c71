/**
 * Control requests: JSON text to a checked value. Broadcast thread, cold (50 a second a client).
 *
 * Rules: the text is one JSON object; only its own properties are looked at, so that `__proto__` and
 * `constructor` are names like any other; a field that an op does not know is refused, because a
 * misspelt `depth` that is silently ignored would give a book that nobody asked for. Numbers of 64
 * bits travel as decimal text and may come as JSON numbers while they are safe.
 */
import { CHANNEL_NAMES } from '../domain/channel.js';
import type { ChannelName } from '../domain/channel.js';
import type { FaultCode } from '../faults/fault.js';

export type RequestId = number | string | null;

export interface ResumePosition {
  readonly epoch: number;
  readonly sequence: number;
}

export type Request =
  | {
      readonly op: 'subscribe';
      readonly id: RequestId;
      readonly channel: ChannelName;
      readonly instrument: string;
      /** Levels a side, 0 for the full book. */
      readonly depth: number;
      readonly lossless: boolean;
      readonly resume: ResumePosition | null;
    }
  | {
      readonly op: 'unsubscribe';
      readonly id: RequestId;
      readonly channel: ChannelName;
      readonly instrument: string;
      readonly depth: number;
    }
  | { readonly op: 'unsubscribe-stream'; readonly id: RequestId; readonly streamId: number }
  | { readonly op: 'instruments'; readonly id: RequestId }
  | { readonly op: 'ping'; readonly id: RequestId }
  | { readonly op: 'auth'; readonly id: RequestId; readonly token: string };

export interface Refusal {
  readonly op: 'refused';
  readonly id: RequestId;
  readonly code: FaultCode;
  readonly message: string;
}

const FIELDS: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  subscribe: ['op', 'id', 'channel', 'instrument', 'depth', 'mode', 'resume'],
  unsubscribe: ['op', 'id', 'channel', 'instrument', 'depth', 'streamId'],
  instruments: ['op', 'id'],
  ping: ['op', 'id'],
  auth: ['op', 'id', 'token'],
});
const RESUME_FIELDS = ['epoch', 'sequence'];
const ID_LENGTH_MAX = 64;
const NAME_LENGTH_MAX = 128;
const DECIMAL = /^(?:0|[1-9]\d{0,15})$/;

/** A refusal that unwinds the checks below; never leaves this file. */
class Refused extends Error {
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own property, or undefined: what stands on a prototype does not exist. */
function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function readId(fields: Fields): RequestId {
  const id = own(fields, 'id');
  if (id === undefined || id === null) return null;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
  if (typeof id === 'string' && id.length <= ID_LENGTH_MAX) return id;
  throw new Refused(
    'MALFORMED_REQUEST',
    `id is a whole number or at most ${ID_LENGTH_MAX} characters`,
  );
}

function readChannel(fields: Fields): ChannelName {
  const channel = own(fields, 'channel');
  const found = CHANNEL_NAMES.find((name) => name === channel);
  if (found === undefined) {
    throw new Refused('UNKNOWN_CHANNEL', `channel is one of ${CHANNEL_NAMES.join(', ')}`);
  }
  return found;
}

function readInstrument(fields: Fields): string {
  const instrument = own(fields, 'instrument');
  if (typeof instrument !== 'string' || instrument.length > NAME_LENGTH_MAX) {
    throw new Refused('MALFORMED_REQUEST', 'instrument is a name such as binance-futures:BTCUSDT');
  }
  return instrument;
}

function readDepth(fields: Fields, channel: ChannelName, depthMax: number): number {
  const depth = own(fields, 'depth');
  if (depth === undefined || depth === null) return 0;
  if (channel !== 'book') throw new Refused('BAD_DEPTH', 'depth is for the book channel only');
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 0 || depth > depthMax) {
    throw new Refused(
      'BAD_DEPTH',
      `depth is 1 to ${depthMax} levels a side, or 0 for the full book`,
    );
  }
  return depth;
}

function readMode(fields: Fields): boolean {
  const mode = own(fields, 'mode');
  if (mode === undefined || mode === null || mode === 'conflated') return false;
  if (mode === 'lossless') return true;
  throw new Refused('BAD_MODE', 'mode is lossless or conflated');
}

function readPosition(value: unknown, name: string): number {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new Refused('BAD_RESUME', `resume.${name} is a decimal number as text`);
}

function readResume(fields: Fields): ResumePosition | null {
  const resume = own(fields, 'resume');
  if (resume === undefined || resume === null) return null;
  if (!isObject(resume) || Object.keys(resume).some((name) => !RESUME_FIELDS.includes(name))) {
    throw new Refused('BAD_RESUME', 'resume is an object with epoch and sequence');
  }
  return {
    epoch: readPosition(own(resume, 'epoch'), 'epoch'),
    sequence: readPosition(own(resume, 'sequence'), 'sequence'),
  };
}

function readUnsubscribe(fields: Fields, id: RequestId, depthMax: number): Request {
  const streamId = own(fields, 'streamId');
  if (streamId !== undefined) {
    if (typeof streamId === 'number' && Number.isSafeInteger(streamId)) {
      return { op: 'unsubscribe-stream', id, streamId };
    }
    throw new Refused('MALFORMED_REQUEST', 'streamId is a whole number');
  }
  const channel = readChannel(fields);
  const instrument = readInstrument(fields);
  return {
    op: 'unsubscribe',
    id,
    channel,
    instrument,
    depth: readDepth(fields, channel, depthMax),
  };
}

function readOp(fields: Fields): string {
  const op = own(fields, 'op');
  if (typeof op !== 'string') throw new Refused('MALFORMED_REQUEST', 'op is missing');
  const known = FIELDS[op];
  if (known === undefined) {
    throw new Refused('UNKNOWN_OP', 'op is one of subscribe, unsubscribe, instruments, ping, auth');
  }
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) {
      throw new Refused(
        'MALFORMED_REQUEST',
        `${op} has no field ${JSON.stringify(name.slice(0, 40))}`,
      );
    }
  }
  return op;
}

function readFields(fields: Fields, id: RequestId, depthMax: number): Request {
  switch (readOp(fields)) {
    case 'subscribe': {
      const channel = readChannel(fields);
      return {
        op: 'subscribe',
        id,
        channel,
        instrument: readInstrument(fields),
        depth: readDepth(fields, channel, depthMax),
        lossless: readMode(fields),
        resume: readResume(fields),
      };
    }
    case 'unsubscribe':
      return readUnsubscribe(fields, id, depthMax);
    case 'auth': {
      const token = own(fields, 'token');
      if (typeof token === 'string') return { op: 'auth', id, token };
      throw new Refused('MALFORMED_REQUEST', 'token is text');
    }
    case 'ping':
      return { op: 'ping', id };
    default:
      return { op: 'instruments', id };
  }
}

/** Never throws. The text is at most requestBytesMax long; JSON that deep cannot exhaust the stack. */
export function parseRequest(text: string, depthMax: number): Request | Refusal {
  let id: RequestId = null;
  try {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Refused('MALFORMED_REQUEST', 'a request is one JSON object');
    }
    if (!isObject(value)) throw new Refused('MALFORMED_REQUEST', 'a request is one JSON object');
    id = readId(value);
    return readFields(value, id, depthMax);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { op: 'refused', id, code: error.code, message: error.message };
  }
}
