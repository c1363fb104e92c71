import assert from 'node:assert/strict';
import test from 'node:test';
import { comparisonText, gainOf, rowKey } from '../../bench/compare.js';
import { row } from '../../bench/harness.js';
import type { RowInput } from '../../bench/harness.js';

const made = (input: Partial<RowInput>) =>
  row({ part: 'P', case: 'c', unit: 'ns', ours: 10, ...input });

test('gainOf: compares ratios where there is a rival, costs and rates in their own direction', () => {
  const rival = { rival: 'them', rivalNs: 100 };
  assert.equal(gainOf(made({ ours: 20, ...rival, rivalNs: 200 }), made(rival)), 1);
  assert.equal(gainOf(made({ ours: 20, ...rival }), made(rival)), 0.5);
  assert.equal(gainOf(made({ ours: 5 }), made({})), 2);
  assert.equal(
    gainOf(made({ ours: 5, higherIsBetter: true }), made({ higherIsBetter: true })),
    0.5,
  );
  assert.equal(gainOf(made({ ours: 0 }), made({ ours: 0 })), 1, 'nothing is as good as nothing');
  assert.equal(gainOf(made({ ours: 3 }), made({ ours: 0 })), 0, 'one is infinitely worse');
  assert.equal(gainOf(made({ ours: NaN }), made({ ours: 1 })), null);
});

test('comparisonText: names what became worse, worst first, what better, and rows that are gone', () => {
  const before = new Map(
    ['slow', 'slower', 'fast', 'same', 'gone'].map((name) => {
      const earlier = made({ case: name });
      return [rowKey('bench', earlier), earlier] as const;
    }),
  );
  const rows = [
    made({ case: 'slow', ours: 20 }),
    made({ case: 'slower', ours: 40 }),
    made({ case: 'fast', ours: 2 }),
    made({ case: 'same', ours: 10.5 }),
    made({ case: 'new' }),
  ];
  const text = comparisonText([{ name: 'bench', rows }], before);
  const at = (part: string): number => {
    assert.ok(text.includes(part), `${part} in ${text}`);
    return text.indexOf(part);
  };
  at('4 rows compared');
  const order = ['WORSE', 'bench: slower: 10.0 → 40.0 ns', 'bench: slow: 10.0 → 20.0 ns', 'BETTER'];
  order.push('bench: fast: 10.0 → 2.00 ns', 'MISSING NOW', 'bench|P|gone|');
  const places = order.map(at);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok(!text.includes('bench: same') && !text.includes('bench: new'));
});
