/** Exact decimals: what is read is what is written, digit by digit; the byte scanner against it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import { formatExactDecimal, parseExactDecimal } from '../../src/domain/exact-decimal.js';
import { FaultError } from '../../src/faults/fault.js';
import { scanExactDecimal } from '../../src/venues/context-scan.js';

function parsed(text: string): number[] | string {
  const out = new Float64Array(5).fill(7);
  try {
    parseExactDecimal(text, out, 1);
  } catch (error) {
    assert.ok(error instanceof FaultError);
    assert.deepEqual([...out], [7, 7, 7, 7, 7], 'nothing is written of what is refused');
    return error.code;
  }
  return [...out.subarray(1, 4)];
}

test('Exact decimal: a captured volume of twenty digits is held whole', () => {
  assert.deepEqual(parsed('4161029539.6949653625'), [4161029539, 6949653625, 10]);
  assert.equal(formatExactDecimal(4161029539, 6949653625, 10), '4161029539.6949653625');
});

test('Exact decimal: the sign stands in both parts, and there is no negative zero', () => {
  assert.deepEqual(parsed('-0.0006413454'), [0, -6413454, 10]);
  assert.equal(formatExactDecimal(0, -6413454, 10), '-0.0006413454');
  assert.deepEqual(parsed('-1.05'), [-1, -5, 2]);
  assert.equal(formatExactDecimal(-1, -5, 2), '-1.05');
  const [whole, fraction] = parsed('-0.0') as number[];
  assert.ok(Object.is(whole, 0) && Object.is(fraction, 0));
});

test('Exact decimal: what has too many digits, or is no decimal, is refused', () => {
  const nines = '9'.repeat(15);
  assert.deepEqual(parsed(`${nines}.${nines}`), [999999999999999, 999999999999999, 15]);
  assert.deepEqual(parsed(`000${nines}.${nines}000`), [999999999999999, 999999999999999, 15]);
  assert.equal(parsed(`1${nines}`), 'FRAME_PRECISION');
  assert.equal(parsed(`0.${nines}1`), 'FRAME_PRECISION');
  for (const text of ['', '-', '.5', '1e5', '+1', ' 1', '1 ', 'NaN', '0x1', '1.2.3', '--1']) {
    assert.equal(parsed(text), 'FRAME_MALFORMED', text);
  }
});

test('Exact decimal: any decimal of at most fifteen digits a side comes back as it was written', () => {
  const digits = fc.stringMatching(/^(0|[1-9]\d{0,14})$/);
  const places = fc.stringMatching(/^\d{0,15}$/);
  fc.assert(
    fc.property(fc.constantFrom('', '-'), digits, places, (sign, whole, fraction) => {
      const text = `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
      const [w, f, p] = parsed(text) as number[];
      const isZero = /^-?[0.]+$/.test(text);
      assert.equal(formatExactDecimal(w!, f!, p!), isZero ? text.replace('-', '') : text);
    }),
    { numRuns: 2000 },
  );
});

test('Exact decimal: what the byte scanner takes, it reads as the text is read', () => {
  const text = fc.oneof(
    fc.stringMatching(/^-?\d{1,16}(\.\d{0,17})?$/),
    fc.stringMatching(/^[-.0-9e]{0,8}$/),
  );
  let taken = 0;
  fc.assert(
    fc.property(text, (decimal) => {
      const bytes = Buffer.from(`"${decimal}"999`.padEnd(64, '9'));
      const own = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const out = new Float64Array(3);
      const stop = scanExactDecimal(own, 1, out, 0);
      if (stop < 0) return;
      taken++;
      assert.equal(stop, 1 + decimal.length);
      assert.deepEqual([...out], parsed(decimal));
    }),
    { numRuns: 3000 },
  );
  assert.ok(taken > 1000, `${taken} were taken`);
});
