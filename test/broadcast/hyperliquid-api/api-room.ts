/** The API over made-up or captured blocks, on the server in memory and a virtual clock. */
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
  /** A captured book of BTC alone instead. */
  readonly snapshotPath?: string;
  readonly layout?: 'by-block' | 'streaming';
  /** Size of the ring of raw texts. */
  readonly rawWords?: number;
}

/** Turns until the snapshot's book is there. */
const TURNS_MADE_UP = 50;
const TURNS_CAPTURED = 400;

const rooms: { close(): void }[] = [];
after(() => {
  for (const room of rooms) room.close();
});

export class ApiRoom {
  readonly clock = new VirtualClock(1e9);
  readonly server: MemoryServer;
  readonly rig: NodeApiRig;
  /** Of the snapshot, if it was made up. */
  private readonly madePath: string | null;

  constructor(options: RoomOptions) {
    const { format = 'obs', limits = {}, orders = 0, awaitsInfo = false } = options;
    const { snapshotPath, layout, rawWords } = options;
    this.server = new MemoryServer(resolveLimits(limits));
    const coins = orders > 0 || snapshotPath !== undefined ? ['BTC'] : ['BTC', 'ETH'];
    const path =
      snapshotPath ??
      (orders > 0 ? writeLargeSnapshot('BTC', orders) : writeSyntheticSnapshot(coins));
    this.madePath = snapshotPath === undefined ? path : null;
    this.rig = new NodeApiRig({
      snapshotPath: path,
      instruments: coins.map((coin, id) => nodeInstrument(coin, id, 5 - id)),
      server: this.server,
      clock: this.clock,
      format,
      limits,
      awaitsInfo,
      ...(layout === undefined ? {} : { layout }),
      ...(rawWords === undefined ? {} : { rawWords }),
    });
    rooms.push(this);
  }

  /** With its books there. */
  static async open(options: RoomOptions = {}): Promise<ApiRoom> {
    const room = new ApiRoom(options);
    await room.rig.agent.listen('127.0.0.1', 0);
    const turns = options.snapshotPath === undefined ? TURNS_MADE_UP : TURNS_CAPTURED;
    for (let i = 0; i < turns; i++) {
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
    if (this.madePath !== null) rmSync(this.madePath, { force: true });
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
