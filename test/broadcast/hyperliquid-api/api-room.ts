/** The API over made-up blocks, on the server in memory and a virtual clock. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after } from 'node:test';
import type { NumberFormat } from '../../../src/broadcast/hyperliquid-api/api-text.js';
import type { InstrumentFeed } from '../../../src/broadcast/instrument-feed.js';
import { type BroadcastLimits, resolveLimits } from '../../../src/broadcast/limits.js';
import { MemoryClient, MemoryServer } from '../../../src/broadcast/memory-server.js';
import { VirtualClock } from '../../../src/time/virtual-clock.js';
import { nodeInstrument } from '../../../src/venues/hyperliquid-node/coins.js';
import { NodeApiRig } from '../../support/node-api-rig.js';
import { writeLargeSnapshot, writeSyntheticSnapshot } from '../../support/synthetic-node.js';

export interface RoomOptions {
  readonly format?: NumberFormat;
  readonly limits?: Partial<BroadcastLimits>;
  /** A large book of BTC alone instead of small ones of BTC and ETH. */
  readonly orders?: number;
  readonly awaitsInfo?: boolean;
}

const rooms: { close(): void }[] = [];
after(() => {
  for (const room of rooms) room.close();
});

export class ApiRoom {
  readonly clock = new VirtualClock(1e9);
  readonly server: MemoryServer;
  readonly rig: NodeApiRig;
  private readonly path: string;

  constructor({ format = 'obs', limits = {}, orders = 0, awaitsInfo = false }: RoomOptions) {
    this.server = new MemoryServer(resolveLimits(limits));
    this.path =
      orders > 0 ? writeLargeSnapshot('BTC', orders) : writeSyntheticSnapshot(['BTC', 'ETH']);
    const coins = orders > 0 ? ['BTC'] : ['BTC', 'ETH'];
    this.rig = new NodeApiRig({
      snapshotPath: this.path,
      instruments: coins.map((coin, id) => nodeInstrument(coin, id, 5 - id)),
      server: this.server,
      clock: this.clock,
      format,
      limits,
      awaitsInfo,
    });
    rooms.push(this);
  }

  /** With its books there. */
  static async open(options: RoomOptions = {}): Promise<ApiRoom> {
    const room = new ApiRoom(options);
    await room.rig.agent.listen('127.0.0.1', 0);
    for (let i = 0; i < 50; i++) {
      room.settle(1);
      // The snapshot's promise settles between turns.
      await Promise.resolve();
    }
    return room;
  }

  /** One turn of everybody. */
  turn(): number {
    this.clock.advanceBy(1e6);
    const work = this.rig.turn();
    this.server.turn();
    return work;
  }

  /** Until nothing happened for so many turns. */
  settle(turns = 12): void {
    for (let idle = 0; idle < turns; idle++) if (this.turn() > 0) idle = 0;
  }

  connect(address?: string): MemoryClient {
    const client = this.server.connect({
      path: '/ws',
      ...(address === undefined ? {} : { address }),
    });
    assert.ok(client instanceof MemoryClient);
    return client;
  }

  get feed(): InstrumentFeed {
    const feeds = Reflect.get(this.rig.agent, 'feeds') as InstrumentFeed[];
    return feeds[0]!;
  }

  async info(request: unknown): Promise<[number, unknown]> {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const answer = await this.server.request({ path: '/info', method: 'POST', body });
    return [answer.status, JSON.parse(String(answer.body))];
  }

  close(): void {
    this.rig.close();
    rmSync(this.path, { force: true });
  }
}

export const texts = (client: MemoryClient): string[] =>
  client.take().map((frame) => (frame.kind === 'text' ? frame.text : assert.fail('binary')));
export const subscribe = (subscription: unknown): unknown => ({
  method: 'subscribe',
  subscription,
});
export const unsubscribe = (subscription: unknown): unknown => ({
  method: 'unsubscribe',
  subscription,
});
export const error = (data: string): string => JSON.stringify({ channel: 'error', data });
export const response = (method: string, subscription: string): string =>
  `{"channel":"subscriptionResponse","data":{"method":"${method}","subscription":${subscription}}}`;
