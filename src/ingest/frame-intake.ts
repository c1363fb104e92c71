/**
 * Frames of a socket to the parser, and what the parser says to whom it concerns. Ingest thread; HOT:
 * one call a frame; nothing is allocated unless the frame is a fault or about the connection.
 *
 * A refused frame whose stream is known is told to the books at once (FrameLost): its book becomes
 * Suspect instead of silently missing an update. Where the stream is not known, nothing is guessed: the
 * next depth update of that stream does not continue the one before, which its sequencer notices; a
 * lost trade or ticker is counted here, the next one replaces it.
 */
import { StateReason } from '../domain/book-state.js';
import { Channel, streamIdOf } from '../domain/channel.js';
import type { Instrument } from '../domain/instrument.js';
import type { FaultCode } from '../faults/fault.js';
import { unreachable } from '../faults/invariant.js';
import type { CounterTable } from '../rings/counters.js';
import { INSTRUMENT, RECEIVED_NS, SEQUENCE_LAST, SourceState } from '../rings/record-types.js';
import type { TimeCell } from '../time/clock.js';
import type { EventSink, FrameParser } from '../venues/venue.js';
import { ParseResult } from '../venues/venue.js';
import type { FaultSampler } from './fault-sampler.js';
import { ConnectionColumn } from './ingest-counters.js';
import type { LineArbiter } from './line-arbiter.js';
import type { ShardRouter } from './shard-router.js';
import type { StreamWatch } from './stream-watch.js';
import { CHANNEL_OF_RECORD, WatchFlag } from './stream-watch.js';

/** The socket whose frame is being parsed. */
export interface IntakeSocket {
  readonly name: string;
  readonly row: number;
  readonly watch: StreamWatch;
  readonly arbiter: LineArbiter;
  /** A stream with flags Awaiting or NotUp delivered; called before its event is passed on. */
  onFlaggedStream(slot: number, nowNs: number): void;
  onControlText(text: string, nowNs: number): void;
}

/**
 * Stands between the parser and the router: stamps when the frame was received and writes down that the
 * stream lives. The stamp is not handed through the parser: the call is too large to be inlined, and a
 * double that crosses it would be put into a box.
 */
class WatchingSink implements EventSink {
  socket: IntakeSocket | null = null;
  watch: StreamWatch | null = null;
  received: TimeCell = new Float64Array(1);
  private readonly router: ShardRouter;

  constructor(router: ShardRouter) {
    this.router = router;
  }

  accept(recordType: number, event: Float64Array, doubles: number): boolean {
    const slot = streamIdOf(event[INSTRUMENT]!, CHANNEL_OF_RECORD[recordType]! as Channel);
    const watch = this.watch!;
    const receivedNs = this.received[0]!;
    event[RECEIVED_NS] = receivedNs;
    watch.lastNs[slot] = receivedNs;
    if (watch.flags[slot] !== 0) return this.acceptFlagged(slot, recordType, event, doubles);
    watch.sequence[slot] = event[SEQUENCE_LAST]!;
    return this.router.accept(recordType, event, doubles);
  }

  private acceptFlagged(
    slot: number,
    recordType: number,
    event: Float64Array,
    doubles: number,
  ): boolean {
    const socket = this.socket!;
    const { watch } = socket;
    watch.sequence[slot] = event[SEQUENCE_LAST]!;
    if ((watch.flags[slot]! & (WatchFlag.Awaiting | WatchFlag.NotUp)) !== 0) {
      socket.onFlaggedStream(slot, event[RECEIVED_NS]!);
    }
    // The machine may have let go of this very socket in the meantime.
    if ((watch.flags[slot]! & WatchFlag.Muted) !== 0) return true;
    if ((watch.flags[slot]! & WatchFlag.Arbitrated) !== 0) {
      return socket.arbiter.offer(watch, slot, recordType, event, doubles);
    }
    return this.router.accept(recordType, event, doubles);
  }
}

/** What the parser is told instead of a time: the sink stamps. */
const STAMPED_LATER = 0;

export interface IntakeOptions {
  readonly createParser: (sink: EventSink) => FrameParser;
  readonly router: ShardRouter;
  /** Rows of the connections. */
  readonly counters: CounterTable;
  readonly sampler: FaultSampler;
  /** A number did not fit its instrument's scale: it may be another one by now. */
  readonly onPrecision?: (instrumentId: number, nowNs: number) => void;
}

export class FrameIntake {
  private readonly sink: WatchingSink;
  private readonly parser: FrameParser;
  private readonly router: ShardRouter;
  private readonly counters: CounterTable;
  private readonly sampler: FaultSampler;
  private readonly onPrecision: (instrumentId: number, nowNs: number) => void;
  private readonly decoder = new TextDecoder('utf-8', { fatal: false });
  private slowPathSeen = 0;

  constructor(options: IntakeOptions) {
    this.router = options.router;
    this.counters = options.counters;
    this.sampler = options.sampler;
    this.onPrecision = options.onPrecision ?? (() => {});
    this.sink = new WatchingSink(options.router);
    this.parser = options.createParser(this.sink);
  }

  /** Where sockets should read into, or null. */
  get receiveBuffer(): Uint8Array | null {
    return this.parser.receiveBuffer ?? null;
  }

  /** The instrument is another one from the next frame on. */
  redefine(instrument: Instrument): void {
    this.parser.redefine(instrument);
  }

  /** Hot. */
  onFrame(
    socket: IntakeSocket,
    bytes: Uint8Array,
    start: number,
    end: number,
    received: TimeCell,
  ): void {
    const { sink, parser } = this;
    sink.socket = socket;
    sink.watch = socket.watch;
    sink.received = received;
    const result = parser.parse(bytes, start, end, STAMPED_LATER);
    if (result === ParseResult.Events) return;
    this.onOther(socket, result, bytes, start, end, received[0]!);
  }

  /** All frames of one socket read are in: one commit and one doorbell a shard. Hot. */
  onReadEnd(socket: IntakeSocket): void {
    const slowPath = this.parser.slowPathCount;
    if (slowPath !== this.slowPathSeen) {
      this.counters.add(socket.row, ConnectionColumn.SlowPath, slowPath - this.slowPathSeen);
      this.slowPathSeen = slowPath;
    }
    this.router.flush();
  }

  private onOther(
    socket: IntakeSocket,
    result: Exclude<ParseResult, typeof ParseResult.Events>,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedNs: number,
  ): void {
    switch (result) {
      case ParseResult.Control:
        this.counters.add(socket.row, ConnectionColumn.Control, 1);
        socket.onControlText(this.decoder.decode(bytes.subarray(start, end)), receivedNs);
        return;
      case ParseResult.Ignored:
        this.counters.add(socket.row, ConnectionColumn.Ignored, 1);
        this.noteIgnored(socket, receivedNs);
        return;
      case ParseResult.SinkFull:
        // The router counted the event and has marked its stream.
        this.counters.add(socket.row, ConnectionColumn.RingFull, 1);
        return;
      case ParseResult.Malformed:
      case ParseResult.UnknownSymbol:
      case ParseResult.UnknownType:
      case ParseResult.Precision:
        this.onFault(socket, result, bytes, start, end, receivedNs);
        return;
      default:
        unreachable(result);
    }
  }

  /** A frame that is deliberately not used still shows that its stream lives. */
  private noteIgnored(socket: IntakeSocket, receivedNs: number): void {
    const { lastInstrumentId, lastChannel } = this.parser;
    if (lastInstrumentId < 0 || lastChannel < 0) return;
    const slot = streamIdOf(lastInstrumentId, lastChannel as Channel);
    socket.watch.lastNs[slot] = receivedNs;
    if ((socket.watch.flags[slot]! & (WatchFlag.Awaiting | WatchFlag.NotUp)) !== 0) {
      socket.onFlaggedStream(slot, receivedNs);
    }
  }

  private onFault(
    socket: IntakeSocket,
    result: keyof typeof FAULT_OF_RESULT,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedNs: number,
  ): void {
    const { code, column, reason } = FAULT_OF_RESULT[result];
    const { lastInstrumentId: instrumentId, lastChannel } = this.parser;
    this.counters.add(socket.row, column, 1);
    this.sampler.note(code, socket.name, instrumentId, bytes, start, end, receivedNs);
    if (instrumentId < 0 || reason === StateReason.None) return;
    // A context's values have scales of their own.
    const isOfScale = result === ParseResult.Precision && lastChannel !== Channel.Context;
    if (isOfScale) this.onPrecision(instrumentId, receivedNs);
    const channel = (lastChannel < 0 ? Channel.Book : lastChannel) as Channel;
    const slot = streamIdOf(instrumentId, channel);
    const arbitrated = (socket.watch.flags[slot]! & WatchFlag.Arbitrated) !== 0;
    if (arbitrated && !socket.arbiter.spoil(socket.watch, slot)) return;
    const state = SourceState.FrameLost;
    this.router.writeSourceState(instrumentId, channel, state, reason, receivedNs);
  }
}

interface FaultMeaning {
  readonly code: FaultCode;
  readonly column: number;
  /** StateReason for the books, None where no stream of ours is concerned. */
  readonly reason: number;
}

const FAULT_OF_RESULT = {
  [ParseResult.Malformed]: {
    code: 'FRAME_MALFORMED',
    column: ConnectionColumn.Malformed,
    reason: StateReason.MalformedFrame,
  },
  [ParseResult.UnknownSymbol]: {
    code: 'FRAME_UNKNOWN_SYMBOL',
    column: ConnectionColumn.UnknownSymbol,
    reason: StateReason.None,
  },
  [ParseResult.UnknownType]: {
    code: 'FRAME_UNKNOWN_TYPE',
    column: ConnectionColumn.UnknownType,
    reason: StateReason.None,
  },
  [ParseResult.Precision]: {
    code: 'FRAME_PRECISION',
    column: ConnectionColumn.Precision,
    reason: StateReason.PrecisionLost,
  },
} as const satisfies Record<number, FaultMeaning>;
