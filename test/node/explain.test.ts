/** `--explain`: the structure of what is said, for every layout; never the times themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAffinity } from '../../src/node/affinity.js';
import { measureSteps } from '../../src/node/calibration.js';
import type { StepCosts } from '../../src/node/calibration.js';
import { measureWakes } from '../../src/node/calibration-wake.js';
import type { WakeCosts } from '../../src/node/calibration-wake.js';
import { explainNode, wakeWaysFor } from '../../src/node/explain.js';
import { planTopology } from '../../src/node/topology.js';
import type { NodePlan, PlanInput } from '../../src/node/topology.js';
import { readTimelineOrigin, SystemClock } from '../../src/time/system-clock.js';

const STEPS: StepCosts = {
  clockReadNs: 40,
  ringRecordNs: 100,
  parseNs: 300,
  ladderNs: 20,
  encodeNs: 150,
};
const WAKES: WakeCosts = {
  loop: { p50Ns: 20_000, p99Ns: 90_000, samples: 100 },
  park: { p50Ns: 10_000, p99Ns: 50_000, samples: 100 },
  spin: null,
};

function planOf(input: Partial<PlanInput>): NodePlan {
  return planTopology({
    layout: 'full',
    workers: 2,
    idle: 'park',
    cores: 8,
    instruments: 20,
    broadcast: true,
    reader: false,
    ...input,
  });
}

const explained = (input: Partial<PlanInput>) =>
  explainNode({ plan: planOf(input), cores: 8, affinity: null, steps: STEPS, wakes: WAKES });

test('Explanation: names every thread and ring of the plan, and how each waits', () => {
  const { threads, rings } = explained({});
  const plan = planOf({});
  assert.deepEqual(
    threads.map((thread) => thread.name),
    plan.threads.map((thread) => thread.name),
  );
  assert.deepEqual(
    rings.map(({ name, bytes }) => [name, bytes]),
    plan.rings.map(({ name, capacityWords }) => [name, capacityWords * 4]),
  );
  assert.match(threads[0]!.waits, /waitAsync/);
  assert.match(threads[1]!.waits, /futex$/);
  const wakeOf = (name: string): string => rings.find((ring) => ring.name === name)!.wake;
  assert.match(wakeOf('feed-1'), /futex\)/);
  assert.match(wakeOf('out-0'), /waitAsync\)/);
});

test('Explanation: fused has no wake-up in its budget, split one, full two', () => {
  const busy = 40 + 300 + 100 + (40 + 20 * 20 + 150) + 100 + 40;
  for (const [layout, wakes] of [
    ['fused', 0],
    ['split', 20_000],
    ['full', 30_000],
  ] as const) {
    const { busyNs, quietNs } = explained({ layout });
    assert.equal(busyNs, busy, layout);
    assert.equal(quietNs, busy + wakes, layout);
  }
});

test('Explanation: what could not be measured is not known, and so is the sum', () => {
  const { budget, quietNs } = explained({ idle: 'spin' });
  assert.equal(quietNs, null);
  assert.equal(budget.filter((line) => line.quietNs === null).length, 2);
});

test('Explanation: says why each choice was made, also that of cores', () => {
  const plan = planOf({ layout: 'auto', idle: 'auto', cores: 2 });
  const affinity = planAffinity(plan, [0, 1]);
  const input = { plan, cores: 2, affinity, steps: STEPS, wakes: WAKES };
  const explanation = explainNode(input);
  assert.match(explanation.layoutReason, /2 cores/);
  assert.match(explanation.idleReason, /2 cores/);
  assert.deepEqual(
    explanation.threads.map((thread) => thread.core),
    affinity.cores,
  );
});

test('Calibration: every step of the path is measured', () => {
  const origin = readTimelineOrigin();
  const steps = measureSteps(new SystemClock(origin.monotonicNs));
  for (const [name, ns] of Object.entries(steps)) assert.ok(ns > 0 && Number.isFinite(ns), name);
});

test('Calibration: a thread is woken in each way, and its answers are counted', async () => {
  const origin = readTimelineOrigin();
  const clock = new SystemClock(origin.monotonicNs);
  const wakes = await measureWakes(clock, origin.monotonicNs, ['loop', 'park']);
  assert.equal(wakes.spin, null);
  for (const way of ['loop', 'park'] as const) {
    const cost = wakes[way];
    assert.ok(cost !== null && cost.samples > 0, way);
    assert.ok(cost.p50Ns > 0 && cost.p50Ns <= cost.p99Ns, way);
  }
  assert.deepEqual(wakeWaysFor(1), ['loop', 'park']);
});
