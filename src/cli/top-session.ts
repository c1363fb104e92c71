/** The feed behind `ringside top`: follows the instruments' best prices and one chosen book. Cold. */
import { BookState, FeedClient, FeedError, type Subscription } from '../client/index.js';
import { HopLatency } from '../client/hop-latency.js';
import { FaultError } from '../faults/fault.js';
import { unixMsNow } from '../time/portable-scheduler.js';
import { newTopModel, type TopModel } from './top-model.js';

/** Levels a side that `d` goes through. */
export const DEPTHS = [10, 20, 50, 5] as const;
const INSTRUMENTS_MAX = 200;
const LIST_RETRY_MS = 500;

export class TopSession {
  readonly model: TopModel;
  readonly client: FeedClient;
  private readonly latency = new HopLatency();
  private book: Subscription<'book'> | null = null;
  private bookAtMs = 0;
  private messagesBefore = 0;
  private secondAtMs = unixMsNow();

  constructor(url: string, token: string | undefined, depth: number) {
    this.model = newTopModel(url, depth);
    this.client = new FeedClient({
      url,
      backOffMsMax: 2_000,
      ...(token === undefined ? {} : { token }),
    });
    this.client.on('connection', ({ state, reason }) => {
      this.model.connection = state;
      if (state !== 'connecting') this.model.reason = reason;
    });
  }

  /** Waits for the node's instruments and chooses one: by name, by symbol, or the first. */
  start(wanted: string | undefined): Promise<void> {
    // Trying again would not help, and nobody could see why nothing comes.
    const refused = new Promise<never>((_, reject) => {
      this.client.on('error', (error) => {
        if (error instanceof FeedError && error.code === 'UNAUTHORIZED') {
          reject(new FaultError('UNAUTHORIZED', `${error.message}: --token or RINGSIDE_TOKEN`));
        }
      });
    });
    return Promise.race([this.findInstrument(wanted), refused]);
  }

  private async findInstrument(wanted: string | undefined): Promise<void> {
    let listed = await this.client.instruments();
    while (listed.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, LIST_RETRY_MS));
      listed = await this.client.instruments();
    }
    const chosen =
      wanted === undefined
        ? 0
        : listed.findIndex(
            ({ instrument, symbol }) =>
              instrument === wanted || symbol.toLowerCase() === wanted.toLowerCase(),
          );
    if (chosen < 0) {
      const some = listed.slice(0, 8).map(({ instrument }) => instrument);
      const more = listed.length > some.length ? ', …' : '';
      throw new FaultError(
        'UNKNOWN_SYMBOL',
        `the node has no instrument ${wanted}; it has ${some.join(', ')}${more}`,
      );
    }
    const first = Math.max(
      0,
      Math.min(chosen - INSTRUMENTS_MAX / 2, listed.length - INSTRUMENTS_MAX),
    );
    this.model.instruments = listed
      .slice(first, first + INSTRUMENTS_MAX)
      .map(({ instrument, symbol }) => ({
        name: instrument,
        symbol,
        state: BookState.Syncing,
        bid: '–',
        ask: '–',
      }));
    this.choose(chosen - first);
  }

  /** Best prices and states of all, for the list; not needed for plain lines. */
  followAll(): void {
    for (const entry of this.model.instruments) {
      this.client.bbo(entry.name).on((event) => {
        entry.state = event.state;
        entry.bid = event.bid?.priceText ?? '–';
        entry.ask = event.ask?.priceText ?? '–';
        this.latency.record(event, unixMsNow());
      });
    }
  }

  choose(index: number): void {
    const { instruments, depth } = this.model;
    if (instruments.length === 0) return;
    const chosen = (index + instruments.length) % instruments.length;
    this.book?.close();
    this.model.chosen = chosen;
    this.bookAtMs = Number.NEGATIVE_INFINITY;
    const book = this.client.book(instruments[chosen]!.name, { depth });
    book.on((event) => {
      this.bookAtMs = unixMsNow();
      this.latency.record(event, this.bookAtMs);
    });
    this.book = book;
    this.model.book = book.book;
  }

  nextDepth(): void {
    const at = DEPTHS.findIndex((depth) => depth === this.model.depth);
    this.model.depth = DEPTHS[(at + 1) % DEPTHS.length]!;
    this.choose(this.model.chosen);
  }

  /** Brings the model's figures up to date; rates and latencies once a second. */
  refresh(): TopModel {
    const { model, client } = this;
    const nowMs = unixMsNow();
    const { counters } = client;
    model.bookAgeMs = nowMs - this.bookAtMs;
    model.hashChecked = counters.hash.checked;
    model.hashFailed = counters.hash.failed;
    model.gaps = counters.gaps;
    const seconds = (nowMs - this.secondAtMs) / 1000;
    if (seconds >= 1) {
      model.latency = this.latency.closeWindow();
      model.messagesPerSecond = (counters.messages - this.messagesBefore) / seconds;
      this.messagesBefore = counters.messages;
      this.secondAtMs = nowMs;
    }
    return model;
  }

  close(): void {
    this.client.close();
  }
}
