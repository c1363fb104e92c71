import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../src/client/event-queue.js';
import { FeedError } from '../../src/client/feed-error.js';

const event = (n: number): { n: number; skipped: number } => ({ n, skipped: 0 });

test('EventQueue: events come out in order, also to a loop that waits', async () => {
  const queue = new EventQueue<ReturnType<typeof event>>({ capacity: 4, overflow: 'drop-oldest' });
  const waiting = queue.next();
  queue.push(event(1));
  queue.push(event(2));
  assert.equal((await waiting).value?.n, 1);
  assert.equal((await queue.next()).value?.n, 2);
});

test('EventQueue: drop-oldest keeps the newest and tells how many went', async () => {
  const queue = new EventQueue<ReturnType<typeof event>>({ capacity: 3, overflow: 'drop-oldest' });
  for (let n = 1; n <= 10; n++) queue.push(event(n));
  assert.equal(queue.queuedCount, 3);
  queue.end();
  const seen: [number, number][] = [];
  for await (const { n, skipped } of queue) seen.push([n, skipped]);
  assert.deepEqual(seen, [
    [8, 7],
    [9, 0],
    [10, 0],
  ]);
});

test('EventQueue: with a capacity of one, the dropped are told on the newcomer', async () => {
  const queue = new EventQueue<ReturnType<typeof event>>({ capacity: 1, overflow: 'drop-oldest' });
  for (let n = 1; n <= 4; n++) queue.push(event(n));
  assert.deepEqual((await queue.next()).value, { n: 4, skipped: 3 });
});

test('EventQueue: fail delivers what was queued and then throws', async () => {
  const queue = new EventQueue<ReturnType<typeof event>>({ capacity: 2, overflow: 'fail' });
  for (let n = 1; n <= 3; n++) queue.push(event(n));
  assert.equal((await queue.next()).value?.n, 1);
  assert.equal((await queue.next()).value?.n, 2);
  await assert.rejects(queue.next(), (error: FeedError) => error.code === 'QUEUE_OVERFLOW');
  assert.equal((await queue.next()).done, true);
});

test('EventQueue: an end with an error reaches a waiting loop', async () => {
  const queue = new EventQueue<ReturnType<typeof event>>({ capacity: 2, overflow: 'fail' });
  const waiting = queue.next();
  queue.end(new FeedError('CLOSED', 'gone'));
  await assert.rejects(waiting, (error: FeedError) => error.code === 'CLOSED');
});

test('EventQueue: a break out of the loop releases the queue', async () => {
  let released = 0;
  const queue = new EventQueue<ReturnType<typeof event>>(
    { capacity: 2, overflow: 'fail' },
    () => released++,
  );
  queue.push(event(1));
  for await (const { n } of queue) {
    assert.equal(n, 1);
    break;
  }
  queue.push(event(2));
  assert.equal(queue.queuedCount, 0);
  assert.equal(released, 1);
});

test('EventQueue: a capacity below one is refused', () => {
  assert.throws(() => new EventQueue({ capacity: 0, overflow: 'fail' }), RangeError);
});
