/** One client of `/ws`: what it reads, and the bounds on it. A plain record. Broadcast thread. */
import type { Connection } from '../broadcast-server.js';
import { TokenBucket } from '../token-bucket.js';
import type { ApiSubscription } from './api-request.js';

export class ApiSession {
  readonly connection: Connection;
  readonly requests: TokenBucket;
  /** By canonical text. */
  readonly subscriptions = new Map<string, ApiSubscription>();
  /** Bytes of snapshots on their way, which do not make it a slow reader. */
  allowanceBytes = 0;
  slowSinceNs = Infinity;
  isDropped = false;

  constructor(connection: Connection, requestsPerSecond: number, burst: number, nowNs: number) {
    this.connection = connection;
    this.requests = new TokenBucket(requestsPerSecond, burst, nowNs);
  }
}
