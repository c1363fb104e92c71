/** `ringside replay` as a process: lines, summary, exit codes, a reader that leaves. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EXIT } from '../../src/cli/exit-codes.js';
import { MadeMarket } from '../support/made-capture.js';

const directory = mkdtempSync(join(tmpdir(), 'ringside-replay-cli-'));
after(() => {
  rmSync(directory, { recursive: true });
});

/** The command by itself, as main.ts runs it. */
const SCRIPT = `
  import { replayCommand } from ${JSON.stringify(import.meta.resolve('../../src/cli/replay.js'))};
  import { reportFailure } from ${JSON.stringify(import.meta.resolve('../../src/cli/failure.js'))};
  try {
    await replayCommand().parseAsync(process.argv.slice(1), { from: 'user' });
  } catch (error) {
    process.exitCode = reportFailure(error);
  }`;
const ARGUMENTS = ['--input-type=module', '-e', SCRIPT, '--'];

function made(updates: number, symbol = 'BTCUSDT'): string {
  const market = new MadeMarket(symbol, 77);
  let text = '';
  for (let i = 0; i < updates; i++) {
    text += market.update();
    if (i === 3) text += market.snapshotLine();
  }
  return text;
}

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function run(...args: string[]): { code: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...ARGUMENTS, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { code: status, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

function summaryOf(stderr: string): Record<string, unknown> {
  return JSON.parse(stderr.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}

const WHOLE = fileOf('whole.gz', gzipSync(made(500)));

test('ringside replay: lines on stdout, one summary object on stderr, exit code 0', () => {
  const { code, lines, stderr } = run(WHOLE, '--venue', 'binance-futures', '--ndjson', 'bbo');
  assert.equal(code, EXIT.Ok);
  assert.equal(lines.length, 497);
  const first = JSON.parse(lines[0]!) as object;
  assert.deepEqual(Object.keys(first), [
    'instrument',
    'sequence',
    'venueSequence',
    'exchangeNs',
    'state',
    'bid',
    'ask',
  ]);
  const summary = summaryOf(stderr);
  assert.equal(stderr.trimEnd().split('\n').length, 1);
  assert.match(String(summary['hash']), /^[0-9a-f]{16}$/);
  const { frames, applied, stale, gaps, resyncs, crossed, trades } = summary;
  assert.deepEqual(
    { frames, applied, stale, gaps, resyncs, crossed, trades },
    { frames: 501, applied: 497, stale: 3, gaps: 0, resyncs: 0, crossed: 0, trades: 0 },
  );
});

test('ringside replay: without --ndjson there is only the summary', () => {
  const { code, lines, stderr } = run(WHOLE);
  assert.equal(code, EXIT.Ok);
  assert.deepEqual(lines, []);
  assert.equal(summaryOf(stderr)['applied'], 497);
});

test('ringside replay: --instrument takes a symbol or a full name, and refuses what is not there', () => {
  const two = fileOf('eth', made(50, 'ETHUSDT'));
  for (const name of ['ETHUSDT', 'binance-futures:ETHUSDT']) {
    const { lines, stderr } = run('--instrument', name, WHOLE, two, '--ndjson', 'bbo');
    assert.equal(lines.length, 47);
    assert.ok(lines.every((line) => line.includes('"binance-futures:ETHUSDT"')));
    assert.equal(summaryOf(stderr)['applied'], 47);
  }
  const both = run(WHOLE, two, '--instrument', 'ETHUSDT,BTCUSDT', '--instrument', 'ETHUSDT');
  assert.equal(summaryOf(both.stderr)['applied'], 497 + 47);
  const { code, stderr } = run(WHOLE, '--instrument', 'BTCUSD');
  assert.equal(code, EXIT.UnknownSymbol);
  assert.match(stderr, /UNKNOWN_SYMBOL.*did you mean "BTCUSDT"/);
});

test('ringside replay: a cut capture is replayed up to the cut, told, and exits with its own code', () => {
  const whole = gzipSync(made(500));
  const cut = fileOf('cut.gz', whole.subarray(0, whole.length / 2));
  const { code, lines, stderr } = run(cut, '--ndjson', 'bbo');
  assert.equal(code, EXIT.BadCapture);
  assert.ok(lines.length > 100 && lines.length < 497);
  assert.match(stderr, /^CAPTURE_TRUNCATED .*cut\.gz/m);
  const summary = summaryOf(stderr);
  assert.equal(summary['truncated'], true);
  assert.equal(summary['applied'], lines.length);
  assert.equal(summary['faults'], 0);
});

test('ringside replay: bad input has clear codes and prints no line', () => {
  const cases: [string[], number, RegExp][] = [
    [[join(directory, 'absent')], EXIT.FileUnreadable, /FILE_UNREADABLE.*no such file/],
    [[fileOf('text', 'just text\n')], EXIT.BadCapture, /CAPTURE_MALFORMED/],
    [[WHOLE, '--venue', 'nyse'], EXIT.UnknownVenue, /UNKNOWN_VENUE/],
  ];
  for (const [args, expected, message] of cases) {
    const { code, lines, stderr } = run(...args, '--ndjson', 'bbo');
    assert.equal(code, expected);
    assert.match(stderr, message);
    assert.deepEqual(lines, []);
  }
});

test('ringside replay: a reader that leaves after some lines ends it without a word', async () => {
  const long = fileOf('long', made(20_000));
  const child = spawn(process.execPath, [...ARGUMENTS, long, '--ndjson', 'book'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(stderr, '');
  assert.equal(code, EXIT.Ok);
});

test('ringside replay: --help shows examples and exit codes', () => {
  const { lines } = run('--help');
  assert.ok(lines.some((line) => line.includes('Examples:')));
  assert.ok(lines.some((line) => line.includes('10 bad capture')));
});
