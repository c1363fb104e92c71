/** The topology: every layout wires every agent, once, and every ring has one writer and one reader. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/reproducible.js';
import {
  chooseLayout,
  LAYOUTS,
  planTopology,
  shardTable,
  threadOf,
} from '../../src/node/topology.js';
import type { PlanInput } from '../../src/node/topology.js';

const BASE: PlanInput = {
  layout: 'full',
  workers: 3,
  idle: 'park',
  cores: 8,
  instruments: 20,
  broadcast: true,
  reader: false,
};

test('Topology: full gives a thread to each agent', () => {
  const plan = planTopology(BASE);
  assert.deepEqual(
    plan.threads.map((thread) => [thread.name, thread.agents, thread.kind]),
    [
      ['ingest', ['ingest'], 'loop'],
      ['books-0', ['books-0'], 'pool'],
      ['books-1', ['books-1'], 'pool'],
      ['books-2', ['books-2'], 'pool'],
      ['broadcast', ['broadcast'], 'loop'],
    ],
  );
});

test('Topology: split and fused put agents together, with one shard', () => {
  assert.deepEqual(
    planTopology({ ...BASE, layout: 'split' }).threads.map((thread) => thread.agents),
    [['ingest', 'books-0'], ['broadcast']],
  );
  assert.deepEqual(
    planTopology({ ...BASE, layout: 'fused' }).threads.map((thread) => thread.agents),
    [['ingest', 'books-0', 'broadcast']],
  );
});

test('Topology: there may be one worker an instrument, but not more', () => {
  assert.equal(planTopology({ ...BASE, workers: 20 }).shards, 20);
  assert.equal(planTopology({ ...BASE, workers: 64 }).shards, 20);
});

test('Topology: auto goes by cores', () => {
  assert.deepEqual([1, 2, 3, 4, 16].map(chooseLayout), ['fused', 'split', 'split', 'full', 'full']);
});

test('Topology: whatever is planned, each agent runs once and each ring joins two agents that exist', () => {
  const inputs = fc.record({
    layout: fc.constantFrom('auto' as const, ...LAYOUTS),
    workers: fc.nat(64),
    idle: fc.constantFrom('auto' as const, 'spin' as const, 'park' as const, 'hybrid' as const),
    cores: fc.integer({ min: 1, max: 128 }),
    instruments: fc.integer({ min: 1, max: 500 }),
    broadcast: fc.boolean(),
    reader: fc.boolean(),
  });
  fc.assert(
    fc.property(inputs, (input) => {
      const plan = planTopology(input);
      const agents = plan.threads.flatMap((thread) => thread.agents);
      assert.equal(new Set(agents).size, agents.length, 'no agent runs twice');
      assert.equal(agents.filter((agent) => agent.startsWith('books-')).length, plan.shards);
      assert.equal(agents.includes('broadcast'), input.broadcast);
      plan.threads.forEach((thread, row) => assert.equal(thread.row, row));
      assert.equal(new Set(plan.rings.map((ring) => ring.name)).size, plan.rings.length);
      for (const ring of plan.rings) {
        assert.ok(threadOf(plan, ring.from) !== null, `${ring.name} has a writer`);
        assert.ok(ring.to === 'reader' ? input.reader : threadOf(plan, ring.to) !== null);
      }
      const perShard = 2 + Number(input.broadcast) + Number(input.reader);
      assert.equal(plan.rings.length, plan.shards * perShard);
      const table = shardTable(input.instruments, plan.shards);
      assert.equal(
        new Set(table).size,
        Math.min(plan.shards, input.instruments),
        'no shard is idle',
      );
    }),
  );
});
