/** A node inside another program: events, books and best prices, on real threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeedEvent } from '../../src/client/feed-events.js';
import { FaultError } from '../../src/faults/fault.js';
import { BboCell, createFeedNode, EmbeddedNode } from '../../src/index.js';
import { until } from '../support/until.js';

const CONFIG = { simulator: { instruments: 3, rate: 400 } } as const;
const BTC = 'binance-futures:BTCUSDT';

test('EmbeddedNode: gives every kind of event by callback, in sequence, and whole books that hold', async () => {
  const node = createFeedNode(CONFIG);
  const last = new Map<string, number>();
  const counts: Record<string, number> = {};
  const note = (event: FeedEvent): void => {
    counts[event.channel] = (counts[event.channel] ?? 0) + 1;
    const key = `${event.channel} ${event.instrument}`;
    const before = last.get(key);
    if (event.channel !== 'book' && before !== undefined)
      assert.equal(event.sequence, before + 1, key);
    last.set(key, event.sequence);
  };
  for (const channel of ['book', 'bbo', 'trades', 'status'] as const) node.on(channel, note);
  await node.start();
  try {
    for await (const event of node.events('book', BTC)) {
      if (event.kind === 'delta' && event.sequence > 20) break;
    }
    const cell = new BboCell();
    while (!node.readBbo(node.idOf(BTC), cell));
    assert.ok(cell.bidPrice > 0 && cell.bidPrice < cell.askPrice);
    assert.equal(cell.state, 1);
    assert.ok(node.book(BTC).isLive);
    assert.ok(node.book(BTC).bids.count > 10);
    for (const channel of ['book', 'bbo', 'status']) assert.ok(counts[channel]! > 0, channel);
    assert.equal(node.counters.holes, 0);
    assert.throws(
      () => node.book('binance-futures:BTCUSTD'),
      (error) =>
        error instanceof FaultError &&
        error.code === 'UNKNOWN_INSTRUMENT' &&
        error.message.includes(BTC),
    );
  } finally {
    await node.stop();
  }
});

test('EmbeddedNode: a loop that waits ends when the node stops', async () => {
  const node = createFeedNode(CONFIG);
  await node.start();
  let seen = 0;
  const loop = (async () => {
    for await (const _ of node.events('bbo', BTC)) seen++;
  })();
  await until(() => seen > 0, 'a best price has come');
  await node.stop();
  await loop;
});

test('EmbeddedNode: a program that blocks its thread loses messages, is told, and gets whole books again', async () => {
  // A ring of 256 KiB, and times in which this thread reads nothing.
  const node = new EmbeddedNode(
    {
      venue: { settings: { depthInterval: '0ms' } },
      simulator: { instruments: 3, rate: 3_000 },
      threads: { layout: 'split' },
    },
    {},
    { ringWords: 2 ** 16 },
  );
  const states: string[] = [];
  node.on('book', (event) => {
    if (event.instrument === BTC && states.at(-1) !== event.kind) states.push(event.kind);
  });
  await node.start();
  try {
    for await (const event of node.events('book', BTC)) if (event.kind === 'delta') break;
    // Until a book misses something: what only best prices and trades missed needs no retelling.
    const blocked = (): boolean => {
      if (node.counters.retold > 0) return true;
      const blockUntilMs = performance.now() + 400;
      while (performance.now() < blockUntilMs);
      return false;
    };
    await until(blocked, 'a ring overflowed, and its books were asked to tell their state', 600);
    assert.ok(node.counters.holes > 0);
    states.length = 0;
    await until(() => node.book(BTC).isLive && states.includes('delta'), 'the book goes on');
    const { epoch, sequence } = node.book(BTC);
    await until(() => node.book(BTC).sequence > sequence, 'and on');
    assert.ok(node.book(BTC).epoch >= epoch);
    const passed = node.hashes.passed;
    await until(() => node.hashes.passed > passed, 'what it holds is right by its hash');
    assert.equal(node.hashes.failed, 0);
  } finally {
    await node.stop();
  }
});

test('EmbeddedNode: a wrong configuration is refused before anything starts', () => {
  const wrong = { threads: { layout: 'ful' } } as never;
  assert.throws(
    () => createFeedNode(wrong),
    (error) =>
      error instanceof FaultError &&
      error.code === 'BAD_CONFIG' &&
      error.message.includes('did you mean "full"'),
  );
});

test('EmbeddedNode: an unknown symbol is named with its nearest, and nothing is left running', async () => {
  const node = createFeedNode({ ...CONFIG, venue: { symbols: ['BTCUSTD'] } });
  await assert.rejects(
    node.start(),
    (error) =>
      error instanceof FaultError &&
      error.code === 'UNKNOWN_SYMBOL' &&
      error.message.includes('"BTCUSDT"'),
  );
});
