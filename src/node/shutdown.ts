/**
 * Takes the threads down from the source to the sink, so that nothing that was taken in is lost:
 * ingest closes its sockets, books work off their rings, broadcast sends what is left, tells its
 * clients (close 1001) and ends. Bounded at every step; what does not end in time is ended by force.
 * Main thread, cold.
 */
import { RingGauge } from '../rings/ring-gauge.js';
import type { Log } from '../ops/log.js';
import { LIMITS } from './limits.js';
import { ringOf } from './memory.js';
import type { NodeMemory } from './memory.js';
import type { Supervisor } from './supervisor.js';
import type { NodeThread } from './threads.js';
import type { AgentName, NodePlan } from './topology.js';

export interface ShutdownOptions {
  readonly plan: NodePlan;
  readonly memory: NodeMemory;
  readonly threads: readonly NodeThread[];
  readonly supervisor: Supervisor;
  readonly log: Log;
}

const LOOK_EVERY_MS = 5;

export async function stopInOrder(options: ShutdownOptions): Promise<void> {
  const { plan, memory, threads, supervisor, log } = options;
  const forceAfter = new Deadline(LIMITS.stopThreadsMsMax + LIMITS.stopAgentsMsMax);
  for (const thread of threads) {
    const { agents } = plan.threads[thread.row]!;
    await drained(plan, memory, agents, supervisor, new Deadline(LIMITS.drainMsMax));
    if (!supervisor.alive(thread.name)) continue;
    thread.requestStop();
    const ended = await Promise.race([thread.ended.then(() => true), forceAfter.passed()]);
    if (!ended) log.warn('stop.forced', `${thread.name} did not end in time: ended by force`);
  }
  await supervisor.killAll();
  forceAfter.cancel();
}

/** Waits until the rings that lead to these agents from other threads are empty. */
async function drained(
  plan: NodePlan,
  memory: NodeMemory,
  agents: readonly AgentName[],
  supervisor: Supervisor,
  deadline: Deadline,
): Promise<void> {
  const rings = plan.rings.filter(
    (ring) => agents.includes(ring.to) && ring.to !== 'ingest' && !agents.includes(ring.from),
  );
  const gauges = rings.map((ring) => new RingGauge(ringOf(memory, ring.name)));
  const reader = plan.threads.find((thread) =>
    thread.agents.some((agent) => agents.includes(agent)),
  );
  const readerRuns = (): boolean => reader !== undefined && supervisor.running(reader.name);
  while (!deadline.isPassed && readerRuns()) {
    if (gauges.every((gauge) => gauge.usedWords() === 0)) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  deadline.cancel();
}

class Deadline {
  isPassed = false;
  private readonly timer: NodeJS.Timeout;
  private resolve: (ended: false) => void = () => {};
  private readonly promise = new Promise<false>((resolve) => {
    this.resolve = resolve;
  });

  constructor(ms: number) {
    this.timer = setTimeout(() => {
      this.isPassed = true;
      this.resolve(false);
    }, ms);
  }

  passed(): Promise<false> {
    return this.promise;
  }

  cancel(): void {
    clearTimeout(this.timer);
  }
}
