/** The published client on the real server: what it says of itself must be clean. */
import assert from 'node:assert/strict';
import { createServer, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { FeedClient } from '../../src/client/index.js';
import { Side } from '../../src/domain/side.js';
import { LiveRoom, until } from './support/live-room.js';

/** A wire that can be cut: forwards bytes to the room. */
async function wire(port: number): Promise<{ port: number; cut: () => void; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => to.write(data));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const { port: ours } = server.address() as { port: number };
  return { port: ours, cut, close: () => (cut(), server.close()) };
}

test('Client and room: books stay exact through cuts of the line, by resume, and through a resync', async () => {
  const room = await LiveRoom.start();
  const line = await wire(room.port);
  const client = new FeedClient({ url: `ws://127.0.0.1:${line.port}`, backOffMsMax: 20 });
  const recovered: boolean[] = [];
  client.on('recovered', ({ resumed }) => recovered.push(resumed));
  const full = await client.book('test:SYM0', { mode: 'lossless' }).ready;
  const view = await client.book('test:SYM0', { depth: 5 }).ready;
  const trades = client.trades('test:SYM0');
  const seen: string[] = [];
  trades.on((event) => seen.push(...event.trades.map(({ tradeId }) => String(tradeId))));
  await trades.ready;
  const caughtUp = (): boolean => full.book.sequence === room.books.books[0]!.sequence;
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 30; i++) room.books.event(0, 15, 1 + (i % 2));
    room.books.trade(0, 2);
    await until(caughtUp, 'the last delta');
    if (round % 2 === 0) line.cut();
    for (let i = 0; i < 10; i++) room.books.event(0, 15);
    if (round === 3) room.books.align(0, 40);
    await until(caughtUp, 'the last delta after the cut');
  }
  await until(() => seen.length === 12, 'all trades');
  const { counters } = client;
  const levels = (depth: number): [number, number][] =>
    room.books.levels(0, 'bids', depth).map(([price, size]) => [price, size]);
  const held = (book: typeof full.book, depth: number): [number, number][] =>
    book.levels(Side.Bid, depth).map(({ price, size }) => [price, size]);
  await until(() => view.book.isLive, 'the view is back');
  assert.deepEqual(held(full.book, 1000), levels(1000));
  assert.deepEqual(held(view.book, 5), levels(5));
  assert.equal(counters.gaps, 0);
  assert.equal(counters.malformed, 0);
  assert.equal(counters.connects, 4);
  assert.ok(recovered.filter(Boolean).length >= 6, `resumed: ${recovered.join(' ')}`);
  assert.equal(counters.hash.failed, 0);
  assert.ok(counters.hash.passed > 200, `hash checked ${counters.hash.passed} times`);
  assert.equal(new Set(seen).size, 12, 'every trade once');
  client.close();
  line.close();
  await room.stop();
});
