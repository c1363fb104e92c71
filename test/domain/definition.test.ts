/** What a venue may change of an instrument, and what becomes of it here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDecimal } from '../../src/domain/decimal.js';
import {
  DEFINITION_DOUBLES,
  Trading,
  definedBy,
  isSameDefinition,
  redefined,
  tradingName,
  writeDefinition,
} from '../../src/domain/definition.js';
import type { Definition } from '../../src/domain/definition.js';
import type { Instrument } from '../../src/domain/instrument.js';

const INSTRUMENT: Instrument = {
  id: 3,
  venue: 'test',
  symbol: 'ABC',
  name: 'test:ABC',
  base: 'A',
  quote: 'C',
  kind: 'perpetual',
  priceDecimals: 2,
  sizeDecimals: 3,
  tickSize: 10,
  lotSize: 1,
  priceSignificantFigures: 0,
  trading: Trading.Trading,
};

const definition = (decimalsMax: number): fc.Arbitrary<Definition> =>
  fc.record({
    priceDecimals: fc.nat(decimalsMax),
    sizeDecimals: fc.nat(decimalsMax),
    tickSize: fc.nat(1000),
    lotSize: fc.nat(1000),
    priceSignificantFigures: fc.constantFrom(0, 5),
    trading: fc.constantFrom(Trading.Unknown, Trading.Trading, Trading.Halted, Trading.Delisted),
  });

/** As text, without zeros at the end. */
const plain = (mantissa: number, decimals: number): string =>
  formatDecimal(mantissa, decimals)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');

test('redefined: steps are the venue’s to the digit, decimals only grow, unless they may shrink', () => {
  fc.assert(
    fc.property(definition(8), definition(8), fc.boolean(), (before, told, mayNarrow) => {
      const after = redefined({ ...INSTRUMENT, ...before }, told, mayNarrow)!;
      assert.equal(
        plain(after.tickSize, after.priceDecimals),
        plain(told.tickSize, told.priceDecimals),
      );
      assert.equal(
        plain(after.lotSize, after.sizeDecimals),
        plain(told.lotSize, told.sizeDecimals),
      );
      assert.equal(after.trading, told.trading);
      assert.equal(after.priceSignificantFigures, told.priceSignificantFigures);
      const least = mayNarrow ? 0 : before.priceDecimals;
      assert.equal(after.priceDecimals, Math.max(least, told.priceDecimals));
      assert.equal(after.name, INSTRUMENT.name);
      // Told the same again it is the very same object: nothing is announced twice.
      assert.equal(redefined(after, told, mayNarrow), after);
    }),
  );
});

test('redefined: a tick that goes finer and comes back leaves the scale where it was needed', () => {
  const finer = redefined(INSTRUMENT, { ...INSTRUMENT, priceDecimals: 3, tickSize: 1 }, false)!;
  assert.deepEqual([finer.priceDecimals, finer.tickSize], [3, 1]);
  const back = redefined(finer, INSTRUMENT, false)!;
  assert.deepEqual([back.priceDecimals, back.tickSize], [3, 100]);
});

test('redefined: what no price could be said with is refused', () => {
  const told = (changes: Partial<Definition>): Instrument | null =>
    redefined(INSTRUMENT, { ...INSTRUMENT, ...changes }, false);
  assert.equal(told({ priceDecimals: 19 }), null);
  assert.equal(told({ sizeDecimals: 30 }), null);
  assert.equal(told({ priceDecimals: 0, tickSize: 2 ** 53 - 1 }), null);
});

test('Definition: what is written down is read back; the same again is the same object', () => {
  const doubles = new Float64Array(DEFINITION_DOUBLES + 2);
  fc.assert(
    fc.property(definition(18), (told) => {
      writeDefinition(told, doubles, 2);
      const read = definedBy(INSTRUMENT, doubles, 2);
      assert.ok(isSameDefinition(read, told));
      assert.equal(read.id, INSTRUMENT.id);
      assert.equal(definedBy(read, doubles, 2), read);
    }),
  );
});

test('Trading: a word that this version does not know is Unknown', () => {
  assert.deepEqual([0, 1, 2, 3, 9].map(tradingName), [
    'Unknown',
    'Trading',
    'Halted',
    'Delisted',
    'Unknown',
  ]);
});
