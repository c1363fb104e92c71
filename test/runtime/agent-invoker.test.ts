import assert from 'node:assert/strict';
import test from 'node:test';
import type { Agent } from '../../src/runtime/agent.js';
import { AgentInvoker } from '../../src/runtime/agent-invoker.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

function agent(name: string, log: string[], work: number, closing?: Error): Agent {
  return {
    name,
    doWork(now) {
      log.push(`${name}@${now[0]}`);
      return work;
    },
    onClose() {
      log.push(`${name} closed`);
      if (closing !== undefined) throw closing;
    },
  };
}

test('AgentInvoker: a turn runs every agent in order at one reading of the clock and sums the work', () => {
  const log: string[] = [];
  const clock = new VirtualClock(100);
  const invoker = new AgentInvoker([agent('a', log, 2), agent('b', log, 3)], clock);
  assert.equal(invoker.invoke(), 5);
  clock.advanceBy(1);
  assert.equal(invoker.invoke(), 5);
  assert.deepEqual(log, ['a@100', 'b@100', 'a@101', 'b@101']);
});

test('AgentInvoker: closing reaches every agent once, whichever throws, and tells the first error', () => {
  const log: string[] = [];
  const invoker = new AgentInvoker(
    [agent('a', log, 0, new Error('first')), agent('b', log, 0, new Error('second'))],
    new VirtualClock(),
  );
  assert.throws(() => invoker.close(), /first/);
  invoker.close();
  assert.deepEqual(log, ['a closed', 'b closed']);
});
