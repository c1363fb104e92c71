/** The simulated market as a market: instruments, depth, never crossed, alive at any rate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Side } from '../../src/domain/side.js';
import { Exchange } from '../../src/simulator/exchange.js';
import { marketSpecs } from '../../src/simulator/market-specs.js';
import { LEVELS_COUNT_MAX } from '../../src/simulator/simulator-limits.js';
import { simulatedVenueRig } from '../support/simulated-venue-rig.js';

function run(seed: number, markets: number, updates: number) {
  const exchange = new Exchange({
    specs: marketSpecs(markets),
    seed,
    ratePerSecond: 10_000,
    startNs: 0,
    truthWindow: 64,
  });
  const trades = new Float64Array(markets);
  exchange.listener = {
    onCommand(market) {
      trades[market.index]! += market.command.tradesCount;
      const { bidPrice, askPrice } = market;
      if (!(bidPrice > 0 && bidPrice < askPrice))
        assert.fail(`crossed or empty: ${market.spec.symbol}`);
    },
  };
  // In turns shorter than the lag at which the exchange would leave time out.
  const endNs = (updates / 10_000) * 1e9;
  for (let nowNs = 0; nowNs <= endNs; nowNs += 100e6) exchange.runUntil(nowNs, Infinity);
  return { exchange, trades };
}

test('There are 24 instruments by default, over many scales of price, tick and lot', () => {
  const specs = marketSpecs();
  assert.ok(specs.length >= 20);
  assert.equal(new Set(specs.map((spec) => spec.symbol)).size, specs.length);
  const prices = specs.map((spec) => spec.openingPrice / 10 ** spec.priceDecimals);
  assert.ok(Math.min(...prices) < 0.01 && Math.max(...prices) >= 60_000);
  assert.ok(new Set(specs.map((spec) => `${spec.priceDecimals}/${spec.sizeDecimals}`)).size >= 8);
  for (const spec of specs) {
    assert.equal(spec.openingPrice % spec.tickSize, 0, spec.symbol);
    assert.ok(spec.openingPrice / spec.tickSize > 500, `${spec.symbol} has room below its price`);
  }
  assert.equal(marketSpecs(100).length, 100);
  assert.equal(new Set(marketSpecs(1000).map((spec) => spec.symbol)).size, 1000);
});

test('No two symbols differ in a single bit: a flipped one names nobody', () => {
  const symbols = marketSpecs(30).map((spec) => spec.symbol);
  for (const a of symbols) {
    for (const b of symbols) {
      if (a === b || a.length !== b.length) continue;
      let bits = 0;
      for (let i = 0; i < a.length; i++) {
        for (let x = a.charCodeAt(i) ^ b.charCodeAt(i); x > 0; x >>= 1) bits += x & 1;
      }
      assert.ok(bits > 1, `${a} and ${b}`);
    }
  }
});

test('Markets keep deep, uncrossed books, and trade, over many updates', () => {
  for (const seed of [1, 77]) {
    const { exchange, trades } = run(seed, 24, 60_000);
    assert.ok(exchange.updatesCount > 58_000 && exchange.updatesCount < 62_000);
    for (const market of exchange.markets) {
      const { bids, asks } = market.engine.book;
      for (const levels of [bids, asks]) {
        assert.ok(levels.count > market.spec.levelsTarget * 0.5, `${market.spec.symbol} is deep`);
        assert.ok(levels.count <= LEVELS_COUNT_MAX);
      }
      assert.ok(trades[market.index]! > 0, `${market.spec.symbol} trades`);
      const spreadTicks = (market.askPrice - market.bidPrice) / market.spec.tickSize;
      assert.ok(spreadTicks < 30, `${market.spec.symbol}: ${spreadTicks} ticks`);
    }
    const [bitcoin] = exchange.markets;
    assert.notEqual(bitcoin!.bidPrice, bitcoin!.spec.openingPrice);
  }
});

test('A book never has more levels than a snapshot can hold', () => {
  const [spec] = marketSpecs(1);
  const exchange = new Exchange({
    specs: [{ ...spec!, levelsTarget: 5000 }],
    seed: 3,
    ratePerSecond: 10_000,
    startNs: 0,
    truthWindow: 64,
  });
  let most = 0;
  exchange.listener = {
    onCommand({ engine }) {
      most = Math.max(most, engine.book.sideOf(Side.Bid).count, engine.book.sideOf(Side.Ask).count);
    },
  };
  for (let nowNs = 0; nowNs <= 4e9; nowNs += 100e6) exchange.runUntil(nowNs, Infinity);
  assert.ok(most > LEVELS_COUNT_MAX * 0.9 && most <= LEVELS_COUNT_MAX, String(most));
});

test('The rate is what was asked for, can be changed while running, and 0 is silence', () => {
  const rig = simulatedVenueRig({ ratePerSecond: 500 });
  const { exchange } = rig.venue;
  const updatesIn = (milliseconds: number): number => {
    const before = exchange.updatesCount;
    rig.advance(milliseconds);
    return exchange.updatesCount - before;
  };
  assert.ok(Math.abs(updatesIn(4000) - 2000) < 250);
  exchange.setRate(20_000);
  assert.ok(Math.abs(updatesIn(1000) - 20_000) < 1500);
  exchange.setRate(0);
  assert.equal(updatesIn(5000), 0);
  exchange.setRate(500);
  assert.ok(Math.abs(updatesIn(4000) - 2000) < 250);
  assert.equal(exchange.skippedNs, 0);
});

test('Truth is kept for a window of update ids, and answers null beyond it', () => {
  const rig = simulatedVenueRig({ markets: 1, truthWindow: 256 });
  const market = rig.venue.exchange.markets[0]!;
  const early = market.lastUpdateId;
  assert.ok(rig.truth.hashAt('BTCUSDT', early) !== null);
  rig.advance(1000);
  const { lastUpdateId } = market;
  const truth = rig.truth.at('BTCUSDT', lastUpdateId);
  assert.equal(truth?.bidPrice, rig.truth.book('BTCUSDT').bids[0]);
  assert.equal(rig.truth.compare(0, lastUpdateId, truth!.hashLow, truth!.hashHigh), 1);
  assert.equal(rig.truth.compare(0, lastUpdateId, truth!.hashLow ^ 1, truth!.hashHigh), 0);
  assert.equal(rig.truth.compare(0, lastUpdateId + 1, 0, 0), -1);
  assert.equal(rig.truth.at('BTCUSDT', early), null);
  assert.ok(rig.truth.at('BTCUSDT', market.truth.oldestUpdateId) !== null);
  assert.throws(() => rig.truth.at('NOUSDT', 1), /no market/);
});
