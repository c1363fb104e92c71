/**
 * Who is connected and what each has asked for. Plain records; the rules are in delivery.ts and
 * control.ts. Broadcast thread.
 */
import type { RequestId, ResumePosition } from './requests.js';
import type { Connection } from './broadcast-server.js';
import type { InstrumentFeed } from './instrument-feed.js';
import type { TokenBucket } from './token-bucket.js';
import type { Stream } from './topics.js';

export const Phase = {
  /** Asked for: its answer and anchor are still to be sent. */
  Fresh: 0,
  /** In the topic: gets every message as it is published. */
  Live: 1,
  /** Out of the topic since it was too slow; has everything up to `sequence` of `epoch`. */
  Behind: 2,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export class Subscription {
  readonly feed: InstrumentFeed;
  readonly stream: Stream;
  readonly lossless: boolean;
  readonly requestId: RequestId;
  readonly resume: ResumePosition | null;
  phase: Phase = Phase.Fresh;
  /** While Behind: the position up to which the client surely has everything. */
  epoch = 0;
  sequence = 0;
  /** It may have some messages beyond that position, with gaps: the server dropped for it. */
  uncertain = false;

  constructor(
    feed: InstrumentFeed,
    stream: Stream,
    lossless: boolean,
    requestId: RequestId,
    resume: ResumePosition | null,
  ) {
    this.feed = feed;
    this.stream = stream;
    this.lossless = lossless;
    this.requestId = requestId;
    this.resume = resume;
  }
}

export class Session {
  readonly connection: Connection;
  readonly json: boolean;
  authenticated: boolean;
  readonly openedNs: number;
  readonly requests: TokenBucket;
  readonly pings: TokenBucket;
  /** By stream id, in the order in which they were asked for. */
  readonly subscriptions = new Map<number, Subscription>();
  /** Subscriptions that are not Live. */
  pendingCount = 0;
  /** Live ones that may not be conflated. */
  losslessCount = 0;
  nextHeartbeatNs: number;
  /** Since when it has been above the low-water mark, Infinity while it is not. */
  slowSinceNs = Infinity;
  /** The server dropped something for it since the last look. */
  dropped = false;

  constructor(
    connection: Connection,
    json: boolean,
    authenticated: boolean,
    nowNs: number,
    requests: TokenBucket,
    pings: TokenBucket,
    heartbeatNs: number,
  ) {
    this.connection = connection;
    this.json = json;
    this.authenticated = authenticated;
    this.openedNs = nowNs;
    this.requests = requests;
    this.pings = pings;
    this.nextHeartbeatNs = nowNs + heartbeatNs;
  }
}
