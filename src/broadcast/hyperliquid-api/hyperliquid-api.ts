/**
 * The JSON API of Hyperliquid on `/ws` and `POST /info`: what clients of order_book_server and of the
 * official API speak, from this node's own order-by-order books. A room within the broadcast room: it
 * hears what befalls the mirrors of the feed's `orders` streams, and has clients and topics of its
 * own. Broadcast thread.
 *
 *     orders-feed ─▶ CoinBook, CoinChannels ─▶ ApiTopics ─▶ clients
 *     ingest's ring ─▶ StatusIntake ─▶ L4Channel ─▶ ▲  ▲
 *                       SnapshotPress ─▶ Outbox ────┘  └─ ApiClients: requests, limits
 */
import type { BookState } from '../../domain/book-state.js';
import type { MessageDecoder } from '../../wire/decode.js';
import { BodyType } from '../../wire/message-layout.js';
import type { Connection, HttpResponse, ServerExtras } from '../broadcast-server.js';
import { BroadcastColumn } from '../broadcast-counters.js';
import type { InstrumentFeed } from '../instrument-feed.js';
import type { OrdersListener } from '../orders-feed.js';
import type { RoomContext } from '../room-context.js';
import { ApiClients } from './api-clients.js';
import { type NumberFormat, placesOf } from './api-text.js';
import { ApiTopics } from './api-topics.js';
import { CoinBook } from './coin-book.js';
import { CoinChannels } from './coin-channels.js';
import { InfoRequests } from './info.js';
import { L4Channel } from './l4-channel.js';
import { SnapshotPress } from './snapshot-press.js';
import { type RawWay, StatusIntake } from './status-intake.js';

export const API_PATH = '/ws';
export const INFO_PATH = '/info';

export interface ApiOptions {
  readonly numberFormat: NumberFormat;
  /** The venue's own answers about its markets are on their way: none are made up meanwhile. */
  readonly awaitsInfo?: boolean | undefined;
  /** Order statuses as the venue wrote them; absent where none come. */
  readonly raw?: RawWay | undefined;
}

/** Requests of SDKs are a few hundred bytes. */
const INFO_BYTES_MAX = 64 * 1024;
/** A turn that catches up can tell many blocks of half a megabyte; a reader is slow long before. */
const API_SOCKET_BYTES_MAX = 48 * 1024 * 1024;

/** What the server needs for these clients. */
export function apiExtras(compression: boolean): ServerExtras {
  return {
    path: API_PATH,
    bodyPath: INFO_PATH,
    bodyBytesMax: INFO_BYTES_MAX,
    socketBytesMax: API_SOCKET_BYTES_MAX,
    compression,
  };
}

export class HyperliquidApi implements OrdersListener {
  readonly clients: ApiClients;
  private readonly room: RoomContext;
  private readonly format: NumberFormat;
  private readonly topics: ApiTopics;
  private readonly press: SnapshotPress;
  private readonly statuses: StatusIntake | null;
  private readonly info: InfoRequests;
  /** By instrument id. */
  private readonly coins: (CoinChannels | undefined)[] = [];
  /** The input of each instrument's messages, and up to which block each input has told. */
  private readonly inputOf: number[] = [];
  private readonly heightOfInput: number[] = [];
  private isMidsDue = false;

  /** @param feeds of instruments whose orders are told */
  constructor(room: RoomContext, feeds: readonly InstrumentFeed[], options: ApiOptions) {
    const { numberFormat, raw } = options;
    this.room = room;
    this.format = numberFormat;
    this.topics = new ApiTopics(room.server);
    this.press = new SnapshotPress(numberFormat);
    const newest = { timeMs: 0 };
    const bySymbol = new Map<string, CoinChannels>();
    for (const { instrument, orders } of feeds) {
      if (orders === null) continue;
      const book = new CoinBook(instrument, orders, orders.listen(this), newest);
      const l4 = new L4Channel(book, this.topics, this.press, raw !== undefined);
      const channels = new CoinChannels(l4, this.topics, numberFormat);
      bySymbol.set(instrument.symbol, channels);
      this.coins[instrument.id] = channels;
    }
    this.statuses = raw === undefined ? null : this.createIntake(raw);
    this.info = new InfoRequests(bySymbol, newest, options.awaitsInfo === true);
    this.clients = new ApiClients({
      limits: room.limits,
      clock: room.clock,
      topics: this.topics,
      coins: bySymbol,
      info: this.info,
      statuses: this.statuses,
      midsText: (dex) => this.midsText(dex),
    });
  }

  onOpen(connection: Connection): void {
    this.clients.onOpen(connection);
    this.gauge();
  }

  onClose(connection: Connection): void {
    this.clients.onClose(connection);
    this.gauge();
  }

  /** `POST /info`. */
  onInfo(body: Uint8Array): HttpResponse {
    let request: unknown;
    try {
      request = JSON.parse(new TextDecoder().decode(body));
    } catch {
      request = null;
    }
    const result = this.info.answer(request);
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
    return result.ok
      ? { status: 200, headers, body: result.json }
      : { status: 422, headers, body: JSON.stringify(result.message) };
  }

  /** The venue's own answers about its markets, by name: served in place of earlier ones. */
  onVenueInfo(answers: ReadonlyMap<string, string>): void {
    this.info.metas.learn(answers);
  }

  onOrdersSnapshot(instrumentId: number, decoder: MessageDecoder, isWhole: boolean): void {
    this.coins[instrumentId]?.onSnapshot(decoder, isWhole);
    this.isMidsDue = true;
  }

  onOrdersDelta(instrumentId: number, decoder: MessageDecoder): void {
    const coin = this.coins[instrumentId];
    if (coin === undefined) return;
    coin.onDelta(decoder, this.room.clock.nowNs());
    const input = this.inputOf[instrumentId] ?? 0;
    const { height } = coin.book;
    if (height > (this.heightOfInput[input] ?? -1)) this.heightOfInput[input] = height;
    this.isMidsDue = true;
  }

  onOrdersState(instrumentId: number, state: BookState): void {
    this.coins[instrumentId]?.onState(state);
  }

  /** An instrument's messages come through this input from now on. */
  noteInput(instrumentId: number, input: number): void {
    this.inputOf[instrumentId] = input;
  }

  /** A message of trades that continues the feed's stream. */
  onTrades(instrumentId: number, words: Int32Array, at: number, bytes: number): void {
    const { decoder } = this.room;
    if (decoder.decodeWords(words, at, bytes) === BodyType.Trades)
      this.coins[instrumentId]?.onTrades(decoder);
  }

  /** Takes what waits in the ring of raw texts. Returns how many records. */
  pollRaw(): number {
    return this.statuses?.poll() ?? 0;
  }

  /** At the end of a duty cycle: what the turn brought, deadlines, a slice of what is long. */
  endTurn(nowNs: number): number {
    for (let id = 0; id < this.coins.length; id++) {
      const coin = this.coins[id];
      if (coin === undefined) continue;
      coin.flushTrades();
      if (!coin.l4.hasReaders) continue;
      coin.l4.queue.onBooksAt(this.heightOfInput[this.inputOf[id] ?? 0] ?? -1);
      coin.l4.settle(nowNs);
    }
    this.statuses?.endTurn(nowNs);
    if (this.isMidsDue) this.clients.tellMids();
    this.isMidsDue = false;
    return this.press.step(nowNs) + this.topics.pump();
  }

  keepHouse(nowNs: number): void {
    this.clients.keepHouse(nowNs);
    const { counters } = this.room;
    counters.set(0, BroadcastColumn.ApiSnapshots, this.press.written);
    counters.set(0, BroadcastColumn.ApiSnapshotBytes, this.press.memory.heldBytes);
    counters.set(0, BroadcastColumn.ApiClosedSlow, this.clients.closedSlow);
    let late = 0;
    for (const coin of this.coins) late += coin?.l4.queue.late ?? 0;
    counters.set(0, BroadcastColumn.ApiStatusesLate, late);
  }

  private createIntake(way: RawWay): StatusIntake {
    const { clock, timeline } = this.room;
    const { coins, topics, format } = this;
    return new StatusIntake({ way, coins, topics, format, clock, timeline });
  }

  private gauge(): void {
    this.room.counters.set(0, BroadcastColumn.ApiClients, this.clients.count);
  }

  private midsText(dex: string): string {
    const mids = this.info.mids(placesOf(this.format), dex);
    return `{"channel":"allMids","data":{"mids":${mids}}}`;
  }
}
