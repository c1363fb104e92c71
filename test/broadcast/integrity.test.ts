/** What the room does when its input is not what it should be: never passed on in silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BookState } from '../../src/domain/book-state.js';
import type { HttpResponse } from '../../src/broadcast/broadcast-server.js';
import { sorted } from './support/replica.js';
import { subscribe, TestRoom, type TestClient } from './support/room.js';
import { timeCell } from '../../src/time/clock.js';

function roomWithReader(): { room: TestRoom; client: TestClient } {
  const room = new TestRoom({ limits: { hashCheckEvery: 4 } });
  room.books.align(0, 20);
  room.turn();
  const client = room.connect();
  client.send(subscribe('book', 0, { id: 1 }));
  client.send(subscribe('book', 0, { id: 2, depth: 5 }));
  client.send(subscribe('trades', 0, { id: 3 }));
  client.send(subscribe('bbo', 0, { id: 4 }));
  client.send(subscribe('status', 0, { id: 5 }));
  room.turn();
  client.settle();
  return { room, client };
}
const BOOK = 0;
const BBO = 1;
const TRADES = 2;
const STATUS = 3;

test('Integrity: a lost book message makes the book Suspect in-band, holds back the rest, has it told again', () => {
  const { room, client } = roomWithReader();
  room.books.skipBook(0, 3);
  room.books.event(0, 5);
  room.books.event(0, 5);
  room.turn();
  const copy = client.settle().stream(BOOK);
  assert.equal(copy.state, BookState.Suspect);
  assert.equal(room.counter('SequenceGaps'), 1);
  assert.equal(room.counter('HeldBack'), 2);
  assert.equal(
    [...client.replica.streams.values()].filter((each) => each.depth === 5)[0]!.state,
    BookState.Suspect,
  );
  room.turn(50e6);
  assert.equal(room.counter('RetellingsAsked'), 1);
  assert.ok(room.books.ring.takeReaderChange(), 'the books are asked');
  room.books.retell(0);
  room.turn();
  client.settle();
  assert.equal(copy.state, BookState.Live);
  assert.deepEqual(sorted(copy, 'bids'), room.books.levels(0, 'bids'));
});

test('Integrity: a mirror whose hash differs is found within hashCheckEvery messages', () => {
  const { room, client } = roomWithReader();
  room.books.corruptHash(0);
  // The replica checks every hash; the room only every few: look at the room alone.
  client.client.pause();
  for (let i = 0; i < 4; i++) room.books.event(0, 3);
  room.turn();
  assert.equal(room.counter('HashFailed'), 1);
  const late = room.connect();
  late.send(subscribe('book', 0, { id: 9 }));
  room.turn();
  assert.equal(late.settle().stream(BOOK).state, BookState.Suspect);
});

test('Integrity: trades that never came are named by a status in their place', () => {
  const { room, client } = roomWithReader();
  room.books.trade(0, 1);
  room.books.skipTrades(0, 4);
  room.books.trade(0, 1);
  room.turn();
  const copy = client.settle().stream(TRADES);
  assert.equal(copy.trades.length, 2);
  assert.equal(copy.foldedTotal, 3, 'four numbers in one message');
  assert.equal(copy.sequence, room.books.books[0]!.tradesSequence);
  assert.equal(room.counter('SequenceGaps'), 1);
});

test('Integrity: when the worker is replaced, nobody goes on believing its book, BBO or status', () => {
  const { room, client } = roomWithReader();
  room.agent.onWriterLost(0);
  room.turn();
  const replica = client.settle();
  for (const id of [BOOK, BBO, STATUS])
    assert.equal(replica.stream(id).state, BookState.Suspect, `stream ${id}`);
  room.books.restart();
  room.turn();
  client.settle();
  assert.equal(replica.stream(BOOK).state, BookState.Syncing);
  room.books.align(0, 7);
  room.turn();
  client.settle();
  for (const copy of replica.streams.values()) {
    if (copy.channel !== 'trades') assert.equal(copy.state, BookState.Live, copy.channel);
  }
  assert.deepEqual(sorted(replica.stream(BOOK), 'asks'), room.books.levels(0, 'asks'));
});

test('Integrity: records that are no messages are counted and nothing else happens', () => {
  const { room, client } = roomWithReader();
  const { ring } = room.books;
  const slot = ring.tryClaim(49, 200);
  ring.doubles.fill(7e15, slot, slot + 25);
  ring.commit();
  const second = ring.tryClaim(49, 200);
  ring.doubles.fill(0, second, second + 25);
  ring.doubles[second + 4] = 120;
  ring.commit();
  room.books.event(0, 3);
  room.turn();
  assert.equal(room.counter('Malformed'), 1);
  assert.equal(
    client.settle().stream(BOOK).state,
    BookState.Suspect,
    'the second one named this book',
  );
});

test('Integrity: a request in the middle of an event is answered after it', async () => {
  const { room } = roomWithReader();
  room.books.eventPart(0, 10, false);
  room.books.ring.commit();
  room.turn();
  let answer: HttpResponse | null = null;
  void room.server.request({ path: '/v1/book/test:SYM0' }).then((response) => (answer = response));
  const late = room.connect();
  late.send(subscribe('book', 0, { id: 1 }));
  late.send(subscribe('book', 0, { id: 2, depth: 3 }));
  room.turn();
  await Promise.resolve();
  assert.equal(answer, null);
  assert.equal(late.settle().streams.size, 0);
  room.books.event(0, 10);
  room.turn();
  await Promise.resolve();
  assert.equal(
    JSON.parse(String((answer as HttpResponse | null)?.body)).sequence,
    String(room.books.books[0]!.sequence),
  );
  const replica = late.settle();
  assert.equal(replica.streams.size, 2);
  assert.deepEqual(sorted(replica.stream(BOOK), 'bids'), room.books.levels(0, 'bids'));
});

test('Integrity: what the server dropped is made good by a snapshot that says so; lossless ends with 4008', () => {
  const { room, client } = roomWithReader();
  client.send({ op: 'unsubscribe', id: 9, channel: 'trades', instrument: 'test:SYM0' });
  client.settle();
  const strict = room.connect();
  strict.send(subscribe('book', 0, { mode: 'lossless' }));
  room.turn();
  for (let i = 0; i < 5; i++) room.books.event(0, 5);
  room.clock.advanceBy(1e6);
  room.agent.doWork(timeCell(room.clock.nowNs()));
  for (const each of [client, strict]) each.client.connection.loseQueued();
  room.turn();
  const copy = client.settle().stream(BOOK);
  assert.equal(copy.sequence, room.books.books[0]!.sequence);
  assert.equal(copy.snapshots, 2);
  assert.equal(copy.conflated, 1);
  assert.ok(
    client.replica.stream(BBO).conflated >= 1,
    'the BBO says that it covers what is missing',
  );
  strict.settle();
  assert.equal(strict.client.closeCode, 4008);
  assert.equal(strict.replica.answer('error')['code'], 'SLOW_CONSUMER');
  assert.equal(room.counter('Dropped'), 2);
});
