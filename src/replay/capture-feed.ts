/**
 * Recorded entries → the venue's parser → the ring of the books, as the ingest thread does it live.
 * Replay thread. A frame that was refused is told to the book it concerns, so that nothing is built on
 * a loss.
 */
import { StateReason } from '../domain/book-state.js';
import type { Instrument } from '../domain/instrument.js';
import { copyDoubles } from '../rings/copy-doubles.js';
import * as Record from '../rings/record-types.js';
import type { RingProducer } from '../rings/ring-producer.js';
import type { Timeline } from '../time/timeline.js';
import type { CaptureFacts } from '../venues/capture-scout.js';
import { ParseResult } from '../venues/venue.js';
import type { EventSink, FrameParser, Venue } from '../venues/venue.js';
import type { CaptureEntry } from './capture-entry.js';

export interface CaptureFeedOptions {
  readonly venue: Venue;
  readonly facts: CaptureFacts;
  /** Only these come through; they are among those of `facts`. */
  readonly wanted: readonly Instrument[];
  readonly ring: RingProducer;
  readonly timeline: Timeline;
}

/** What came by, for the summary. */
export interface FeedCounts {
  frames: number;
  /** Frames that the fast scanner left to the strict parser. */
  framesSlow: number;
  ignored: number;
  control: number;
  snapshots: number;
  /** Snapshots that belong to nobody that can be told. */
  snapshotsOrphaned: number;
  malformed: number;
  unknownSymbol: number;
  unknownType: number;
  precision: number;
  ringFull: number;
}

type FrameFault = 'malformed' | 'unknownSymbol' | 'unknownType' | 'precision' | 'ringFull';

function reasonOf(why: FrameFault): StateReason {
  if (why === 'precision') return StateReason.PrecisionLost;
  return why === 'ringFull' ? StateReason.RingFull : StateReason.MalformedFrame;
}

export class CaptureFeed implements EventSink {
  readonly counts: FeedCounts = {
    frames: 0,
    framesSlow: 0,
    ignored: 0,
    control: 0,
    snapshots: 0,
    snapshotsOrphaned: 0,
    malformed: 0,
    unknownSymbol: 0,
    unknownType: 0,
    precision: 0,
    ringFull: 0,
  };
  /** The first frame that was refused, for a person to look at. */
  firstFault: { readonly text: string; readonly why: string } | null = null;
  private readonly parser: FrameParser;
  private readonly isWanted: Uint8Array;

  constructor(private readonly options: CaptureFeedOptions) {
    const { venue, facts, timeline, wanted } = options;
    this.parser = venue.createParser(facts.instruments, timeline, this);
    this.isWanted = new Uint8Array(facts.instruments.length);
    for (const { id } of wanted) this.isWanted[id] = 1;
  }

  /** Hands over what the entry holds; everything is committed on return. */
  offer(entry: CaptureEntry, receivedNs: number): void {
    if (entry.kind === 'frame') this.onFrame(entry, receivedNs);
    else this.onSnapshot(entry, receivedNs);
    this.options.ring.commit();
  }

  accept(recordType: number, event: Float64Array, doubles: number): boolean {
    if (this.isWanted[event[Record.INSTRUMENT]!] !== 1) return true;
    const { ring } = this.options;
    const slot = ring.tryClaim(recordType, doubles * 8);
    if (slot < 0) return false;
    copyDoubles(event, doubles, ring.doubles, slot);
    return true;
  }

  private onFrame(entry: CaptureEntry, receivedNs: number): void {
    const { counts, parser } = this;
    counts.frames++;
    const result = parser.parse(entry.bytes, 0, entry.bytes.length, receivedNs);
    counts.framesSlow = parser.slowPathCount;
    switch (result) {
      case ParseResult.Events:
        return;
      case ParseResult.Control:
        counts.control++;
        return;
      case ParseResult.Ignored:
        counts.ignored++;
        return;
      case ParseResult.UnknownType:
        // Recorders write snapshots among the frames.
        if (!this.onSnapshot(entry, receivedNs)) this.onFault('unknownType', entry, receivedNs);
        return;
      case ParseResult.Malformed:
        return this.onFault('malformed', entry, receivedNs);
      case ParseResult.UnknownSymbol:
        return this.onFault('unknownSymbol', entry, receivedNs);
      case ParseResult.Precision:
        return this.onFault('precision', entry, receivedNs);
      case ParseResult.SinkFull:
        return this.onFault('ringFull', entry, receivedNs);
    }
  }

  /** False if the entry is no snapshot. */
  private onSnapshot(entry: CaptureEntry, receivedNs: number): boolean {
    const { venue, facts, timeline } = this.options;
    const owner = facts.snapshotOwner(entry.file, entry.url, entry.bytes);
    if (owner === 'none') return false;
    if (owner === 'nobody') {
      this.counts.snapshotsOrphaned++;
      return true;
    }
    const answer = venue.readSnapshot(entry.bytes, owner, receivedNs, timeline, this);
    if (answer.kind === 'snapshot') this.counts.snapshots++;
    else this.note('malformed', entry, answer.message);
    return true;
  }

  private onFault(why: FrameFault, entry: CaptureEntry, receivedNs: number): void {
    this.note(why, entry, why);
    const { lastInstrumentId, lastChannel } = this.parser;
    if (lastInstrumentId < 0 || this.isWanted[lastInstrumentId] !== 1) return;
    const { ring } = this.options;
    const slot = ring.tryClaim(Record.RecordType.SourceState, Record.SOURCE_STATE_DOUBLES * 8);
    if (slot < 0) return;
    ring.doubles.fill(Record.ABSENT, slot, slot + Record.SOURCE_STATE_DOUBLES);
    ring.doubles[slot + Record.INSTRUMENT] = lastInstrumentId;
    ring.doubles[slot + Record.FLAGS] = 0;
    ring.doubles[slot + Record.RECEIVED_NS] = receivedNs;
    ring.doubles[slot + Record.SOURCE_STATE] = Record.SourceState.FrameLost;
    ring.doubles[slot + Record.SOURCE_CHANNEL] = lastChannel;
    ring.doubles[slot + Record.SOURCE_REASON] = reasonOf(why);
  }

  private note(why: keyof FeedCounts, entry: CaptureEntry, message: string): void {
    this.counts[why]++;
    const text = Buffer.from(entry.bytes.subarray(0, 120)).toString('utf8');
    this.firstFault ??= { text, why: message };
  }
}
