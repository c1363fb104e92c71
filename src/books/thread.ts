/** Puts a shard's books agent together on its thread, from shared memory and plain values. A shell; cold. */
import type { Instrument } from '../domain/instrument.js';
import { DoorbellRinger } from '../rings/doorbell.js';
import { HistogramWriter } from '../rings/latency-histogram.js';
import { RingConsumer } from '../rings/ring-consumer.js';
import { RingProducer } from '../rings/ring-producer.js';
import type { Clock } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import type { AnyVenue } from '../venues/venue.js';
import { BooksAgent } from './books-agent.js';
import { invariant } from '../faults/invariant.js';
import { DEFAULT_BOOKS_LIMITS, ORDER_BOOKS_LIMITS } from './limits.js';

export interface BooksWiring {
  readonly name: string;
  readonly venue: AnyVenue;
  /** Those of this shard. */
  readonly instruments: readonly Instrument[];
  readonly feed: SharedArrayBuffer;
  /** Each with the bell of the thread that reads it. */
  readonly outputs: readonly {
    readonly ring: SharedArrayBuffer;
    readonly bell: SharedArrayBuffer;
    readonly whenFull: 'wait' | 'leave';
  }[];
  readonly wanted: { readonly ring: SharedArrayBuffer; readonly bell: SharedArrayBuffer };
  readonly bbo: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly workerCounters: SharedArrayBuffer;
  readonly workerRow: number;
  readonly histograms: SharedArrayBuffer;
  readonly rows: { readonly venueToReceived: number; readonly receivedToApplied: number };
  readonly clock: Clock;
  readonly timeline: Timeline;
  /** createDefinitionTable; absent where instruments stay what they are. */
  readonly definitions?: SharedArrayBuffer;
  /** Channel `context` was asked for, and the venue has it. */
  readonly contexts: boolean;
  /** This thread replaces one that ended. */
  readonly takeover: boolean;
}

export function assembleBooks(wiring: BooksWiring): BooksAgent {
  const { venue, histograms, rows } = wiring;
  const lane = ({ ring, bell }: { ring: SharedArrayBuffer; bell: SharedArrayBuffer }) => ({
    ring: new RingProducer(ring),
    bell: new DoorbellRinger(bell),
  });
  const outputs = wiring.outputs.map((output) => ({ ...lane(output), whenFull: output.whenFull }));
  const wanted = lane(wiring.wanted);
  if (wiring.takeover) {
    for (const { ring } of outputs) ring.announceNewWriter();
  }
  return new BooksAgent({
    name: wiring.name,
    instruments: wiring.instruments,
    createSequencer: () => {
      invariant(venue.source !== 'files', 'books of files continue by height');
      return venue.createSequencer();
    },
    snapshotInStream: venue.capabilities.snapshot === 'in-stream',
    snapshotInEveryFrame: venue.capabilities.snapshot === 'every-frame',
    orderByOrder: venue.capabilities.orders,
    contexts: wiring.contexts,
    input: new RingConsumer(wiring.feed),
    outputs,
    wanted,
    bboTable: wiring.bbo,
    ...(wiring.definitions === undefined ? {} : { definitions: wiring.definitions }),
    counters: wiring.counters,
    workerCounters: wiring.workerCounters,
    workerRow: wiring.workerRow,
    histograms: {
      venueToReceived: new HistogramWriter(histograms, rows.venueToReceived),
      receivedToApplied: new HistogramWriter(histograms, rows.receivedToApplied),
    },
    timeline: wiring.timeline,
    clock: wiring.clock,
    limits: venue.capabilities.orders ? ORDER_BOOKS_LIMITS : DEFAULT_BOOKS_LIMITS,
    takeover: wiring.takeover,
  });
}
