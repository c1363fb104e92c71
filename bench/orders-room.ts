/** The books room with one order-by-order book, from records in its input ring to messages in its output ring. */
import type { BooksAgent } from '../src/books/books-agent.js';
import { EventFlag } from '../src/domain/event-flags.js';
import { ORDER_INPUT_DOUBLES } from '../src/domain/order-ledger.js';
import { invariant } from '../src/faults/invariant.js';
import { createReplayBooks, type ReplayBooks } from '../src/node/replay-books.js';
import {
  ABSENT,
  BLOCK_END_DOUBLES,
  ORDERS_COUNT,
  ORDER_EVENT_DOUBLES,
  ORDER_KIND,
  ORDER_OWNER,
  ORDER_SIDE,
  RECEIVED_NS,
  RecordType,
  SEQUENCE_LAST,
  SNAPSHOT_ORDERS,
  SNAPSHOT_ORDER_DOUBLES,
} from '../src/rings/record-types.js';
import type { RecordHandler } from '../src/rings/ring-consumer.js';
import { timeCell } from '../src/time/clock.js';
import { Timeline } from '../src/time/timeline.js';
import { VirtualClock } from '../src/time/virtual-clock.js';
import { nodeInstrument } from '../src/venues/hyperliquid-node/coins.js';
import { CHANGES_PER_BLOCK, type OrderChanges } from './order-changes.js';

const PART_ORDERS = 256;
/** Constants of this module are built into its code, imported ones are loaded at every use. */
const KIND = ORDER_KIND;
const SIDE = ORDER_SIDE;
const INPUT_DOUBLES = ORDER_INPUT_DOUBLES;
/** Blocks given to the room in one turn: what a burst brings, and within its limit of records. */
const BLOCKS_PER_TURN = 8;

export class OrdersRoom implements RecordHandler {
  private readonly books: ReplayBooks;
  private readonly agent: BooksAgent;
  private readonly now = timeCell(1e9);
  private readonly record = new Float64Array(
    SNAPSHOT_ORDERS + PART_ORDERS * SNAPSHOT_ORDER_DOUBLES,
  );
  private height = 1;
  messages = 0;

  constructor(resting: OrderChanges) {
    this.books = createReplayBooks({
      rows: 1,
      instruments: [nodeInstrument('BTC', 0, 5)],
      createSequencer: () => {
        throw new Error('order-by-order books continue by height');
      },
      snapshotInStream: false,
      orderByOrder: true,
      timeline: new Timeline(0n),
      clock: new VirtualClock(1e9),
      pendingRecordsMax: 2 ** 16,
      pendingBytesMax: 2 ** 24,
    });
    this.agent = this.books.agent;
    this.record[RECEIVED_NS] = 1e9;
    this.load(resting);
  }

  /** Applies all changes, a block after the other. Returns the messages that came of it. */
  apply({ count, kind, inputs }: OrderChanges): number {
    const before = this.messages;
    const { record } = this;
    record.fill(7, ORDER_OWNER, ORDER_EVENT_DOUBLES);
    for (let i = 0; i < count; i++) {
      record[KIND] = kind[i]!;
      const from = i * INPUT_DOUBLES;
      for (let field = 0; field < INPUT_DOUBLES; field++)
        record[SIDE + field] = inputs[from + field]!;
      record[SEQUENCE_LAST] = this.height;
      this.give(RecordType.OrderEvent, ORDER_EVENT_DOUBLES);
      if (i % CHANGES_PER_BLOCK === CHANGES_PER_BLOCK - 1) this.endBlock();
    }
    this.turn();
    return this.messages - before;
  }

  onRecord(): void {
    this.messages++;
  }

  private load({ count, inputs }: OrderChanges): void {
    const { record } = this;
    for (let first = 0; first < count; first += PART_ORDERS) {
      const orders = Math.min(PART_ORDERS, count - first);
      const isLast = first + orders === count;
      record[1] = (first === 0 ? EventFlag.Snapshot : 0) | (isLast ? EventFlag.Last : 0);
      record[SEQUENCE_LAST] = this.height;
      record[ORDERS_COUNT] = orders;
      for (let i = 0; i < orders; i++) {
        const from = (first + i) * ORDER_INPUT_DOUBLES;
        const to = SNAPSHOT_ORDERS + i * SNAPSHOT_ORDER_DOUBLES;
        record.fill(7, to, to + SNAPSHOT_ORDER_DOUBLES);
        for (let field = 0; field < 3; field++) record[to + field] = inputs[from + field]!;
        record[to + 3] = inputs[from + 4]!;
      }
      this.give(RecordType.OrderSnapshot, SNAPSHOT_ORDERS + orders * SNAPSHOT_ORDER_DOUBLES);
      this.turn();
    }
    record[1] = EventFlag.Last;
    this.height++;
  }

  private endBlock(): void {
    const { record, height } = this;
    record[0] = ABSENT;
    record[SEQUENCE_LAST] = height;
    this.give(RecordType.BlockEnd, BLOCK_END_DOUBLES);
    record[0] = 0;
    this.height++;
    if (height % BLOCKS_PER_TURN === 0) this.turn();
  }

  private give(type: number, doubles: number): void {
    const { record } = this;
    const { input } = this.books;
    const slot = input.tryClaim(type, doubles * 8);
    invariant(slot >= 0, 'the input ring has room');
    const ring = input.doubles;
    for (let i = 0; i < doubles; i++) ring[slot + i] = record[i]!;
  }

  private turn(): void {
    this.books.input.commit();
    while (this.agent.doWork(this.now) > 0) while (this.books.output.poll(this, 1024) > 0);
  }
}
