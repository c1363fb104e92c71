/**
 * A thread with sockets (ingest, broadcast, or all agents fused): entry of a worker_threads Worker.
 * Builds the agents that the topology gives to this thread, starts them and runs them on the event
 * loop. Ends by itself once it was asked to stop: a worker with uWebSockets handles must not be
 * terminated (the process would abort), so its server is closed first, whatever happens.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { FaultError } from '../faults/fault.js';
import { invariant } from '../faults/invariant.js';
import { AgentGroup } from '../runtime/agent-group.js';
import { EventLoopRunner } from '../runtime/event-loop-runner.js';
import { assemble } from './assemble.js';
import { LIMITS } from './limits.js';
import { bellOf } from './memory.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread, ToThread } from './thread-message.js';

const port = parentPort;
invariant(port !== null, 'this file is the entry of a worker');
const data = workerData as ThreadData;
const thread = data.plan.threads[data.row]!;
const tell = (message: FromThread): void => port.postMessage(message);

const assembly = assemble(data, tell);
const agent = new AgentGroup(assembly.agents);
const runner = new EventLoopRunner({
  agent,
  clock: assembly.clock,
  doorbell: bellOf(data.memory, thread.name),
  control: data.control,
  idleKind: data.plan.idle,
  idleMsMax: LIMITS.idleMsMax,
  windUp: () => assembly.windUp(),
});
let failed = false;

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
port.on('message', (message: ToThread) => assembly.onMessage(message));

try {
  const listening = await assembly.start();
  runner.run().then(() => port.close(), fail);
  tell({ kind: 'ready', threadId, port: listening });
} catch (error) {
  fail(error);
}

/** Lets go of the sockets, tells why, and ends. */
function fail(error: unknown): void {
  if (failed) return;
  failed = true;
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof FaultError ? error.code : null;
  const text = code === null ? `${name}: ${message}` : message;
  tell({ kind: 'failed', code, message: text, stack: stack ?? '' });
  try {
    agent.onClose();
  } catch {
    // It has failed already; what matters is that everything was asked to close.
  }
  port!.close();
  setImmediate(() => process.exit(1));
}
