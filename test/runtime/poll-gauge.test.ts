/** Whether polling is worthwhile, told by the gaps between turns with work. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { POLL_NS_MAX, PollGauge } from '../../src/runtime/poll-gauge.js';

const START_NS = 5e9;
const DENSE_NS = 100_000;
const RARE_NS = 1_000_000;

/** Work at regular gaps from a time on; the time of the last. */
function work(gauge: PollGauge, fromNs: number, gapNs: number, turns: number): number {
  for (let i = 1; i <= turns; i++) gauge.onWork(fromNs + i * gapNs);
  return fromNs + turns * gapNs;
}

test('a new gauge does not poll, and neither after a single burst of a few', () => {
  const gauge = new PollGauge();
  assert.equal(gauge.isWorthwhile(START_NS), false);
  const lastNs = work(gauge, START_NS, DENSE_NS, 5);
  assert.equal(gauge.isWorthwhile(lastNs), false);
});

test('dense work is polled for, as long after the last as a polling lasts, and not longer', () => {
  const gauge = new PollGauge();
  const lastNs = work(gauge, START_NS, DENSE_NS, 20);
  assert.equal(gauge.isWorthwhile(lastNs), true);
  assert.equal(gauge.isWorthwhile(lastNs + POLL_NS_MAX), true);
  assert.equal(gauge.isWorthwhile(lastNs + POLL_NS_MAX + 1), false);
});

test('work that became rare is no longer polled for after a few turns, dense work again soon', () => {
  const gauge = new PollGauge();
  const denseNs = work(gauge, START_NS, DENSE_NS, 1000);
  const rareNs = work(gauge, denseNs, RARE_NS, 5);
  assert.equal(gauge.isWorthwhile(rareNs), false);
  const againNs = work(gauge, rareNs, DENSE_NS, 10);
  assert.equal(gauge.isWorthwhile(againNs), true);
});

test('work of which most gaps are longer than a polling is never polled for', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 300 }), (isShort) => {
      const gauge = new PollGauge();
      let nowNs = START_NS;
      for (const short of isShort) {
        // Two long gaps follow each short one.
        const gaps = short ? [DENSE_NS, RARE_NS, RARE_NS] : [RARE_NS];
        for (const gapNs of gaps) {
          nowNs += gapNs;
          gauge.onWork(nowNs);
          if (gauge.isWorthwhile(nowNs)) return false;
        }
      }
      return true;
    }),
  );
});
