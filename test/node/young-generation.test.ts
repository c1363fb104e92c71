import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import {
  chooseYoungMb,
  memoryBytes,
  settleYoungGeneration,
  youngLimit,
} from '../../src/node/young-generation.js';

const GB = 2 ** 30;

test('chooseYoungMb: follows the memory between its bounds, and the configuration before that', () => {
  assert.deepEqual(
    [0.25, 1, 4, 8, 16, 512].map((gb) => chooseYoungMb(0, gb * GB)),
    [16, 16, 32, 64, 96, 96],
  );
  assert.equal(chooseYoungMb(300, GB), 300);
  assert.ok(memoryBytes() > 0 && Number.isFinite(memoryBytes()));
});

test('youngLimit: a worker allocates that much before its first collection, this thread as before', async () => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { getHeapSpaceStatistics } = require('node:v8');
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    parentPort.postMessage(space.space_available_size + space.space_used_size);`;
  const worker = new Worker(program, { eval: true, resourceLimits: youngLimit(48) });
  const [bytes] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  assert.ok(Math.abs(bytes / 2 ** 20 - 48) < 2, `${bytes} bytes`);
});

interface Collection {
  readonly detail: { readonly kind: number };
}

test('settleYoungGeneration: makes the two first collections and leaves no collector exposed', async () => {
  const kinds: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as unknown as Collection[]) kinds.push(entry.detail.kind);
  });
  observer.observe({ entryTypes: ['gc'] });
  settleYoungGeneration();
  await sleep(20);
  observer.disconnect();
  assert.ok(kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MINOR).length >= 2);
  assert.throws(() => runInNewContext('gc'), /gc is not defined/);
});
