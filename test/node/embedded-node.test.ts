/** A node inside another program: events, books and best prices, on real threads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookEvent, FeedEvent } from '../../src/client/feed-events.js';
import { FaultError } from '../../src/faults/fault.js';
import { BboCell, createFeedNode, EmbeddedNode } from '../../src/index.js';

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
  const loop = (async () => {
    let seen = 0;
    for await (const _ of node.events('bbo', BTC)) seen++;
    return seen;
  })();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await node.stop();
  assert.ok((await loop) > 0);
});

test('EmbeddedNode: a program that blocks its thread loses messages, is told, and gets whole books again', async () => {
  // A ring of 512 KiB, and 600 ms in which this thread reads nothing.
  const node = new EmbeddedNode(
    { simulator: { instruments: 3, rate: 20_000 }, threads: { layout: 'split' } },
    {},
    { ringWords: 2 ** 17 },
  );
  const seen: BookEvent[] = [];
  await node.start();
  try {
    for await (const event of node.events('book', BTC)) if (event.kind === 'delta') break;
    const until = Date.now() + 5_000;
    while (node.counters.holes === 0 && Date.now() < until) {
      const blockUntil = Date.now() + 600;
      while (Date.now() < blockUntil);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(node.counters.holes > 0, 'the ring overflowed');
    node.on('book', (event) => {
      if (event.instrument === BTC) seen.push(event);
    });
    const again = Date.now() + 8_000;
    while (
      Date.now() < again &&
      !(node.book(BTC).isLive && seen.some((event) => event.kind === 'snapshot'))
    ) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(node.book(BTC).isLive, 'the book is whole and Live again');
    assert.ok(node.counters.retold > 0);
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
