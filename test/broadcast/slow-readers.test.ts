/** Readers that stop reading, on real sockets: conflated or closed, never in anybody's way. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BookState } from '../../src/domain/book-state.js';
import { LiveRoom, pause, until, type LiveClient } from './support/live-room.js';
import { sorted } from './support/replica.js';
import { subscribe } from './support/room.js';

/** Publishes until `enough`, at most some 60 MB; gives the event loop its turns. */
async function publishUntil(room: LiveRoom, enough: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000 && !enough(); i++) {
    room.books.event(0, 400);
    if (i % 10 === 9) await pause(0);
    if (i % 10 === 9) await until(() => room.books.isTaken(), 'the ring is read');
  }
  assert.ok(enough(), 'what was waited for happened');
}

describe('Slow readers', () => {
  let room: LiveRoom;
  let healthy: LiveClient;

  before(async () => {
    room = await LiveRoom.start({
      limits: {
        highWaterBytes: 64 * 1024,
        lowWaterBytes: 8 * 1024,
        losslessBytesMax: 512 * 1024,
        socketBytesMax: 8 * 1024 * 1024,
      },
    });
    healthy = await room.connect().opened();
    healthy.send(subscribe('book', 0, { mode: 'lossless' }));
    healthy.send(subscribe('book', 0, { id: 2, depth: 20 }));
    await healthy.answer('subscribed', 2);
  });
  after(async () => {
    assert.equal(healthy.problem, null);
    assert.equal(healthy.closeCode, null);
    const copy = healthy.replica.stream(0);
    assert.equal(copy.conflated, 0, 'a healthy reader gets every delta by itself');
    assert.equal(copy.snapshots, 1);
    await room.stop();
  });

  test('Slow reader: conflated, it gets merged deltas that say so, then single ones again', async () => {
    const slow = await room.connect().opened();
    slow.send(subscribe('book', 0));
    slow.send(subscribe('book', 0, { id: 2, depth: 20 }));
    slow.send(subscribe('bbo', 0, { id: 3 }));
    const view = (await slow.answer('subscribed', 2))['streamId'] as number;
    await slow.answer('subscribed', 3);
    slow.socket.pause();
    await publishUntil(room, () => room.counter('FellBehind') >= 3);
    for (let i = 0; i < 10; i++) room.books.event(0, 50);
    await until(() => room.books.isTaken(), 'the ring is read');
    slow.socket.resume();
    const copy = slow.replica.stream(0);
    await until(() => copy.sequence === room.books.books[0]!.sequence, 'caught up');
    assert.equal(slow.problem, null);
    assert.ok(copy.conflated + copy.snapshots >= 2, 'the merge was told');
    assert.ok(slow.replica.stream(view).conflated >= 1 || slow.replica.stream(view).snapshots >= 2);
    assert.ok(room.counter('Merged') + room.counter('Reanchored') >= 3);
    const before = copy.conflated;
    room.books.event(0, 30);
    room.books.event(0, 30);
    await until(() => copy.sequence === room.books.books[0]!.sequence, 'single deltas');
    assert.equal(copy.conflated, before, 'now they come one by one');
    assert.deepEqual(sorted(copy, 'bids'), room.books.levels(0, 'bids'));
    assert.deepEqual(sorted(slow.replica.stream(view), 'asks'), room.books.levels(0, 'asks', 20));
    assert.equal(copy.state, BookState.Live);
    slow.socket.terminate();
  });

  test('Slow reader: lossless, it is told SLOW_CONSUMER and closed with 4008, after what was sent', async () => {
    const slow = await room.connect().opened();
    slow.send(subscribe('book', 0, { mode: 'lossless' }));
    await slow.answer('subscribed', 1);
    slow.socket.pause();
    const closedBefore = room.counter('ClosedSlow');
    await publishUntil(room, () => room.counter('ClosedSlow') > closedBefore);
    slow.socket.resume();
    assert.equal(await slow.closed(), 4008);
    assert.equal((await slow.answer('error'))['code'], 'SLOW_CONSUMER');
    assert.equal(slow.problem, null, 'up to the close nothing was missing');
    assert.equal(slow.replica.stream(0).conflated, 0);
    assert.equal(room.counter('Dropped'), 0, 'our bound comes before that of the server');
  });

  test('Slow reader: trades are never conflated, whatever the mode', async () => {
    const slow = await room.connect().opened();
    slow.send(subscribe('trades', 0, { mode: 'conflated' }));
    slow.send(subscribe('book', 0, { id: 2 }));
    assert.equal((await slow.answer('subscribed', 1))['mode'], 'lossless');
    await slow.answer('subscribed', 2);
    slow.socket.pause();
    const closedBefore = room.counter('ClosedSlow');
    await publishUntil(room, () => {
      for (let i = 0; i < 20; i++) room.books.trade(0, 20);
      return room.counter('ClosedSlow') > closedBefore;
    });
    slow.socket.resume();
    assert.equal(await slow.closed(), 4008);
    assert.equal(slow.problem, null);
  });

  test('Slow reader: one that never reads again does not keep the others waiting', async () => {
    const stuck = await Promise.all([1, 2, 3].map(() => room.connect().opened()));
    for (const each of stuck) {
      each.send(subscribe('book', 0));
      await each.answer('subscribed', 1);
      each.socket.pause();
    }
    const behind = room.counter('FellBehind');
    await publishUntil(room, () => room.counter('FellBehind') >= behind + 3);
    const copy = healthy.replica.stream(0);
    const framesOfStuck = (): number[] => stuck.map((each) => each.frames);
    const before = framesOfStuck();
    for (let i = 0; i < 200; i++) {
      room.books.event(0, 20);
      const wanted = room.books.books[0]!.sequence;
      // One by one: the next is published only after this one has come.
      await until(() => copy.sequence >= wanted, 'the healthy reader');
    }
    assert.deepEqual(framesOfStuck(), before, 'all the while the others read nothing');
    for (const each of stuck) each.socket.terminate();
  });
});
