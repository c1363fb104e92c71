/**
 * Runs the SPIN model of ring and doorbell (ring.pml) through every interleaving, and checks that the
 * model can fail: each seeded bug must be found, and by the check that is meant to find it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

const MODEL = join(import.meta.dirname, '..', '..', '..', 'test', 'model', 'ring.pml');

function isInstalled(command: string, argument: string): boolean {
  return spawnSync(command, [argument]).error === undefined;
}

const missing = [
  ...(isInstalled('spin', '-V') ? [] : ['spin']),
  ...(isInstalled('gcc', '--version') ? [] : ['gcc']),
];
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false;

interface Verdict {
  readonly errors: number;
  readonly states: number;
  readonly text: string;
}

/** @param panArguments `-E` looks at assertions only, so that a bug in the payload shows as one */
function check(bug: string | null, panArguments: readonly string[] = []): Verdict {
  const directory = mkdtempSync(join(tmpdir(), 'ringside-model-'));
  const run = (command: string, ...args: string[]): string => {
    const result = spawnSync(command, args, { cwd: directory, encoding: 'utf8', timeout: 60_000 });
    assert.equal(result.error, undefined);
    assert.equal(result.status, 0, `${command}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  try {
    copyFileSync(MODEL, join(directory, 'ring.pml'));
    run('spin', '-a', ...(bug === null ? [] : [`-D${bug}`]), 'ring.pml');
    // Without -DNOCLAIM the check for invalid end states would be silently off.
    run('gcc', '-O0', '-DNOCLAIM', '-DSAFETY', '-o', 'pan', 'pan.c');
    const text = run('./pan', '-m1000000', ...panArguments);
    const errors = /errors: (\d+)/.exec(text);
    const states = /(\d+) states, stored/.exec(text);
    assert.ok(errors !== null && states !== null, text);
    assert.doesNotMatch(text, /max search depth too small|out of memory/);
    return { errors: Number(errors[1]), states: Number(states[1]), text };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test(
  'Model: no interleaving of ring and doorbell tears a record or sleeps for ever',
  { skip },
  () => {
    const verdict = check(null);
    assert.equal(verdict.errors, 0, verdict.text);
    assert.match(verdict.text, /invalid end states\s+\+/, 'deadlock checking was on');
    assert.match(verdict.text, /assertion violations\s+\+/, 'assertions were checked');
    assert.equal(
      [...verdict.text.matchAll(/\(0 of \d+ states\)/g)].length,
      2,
      'nothing is unreached',
    );
    assert.ok(verdict.states > 10_000, `${verdict.states} states`);
  },
);

for (const bug of ['PUBLISH_BEFORE_WRITE', 'FREE_BEFORE_READ']) {
  test(`Model: the seeded bug ${bug} is found as a torn record`, { skip }, () => {
    assert.match(
      check(bug, ['-E']).text,
      /assertion violated \(\(a==received\)&&\(b==received\)\)/,
    );
  });
}

for (const bug of ['SLEEP_WITHOUT_RECHECK', 'CHECK_BEFORE_ANNOUNCE', 'RING_BEFORE_COMMIT']) {
  test(`Model: the seeded bug ${bug} is found as a sleep without end`, { skip }, () => {
    assert.match(check(bug).text, /pan:1: invalid end state/);
  });
}
