/** `ringside serve --explain`: measures, prints and ends; no socket is opened, no thread serves. Cold. */
import { availableParallelism } from 'node:os';
import pc from 'picocolors';
import { allowedCores, planAffinity } from '../node/affinity.js';
import { measureSteps } from '../node/calibration.js';
import { measureWakes } from '../node/calibration-wake.js';
import { explainNode, wakeWaysFor } from '../node/explain.js';
import type { BudgetLine, Explanation } from '../node/explain.js';
import { planTopology } from '../node/topology.js';
import type { NodeConfig } from '../ops/config-schema.js';
import { SystemClock } from '../time/system-clock.js';
import type { TimelineOrigin } from '../time/system-clock.js';
import { ringBytesText } from './banner.js';

export async function explain(config: NodeConfig, origin: TimelineOrigin): Promise<Explanation> {
  const cores = availableParallelism();
  const plan = planTopology({
    ...config.threads,
    cores,
    instruments: instrumentsOf(config),
    broadcast: config.server.enabled,
    reader: false,
  });
  const clock = new SystemClock(origin.monotonicNs);
  const wakes = await measureWakes(clock, origin.monotonicNs, wakeWaysFor(cores));
  return explainNode({
    plan,
    cores,
    affinity: config.threads.pin ? planAffinity(plan, allowedCores()) : null,
    steps: measureSteps(clock),
    wakes,
  });
}

/** The venue is not asked: of `all` its instruments we assume that there are more than workers. */
const INSTRUMENTS_OF_ALL = 64;

function instrumentsOf({ venue, simulator }: NodeConfig): number {
  if (venue.id === undefined) return simulator.instruments;
  return Array.isArray(venue.symbols) ? venue.symbols.length : INSTRUMENTS_OF_ALL;
}

export function explanationText(explanation: Explanation): string {
  const { steps, wakes } = explanation;
  const wake = ([way, cost]: [string, (typeof wakes)['loop']]): string =>
    cost === null
      ? `${way} not measured (no core for it)`
      : `${way} ${timeText(cost.p50Ns)} ${pc.dim(`p99 ${timeText(cost.p99Ns)}`)}`;
  return [
    heading('layout', explanation.layoutReason),
    heading('idle', explanation.idleReason),
    heading('cores', explanation.pin),
    '',
    heading('threads', ''),
    ...explanation.threads.map(({ name, agents, waits, core }) => {
      const where = core === null ? '' : `  core ${core}`;
      return `    ${name.padEnd(11)}${agents.join(' + ').padEnd(32)}${pc.dim(waits)}${where}`;
    }),
    '',
    heading('rings', ''),
    ...explanation.rings.map(({ name, from, to, bytes, whenFull, wake: how }) => {
      const ends = `${from} → ${to}`;
      const size = ringBytesText(bytes);
      const rule = pc.dim(`${how}; full: ${whenFull}`);
      return `    ${name.padEnd(11)}${ends.padEnd(24)}${size.padEnd(9)}${rule}`;
    }),
    '',
    heading('measured', 'just now, on this machine; medians'),
    `    clock ${timeText(steps.clockReadNs)} · parse of 20 levels ${timeText(steps.parseNs)} · ` +
      `ladder, a level ${timeText(steps.ladderNs)} · message of 20 levels ${timeText(steps.encodeNs)} · ` +
      `ring record ${timeText(steps.ringRecordNs)}`,
    `    wake-ups: ${Object.entries(wakes).map(wake).join(' · ')}`,
    '',
    heading('budget', 'of one update of 20 levels, bytes to message: threads busy | asleep'),
    ...explanation.budget.map(budgetText),
    `    ${'in all'.padEnd(24)}${''.padEnd(46)}${timeText(explanation.busyNs).padStart(9)} ` +
      `| ${orUnknown(explanation.quietNs)}`,
    `    ${pc.dim(`without ${explanation.without}`)}`,
    '',
  ].join('\n');
}

function heading(label: string, text: string): string {
  return `  ${pc.bold(label.padEnd(10))} ${text}`.trimEnd();
}

function budgetText({ where, what, busyNs, quietNs, quietP99Ns }: BudgetLine): string {
  const tail = quietP99Ns === null ? '' : pc.dim(`  p99 ${timeText(quietP99Ns)}`);
  const times = `${timeText(busyNs).padStart(9)} | ${orUnknown(quietNs)}`;
  return `    ${where.padEnd(24)}${pc.dim(what.padEnd(46))}${times}${tail}`;
}

function orUnknown(ns: number | null): string {
  return ns === null ? 'not measured' : timeText(ns);
}

function timeText(ns: number): string {
  if (ns < 1_000) return `${ns < 100 ? ns.toFixed(1) : ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}
