/**
 * What a venue is to the rest of the node. A folder per venue with the same file names; no code
 * outside that folder knows a venue's name or words. `createParser` is used on the ingest thread,
 * `createSequencer` on the books threads, the rest wherever cold work is done.
 */
import type { Channel } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import type { Timeline } from '../time/timeline.js';
import type { CaptureScout } from './capture-scout.js';

/** Result of a parser for one frame. Negative codes are faults; nothing of such a frame is used. */
export const ParseResult = {
  /** `events` feed events stand in the sink. */
  Events: 0,
  /** A frame about the connection (ack, error, notice): give its text to `readControl`. */
  Control: 1,
  /** Understood and deliberately not used. */
  Ignored: 2,
  Malformed: -1,
  UnknownSymbol: -2,
  UnknownType: -3,
  /** A number with more decimals than the instrument has, or beyond 2^53. */
  Precision: -4,
  /** The sink refused an event: the ring was full. */
  SinkFull: -5,
} as const;
export type ParseResult = (typeof ParseResult)[keyof typeof ParseResult];

/**
 * Takes one feed event in the layout of rings/record-types.ts: `event[0 … doubles)`, lent until the
 * call returns. Returns false if it had no room (the event is lost; the taker remembers that).
 */
export interface EventSink {
  accept(recordType: number, event: Float64Array, doubles: number): boolean;
}

/** Hot. One per connection or shared; not re-entrant. */
export interface FrameParser {
  /**
   * Parses `bytes[start … end)`, one whole frame, and hands its events to the sink.
   * @param receivedNs timeline time of the frame's first byte
   */
  parse(bytes: Uint8Array, start: number, end: number, receivedNs: number): ParseResult;
  /** One of its instruments is another one from the next frame on. Cold; between two frames. */
  redefine(instrument: Instrument): void;
  /** Instrument id of the last frame, or -1: so that a fault can name whom it concerns. */
  readonly lastInstrumentId: number;
  /** Channel of the last frame (domain/channel.ts), or -1. */
  readonly lastChannel: number;
  /** Frames that the fast scanner passed on to the strict one. */
  readonly slowPathCount: number;
  /**
   * Where a socket may read into, so that frames are parsed in place. Frames elsewhere are parsed as
   * well, and never by way of this place: what stands there is the reader's. Absent or null: nowhere.
   */
  readonly receiveBuffer?: Uint8Array | null;
}

export const SequenceVerdict = {
  /** In order: apply it. */
  Apply: 0,
  /** Already contained in what we have: count and drop. */
  Stale: 1,
  /** No snapshot yet: keep it. */
  Buffer: 2,
  /** Continuity is broken: this event must not be applied. */
  Gap: 3,
  /** In order, but its levels are already in the snapshot: take only its number. */
  Anchor: 4,
  /** The snapshot is older than the first event kept: take a newer one. */
  SnapshotTooOld: 5,
} as const;
export type SequenceVerdict = (typeof SequenceVerdict)[keyof typeof SequenceVerdict];

/** The venue's continuity rule for one instrument; pure state, no I/O. */
export interface Sequencer {
  /** Back to the beginning: no snapshot, nothing seen. */
  reset(): void;
  /** A snapshot that stands for `sequenceLast` was loaded. */
  onSnapshot(sequenceLast: number): void;
  /** Judges an update by its numbers; Apply and Anchor also move the position. Hot. */
  judge(sequenceFirst: number, sequenceLast: number, sequencePrevious: number): SequenceVerdict;
  /** Number of the last update taken, or ABSENT. */
  readonly position: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Against the venue's budget. */
  readonly weight: number;
}

/** One connection that the ingest thread keeps up. */
export interface ConnectionPlan {
  /** Stable within a run, e.g. `public-0`; label in logs and metrics. */
  readonly name: string;
  readonly url: string;
  /** Frames to send when it opens, in order, each at its own time (see sendSpacingMs). */
  readonly subscribeFrames: readonly string[];
  readonly streams: readonly StreamPlan[];
}

/** One venue stream, watched by itself: acknowledged is not alive. */
export interface StreamPlan {
  readonly key: string;
  readonly instrumentId: number;
  readonly channel: Channel;
  /** First frame expected within this of the subscription, 0 for streams that may stay silent. */
  readonly firstFrameMsMax: number;
  /** Silence beyond this makes the book Stale, 0 for streams without a cadence. */
  readonly silenceMsMax: number;
}

/** Numbers of the venue's documentation (cited in its README), and ours below them. */
export interface VenueLimits {
  readonly frameBytesMax: number;
  readonly connectionLifetimeMs: number;
  readonly connectAttempts: { readonly count: number; readonly perMs: number };
  readonly sendSpacingMs: number;
  readonly pongDeadlineMs: number;
  /** Text we send when the venue wants an application ping; null where it pings us. */
  readonly pingFrame: string | null;
  readonly pingEveryMs: number;
  readonly restWeight: { readonly count: number; readonly perMs: number };
  readonly subscribeAckMsMax: number;
}

export type ControlMessage =
  | { readonly kind: 'ack'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string | null; readonly message: string }
  | { readonly kind: 'pong' }
  | { readonly kind: 'closing'; readonly message: string }
  | { readonly kind: 'other' };

export type SnapshotAnswer =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'refused'; readonly message: string }
  /** `isPrecision`: whole, but a number does not fit the instrument's scale. */
  | { readonly kind: 'malformed'; readonly message: string; readonly isPrecision?: boolean };

export interface VenueCapabilities {
  /** How a book gets its first whole state; `every-frame`: its stream has nothing but whole books. */
  readonly snapshot: 'rest' | 'in-stream' | 'every-frame' | 'file';
  readonly orders: boolean;
  readonly bookTicker: boolean;
  readonly trades: boolean;
  /** Mark price, funding and the like: channel `context`. */
  readonly contexts: boolean;
}

export interface EndpointOverrides {
  readonly restUrl?: string;
  readonly webSocketUrl?: string;
}

export interface VenueOptions extends EndpointOverrides {
  /** Venue-specific choices, e.g. `depthInterval: '100ms'`; unknown keys are refused by the venue. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Which of a file venue's instruments are wanted. */
export interface FileSelection {
  readonly symbols: readonly string[] | 'all';
  /** A word of the venue's, e.g. `perps`; counts where `symbols` is 'all'. */
  readonly markets: string;
}

/** A venue's own documents about its markets. */
export interface VenueInfo {
  /** As it wrote them, by name. */
  readonly answers: ReadonlyMap<string, string>;
  /** What could not be had or contradicts the instruments, in words. */
  readonly refusals: readonly string[];
}

/** A venue whose data are files that a program beside us writes: no sockets, no budgets. */
export interface FileVenue {
  readonly source: 'files';
  readonly id: string;
  readonly title: string;
  readonly capabilities: VenueCapabilities;
  /** Throws FaultError BAD_CONFIG for a selection that the venue does not know. */
  isWanted(symbol: string, selection: FileSelection): boolean;
  /** Asks that program's own HTTP server. Throws FaultError FRAME_MALFORMED. */
  listInstruments(
    ask: (request: HttpRequest) => Promise<string>,
    infoUrl: string,
    selection: FileSelection,
  ): Promise<Instrument[]>;
  /** What it says of its markets, for clients that ask us. Does not reject. */
  askAboutMarkets(
    ask: (request: HttpRequest) => Promise<string>,
    infoUrl: string,
    instruments: readonly Instrument[],
  ): Promise<VenueInfo>;
  /** Without such a server: the wanted ones of these names, decimals wide enough for any. */
  instrumentsOf(symbols: readonly string[], selection: FileSelection): Instrument[];
}

/** Either kind; `source` tells them apart. */
export type AnyVenue = Venue | FileVenue;

export interface Venue {
  readonly source?: 'sockets';
  readonly id: string;
  readonly title: string;
  readonly capabilities: VenueCapabilities;
  readonly limits: VenueLimits;
  instrumentsRequest(): HttpRequest;
  /**
   * Where what is wanted may stand in several answers: all requests for them. Their bodies are given to
   * `readInstruments` as one JSON array, in this order.
   */
  instrumentsRequests?(symbols: readonly string[] | 'all'): readonly HttpRequest[];
  /** Throws FaultError FRAME_MALFORMED. Ids are given in the order of the answer from `firstId`. */
  readInstruments(body: string, symbols: readonly string[] | 'all', firstId: number): Instrument[];
  /**
   * Those of the answer whose symbol is wanted, whatever the venue lets them do: what is delisted may
   * stand there or be missing. Ids as above. Throws FaultError FRAME_MALFORMED.
   */
  readListed(body: string, isWanted: (symbol: string) => boolean): Instrument[];
  planConnections(
    instruments: readonly Instrument[],
    channels: readonly Channel[],
  ): ConnectionPlan[];
  createParser(
    instruments: readonly Instrument[],
    timeline: Timeline,
    sink: EventSink,
  ): FrameParser;
  createSequencer(): Sequencer;
  readControl(text: string): ControlMessage;
  snapshotRequest(instrument: Instrument): HttpRequest;
  /**
   * Weight that the venue says this address has used in the running window, from the headers of an
   * answer (names in lower case); null where it does not say. Absent where it never does.
   */
  readUsedWeight?(headers: Readonly<Record<string, string>>): number | null;
  /** Parses a snapshot's body and hands a DepthSnapshot (in parts if large) to the sink. */
  readSnapshot(
    body: Uint8Array,
    instrument: Instrument,
    receivedNs: number,
    timeline: Timeline,
    sink: EventSink,
  ): SnapshotAnswer;
  /** For replay of recorded traffic, where the venue knows how. */
  createCaptureScout?(): CaptureScout;
}
