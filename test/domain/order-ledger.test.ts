import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { LedgerResult, OrderLedger } from '../../src/domain/order-ledger.js';
import { NO_SLOT } from '../../src/domain/order-slab.js';

interface NaiveOrder {
  readonly oid: number;
  readonly side: number;
  readonly price: number;
  size: number;
}

/** The naive twin: one list of orders in time priority, searched from the front. */
class NaiveLedger {
  orders: NaiveOrder[] = [];

  add(oid: number, side: number, price: number, size: number, beforeOid: number): number {
    if (this.orders.some((order) => order.oid === oid)) return LedgerResult.Duplicate;
    const order = { oid, side, price, size };
    if (beforeOid < 0) {
      this.orders.push(order);
      return LedgerResult.Done;
    }
    const at = this.orders.findIndex((other) => other.oid === beforeOid);
    const anchor = this.orders[at];
    if (anchor === undefined || anchor.price !== price || anchor.side !== side) {
      return LedgerResult.AnchorUnknown;
    }
    this.orders.splice(at, 0, order);
    return LedgerResult.Done;
  }

  change(oid: number, sizeBefore: number, sizeAfter: number): number {
    const order = this.orders.find((other) => other.oid === oid);
    if (order === undefined) return LedgerResult.Unknown;
    if (sizeBefore >= 0 && order.size !== sizeBefore) return LedgerResult.SizeMismatch;
    order.size = sizeAfter;
    return LedgerResult.Done;
  }

  remove(oid: number, side: number, price: number): number {
    const order = this.orders.find((other) => other.oid === oid);
    if (order === undefined) return LedgerResult.Unknown;
    if (price >= 0 && (order.price !== price || order.side !== side)) {
      return LedgerResult.PlaceMismatch;
    }
    this.orders = this.orders.filter((other) => other !== order);
    return LedgerResult.Done;
  }

  queue(side: number, price: number): NaiveOrder[] {
    return this.orders.filter((order) => order.side === side && order.price === price);
  }
}

class MapLevels {
  readonly sizes = new Map<string, number>();
  set(side: number, price: number, size: number): number {
    const key = `${side}:${price}`;
    const before = this.sizes.get(key) ?? 0;
    if (size === 0) this.sizes.delete(key);
    else this.sizes.set(key, size);
    return before;
  }
  clear(): void {
    this.sizes.clear();
  }
}

const command = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'change', 'remove', 'insert'),
  oid: fc.integer({ min: 412036231803, max: 412036231803 + 30 }),
  other: fc.integer({ min: 412036231803, max: 412036231803 + 30 }),
  side: fc.integer({ min: 0, max: 1 }),
  price: fc.integer({ min: 1, max: 4 }),
  size: fc.integer({ min: 1, max: 1000 }),
  checked: fc.boolean(),
});

function assertSame(ledger: OrderLedger, twin: NaiveLedger, levels: MapLevels): void {
  assert.equal(ledger.orderCount, twin.orders.length);
  for (const side of [0, 1]) {
    for (let price = 1; price <= 4; price++) {
      const queue = twin.queue(side, price);
      const found: { oid: number; size: number }[] = [];
      for (let slot = ledger.headAt(side, price); slot !== NO_SLOT; slot = ledger.slab.next[slot]!) {
        found.push({ oid: ledger.slab.oid[slot]!, size: ledger.slab.size[slot]! });
        assert.equal(ledger.priceOf(slot), price);
        assert.equal(ledger.sideOf(slot), side);
      }
      assert.deepEqual(found, queue.map(({ oid, size }) => ({ oid, size })));
      assert.equal(ledger.orderCountAt(side, price), queue.length);
      const total = queue.reduce((sum, order) => sum + order.size, 0);
      assert.equal(levels.sizes.get(`${side}:${price}`) ?? 0, total);
    }
  }
}

test('OrderLedger: agrees with its naive twin in results, queues and level sizes', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150 }), (commands) => {
      const levels = new MapLevels();
      const ledger = new OrderLedger(levels, 2);
      const twin = new NaiveLedger();
      for (const { kind, oid, other, side, price, size, checked } of commands) {
        if (kind === 'add') {
          assert.equal(ledger.add(oid, side, price, size, -1), twin.add(oid, side, price, size, -1));
        } else if (kind === 'insert') {
          const result = twin.add(oid, side, price, size, other);
          assert.equal(ledger.add(oid, side, price, size, other), result);
        } else if (kind === 'change') {
          const before = checked ? size + 1 : -1;
          assert.equal(ledger.change(oid, before, size), twin.change(oid, before, size));
        } else {
          const at = checked ? price : -1;
          assert.equal(ledger.remove(oid, side, at), twin.remove(oid, side, at));
        }
        assertSame(ledger, twin, levels);
      }
      ledger.clear();
      twin.orders = [];
      assertSame(ledger, twin, levels);
    }),
    { numRuns: 200 },
  );
});
