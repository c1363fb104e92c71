/** Numbers as text for people. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentText } from '../../src/client/display-text.js';

test('percentText: a rate is shown as per cent without losing a digit', () => {
  const cases = {
    '0.0000018952': '0.00018952 %',
    '-0.00038167': '-0.038167 %',
    '0.0001': '0.01 %',
    '0.00010000': '0.01 %',
    '1.5': '150 %',
    '0': '0 %',
    '-0.1': '-10 %',
    '12': '1200 %',
  };
  for (const [text, shown] of Object.entries(cases)) assert.equal(percentText(text), shown, text);
});
