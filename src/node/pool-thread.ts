/**
 * A book worker: the piscina task that runs one shard's agent until it is asked to stop. It has no
 * event loop of its own: the loop in AgentRunner blocks or spins. Hot inside, a shell here.
 */
import type { MessagePort } from 'node:worker_threads';
import { threadId } from 'node:worker_threads';
import type { Agent } from '../runtime/agent.js';
import { AgentGroup } from '../runtime/agent-group.js';
import { AgentRunner } from '../runtime/agent-runner.js';
import { createIdleStrategy } from '../runtime/idle-strategy.js';
import { nameOwnThread } from '../runtime/thread-name.js';
import { assemble } from './assemble.js';
import { LIMITS } from './limits.js';
import { bellOf } from './memory.js';
import { ownTask } from './run-queue.js';
import type { ThreadData } from './thread-data.js';
import type { FromThread } from './thread-message.js';

export interface PoolTask {
  readonly data: ThreadData;
  readonly port: MessagePort;
}

/** Runs until a stop is requested; throws whatever an agent throws. */
export default function runPoolTask({ data, port }: PoolTask): void {
  runAgents(data, port, (agents) => agents);
}

/** @param arrange which agents run: a test puts its own beside those of the topology */
export function runAgents(
  data: ThreadData,
  port: MessagePort,
  arrange: (agents: readonly Agent[]) => readonly Agent[],
): void {
  const tell = (message: FromThread): void => port.postMessage(message);
  const thread = data.plan.threads[data.row]!;
  nameOwnThread(thread.name);
  const assembly = assemble(data, tell);
  const runner = new AgentRunner({
    agent: new AgentGroup(arrange(assembly.agents)),
    clock: assembly.clock,
    idle: createIdleStrategy(data.plan.idle, {
      doorbell: bellOf(data.memory, thread.name),
      idleMsMax: LIMITS.idleMsMax,
    }),
    control: data.control,
  });
  tell({ kind: 'ready', threadId, row: data.row, task: ownTask(), port: null });
  runner.run();
  port.close();
}
