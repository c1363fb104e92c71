/**
 * The feed's end in the page: a web worker that holds the FeedClient, keeps the books, and answers
 * each of the page's frames with what has changed since the last. So a burst of messages costs the
 * page nothing, and a page in the background gets nothing.
 */
import { FeedClient, FeedError, type BboEvent, type Subscription } from '../client/browser.js';
import { spreadText } from '../client/display-text.js';
import { HopLatency, type HopSummary } from '../client/hop-latency.js';
import { unixMsNow } from '../time/portable-scheduler.js';
import { bookFrame, curveFrame } from './book-frame.js';
import type { PageMessage, RowUpdate, Totals, WorkerMessage } from './protocol.js';

/** The part of a worker's global scope that is used; the DOM's types know the page's only. */
interface WorkerScope {
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: PageMessage }) => void,
  ): void;
  postMessage(message: WorkerMessage): void;
}
const scope = self as unknown as WorkerScope;

/** Levels a side of the chosen book: enough for the chart. */
const BOOK_DEPTH = 200;
const INSTRUMENTS_MAX = 300;
const CURVE_INTERVAL_MS = 200;
const SECOND_MS = 1000;
const LIST_RETRY_MS = 1000;

interface Row {
  readonly instrument: string;
  state: number;
  reason: number;
  latest: BboEvent | null;
  changed: boolean;
}

class FeedDesk {
  private readonly client: FeedClient;
  private readonly latency = new HopLatency();
  private readonly rows = new Map<string, Row>();
  private book: Subscription<'book'> | null = null;
  /** Of the chosen instrument; without events where its node takes no contexts. */
  private context: Subscription<'context'> | null = null;
  private bookChanged = false;
  private bookAtMs = 0;
  private curveAtMs = 0;
  private secondAtMs = unixMsNow();
  private messagesBefore = 0;
  private bytesBefore = 0;

  constructor(url: string, token: string) {
    this.client = new FeedClient({ url, backOffMsMax: 2_000, ...(token === '' ? {} : { token }) });
    this.client.on('error', (error) => {
      if (!(error instanceof FeedError) || error.code !== 'UNAUTHORIZED') return;
      this.close();
      scope.postMessage({ type: 'unauthorized' });
    });
    this.client.on('connection', ({ state, reason, retryInMs }) => {
      scope.postMessage({ type: 'connection', state, reason, retryInMs });
      this.bookChanged = true;
      if (state === 'live') void this.list();
    });
    this.client.connect().catch(() => undefined); // it was closed before it came to that
  }

  close(): void {
    this.client.close();
  }

  choose(instrument: string): void {
    if (this.book?.instrument === instrument) return;
    this.book?.close();
    this.context?.close();
    this.context = this.client.context(instrument, { mode: 'conflated' });
    this.context.on(() => (this.bookChanged = true));
    this.book = this.client.book(instrument, { depth: BOOK_DEPTH, mode: 'conflated' });
    this.bookChanged = true;
    this.curveAtMs = 0;
    this.book.on((event) => {
      const nowMs = unixMsNow();
      this.bookChanged = true;
      this.bookAtMs = nowMs;
      this.latency.record(event, nowMs);
    });
  }

  frame(): WorkerMessage {
    const nowMs = unixMsNow();
    const { book } = this;
    const secondIsOver = nowMs - this.secondAtMs >= SECOND_MS;
    const drawsCurve = book !== null && nowMs - this.curveAtMs >= CURVE_INTERVAL_MS;
    if (drawsCurve) this.curveAtMs = nowMs;
    // The age of a quiet book moves too: once a second is enough for that.
    const drawsBook = book !== null && (this.bookChanged || secondIsOver);
    this.bookChanged = false;
    return {
      type: 'frame',
      rows: this.changedRows(),
      book: drawsBook
        ? bookFrame(book.instrument, book.book, this.context?.latest ?? null, nowMs - this.bookAtMs)
        : null,
      curve: drawsCurve ? curveFrame(book.book) : null,
      ...this.second(secondIsOver, nowMs),
    };
  }

  private async list(): Promise<void> {
    try {
      const instruments = (await this.client.instruments()).slice(0, INSTRUMENTS_MAX);
      for (const { instrument } of instruments) {
        if (!this.rows.has(instrument)) this.follow(instrument);
      }
      scope.postMessage({
        type: 'instruments',
        rows: instruments.map(({ instrument, symbol, venue }) => ({ instrument, symbol, venue })),
      });
      if (instruments.length > 0) return;
    } catch {
      return; // the connection is gone again; the next one lists them
    }
    setTimeout(() => void this.list(), LIST_RETRY_MS);
  }

  private follow(instrument: string): void {
    const row: Row = { instrument, state: 0, reason: 0, latest: null, changed: true };
    this.rows.set(instrument, row);
    this.client.bbo(instrument, { mode: 'conflated' }).on((event) => {
      row.latest = event;
      row.changed = true;
      row.state = event.state;
      row.reason = event.reason;
      this.latency.record(event, unixMsNow());
    });
    this.client.status(instrument).on((event) => {
      row.changed = true;
      row.state = event.state;
      row.reason = event.reason;
    });
  }

  private changedRows(): RowUpdate[] {
    const updates: RowUpdate[] = [];
    for (const row of this.rows.values()) {
      if (!row.changed) continue;
      row.changed = false;
      const bid = row.latest?.bid ?? null;
      const ask = row.latest?.ask ?? null;
      updates.push({
        instrument: row.instrument,
        state: row.state,
        reason: row.reason,
        bid: bid?.priceText ?? '–',
        ask: ask?.priceText ?? '–',
        spread: bid === null || ask === null ? '–' : spreadText(bid.price, ask.price),
      });
    }
    return updates;
  }

  private second(
    isOver: boolean,
    nowMs: number,
  ): { latency: (HopSummary | null)[] | null; totals: Totals | null } {
    if (!isOver) return { latency: null, totals: null };
    const { counters } = this.client;
    const seconds = (nowMs - this.secondAtMs) / 1000;
    const totals: Totals = {
      messagesPerSecond: (counters.messages - this.messagesBefore) / seconds,
      bytesPerSecond: (counters.bytes - this.bytesBefore) / seconds,
      messages: counters.messages,
      gaps: counters.gaps,
      resyncs: counters.resyncs,
      resumes: counters.resumes,
      hashChecked: counters.hash.checked,
      hashFailed: counters.hash.failed,
      hashUnverifiable: counters.hash.unverifiable,
    };
    this.secondAtMs = nowMs;
    this.messagesBefore = counters.messages;
    this.bytesBefore = counters.bytes;
    return { latency: this.latency.closeWindow(), totals };
  }
}

let desk: FeedDesk | null = null;

scope.addEventListener('message', ({ data }) => {
  if (data.type === 'start') {
    desk?.close();
    desk = new FeedDesk(data.url, data.token);
  }
  if (data.type === 'choose') desk?.choose(data.instrument);
  if (data.type === 'frame' && desk !== null) scope.postMessage(desk.frame());
});
