/**
 * The order-by-order book: add, change, remove at 10,000 and 100,000 resting orders. First orders by
 * their id alone, then what any such book does, then all that the node does besides.
 */
import { BookLevels } from '../src/books/book-levels.js';
import { Ladder } from '../src/books/ladder.js';
import { HashedLedger } from '../src/domain/hashed-ledger.js';
import { type LevelSink, ORDER_INPUT_DOUBLES, OrderLedger } from '../src/domain/order-ledger.js';
import { Side } from '../src/domain/side.js';
import { defineBench, measure } from './harness.js';
import type { BenchRow } from './harness.js';
import { ADD, CHANGE, CHANGES_PER_BLOCK, orderMix } from './order-changes.js';
import type { OrderChanges } from './order-changes.js';
import { LinkedBook, QueueBook } from './order-rivals.js';
import { ColumnStore, ObjectStore, RecordStore } from './order-stores.js';
import { OrdersRoom } from './orders-room.js';

const PART = 'L4 add, change, remove';
const CHANGES = 100_000;
/** Placed time, attributes, owner, client id: what an add stores besides. */
const IDENTITY = Float64Array.from({ length: 11 }, (_, i) => 0x9000_0000 + i);

/** A ladder without the hash that the node keeps over it. */
class LadderLevels implements LevelSink {
  readonly ladder = new Ladder(1);

  apply(levels: Float64Array, at: number, bids: number, asks: number): void {
    const { ladder } = this;
    const asksAt = at + 2 * bids;
    const end = asksAt + 2 * asks;
    for (let i = at; i < asksAt; i += 2) ladder.bids.set(levels[i]!, levels[i + 1]!);
    for (let i = asksAt; i < end; i += 2) ladder.asks.set(levels[i]!, levels[i + 1]!);
  }

  clear(): void {
    this.ladder.clear();
  }
}

/** Orders by id, queues with sizes and counts, sorted levels, the best prices. */
class CoreBook {
  private readonly levels = new LadderLevels();
  private readonly ledger = new OrderLedger(this.levels, 1024);

  apply({ count, kind, inputs }: OrderChanges): number {
    const { ledger } = this;
    const { ladder } = this.levels;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      if (kind[i] === ADD) ledger.add(inputs, at);
      else if (kind[i] === CHANGE) ledger.change(inputs, at);
      else ledger.remove(inputs, at);
      if (i % CHANGES_PER_BLOCK !== 0) continue;
      ledger.settle();
      sum += ladder.best(Side.Bid) + ladder.best(Side.Ask);
    }
    return sum + ledger.orderCount;
  }
}

/** As the books worker has it: every diff checked, the block's delta, both hashes, identities. */
class WholeBook {
  private readonly levels = new BookLevels(1);
  private readonly orders = new HashedLedger(this.levels, 1024);

  apply({ count, kind, inputs }: OrderChanges): number {
    const { orders } = this;
    const { ladder } = this.levels;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const at = i * ORDER_INPUT_DOUBLES;
      if (kind[i] === ADD) {
        orders.add(inputs, at);
        orders.identify(IDENTITY, 0);
      } else if (kind[i] === CHANGE) orders.change(inputs, at);
      else orders.remove(inputs, at);
      if (i % CHANGES_PER_BLOCK !== 0) continue;
      orders.settle();
      sum += ladder.best(Side.Bid) + ladder.best(Side.Ask);
    }
    return sum + orders.ledger.orderCount;
  }
}

/** Orders by their id, with side, price and size: no queues, no levels. */
async function storeRows(orders: number): Promise<BenchRow[]> {
  const { resting, changes } = orderMix(orders, CHANGES);
  const records = new RecordStore();
  const objects = new ObjectStore();
  const columns = new ColumnStore(orders + CHANGES);
  for (const store of [records, objects, columns]) store.apply(resting);
  return measure({
    part: PART,
    case: `${orders / 1e3}k orders: orders by id alone`,
    unit: 'ns/change',
    operations: CHANGES,
    rounds: 5,
    ours: () => records.apply(changes),
    rivals: [
      { name: 'Map of objects', run: () => objects.apply(changes) },
      { name: 'Map to columns', run: () => columns.apply(changes) },
    ],
  });
}

async function rowsAt(orders: number): Promise<BenchRow[]> {
  const { resting, changes } = orderMix(orders, CHANGES);
  const core = new CoreBook();
  const whole = new WholeBook();
  const linked = new LinkedBook();
  const queues = new QueueBook();
  for (const book of [core, whole, linked, queues]) book.apply(resting);
  const rivals = [
    { name: 'Map of objects, linked queues', run: () => linked.apply(changes) },
    { name: 'Map of objects, array queues', run: () => queues.apply(changes) },
  ];
  const common = { part: PART, unit: 'ns/change', operations: CHANGES, rounds: 5, rivals };
  const name = `${orders / 1e3}k orders`;
  const rows = [
    ...(await measure({ ...common, case: `${name}: the book`, ours: () => core.apply(changes) })),
    ...(await measure({
      ...common,
      case: `${name}: with both hashes, delta, identities`,
      ours: () => whole.apply(changes),
    })),
  ];
  return [...(await storeRows(orders)), ...rows].map((r) => ({
    ...r,
    note: `${(1e3 / r.ours).toFixed(1)} M/s`,
  }));
}

/** As in the node: from records in one ring to finished messages in the other, blocks of 25 changes. */
async function roomRow(): Promise<BenchRow[]> {
  const { resting, changes } = orderMix(50_000, CHANGES);
  const room = new OrdersRoom(resting);
  const [made] = await measure({
    part: PART,
    case: '50k orders: ring to ring, L2 and L4 messages made',
    unit: 'ns/change',
    operations: CHANGES,
    ours: () => room.apply(changes),
    rivals: [],
  });
  return [{ ...made!, note: `${(1e3 / made!.ours).toFixed(2)} M diffs/s` }];
}

export default defineBench({
  part: PART,
  mix: '4 of 10 new, 4 remove, 2 fill; 3 of 4 near the touch, 1 of 4 anywhere; best prices every 25',
  async run() {
    return [...(await rowsAt(10_000)), ...(await rowsAt(100_000)), ...(await roomRow())];
  },
});
