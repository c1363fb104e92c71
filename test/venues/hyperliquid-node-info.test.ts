/** What the info server says of its markets: taken as text if it agrees with what is followed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeInstrument } from '../../src/venues/hyperliquid-node/coins.js';
import { askAboutMarkets } from '../../src/venues/hyperliquid-node/venue-info.js';

const META = {
  universe: [
    { name: 'BTC', szDecimals: 5, maxLeverage: 40 },
    { name: 'ETH', szDecimals: 4 },
  ],
};
const SPOT = {
  tokens: [
    { name: 'USDC', index: 0, szDecimals: 8 },
    { name: 'HYPE', index: 150, szDecimals: 2 },
  ],
  universe: [{ name: '@107', tokens: [150, 0], index: 107 }],
};
const ANSWERS: Readonly<Record<string, unknown>> = {
  meta: META,
  spotMeta: SPOT,
  perpDexs: [null, { name: 'xyz' }, { name: 'abc' }],
  'meta:xyz': { universe: [{ name: 'xyz:GOLD', szDecimals: 3 }] },
  'meta:abc': { universe: [] },
};
const FOLLOWED = [
  nodeInstrument('BTC', 0, 5),
  nodeInstrument('@107', 1, 2),
  nodeInstrument('xyz:GOLD', 2, 3),
  // Its decimals are not known: it takes the widest.
  nodeInstrument('ETH', 3, null),
];

/** What is kept and refused of these answers; undefined is no answer. */
async function outcome(changed: Readonly<Record<string, unknown>>) {
  const { answers, refusals } = await askAboutMarkets(
    async ({ url, body }) => {
      assert.equal(url, 'http://node:3001/info');
      const { type, dex } = JSON.parse(body ?? '') as { type: string; dex?: string };
      const key = dex === undefined ? type : `${type}:${dex}`;
      const answer = key in changed ? changed[key] : ANSWERS[key];
      if (answer === undefined) throw new Error('status 422');
      return typeof answer === 'string' ? answer : JSON.stringify(answer);
    },
    'http://node:3001/',
    FOLLOWED,
  );
  return { keys: [...answers.keys()], refusals, answers };
}

const ALL = ['meta', 'spotMeta', 'perpDexs', 'meta:xyz', 'meta:abc'];

test('Market info: every document is kept as it was written', async () => {
  const { keys, refusals, answers } = await outcome({});
  assert.deepEqual(keys, ALL);
  assert.deepEqual(refusals, []);
  assert.equal(answers.get('meta'), JSON.stringify(META));
});

const CASES: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp, string[]])[] = [
  ['no answer', { meta: undefined }, /^meta: status 422$/, ['meta']],
  ['no JSON', { spotMeta: '<html>' }, /^spotMeta: /, ['spotMeta']],
  ['another shape', { meta: [] }, /^meta: it has no universe$/, ['meta']],
  ['entries that are none', { meta: { universe: [null] } }, /no universe/, ['meta']],
  ['no tokens', { spotMeta: { universe: [] } }, /no tokens/, ['spotMeta']],
  [
    'a coin less',
    { meta: { universe: [META.universe[0]] } },
    /^meta: ETH, which is followed/,
    ['meta'],
  ],
  [
    'other decimals',
    { meta: { universe: [{ name: 'BTC', szDecimals: 4 }, META.universe[1]] } },
    /^meta: szDecimals of BTC is 4, and was 5 at the start$/,
    ['meta'],
  ],
  [
    'a pair without its token',
    { spotMeta: { ...SPOT, tokens: [SPOT.tokens[0]] } },
    /^spotMeta: @107, which is followed, is not in it$/,
    ['spotMeta'],
  ],
  [
    'other decimals of a builder',
    { 'meta:xyz': { universe: [{ name: 'xyz:GOLD', szDecimals: 1 }] } },
    /^meta:xyz: szDecimals/,
    ['meta:xyz'],
  ],
  [
    'no list of exchanges',
    { perpDexs: {} },
    /^perpDexs: it is no list$/,
    ['perpDexs', 'meta:xyz', 'meta:abc'],
  ],
];

for (const [what, changed, why, missing] of CASES) {
  test(`Market info: with ${what}, that document is refused and the others are kept`, async () => {
    const { keys, refusals } = await outcome(changed);
    assert.deepEqual(
      keys,
      ALL.filter((key) => !missing.includes(key)),
    );
    assert.equal(refusals.length, 1);
    assert.match(refusals[0]!, why);
  });
}
