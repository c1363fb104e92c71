/** A book worker with a saboteur beside its agent. */
import { runAgents } from '../../src/node/pool-thread.js';
import type { PoolTask } from '../../src/node/pool-thread.js';
import { Saboteur } from './saboteur.js';

export default function runPoolTask({ data, port }: PoolTask): void {
  runAgents(data, port, (agents) => [...agents, new Saboteur(data)]);
}
