/** The matching engine's rules, one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Side } from '../../src/domain/side.js';
import { InvariantError } from '../../src/faults/invariant.js';
import { RejectReason, SelfTradePolicy, TimeInForce } from '../../src/matching/match-event.js';
import { MatchingEngine } from '../../src/matching/matching-engine.js';
import { OrderView } from '../../src/matching/order-book.js';
import { MatchRecorder } from '../support/match-recorder.js';

const {
  GoodTilCancelled: GTC,
  ImmediateOrCancel: IOC,
  FillOrKill: FOK,
  PostOnly: ALO,
} = TimeInForce;
const { Bid, Ask } = Side;

function build(options: { policy?: SelfTradePolicy; ordersMax?: number; tick?: number } = {}) {
  const recorder = new MatchRecorder();
  const engine = new MatchingEngine({
    handler: recorder,
    selfTradePolicy: options.policy ?? SelfTradePolicy.CancelTaker,
    ordersCountMax: options.ordersMax ?? 100,
    tickSize: options.tick ?? 1,
  });
  return { engine, recorder };
}

function queue(engine: MatchingEngine, side: Side): string[] {
  const orders: string[] = [];
  engine.book.visitOrders(side, (order) =>
    orders.push(`${order.orderId}:${order.size}@${order.price}`),
  );
  return orders;
}

test('A limit order: the remainder rests, not the order as it came', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 100, 3, GTC);
  recorder.take();
  assert.equal(engine.submitLimit(2, 2, Bid, 101, 5, GTC), RejectReason.None);
  assert.deepEqual(recorder.take(), [
    'accepted 2 5',
    'traded 1 1/1 2/2 100 3 0 2',
    'done 1 0',
    'rested 2 2 0 0 -1',
  ]);
  assert.deepEqual(queue(engine, Bid), ['2:2@101']);
  assert.deepEqual(queue(engine, Ask), []);
});

test('Matching takes the best price first and, at a price, the oldest order first', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 101, 4, GTC);
  engine.submitLimit(2, 1, Ask, 100, 1, GTC);
  engine.submitLimit(3, 1, Ask, 100, 2, GTC);
  recorder.take();
  engine.submitLimit(4, 2, Bid, 101, 5, IOC);
  assert.deepEqual(recorder.take(), [
    'accepted 4 5',
    'traded 1 2/1 4/2 100 1 0 4',
    'done 2 0',
    'traded 2 3/1 4/2 100 2 0 2',
    'done 3 0',
    'traded 3 1/1 4/2 101 2 2 0',
    'done 4 0',
  ]);
  assert.deepEqual(queue(engine, Ask), ['1:2@101']);
});

test('An immediate-or-cancel order never rests', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 100, 3, GTC);
  recorder.take();
  engine.submitLimit(2, 2, Bid, 100, 5, IOC);
  assert.deepEqual(recorder.take().slice(-2), ['cancelled 2 2 1', 'done 2 1']);
  assert.equal(engine.book.ordersCount, 0);
});

test('A fill-or-kill order trades whole or not at all', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 100, 3, GTC);
  engine.submitLimit(2, 1, Ask, 101, 3, GTC);
  recorder.take();
  assert.equal(engine.submitLimit(3, 2, Bid, 101, 7, FOK), RejectReason.NotFillable);
  assert.equal(engine.submitLimit(4, 2, Bid, 100, 4, FOK), RejectReason.NotFillable);
  assert.deepEqual(queue(engine, Ask), ['1:3@100', '2:3@101']);
  assert.equal(engine.submitLimit(5, 2, Bid, 101, 6, FOK), RejectReason.None);
  assert.equal(engine.book.ordersCount, 0);
});

test('A post-only order rests or is rejected, and never trades', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 100, 3, GTC);
  recorder.take();
  assert.equal(engine.submitLimit(2, 2, Bid, 100, 1, ALO), RejectReason.WouldMatch);
  assert.equal(engine.submitLimit(3, 2, Bid, 99, 1, ALO), RejectReason.None);
  assert.deepEqual(recorder.take(), ['rejected 2 5', 'accepted 3 1', 'rested 3 1 0 0 -1']);
  assert.equal(engine.amend(3, 100, 1), RejectReason.WouldMatch);
  assert.deepEqual(queue(engine, Bid), ['3:1@99'], 'an amendment that is refused changes nothing');
});

test('A market order takes what there is and its remainder is cancelled', () => {
  const { engine, recorder } = build();
  assert.equal(engine.submitMarket(1, 1, Bid, 5), RejectReason.NoLiquidity);
  engine.submitLimit(2, 1, Ask, 1, 2, GTC);
  engine.submitLimit(3, 1, Ask, Number.MAX_SAFE_INTEGER, 2, GTC);
  recorder.take();
  assert.equal(engine.submitMarket(4, 2, Bid, 5), RejectReason.None);
  assert.deepEqual(recorder.take().slice(-2), ['cancelled 4 1 1', 'done 4 1']);
});

test('An amendment downwards keeps its place; upwards or at a new price it goes to the end', () => {
  const { engine, recorder } = build();
  for (const id of [1, 2, 3]) engine.submitLimit(id, id, Bid, 100, 5, GTC);
  recorder.take();
  engine.amend(1, 100, 2);
  assert.deepEqual(recorder.take(), ['reduced 1 3 2']);
  assert.deepEqual(queue(engine, Bid), ['1:2@100', '2:5@100', '3:5@100']);
  engine.amend(1, 100, 3);
  assert.deepEqual(recorder.take(), ['cancelled 1 2 3', 'rested 1 3 2 10 3']);
  assert.deepEqual(queue(engine, Bid), ['2:5@100', '3:5@100', '1:3@100']);
  engine.amend(2, 99, 5);
  engine.amend(2, 100, 5);
  assert.deepEqual(queue(engine, Bid), ['3:5@100', '1:3@100', '2:5@100']);
  engine.amend(3, 100, 5);
  assert.deepEqual(queue(engine, Bid)[0], '3:5@100', 'the same again changes nothing');
});

test('An amendment across the touch trades as a new order would', () => {
  const { engine, recorder } = build();
  engine.submitLimit(1, 1, Ask, 105, 3, GTC);
  engine.submitLimit(2, 2, Bid, 100, 5, GTC);
  recorder.take();
  engine.amend(2, 105, 5);
  assert.deepEqual(recorder.take(), [
    'cancelled 2 5 3',
    'traded 1 1/1 2/2 105 3 0 2',
    'done 1 0',
    'rested 2 2 0 0 -1',
  ]);
});

test('Self-trade prevention cancels the taker, the maker, or both', () => {
  const outcome = (policy: SelfTradePolicy): string[] => {
    const { engine, recorder } = build({ policy });
    engine.submitLimit(1, 7, Ask, 100, 2, GTC);
    engine.submitLimit(2, 8, Ask, 100, 2, GTC);
    recorder.take();
    engine.submitLimit(3, 7, Bid, 100, 3, GTC);
    return recorder.take().slice(1);
  };
  assert.deepEqual(outcome(SelfTradePolicy.CancelTaker), ['cancelled 3 3 2', 'done 3 1']);
  assert.deepEqual(outcome(SelfTradePolicy.CancelMaker), [
    'cancelled 1 2 2',
    'done 1 1',
    'traded 1 2/8 3/7 100 2 0 1',
    'done 2 0',
    'rested 3 1 0 0 -1',
  ]);
  assert.deepEqual(outcome(SelfTradePolicy.CancelBoth), [
    'cancelled 1 2 2',
    'done 1 1',
    'cancelled 3 3 2',
    'done 3 1',
  ]);
  assert.equal(outcome(SelfTradePolicy.Allow)[0], 'traded 1 1/7 3/7 100 2 0 1');
});

test('Commands that cannot be are rejected and change nothing', () => {
  const { engine, recorder } = build({ ordersMax: 2, tick: 5 });
  engine.submitLimit(1, 1, Bid, 100, Number.MAX_SAFE_INTEGER - 1, GTC);
  const limit = (id: number, price: number, size: number) =>
    engine.submitLimit(id, 1, Bid, price, size, GTC);
  assert.equal(limit(2, 101, 1), RejectReason.BadPrice);
  assert.equal(limit(2, 0, 1), RejectReason.BadPrice);
  assert.equal(limit(2, NaN, 1), RejectReason.BadPrice);
  assert.equal(limit(2, 95, 0), RejectReason.BadSize);
  assert.equal(limit(2, 95, 0.5), RejectReason.BadSize);
  assert.equal(limit(2, 95, 2 ** 53), RejectReason.BadSize);
  assert.equal(limit(2, 100, 2), RejectReason.BadSize, 'the sum of the level would pass 2^53');
  assert.equal(limit(1, 95, 1), RejectReason.DuplicateId);
  assert.equal(engine.cancel(9), RejectReason.UnknownOrder);
  assert.equal(engine.amend(9, 100, 1), RejectReason.UnknownOrder);
  assert.equal(limit(2, 95, 1), RejectReason.None);
  assert.equal(limit(3, 95, 1), RejectReason.CapacityReached);
  assert.equal(recorder.levels.size, 2);
  assert.deepEqual(queue(engine, Bid), [`1:${Number.MAX_SAFE_INTEGER - 1}@100`, '2:1@95']);
});

test('Orders can be read by id with owner, side, price and open size', () => {
  const { engine } = build();
  const view = new OrderView();
  engine.submitLimit(400_000_000_123, 42, Ask, 100, 5, ALO);
  assert.equal(engine.book.readOrder(400_000_000_123, view), true);
  assert.deepEqual(
    Object.assign({}, view),
    {
      orderId: 400_000_000_123,
      owner: 42,
      side: Ask,
      price: 100,
      size: 5,
      postOnly: true,
    },
  );
  assert.equal(engine.book.readOrder(1, view), false);
});

test('A handler that gives a command in the midst of one is a bug', () => {
  const { engine, recorder } = build();
  recorder.onEvent = () => engine.cancel(1);
  assert.throws(() => engine.submitLimit(1, 1, Bid, 1, 1, GTC), InvariantError);
});
