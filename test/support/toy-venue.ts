/**
 * A venue of few words, to test the ingest room without any exchange's format. Frames are text:
 *
 *     d <instrument> <first> <last> <previous>      depth update
 *     b <instrument> <id>                           ticker
 *     t <instrument> <first id> <last id>           trades
 *     ack <id> | no <id> | bye | pong               control
 *     x <instrument> …                              malformed, stream known;  anything else: malformed
 *     p <instrument>                                precision lost
 *     i <instrument> <channel>                      understood, not used
 *
 * A snapshot's body is `snapshot <last>`, anything else is malformed.
 */
import { Channel } from '../../src/domain/channel.js';
import type { Instrument } from '../../src/domain/instrument.js';
import {
  ABSENT,
  ASKS_COUNT,
  BIDS_COUNT,
  BOOK_TICKER_DOUBLES,
  ENGINE_NS,
  EXCHANGE_NS,
  FLAGS,
  INSTRUMENT,
  LEVELS,
  RECEIVED_NS,
  RecordType,
  SEQUENCE_FIRST,
  SEQUENCE_LAST,
  SEQUENCE_PREVIOUS,
  TRADE_DOUBLES,
} from '../../src/rings/record-types.js';
import type {
  ConnectionPlan,
  ControlMessage,
  EventSink,
  FrameParser,
  Venue,
  VenueLimits,
} from '../../src/venues/venue.js';
import { ParseResult } from '../../src/venues/venue.js';

export const TOY_LIMITS: VenueLimits = {
  frameBytesMax: 65_536,
  connectionLifetimeMs: 24 * 3_600_000,
  connectAttempts: { count: 300, perMs: 300_000 },
  sendSpacingMs: 200,
  pongDeadlineMs: 600_000,
  pingFrame: null,
  pingEveryMs: 0,
  restWeight: { count: 2400, perMs: 60_000 },
  subscribeAckMsMax: 5_000,
};

export interface ToyOptions {
  readonly limits?: Partial<VenueLimits>;
  /** Streams of one connection, or one connection per group of channels. */
  readonly groups?: readonly (readonly Channel[])[];
  readonly subscribeFrames?: number;
  readonly firstFrameMsMax?: number;
  readonly silenceMsMax?: number;
  readonly snapshotWeight?: number;
}

export function toyInstruments(count: number): Instrument[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    venue: 'toy',
    symbol: `S${id}`,
    name: `toy:S${id}`,
    base: `S${id}`,
    quote: 'USD',
    kind: 'perpetual' as const,
    priceDecimals: 2,
    sizeDecimals: 3,
    tickSize: 1,
    lotSize: 1,
    priceSignificantFigures: 0,
    trading: 0,
  }));
}

export function toyVenue(options: ToyOptions = {}): Venue {
  const groups = options.groups ?? [[Channel.Book, Channel.Trades]];
  const frames = options.subscribeFrames ?? 1;
  const unused = (): never => {
    throw new Error('the toy venue has no instruments to load');
  };
  return {
    id: 'toy',
    title: 'Toy',
    capabilities: {
      snapshot: 'rest',
      orders: false,
      bookTicker: true,
      trades: true,
      contexts: false,
    },
    limits: { ...TOY_LIMITS, ...options.limits },
    instrumentsRequest: unused,
    readInstruments: unused,
    readListed: unused,
    createSequencer: unused,
    planConnections: (instruments): ConnectionPlan[] =>
      groups.map((channels, group) => ({
        name: `toy-${group}`,
        url: `ws://127.0.0.1:1/${group}`,
        subscribeFrames: Array.from({ length: frames }, (_, i) => `subscribe ${group}-${i}`),
        streams: instruments.flatMap(({ id, symbol }) =>
          channels.map((channel) => ({
            key: `${symbol}@${channel}`,
            instrumentId: id,
            channel,
            firstFrameMsMax: channel === Channel.Trades ? 0 : (options.firstFrameMsMax ?? 10_000),
            silenceMsMax: channel === Channel.Trades ? 0 : (options.silenceMsMax ?? 2_000),
          })),
        ),
      })),
    createParser: (instruments, _timeline, sink) => new ToyParser(instruments.length, sink),
    readControl: readToyControl,
    snapshotRequest: (instrument) => ({
      method: 'GET',
      url: `http://127.0.0.1:1/depth?symbol=${instrument.symbol}`,
      weight: options.snapshotWeight ?? 20,
    }),
    readSnapshot: (body, instrument, receivedNs, _timeline, sink) => {
      const words = Buffer.from(body).toString().split(' ');
      if (words[0] === 'not-now') return { kind: 'refused', message: 'not now' };
      if (words[0] !== 'snapshot') return { kind: 'malformed', message: 'no snapshot' };
      const event = header(instrument.id, receivedNs);
      event[SEQUENCE_LAST] = Number(words[1]);
      event[BIDS_COUNT] = 0;
      event[ASKS_COUNT] = 0;
      sink.accept(RecordType.DepthSnapshot, event, LEVELS);
      return { kind: 'snapshot' };
    },
    readUsedWeight: (headers) =>
      headers['x-used'] === undefined ? null : Number(headers['x-used']),
  };
}

function readToyControl(text: string): ControlMessage {
  const [word, id = ''] = text.split(' ');
  if (word === 'ack') return { kind: 'ack', id };
  if (word === 'no') return { kind: 'refused', id, message: text };
  if (word === 'bye') return { kind: 'closing', message: text };
  if (word === 'pong') return { kind: 'pong' };
  return { kind: 'other' };
}

function header(instrumentId: number, receivedNs: number): Float64Array {
  const event = new Float64Array(TRADE_DOUBLES);
  event[INSTRUMENT] = instrumentId;
  event[FLAGS] = 0;
  event[EXCHANGE_NS] = ABSENT;
  event[RECEIVED_NS] = receivedNs;
  event[SEQUENCE_FIRST] = ABSENT;
  event[SEQUENCE_LAST] = ABSENT;
  event[SEQUENCE_PREVIOUS] = ABSENT;
  event[ENGINE_NS] = ABSENT;
  return event;
}

class ToyParser implements FrameParser {
  lastInstrumentId = -1;
  lastChannel = -1;
  slowPathCount = 0;
  /** What it was told of instruments, in order. */
  readonly redefined: Instrument[] = [];

  constructor(
    private readonly instruments: number,
    private readonly sink: EventSink,
  ) {}

  redefine(instrument: Instrument): void {
    this.redefined.push(instrument);
  }

  parse(bytes: Uint8Array, start: number, end: number, receivedNs: number): ParseResult {
    this.lastInstrumentId = -1;
    this.lastChannel = -1;
    const words = Buffer.from(bytes.subarray(start, end)).toString().split(' ');
    const kind = words[0]!;
    if (['ack', 'no', 'bye', 'pong'].includes(kind)) return ParseResult.Control;
    if (kind === 'u') return ParseResult.UnknownType;
    if (!['d', 'b', 't', 'x', 'p', 'i'].includes(kind)) return ParseResult.Malformed;
    const numbers = words.slice(1).map(Number);
    const instrumentId = numbers[0]!;
    if (!(instrumentId >= 0 && instrumentId < this.instruments)) return ParseResult.UnknownSymbol;
    this.lastInstrumentId = instrumentId;
    this.lastChannel = kind === 't' ? Channel.Trades : kind === 'b' ? Channel.Bbo : Channel.Book;
    if (kind === 'x') return ParseResult.Malformed;
    if (kind === 'p') return ParseResult.Precision;
    if (kind === 'i') {
      this.lastChannel = numbers[1]!;
      return ParseResult.Ignored;
    }
    const event = header(instrumentId, receivedNs);
    return this.emit(kind, numbers, event) ? ParseResult.Events : ParseResult.SinkFull;
  }

  private emit(kind: string, numbers: readonly number[], event: Float64Array): boolean {
    if (kind === 'b') {
      event[SEQUENCE_LAST] = numbers[1]!;
      return this.sink.accept(RecordType.BookTicker, event, BOOK_TICKER_DOUBLES);
    }
    event[SEQUENCE_FIRST] = numbers[1]!;
    event[SEQUENCE_LAST] = numbers[2]!;
    if (kind === 't') return this.sink.accept(RecordType.Trade, event, TRADE_DOUBLES);
    event[SEQUENCE_PREVIOUS] = numbers[3]!;
    event[BIDS_COUNT] = 0;
    event[ASKS_COUNT] = 0;
    return this.sink.accept(RecordType.DepthUpdate, event, LEVELS);
  }
}
