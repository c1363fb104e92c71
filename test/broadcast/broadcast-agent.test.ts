import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BookState, StateReason } from '../../src/domain/book-state.js';
import { sorted } from './support/replica.js';
import { subscribe, TestRoom } from './support/room.js';

test('Broadcast: a subscriber gets the snapshot at S, then S+1, S+2 without a gap', () => {
  const room = new TestRoom();
  room.books.align(0, 50);
  room.turn();
  const client = room.connect();
  client.send(subscribe('book', 0));
  for (let i = 0; i < 200; i++) {
    room.books.event(0, 10, 1 + (i % 3));
    if (i % 5 === 0) room.turn();
  }
  room.turn();
  const replica = client.settle();
  assert.equal(replica.answer('welcome')['heartbeatMs'], 1000);
  const answer = replica.answer('subscribed', 1);
  assert.equal(answer['resumed'], false);
  assert.equal(answer['mode'], 'conflated');
  const copy = replica.stream(answer['streamId'] as number);
  assert.equal(copy.sequence, room.books.books[0]!.sequence);
  assert.equal(copy.snapshots, 1);
  assert.deepEqual(sorted(copy, 'bids'), room.books.levels(0, 'bids'));
  assert.deepEqual(sorted(copy, 'asks'), room.books.levels(0, 'asks'));
  assert.equal(copy.state, BookState.Live);
});

test('Broadcast: depth views hold exactly the best N levels, for every N, event by event', () => {
  const room = new TestRoom({ seed: 7 });
  room.books.align(0, 30);
  room.turn();
  const depths = [1, 2, 5, 20, 200];
  const client = room.connect();
  for (const depth of depths) client.send(subscribe('book', 0, { id: depth, depth }));
  const first = client.settle();
  const ids = depths.map((depth) => first.answer('subscribed', depth)['streamId'] as number);
  for (let i = 0; i < 400; i++) {
    room.books.event(0, 12, 1 + (i % 2));
    if (i === 200) room.books.align(0, 3);
    room.turn();
    const replica = client.settle();
    depths.forEach((depth, k) => {
      const copy = replica.stream(ids[k]!);
      assert.deepEqual(
        sorted(copy, 'bids'),
        room.books.levels(0, 'bids', depth),
        `bids of depth ${depth} at ${i}`,
      );
      assert.deepEqual(
        sorted(copy, 'asks'),
        room.books.levels(0, 'asks', depth),
        `asks of depth ${depth} at ${i}`,
      );
    });
  }
});

test('Broadcast: state changes come in sequence on the book, bbo and status streams and on views', () => {
  const room = new TestRoom();
  room.books.align(0, 5);
  room.turn();
  const client = room.connect();
  client.send(subscribe('book', 0, { id: 1 }));
  client.send(subscribe('book', 0, { id: 2, depth: 3 }));
  client.send(subscribe('bbo', 0, { id: 3 }));
  client.send(subscribe('status', 0, { id: 4 }));
  room.books.suspect(0, StateReason.Gap);
  room.turn();
  const replica = client.settle();
  for (const id of [1, 2, 3, 4]) {
    const copy = replica.stream(replica.answer('subscribed', id)['streamId'] as number);
    assert.equal(copy.state, BookState.Suspect, `stream of request ${id}`);
    assert.equal(copy.messages, 2);
  }
  room.books.align(0, 6);
  room.turn();
  for (const copy of client.settle().streams.values()) assert.equal(copy.state, BookState.Live);
});
