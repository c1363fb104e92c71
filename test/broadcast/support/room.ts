/** A broadcast room on the memory server and a virtual clock, with fake books before it. */
import { BroadcastAgent } from '../../../src/broadcast/broadcast-agent.js';
import type { BroadcastOptions } from '../../../src/broadcast/broadcast-agent.js';
import { BROADCAST_COLUMNS, BroadcastColumn } from '../../../src/broadcast/broadcast-counters.js';
import { resolveLimits } from '../../../src/broadcast/limits.js';
import type { BroadcastLimits } from '../../../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../../../src/broadcast/memory-server.js';
import type { UpgradeRequest } from '../../../src/broadcast/broadcast-server.js';
import { Prng } from '../../../src/domain/prng.js';
import { CounterTable, createCounterTable } from '../../../src/rings/counters.js';
import { RingConsumer } from '../../../src/rings/ring-consumer.js';
import { createRing } from '../../../src/rings/ring-layout.js';
import { Timeline } from '../../../src/time/timeline.js';
import { VirtualClock } from '../../../src/time/virtual-clock.js';
import { FakeBooks, testInstruments } from './fake-books.js';
import { Replica } from './replica.js';
import { timeCell } from '../../../src/time/clock.js';

export interface RoomSettings {
  readonly instruments?: number;
  readonly limits?: Partial<BroadcastLimits>;
  readonly seed?: number;
  readonly options?: Partial<BroadcastOptions>;
}

/** A client in memory and what it made of its frames. */
export class TestClient {
  readonly client: MemoryClient;
  readonly replica: Replica;

  constructor(client: MemoryClient, replica = new Replica()) {
    this.client = client;
    this.replica = replica;
  }

  send(request: unknown): void {
    this.client.send(request);
  }

  /** Feeds what arrived to the replica. */
  settle(): Replica {
    this.replica.feed(this.client.take());
    return this.replica;
  }
}

export class TestRoom {
  readonly clock = new VirtualClock(1e9);
  readonly timeline = new Timeline(1_700_000_000_000_000_000n);
  readonly server: MemoryServer;
  readonly books: FakeBooks;
  readonly agent: BroadcastAgent;
  private readonly counters: CounterTable;

  constructor(settings: RoomSettings = {}) {
    const limits = resolveLimits(settings.limits);
    const instruments = testInstruments(settings.instruments ?? 2);
    const ring = createRing(1 << 20);
    const table = createCounterTable(1, BROADCAST_COLUMNS);
    this.counters = new CounterTable(table, BROADCAST_COLUMNS);
    this.server = new MemoryServer(limits);
    this.books = new FakeBooks(
      ring,
      instruments,
      this.timeline,
      this.clock,
      new Prng(settings.seed ?? 1),
    );
    this.agent = new BroadcastAgent({
      instruments,
      inputs: [new RingConsumer(ring)],
      server: this.server,
      clock: this.clock,
      timeline: this.timeline,
      counters: table,
      limits: settings.limits,
      version: '0.1.0',
      ...settings.options,
    });
    void this.agent.listen('127.0.0.1', 0);
  }

  connect(request: Partial<UpgradeRequest> = {}, replica?: Replica): TestClient {
    const client = this.server.connect(request);
    if (!(client instanceof MemoryClient)) throw new Error(`refused: ${client.status}`);
    return new TestClient(client, replica);
  }

  /** One duty cycle and the end of its loop turn. */
  turn(advanceNs = 1e6): void {
    this.clock.advanceBy(advanceNs);
    this.agent.doWork(timeCell(this.clock.nowNs()));
    this.server.turn();
  }

  counter(name: keyof typeof BroadcastColumn): number {
    return this.counters.get(0, BroadcastColumn[name]);
  }
}

export function subscribe(
  channel: string,
  symbol: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { op: 'subscribe', id: 1, channel, instrument: `test:SYM${symbol}`, ...more };
}
