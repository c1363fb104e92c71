/**
 * What the readers of one coin get, on each channel in the order of the blocks. One text a variant
 * and block, made only if somebody reads it, handed to a topic that all its readers share. Broadcast
 * thread.
 *
 * **Invariant**: an `l4Book` reader gets the orders as they are after block H and then exactly the
 * blocks after H. The snapshot is told when nothing up to H waits for its statuses any more; whoever
 * got it stays outside the topic until the first later block is told.
 */
import { BookState } from '../../domain/book-state.js';
import { Aggressor, Side } from '../../domain/side.js';
import type { MessageDecoder } from '../../wire/decode.js';
import { ORDER_CHANGE_FIELDS, PARTIES_FIELDS, TRADE_FIELDS } from '../../wire/message-layout.js';
import type { BroadcastServer } from '../broadcast-server.js';
import type { ApiSubscription } from './api-request.js';
import { LEVELS_DEFAULT } from './api-request.js';
import type { ApiSession } from './api-session.js';
import { diffText, errorText, numberText, placesOf, wordsText } from './api-text.js';
import type { NumberFormat } from './api-text.js';
import { type Block, BlockQueue } from './block-queue.js';
import type { CoinBook } from './coin-book.js';
import { type ApiTrade, TradeTape } from './trade-tape.js';

const NOT_READY = 'Order book not ready for streaming (waiting for snapshot)';
const STALE = 'Order book is stale (no blocks from the node)';
const OWNER_WORDS = 5;
const HASH_WORDS = 8;
const NS_PER_MS = 1_000_000n;

interface Readers {
  readonly subscription: ApiSubscription;
  count: number;
  /** Of bbo: what was told last. */
  last: string;
}

interface Joining {
  readonly session: ApiSession;
  readonly topic: string;
  readonly height: number;
}

export class CoinChannels {
  readonly book: CoinBook;
  readonly tape = new TradeTape();
  readonly queue: BlockQueue;
  private readonly server: BroadcastServer;
  private readonly places: number;
  private readonly readers = new Map<string, Readers>();
  private l4Readers = 0;
  private diffReaders = 0;
  /** They wait for the book to be settled, and with a snapshot for the next block. */
  private anchoring: { session: ApiSession; subscription: ApiSubscription }[] = [];
  private joining: Joining[] = [];
  private sequence = 0;
  private diffs: string[] = [];
  private sidedDiffs: string[] = [];
  private trades: ApiTrade[] = [];
  /** Snapshot text of one position, for all who ask at it. */
  private snapshot = { height: -1, epoch: -1, sequence: -1, text: '' };

  constructor(book: CoinBook, server: BroadcastServer, format: NumberFormat, hasStatuses: boolean) {
    this.book = book;
    this.server = server;
    this.places = placesOf(format);
    this.queue = new BlockQueue((block) => this.tellBlock(block), hasStatuses);
  }

  get coin(): string {
    return this.book.instrument.symbol;
  }

  get hasL4Readers(): boolean {
    return this.l4Readers > 0;
  }

  /** Answers a valid subscription; `accept` says so to the client, at its place in the order. */
  subscribe(session: ApiSession, subscription: ApiSubscription, accept: () => void): void {
    const { channel, text } = subscription;
    const readers = this.readers.get(text) ?? { subscription, count: 0, last: '' };
    this.readers.set(text, readers);
    readers.count++;
    if (channel === 'bookDiffs') this.diffReaders++;
    if (channel === 'l4Book') {
      this.l4Readers++;
      this.anchoring.push({ session, subscription });
      accept();
      this.anchor();
      return;
    }
    accept();
    session.connection.join(text);
    const isBook = channel === 'l2Book' || channel === 'bbo';
    if (isBook && this.book.isReady) session.connection.sendText(this.bookText(subscription));
  }

  unsubscribe(session: ApiSession, { channel, text }: ApiSubscription): void {
    const readers = this.readers.get(text);
    if (readers === undefined) return;
    readers.count--;
    if (readers.count === 0) this.readers.delete(text);
    session.connection.leave(text);
    if (channel === 'bookDiffs') this.diffReaders--;
    if (channel !== 'l4Book') return;
    this.l4Readers--;
    this.anchoring = this.anchoring.filter((entry) => entry.session !== session);
    this.joining = this.joining.filter((entry) => entry.session !== session);
    if (this.l4Readers === 0) this.queue.stop();
  }

  onSnapshot(decoder: MessageDecoder, nowNs: number): void {
    this.diffs = [];
    this.sidedDiffs = [];
    if (!this.book.applySnapshot(decoder)) return;
    this.queue.restart(this.book.height);
    this.tellBooks();
    if (this.l4Readers === 0) return;
    this.sequence++;
    // Those who have been told one are told the new one by their topic.
    for (const { session, topic } of this.joining) session.connection.join(topic);
    this.joining = [];
    const text = this.snapshotText();
    for (const readers of this.readers.values()) {
      if (readers.subscription.channel === 'l4Book')
        this.server.publishText(readers.subscription.text, text);
    }
    this.settle(nowNs);
  }

  onDelta(decoder: MessageDecoder, nowNs: number): void {
    const { book } = this;
    if (this.l4Readers > 0 || this.diffReaders > 0) this.collectDiffs(decoder);
    const wasLive = !book.mirror.isBroken;
    if (!book.applyDelta(decoder)) {
      this.diffs = [];
      this.sidedDiffs = [];
      if (wasLive) this.tellError(NOT_READY);
      return;
    }
    if (book.isBetween) return;
    this.tellBooks();
    if (this.diffReaders > 0) this.tellDiffs();
    if (this.l4Readers > 0) this.queue.onDiffs(book.height, book.timeMs, this.diffs, nowNs);
    this.diffs = [];
    this.sidedDiffs = [];
    this.settle(nowNs);
  }

  /** The book's state, told in-band by the books. */
  onState(state: number): void {
    const before = this.book.state;
    this.book.state = state;
    if (state === before) return;
    if (state === BookState.Stale) this.tellError(STALE);
    else if (state !== BookState.Live) this.tellError(NOT_READY);
  }

  /** Tells blocks that are whole by now, and gives waiting readers their snapshot. */
  settle(nowNs: number): void {
    this.queue.drain(nowNs);
    if (this.anchoring.length > 0) this.anchor();
  }

  onTrades(decoder: MessageDecoder): void {
    if (!decoder.hasParties) return;
    const { priceDecimals, sizeDecimals } = this.book.instrument;
    for (let i = 0; i < decoder.tradesCount; i++) {
      const at = i * TRADE_FIELDS;
      const price = decoder.trades[at]!;
      const size = decoder.trades[at + 1]!;
      const parties = i * PARTIES_FIELDS;
      const user = (first: number): string =>
        wordsText(decoder.parties, parties + first * OWNER_WORDS, OWNER_WORDS);
      const trade: ApiTrade = {
        coin: this.coin,
        side: decoder.trades[at + 4] === Aggressor.Sell ? 'A' : 'B',
        // As the node's fills have them, in either number format.
        px: numberText(price, priceDecimals, 1),
        sz: numberText(size, sizeDecimals, 1),
        hash: wordsText(decoder.parties, parties + 2 * OWNER_WORDS, HASH_WORDS),
        time: Number(decoder.tradeExchangeUnixNs(i) / NS_PER_MS),
        tid: decoder.trades[at + 2]!,
        users: [user(0), user(1)],
      };
      if (this.trades.length > 0 && this.trades[0]!.time !== trade.time) this.flushTrades();
      this.tape.note(trade, price, size);
      this.trades.push(trade);
    }
  }

  /** One message a block: what came in one turn of one block goes together. */
  flushTrades(): void {
    if (this.trades.length === 0) return;
    this.publish('trades', () => JSON.stringify({ channel: 'trades', data: this.trades }));
    this.trades = [];
  }

  private collectDiffs(decoder: MessageDecoder): void {
    const { coinJson, instrument } = this.book;
    for (let i = 0; i < decoder.ordersCount; i++) {
      const at = i * ORDER_CHANGE_FIELDS;
      if (this.l4Readers > 0)
        this.diffs.push(diffText(decoder.orders, at, coinJson, instrument, false));
      if (this.diffReaders > 0)
        this.sidedDiffs.push(diffText(decoder.orders, at, coinJson, instrument, true));
    }
  }

  private tellDiffs(): void {
    const data = this.sidedDiffs.join(',');
    this.publish('bookDiffs', () => `{"channel":"bookDiffs","data":[${data}]}`);
  }

  private tellBooks(): void {
    for (const readers of this.readers.values()) {
      const { channel, text } = readers.subscription;
      if (channel !== 'l2Book' && channel !== 'bbo') continue;
      const message = this.bookText(readers.subscription);
      if (channel === 'bbo') {
        const levels = message.slice(message.indexOf('"bid"'));
        if (levels === readers.last) continue;
        readers.last = levels;
      }
      this.server.publishText(text, message);
    }
  }

  private bookText(subscription: ApiSubscription): string {
    const { book, places } = this;
    const head = `"data":{"coin":${book.coinJson},"time":${book.timeMs}`;
    if (subscription.channel === 'bbo') {
      const bid = book.best(Side.Bid, places);
      const ask = book.best(Side.Ask, places);
      // By name as forks of order_book_server have it, and as the pair of the official API.
      return `{"channel":"bbo",${head},"bid":${bid},"ask":${ask},"bbo":[${bid},${ask}]}}`;
    }
    const { nSigFigs, mantissa, nLevels } = subscription;
    const levels = book.levels(nSigFigs, mantissa, nLevels ?? LEVELS_DEFAULT, places);
    return `{"channel":"l2Book",${head},"levels":${levels}}}`;
  }

  private tellBlock(block: Block): void {
    const before = this.sequence++;
    const text =
      `{"channel":"l4Book","data":{"Updates":{"time":${block.timeMs},"height":${block.height}` +
      `,"order_statuses":[${block.statuses.join(',')}],"book_diffs":[${block.diffs.join(',')}]` +
      `,"seq":${this.sequence},"prevSeq":${before},"epoch":${this.book.epoch}}}}`;
    for (let i = this.joining.length - 1; i >= 0; i--) {
      const { session, topic, height } = this.joining[i]!;
      if (height >= block.height) continue;
      session.connection.join(topic);
      this.joining.splice(i, 1);
    }
    this.publish('l4Book', () => text);
  }

  private anchor(): void {
    const { book } = this;
    if (!book.isReady || !this.queue.isSettled(book.height)) return;
    const waiting = this.anchoring;
    this.anchoring = [];
    for (const { session, subscription } of waiting) {
      const text = this.snapshotText();
      session.allowanceBytes += text.length;
      session.connection.sendText(text);
      this.joining.push({ session, topic: subscription.text, height: book.height });
    }
  }

  private snapshotText(): string {
    const { book, sequence, snapshot } = this;
    const { height, epoch, timeMs, coinJson } = book;
    const isSame =
      snapshot.height === height && snapshot.epoch === epoch && snapshot.sequence === sequence;
    if (isSame) return snapshot.text;
    const text =
      `{"channel":"l4Book","data":{"Snapshot":{"coin":${coinJson},"time":${timeMs}` +
      `,"height":${height},"levels":${book.orders(this.places)}` +
      `,"seq":${sequence},"epoch":${epoch}}}}`;
    this.snapshot = { height, epoch, sequence, text };
    return text;
  }

  /** The book's readers hear at once what it is no longer. */
  private tellError(message: string): void {
    const text = errorText(`${message}: ${this.coin}`);
    for (const { session } of this.joining) session.connection.sendText(text);
    for (const { session } of this.anchoring) session.connection.sendText(text);
    for (const { subscription } of this.readers.values()) {
      if (subscription.channel !== 'trades') this.server.publishText(subscription.text, text);
    }
  }

  private publish(channel: string, text: () => string): void {
    for (const { subscription } of this.readers.values()) {
      if (subscription.channel === channel) this.server.publishText(subscription.text, text());
    }
  }
}
