/**
 * Order statuses as the venue wrote them, which come past the books by a ring of their own and only
 * for coins that somebody asks for: to the readers of a coin's `l4Book` and, by user, of
 * `orderUpdates`. Broadcast thread.
 */
import { EventFlag } from '../../domain/event-flags.js';
import { Demand, type DemandFlags } from '../../rings/demand-flags.js';
import {
  RAW_BLOCK_NS,
  RAW_BYTES,
  RAW_FLAGS,
  RAW_FORM,
  RAW_HEIGHT,
  RAW_INSTRUMENT,
  RAW_LOST,
  RAW_TEXTS,
  RecordType,
} from '../../rings/record-types.js';
import type { RecordHandler, RingConsumer } from '../../rings/ring-consumer.js';
import type { Clock } from '../../time/clock.js';
import type { Timeline } from '../../time/timeline.js';
import { errorText, type NumberFormat } from './api-text.js';
import type { ApiTopics } from './api-topics.js';
import type { CoinChannels } from './coin-channels.js';
import { readStatus } from './raw-status.js';

/** The way by which they come. */
export interface RawWay {
  readonly ring: RingConsumer;
  readonly demand: DemandFlags;
}

export interface StatusIntakeOptions {
  readonly way: RawWay;
  /** By instrument id. */
  readonly coins: readonly (CoinChannels | undefined)[];
  readonly topics: ApiTopics;
  readonly format: NumberFormat;
  readonly clock: Clock;
  readonly timeline: Timeline;
}

const NS_PER_MS = 1_000_000n;
/** Of one turn: a block of BTC, in parts of 64 KB or in a thousand rows (streaming). */
const BYTES_PER_TURN = 512 * 1024;
const RECORDS_PER_TURN = 1024;
const RECORDS_PER_POLL = 8;
/** Rows of a block stand within 12 ms of each other; the next block comes after 70. */
const WAIT_NS = 150e6;

interface OpenBlock {
  height: number;
  lastNs: number;
  /** JSON of each update, by user. */
  readonly ofUsers: Map<string, string[]>;
}

export class StatusIntake implements RecordHandler {
  private readonly options: StatusIntakeOptions;
  /** Readers of orderUpdates, by user. */
  private readonly users = new Map<string, number>();
  /** What has come for users of a block whose end is not told yet. */
  private readonly open = new Map<CoinChannels, OpenBlock>();
  private turnBytes = 0;
  /** Statuses that found no room in the ring. */
  lost = 0;

  constructor(options: StatusIntakeOptions) {
    this.options = options;
  }

  addUser(user: string): void {
    this.users.set(user, (this.users.get(user) ?? 0) + 1);
  }

  removeUser(user: string): void {
    const left = (this.users.get(user) ?? 1) - 1;
    if (left > 0) this.users.set(user, left);
    else this.users.delete(user);
  }

  /** Tells ingest whose statuses somebody reads. */
  tellDemand(): void {
    const { way, coins } = this.options;
    for (let id = 0; id < coins.length; id++) {
      const coin = coins[id];
      if (coin === undefined) continue;
      const told = coin.l4.hasReaders ? Demand.Told : Demand.None;
      way.demand.set(id, this.users.size > 0 ? Demand.Whole : told);
    }
  }

  /** Takes what waits in the ring. Returns how many records. */
  poll(): number {
    const { ring } = this.options.way;
    this.turnBytes = 0;
    let records = 0;
    while (records < RECORDS_PER_TURN && this.turnBytes < BYTES_PER_TURN) {
      const polled = ring.poll(this, RECORDS_PER_POLL);
      if (polled === 0) break;
      records += polled;
    }
    return records;
  }

  onRecord(typeId: number, slot: number): void {
    if (typeId !== RecordType.RawStatuses) return;
    const { way, timeline, coins, clock } = this.options;
    const { doubles } = way.ring;
    const coin = coins[doubles[slot + RAW_INSTRUMENT]!];
    if (coin === undefined) return;
    const length = doubles[slot + RAW_BYTES]!;
    this.turnBytes += length;
    const height = doubles[slot + RAW_HEIGHT]!;
    const lost = doubles[slot + RAW_LOST]!;
    if (lost > 0) this.onLost(coin, height, lost);
    const at = doubles.byteOffset + (slot + RAW_TEXTS) * 8;
    const bytes = Buffer.from(doubles.buffer, at, length);
    const timeMs = Number(timeline.toUnixNs(doubles[slot + RAW_BLOCK_NS]!) / NS_PER_MS);
    const { queue, hasReaders } = coin.l4;
    if (length > 0 && doubles[slot + RAW_FORM] === Demand.Whole)
      this.onWhole(coin, height, timeMs, bytes.toString('utf8').split('\n'));
    else if (length > 0 && hasReaders) queue.onStatuses(height, timeMs, bytes, clock.nowNs());
    const isLast = (doubles[slot + RAW_FLAGS]! & EventFlag.Last) !== 0;
    if (isLast) this.closeBlock(this.open.get(coin));
    if (isLast && hasReaders) queue.onStatusesAt(height);
  }

  /** At the end of a duty cycle: a block whose end is not told goes as it is after a while. */
  endTurn(nowNs: number): void {
    for (const block of this.open.values())
      if (nowNs - block.lastNs >= WAIT_NS) this.closeBlock(block);
  }

  /** One message a user, coin and block, in whatever pieces its statuses came. */
  private closeBlock(block: OpenBlock | undefined): void {
    if (block === undefined || block.ofUsers.size === 0) return;
    for (const [user, told] of block.ofUsers) {
      const topic = JSON.stringify({ type: 'orderUpdates', user });
      this.options.topics.publish(topic, `{"channel":"orderUpdates","data":[${told.join(',')}]}`);
    }
    block.ofUsers.clear();
  }

  private blockOf(coin: CoinChannels, height: number): OpenBlock {
    const block = this.open.get(coin) ?? { height, lastNs: 0, ofUsers: new Map() };
    this.open.set(coin, block);
    if (block.height !== height) this.closeBlock(block);
    block.height = height;
    block.lastNs = this.options.clock.nowNs();
    return block;
  }

  /** Told to everyone who would have got some: l4Book's readers in the next block's message. */
  private onLost(coin: CoinChannels, height: number, lost: number): void {
    this.lost += lost;
    coin.l4.queue.onStatusesLost(lost);
    const text = errorText(
      `Order statuses were lost: ${lost} of ${coin.coin} up to block ${height}`,
    );
    for (const user of this.users.keys()) {
      this.options.topics.publish(JSON.stringify({ type: 'orderUpdates', user }), text);
    }
  }

  /** Status events of one coin and block as the venue wrote them (JSON of each). */
  private onWhole(
    coin: CoinChannels,
    height: number,
    timeMs: number,
    events: readonly string[],
  ): void {
    const { l4 } = coin;
    const texts: string[] = [];
    const { ofUsers } = this.blockOf(coin, height);
    for (const event of events) {
      const status = readStatus(event);
      if (status === null) continue;
      if (l4.hasReaders) texts.push(status.text);
      if (!this.users.has(status.user)) continue;
      const told = ofUsers.get(status.user) ?? [];
      told.push(
        this.options.format === 'official'
          ? status.official()
          : `{"user":"${status.user}","time":${timeMs},"height":${height}` +
              `,"orderStatus":${status.text}}`,
      );
      ofUsers.set(status.user, told);
    }
    if (!l4.hasReaders || texts.length === 0) return;
    const bytes = Buffer.from(texts.join(','));
    l4.queue.onStatuses(height, timeMs, bytes, this.options.clock.nowNs());
  }
}
