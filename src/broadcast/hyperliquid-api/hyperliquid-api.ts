/**
 * The JSON API of Hyperliquid on `/ws` and `POST /info`: what clients of order_book_server and of the
 * official API speak, from this node's own order-by-order books. A room within the broadcast room: it
 * reads the same messages of the books as the feed does, and has clients and topics of its own.
 * Broadcast thread.
 *
 *     books' rings ─▶ onMessageOut ─▶ CoinBook (orders, levels) ─▶ CoinChannels ─▶ topics ─▶ clients
 *     ingest's ring ─▶ onRecord ─────────────────────────────────▲
 */
import { BookState } from '../../domain/book-state.js';
import { EventFlag } from '../../domain/event-flags.js';
import type { Instrument } from '../../domain/instrument.js';
import type { DemandFlags } from '../../rings/demand-flags.js';
import {
  RAW_BLOCK_NS,
  RAW_BYTES,
  RAW_FLAGS,
  RAW_HEIGHT,
  RAW_INSTRUMENT,
  RAW_TEXTS,
  RecordType,
} from '../../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../../rings/ring-consumer.js';
import { MessageDecoder } from '../../wire/decode.js';
import { stateOf } from '../../wire/head-words.js';
import { BodyType } from '../../wire/message-layout.js';
import type { Connection, HttpResponse, ServerExtras } from '../broadcast-server.js';
import { CloseCode } from '../close-code.js';
import type { RoomContext } from '../room-context.js';
import { type ApiSubscription, isValid, parseApiRequest } from './api-request.js';
import { ApiSession } from './api-session.js';
import { errorText, type NumberFormat, placesOf } from './api-text.js';
import { CoinBook } from './coin-book.js';
import { CoinChannels } from './coin-channels.js';
import { InfoRequests, type KnownInfo } from './info.js';
import { readStatus } from './raw-status.js';

export const API_PATH = '/ws';
export const INFO_PATH = '/info';

export interface ApiOptions {
  readonly numberFormat: NumberFormat;
  /** The venue's own answers, where the node asked for them: meta, spotMeta, perpDexs. */
  readonly knownInfo?: KnownInfo | undefined;
  /** Order statuses as the venue wrote them; absent where none come. */
  readonly raw?: { readonly ring: RingConsumer; readonly demand: DemandFlags } | undefined;
}

/** Requests of SDKs are a few hundred bytes. */
const INFO_BYTES_MAX = 64 * 1024;
/** Three times an l4Book snapshot of BTC (17 MB). */
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

/** A client's message that is echoed in an error is not echoed whole. */
const ECHO_CHARS_MAX = 1000;
const ALL_MIDS = JSON.stringify({ type: 'allMids' });

const NS_PER_MS = 1_000_000n;
const RAW_RECORDS_PER_TURN = 64;

export class HyperliquidApi implements RecordHandler {
  private readonly room: RoomContext;
  private readonly options: ApiOptions;
  private readonly decoder = new MessageDecoder();
  private readonly coins = new Map<string, CoinChannels>();
  private readonly byId: (CoinChannels | undefined)[] = [];
  private readonly inputOf: number[] = [];
  private readonly heightOfInput: number[] = [];
  private readonly sessions = new Map<Connection, ApiSession>();
  private readonly info: InfoRequests;
  /** Readers of orderUpdates, by user. */
  private readonly users = new Map<string, number>();
  private midsReaders = 0;
  private isMidsDue = false;

  constructor(room: RoomContext, instruments: readonly Instrument[], options: ApiOptions) {
    this.room = room;
    this.options = options;
    for (const instrument of instruments) {
      const book = new CoinBook(instrument, room.limits.mirrorLevelsMax);
      const channels = new CoinChannels(
        book,
        room.server,
        options.numberFormat,
        options.raw !== undefined,
      );
      this.coins.set(instrument.symbol, channels);
      this.byId[instrument.id] = channels;
    }
    this.info = new InfoRequests(this.coins, options.knownInfo ?? new Map());
  }

  get sessionCount(): number {
    return this.sessions.size;
  }

  onOpen(connection: Connection): void {
    const { limits, clock } = this.room;
    const { requestsPerSecond, requestsBurst } = limits;
    const session = new ApiSession(connection, requestsPerSecond, requestsBurst, clock.nowNs());
    this.sessions.set(connection, session);
  }

  onClose(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session === undefined) return;
    this.sessions.delete(connection);
    for (const subscription of session.subscriptions.values()) this.leave(session, subscription);
  }

  onDropped(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) session.isDropped = true;
  }

  onMessage(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    const session = this.sessions.get(connection);
    // As the original: binary frames are passed over.
    if (session === undefined || isBinary) return;
    const { limits, clock } = this.room;
    if (bytes.length > limits.requestBytesMax) {
      connection.sendText(errorText(`A message has at most ${limits.requestBytesMax} bytes`));
      connection.end(CloseCode.TooBig, 'message too big');
      return;
    }
    if (!session.requests.take(clock.nowNs())) {
      connection.sendText(errorText(`At most ${limits.requestsPerSecond} messages a second`));
      connection.end(CloseCode.Policy, 'too many messages');
      return;
    }
    this.onRequest(session, new TextDecoder().decode(bytes));
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

  /** A finished message of the books, `words[at]`, that came through `input`. */
  onMessageOut(
    typeId: number,
    words: Int32Array,
    at: number,
    bytes: number,
    instrumentId: number,
    input: number,
  ): void {
    const coin = this.byId[instrumentId];
    if (coin === undefined) return;
    this.inputOf[instrumentId] = input;
    switch (typeId) {
      case RecordType.OrdersSnapshotOut:
        if (this.decoder.decodeWords(words, at, bytes) !== BodyType.OrdersSnapshot) break;
        coin.onSnapshot(this.decoder, this.room.clock.nowNs());
        this.isMidsDue = true;
        break;
      case RecordType.OrdersDeltaOut:
        if (this.decoder.decodeWords(words, at, bytes) !== BodyType.OrdersDelta) break;
        coin.onDelta(this.decoder, this.room.clock.nowNs());
        if (coin.book.height > (this.heightOfInput[input] ?? -1))
          this.heightOfInput[input] = coin.book.height;
        this.isMidsDue = true;
        break;
      case RecordType.TradesOut:
        if (this.decoder.decodeWords(words, at, bytes) === BodyType.Trades)
          coin.onTrades(this.decoder);
        break;
      case RecordType.BookStatusOut:
      case RecordType.OrdersStatusOut:
        coin.onState(stateOf(words, at));
        break;
      default:
        break;
    }
  }

  /** The writer of an instrument's messages is gone. */
  onLost(instrumentId: number): void {
    this.byId[instrumentId]?.onState(BookState.Suspect);
  }

  /** Its mirror lost the book by no fault of the books: they should tell it again. */
  wantsRetelling(instrumentId: number): boolean {
    const book = this.byId[instrumentId]?.book;
    return book !== undefined && book.epoch !== 0 && book.mirror.isBroken;
  }

  /** Takes what waits in the ring of raw texts. Returns how many records. */
  pollRaw(): number {
    return this.options.raw?.ring.poll(this, RAW_RECORDS_PER_TURN) ?? 0;
  }

  onRecord(typeId: number, slot: number): void {
    const { raw } = this.options;
    if (raw === undefined || typeId !== RecordType.RawStatuses) return;
    const { doubles } = raw.ring;
    const bytes = doubles[slot + RAW_BYTES]!;
    const at = doubles.byteOffset + (slot + RAW_TEXTS) * 8;
    const text = Buffer.from(doubles.buffer, at, bytes).toString('utf8');
    this.onStatuses(
      doubles[slot + RAW_INSTRUMENT]!,
      doubles[slot + RAW_HEIGHT]!,
      Number(this.room.timeline.toUnixNs(doubles[slot + RAW_BLOCK_NS]!) / NS_PER_MS),
      bytes === 0 ? [] : text.trimEnd().split('\n'),
      (doubles[slot + RAW_FLAGS]! & EventFlag.Last) !== 0,
    );
  }

  /** Status events of one coin and block, as the node wrote them (JSON of each). */
  private onStatuses(
    instrumentId: number,
    height: number,
    timeMs: number,
    events: readonly string[],
    isLast: boolean,
  ): void {
    const coin = this.byId[instrumentId];
    if (coin === undefined) return;
    const texts: string[] = [];
    const ofUsers = new Map<string, string[]>();
    for (const event of events) {
      const status = readStatus(event);
      if (status === null) continue;
      if (coin.hasL4Readers) texts.push(status.text);
      if (!this.users.has(status.user)) continue;
      const told = ofUsers.get(status.user) ?? [];
      told.push(
        this.options.numberFormat === 'official'
          ? status.official()
          : `{"user":"${status.user}","time":${timeMs},"height":${height}` +
              `,"orderStatus":${status.text}}`,
      );
      ofUsers.set(status.user, told);
    }
    for (const [user, told] of ofUsers) {
      const topic = JSON.stringify({ type: 'orderUpdates', user });
      const text = `{"channel":"orderUpdates","data":[${told.join(',')}]}`;
      this.room.server.publishText(topic, text);
    }
    if (!coin.hasL4Readers) return;
    coin.queue.onStatuses(height, timeMs, texts, this.room.clock.nowNs());
    if (isLast) coin.queue.onStatusesAt(height);
  }

  /** At the end of a duty cycle: what the turn brought and what deadlines ask for. */
  endTurn(nowNs: number): void {
    for (let id = 0; id < this.byId.length; id++) {
      const coin = this.byId[id];
      if (coin === undefined) continue;
      coin.flushTrades();
      if (!coin.hasL4Readers) continue;
      coin.queue.onBooksAt(this.heightOfInput[this.inputOf[id] ?? 0] ?? -1);
      coin.settle(nowNs);
    }
    if (this.isMidsDue && this.midsReaders > 0)
      this.room.server.publishText(ALL_MIDS, this.midsText());
    this.isMidsDue = false;
  }

  /** Who does not read fast enough is told and closed. From time to time. */
  keepHouse(nowNs: number): void {
    const { losslessBytesMax, lowWaterBytes, stalledNsMax } = this.room.limits;
    for (const session of this.sessions.values()) {
      const buffered = session.connection.bufferedBytes();
      if (buffered <= lowWaterBytes) {
        session.slowSinceNs = Infinity;
        session.allowanceBytes = 0;
      } else if (session.slowSinceNs === Infinity) {
        session.slowSinceNs = nowNs;
      }
      const isSlow =
        session.isDropped ||
        buffered > losslessBytesMax + session.allowanceBytes ||
        nowNs - session.slowSinceNs > stalledNsMax;
      if (!isSlow) continue;
      session.connection.sendText(
        errorText(`Slow reader: ${buffered} bytes wait to be read, the connection is closed`),
      );
      session.connection.end(CloseCode.SlowConsumer, 'slow reader');
    }
  }

  private onRequest(session: ApiSession, text: string): void {
    const { connection } = session;
    const request = parseApiRequest(text);
    switch (request.kind) {
      case 'ping':
        connection.sendText('{"channel":"pong"}');
        break;
      case 'post':
        this.onPost(connection, request.id, request.info, request.payload);
        break;
      case 'subscribe':
        this.subscribe(session, request.subscription);
        break;
      case 'unsubscribe':
        this.unsubscribe(session, request.subscription);
        break;
      default: {
        const echo = text.slice(0, ECHO_CHARS_MAX);
        connection.sendText(errorText(`Error parsing JSON into valid websocket request: ${echo}`));
      }
    }
  }

  private subscribe(session: ApiSession, subscription: ApiSubscription): void {
    const { connection, subscriptions } = session;
    const { channel, text } = subscription;
    const { subscriptionsPerConnectionMax } = this.room.limits;
    const refuse = (message: string): void => connection.sendText(errorText(message));
    if (!isValid(subscription, (coin) => this.coins.has(coin))) {
      refuse(`Invalid subscription: ${text}`);
      return;
    }
    if (subscriptions.has(text)) {
      refuse(`Already subscribed: ${text}`);
      return;
    }
    if (subscriptions.size >= subscriptionsPerConnectionMax) {
      refuse(`Invalid subscription: at most ${subscriptionsPerConnectionMax} a connection`);
      return;
    }
    const coin = this.coins.get(subscription.coin);
    if (channel === 'l4Book' && coin !== undefined && !coin.book.isTrusted) {
      refuse('Unable to grab order book snapshot: Snapshot Failed');
      return;
    }
    subscriptions.set(text, subscription);
    const accept = (): void => respond(connection, 'subscribe', text);
    if (coin !== undefined) coin.subscribe(session, subscription, accept);
    else {
      accept();
      connection.join(text);
      if (channel === 'allMids') {
        this.midsReaders++;
        connection.sendText(this.midsText());
      } else {
        this.users.set(subscription.user, (this.users.get(subscription.user) ?? 0) + 1);
      }
    }
    this.tellDemand();
  }

  private unsubscribe(session: ApiSession, { text }: ApiSubscription): void {
    // What it has is known: a coin that is no longer known can still be left.
    const subscription = session.subscriptions.get(text);
    if (subscription === undefined) {
      session.connection.sendText(errorText(`Already unsubscribed: ${text}`));
      return;
    }
    session.subscriptions.delete(text);
    this.leave(session, subscription);
    respond(session.connection, 'unsubscribe', text);
  }

  private leave(session: ApiSession, subscription: ApiSubscription): void {
    const { channel, coin, user, text } = subscription;
    if (coin !== '') this.coins.get(coin)?.unsubscribe(session, subscription);
    else {
      session.connection.leave(text);
      if (channel === 'allMids') this.midsReaders--;
      else {
        const left = (this.users.get(user) ?? 1) - 1;
        if (left > 0) this.users.set(user, left);
        else this.users.delete(user);
      }
    }
    this.tellDemand();
  }

  private tellDemand(): void {
    const demand = this.options.raw?.demand;
    if (demand === undefined) return;
    for (let id = 0; id < this.byId.length; id++) {
      const coin = this.byId[id];
      if (coin !== undefined) demand.set(id, coin.hasL4Readers || this.users.size > 0);
    }
  }

  private onPost(connection: Connection, id: number, isInfo: boolean, payload: unknown): void {
    const result = isInfo
      ? this.info.answer(payload)
      : ({ ok: false, message: 'this node has market data only' } as const);
    const type = (payload as { type?: unknown } | null | undefined)?.type;
    const response = result.ok
      ? `{"type":"info","payload":{"type":${JSON.stringify(type)},"data":${result.json}}}`
      : `{"type":"error","payload":${JSON.stringify(`422 Unprocessable Entity: ${result.message}`)}}`;
    connection.sendText(`{"channel":"post","data":{"id":${id},"response":${response}}}`);
  }

  private midsText(): string {
    const mids = this.info.mids(placesOf(this.options.numberFormat), null);
    return `{"channel":"allMids","data":{"mids":${mids}}}`;
  }
}

function respond(connection: Connection, method: string, subscription: string): void {
  connection.sendText(
    `{"channel":"subscriptionResponse","data":{"method":"${method}","subscription":${subscription}}}`,
  );
}
