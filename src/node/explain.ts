/**
 * What `serve --explain` says: who would run where and why, and what an update's way through the node
 * costs here, hop by hop, from a calibration made just before. Pure; cold.
 */
import type { IdleName } from '../runtime/idle-strategy.js';
import type { AffinityPlan } from './affinity.js';
import { UPDATE_LEVELS } from './calibration.js';
import type { StepCosts } from './calibration.js';
import type { WakeCost, WakeCosts, WakeWay } from './calibration-wake.js';
import { threadOf } from './topology.js';
import type { AgentName, NodePlan, ThreadPlan } from './topology.js';

export interface ThreadExplanation {
  readonly name: string;
  readonly agents: readonly AgentName[];
  /** How it waits when there is nothing to do. */
  readonly waits: string;
  /** Null: wherever the system puts it. */
  readonly core: number | null;
}

export interface RingExplanation {
  readonly name: string;
  readonly from: AgentName;
  readonly to: AgentName;
  readonly bytes: number;
  readonly whenFull: string;
  /** How its reader learns of a record. */
  readonly wake: string;
}

/** One stage of the way, or what lies between two. */
export interface BudgetLine {
  readonly where: string;
  readonly what: string;
  /** The reader was at work anyway. */
  readonly busyNs: number;
  /** The reader slept; null where this machine could not measure it. */
  readonly quietNs: number | null;
  readonly quietP99Ns: number | null;
}

export interface Explanation {
  readonly cores: number;
  readonly layout: string;
  readonly layoutReason: string;
  readonly idle: IdleName;
  readonly idleReason: string;
  readonly pin: string;
  readonly threads: readonly ThreadExplanation[];
  readonly rings: readonly RingExplanation[];
  readonly steps: StepCosts;
  readonly wakes: WakeCosts;
  readonly budget: readonly BudgetLine[];
  readonly busyNs: number;
  readonly quietNs: number | null;
  /** What the budget does not hold. */
  readonly without: string;
}

export interface ExplainInput {
  readonly plan: NodePlan;
  readonly cores: number;
  /** Null: not asked for. */
  readonly affinity: AffinityPlan | null;
  readonly steps: StepCosts;
  readonly wakes: WakeCosts;
}

export function explainNode(input: ExplainInput): Explanation {
  const { plan, affinity, steps, wakes } = input;
  const budget = budgetOf(plan, steps, wakes);
  const quiet = budget.map((line) => line.quietNs);
  return {
    cores: input.cores,
    layout: plan.layout,
    layoutReason: plan.layoutReason,
    idle: plan.idle,
    idleReason: plan.idleReason,
    pin: affinity?.reason ?? 'not pinned: not asked for',
    threads: plan.threads.map((thread) => ({
      name: thread.name,
      agents: thread.agents,
      waits: waitingOf(plan.idle, thread.kind),
      core: affinity?.cores[thread.row] ?? null,
    })),
    rings: plan.rings.map((ring) => ({
      name: ring.name,
      from: ring.from,
      to: ring.to,
      bytes: ring.capacityWords * 4,
      whenFull: ring.whenFull === 'wait' ? 'the writer waits' : 'the message is left out',
      wake: wakeOf(plan, ring.from, ring.to),
    })),
    steps,
    wakes,
    budget,
    busyNs: budget.reduce((sum, line) => sum + line.busyNs, 0),
    quietNs: quiet.includes(null) ? null : quiet.reduce<number>((sum, ns) => sum + ns!, 0),
    without: 'the kernel: receiving, waking ingest by its socket, sending to clients',
  };
}

const WAITS: Readonly<Record<ThreadPlan['kind'], Readonly<Record<IdleName, string>>>> = {
  loop: {
    park: 'asleep in the event loop; woken by a socket, a timer or waitAsync',
    hybrid: 'polls by setImmediate while frames come densely, else asleep in the event loop (waitAsync)',
    spin: 'polls by setImmediate, a whole core',
  },
  pool: {
    park: 'asleep in a futex',
    hybrid: 'spins for a while, then asleep in a futex',
    spin: 'spins, a whole core',
  },
};

function waitingOf(idle: IdleName, kind: ThreadPlan['kind']): string {
  return WAITS[kind][idle];
}

function wakeOf(plan: NodePlan, from: AgentName, to: AgentName): string {
  if (to === 'reader') return "waitAsync on the embedding program's event loop";
  const writer = threadOf(plan, from);
  const reader = threadOf(plan, to);
  if (writer === reader) return 'none: the same thread reads it, in the same turn or the next';
  if (plan.idle === 'spin') return 'none: the reader polls';
  const way = reader?.kind === 'pool' ? 'a futex' : 'waitAsync';
  return `one notify a batch if the reader sleeps (${way}), else none`;
}

/** The way of one update of UPDATE_LEVELS levels, from its bytes to the message for the clients. */
function budgetOf(plan: NodePlan, steps: StepCosts, wakes: WakeCosts): BudgetLine[] {
  const own = (agent: AgentName, what: string, ns: number): BudgetLine => ({
    where: `${agent} on ${threadOf(plan, agent)?.name ?? 'the main thread'}`,
    what,
    busyNs: ns,
    quietNs: ns,
    quietP99Ns: null,
  });
  const levels = `${UPDATE_LEVELS} levels`;
  const lines = [
    own('ingest', `clock, parse ${levels}`, steps.clockReadNs + steps.parseNs),
    hop(plan, 'ingest', 'books-0', 'feed-0', steps, wakes),
    own(
      'books-0',
      `clock, ladder and message of ${levels}`,
      steps.clockReadNs + UPDATE_LEVELS * steps.ladderNs + steps.encodeNs,
    ),
  ];
  if (plan.broadcast) {
    lines.push(hop(plan, 'books-0', 'broadcast', 'out-0', steps, wakes));
    lines.push(own('broadcast', 'clock', steps.clockReadNs));
  }
  return lines;
}

function hop(
  plan: NodePlan,
  from: AgentName,
  to: AgentName,
  ring: string,
  steps: StepCosts,
  wakes: WakeCosts,
): BudgetLine {
  const writer = threadOf(plan, from);
  const reader = threadOf(plan, to);
  const where = `ring ${ring}`;
  const busyNs = steps.ringRecordNs;
  if (writer === reader || reader === null) {
    const what = 'one record, no thread between';
    return { where, what, busyNs, quietNs: busyNs, quietP99Ns: null };
  }
  const wake = wakeCost(plan.idle, reader.kind, wakes);
  return {
    where,
    what: `one record, ${reader.name} asleep until it is rung`,
    busyNs,
    quietNs: wake === null ? null : busyNs + wake.p50Ns,
    quietP99Ns: wake === null ? null : busyNs + wake.p99Ns,
  };
}

/** A hybrid thread sleeps in silence, as a parked one. */
function wakeCost(idle: IdleName, kind: ThreadPlan['kind'], wakes: WakeCosts): WakeCost | null {
  const asleep: WakeWay = kind === 'loop' ? 'loop' : 'park';
  return wakes[idle === 'spin' ? 'spin' : asleep];
}

/** Ways worth measuring here: spinning wants a core beside the one that writes. */
export function wakeWaysFor(cores: number): WakeWay[] {
  return cores >= 2 ? ['loop', 'park', 'spin'] : ['loop', 'park'];
}
