/** The matching engine against its naive twin, on generated commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { Prng } from '../../src/domain/prng.js';
import { Side } from '../../src/domain/side.js';
import { SelfTradePolicy, TimeInForce } from '../../src/matching/match-event.js';
import { MatchingEngine } from '../../src/matching/matching-engine.js';
import { MatchRecorder } from '../support/match-recorder.js';
import { NaiveMatching } from '../support/naive-matching.js';

const ORDERS_MAX = 24;

type Command =
  | {
      op: 'limit';
      id: number;
      owner: number;
      side: Side;
      price: number;
      size: number;
      tif: TimeInForce;
    }
  | { op: 'market'; id: number; owner: number; side: Side; size: number }
  | { op: 'cancel'; id: number }
  | { op: 'amend'; id: number; price: number; size: number };

const id = fc.integer({ min: 0, max: 40 });
const owner = fc.integer({ min: 0, max: 3 });
const side = fc.constantFrom<Side>(Side.Bid, Side.Ask);
const price = fc.integer({ min: 1, max: 12 });
const size = fc.integer({ min: 1, max: 9 });
const tif = fc.constantFrom(...Object.values(TimeInForce));
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('limit' as const), id, owner, side, price, size, tif }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('market' as const), id, owner, side, size }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('cancel' as const), id }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('amend' as const), id, price, size }) },
);

function apply(engine: MatchingEngine, twin: NaiveMatching, c: Command): [number, number] {
  switch (c.op) {
    case 'limit':
      return [
        engine.submitLimit(c.id, c.owner, c.side, c.price, c.size, c.tif),
        twin.limit(c.id, c.owner, c.side, c.price, c.size, c.tif),
      ];
    case 'market':
      return [
        engine.submitMarket(c.id, c.owner, c.side, c.size),
        twin.market(c.id, c.owner, c.side, c.size),
      ];
    case 'cancel':
      return [engine.cancel(c.id), twin.cancel(c.id)];
    case 'amend':
      return [engine.amend(c.id, c.price, c.size), twin.amend(c.id, c.price, c.size)];
  }
}

function queue(engine: MatchingEngine, of: Side): number[][] {
  const orders: number[][] = [];
  engine.book.visitOrders(of, (o) => orders.push([o.orderId, o.owner, o.price, o.size]));
  return orders;
}

/** What must hold of any book between commands. */
function checkBook(engine: MatchingEngine, recorder: MatchRecorder): void {
  const { book } = engine;
  const bid = book.bestPrice(Side.Bid);
  const ask = book.bestPrice(Side.Ask);
  assert.ok(bid === 0 || ask === 0 || bid < ask, 'the book is not crossed');
  let orders = 0;
  let levels = 0;
  for (const of of [Side.Bid, Side.Ask]) {
    const sums = new Map<number, number>();
    for (const [, , at, open] of queue(engine, of)) {
      assert.ok(open! > 0, 'no empty order rests');
      sums.set(at!, (sums.get(at!) ?? 0) + open!);
      orders++;
    }
    levels += sums.size;
    assert.equal(book.sideOf(of).count, sums.size);
    for (const [at, sum] of sums) {
      assert.equal(book.levelSize(of, at), sum, 'a level is the sum of its orders');
      assert.equal(recorder.levels.get(`${of}:${at}`), sum, 'level events tell the same sum');
    }
  }
  assert.equal(recorder.levels.size, levels);
  assert.equal(book.ordersCount, orders);
}

test('The matching engine tells and holds what its naive twin does, on any commands', () => {
  const policies = fc.constantFrom(...Object.values(SelfTradePolicy));
  fc.assert(
    fc.property(
      policies,
      fc.array(command, { minLength: 1, maxLength: 120, size: 'max' }),
      (policy, commands) => {
        const recorder = new MatchRecorder();
        const engine = new MatchingEngine({
          handler: recorder,
          selfTradePolicy: policy,
          ordersCountMax: ORDERS_MAX,
        });
        const twin = new NaiveMatching(policy, ORDERS_MAX);
        for (const next of commands) {
          const [told, expected] = apply(engine, twin, next);
          assert.equal(told, expected);
          assert.deepEqual(recorder.take(), twin.log.splice(0));
          checkBook(engine, recorder);
        }
        assert.deepEqual(queue(engine, Side.Bid), twin.queue(Side.Bid));
        assert.deepEqual(queue(engine, Side.Ask), twin.queue(Side.Ask));
      },
    ),
    { numRuns: 150 },
  );
});

test('The matching engine stays equal to its twin over a long run at distant prices', () => {
  const seed = Number(process.env['RINGSIDE_TEST_SEED'] ?? 20_260);
  const prng = new Prng(seed);
  const recorder = new MatchRecorder();
  const policy = SelfTradePolicy.CancelMaker;
  const engine = new MatchingEngine({
    handler: recorder,
    selfTradePolicy: policy,
    ordersCountMax: 600,
  });
  const twin = new NaiveMatching(policy, 600);
  const tifs = Object.values(TimeInForce);
  for (let n = 1; n <= 6_000; n++) {
    const near = 1_000_000 + Math.floor((prng.nextFloat() - 0.5) * 40);
    const priceOf = prng.chance(0.2) ? 1 + prng.nextInt(4_000_000_000) * 2 : near;
    const c: Command = prng.chance(0.6)
      ? {
          op: 'limit',
          id: 8_000_000_000 + n,
          owner: prng.nextInt(5),
          side: prng.chance(0.5) ? 0 : 1,
          price: priceOf,
          size: 1 + prng.nextInt(1_000_000),
          tif: tifs[prng.nextInt(4)]!,
        }
      : prng.chance(0.7)
        ? { op: 'cancel', id: 8_000_000_000 + n - prng.nextInt(900) }
        : {
            op: 'amend',
            id: 8_000_000_000 + n - prng.nextInt(900),
            price: priceOf,
            size: 1 + prng.nextInt(1_000_000),
          };
    const [told, expected] = apply(engine, twin, c);
    assert.equal(told, expected, `seed ${seed}, command ${n}`);
  }
  assert.deepEqual(recorder.take(), twin.log, `seed ${seed}`);
  assert.deepEqual(queue(engine, Side.Bid), twin.queue(Side.Bid), `seed ${seed}`);
  assert.deepEqual(queue(engine, Side.Ask), twin.queue(Side.Ask), `seed ${seed}`);
  checkBook(engine, recorder);
  assert.ok(recorder.traded > 0 && engine.book.ordersCount > 100, 'the run was no idle one');
});

test('Quantity is conserved: submitted = 2 × traded + withdrawn + resting', () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 20, maxLength: 200, size: 'max' }), (commands) => {
      const recorder = new MatchRecorder();
      const engine = new MatchingEngine({ handler: recorder, ordersCountMax: ORDERS_MAX });
      let amendedIn = 0;
      for (const c of commands) {
        if (c.op !== 'amend') {
          apply(engine, new NaiveMatching(SelfTradePolicy.Allow, 1), c);
          continue;
        }
        const withdrawnBefore = recorder.withdrawn;
        const refused = engine.amend(c.id, c.price, c.size);
        const replaced = recorder.log
          .slice(-50)
          .some((text) => text.startsWith(`cancelled ${c.id} `));
        if (refused === 0 && replaced && recorder.withdrawn > withdrawnBefore) amendedIn += c.size;
        recorder.take();
      }
      let resting = 0;
      for (const of of [Side.Bid, Side.Ask]) {
        for (const [, , , open] of queue(engine, of)) resting += open!;
      }
      assert.equal(
        recorder.submitted + amendedIn,
        2 * recorder.traded + recorder.withdrawn + resting,
      );
    }),
    { numRuns: 100 },
  );
});
