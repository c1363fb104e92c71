/** The log: JSON lines, limited in rate, without secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../src/ops/log.js';
import { VirtualClock } from '../../src/time/virtual-clock.js';

function logTo(
  lines: string[],
  clock = new VirtualClock(),
  secrets: string[] = [],
  format: 'json' | 'pretty' = 'json',
): Log {
  return new Log({ level: 'debug', format, clock, secrets, write: (line) => lines.push(line) });
}

test('Log: a line is JSON with level, event and message', () => {
  const lines: string[] = [];
  logTo(lines).info('book.live', 'book is Live', { instrument: 'x:Y' });
  const line = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.equal(line['event'], 'book.live');
  assert.equal(line['msg'], 'book is Live');
  assert.equal(line['instrument'], 'x:Y');
  assert.equal(line['level'], 30);
});

test('Log: more lines of a key than the burst are held back and counted', () => {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const log = logTo(lines, clock);
  for (let i = 0; i < 100; i++) log.warn('gap', 'gap');
  log.warn('other', 'not touched by it');
  assert.equal(lines.length, 6);
  assert.equal(log.suppressedLines, 95);
  clock.advanceBy(11e9);
  log.warn('gap', 'gap');
  assert.equal((JSON.parse(lines.at(-1)!) as { suppressed: number }).suppressed, 95);
});

test('Log: lines held back are told of even when no further line comes', () => {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const log = logTo(lines, clock);
  for (let i = 0; i < 8; i++) log.warn('gap', 'gap');
  log.flush();
  assert.equal(lines.length, 5);
  clock.advanceBy(11e9);
  log.flush();
  assert.equal((JSON.parse(lines.at(-1)!) as { suppressed: number }).suppressed, 3);
  log.flush();
  assert.equal(lines.length, 6);
});

test('Log: a canary secret stands in no line, however it got there', () => {
  const canary = 'k4n"ry/+ secret';
  for (const format of ['json', 'pretty'] as const) {
    const lines: string[] = [];
    const log = logTo(lines, new VirtualClock(), [canary], format);
    log.info('a', `token is ${canary}`);
    log.info('b', 'nested', {
      deep: { list: [canary] },
      url: `ws://h/?t=${encodeURIComponent(canary)}`,
    });
    log.error('c', 'failed', { err: new Error(`refused ${canary}`) });
    log.info('d', 'header', { header: `Basic ${Buffer.from(canary).toString('base64')}` });
    const all = lines.join('');
    assert.ok(lines.length >= 4, format);
    for (const form of [
      canary,
      JSON.stringify(canary).slice(1, -1),
      encodeURIComponent(canary),
      Buffer.from(canary).toString('base64'),
    ]) {
      assert.ok(!all.includes(form), `${format}: ${form}`);
    }
    assert.match(all, /\[redacted\]/);
  }
});

test('Log: below its level nothing is written', () => {
  const lines: string[] = [];
  const log = new Log({
    level: 'warn',
    format: 'json',
    clock: new VirtualClock(),
    secrets: [],
    write: (l) => lines.push(l),
  });
  log.info('a', 'quiet');
  assert.equal(lines.length, 0);
});
