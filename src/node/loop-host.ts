/**
 * Hosts agents with sockets (ingest, broadcast, or all agents fused) on the event loop of a Worker:
 * builds them, starts them, runs them, and ends by itself once it was asked to stop. A worker with
 * uWebSockets handles must not be terminated (the process would abort), so its server is closed
 * first, whatever happens.
 */
import { threadId } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { FaultError } from '../faults/fault.js';
import type { Agent } from '../runtime/agent.js';
import { AgentGroup } from '../runtime/agent-group.js';
import { EventLoopRunner } from '../runtime/event-loop-runner.js';
import { nameOwnThread } from '../runtime/thread-name.js';
import { assemble } from './assemble.js';
import { LIMITS } from './limits.js';
import { bellOf } from './memory.js';
import { ownTask } from './run-queue.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread, ToThread } from './thread-message.js';

/** Waits for its orders, so that a worker in reserve has everything loaded but what to do. */
export function awaitAgents(
  port: MessagePort,
  arrange: (data: ThreadData, agents: readonly Agent[]) => readonly Agent[] = (_, agents) => agents,
): void {
  port.once('message', (message: ToThread) => {
    if (message.kind !== 'begin') return;
    const { data } = message;
    void hostAgents(data, port, (agents) => arrange(data, agents));
  });
}

/** @param arrange which agents run: a test puts its own beside those of the topology */
async function hostAgents(
  data: ThreadData,
  port: MessagePort,
  arrange: (agents: readonly Agent[]) => readonly Agent[],
): Promise<void> {
  const tell = (message: FromThread): void => port.postMessage(message);
  const thread = data.plan.threads[data.row]!;
  nameOwnThread(thread.name);
  const assembly = assemble(data, tell);
  const agent = new AgentGroup(arrange(assembly.agents));
  const runner = new EventLoopRunner({
    agent,
    clock: assembly.clock,
    doorbell: bellOf(data.memory, thread.name),
    control: data.control,
    idleKind: data.plan.idle,
    idleMsMax: LIMITS.idleMsMax,
    turnNsMax: thread.agents.includes('broadcast') ? 0 : LIMITS.turnNsMax,
    windUp: () => assembly.windUp(),
  });
  let failed = false;

  /** Lets go of the sockets, tells why, and ends. */
  const fail = (error: unknown): void => {
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
    port.close();
    setImmediate(() => process.exit(1));
  };

  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  port.on('message', (message: ToThread) => {
    if (message.kind !== 'begin') assembly.onMessage(message);
  });
  try {
    const listening = await assembly.start();
    runner.run().then(() => port.close(), fail);
    tell({ kind: 'ready', threadId, row: data.row, task: ownTask(), port: listening });
  } catch (error) {
    fail(error);
  }
}
