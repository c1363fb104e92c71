/**
 * What the readers of one coin get, on each channel in the order of the blocks. One text a variant
 * and block, made only if somebody reads it, handed to a topic that all its readers share. `l4Book`
 * stands in l4-channel.ts. Broadcast thread.
 */
import { BookState } from '../../domain/book-state.js';
import { Aggressor, Side } from '../../domain/side.js';
import type { MessageDecoder } from '../../wire/decode.js';
import { ORDER_CHANGE_FIELDS, PARTIES_FIELDS, TRADE_FIELDS } from '../../wire/message-layout.js';
import type { ApiSubscription } from './api-request.js';
import { LEVELS_DEFAULT } from './api-request.js';
import type { ApiSession } from './api-session.js';
import { diffText, errorText, numberText, placesOf, wordsText } from './api-text.js';
import type { NumberFormat } from './api-text.js';
import type { ApiTopics } from './api-topics.js';
import type { CoinBook } from './coin-book.js';
import type { L4Channel } from './l4-channel.js';
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

export class CoinChannels {
  readonly book: CoinBook;
  readonly l4: L4Channel;
  readonly tape = new TradeTape();
  private readonly topics: ApiTopics;
  private readonly places: number;
  /** Of all channels but l4Book, by canonical text. */
  private readonly readers = new Map<string, Readers>();
  private diffReaders = 0;
  private diffs: string[] = [];
  private sidedDiffs: string[] = [];
  /** Of the block under way: somebody asks for bookDiffs since it began. */
  private hasAllDiffs = false;
  private isAmidBlock = false;
  private trades: ApiTrade[] = [];
  /** What its readers were told of the book last. */
  private toldState: BookState = BookState.Syncing;

  constructor(l4: L4Channel, topics: ApiTopics, format: NumberFormat) {
    this.book = l4.book;
    this.l4 = l4;
    this.topics = topics;
    this.places = placesOf(format);
  }

  get coin(): string {
    return this.book.instrument.symbol;
  }

  /** Takes a valid subscription that was answered. */
  subscribe(session: ApiSession, subscription: ApiSubscription): void {
    const { channel, text } = subscription;
    if (channel === 'l4Book') {
      this.l4.add(session);
      return;
    }
    const readers = this.readers.get(text) ?? { subscription, count: 0, last: '' };
    this.readers.set(text, readers);
    readers.count++;
    if (channel === 'bookDiffs') this.diffReaders++;
    session.follow(text);
    const isBook = channel === 'l2Book' || channel === 'bbo';
    if (isBook && this.book.isReady) session.say(this.bookText(subscription));
  }

  unsubscribe(session: ApiSession, { channel, text }: ApiSubscription): void {
    if (channel === 'l4Book') {
      this.l4.remove(session);
      return;
    }
    const readers = this.readers.get(text);
    if (readers === undefined) return;
    readers.count--;
    if (readers.count === 0) this.readers.delete(text);
    session.unfollow(text);
    if (channel === 'bookDiffs') this.diffReaders--;
  }

  /** The book was told anew; it is whole with the last part. */
  onSnapshot(decoder: MessageDecoder, isWhole: boolean): void {
    this.book.noteMessage(decoder);
    this.diffs = [];
    this.sidedDiffs = [];
    if (!isWhole) return;
    this.toldState = this.book.state;
    this.l4.onAligned();
    this.tellBooks();
  }

  /** Changes of a block, applied. */
  onDelta(decoder: MessageDecoder, nowNs: number): void {
    const { book } = this;
    book.noteMessage(decoder);
    if (!this.isAmidBlock) this.hasAllDiffs = this.diffReaders > 0;
    this.isAmidBlock = book.isBetween;
    this.collectDiffs(decoder);
    if (book.isBetween) return;
    this.toldState = book.state;
    this.tellBooks();
    if (this.hasAllDiffs) this.tellDiffs();
    this.l4.onDiffs(this.diffs, nowNs);
    this.diffs = [];
    this.sidedDiffs = [];
  }

  /** The book's state, told by the books or lost. */
  onState(state: BookState): void {
    if (state === this.toldState) return;
    this.toldState = state;
    if (state === BookState.Live) return;
    const isStale = state === BookState.Stale;
    const message = `${isStale ? STALE : NOT_READY}: ${this.coin}`;
    if (isStale) this.l4.onStale(message);
    else {
      this.diffs = [];
      this.sidedDiffs = [];
      this.l4.onLost(message);
    }
    const text = errorText(message);
    for (const { subscription } of this.readers.values()) {
      if (subscription.channel !== 'trades') this.topics.publish(subscription.text, text);
    }
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
    const hasL4 = this.l4.hasReaders;
    if (!hasL4 && this.diffReaders === 0) return;
    for (let i = 0; i < decoder.ordersCount; i++) {
      const at = i * ORDER_CHANGE_FIELDS;
      if (hasL4) this.diffs.push(diffText(decoder.orders, at, coinJson, instrument, false));
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
      this.topics.publish(text, message);
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

  private publish(channel: string, text: () => string): void {
    for (const { subscription } of this.readers.values()) {
      if (subscription.channel === channel) this.topics.publish(subscription.text, text());
    }
  }
}
