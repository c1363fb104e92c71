import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FaultError } from '../../src/faults/fault.js';
import { BudgetFile } from '../../src/ingest/budget-file.js';
import { RateLimit } from '../../src/ingest/rate-limit.js';
import { Timeline } from '../../src/time/timeline.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';
import { IngestHarness } from '../support/ingest-harness.js';
import { toyVenue } from '../support/toy-venue.js';

const folder = mkdtempSync(join(tmpdir(), 'ringside-budget-'));
after(() => rmSync(folder, { recursive: true }));

const LIMIT = { count: 10, perMs: 60_000 };
const ORIGIN_MS = 1_790_000_000_000;

/** A process that starts at this Unix time. */
function start(path: string, unixMs: number): RateLimit {
  const budget = new RateLimit(LIMIT, 0.8, 1);
  const timeline = new Timeline(BigInt(unixMs) * 1_000_000n);
  const file = new BudgetFile(path, timeline, { attempts: budget });
  file.open(0);
  budget.onTaken = (nowNs) => file.save(nowNs);
  return budget;
}

test('BudgetFile: a process in a crash loop has one budget for all its lives', () => {
  const path = join(folder, 'deep', 'loop.json');
  const taken: number[] = [];
  for (let life = 0; life < 300; life++) {
    const unixMs = ORIGIN_MS + life * 1_000;
    const budget = start(path, unixMs);
    while (budget.tryTake(1, 0) === 0) taken.push(unixMs);
  }
  for (let i = 8; i < taken.length; i++) assert.ok(taken[i]! - taken[i - 8]! > 60_000);
  assert.ok(taken.length >= 32, 'and it uses what it is allowed');
});

test('BudgetFile: a file that is not ours counts as nothing and is replaced', () => {
  for (const text of ['', '{"attempts":[[1', 'null', '[]', '{"attempts":[7,["x",1],[null]]}']) {
    const path = join(folder, 'strange.json');
    writeFileSync(path, text);
    assert.equal(start(path, ORIGIN_MS).usedWeight(0), 0, text);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { attempts: [] });
  }
});

test('BudgetFile: a place that cannot be written is said at the start', () => {
  const file = join(folder, 'a-file');
  writeFileSync(file, '');
  assert.throws(
    () => start(join(file, 'budget.json'), ORIGIN_MS),
    (error) => error instanceof FaultError && error.code === 'FILE_UNREADABLE',
  );
});

test('BudgetFile: it is written before what it tells of goes out', () => {
  const path = join(folder, 'order.json');
  const h = new IngestHarness({ venue: toyVenue(), clock: new VirtualClock(), budgetFile: path });
  let seen = 0;
  h.sockets.onSocket = () => {
    const { connectAttempts } = JSON.parse(readFileSync(path, 'utf8')) as {
      connectAttempts: unknown[];
    };
    seen = connectAttempts.length;
  };
  assert.ok(existsSync(path));
  h.start();
  assert.equal(seen, 1);
  let weight = 0;
  h.http.onRequest = () => {
    const { restWeight } = JSON.parse(readFileSync(path, 'utf8')) as { restWeight: number[][] };
    weight = restWeight[0]![1]!;
  };
  h.want(0);
  assert.equal(weight, 20);
});
