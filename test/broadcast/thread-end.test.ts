/** A thread that runs uWebSockets.js ends cleanly, with clients connected, however it is told to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LiveClient, until } from './support/live-room.js';
import { subscribe } from './support/room.js';

async function startThread(): Promise<{
  worker: Worker;
  exited: Promise<number>;
  clients: LiveClient[];
  failures: string[];
}> {
  const worker = new Worker(new URL('./support/worker.js', import.meta.url));
  const exited = new Promise<number>((resolve) => worker.on('exit', resolve));
  const failures: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: { kind: string; port: number; message: string }) => {
      if (message.kind === 'ready') resolve(message.port);
      else failures.push(message.message);
    });
  });
  const clients = await Promise.all(
    [1, 2, 3].map(() => new LiveClient(`ws://127.0.0.1:${port}/v1/feed`).opened()),
  );
  for (const client of clients) {
    client.send(subscribe('book', 0));
    await client.answer('subscribed', 1);
  }
  return { worker, exited, clients, failures };
}

test('Thread: winding up tells every client 1001, also one that is not reading, and exits with 0', async () => {
  const { worker, exited, clients } = await startThread();
  clients[2]!.socket.pause();
  worker.postMessage('publish');
  await until(() => clients[0]!.replica.stream(0).messages > 400, 'deltas');
  worker.postMessage('wind-up');
  assert.equal(await exited, 0);
  assert.equal(await clients[0]!.closed(), 1001);
  assert.equal(await clients[1]!.closed(), 1001);
  clients[2]!.socket.resume();
  assert.equal(await clients[2]!.closed(), 1001);
  for (const client of clients) assert.equal(client.problem, null);
});

test('Thread: closed at once, it still exits with 0 and its clients are released', async () => {
  const { worker, exited, clients } = await startThread();
  worker.postMessage('close');
  assert.equal(await exited, 0);
  for (const client of clients) assert.ok([1001, 1006].includes(await client.closed()));
});

test('Thread: an uncaught throw closes the server and does not take the process with it', async () => {
  const { worker, exited, clients, failures } = await startThread();
  worker.postMessage('throw');
  await exited;
  assert.deepEqual(failures, ['an agent broke']);
  for (const client of clients) await client.closed();
});
