/** A broadcast room on a thread of its own, for tests of how such a thread ends. */
import { parentPort } from 'node:worker_threads';
import { LiveRoom } from './live-room.js';

const port = parentPort!;
const room = await LiveRoom.start();
process.on('uncaughtException', (error) => {
  port.postMessage({ kind: 'failed', message: error.message });
  room.agent.onClose();
  port.close();
  room.halt();
});
port.on('message', (message: string) => {
  if (message === 'wind-up') void room.stop().then(() => port.close());
  if (message === 'close') {
    room.agent.onClose();
    room.halt();
    port.close();
  }
  if (message === 'throw') {
    setImmediate(() => {
      throw new Error('an agent broke');
    });
  }
  if (message === 'publish') for (let i = 0; i < 500; i++) room.books.event(0, 100);
});
port.postMessage({ kind: 'ready', port: room.port });
