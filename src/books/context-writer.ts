/**
 * Contexts to bytes, into the output rings. Books thread; warm.
 *
 * The context stream of an instrument has an epoch of its own (new with the worker, since every message
 * stands for itself) and a sequence of its own. State and reason of its heads are the context's.
 */
import { Channel, streamIdOf } from '../domain/channel.js';
import { EventFlag } from '../domain/event-flags.js';
import { ABSENT, OUT_ENVELOPE_DOUBLES, RecordType } from '../rings/record-types.js';
import type { MessageEncoder } from '../wire/encode.js';
import { HeadField } from '../wire/head-fields.js';
import { BooksColumn } from './books-counters.js';
import type { ContextFeed } from './context-feed.js';
import type { ContextPublisher } from './context-publisher.js';
import { StreamWriter } from './stream-writer.js';

export abstract class ContextWriter extends StreamWriter implements ContextPublisher {
  protected abstract readonly encoder: MessageEncoder;

  context(context: ContextFeed): void {
    this.fillContextHead(context);
    const slot = this.claim(RecordType.ContextOut, this.encoder.contextBytes);
    const word = (slot + OUT_ENVELOPE_DOUBLES) * 2;
    const { present, values, nextFundingNs } = context;
    const { words } = this.first;
    this.encoder.writeContext(words, word, this.head, present, values, 0, nextFundingNs);
    this.finish(RecordType.ContextOut, slot);
  }

  /** Apart from `fillHead`, which sees books only and so stays monomorphic. */
  private fillContextHead(context: ContextFeed): void {
    const { head, counters } = this;
    const row = context.instrumentId;
    const sequence = counters.get(row, BooksColumn.ContextSequence) + 1;
    counters.set(row, BooksColumn.ContextSequence, sequence);
    head[HeadField.Epoch] = counters.get(row, BooksColumn.ContextEpoch);
    head[HeadField.Sequence] = sequence;
    head[HeadField.FirstSequence] = sequence;
    head[HeadField.VenueSequence] = context.venueSequence;
    head[HeadField.HashLow] = 0;
    head[HeadField.HashHigh] = 0;
    head[HeadField.ExchangeNs] = context.exchangeNs;
    head[HeadField.ReceivedNs] = context.receivedNs;
    head[HeadField.AppliedNs] = context.appliedNs;
    head[HeadField.PublishedNs] = ABSENT;
    head[HeadField.StreamId] = streamIdOf(row, Channel.Context);
    head[HeadField.InstrumentId] = row;
    head[HeadField.Folded] = 0;
    head[HeadField.Flags] = EventFlag.Last;
    head[HeadField.State] = context.state;
    head[HeadField.Reason] = context.reason;
  }
}
