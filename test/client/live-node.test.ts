/**
 * The client and the Python client on a whole node: simulated exchange with faults, ingest, books,
 * broadcast, on real threads and sockets.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FeedClient, Side, type LocalBook } from '../../src/client/index.js';
import { BookState } from '../../src/domain/book-state.js';
import { LiveNode } from '../support/live-node.js';
import { until } from '../support/until.js';
import { pythonMissing, runPythonClient } from '../support/python-client.js';

let node: LiveNode | null = null;
let url = '';
before(async () => {
  node = new LiveNode({
    simulator: { instruments: 16, rate: 1500, faults: { drop: 0.004, disconnect: 0.02 } },
  });
  await node.start();
  url = `ws://127.0.0.1:${node.node.endpoints.port}`;
});
after(() => node?.stop());

/** Levels of a full book that a view of that depth would hold. */
function top(book: LocalBook, depth: number): string {
  const levels = [Side.Bid, Side.Ask].map((side) => book.levels(side, depth));
  return JSON.stringify(levels);
}

test('FeedClient on a node: full books, views and resyncs under faults, no hash differs', async (t) => {
  const client = new FeedClient({ url });
  t.after(() => client.close());
  const names = (await client.instruments()).map(({ instrument }) => instrument);
  assert.equal(names.length, 16);
  const books = names.map((name) => client.book(name, { mode: 'lossless' }));
  const views = names.map((name) => client.book(name, { depth: 5 }));
  const states = new Set<number>();
  for (const book of books) book.on(({ state }) => states.add(state));
  await until(() => client.counters.hash.passed > 800, 'many messages have come');
  await until(() => states.has(BookState.Suspect), 'a fault has struck');
  await until(() => [...books, ...views].every(({ book }) => book.isLive), 'all are Live again');
  const { hash, gaps, malformed, unclaimed } = client.counters;
  assert.deepEqual(
    { failed: hash.failed, gaps, malformed, unclaimed },
    { failed: 0, gaps: 0, malformed: 0, unclaimed: 0 },
  );
  assert.equal(hash.checked, hash.passed);
  // In one turn nothing moves: where both stand for the same venue update, they show the same.
  await until(() => {
    const same = books.filter(({ book }, i) => book.venueSequence === views[i]!.book.venueSequence);
    return same.length > 0;
  }, 'a book and its view stand for the same update');
  books.forEach(({ book }, i) => {
    const view = views[i]!.book;
    if (book.venueSequence === view.venueSequence) assert.equal(top(book, 5), top(view, 5));
  });
});

test('FeedClient on a node: a connection that breaks is resumed without a hole', async (t) => {
  const sockets: { terminate(): void }[] = [];
  const { WebSocket } = await import('ws');
  class Breakable extends WebSocket {
    constructor(address: string) {
      super(address, { perMessageDeflate: false });
      sockets.push(this);
    }
  }
  const client = new FeedClient({ url, webSocket: Breakable, backOffMsMax: 60 });
  t.after(() => client.close());
  const [first] = await client.instruments();
  const book = client.book(first!.instrument, { mode: 'lossless' });
  const trades = client.trades(first!.instrument);
  await until(() => book.book.isLive && trades.latest !== null, 'both streams flow');
  for (let round = 1; round <= 5; round++) {
    const { resumes } = client.counters;
    sockets.at(-1)!.terminate();
    await until(() => client.counters.resumes >= resumes + 1, 'a stream is resumed');
    const before = book.book.sequence;
    await until(() => book.book.sequence > before, 'the book moves on');
  }
  assert.equal(client.counters.gaps, 0);
  assert.equal(client.counters.hash.failed, 0);
  assert.equal(client.counters.connects, 6);
});

test('Python client on a node: rebuilds both books, hash equal at every message', async (t) => {
  const missing = pythonMissing();
  if (missing !== null) {
    console.error(`PYTHON CLIENT TEST SKIPPED: ${missing}`);
    t.skip(missing);
    return;
  }
  const { instrument } = node!.node.health.books()[0]!;
  const { code, summary, err } = await runPythonClient(url, instrument, 600);
  assert.equal(code, 0, err);
  assert.ok(summary !== null && summary.hashes.checked > 40, JSON.stringify(summary));
});
