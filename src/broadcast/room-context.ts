/** What the parts of the broadcast room share. One object, made by the agent. Broadcast thread. */
import type { CounterTable } from '../rings/counters.js';
import type { Scheduler } from '../time/clock.js';
import type { Timeline } from '../time/timeline.js';
import { MessageDecoder } from '../wire/decode.js';
import { OrdersEncoder } from '../wire/orders-encode.js';
import type { BroadcastServer } from './broadcast-server.js';
import { History, HistoryBudget } from './history.js';
import type { BroadcastLimits } from './limits.js';
import { Outlet } from './outlet.js';
import { ScratchMessage } from './scratch-message.js';
import { SnapshotCache } from './snapshot-cache.js';

export interface RoomOptions {
  readonly server: BroadcastServer;
  readonly clock: Scheduler;
  readonly timeline: Timeline;
  readonly counters: CounterTable;
  readonly limits: BroadcastLimits;
}

export class RoomContext {
  readonly server: BroadcastServer;
  readonly clock: Scheduler;
  readonly timeline: Timeline;
  readonly counters: CounterTable;
  readonly limits: BroadcastLimits;
  readonly encoder: OrdersEncoder;
  readonly decoder = new MessageDecoder();
  readonly scratch = new ScratchMessage();
  readonly historyBudget: HistoryBudget;
  readonly outlet: Outlet;
  readonly snapshots: SnapshotCache;
  private lastEpoch = 0;

  constructor(options: RoomOptions) {
    const { server, clock, timeline, counters, limits } = options;
    this.server = server;
    this.clock = clock;
    this.timeline = timeline;
    this.counters = counters;
    this.limits = limits;
    this.encoder = new OrdersEncoder(timeline);
    this.historyBudget = new HistoryBudget(limits.historyBytesTotal);
    this.outlet = new Outlet(server, counters, this.decoder);
    this.snapshots = new SnapshotCache(this);
  }

  createHistory(): History {
    const { historyBytesMin, historyBytesMax } = this.limits;
    return new History(this.historyBudget, historyBytesMin, historyBytesMax);
  }

  /** A view's epoch: unix microseconds, always later than any before it. */
  nextEpoch(nowNs: number): number {
    const unixUs = this.timeline.originUnixMs * 1e3 + Math.floor(nowNs / 1e3);
    this.lastEpoch = Math.max(unixUs, this.lastEpoch + 1);
    return this.lastEpoch;
  }
}
