/**
 * The contract as another language sees it: a Python client made from schemas/*.fbs and
 * schemas/README.md alone rebuilds the books, hash equal at every message. Here on a feed that does
 * wrong on request; on a whole node in test/client/live-node.test.ts. Skipped, loudly, where there is
 * no Python with flatbuffers or no flatc.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { FakeFeed } from '../support/fake-feed.js';
import { pythonMissing, runPythonClient } from '../support/python-client.js';

const BTC = 'binance-futures:BTCUSDT';
const KINDS = 'BookSnapshot BookDelta Bbo Trades Status Context Heartbeat'.split(' ');
const missing = pythonMissing();
if (missing !== null) console.error(`PYTHON CLIENT TESTS SKIPPED: ${missing}`);

async function setUp(t: TestContext): Promise<FakeFeed | null> {
  if (missing !== null) {
    t.skip(missing);
    return null;
  }
  const feed = new FakeFeed({ instruments: 2, levels: 300, heartbeatMs: 100 });
  feed.messages.snapshotPartLevels = 128;
  await feed.listen();
  feed.run(5, 10);
  t.after(() => feed.stop());
  return feed;
}

test('Python client: rebuilds books from the schema alone, hash equal at every message', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  const disturbance = setInterval(() => {
    const instrument = feed.instrument(BTC);
    feed.foldedTick(instrument, 5);
    feed.setState(instrument, BookState.Suspect, StateReason.Gap);
    feed.realign(instrument);
    feed.setState(instrument, BookState.Live, StateReason.Aligned);
  }, 150);
  t.after(() => clearInterval(disturbance));
  const { code, summary, err } = await runPythonClient(feed.url, BTC, 2_500);
  assert.equal(code, 0, err);
  const { messages, hashes, levelsMost, streams, marks } = summary!;
  for (const kind of KINDS) {
    assert.ok((messages[kind] ?? 0) > 0, `messages of kind ${kind} were read`);
  }
  assert.ok(hashes.checked > 1_000, `${hashes.checked} hashes were compared`);
  assert.ok(hashes.recomputed > 5 && hashes.amid > 0);
  assert.ok(levelsMost > 200);
  assert.equal(Object.keys(streams).length, 6);
  assert.ok(marks > 10, `${marks} contexts had a mark price`);
});

test('Python client: a wrong hash is found', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  feed.onSent(`book|${BTC}`, 200, () => feed.messages.falsifyNext.add(BTC));
  const { code, err } = await runPythonClient(feed.url, BTC, 5_000);
  assert.equal(code, 1);
  assert.match(err, /hash [0-9a-f]{16} here, [0-9a-f]{16} there/);
});

test('Python client: a lost message is found', async (t) => {
  const feed = await setUp(t);
  if (feed === null) return;
  feed.onSent(`book|${BTC}`, 200, () => feed.dropNext.add(`book|${BTC}`));
  const { code, err } = await runPythonClient(feed.url, BTC, 5_000);
  assert.equal(code, 1);
  assert.match(err, /not as promised: (book: \d+ is missing|a heartbeat is never behind)/);
});
