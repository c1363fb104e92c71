/**
 * The clients of `/ws`: what each may ask, the answers in order_book_server's words, who reads too
 * slowly. Broadcast thread, cold.
 */
import type { Connection } from '../broadcast-server.js';
import { CloseCode } from '../close-code.js';
import type { BroadcastLimits } from '../limits.js';
import type { Clock } from '../../time/clock.js';
import { TokenBucket } from '../token-bucket.js';
import { type ApiSubscription, isValid, parseApiRequest } from './api-request.js';
import { ApiSession } from './api-session.js';
import { errorText } from './api-text.js';
import type { ApiTopics } from './api-topics.js';
import type { CoinChannels } from './coin-channels.js';
import type { InfoRequests } from './info.js';
import type { StatusIntake } from './status-intake.js';

/** A client's message that is echoed in an error is not echoed whole. */
const ECHO_CHARS_MAX = 1000;
/** Texts that may wait behind a Snapshot, beside it: this many times what a socket may hold. */
const QUEUED_BOUNDS = 4;

export interface ApiClientsOptions {
  readonly limits: BroadcastLimits;
  readonly clock: Clock;
  readonly topics: ApiTopics;
  readonly coins: ReadonlyMap<string, CoinChannels>;
  readonly info: InfoRequests;
  /** Null where no statuses come. */
  readonly statuses: StatusIntake | null;
  readonly midsText: (dex: string) => string;
}

export class ApiClients {
  /** Closed as slow so far. */
  closedSlow = 0;
  private readonly options: ApiClientsOptions;
  private readonly sessions = new Map<Connection, ApiSession>();
  /** Readers of allMids, by canonical text. */
  private readonly midsReaders = new Map<string, { readonly dex: string; count: number }>();

  constructor(options: ApiClientsOptions) {
    this.options = options;
  }

  get count(): number {
    return this.sessions.size;
  }

  onOpen(connection: Connection): void {
    const { limits, clock, topics } = this.options;
    const { requestsPerSecond, requestsBurst } = limits;
    const requests = new TokenBucket(requestsPerSecond, requestsBurst, clock.nowNs());
    const session = new ApiSession(connection, requests, (queueing, isQueueing) =>
      topics.onQueueing(queueing, isQueueing),
    );
    this.sessions.set(connection, session);
  }

  onClose(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session === undefined) return;
    this.sessions.delete(connection);
    for (const subscription of session.subscriptions.values()) this.leave(session, subscription);
    this.options.topics.forget(session);
  }

  onDropped(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) session.isDropped = true;
  }

  onDrain(connection: Connection): void {
    const session = this.sessions.get(connection);
    if (session !== undefined) this.options.topics.onDrain(session);
  }

  onMessage(connection: Connection, bytes: Uint8Array, isBinary: boolean): void {
    const session = this.sessions.get(connection);
    // As the original: binary frames are passed over.
    if (session === undefined || isBinary) return;
    const { limits, clock } = this.options;
    if (bytes.length > limits.requestBytesMax) {
      const text = errorText(`A message has at most ${limits.requestBytesMax} bytes`);
      session.end(text, CloseCode.TooBig, 'message too big');
      return;
    }
    if (!session.requests.take(clock.nowNs())) {
      const text = errorText(`At most ${limits.requestsPerSecond} messages a second`);
      session.end(text, CloseCode.Policy, 'too many messages');
      return;
    }
    this.onRequest(session, new TextDecoder().decode(bytes));
  }

  /** The middle prices of every exchange that somebody follows. */
  tellMids(): void {
    const { topics, midsText } = this.options;
    for (const [topic, { dex }] of this.midsReaders) topics.publish(topic, midsText(dex));
  }

  /** Who does not read fast enough is told and closed. From time to time. */
  keepHouse(nowNs: number): void {
    for (const session of this.sessions.values()) {
      const { connection, outbox } = session;
      const buffered = connection.bufferedBytes();
      if (!this.isSlow(session, buffered, nowNs)) continue;
      this.closedSlow++;
      const waiting = buffered + outbox.queuedBytes;
      session.end(
        errorText(`Slow reader: ${waiting} bytes wait to be read, the connection is closed`),
        CloseCode.SlowConsumer,
        'slow reader',
      );
    }
  }

  private isSlow(session: ApiSession, buffered: number, nowNs: number): boolean {
    const { losslessBytesMax, lowWaterBytes, stalledNsMax } = this.options.limits;
    const { outbox } = session;
    const isWell = outbox.isQueueing
      ? outbox.sentBytes !== session.seenBytes
      : buffered <= lowWaterBytes;
    session.seenBytes = outbox.sentBytes;
    if (isWell) session.slowSinceNs = Infinity;
    else if (session.slowSinceNs === Infinity) session.slowSinceNs = nowNs;
    return (
      session.isDropped ||
      buffered > losslessBytesMax ||
      outbox.queuedBytes > losslessBytesMax * QUEUED_BOUNDS ||
      nowNs - session.slowSinceNs > stalledNsMax
    );
  }

  private onRequest(session: ApiSession, text: string): void {
    const request = parseApiRequest(text);
    switch (request.kind) {
      case 'ping':
        session.say('{"channel":"pong"}');
        break;
      case 'post':
        this.onPost(session, request.id, request.info, request.payload);
        break;
      case 'subscribe':
        this.subscribe(session, request.subscription);
        break;
      case 'unsubscribe':
        this.unsubscribe(session, request.subscription);
        break;
      default: {
        const echo = text.slice(0, ECHO_CHARS_MAX);
        session.say(errorText(`Error parsing JSON into valid websocket request: ${echo}`));
      }
    }
  }

  private subscribe(session: ApiSession, subscription: ApiSubscription): void {
    const coin = this.options.coins.get(subscription.coin);
    const refusal = this.refusalOf(session, subscription, coin);
    if (refusal !== null) {
      session.say(errorText(refusal));
      return;
    }
    const { channel, text, user, dex } = subscription;
    session.subscriptions.set(text, subscription);
    session.say(responseText('subscribe', text));
    if (coin !== undefined) coin.subscribe(session, subscription);
    else {
      session.follow(text);
      if (channel === 'allMids') {
        const readers = this.midsReaders.get(text) ?? { dex, count: 0 };
        this.midsReaders.set(text, readers);
        readers.count++;
        session.say(this.options.midsText(dex));
      } else {
        this.options.statuses?.addUser(user);
      }
    }
    this.options.statuses?.tellDemand();
  }

  /** In order_book_server's words, null if there is nothing to refuse. */
  private refusalOf(
    { subscriptions }: ApiSession,
    subscription: ApiSubscription,
    coin: CoinChannels | undefined,
  ): string | null {
    const { channel, text } = subscription;
    const { coins, info, limits } = this.options;
    const { subscriptionsPerConnectionMax } = limits;
    if (!isValid(subscription, { coins, dexes: info.metas.dexes }))
      return `Invalid subscription: ${text}`;
    if (subscriptions.has(text)) return `Already subscribed: ${text}`;
    if (subscriptions.size >= subscriptionsPerConnectionMax)
      return `Invalid subscription: at most ${subscriptionsPerConnectionMax} a connection`;
    if (channel === 'l4Book' && coin?.book.isTrusted !== true)
      return 'Unable to grab order book snapshot: Snapshot Failed';
    return null;
  }

  private unsubscribe(session: ApiSession, { text }: ApiSubscription): void {
    // What it has is known: a coin that is no longer known can still be left.
    const subscription = session.subscriptions.get(text);
    if (subscription === undefined) {
      session.say(errorText(`Already unsubscribed: ${text}`));
      return;
    }
    session.subscriptions.delete(text);
    this.leave(session, subscription);
    session.say(responseText('unsubscribe', text));
  }

  private leave(session: ApiSession, subscription: ApiSubscription): void {
    const { channel, coin, user, text } = subscription;
    if (coin !== '') this.options.coins.get(coin)?.unsubscribe(session, subscription);
    else {
      session.unfollow(text);
      if (channel === 'allMids') {
        const readers = this.midsReaders.get(text);
        if (readers !== undefined && --readers.count === 0) this.midsReaders.delete(text);
      } else this.options.statuses?.removeUser(user);
    }
    this.options.statuses?.tellDemand();
  }

  private onPost(session: ApiSession, id: number, isInfo: boolean, payload: unknown): void {
    const result = isInfo
      ? this.options.info.answer(payload)
      : ({ ok: false, message: 'this node has market data only' } as const);
    const type = (payload as { type?: unknown } | null | undefined)?.type;
    const response = result.ok
      ? `{"type":"info","payload":{"type":${JSON.stringify(type)},"data":${result.json}}}`
      : `{"type":"error","payload":${JSON.stringify(`422 Unprocessable Entity: ${result.message}`)}}`;
    session.say(`{"channel":"post","data":{"id":${id},"response":${response}}}`);
  }
}

function responseText(method: string, subscription: string): string {
  return `{"channel":"subscriptionResponse","data":{"method":"${method}","subscription":${subscription}}}`;
}
