/** What comes of asking the venue for its instruments again: who changed, who is gone, who is new. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trading } from '../../src/domain/definition.js';
import { InstrumentReloader } from '../../src/node/instrument-reloader.js';
import type { InstrumentsAnswer } from '../../src/node/load-instruments.js';
import {
  DefinitionReader,
  DefinitionWriter,
  createDefinitionTable,
} from '../../src/rings/definition-table.js';
import { exchangeInfoBody } from '../../src/simulator/binance-futures-rest.js';
import { marketSpecs } from '../../src/simulator/market-specs.js';
import type { MarketSpec } from '../../src/simulator/market-specs.js';
import { venueById } from '../../src/venues/registry.js';

const VENUE = venueById('binance-futures', {});
const SPECS = marketSpecs(3);
const ETH = 1;

function rig(symbols: readonly string[] | 'all' = 'all') {
  const instruments = VENUE.readInstruments(exchangeInfoBody(SPECS, 0), 'all', 0);
  const table = createDefinitionTable(instruments);
  const lines: string[] = [];
  const note = (event: string, message: string): void => {
    lines.push(`${event}: ${message}`);
  };
  let answer: InstrumentsAnswer | Error = new Error('nothing was arranged');
  const definitions = new DefinitionReader(table);
  const reloader = new InstrumentReloader({
    venue: VENUE,
    symbols,
    everyMs: 1_000,
    instruments,
    definitions,
    request: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
    unixMs: () => 0,
    log: { info: note, warn: note },
  });
  const writer = new DefinitionWriter(table);
  return {
    reloader,
    lines,
    now: (id: number) => definitions.read(instruments[id]!),
    /** Asks; the venue answers with these markets. What changed is taken, as the ingest thread would. */
    ask: async (specs: readonly MarketSpec[], doubted: readonly number[] = []) => {
      answer = {
        status: 200,
        headers: { 'x-mbx-used-weight-1m': '7' },
        body: exchangeInfoBody(specs, 0),
      };
      const told = await reloader.ask(doubted);
      assert.equal(told.outcome, 'told');
      if (told.outcome !== 'told') throw new Error('unreachable');
      for (const instrument of told.changed) writer.write(instrument.id, instrument);
      return told;
    },
    fail: (given: InstrumentsAnswer | Error) => {
      answer = given;
      return reloader.ask([ETH]);
    },
  };
}

const finer = (spec: MarketSpec): MarketSpec => ({
  ...spec,
  priceDecimals: spec.priceDecimals + 1,
  openingPrice: spec.openingPrice * 10,
});
const withEth = (change: (spec: MarketSpec) => MarketSpec): MarketSpec[] =>
  SPECS.map((spec, index) => (index === ETH ? change(spec) : spec));

test('InstrumentReloader: nothing changed, nothing told; the weight that the venue counts is', async () => {
  const { ask, lines, reloader } = rig();
  assert.deepEqual(await ask(SPECS), { outcome: 'told', changed: [], usedWeight: 7 });
  assert.deepEqual(lines, []);
  assert.deepEqual(reloader.plan, { everyMs: 1_000, weight: 1 });
});

test('InstrumentReloader: a finer tick is taken with its scale, and told once', async () => {
  const { ask, lines, now } = rig();
  const { changed } = await ask(withEth(finer), [ETH]);
  assert.deepEqual(
    changed.map(({ id, priceDecimals, tickSize }) => [id, priceDecimals, tickSize]),
    [[ETH, 3, 1]],
  );
  assert.equal(now(ETH).priceDecimals, 3);
  assert.equal((await ask(withEth(finer))).changed.length, 0);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^instrument.redefined: .*ETHUSDT is tick 0\.001.*its book begins anew$/);
});

test('InstrumentReloader: a venue that goes back keeps our scale, unless numbers do not fit it', async () => {
  const { ask, now } = rig();
  await ask(withEth(finer));
  await ask(SPECS);
  assert.deepEqual([now(ETH).priceDecimals, now(ETH).tickSize], [3, 10]);
  await ask(SPECS, [ETH]);
  assert.equal(now(ETH).priceDecimals, 3, 'one doubt may be a broken frame');
  await ask(SPECS, [ETH]);
  assert.deepEqual([now(ETH).priceDecimals, now(ETH).tickSize], [2, 1], 'a second one is not');
});

test('InstrumentReloader: a halted market says so; one that is not listed any more is delisted', async () => {
  const { ask, now } = rig();
  await ask(withEth((spec) => ({ ...spec, halted: 'SETTLING' })));
  assert.equal(now(ETH).trading, Trading.Halted);
  await ask(SPECS.filter((_, index) => index !== ETH));
  assert.equal(now(ETH).trading, Trading.Delisted);
  assert.equal(now(0).trading, Trading.Trading);
  await ask(SPECS);
  assert.equal(now(ETH).trading, Trading.Trading);
});

test('InstrumentReloader: a new listing is told once, where all were asked for', async () => {
  const all = rig();
  await all.ask(marketSpecs(5));
  await all.ask(marketSpecs(5));
  assert.equal(all.lines.length, 1);
  assert.match(all.lines[0]!, /^instruments.unserved: .*: BNBUSDT, XRPUSDT$/);
  const some = rig(['BTCUSDT']);
  await some.ask(marketSpecs(5));
  assert.deepEqual(some.lines, []);
});

test('InstrumentReloader: refusals, silence and nonsense are failures, and change nothing', async () => {
  const { fail, now, lines } = rig();
  const failed = (retryAfterMs: number) => ({ outcome: 'failed', retryAfterMs });
  const answer = (status: number, body = '', headers = {}) => ({ status, headers, body });
  assert.deepEqual(await fail(new Error('ECONNREFUSED')), failed(0));
  assert.deepEqual(await fail(answer(500)), failed(0));
  assert.deepEqual(await fail(answer(429, '', { 'retry-after': '7' })), failed(8_000));
  assert.deepEqual(await fail(answer(418)), failed(600_000));
  assert.deepEqual(await fail(answer(200, 'no JSON')), failed(0));
  assert.deepEqual(await fail(answer(200, '{"symbols":[]}')), failed(0), 'no answer lists nothing');
  const broken = exchangeInfoBody(SPECS, 0).replaceAll('"PRICE_FILTER"', '"OTHER"');
  assert.deepEqual(await fail(answer(200, broken)), failed(0));
  assert.equal(lines.length, 7);
  const absurd = exchangeInfoBody(SPECS, 0).replaceAll(
    '"tickSize":"0.01"',
    `"tickSize":"0.${'0'.repeat(19)}1"`,
  );
  assert.equal((await fail(answer(200, absurd))).outcome, 'told');
  assert.match(lines.at(-1)!, /^instrument.nonsense: .*ETHUSDT/);
  assert.equal(now(ETH).priceDecimals, 2);
});
