import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { HashedLedger } from '../../src/domain/hashed-ledger.js';
import { HASH_SEED_HIGH, HASH_SEED_LOW, orderHashLane } from '../../src/domain/level-hash.js';
import {
  LedgerResult,
  NO_SLOT,
  ORDER_INPUT_DOUBLES,
  OrderInput,
  OrderLedger,
} from '../../src/domain/order-ledger.js';
import { Prng } from '../../src/domain/prng.js';
import {
  ORDER_BEFORE_ID,
  ORDER_ID,
  ORDER_PRICE,
  ORDER_SIDE,
  ORDER_SIZE,
  ORDER_SIZE_BEFORE,
} from '../../src/rings/record-types.js';
import { NaiveLedger, type NaiveOrder } from '../support/naive-ledger.js';

const AT_END = -1;
const NOT_CHECKED = -1;

function input(order: NaiveOrder, beforeId = AT_END, sizeBefore = NOT_CHECKED): Float64Array {
  const fields = new Float64Array(ORDER_INPUT_DOUBLES);
  fields[OrderInput.Side] = order.side;
  fields[OrderInput.Price] = order.price;
  fields[OrderInput.Size] = order.size;
  fields[OrderInput.SizeBefore] = sizeBefore;
  fields[OrderInput.Id] = order.id;
  fields[OrderInput.BeforeId] = beforeId;
  return fields;
}

/** Holds what it was told, and what since the last `take`. */
class ToldLevels {
  readonly sizes = new Map<string, number>();
  private told: string[] = [];

  apply(levels: Float64Array, at: number, bids: number, asks: number): void {
    for (let i = 0; i < bids + asks; i++) {
      const key = `${i < bids ? 0 : 1}:${levels[at + 2 * i]}`;
      const size = levels[at + 2 * i + 1]!;
      this.told.push(key);
      if (size === 0) this.sizes.delete(key);
      else this.sizes.set(key, size);
    }
  }

  clear(): void {
    this.sizes.clear();
  }

  take(): string[] {
    const { told } = this;
    this.told = [];
    return told;
  }
}

/** Every queue, in both directions, every number, and the levels as told. */
function assertSame(ledger: OrderLedger, twin: NaiveLedger): void {
  assert.equal(ledger.orderCount, twin.orders.length);
  const places = new Map(twin.orders.map((order) => [`${order.side}:${order.price}`, order]));
  for (const { side, price } of places.values()) {
    const queue = twin.queue(side, price);
    const found: NaiveOrder[] = [];
    let last = NO_SLOT;
    for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.nextOf(slot)) {
      assert.equal(ledger.previousOf(slot), last);
      assert.equal(ledger.slotOf(ledger.idOf(slot)), slot);
      found.push({
        id: ledger.idOf(slot),
        side: ledger.sideOf(slot),
        price: ledger.priceOf(slot),
        size: ledger.sizeOf(slot),
      });
      last = slot;
    }
    assert.deepEqual(found, queue);
    assert.equal(ledger.orderCountAt(side, price), queue.length);
  }
  let used = 0;
  for (let slot = 0; slot < ledger.usedSlots; slot++) if (ledger.isUsed(slot)) used++;
  assert.equal(used, twin.orders.length);
}

function assertLevels(levels: ToldLevels, twin: NaiveLedger): void {
  const totals = new Map<string, number>();
  for (const { side, price, size } of twin.orders) {
    const key = `${side}:${price}`;
    totals.set(key, (totals.get(key) ?? 0) + size);
  }
  const sorted = (of: Map<string, number>): [string, number][] =>
    [...of].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(levels.sizes), sorted(totals));
}

/** Ids of today, small ones, some that differ in their upper half only, and the largest. */
const someId = fc.oneof(
  fc.integer({ min: 412036231803, max: 412036231803 + 12 }),
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 12 }).map((n) => n * 2 ** 32 + 7),
  fc.integer({ min: 0, max: 12 }).map((n) => Number.MAX_SAFE_INTEGER - n),
);
const command = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'change', 'remove', 'insert', 'settle'),
  id: someId,
  other: someId,
  side: fc.integer({ min: 0, max: 1 }),
  price: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(2 ** 52 - 1)),
  size: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant(2 ** 40)),
  isRight: fc.boolean(),
});

test('OrderLedger: agrees with its naive twin in results, queues and levels', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150, size: 'max' }), (commands) => {
      const levels = new ToldLevels();
      const ledger = new OrderLedger(levels, 1);
      const twin = new NaiveLedger();
      for (const { kind, id, other, side, price, size, isRight } of commands) {
        const known = twin.orders.find((order) => order.id === id);
        const place = isRight && known !== undefined ? known : { side, price };
        const order = { id, side: place.side, price: place.price, size };
        if (kind === 'add') {
          assert.equal(ledger.add(input(order), 0), twin.add(order, AT_END));
        } else if (kind === 'insert') {
          assert.equal(ledger.add(input(order, other), 0), twin.add(order, other));
        } else if (kind === 'change') {
          const before = isRight ? (known?.size ?? size) : size + 1;
          assert.equal(ledger.change(input(order, AT_END, before), 0), twin.change(order, before));
        } else if (kind === 'remove') {
          assert.equal(ledger.remove(input(order), 0), twin.remove(order));
        } else {
          ledger.settle();
          assertLevels(levels, twin);
        }
        assertSame(ledger, twin);
      }
      ledger.settle();
      assertLevels(levels, twin);
      ledger.clear();
      twin.orders = [];
      assertSame(ledger, twin);
      assertLevels(levels, twin);
    }),
    { numRuns: 200 },
  );
});

test('OrderLedger: agrees with its naive twin over thousands of orders, from room for one on', () => {
  const prng = new Prng(3);
  const levels = new ToldLevels();
  const ledger = new OrderLedger(levels, 1);
  const twin = new Map<number, NaiveOrder>();
  const ids: number[] = [];
  const freed: number[] = [];
  let nextId = 412036231803;
  for (let i = 0; i < 40_000; i++) {
    // Grows to some thousands, then shrinks to nothing.
    const grows = prng.nextInt(100) < (i < 20_000 ? 65 : 30);
    if (grows || ids.length === 0) {
      // Every fourth id was used before.
      const isReused = prng.nextInt(4) === 0 && freed.length > 0;
      const id = isReused ? freed.pop()! : (nextId += 3);
      const price = 1 + prng.nextInt(500);
      const order = { id, side: prng.nextInt(2), price, size: 1 + prng.nextInt(1e6) };
      assert.equal(ledger.add(input(order), 0), LedgerResult.Done);
      twin.set(order.id, order);
      ids.push(order.id);
    } else {
      const at = prng.nextInt(ids.length);
      const order = twin.get(ids[at]!)!;
      assert.equal(ledger.remove(input(order), 0), LedgerResult.Done);
      twin.delete(order.id);
      freed.push(order.id);
      ids[at] = ids[ids.length - 1]!;
      ids.length--;
    }
    if (i % 25 === 0) ledger.settle();
    if (i % 10_000 !== 9_999) continue;
    const naive = new NaiveLedger();
    naive.orders = [...twin.values()];
    ledger.settle();
    assertSame(ledger, naive);
    assertLevels(levels, naive);
  }
});

test('OrderLedger: tells each level that changed once, bids before asks, with the size it has then', () => {
  const levels = new ToldLevels();
  const ledger = new OrderLedger(levels, 1);
  const order = (id: number, side: number, price: number, size: number): Float64Array =>
    input({ id, side, price, size });
  ledger.add(order(1, 1, 101, 5), 0);
  ledger.add(order(2, 0, 99, 5), 0);
  ledger.add(order(3, 0, 99, 7), 0);
  ledger.add(order(4, 0, 98, 1), 0);
  assert.deepEqual(levels.take(), []);
  ledger.settle();
  assert.deepEqual(levels.take(), ['0:99', '0:98', '1:101']);
  assert.equal(levels.sizes.get('0:99'), 12);
  ledger.settle();
  assert.deepEqual(levels.take(), []);
  // A level that empties and fills within a block is told once; one that stays empty is gone.
  ledger.remove(order(4, 0, 98, 0), 0);
  ledger.remove(order(1, 1, 101, 0), 0);
  ledger.add(order(5, 1, 101, 3), 0);
  ledger.settle();
  assert.deepEqual(levels.take(), ['0:98', '1:101']);
  assert.deepEqual(
    [...levels.sizes],
    [
      ['0:99', 12],
      ['1:101', 3],
    ],
  );
  assert.equal(ledger.headAt(0, 98), NO_SLOT);
  assert.equal(ledger.orderCount, 3);
});

test('OrderLedger: tells every level of a block that changes hundreds, on one side or on both', () => {
  for (const asksEvery of [1000, 2, 1]) {
    const levels = new ToldLevels();
    const ledger = new OrderLedger(levels, 1);
    const twin = new NaiveLedger();
    for (let id = 0; id < 700; id++) {
      const order = { id, side: id % asksEvery === 0 ? 1 : 0, price: 5 * id, size: id + 1 };
      assert.equal(ledger.add(input(order), 0), LedgerResult.Done);
      twin.add(order, AT_END);
    }
    ledger.settle();
    assertLevels(levels, twin);
    const told = levels.take();
    assert.equal(told.length, 700);
    assert.equal(ledger.settledBids + ledger.settledAsks, 700);
    assert.equal(new Set(told).size, 700);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => Number(a[0]) - Number(b[0])),
    );
  }
});

test('OrderLedger: what no order can have is refused and changes nothing', () => {
  const ledger = new OrderLedger(new ToldLevels(), 4);
  const good = { id: 7, side: 0, price: 10, size: 3 };
  assert.equal(ledger.add(input(good), 0), LedgerResult.Done);
  for (const wrong of [
    { price: -1 },
    { price: 2 ** 52 },
    { price: NaN },
    { size: -1 },
    { size: Infinity },
    { size: NaN },
    { id: -1 },
    { id: 2 ** 53 },
    { id: NaN },
  ]) {
    const order = { ...good, id: 8, ...wrong };
    assert.equal(ledger.add(input(order), 0), LedgerResult.OutOfRange, JSON.stringify(order));
  }
  for (const size of [-1, NaN, Infinity])
    assert.equal(ledger.change(input({ ...good, size }), 0), LedgerResult.OutOfRange);
  // The key of the bid level at 10: not to be taken for an order.
  for (const id of [-21, NaN, -1]) {
    assert.equal(ledger.change(input({ ...good, id }), 0), LedgerResult.Unknown);
    assert.equal(ledger.remove(input({ ...good, id }), 0), LedgerResult.Unknown);
    assert.equal(ledger.slotOf(id), NO_SLOT);
  }
  for (const price of [-1, NaN, 2 ** 52]) {
    assert.equal(ledger.orderCountAt(0, price), 0);
    assert.equal(ledger.headAt(0, price), NO_SLOT);
  }
  assert.equal(ledger.orderCount, 1);
  assert.equal(ledger.sizeOf(ledger.slotOf(7)), 3);
});

test('OrderLedger: takes its input in the order in which ring records have it', () => {
  assert.deepEqual(
    [ORDER_SIDE, ORDER_PRICE, ORDER_SIZE, ORDER_SIZE_BEFORE, ORDER_ID, ORDER_BEFORE_ID],
    [0, 1, 2, 3, 4, 5].map((field) => ORDER_SIDE + field),
  );
  assert.deepEqual(
    [OrderInput.Side, OrderInput.Price, OrderInput.Size, OrderInput.SizeBefore],
    [0, 1, 2, 3],
  );
  assert.deepEqual([OrderInput.Id, OrderInput.BeforeId, ORDER_INPUT_DOUBLES], [4, 5, 6]);
});

test('HashedLedger: its hash is the XOR of its definition over the resting orders', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
      const orders = new HashedLedger(new ToldLevels(), 1);
      const twin = new NaiveLedger();
      for (const { kind, id, side, price, size, isRight } of commands) {
        const known = twin.orders.find((order) => order.id === id);
        const place = isRight && known !== undefined ? known : { side, price };
        const order = { id, side: place.side, price: place.price, size };
        if (kind === 'change') {
          assert.equal(orders.change(input(order), 0), twin.change(order, NOT_CHECKED));
        } else if (kind === 'remove') {
          assert.equal(orders.remove(input({ ...order, size: 0 }), 0), twin.remove(order));
        } else {
          assert.equal(orders.add(input(order), 0), twin.add(order, AT_END));
        }
      }
      const lane = (seed: number): number =>
        twin.orders.reduce(
          (hash, { side, price, size, id }) => hash ^ orderHashLane(seed, side, price, size, id),
          0,
        );
      assert.equal(orders.hashLow, lane(HASH_SEED_LOW));
      assert.equal(orders.hashHigh, lane(HASH_SEED_HIGH));
      orders.clear();
      assert.deepEqual([orders.hashLow, orders.hashHigh], [0, 0]);
    }),
    { numRuns: 200 },
  );
});
