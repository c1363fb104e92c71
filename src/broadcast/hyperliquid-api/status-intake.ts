/**
 * Order statuses as the venue wrote them, which come past the books by a ring of their own and only
 * for coins that somebody asks for: to the readers of a coin's `l4Book` and, by user, of
 * `orderUpdates`. Broadcast thread.
 */
import { EventFlag } from '../../domain/event-flags.js';
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
import type { Clock } from '../../time/clock.js';
import type { Timeline } from '../../time/timeline.js';
import type { NumberFormat } from './api-text.js';
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
/** Of one turn: a block's statuses are some records of 64 KB at most. */
const RECORDS_PER_TURN = 64;

export class StatusIntake implements RecordHandler {
  private readonly options: StatusIntakeOptions;
  /** Readers of orderUpdates, by user. */
  private readonly users = new Map<string, number>();

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
      if (coin !== undefined) way.demand.set(id, coin.l4.hasReaders || this.users.size > 0);
    }
  }

  /** Takes what waits in the ring. Returns how many records. */
  poll(): number {
    return this.options.way.ring.poll(this, RECORDS_PER_TURN);
  }

  onRecord(typeId: number, slot: number): void {
    if (typeId !== RecordType.RawStatuses) return;
    const { way, timeline } = this.options;
    const { doubles } = way.ring;
    const bytes = doubles[slot + RAW_BYTES]!;
    const at = doubles.byteOffset + (slot + RAW_TEXTS) * 8;
    const text = Buffer.from(doubles.buffer, at, bytes).toString('utf8');
    this.onStatuses(
      doubles[slot + RAW_INSTRUMENT]!,
      doubles[slot + RAW_HEIGHT]!,
      Number(timeline.toUnixNs(doubles[slot + RAW_BLOCK_NS]!) / NS_PER_MS),
      bytes === 0 ? [] : text.trimEnd().split('\n'),
      (doubles[slot + RAW_FLAGS]! & EventFlag.Last) !== 0,
    );
  }

  /** Status events of one coin and block (JSON of each). */
  private onStatuses(
    instrumentId: number,
    height: number,
    timeMs: number,
    events: readonly string[],
    isLast: boolean,
  ): void {
    const coin = this.options.coins[instrumentId];
    if (coin === undefined) return;
    const { l4 } = coin;
    const texts: string[] = [];
    const ofUsers = new Map<string, string[]>();
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
    for (const [user, told] of ofUsers) {
      const topic = JSON.stringify({ type: 'orderUpdates', user });
      this.options.topics.publish(topic, `{"channel":"orderUpdates","data":[${told.join(',')}]}`);
    }
    if (!l4.hasReaders) return;
    l4.queue.onStatuses(height, timeMs, texts, this.options.clock.nowNs());
    if (isLast) l4.queue.onStatusesAt(height);
  }
}
