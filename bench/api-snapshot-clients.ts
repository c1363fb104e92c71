/** The readers of the api-snapshot bench: `ws` clients on a thread of their own. */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';

export interface ApiSnapshotWork {
  readonly port: number;
  readonly clients: number;
}

export interface ApiSnapshotAnswer {
  /** From the request to the whole Snapshot, each client's. */
  readonly waitMs: number[];
  /** Of the Snapshots' bytes. */
  readonly digests: string[];
  readonly bytes: number;
}

const { port, clients } = workerData as ApiSnapshotWork;
const request = '{"method":"subscribe","subscription":{"type":"l4Book","coin":"BTC"}}';

function read(socket: WebSocket): Promise<{ waitMs: number; digest: string; bytes: number }> {
  const askedMs = performance.now();
  socket.send(request);
  return new Promise((resolve) => {
    const onMessage = (data: Buffer): void => {
      if (!data.subarray(0, 60).includes('"Snapshot"')) return;
      const waitMs = performance.now() - askedMs;
      socket.off('message', onMessage);
      resolve({
        waitMs,
        digest: createHash('sha256').update(data).digest('hex'),
        bytes: data.length,
      });
    };
    socket.on('message', onMessage);
  });
}

const sockets = Array.from(
  { length: clients },
  () => new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false, maxPayload: 0 }),
);
await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
const got = await Promise.all(sockets.map(read));
const answer: ApiSnapshotAnswer = {
  waitMs: got.map(({ waitMs }) => waitMs),
  digests: got.map(({ digest }) => digest),
  bytes: got[0]!.bytes,
};
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
parentPort!.postMessage(answer);
