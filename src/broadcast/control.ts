/**
 * The control side of a connection: text frames in, JSON answers out, one connection's mistakes kept
 * from everybody else. Broadcast thread, cold (50 requests a second a client).
 */
import { bookStateName } from '../domain/book-state.js';
import { CHANNEL_NAMES, Channel } from '../domain/channel.js';
import type { ChannelName } from '../domain/channel.js';
import type { FaultCode } from '../faults/fault.js';
import { unreachable } from '../faults/invariant.js';
import type { Admission } from './admission.js';
import { BroadcastColumn } from './broadcast-counters.js';
import { CloseCode } from './close-code.js';
import type { Delivery } from './delivery.js';
import { factsOf } from './instrument-facts.js';
import type { InstrumentFeed } from './instrument-feed.js';
import { parseRequest } from './requests.js';
import type { Request, RequestId } from './requests.js';
import type { RoomContext } from './room-context.js';
import { Subscription } from './sessions.js';
import type { Session } from './sessions.js';
import type { Stream } from './topics.js';

type SubscribeRequest = Extract<Request, { op: 'subscribe' }>;

/** What a client is told first. */
export const PROTOCOL_VERSION = 1;

export class Control {
  private readonly room: RoomContext;
  private readonly delivery: Delivery;
  private readonly admission: Admission;
  private readonly feedsByName: ReadonlyMap<string, InstrumentFeed>;
  private readonly version: string;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true });

  constructor(
    room: RoomContext,
    delivery: Delivery,
    admission: Admission,
    feedsByName: ReadonlyMap<string, InstrumentFeed>,
    version: string,
  ) {
    this.room = room;
    this.delivery = delivery;
    this.admission = admission;
    this.feedsByName = feedsByName;
    this.version = version;
  }

  welcome(session: Session): void {
    const heartbeatMs = this.room.limits.heartbeatNs / 1e6;
    this.say(session, {
      op: 'welcome',
      protocol: PROTOCOL_VERSION,
      version: this.version,
      heartbeatMs,
      ...(session.authenticated ? {} : { auth: 'required' }),
    });
  }

  onMessage(session: Session, bytes: Uint8Array, isBinary: boolean): void {
    const { connection } = session;
    if (isBinary) {
      this.close(
        session,
        CloseCode.Unsupported,
        BroadcastColumn.ClosedBinary,
        'requests are JSON text',
      );
      return;
    }
    if (bytes.length > this.room.limits.requestBytesMax) {
      const most = this.room.limits.requestBytesMax;
      this.close(
        session,
        CloseCode.TooBig,
        BroadcastColumn.ClosedTooBig,
        `a request has at most ${most} bytes`,
      );
      return;
    }
    let text: string;
    try {
      text = this.utf8.decode(bytes);
    } catch {
      this.close(session, CloseCode.InvalidUtf8, BroadcastColumn.ClosedEncoding, 'text is UTF-8');
      return;
    }
    this.count(BroadcastColumn.Requests);
    if (!session.requests.take(this.room.clock.nowNs())) {
      this.refuse(session, null, 'RATE_EXCEEDED', 'too many requests; the connection is closed');
      this.close(session, CloseCode.Policy, BroadcastColumn.ClosedRate, 'too many requests');
      return;
    }
    const request = parseRequest(text, this.room.limits.viewDepthMax);
    if (request.op === 'refused') this.refuse(session, request.id, request.code, request.message);
    else if (session.authenticated || request.op === 'auth') this.onRequest(session, request);
    else this.refuse(session, request.id, 'UNAUTHORIZED', 'say {"op":"auth","token":…} first');
    if (connection.closed) return;
  }

  onPing(session: Session): void {
    if (session.pings.take(this.room.clock.nowNs())) return;
    this.close(session, CloseCode.Policy, BroadcastColumn.ClosedRate, 'too many pings');
  }

  /** Closes those who did not say who they are in time. */
  closeUnauthenticated(session: Session): void {
    this.refuse(session, null, 'UNAUTHORIZED', 'no token within the time allowed');
    this.close(session, CloseCode.Unauthorized, BroadcastColumn.ClosedAuth, 'unauthorized');
  }

  private onRequest(session: Session, request: Request): void {
    switch (request.op) {
      case 'subscribe':
        this.subscribe(session, request);
        return;
      case 'unsubscribe': {
        const feed = this.feedsByName.get(request.instrument);
        const stream = feed?.findStream(channelOf(request.channel), request.depth);
        this.unsubscribe(session, request.id, stream?.streamId ?? -1);
        return;
      }
      case 'unsubscribe-stream':
        this.unsubscribe(session, request.id, request.streamId);
        return;
      case 'instruments':
        this.say(session, { op: 'instruments', id: request.id, instruments: this.instruments() });
        return;
      case 'ping': {
        const publishedNs = this.room.timeline.toUnixNs(this.room.clock.nowNs());
        this.say(session, { op: 'pong', id: request.id, publishedNs: String(publishedNs) });
        return;
      }
      case 'auth':
        this.authenticate(session, request.id, request.token);
        return;
      default:
        unreachable(request);
    }
  }

  private authenticate(session: Session, id: RequestId, token: string): void {
    if (!this.admission.tokenMatches(token)) {
      this.refuse(session, id, 'UNAUTHORIZED', 'the token is not the right one');
      this.close(session, CloseCode.Unauthorized, BroadcastColumn.ClosedAuth, 'unauthorized');
      return;
    }
    session.authenticated = true;
    this.say(session, { op: 'authenticated', id });
  }

  private subscribe(session: Session, request: SubscribeRequest): void {
    const { limits, clock } = this.room;
    const feed = this.feedsByName.get(request.instrument);
    if (feed === undefined) {
      this.refuse(
        session,
        request.id,
        'UNKNOWN_INSTRUMENT',
        `no instrument ${JSON.stringify(request.instrument)}`,
      );
      return;
    }
    if (session.subscriptions.size >= limits.subscriptionsPerConnectionMax) {
      const most = limits.subscriptionsPerConnectionMax;
      this.refuse(
        session,
        request.id,
        'TOO_MANY_SUBSCRIPTIONS',
        `a connection has at most ${most} subscriptions`,
      );
      return;
    }
    const channel = channelOf(request.channel);
    if (channel === Channel.Orders && feed.orders === null) {
      const why = `the venue of ${request.instrument} tells levels, not orders`;
      this.refuse(session, request.id, 'UNKNOWN_CHANNEL', why);
      return;
    }
    if (channel === Channel.Context && feed.context === null) {
      const why = 'this node takes no contexts from the venue (channels in its configuration)';
      this.refuse(session, request.id, 'UNKNOWN_CHANNEL', why);
      return;
    }
    const stream = this.streamOf(feed, channel, request.depth, clock.nowNs());
    if (stream === null) {
      const most = limits.viewsPerInstrumentMax;
      this.refuse(
        session,
        request.id,
        'TOO_MANY_VIEWS',
        `an instrument has at most ${most} different depths`,
      );
      return;
    }
    if (session.subscriptions.has(stream.streamId)) {
      this.refuse(
        session,
        request.id,
        'ALREADY_SUBSCRIBED',
        `already subscribed to stream ${stream.streamId}`,
      );
      return;
    }
    const lossless = request.lossless || channel === Channel.Trades;
    this.delivery.subscribe(
      session,
      new Subscription(feed, stream, lossless, request.id, request.resume),
    );
  }

  private streamOf(
    feed: InstrumentFeed,
    channel: Channel,
    depth: number,
    nowNs: number,
  ): Stream | null {
    if (channel === Channel.Book && depth > 0) return feed.viewOf(depth, nowNs)?.stream ?? null;
    return feed.findStream(channel, depth) ?? null;
  }

  private unsubscribe(session: Session, id: RequestId, streamId: number): void {
    const subscription = session.subscriptions.get(streamId);
    if (subscription === undefined) {
      this.refuse(session, id, 'NOT_SUBSCRIBED', 'not subscribed to that');
      return;
    }
    this.delivery.unsubscribe(session, subscription);
    this.say(session, { op: 'unsubscribed', id, streamId });
  }

  private instruments(): unknown[] {
    return Array.from(this.feedsByName.values(), ({ instrument, mirror }) => ({
      instrument: instrument.name,
      instrumentId: instrument.id,
      venue: instrument.venue,
      symbol: instrument.symbol,
      ...factsOf(instrument),
      state: bookStateName(mirror.state),
    }));
  }

  private refuse(session: Session, id: RequestId, code: FaultCode, message: string): void {
    this.count(BroadcastColumn.RequestsRefused);
    this.say(session, { op: 'error', id, code, message });
  }

  private say(session: Session, answer: unknown): void {
    session.connection.sendText(JSON.stringify(answer));
  }

  private close(session: Session, code: CloseCode, column: number, reason: string): void {
    this.count(column);
    session.connection.end(code, reason);
  }

  private count(column: number): void {
    this.room.counters.add(0, column, 1);
  }
}

function channelOf(name: ChannelName): Channel {
  return CHANNEL_NAMES.indexOf(name) as Channel;
}
