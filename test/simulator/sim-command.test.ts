/** `ringside sim` as a process: what it prints, how it ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.js';

const MAIN = join(import.meta.dirname, '../../src/main.js');
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

function sim(...options: string[]) {
  const child = spawn(process.execPath, [MAIN, 'sim', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    child,
    next: async (): Promise<string> => ((await lines.next()).value as string | undefined) ?? '',
    ended: async (): Promise<{ code: number | null; errors: string }> => {
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, errors };
    },
  };
}

test('ringside sim --json says where it listens, counts, and ends with 0 on SIGINT', async () => {
  const { child, next, ended } = sim('--json', '--rate', '2000', '--symbols', '30');
  const listening = JSON.parse(await next()) as { event: string; restUrl: string };
  assert.equal(listening.event, 'listening');
  const info = await fetch(`${listening.restUrl}/fapi/v1/exchangeInfo`);
  assert.equal(((await info.json()) as { symbols: unknown[] }).symbols.length, 30);
  const statistics = JSON.parse(await next()) as { event: string; updates: number; faults: object };
  assert.equal(statistics.event, 'statistics');
  assert.ok(statistics.updates > 100, `${statistics.updates} updates/s`);
  const end = ended();
  child.kill('SIGINT');
  const { code, errors } = await end;
  assert.equal(code, EXIT.Ok, errors);
  assert.equal(errors, '');
});

test('ringside sim refuses what it cannot do with a clear text and code', async () => {
  const holder = sim('--json', '--rate', '1');
  const { restUrl } = JSON.parse(await holder.next()) as { restUrl: string };
  const cases: [string[], number, RegExp][] = [
    [['--rate', 'fast'], EXIT.Usage, /expected a whole number/],
    [['--faults', 'fall=1'], EXIT.BadConfig, /unknown fault "fall"/],
    [['--port', new URL(restUrl).port], EXIT.PortInUse, /PORT_IN_USE/],
  ];
  await Promise.all(
    cases.map(async ([options, code, text]) => {
      const outcome = await sim(...options).ended();
      assert.equal(outcome.code, code, options.join(' '));
      assert.match(outcome.errors, text);
    }),
  );
});
