/** `POST /info`: what the venue's own server told is passed on as it is; what nobody told is not made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntheticBlock } from '../../support/synthetic-node.js';
import { ApiRoom } from './api-room.js';

const META =
  '{"universe":[{"szDecimals":4,"name":"ETH","maxLeverage":25},{"szDecimals":1,"name":"MATIC",' +
  '"isDelisted":true,"maxLeverage":20},{"szDecimals":5,"name":"BTC","maxLeverage":40}],"marginTables":[[56,{}]]}';
const DEX_META = '{"universe":[{"szDecimals":2,"name":"xyz:GOLD","maxLeverage":10}]}';
const SPOT =
  '{"tokens":[{"name":"USDC","index":0,"szDecimals":8}],"universe":[{"name":"@1","tokens":[1,0],"index":1}]}';
const DEXES = '[null,{"name":"xyz","fullName":"XYZ"}]';
const KNOWN = new Map([
  ['meta', META],
  ['meta:xyz', DEX_META],
  ['spotMeta', SPOT],
  ['perpDexs', DEXES],
]);

const bodyOf = async (room: ApiRoom, request: unknown): Promise<string> => {
  const body = new TextEncoder().encode(JSON.stringify(request));
  const { body: told } = await room.server.request({ path: '/info', method: 'POST', body });
  return String(told);
};

test('Info: what the venue told is served as it wrote it, with contexts in the order of its universe', async () => {
  const room = await ApiRoom.open({ awaitsInfo: true });
  room.rig.agent.onVenueInfo(KNOWN);
  assert.equal(await bodyOf(room, { type: 'meta' }), META);
  assert.equal(await bodyOf(room, { type: 'meta', dex: '' }), META);
  assert.equal(await bodyOf(room, { type: 'meta', dex: 'xyz' }), DEX_META);
  assert.equal(await bodyOf(room, { type: 'spotMeta' }), SPOT);
  assert.equal(await bodyOf(room, { type: 'perpDexs' }), DEXES);
  assert.equal(await bodyOf(room, { type: 'allPerpMetas' }), `[${META},${DEX_META}]`);
  const [, told] = await room.info({ type: 'metaAndAssetCtxs' });
  const [meta, contexts] = told as [unknown, { midPx: string | null; markPx: null }[]];
  assert.deepEqual(meta, JSON.parse(META));
  assert.deepEqual(
    contexts.map(({ midPx }) => midPx),
    ['100.5', null, '100.5'],
  );
  assert.equal(contexts[0]!.markPx, null, 'the oracle is not known here');
  const [, spot] = await room.info({ type: 'spotMetaAndAssetCtxs' });
  assert.deepEqual(
    (spot as [unknown, { coin: string }[]])[1].map(({ coin }) => coin),
    ['@1'],
  );
  // A later answer takes the place of the earlier one.
  room.rig.agent.onVenueInfo(new Map([['perpDexs', '[null]']]));
  assert.equal(await bodyOf(room, { type: 'perpDexs' }), '[null]');
  assert.equal(await bodyOf(room, { type: 'meta' }), META);
});

test('Info: while the venue has not told, its documents are refused, and books are served', async () => {
  const room = await ApiRoom.open({ awaitsInfo: true });
  for (const type of ['meta', 'spotMeta', 'perpDexs', 'metaAndAssetCtxs', 'allPerpMetas']) {
    const [status, message] = await room.info({ type });
    assert.equal(status, 422);
    assert.match(String(message), /has not told of this yet/);
  }
  assert.equal((await room.info({ type: 'l2Book', coin: 'BTC' }))[0], 200);
  room.rig.agent.onVenueInfo(new Map([['meta', META]]));
  assert.equal((await room.info({ type: 'meta' }))[0], 200);
  assert.equal((await room.info({ type: 'meta', dex: 'nope' }))[0], 422);
});

test('Info: without a server to ask, documents are derived from what is followed', async () => {
  const room = await ApiRoom.open();
  room.rig.append(syntheticBlock(1, 'BTC'));
  room.settle();
  const [, meta] = await room.info({ type: 'meta' });
  assert.deepEqual(
    (meta as { universe: { name: string }[] }).universe.map(({ name }) => name),
    ['BTC', 'ETH'],
  );
  assert.deepEqual(await room.info({ type: 'perpDexs' }), [200, [null]]);
  assert.deepEqual(await room.info({ type: 'exchangeStatus' }), [
    200,
    { time: Date.UTC(2026, 4, 5, 17) + 100, specialStatuses: null },
  ]);
  assert.deepEqual(await room.info({ type: 'allMids', dex: '' }), [
    200,
    { BTC: '100.5', ETH: '100.5' },
  ]);
  assert.deepEqual(await room.info({ type: 'allMids', dex: 'xyz' }), [200, {}]);
  const [, spot] = await room.info({ type: 'spotMeta' });
  assert.deepEqual((spot as { universe: unknown[] }).universe, []);
});
