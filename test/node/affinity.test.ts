/** Affinity: who gets which core, and what is said when nobody does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pinning, planAffinity, readCoreList } from '../../src/node/affinity.js';
import type { PinThread } from '../../src/node/affinity.js';
import { LAYOUTS, planTopology } from '../../src/node/topology.js';
import type { NodePlan } from '../../src/node/topology.js';
import { Log } from '../../src/ops/log.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

function planOf(layout: (typeof LAYOUTS)[number], workers = 1): NodePlan {
  return planTopology({
    layout,
    workers,
    idle: 'park',
    cores: 8,
    instruments: 20,
    broadcast: true,
    reader: false,
  });
}

function loggedLines(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const clock = new VirtualClock(0);
  return { lines, log: new Log({ level: 'info', format: 'json', clock, secrets: [], write }) };
}

test('Affinity: threads take cores in the order of the data path and leave the first to the rest', () => {
  assert.deepEqual(planAffinity(planOf('full', 2), [0, 1, 2, 3, 4, 5]).cores, [1, 2, 3, 4]);
});

test('Affinity: with as many cores as threads every core is taken', () => {
  const { cores, reason } = planAffinity(planOf('split'), [3, 7]);
  assert.deepEqual(cores, [3, 7]);
  assert.match(reason, /none left over/);
});

test('Affinity: threads that outnumber the cores are not pinned, and the reason says both numbers', () => {
  const { cores, reason } = planAffinity(planOf('full', 1), [0, 1]);
  assert.deepEqual(cores, []);
  assert.match(reason, /3 threads, 2 cores/);
});

test('Affinity: no core is given twice and none that is not allowed', () => {
  const input = fc.record({
    layout: fc.constantFrom(...LAYOUTS),
    workers: fc.integer({ min: 1, max: 12 }),
    allowed: fc.uniqueArray(fc.nat(63), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(input, ({ layout, workers, allowed }) => {
      const plan = planOf(layout, workers);
      const { cores } = planAffinity(plan, allowed);
      assert.equal(new Set(cores).size, cores.length);
      assert.ok(cores.every((core) => allowed.includes(core)));
      const enough = allowed.length >= plan.threads.length;
      assert.equal(cores.length, enough ? plan.threads.length : 0);
    }),
  );
});

test('Affinity: lists of cores are read as Linux writes them', () => {
  assert.deepEqual(readCoreList('0-3,8\n'), [0, 1, 2, 3, 8]);
  assert.deepEqual(readCoreList('5'), [5]);
  assert.deepEqual(readCoreList(''), []);
});

test('Pinning: each thread is pinned once an incarnation, by its own id', async () => {
  const { lines, log } = loggedLines();
  const pinned: [string, number][] = [];
  const pin: PinThread = (threadId, core) => {
    pinned.push([threadId, core]);
    return Promise.resolve();
  };
  const pinning = new Pinning(planAffinity(planOf('split'), [0, 1, 2]), log, pin);
  await pinning.onReady('ingest', 0, '10/task/11');
  await pinning.onReady('broadcast', 1, '10/task/12');
  await pinning.onReady('ingest', 0, '10/task/13');
  assert.deepEqual(pinned, [
    ['11', 1],
    ['12', 2],
    ['13', 1],
  ]);
  assert.equal(lines.filter((line) => line.includes('pin.done')).length, 3);
});

test('Pinning: what stands in its way is told once, whatever the number of threads', async () => {
  const { lines, log } = loggedLines();
  const pin: PinThread = () => Promise.reject(new Error('there is no taskset'));
  const pinning = new Pinning(planAffinity(planOf('split'), [0, 1]), log, pin);
  await pinning.onReady('ingest', 0, '10/task/11');
  await pinning.onReady('broadcast', 1, '10/task/12');
  await pinning.onReady('broadcast', 1, null);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /there is no taskset/);
});

test('Pinning: too few cores are told at once, and nothing is pinned', async () => {
  const { lines, log } = loggedLines();
  const pin: PinThread = () => Promise.reject(new Error('not to be called'));
  const pinning = new Pinning(planAffinity(planOf('full'), [0, 1]), log, pin);
  await pinning.onReady('ingest', 0, '10/task/11');
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /3 threads, 2 cores/);
});
