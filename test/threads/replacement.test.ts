/** Threads that fail are replaced, and nobody else notices. Real workers, real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { BBO_ROW_DOUBLES, BboRow } from '../../src/books/bbo-row.js';
import { BookState } from '../../src/domain/book-state.js';
import { markOrphanedBooks } from '../../src/node/orphaned-books.js';
import { SeqlockReader } from '../../src/rings/seqlock.js';
import { BooksColumn, BOOKS_COLUMNS } from '../../src/books/books-counters.js';
import { LIMITS } from '../../src/node/limits.js';
import { CounterTable } from '../../src/rings/counters.js';
import { LiveNode } from '../support/live-node.js';
import { PATIENCE_MS } from '../support/until.js';
import { createOrders, Harm, order, taken } from './saboteur.js';

const ENTRIES = {
  pool: new URL('./saboteur-pool.js', import.meta.url),
  loop: new URL('./saboteur-loop.js', import.meta.url),
};

/** Past the time in which a young thread may be silent, and the reserve has loaded its code. */
const warmedUp = () => new Promise((resolve) => setTimeout(resolve, LIMITS.warmUpMs + 200));

async function startNode(t: TestContext, threads = {}) {
  const orders = createOrders(8);
  const live = new LiveNode(
    {
      threads: { layout: 'full', workers: 2, heapMb: 64, ...threads },
      simulator: { instruments: 6, rate: 300 },
    },
    { entries: ENTRIES, extra: orders, ringWords: 2 ** 17 },
  );
  t.after(() => live.stop());
  await live.start();
  const table = new CounterTable(live.node.memory.counters['books']!, BOOKS_COLUMNS);
  const rowOf = (thread: string) =>
    live.node.plan.threads.find((plan) => plan.name === thread)!.row;
  const resyncs = (shard: number) =>
    live.node.instruments
      .filter((instrument) => live.node.memory.shardOf[instrument.id] === shard)
      .reduce((sum, instrument) => sum + table.get(instrument.id, BooksColumn.Resyncs), 0);
  const applied = (shard: number) =>
    live.node.instruments
      .filter((instrument) => live.node.memory.shardOf[instrument.id] === shard)
      .reduce((sum, instrument) => sum + table.get(instrument.id, BooksColumn.Applied), 0);
  return { live, orders, rowOf, resyncs, applied };
}

for (const [harm, reason] of [
  ['Throw', 'threw'],
  ['Hang', 'hung'],
  ['EatMemory', 'out-of-memory'],
] as const) {
  test(`Books worker: one that does ${harm} is replaced, its books are Live again, others untouched`, async (t) => {
    // Collecting garbage in vain is no heartbeat either: patience lets the heap limit speak first.
    const patience = harm === 'EatMemory' ? { hangMs: 10_000 } : {};
    const { live, orders, rowOf, resyncs, applied } = await startNode(t, patience);
    const before = { resyncs: resyncs(1), applied: applied(1) };
    if (harm === 'Hang') await warmedUp();
    order(orders, rowOf('books-0'), Harm[harm]);
    await live.until('the worker is replaced', () => live.events('thread.recovered').length === 1);
    const [replaced] = live.events('thread.replaced');
    assert.match(replaced!.msg, new RegExp(`books-0 ${reason}`));
    t.diagnostic(`${harm}: works again after ${live.events('thread.recovered')[0]!.tookMs} ms`);
    await live.until('its books are Live again', () => live.allLive() && applied(0) > 0);
    await live.until('the other shard goes on', () => applied(1) > before.applied);
    assert.equal(resyncs(1), before.resyncs, 'no book of the other worker was taken anew');
    assert.equal(live.node.restarts('books-1'), 0);
    assert.equal(live.fatal, null);
  });
}

test('Ingest: a thread that throws is replaced and every book becomes Live again', async (t) => {
  const { live, orders, rowOf, applied } = await startNode(t);
  await warmedUp();
  order(orders, rowOf('ingest'), Harm.Throw);
  await live.until('the thread is replaced', () => live.events('thread.recovered').length === 1);
  t.diagnostic(`ingest works again after ${live.events('thread.recovered')[0]!.tookMs} ms`);
  const before = applied(0);
  await live.until('updates are applied again', () => live.allLive() && applied(0) > before);
});

test('Broadcast: a thread that throws is replaced on the same port and serves whole books again', async (t) => {
  const { live, orders, rowOf } = await startNode(t);
  const { port } = live.node.endpoints;
  await warmedUp();
  order(orders, rowOf('broadcast'), Harm.Throw);
  await live.until('the thread is replaced', () => live.events('thread.recovered').length === 1);
  t.diagnostic(`broadcast works again after ${live.events('thread.recovered')[0]!.tookMs} ms`);
  assert.equal(live.node.endpoints.port, port);
  const name = live.node.instruments[0]!.name;
  let book: { state?: string; bids?: unknown[] } = {};
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (book.state !== 'Live' && performance.now() < deadlineMs) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/book/${name}?depth=5`);
    book = (await answer.json()) as typeof book;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.equal(book.state, 'Live');
  assert.equal(book.bids?.length, 5);
});

for (const [layout, thread] of [
  ['split', 'ingest'],
  ['fused', 'node'],
] as const) {
  test(`Layout ${layout}: a thread of several agents that throws is replaced with all of them`, async (t) => {
    const { live, orders, rowOf, applied } = await startNode(t, { layout, workers: 0 });
    order(orders, rowOf(thread), Harm.Throw);
    await live.until('it is replaced', () => live.events('thread.recovered').length === 1);
    const before = applied(0);
    await live.until('its books are Live again', () => live.allLive() && applied(0) > before);
    assert.equal(live.fatal, null);
  });
}

test('Books worker: while nobody keeps a book, no thread reads it as Live', async (t) => {
  const { live, orders, rowOf } = await startNode(t);
  const { memory, plan, instruments } = live.node;
  const rows = new SeqlockReader(memory.bbo, BBO_ROW_DOUBLES);
  const row = new Float64Array(BBO_ROW_DOUBLES);
  // A row may be read while it is written; then again.
  const stateOf = (id: number): number => (rows.read(id, row, 1_000_000) ? row[BboRow.State]! : -1);
  assert.ok(instruments.every(({ id }) => stateOf(id) === BookState.Live));
  const thread = plan.threads.find(({ name }) => name === 'books-0')!;
  // The worker hangs: it writes nothing, as if it were gone.
  order(orders, rowOf('books-0'), Harm.Hang);
  await live.until('the order is taken', () => taken(orders, rowOf('books-0')));
  markOrphanedBooks(thread, memory, instruments, 0);
  for (const { id } of instruments) {
    const mine = memory.shardOf[id] === 0;
    assert.equal(stateOf(id), mine ? BookState.Suspect : BookState.Live);
  }
  await live.until('they are Live again', () => live.allLive());
});

test('Supervisor: a worker that fails again and again ends the node with THREAD_FAILING', async (t) => {
  const { live, orders, rowOf } = await startNode(t);
  await live.until('the node gives up', () => {
    order(orders, rowOf('books-0'), Harm.Throw);
    return live.fatal !== null;
  });
  assert.equal(live.fatal?.code, 'THREAD_FAILING');
});
